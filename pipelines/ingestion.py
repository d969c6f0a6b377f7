"""Ingestion: ask the providers, check and land each answer, and return one result per indicator.

Belongs here: the order of these steps. Does not belong here: whether a figure may be used (``quality_gates``), HTTP,
formats, Parquet, Dagster.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import polars as pl

from pipelines import run_journal
from pipelines.archive_landing import land_archive
from pipelines.gate_context import Contexts
from pipelines.host_slots import shared_slots
from pipelines.ingested import Ingested, InUse, figures_in_use
from pipelines.quality_gates import (
    ALL_REJECTED,
    FIGURE_GATES,
    SERIES_GATES,
    STALE_MIRROR,
    Context,
    run_gates,
)
from pipelines.run_journal import Run
from pipelines.settings import Settings
from pipelines.source_tables import write_indicators, write_source_health
from pipelines.workspace import Workspace
from sources.catalogue import LOCAL_FILE, Indicator
from sources.chain import Resolution, resolve
from sources.http.bodies import Body
from sources.http.client import Http
from sources.http.conditional import RunHttp, placed_bodies
from sources.http.quotas import SharedSlots
from sources.observation import (
    OBSERVATION,
    FigureOrigin,
    empty_observations,
    empty_rejects,
    utc_now,
    with_carried_over,
    with_retained,
)
from sources.provider import Outcome, RawBody, Window
from sources.refusals import RefusedCode, RefusedCodes
from warehouse import confirmations, landing, raw, refused_codes
from warehouse.files import Writers, WriteTable
from warehouse.landing import Landed, LandedVintage, Landing
from warehouse.layout import Layout

OFFLINE = "offline: no provider was asked"
FIRST_YEAR = 2010
"""First year requested from providers. The scorecard's history begins in 2015 and its baselines in 2018."""


@dataclass(frozen=True)
class Ingestion:
    """Result of one ingestion.

    Attributes:
        results: One per indicator.
        unreachable: Host that could not be reached -> reason.
        asked: Whether providers were asked.
        late: Host whose share of the time was used up -> reason. The indicators that needed it have their last figures,
            or those of the next provider.
        seconds: Time that the providers took.
        unasked: Indicator -> why its providers were not asked, although others were to be.
    """

    results: list[Ingested]
    unreachable: dict[str, str]
    asked: bool
    late: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    unasked: Mapping[str, str] = field(default_factory=dict)


def budget_lines(ingestion: Ingestion, settings: Settings) -> list[str]:
    """Return who was not asked, how much of its time the providers used, and which hosts used up theirs."""
    unasked = [f"{reason} ({count} indicators)" for reason, count in Counter(ingestion.unasked.values()).items()]
    if not ingestion.asked:
        return unasked
    lines = [f"{reason}; the next provider or the last figures are used" for reason in ingestion.late.values()]
    budget = f"{settings.providers_time_s:.0f} s of the budget of {settings.refresh_budget_s:.0f} s"
    return [
        *unasked,
        *lines,
        f"providers took {ingestion.seconds:.0f} s; they have {budget}, each host {settings.host_time_s:.0f} s",
    ]


