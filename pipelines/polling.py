"""Ingestion where several workers share a lake: each provider is asked by one of them at a time.

Belongs here: which worker asks which provider, and what comes from the lake before and goes to it afterwards. Does not
belong here: asking and landing (``pipelines.ingestion``), locks and tables (``warehouse.lake``).

A worker polls a provider in a folder of its own, ``polling/<provider>`` in its warehouse. The folder is a cache: before
each poll, figures and the provider's last responses, for conditional requests, come from the lake.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.host_slots import hosts_of
from pipelines.ingestion import Ingestion, ingest
from pipelines.lake import chosen_lake, push_landed
from pipelines.source_tables import HEALTH, write_source_health
from pipelines.workspace import Workspace
from sources.catalogue import ARCHIVE, Catalogue, Indicator
from sources.errors import ConfigurationError, did_you_mean
from sources.provider import Outcome
from warehouse import journal, raw
from warehouse.landing import Landing
from warehouse.layout import Layout
from warehouse.recovery import holding

if TYPE_CHECKING:
    from warehouse.lake.connection import Lake
    from warehouse.lake.locks import Locks

FOLDER = "polling"


class Taken(Exception):
    """Another worker polls the provider, or has just polled it. The message names both."""


def partitions(catalogue: Catalogue) -> dict[str, list[Indicator]]:
    """Return provider -> the indicators that are polled with it: those of whose chain it is the first."""
    found: dict[str, list[Indicator]] = {}
    for indicator in catalogue:
        if indicator.chain[0].provider != ARCHIVE:
            found.setdefault(indicator.chain[0].provider, []).append(indicator)
    return found


def chosen_partitions(catalogue: Catalogue, providers: Sequence[str]) -> dict[str, list[Indicator]]:
    """Return the partitions of these providers, all if there are none.

    Raises:
        ConfigurationError: No indicator is polled with one of them.
    """
    known = partitions(catalogue)
    if unknown := [name for name in providers if name not in known]:
        raise ConfigurationError(
            f"no indicator is polled with {unknown[0]}; the providers are {', '.join(known)}"
            + did_you_mean(unknown[0], known)
        )
    return {name: known[name] for name in providers or known}


def poll(
    workspace: Workspace,
    provider: str,
    since: datetime | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Ingestion:
    """Ask a provider for its indicators, or the next ones of their chains, and land the answers in the lake.

    Args:
        workspace: Settings, catalogue, adapters and paths.
        provider: One of ``partitions``.
        since: Leave out a provider that was polled after this time (UTC).
        progress: Called with a description of each step.

    Raises:
        Taken: Another worker polls the provider, or has polled it since.
        LakeError: The lake cannot be read or written; it has everything as before.
        ConfigurationError: There is no lake or no such provider, or no requests are allowed.
    """
    lake, indicators = chosen_lake(workspace.settings), chosen_partitions(workspace.catalogue, [provider])[provider]
    if lake is None:
        raise ConfigurationError("CAREC_LAKE is not set: polling by provider is for workers that share a lake")
    if workspace.settings.offline:
        raise ConfigurationError("CAREC_OFFLINE is set: no provider is asked")
    from warehouse.lake import landing, locks
    from warehouse.lake.connection import attached
    from warehouse.lake.responses import pull_responses

    own = [indicator.id for indicator in indicators]
    at = _place(workspace, provider)
    with locks.locks(lake) as held:
        if who := held.take(locks.polling(provider)):
            raise Taken(f"{provider}: another worker polls it {who}")
        with holding(at.layout):
            _forget_interrupted(at.layout)
            progress(f"{provider}: fetching its landed figures from the lake")
            with attached(lake, read_only=True) as connection:
                health = landing.newest_health(connection)
                if since and all(name in health and journal.started_at(health[name]["file"]) >= since for name in own):
                    raise Taken(f"{provider}: another worker has just polled it")
                landing.pull(connection, lake, at.layout, own)
                pull_responses(connection, lake, at.layout, hosts_of(workspace.catalogue.providers[provider]))
            done = ingest(at, indicators, offline=False, progress=progress)
            held.check()  # a worker without its lock lands nothing
            push_landed(lake, at.layout)
            _forget_landed(at.layout)
    return done


def summary(ingestion: Ingestion) -> str:
    """Return in one line how many indicators were asked for, what landed and what failed."""
    results = ingestion.results
    counts = {
        "new vintages": sum(one.landed.status is Landing.NEW for one in results),
        "held back": sum(one.landed.status is Landing.HELD_BACK for one in results),
        "without an answer": sum(one.outcome is not Outcome.OK for one in results),
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    why = failure(ingestion)
    return f"{len(results)} indicators: {', '.join(parts) or 'nothing new'}" + f" ({why})" * bool(why)


def failure(ingestion: Ingestion) -> str | None:
    """Return why a provider answered nothing at all, None if it answered for any of its indicators."""
    first = [one.asked[0] for one in ingestion.results if one.asked]
    if any(attempt.outcome in (Outcome.OK, Outcome.NO_DATA) for attempt in first):
        return None
    return "; ".join(dict.fromkeys(f"{attempt.provider}: {attempt.reason or attempt.outcome}" for attempt in first))


def gather(
    workspace: Workspace,
    indicators: Sequence[Indicator],
    *,
    offline: bool,
    accept_shrink: bool = False,
    accept_revisions: Sequence[str] = (),
    progress: Callable[[str], None] = lambda step: None,
) -> Ingestion:
    """Ingest in a warehouse whose lock the caller holds; with a lake, together with what other workers landed.

    A provider that another worker polls is not asked: its last figures are used, and ``source_health`` has the reason.
    Arguments and result as for ``ingest``.

    Raises:
        LakeError: The lake cannot be read or written; it has everything as before.
    """
    lake = chosen_lake(workspace.settings)

    def ingest_with(unasked: dict[str, str]) -> Ingestion:
        return ingest(
            workspace,
            indicators,
            offline=offline,
            accept_shrink=accept_shrink,
            accept_revisions=accept_revisions,
            unasked=unasked,
            progress=progress,
        )

    if lake is None:
        return ingest_with({})
    from warehouse.lake import locks

    with locks.locks(lake) as held:
        busy = {} if offline else _polled_by_others(held, indicators)
        progress("fetching landed figures from the lake")
        health = _pull(lake, workspace, asks=not offline)
        done = ingest_with(busy)
        own = {one.indicator.id for one in done.results} if done.asked else busy.keys()
        _write_health(workspace, {name: row for name, row in health.items() if name not in own})
        if done.asked:
            held.check()
            push_landed(lake, workspace.layout)
    return done


def fill(workspace: Workspace) -> None:
    """Bring the landed figures of a warehouse and their health up to date with the lake; without one, do nothing.

    Raises:
        LakeError: The lake cannot be read.
    """
    if lake := chosen_lake(workspace.settings):
        _write_health(workspace, _pull(lake, workspace))


def _pull(lake: Lake, workspace: Workspace, *, asks: bool = False) -> dict[str, dict[str, Any]]:
    """Fill the folder of a warehouse, with the last responses of all providers if it asks them. Return the health."""
    from warehouse.lake import landing
    from warehouse.lake.connection import attached
    from warehouse.lake.responses import pull_responses

    hosts = [host for each in workspace.catalogue.providers.values() for host in hosts_of(each)]
    with attached(lake, read_only=True) as connection:
        landing.pull(connection, lake, workspace.layout)
        if asks:
            pull_responses(connection, lake, workspace.layout, hosts)
        return landing.newest_health(connection)


def _write_health(workspace: Workspace, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what other workers found of the indicators that this one did not ask for."""
    known = [row for name, row in rows.items() if name in workspace.catalogue.indicators]
    write_source_health(workspace, [{column: row.get(column) for column in HEALTH} for row in known])


