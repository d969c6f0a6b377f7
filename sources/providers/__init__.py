"""One module a provider: ``fetch`` asks, a pure parser reads the bytes. None knows the catalogue or the chain."""

from sources.inspection import Inspects
from sources.provider import Adapter
from sources.providers import (
    data360,
    data360_files,
    findex,
    gtmi,
    itu_prices,
    owid,
    qog,
    un_egov,
    un_sdg,
    unesco_uis,
    wipo_gii,
    world_bank,
    world_bank_links,
)

ADAPTERS: dict[str, Adapter] = {
    "world_bank": world_bank,
    "data360": data360,
    "data360_files": data360_files,
    "un_sdg": un_sdg,
    "unesco_uis": unesco_uis,
    "owid": owid,
    "wipo_gii": wipo_gii,
    "un_egov": un_egov,
    "qog": qog,
    "itu_prices": itu_prices,
    "gtmi": gtmi,
    "findex": findex,
}
"""Provider id -> its adapter. A provider without one is skipped in every chain, and said to have none."""

INSPECTORS: dict[str, Inspects] = {
    **{name: adapter for name, adapter in ADAPTERS.items() if isinstance(adapter, Inspects)},
    "world_bank": world_bank_links,
}
"""Provider id -> what checks its links (``sources.checks.links``): its adapter, where that has a function for it."""
