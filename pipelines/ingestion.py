"""From providers to landed vintages: ask, check, land, and say for each indicator what came of it.

Belongs here: the order of the steps for an indicator. Does not belong here: HTTP, formats, Parquet, Dagster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines import run_journal as recording
from pipelines.run_journal import Run
from pipelines.workspace import LOCAL_FILE, Workspace
from sources import corrections
from sources.catalogue import ARCHIVE, Indicator
from sources.chain import Attempt, Resolution, resolve
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.http.conditional import RunHttp, placed_bodies
from sources.mirrors import stale_mirror
from sources.observation import (
    KEY,
    OBSERVATION,
    FigureOrigin,
    as_rejects,
    empty_observations,
    empty_rejects,
    from_older_vintage,
    utc_now,
    validate,
)
from sources.provider import Outcome, RawBody, Window
from sources.refusals import RefusedCode, RefusedCodes
from warehouse import confirmations, landing, raw, refused_codes
from warehouse.files import write_atomically, write_table
from warehouse.landing import Landed, Landing, Vintage
from warehouse.layout import Layout

FIRST_YEAR = 2010
"""First year asked of providers: the scorecard's history begins in 2015 and its baselines in 2018."""

HEALTH: dict[str, pl.DataType] = {
    "indicator_id": pl.String(),
    "provider_requested": pl.String(),
    "provider_used": pl.String(),
    "outcome": pl.String(),
    "latest_year": pl.Int32(),
    "retrieved_at": pl.Datetime("us"),
    "stale_reason": pl.String(),
    "attempts": pl.String(),
    "provider_code": pl.String(),
    "provider_release": pl.String(),
    "last_change_at": pl.Datetime("us"),
    "licence": pl.String(),
}
"""``provider_code`` is that of the first link; release, last change and licence are those of the vintage in use."""


@dataclass(frozen=True)
class Ingested:
    """What came of one indicator. ``vintage`` is the newest there is now; None where no figure was ever had.

    ``reject_reasons`` are the first few distinct ones of the ``rejected`` records; ``doubted`` are the bodies (sha256)
    that had to be held back, or that have no figure where there should be one; ``confirmation`` is the hash of the
    newest confirmation of the figures, None where no live answer was ever accepted.
    """

    indicator: Indicator
    outcome: Outcome
    provider_used: str | None
    landed: Landed
    rows: int
    rejected: int
    reject_reasons: tuple[str, ...]
    latest_year: int | None
    retrieved_at: datetime | None
    stale_reason: str | None
    asked: tuple[Attempt, ...]
    release: str | None
    licence: str
    doubted: frozenset[str]
    confirmation: str | None

    @property
    def attempts(self) -> str:
        """Who was asked, in order, and what each said, in one line."""
        told = (
            f"{a.provider} {a.provider_code}: {a.outcome}" + (f" ({a.reason})" if a.reason else "") for a in self.asked
        )
        return "; ".join(told) or "none"

    @property
    def vintage(self) -> Vintage | None:
        return self.landed.vintage

    @property
    def data_version(self) -> str:
        """Returns a name that changes exactly when the figures change, or the answer that confirms them."""
        figures = self.vintage.content_hash if self.vintage else "none"
        return f"{figures}-{self.confirmation}" if self.confirmation else figures


@dataclass(frozen=True)
class Ingestion:
    """One round of asking. ``unreachable`` maps hosts that could not be reached at all to the reason."""

    results: list[Ingested]
    unreachable: dict[str, str]
    asked: bool


def land_archive(workspace: Workspace) -> None:
    """Land the bundled archive's vintages at their own dates. Costs a hash where this archive is landed already."""
    layout = workspace.layout
    landing.write_columns(layout, empty_observations())
    confirmations.prepare(layout)
    marker = layout.landing / "archive.sha256"
    digest = hashlib.sha256()
    for path in sorted(Path(workspace.archive.directory).glob("*")):
        digest.update(path.name.encode() + path.read_bytes())
    for indicator in workspace.catalogue:
        digest.update(indicator.model_dump_json().encode())
    digest.update(workspace.corrections.text)
    if marker.exists() and marker.read_text() == digest.hexdigest():
        return
    for indicator in workspace.catalogue:
        _land_history(workspace, indicator)
    write_table(layout.rejects / "none.parquet", empty_rejects())
    write_atomically(marker, digest.hexdigest().encode())


