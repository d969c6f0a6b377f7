"""Score a member of the published scorecard with changed figures, and find the value that reaches a rank.

Belongs here: the inputs of such a scoring, made from the published file. Does not belong here: printing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from pipelines.scoring.models import Models
from sources.errors import ConfigurationError
from sources.hidden_packages import without_hidden_packages
from warehouse.reading import open_published, quoted, readable, records_of

TABLES = ("indicator_scores", "pillar_scores", "scorecard")
STEPS, ROUNDS = 64, 5
"""Values tried in a round, and rounds: the answer is within 1e-9 of the distance between floor and target."""

Row = dict[str, Any]


class WhatIf:
    """One framework of the published file, for scoring with other figures of one of its members.

    Args:
        published: The published file.
        models: The models up to ``TABLES``.
        framework: The framework to score.
        iso3: The member whose figures change.
        is_current: Whether the published scores are those of ``models``; otherwise they are computed once more.
    """

    def __init__(self, published: Path, models: Models, framework: str, iso3: str, is_current: bool = False):
        self._models, self._framework, self._iso3 = models, framework, iso3
        open_published(published).close()
        published = readable(published)
        self._connection = duckdb.connect(":memory:")
        models.prepare(self._connection)
        self._connection.execute(f"attach '{quoted(published)}' as published (read_only)")
        members = [str(code) for (code,) in self._sql(
            "select iso3 from published.scorecard where framework_id = ? order by 1", framework
        )]  # fmt: skip
        if iso3 not in members:
            raise ConfigurationError(f"{iso3}: is not scored by {framework}; known are {', '.join(members)}")
        self._copy_inputs()
        if not is_current:
            models.run(self._connection)
        for table in TABLES:
            source = "published" if is_current else "build.main"
            self._sql(
                f"create temp table {table}_before as from {source}.{table} where framework_id = ?", self._framework
            )
        self.before = self._result("_before")
        self._years = self._scored_years()

    def _sql(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with without_hidden_packages():
            return self._connection.execute(sql, list(parameters)).fetchall()

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Return the rows of a query on the tables of the last scoring."""
        with without_hidden_packages():
            return records_of(self._connection.execute(sql, list(parameters)))

    def _copy_inputs(self) -> None:
        """Copy the framework and the figures of its indicators.

        All economies are copied: a rank scenario compares a figure with those of the world.
        """
        self._sql(
            """
            create temp table needed as
            select indicator_id from published.framework_indicators where framework_id = $1
            union all
            select other_indicator_id from published.origin_pairs semi join published.framework_indicators as places
            on origin_pairs.indicator_id = places.indicator_id and places.framework_id = $1
            """,
            self._framework,
        )
        for name in sorted(self._models.inputs - {"run"}):
            columns = [row[0] for row in self._sql(f"describe published.{name}")]
            own = "where framework_id is null or framework_id = $1" if "framework_id" in columns else ""
            if name == "observations":
                own = "where indicator_id in (from needed)"
            self._sql(
                f"create table {name} as from published.{name} {own}", *([self._framework] if "$1" in own else [])
            )
        self._sql("create table run as select as_of from published.publication")
        # only the year of the run is shown
        self._sql("update frameworks set history_from = (select year(as_of) from run)")
        self._sql(
            "update scoring_parameters set value = (select year(as_of) from run) where parameter = 'history_from'"
        )

    def _result(self, suffix: str = "") -> Row:
        """Return the member's rows of the scores, or with the suffix those of the scores before."""
        indicators, pillars, overall = (
            self.rows(f"from {table}{suffix} where iso3 = ?", self._iso3) for table in TABLES
        )
        return {
            "overall": overall[0],
            "pillars": {row["pillar_id"]: row for row in pillars},
            "indicators": {row["indicator_id"]: row for row in indicators},
        }

    def check(self, changes: Mapping[str, float | None]) -> None:
        """Raise ConfigurationError for an indicator or a value that the framework cannot have."""
        known = self.before["indicators"]
        for indicator_id, value in changes.items():
            if indicator_id not in known:
                near = get_close_matches(indicator_id, known, n=3, cutoff=0.5)
                hint = f"; similar are {', '.join(near)}" if near else "; `carec indicators` lists them"
                raise ConfigurationError(f"{indicator_id}: is no indicator of {self._framework}{hint}")
            ((low, high),) = self._sql(
                "select valid_min, valid_max from indicators where indicator_id = ?", indicator_id
            )
            low, high = -math.inf if low is None else low, math.inf if high is None else high
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise ConfigurationError(f"{indicator_id}: {value:g} is not from {low:g} to {high:g}")

    def year_of(self, indicator_id: str) -> int:
        """Return the year that a changed figure replaces: that of the scored figure, else the as-of year.

        An index of editions has goalposts of one edition: the figure belongs to that edition.
        """
        return self._years[indicator_id]

    def _scored_years(self) -> dict[str, int]:
        """Return ``year_of`` of every indicator."""
        rows = self._sql(
            """
            select s.indicator_id, s.latest_year, s.status_reason = 'stale',
                   case when i.edition_index then b.baseline_year end, s.as_of_year
            from indicator_scores_before as s join indicators as i on s.indicator_id = i.indicator_id
            left join benchmarks as b on s.indicator_id = b.indicator_id
            where s.iso3 = ?
            """,
            self._iso3,
        )
        return {
            indicator_id: int(edition or (as_of if latest is None or stale else latest))
            for indicator_id, latest, stale, edition, as_of in rows
        }

    def score(self, values: Mapping[str, float]) -> Row:
        """Return the rows of the member with changed figures; the figures are in place before they are scored."""
        years = {indicator_id: self.year_of(indicator_id) for indicator_id in values}
        self._sql("create or replace temp table kept as from observations")
        for indicator_id, value in values.items():
            self._put(self._iso3, indicator_id, years[indicator_id], value)
        self._models.run(self._connection)
        result = self._result()
        self._sql("create or replace table observations as from kept")
        return result

    def _put(self, iso3: str, indicator_id: str, year: int, value: float) -> None:
        place = [iso3, indicator_id, year]
        self._sql("delete from observations where iso3 = ? and indicator_id = ? and year = ?", *place)
        self._sql("insert into observations (iso3, indicator_id, year, value) values (?, ?, ?, ?)", *place, value)

    def value_for_rank(
        self, indicator_id: str, rank: int, values: Mapping[str, float], overall: Models
    ) -> tuple[float | None, str | None]:
        """Return the value of one indicator with which the member has the rank, the nearest one to the floor.

        The values between floor and target are those of copies of the member, scored together.

        Args:
            indicator_id: The indicator whose value is searched.
            rank: The rank to reach.
            values: Other changed figures.
            overall: The models up to the overall score.

        Returns:
            The value, or None with a reason: ``no_benchmark``, ``not_enough`` (the target gives too low a score),
            ``always`` (the floor reaches the rank too), ``too_few_ranked``.
        """
        goals = self._sql("select floor_value, target_value from benchmarks where indicator_id = ?", indicator_id)
        if not goals:
            return None, "no_benchmark"
        others = self._sql(
            "select round(overall_score, ?) from scorecard_before where iso3 <> ? and overall_score is not null"
            " order by 1 desc",
            self._digits(),
            self._iso3,
        )
        if rank > len(others) + 1:
            return None, "too_few_ranked"
        needed = others[rank - 1][0] if rank <= len(others) else -math.inf
        year = self.year_of(indicator_id)
        years = {other: self.year_of(other) for other in values}
        low, high = goals[0]
        for number in range(ROUNDS):
            tried = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
            scores = self._of_copies(indicator_id, year, tried, {o: (years[o], v) for o, v in values.items()}, overall)
            reached = [step for step, score in enumerate(scores) if score is not None and score >= needed]
            if not reached:
                return None, "not_enough"
            if reached[0] == 0:
                return (None, "always") if number == 0 else (tried[0], None)
            low, high = tried[reached[0] - 1], tried[reached[0]]
        return high, None

    def _digits(self) -> int:
        """Return the digits to which scores are rounded before they are ranked."""
        stated = self._sql("select rank_digits from frameworks where rank_digits is not null")
        return int(stated[0][0]) if stated else 9

    def _of_copies(
        self,
        indicator_id: str,
        year: int,
        tried: list[float],
        others: Mapping[str, tuple[int, float]],
        overall: Models,
    ) -> list[float | None]:
        """Return the overall score for each value of the indicator."""
        tables = [name for name in ("economies", "observations", "series_breaks") if name in overall.inputs]
        for table in tables:
            self._sql(f"create or replace temp table kept_{table} as from {table}")
        for other, (its_year, value) in others.items():
            self._put(self._iso3, other, its_year, value)
        self._put(self._iso3, indicator_id, year, tried[0])
        for table in tables:
            self._sql(
                f"create or replace table {table} as"
                f" select * from {table} where iso3 is null union all by name"
                f" select t.* replace (t.iso3 || '~' || n as iso3) from {table} as t, range({len(tried)}) as r(n)"
                f" where t.iso3 = ?",
                self._iso3,
            )
        self._sql(
            "create or replace temp table tried as select unnest(?::double[]) as value, unnest(?) as n",
            tried,
            [*range(len(tried))],
        )
        self._sql(
            "update observations set value = tried.value from tried"
            " where iso3 = ? || '~' || tried.n and indicator_id = ? and year = ?",
            self._iso3,
            indicator_id,
            year,
        )
        overall.run(self._connection)
        scores = dict(self._sql("select iso3, round(score, ?) from intermediate.int_overall_scores", self._digits()))
        for table in tables:
            self._sql(f"create or replace table {table} as from kept_{table}")
        return [scores.get(f"{self._iso3}~{n}") for n in range(len(tried))]
