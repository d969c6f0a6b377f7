"""Each provider's parser and adapter, on provider-shaped payloads and on faults, over real HTTP on loopback."""
