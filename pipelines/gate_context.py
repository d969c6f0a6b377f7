"""What the quality gates read besides an answer: limits, earlier vintages, other indicators, options of the run.

Belongs here: collecting it from the workspace and the warehouse. Does not belong here: the gates
(``pipelines.quality_gates``), the order of the steps of an ingestion (``pipelines.ingestion``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl

from pipelines.quality_gates import Context, RevisionSize
from pipelines.run_journal import Run
from pipelines.workspace import Workspace
from sources.chain import Resolution
from sources.errors import ConfigurationError
from warehouse import confirmations, landing
from warehouse.landing import LandedVintage

UNKNOWN_AREA = re.compile(r"unknown area ([A-Z]{3})")
"""The reason of a record with a three-letter code that the project does not know."""

OLDER = 5
"""Most earlier vintages that an answer is compared with."""


def context_of(
    workspace: Workspace, run: Run, resolution: Resolution, last: LandedVintage | None, why_mirrored: str | None
) -> Context:
    """Return the context of one indicator's answer.

    Args:
        workspace: Catalogue, areas, corrections and paths.
        run: The run that the answer belongs to.
        resolution: The answer, with the link that gave it.
        last: The last vintage.
        why_mirrored: Why the first provider of the chain did not answer, if another did and must not be older.
    """
    assert resolution.link
    indicator, layout = resolution.indicator, workspace.layout

    def older() -> Sequence[tuple[datetime, pl.DataFrame]]:
        known = [each for each in landing.vintages(layout, indicator.id) if last and each.vintage_at < last.vintage_at]
        return [
            (each.vintage_at, each.read()) for each in known[-1 : -1 - OLDER : -1] if each.vintage_at > landing.NEVER
        ]

    def others() -> Mapping[str, pl.DataFrame]:
        names = (name for name in workspace.catalogue.indicators if name != indicator.id)
        latest = {name: landing.latest(layout, name) for name in names}
        return {name: vintage.read() for name, vintage in latest.items() if vintage}

    return Context(
        indicator=indicator,
        areas=workspace.areas,
        last_year=run.window.last_year + 1,
        corrections=workspace.corrections.of(indicator.id),
        provider=resolution.link.provider,
        why_mirrored=why_mirrored,
        accept_shrink=run.accept_shrink,
        accept_revision=indicator.id in run.accept_revisions,
        size=revision_sizes(workspace.dbt_project).get(indicator.unit, RevisionSize()),
        confirmed_release=confirmations.newest_release(layout, indicator.id),
        first_year=run.window.first_year,
        adds=resolution.link.adds,
        rejected_areas=frozenset(resolution.rejected_keys["iso3"]),
        unknown_areas=_unknown_areas(resolution.rejects["reason"]),
        older=older,
        others=others,
    )


def _unknown_areas(reasons: pl.Series) -> tuple[str, ...]:
    found = (UNKNOWN_AREA.fullmatch(reason) for reason in reasons.drop_nulls().unique().sort())
    return tuple(match[1] for match in found if match)


@cache
def revision_sizes(dbt_project: Path) -> Mapping[str, RevisionSize]:
    """Return the limits of a revision by unit, from the seed ``revision_sizes``.

    Raises:
        ConfigurationError: The seed cannot be read.
    """
    path = dbt_project / "seeds" / "revision_sizes.csv"
    limits = {"rounding": pl.Float64, "large": pl.Float64}
    try:
        rows = pl.read_csv(path, schema_overrides=limits).select("unit", "basis", "rounding", "large").rows()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    return {unit: RevisionSize(basis == "relative", rounding, large) for unit, basis, rounding, large in rows}
