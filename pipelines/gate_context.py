"""What the quality gates read besides an answer: limits, earlier vintages, other indicators, options of the run.

Belongs here: collecting it from the workspace and the warehouse. Does not belong here: the gates
(``pipelines.quality_gates``), the order of the steps of an ingestion (``pipelines.ingestion``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property, partial
from pathlib import Path

import polars as pl

from pipelines.quality_gates import Context, RevisionSize
from pipelines.quality_gates.places import akin, figures_of, repeated
from pipelines.run_journal import Run
from pipelines.workspace import Workspace
from sources.chain import Resolution
from sources.errors import ConfigurationError
from sources.observation import KEY, empty_observations, sound_indicators
from warehouse import confirmations, landing
from warehouse.landing import LandedVintage

UNKNOWN_AREA = re.compile(r"unknown area ([A-Z]{3})")
"""The reason of a record with a three-letter code that the project does not know."""

OLDER = 5
"""Most earlier vintages that an answer is compared with."""


class Contexts:
    """The contexts of one run: what its answers have in common is found once.

    Args:
        workspace: Catalogue, areas, corrections and paths.
        run: The run that the answers belong to.
        resolutions: All answers.
    """

    def __init__(self, workspace: Workspace, run: Run, resolutions: Sequence[Resolution]) -> None:
        self._workspace, self._run, self._last_year = workspace, run, run.window.last_year + 1
        self._series: dict[str, pl.DataFrame] = {}
        answers = [(each.indicator, each.candidates) for each in resolutions]
        self._sound = sound_indicators(answers, workspace.areas.known, self._last_year)
        self._sent = pl.concat([empty_observations(), *(rows for _, rows in answers)]).select(*KEY, "value")
        self._distinct = self._sound - set(self._sent.filter(pl.struct(KEY).is_duplicated())["indicator_id"])

    def replace(self, indicator_id: str, series: pl.DataFrame) -> None:
        """Take the figures of a newer vintage of an indicator."""
        self._series[indicator_id] = series.select(*KEY, "value")

    def _last(self, indicator_id: str) -> pl.DataFrame:
        """Return the figures of an indicator's last vintage."""
        if indicator_id not in self._series:
            vintage = landing.latest(self._workspace.layout, indicator_id)
            self.replace(indicator_id, vintage.read() if vintage else empty_observations())
        return self._series[indicator_id]

    @cached_property
    def _repeated(self) -> pl.DataFrame:
        """Return the figures that several indicators have, in their answers or last vintages."""
        return repeated(figures_of(pl.concat([self._sent, *map(self._last, self._workspace.catalogue.indicators)])))

    def _others(self, indicator_id: str) -> pl.DataFrame:
        """Return the figures of the other indicators that an answer may have, see ``Context.others``.

        A series in use has figures of the answer or of the last vintage, and corrected ones, which are not looked for.
        """
        names, corrected = {*self._workspace.catalogue.indicators}, {*self._workspace.corrections.by_indicator}
        if indicator_id not in corrected:
            names &= akin(indicator_id, self._repeated) | corrected
        parts = [self._last(name) for name in sorted(names - {indicator_id})]
        return figures_of(pl.concat(parts)) if parts else pl.DataFrame()

    def of(self, resolution: Resolution, last: LandedVintage | None, why_mirrored: str | None) -> Context:
        """Return the context of one indicator's answer.

        Args:
            resolution: The answer, with the link that gave it.
            last: The last vintage.
            why_mirrored: Why the first provider of the chain did not answer, if another did and must not be older.
        """
        assert resolution.link
        workspace, run = self._workspace, self._run
        indicator, layout = resolution.indicator, workspace.layout

        def older() -> Sequence[tuple[datetime, pl.DataFrame]]:
            known = landing.vintages(layout, indicator.id)
            known = [each for each in known if last and landing.NEVER < each.vintage_at < last.vintage_at]
            return [(each.vintage_at, each.read()) for each in known[-1 : -1 - OLDER : -1]]

        return Context(
            indicator=indicator,
            areas=workspace.areas,
            last_year=self._last_year,
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
            is_sound=indicator.id in self._sound,
            is_distinct=indicator.id in self._distinct,
            older=older,
            others=partial(self._others, indicator.id),
        )


def _unknown_areas(reasons: pl.Series) -> tuple[str, ...]:
    found = (UNKNOWN_AREA.fullmatch(reason) for reason in sorted(set(reasons) - {None}))
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