def _polled_by_others(held: Locks, indicators: Sequence[Indicator]) -> dict[str, str]:
    """Take the locks of the providers of indicators. Return indicator -> why its provider cannot be asked."""
    from warehouse.lake.locks import polling

    first = {indicator.id: indicator.chain[0].provider for indicator in indicators}
    taken = {provider: held.take(polling(provider)) for provider in dict.fromkeys(first.values())}
    return {
        name: f"{provider}: another worker polls it, the last figures are used"
        for name, provider in first.items()
        if taken[provider]
    }


def _place(workspace: Workspace, provider: str) -> Workspace:
    """Return the workspace with the folder of a provider. The operator's files are still those of the warehouse."""
    layout, settings = workspace.layout, workspace.settings
    local = settings.local_files or layout.local_files
    return replace(
        workspace,
        layout=Layout(layout.root / FOLDER / provider),
        settings=replace(settings, local_files=local),
    )


def _forget_interrupted(layout: Layout) -> None:
    """Delete what an interrupted poll landed only here: another worker may have landed the same since."""
    if records := journal.paths(layout):
        shutil.rmtree(layout.landing, ignore_errors=True)
        for path in records:
            path.unlink()


def _forget_landed(layout: Layout) -> None:
    """Delete what the lake has now, except figures and the last response of each address."""
    raw.keep_last_responses(layout)
    for path in journal.paths(layout):
        path.unlink()
