"""One module a provider: ``fetch`` asks, a pure parser reads the bytes. None knows the catalogue or the chain."""

from sources.provider import Adapter
from sources.providers import world_bank

ADAPTERS: dict[str, Adapter] = {
    "world_bank": world_bank,
}
"""Provider id -> its adapter. A provider without one is skipped in every chain, and said to have none."""
