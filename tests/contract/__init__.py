"""Test the parser and adapter of each provider with provider-shaped payloads and faults, over real HTTP on loopback."""