def ingest(
    workspace: Workspace,
    indicators: Sequence[Indicator],
    *,
    offline: bool,
    accept_shrink: bool = False,
    accept_revisions: Sequence[str] = (),
    unasked: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Ingestion:
    """Refresh the given indicators. There is one result per indicator, also if no provider answered.

    Args:
        workspace: Settings, catalogue, adapters and paths.
        indicators: Indicators to refresh.
        offline: Use only what is landed; ask no provider.
        accept_shrink: Skip the gates that compare a series with the last vintage in size and scale.
        accept_revisions: Ids of the indicators for which every gate is skipped that an option skips.
        unasked: Indicator -> why its last figures are used and no provider is asked.
        progress: Called with a description of what is awaited.
    """
    progress("landing the bundled archive")
    land_archive(workspace)
    now, settings, layout = utc_now(), workspace.settings, workspace.layout
    left_out = {each.id: reason for each in indicators if (reason := (unasked or {}).get(each.id))}
    ids = tuple(each.id for each in indicators if each.id not in left_out)
    accepted = tuple(sorted(accept_revisions))
    run = Run(now, ids, Window(FIRST_YEAR, now.year), accept_shrink, accepted, _refused_codes(layout))
    if offline or not ids:
        waiting = [Resolution(each, why_unasked=left_out.get(each.id, OFFLINE)) for each in indicators]
        return replace(land(workspace, run, waiting, asked=False), unasked=left_out)
    with (
        shared_slots(settings, workspace.catalogue) as slots,
        Writers() as writers,
        _session(workspace, run, slots, partial(writers.submit, run_journal.store_body, layout)) as http,
    ):
        asked_at = time.monotonic()
        resolutions, bodies = ask(workspace, run, http, progress)
        late, seconds = http.late, time.monotonic() - asked_at
        writers.wait()  # the record of the run names the bodies
        run_journal.write_run(layout, run, http.exchanges, bodies)
        refused_codes.write(layout, [asdict(one) for one in http.refused.all()])
        placed = placed_bodies(http.exchanges)
        resolutions += [Resolution(each, why_unasked=left_out[each.id]) for each in indicators if each.id in left_out]
        ingestion = land(workspace, run, resolutions, placed=placed, unreachable=dict(http.unreachable))
        held_back = frozenset().union(*(one.held_back_bodies for one in ingestion.results))
        run_journal.request_again(layout, http.exchanges, held_back)
        return replace(ingestion, late=late, seconds=seconds, unasked=left_out)


def _session(workspace: Workspace, run: Run, slots: SharedSlots | None, received: Callable[[Body], None]) -> RunHttp:
    settings, layout = workspace.settings, workspace.layout
    return RunHttp(
        tries=settings.http_tries,
        read_timeout_s=settings.http_timeout_s,
        host_deadline_s=settings.host_time_s,
        budget_s=settings.providers_time_s,
        user_agent=settings.agent,
        shared=slots,
        folder=layout.raw,
        cache=raw.StoredResponses(layout),
        received=received,
        local_files=settings.local_files or layout.local_files,
        accept_shrink=run.accept_shrink,
        refused=RefusedCodes(run.refused_codes),
    )


def _refused_codes(layout: Layout) -> tuple[RefusedCode, ...]:
    return tuple(RefusedCode(**one) for one in refused_codes.read(layout))


def ask(
    workspace: Workspace, run: Run, http: Http, progress: Callable[[str], None] = lambda provider: None
) -> tuple[list[Resolution], list[RawBody]]:
    """Return one resolution per indicator of the run, and every body. ``http`` sends the requests or replays them."""
    indicators = workspace.catalogue.select(list(run.indicator_ids))
    return resolve(indicators, workspace.catalogue, workspace.adapters, workspace.areas, run.window, http, progress)


def land(
    workspace: Workspace,
    run: Run,
    resolutions: Sequence[Resolution],
    *,
    asked: bool = True,
    placed: frozenset[str] = frozenset(),
    unreachable: dict[str, str] | None = None,
) -> Ingestion:
    """Land the answers of a run, dated by the start of the run: the same answers give the same files.

    Args:
        workspace: Catalogue, areas, corrections and paths.
        run: The run that the answers belong to.
        resolutions: Result of each indicator's chain.
        asked: Whether providers were asked at all.
        placed: Hashes of bodies that an operator put in place. They confirm no figure, because no provider sent them.
        unreachable: Host -> why it could not be reached.
    """
    write_indicators(workspace)
    contexts = Contexts(workspace, run, resolutions)
    with Writers() as writers:
        write = {each.indicator.id: writers.in_order() for each in resolutions}
        done = [_land_answer(workspace, run, each, contexts, write[each.indicator.id]) for each in resolutions]
        figures = pl.concat([empty_observations(), *(one.figures for one in done)])
        sent = pl.concat([empty_observations(), *(one.judged.sent for one in done if one.landed.reason is None)])
        sent = sent.filter(_sent_by_provider(placed))
        confirmed = confirmations.record(workspace.layout, sent, figures, run.started_at, write.__getitem__)
    in_use = figures_in_use(figures)
    results = [_result(workspace, run, one, in_use, confirmed) for one in done]
    write_source_health(workspace, [result.health for result in results])
    return Ingestion(results, unreachable or {}, asked=asked)


@dataclass(frozen=True)
class _LandedAnswer:
    """One indicator's answer after landing, and the figures in use (columns ``OBSERVATION``)."""

    resolution: Resolution
    judged: _Judged
    landed: Landed
    figures: pl.DataFrame


def _land_answer(
    workspace: Workspace, run: Run, resolution: Resolution, contexts: Contexts, write: WriteTable
) -> _LandedAnswer:
    """Check one indicator's answer and land it; without an answer the last vintage stays."""
    indicator, layout = resolution.indicator, workspace.layout
    last = landing.latest(layout, indicator.id)
    current = last.read().select(OBSERVATION.keys()) if last else empty_observations()
    judged = _Judged(resolution.rejects, resolution.rejected_keys)
    landed = Landed(Landing.UNCHANGED, last)
    if resolution.link:
        why_mirrored = _why_no_answer(resolution) if resolution.mirrored and not resolution.link.adds else None
        judged = _judge(resolution, last, current, contexts.of(resolution, last, why_mirrored))
        landed = judged.held_back or landing.land(layout, indicator.id, judged.series, run.started_at, write)
        if landed.status is Landing.NEW:
            current = judged.series
            contexts.replace(indicator.id, current)
    if (logged := pl.concat([judged.rejects, judged.replaced])).height:
        landing.log_rejects(layout, indicator.id, logged, write)
    return _LandedAnswer(resolution, judged, landed, current)


def _result(
    workspace: Workspace,
    run: Run,
    done: _LandedAnswer,
    in_use: Mapping[str, InUse],
    confirmed: Mapping[str, str],
) -> Ingested:
    resolution, judged, landed = done.resolution, done.judged, done.landed
    indicator, stale = resolution.indicator, landed.reason
    figures = in_use.get(indicator.id, InUse())
    fresh_from = resolution.link.provider if resolution.link and not stale else None
    if fresh_from is None and stale is None:
        stale = resolution.why_unasked or _why_no_answer(resolution)
    doubtful = landed.reason is not None or not workspace.areas.known.isdisjoint(judged.gaps["iso3"])
    return Ingested(
        indicator=indicator,
        outcome=resolution.outcome,
        provider_used=fresh_from or figures.provider,
        landed=landed,
        rows=figures.rows,
        rejected=judged.rejects.height,
        reject_reasons=tuple(dict.fromkeys(judged.rejects["reason"]))[:3],
        latest_year=figures.latest_year,
        retrieved_at=run.started_at if fresh_from else figures.retrieved_at,
        stale_reason=stale,
        asked=tuple(resolution.attempts),
        release=figures.release,
        licence=figures.licence or indicator.licence,
        warnings=judged.warnings,
        held_back_bodies=frozenset(resolution.candidates["raw_sha256"]) if doubtful else frozenset(),
        confirmation=confirmed.get(indicator.id) or confirmations.newest(workspace.layout, indicator.id),
    )


@dataclass(frozen=True)
class _Judged:
    """What the gates make of an answer.

    Attributes:
        rejects: Rejected records, columns ``REJECT``.
        gaps: ``iso3`` and ``year`` of records whose last figure stays.
        replaced: The provider's records that a correction changed or dropped, columns ``REJECT``.
        sent: Accepted figures, with those that were corrected or came from an operator.
        series: The figures to land, with those that stay of the last vintage.
        held_back: The result of the landing if nothing is landed, with the reason; else None.
        warnings: What a person should know about figures in use.
    """

    rejects: pl.DataFrame
    gaps: pl.DataFrame
    replaced: pl.DataFrame = field(default_factory=empty_rejects)
    sent: pl.DataFrame = field(default_factory=empty_observations)
    series: pl.DataFrame = field(default_factory=empty_observations)
    held_back: Landed | None = None
    warnings: tuple[str, ...] = ()


def _judge(resolution: Resolution, last: LandedVintage | None, figures: pl.DataFrame, context: Context) -> _Judged:
    """Apply the gates to an answer, given the last vintage and its figures."""
    checked = run_gates(FIGURE_GATES, resolution.candidates, figures, context)
    judged = _Judged(resolution.rejects, resolution.rejected_keys)
    if checked.refused.height:
        judged = _Judged(pl.concat([judged.rejects, checked.rejected]), pl.concat([judged.gaps, checked.rejected_keys]))
    if not checked.held_back:
        judged = replace(
            judged,
            replaced=checked.replaced,
            sent=checked.accepted,
            gaps=pl.concat([judged.gaps, checked.doubted], how="diagonal"),
            warnings=checked.warnings,
        )
        series = with_retained(checked.accepted, judged.gaps, figures)
        series = with_carried_over(series, figures, context.indicator, context.first_year, context.adds)
        is_distinct = context.is_distinct and series.height == checked.accepted.height
        checked = run_gates(SERIES_GATES, series, figures, replace(context, is_distinct=is_distinct))
    if checked.held_back:
        status = Landing.UNCHANGED if checked.gate in (ALL_REJECTED, STALE_MIRROR) else Landing.HELD_BACK
        return replace(judged, held_back=Landed(status, last, reason=checked.held_back), warnings=())
    return replace(judged, series=checked.accepted)


def _sent_by_provider(placed: frozenset[str]) -> pl.Expr:
    """Return which figures a provider sent over the network as they are: only these confirm a figure."""
    return (
        pl.col("figure_origin").ne_missing(FigureOrigin.CORRECTED.value)
        & (pl.col("retrieved_via") != LOCAL_FILE)
        & ~pl.col("raw_sha256").is_in(list(placed))
    )


def _why_no_answer(resolution: Resolution) -> str:
    """Return the reason of each provider of the chain that gave no answer."""
    failed = (a for a in resolution.attempts if a.outcome is not Outcome.OK)
    reasons = "; ".join(f"{a.provider}: {a.reason or a.outcome}" for a in failed)
    return reasons or "the bundled archive is its only source"