def _land_history(workspace: Workspace, indicator: Indicator) -> None:
    """Land an indicator's archived vintages, corrected where a correction fits: older ones need not have the fault.

    Raises ConfigurationError for a correction that fits none of them where they are all there is.
    """
    layout, own = workspace.layout, workspace.corrections.of(indicator.id)
    unused = {located.correction.id: located.where for located in own}
    for vintage in workspace.archive.vintages(indicator):
        checked = validate(vintage.records, indicator, workspace.areas)
        corrected = corrections.apply(checked.accepted, indicator, own)
        unused = {name: where for name, where in unused.items() if name in corrected.misfits}
        if corrected.observations.height:
            landing.land_history(layout, indicator.id, corrected.observations, vintage.vintage_at)
        if (rejects := pl.concat([checked.rejected, corrected.originals])).height:
            landing.log_rejects(layout, indicator.id, rejects)
    if unused and all(link.provider == ARCHIVE for link in indicator.chain):
        raise ConfigurationError(f"{next(iter(unused.values()))}: no archived figure of {indicator.id} fits it")
    landing.ensure_folder(layout, indicator.id, empty_observations())


def ingest(
    workspace: Workspace,
    indicators: Sequence[Indicator],
    *,
    offline: bool,
    accept_shrink: bool = False,
    progress: Callable[[str], None] = lambda provider: None,
) -> Ingestion:
    """Refresh the given indicators and always return one result for each: fresh, unchanged or carried forward."""
    land_archive(workspace)
    now, settings, layout = utc_now(), workspace.settings, workspace.layout
    ids = tuple(indicator.id for indicator in indicators)
    run = Run(now, ids, Window(FIRST_YEAR, now.year), accept_shrink, _refused_codes(layout))
    if offline:
        return land(workspace, run, [Resolution(indicator) for indicator in indicators], asked=False)
    with RunHttp(
        tries=settings.http_tries,
        read_timeout_s=settings.http_timeout_s,
        user_agent=settings.agent,
        folder=layout.raw,
        cache=raw.StoredResponses(layout),
        local_files=settings.local_files or layout.local_files,
        refused=RefusedCodes(run.refused_codes),
    ) as http:
        resolutions, bodies = ask(workspace, run, http, progress)
        recording.keep(layout, run, http.exchanges, bodies)
        refused_codes.write(layout, [asdict(one) for one in http.refused.all()])
        placed = placed_bodies(http.exchanges)
        ingestion = land(workspace, run, resolutions, placed=placed, unreachable=dict(http.unreachable))
        recording.forget(layout, http.exchanges, frozenset().union(*(one.doubted for one in ingestion.results)))
        return ingestion


def _refused_codes(layout: Layout) -> tuple[RefusedCode, ...]:
    return tuple(RefusedCode(**one) for one in refused_codes.read(layout))


def ask(
    workspace: Workspace, run: Run, http: Http, progress: Callable[[str], None] = lambda provider: None
) -> tuple[list[Resolution], list[RawBody]]:
    """Ask every provider of a run's indicators, over the network or from a record: ``http`` decides."""
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
    """Lands what a run brought, dated by the run's beginning: the same answers give the same files.

    Args:
        workspace: Catalogue, areas, corrections and paths.
        run: The run that the answers are of.
        resolutions: What came of each indicator's chain.
        asked: Whether providers were asked at all.
        placed: Hashes of bodies that an operator put in place: they confirm no figure, since no provider sent them.
        unreachable: Host -> why it could not be reached.

    Returns:
        One result per indicator.
    """
    _write_catalogue(workspace)
    results = [_settle(workspace, run, resolution, asked=asked, placed=placed) for resolution in resolutions]
    _write_health(workspace, results)
    return Ingestion(results, unreachable or {}, asked=asked)


