"""From providers to landed vintages: ask, check, land, and say for each indicator what came of it.

Belongs here: the order of the steps for an indicator. Does not belong here: HTTP, formats, Parquet, Dagster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.workspace import Workspace
from sources.catalogue import Indicator
from sources.chain import Attempt, Resolution, resolve
from sources.http import Http
from sources.observation import KEY, OBSERVATION, empty_observations, empty_rejects, utc_now, validate
from sources.provider import Outcome, RawBody, Window
from warehouse import landing, raw
from warehouse.files import write_atomically
from warehouse.landing import Landed, Landing, Vintage

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
}


@dataclass(frozen=True)
class Ingested:
    """What came of one indicator. ``vintage`` is the newest there is now; None where no figure was ever had.

    ``reject_reasons`` are the first few distinct ones of the ``rejected`` records.
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
        """Changes exactly when the figures change."""
        return self.vintage.content_hash if self.vintage else "none"


@dataclass(frozen=True)
class Ingestion:
    """One round of asking. ``unreachable`` maps hosts that could not be reached at all to the reason."""

    results: list[Ingested]
    unreachable: dict[str, str]
    asked: bool


def land_archive(workspace: Workspace) -> None:
    """Land the bundled archive's vintages at their own dates. Costs a hash where this archive is landed already."""
    layout = workspace.layout
    marker = layout.landing / "archive.sha256"
    digest = hashlib.sha256()
    for path in sorted(Path(workspace.archive.directory).glob("*")):
        digest.update(path.name.encode() + path.read_bytes())
    for indicator in workspace.catalogue:
        digest.update(indicator.model_dump_json().encode())
    if marker.exists() and marker.read_text() == digest.hexdigest():
        return
    for indicator in workspace.catalogue:
        for vintage in workspace.archive.vintages(indicator):
            checked = validate(vintage.records, indicator, workspace.areas)
            if checked.accepted.height:
                landing.land_history(layout, indicator.id, checked.accepted, vintage.vintage_at)
            if checked.rejected.height:
                landing.log_rejects(layout, indicator.id, checked.rejected)
        landing.ensure_folder(layout, indicator.id, empty_observations())
    landing.write_table(layout.rejects / "none.parquet", empty_rejects())
    write_atomically(marker, digest.hexdigest().encode())


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
    _write_catalogue(workspace)
    settings = workspace.settings
    resolutions = [Resolution(indicator) for indicator in indicators]
    unreachable: dict[str, str] = {}
    if not offline:
        with Http(tries=settings.http_tries, read_timeout_s=settings.http_timeout_s) as http:
            resolutions, bodies = resolve(
                indicators,
                workspace.catalogue,
                workspace.adapters,
                workspace.areas,
                Window(FIRST_YEAR, utc_now().year),
                http,
                progress,
            )
            unreachable = dict(http.unreachable)
        for body in bodies:
            raw.store(workspace.layout, body.content, _retrieval(body))
    results = [_settle(workspace, r, asked=not offline, accept_shrink=accept_shrink) for r in resolutions]
    _write_health(workspace, results)
    return Ingestion(results, unreachable, asked=not offline)


def _retrieval(body: RawBody) -> dict[str, object]:
    return {
        "provider": body.provider,
        "url": body.url,
        "status": body.status,
        "headers": dict(body.headers),
        "retrieved_at": body.retrieved_at,
        "refused": body.refused,
    }


def _keep_last(candidates: pl.DataFrame, rejected_keys: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Add the last vintage's figure for each country-year whose new record was rejected, marked as kept."""
    kept = (
        last.select(OBSERVATION.keys())
        .join(rejected_keys.unique(), on=["iso3", "year"], how="semi")
        .join(candidates, on=KEY, how="anti")
        .with_columns(obs_status=pl.lit("kept_from_last_vintage"))
    )
    return pl.concat([candidates, kept])


def _settle(workspace: Workspace, resolution: Resolution, *, asked: bool, accept_shrink: bool) -> Ingested:
    """Check and land what the chain brought; where it brought nothing usable, the last good vintage stays."""
    indicator, layout = resolution.indicator, workspace.layout
    last = landing.latest(layout, indicator.id)
    rejects = resolution.rejects
    landed = Landed(Landing.UNCHANGED, last)
    stale: str | None = None
    if resolution.link:
        checked = validate(resolution.candidates, indicator, workspace.areas)
        rejects = pl.concat([rejects, checked.rejected])
        fresh = checked.accepted
        if fresh.height:
            if last:
                keys = pl.concat([resolution.rejected_keys, checked.rejected_keys])
                fresh = _keep_last(fresh, keys, last.read())
            landed = landing.land(layout, indicator.id, fresh, utc_now(), accept_shrink=accept_shrink)
            stale = landed.reason
        else:
            stale = f"{resolution.link.provider}: every record was rejected ({checked.rejected['reason'][0]})"
    if rejects.height:
        landing.log_rejects(layout, indicator.id, rejects)

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
        retrieved_at=utc_now() if fresh_from else current["retrieved_at"].max(),  # type: ignore[arg-type]
        stale_reason=stale,
        asked=tuple(resolution.attempts),
    )


def _why_silent(resolution: Resolution) -> str:
    """Why nobody answered: what each provider of the chain said."""
    return "; ".join(f"{a.provider}: {a.reason or a.outcome}" for a in resolution.attempts) or (
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
    landing.write_table(workspace.layout.indicators, pl.DataFrame(rows, schema_overrides=schema))


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
            }
            for r in results
        ],
        schema=HEALTH,
    )
    path = workspace.layout.source_health
    if path.exists():
        before = pl.read_parquet(path).select(HEALTH.keys())
        others = before.filter(pl.col("indicator_id").is_in(list(workspace.catalogue.indicators)))
        now = pl.concat([now, others.join(now, on="indicator_id", how="anti")])
    landing.write_table(path, now.sort("indicator_id"))
