"""Requests per host at the same time, over all workers that share a lake.

Belongs here: how many each host allows. Does not belong here: counting them (``warehouse.lake.locks``), sending them
(``sources.http``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.lake import chosen_lake
from pipelines.settings import Settings
from sources.catalogue import Catalogue, Provider
from sources.http.quotas import PER_HOST, SharedSlots
from sources.http.reachability import host_of


def hosts_of(provider: Provider) -> list[str]:
    """Return the hosts of a provider's addresses."""
    return [host_of(str(address)) for address in (provider.base_url, provider.alternative_url) if address]


@contextmanager
def shared_slots(settings: Settings, catalogue: Catalogue) -> Iterator[SharedSlots | None]:
    """Yield what counts the requests per host over all workers; None without a lake, where there is one process.

    Raises:
        LakeError: The lake's catalogue cannot be reached.
    """
    lake = chosen_lake(settings)
    if lake is None:
        yield None
        return
    from warehouse.lake.locks import host_slots

    allowed: dict[str, int] = {}
    for provider in catalogue.providers.values():
        for host in hosts_of(provider):
            allowed[host] = min(provider.parallel, allowed.get(host, PER_HOST))
    with host_slots(lake, allowed, PER_HOST) as slots:
        yield slots