def _keep_last(candidates: pl.DataFrame, rejected_keys: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Returns the candidates with the last vintage's figure for each country-year whose new record was rejected."""
    kept = (
        last.select(OBSERVATION.keys())
        .join(rejected_keys.unique(), on=["iso3", "year"], how="semi")
        .join(candidates, on=KEY, how="anti")
    )
    return pl.concat([candidates, from_older_vintage(kept, FigureOrigin.RETAINED)])


def _with_older_years(fresh: pl.DataFrame, last: pl.DataFrame, indicator: Indicator, first_year: int) -> pl.DataFrame:
    """Returns the figures with those of the last vintage that the answer cannot take back.

    These are the years before ``first_year``, which were not asked for, and of an index the editions that the provider
    does not serve (any longer) although it serves a newer one: an edition is published once, and its file may be gone.
    """
    kept = pl.col("year") < first_year
    if indicator.edition_index:
        kept |= ~pl.col("year").is_in(fresh["year"].implode()) & (pl.col("year") < fresh["year"].max())
    older = last.select(OBSERVATION.keys()).filter(kept).join(fresh, on=KEY, how="anti")
    return pl.concat([fresh, from_older_vintage(older, FigureOrigin.CARRIED_OVER)])


def _without_moved_points(fresh: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The observations without those whose point moved, and those, each with its ``reason``."""
    moved = landing.moved_points(fresh, known)
    said = pl.format("the value {} is the last vintage's {} with its point moved: another unit", "value", "value_last")
    reasons = moved.select("iso3", "year", reason=said)
    by = ["iso3", "year"]
    return fresh.join(moved, on=by, how="anti"), fresh.join(reasons, on=by)


def _settle(workspace: Workspace, run: Run, resolution: Resolution, *, asked: bool, placed: frozenset[str]) -> Ingested:
    """Check and land what the chain brought; where it brought nothing usable, the last good vintage stays."""
    indicator, layout = resolution.indicator, workspace.layout
    last = landing.latest(layout, indicator.id)
    rejects, originals = resolution.rejects, empty_rejects()
    landed = Landed(Landing.UNCHANGED, last)
    stale: str | None = None
    gaps = resolution.rejected_keys
    if resolution.link:
        checked = validate(resolution.candidates, indicator, workspace.areas, run.window.last_year + 1)
        rejects, gaps = pl.concat([rejects, checked.rejected]), pl.concat([gaps, checked.rejected_keys])
        corrected = corrections.apply(checked.accepted, indicator, workspace.corrections.of(indicator.id))
        fresh, known = corrected.observations, last.read() if last else None
        if fresh.is_empty():
            stale = f"{resolution.link.provider}: every record was rejected ({_first_reason(checked.rejected)})"
        elif corrected.misfits:
            stale = "; ".join(corrected.misfits.values())
            landed = Landed(Landing.HELD_BACK, last, reason=stale)
        elif (
            known is not None and resolution.mirrored and (stale := _older_mirror(workspace, resolution, fresh, known))
        ):
            landed = Landed(Landing.UNCHANGED, last, reason=stale)
        else:
            originals = corrected.originals
            as_sent = fresh.filter(
                pl.col("figure_origin").ne_missing(FigureOrigin.CORRECTED.value),
                pl.col("retrieved_via") != LOCAL_FILE,
                ~pl.col("raw_sha256").is_in(list(placed)),
            )
            if known is not None:
                fresh, moved = _without_moved_points(fresh, known.clear() if run.accept_shrink else known)
                rejects = pl.concat([rejects, as_rejects(moved)])
                gaps = pl.concat([gaps, moved.select("iso3", "year")])
                fresh = _keep_last(fresh, gaps, known)
                fresh = _with_older_years(fresh, known, indicator, run.window.first_year)
            landed = landing.land(
                layout,
                indicator.id,
                fresh,
                run.started_at,
                members=workspace.areas.members,
                accept_shrink=run.accept_shrink,
            )
            stale = landed.reason
            if landed.vintage and not stale:
                confirmations.record(layout, indicator.id, as_sent, landed.vintage.read(), run.started_at)
    if (refused := pl.concat([rejects, originals])).height:
        landing.log_rejects(layout, indicator.id, refused)

    doubtful = stale is not None or gaps["iso3"].is_in(sorted(workspace.areas.known)).any()
    current = landed.vintage.read() if landed.vintage else empty_observations()
    fresh_from = resolution.link.provider if resolution.link and not stale else None
    if fresh_from is None and stale is None:
        stale = _why_silent(resolution) if asked else "offline: no provider was asked"
    via = str(current["retrieved_via"].mode().sort().first()) if current.height else None
    return Ingested(
        indicator=indicator,
        outcome=resolution.outcome,
        provider_used=fresh_from or via,
        landed=landed,
        rows=current.height,
        rejected=rejects.height,
        reject_reasons=tuple(rejects["reason"].unique(maintain_order=True).head(3)),
        latest_year=current["year"].max(),  # type: ignore[arg-type]
        retrieved_at=run.started_at if fresh_from else current["retrieved_at"].max(),  # type: ignore[arg-type]
        stale_reason=stale,
        asked=tuple(resolution.attempts),
        release=_newest_release(current),
        licence=indicator.licence if current.is_empty() else str(current["licence"].mode().sort().first()),
        doubted=frozenset(resolution.candidates["raw_sha256"]) if doubtful else frozenset(),
        confirmation=confirmations.newest(layout, indicator.id),
    )


def _newest_release(figures: pl.DataFrame) -> str | None:
    """Returns the release of the newest figure: of the latest year, and of several releases the one received last."""
    newest = figures.filter(pl.col("year") == pl.col("year").max(), pl.col("provider_release").is_not_null())
    releases = newest.sort("retrieved_at", "provider_release")["provider_release"].to_list()
    return releases[-1] if releases else None


def _first_reason(rejected: pl.DataFrame) -> str:
    return str(rejected["reason"][0]) if rejected.height else "dropped by a correction"


def _older_mirror(workspace: Workspace, resolution: Resolution, fresh: pl.DataFrame, known: pl.DataFrame) -> str | None:
    """Why a mirror's answer is not used, and why the primary gave none; None where it may be used."""
    assert resolution.link
    fault = stale_mirror(resolution.link.provider, fresh, known, workspace.areas.members)
    return f"{fault}; {_why_silent(resolution)}" if fault else None


def _why_silent(resolution: Resolution) -> str:
    """Why nobody answered: what each provider of the chain said that did not."""
    silent = (a for a in resolution.attempts if a.outcome is not Outcome.OK)
    return "; ".join(f"{a.provider}: {a.reason or a.outcome}" for a in silent) or (
        "the bundled archive is its only source"
    )


def _write_catalogue(workspace: Workspace) -> None:
    rows = [
        {
            "indicator_id": i.id,
            "title": i.title,
            "unit": i.unit,
            "direction": i.direction.value,
            "definition": i.definition,
            "population_base": i.population_base,
            "licence": i.licence,
            "origin": i.origin,
            "max_age_years": i.max_age_years,
            "shape": i.shape,
            "valid_min": i.valid_range.min,
            "valid_max": i.valid_range.max,
            "edition_index": i.edition_index,
            "note": i.note,
            "provider_chain": " > ".join(f"{link.provider} {link.provider_code}".strip() for link in i.chain),
        }
        for i in workspace.catalogue
    ]
    schema = {"max_age_years": pl.Int32, "valid_min": pl.Float64, "valid_max": pl.Float64, "note": pl.String}
    write_table(workspace.layout.indicators, pl.DataFrame(rows, schema_overrides=schema))


def _write_health(workspace: Workspace, results: Sequence[Ingested]) -> None:
    """Replace the rows of the indicators that were refreshed; keep the others of the catalogue."""
    now = pl.DataFrame(
        [
            {
                "indicator_id": r.indicator.id,
                "provider_requested": r.indicator.chain[0].provider,
                "provider_used": r.provider_used,
                "outcome": r.outcome.value,
                "latest_year": r.latest_year,
                "retrieved_at": r.retrieved_at,
                "stale_reason": r.stale_reason,
                "attempts": r.attempts,
                "provider_code": r.indicator.chain[0].provider_code,
                "provider_release": r.release,
                "last_change_at": r.vintage.vintage_at if r.vintage else None,
                "licence": r.licence,
            }
            for r in results
        ],
        schema=HEALTH,
    )
    path = workspace.layout.source_health
    if path.exists():
        others = pl.read_parquet(path).filter(pl.col("indicator_id").is_in(list(workspace.catalogue.indicators)))
        others = others.join(now, on="indicator_id", how="anti")
        now = pl.concat([now, others], how="diagonal").select(HEALTH.keys())
    write_table(path, now.sort("indicator_id"))
