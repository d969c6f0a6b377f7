"""The lists of codes of an SDMX export.

Belongs here: codes and their names, from the published file, from the standard, or fixed. Does not belong here: which
component uses a list (``components``), structure messages (``structures``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import duckdb

from warehouse.export.rights import Attribution
from warehouse.export.sdmx.components import AGENCY, VERSION
from warehouse.export.sdmx.queries import OWN

STANDARD = "SDMX"
"""Agency of the lists that are the standard's; an export has those of their codes that can occur."""


@dataclass(frozen=True)
class CodeEntry:
    """A code, its name and, where the published file has one, its definition."""

    id: str
    name: str
    description: str | None = None


@dataclass(frozen=True)
class CodeTable:
    """A list of codes. ``version`` is the standard's for its own lists."""

    id: str
    name: str
    codes: tuple[CodeEntry, ...]
    agency: str = AGENCY
    version: str = VERSION
    names: dict[str, str] = field(init=False, compare=False)
    """Code -> name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", {code.id: code.name for code in self.codes})


OBS_STATUS = {
    "A": "Normal value",
    "B": "Time series break",
    "D": "Definition differs",
    "E": "Estimated value",
    "F": "Forecast value",
    "G": "Experimental value",
    "I": "Imputed value",
    "M": "Missing value; data cannot exist",
    "N": "Not significant",
    "O": "Missing value",
    "P": "Provisional value",
    "Q": "Missing value; suppressed",
    "U": "Low reliability",
}
"""Codes of the standard list that can occur."""
_CONF_STATUS = {"F": "Free (free for publication)", "N": "Not for publication, restricted for internal use only"}
_SUBJECT_TYPES = {"overall": "Overall score", "pillar": "Pillar", "subtheme": "Sub-theme", "indicator": "Indicator"}
_MEASURES = {
    "score": "Score, 0 to 100",
    "coverage": "Share of the weight that has data",
    "rank": "Rank among the economies of the framework; ties share a rank",
    "rank_p05": "Rank, 5th percentile over the scenarios",
    "rank_median": "Rank, median over the scenarios",
    "rank_p95": "Rank, 95th percentile over the scenarios",
    "attainment": "Share of the way from baseline to target",
    "due": "Share of the time from baseline to target year that has passed",
    "ahead_behind": "Attainment minus due",
    "pace_ratio": "Observed annual change divided by required annual change",
    "probability_of_target": "Share of past projections whose error would reach the target",
    "probability_of_pace_target": "Share of past projections whose error would reach the pace target",
    "points_lost": "Points of the overall score lost through the indicator",
    "imputed_score": "Overall score that an economy without one would have; a sensitivity, not a score",
    "imputed_low": "Imputed score, lower end of its interval",
    "imputed_high": "Imputed score, upper end of its interval",
    "path_value": "Value on the straight path from baseline to target",
    "distance_to_path": "Distance from the path to the observation; negative is behind",
    "projection": "Projection of the observed pace",
    "projection_low": "Projection, lower end of its interval",
    "projection_high": "Projection, upper end of its interval",
}
_UNITS = {"points": "points, 0 to 100", "share": "share, 1 is the whole"}
"""Units of results; names of the other units are arguments."""
_WITHHELD = {"licence": "The licence of the figure does not allow passing it on, or is not known"}


def load_codelists(
    connection: duckdb.DuckDBPyConnection,
    attributions: Iterable[Attribution],
    units: Mapping[str, str],
    reasons: Mapping[str, str],
) -> dict[str, CodeTable]:
    """Return the lists by their ids.

    Args:
        connection: The published file.
        attributions: Providers, whose titles are names of codes.
        units: Unit -> its name.
        reasons: Code of a reason -> its sentence.
    """

    def rows(sql: str) -> tuple[CodeEntry, ...]:
        return tuple(CodeEntry(*row) for row in connection.execute(sql).fetchall())

    titles = {OWN: "CAREC Digital Scorecard"} | {one.provider: one.title for one in attributions}
    used_units = [row[0] for row in connection.execute("select distinct unit from indicators order by 1").fetchall()]
    subjects = """
        select id, min_by(title, place), min_by(definition, place)
        from (
            select 'overall' as id, 'Overall' as title, null as definition, 0 as place
            union all select pillar_id, title, null, 1 from pillars
            union all select subtheme_id, title, null, 2 from subthemes
            union all select indicator_id, title, definition, 3 from indicators
        )
        group by id order by min(place), id
    """
    known = _WITHHELD | dict(reasons)
    found = (
        CodeTable("CL_FREQ", "Frequency", (CodeEntry("A", "Annual"),), STANDARD, "2.1"),
        CodeTable("CL_OBS_STATUS", "Observation status", _entries(OBS_STATUS), STANDARD, "2.2"),
        CodeTable("CL_CONF_STATUS", "Confidentiality status", _entries(_CONF_STATUS), STANDARD, "1.3"),
        CodeTable("CL_REF_AREA", "Reference areas", rows("select iso3, name from economies order by 1")),
        CodeTable(
            "CL_INDICATOR", "Indicators", rows("select indicator_id, title, definition from indicators order by 1")
        ),
        CodeTable(
            "CL_UNIT_MEASURE",
            "Units of measure",
            _entries(
                {unit: units.get(unit, unit) for unit in used_units} | {"rank": units.get("rank", "rank")} | _UNITS
            ),
        ),
        CodeTable("CL_FRAMEWORK", "Frameworks", rows("select framework_id, title from frameworks order by 1")),
        CodeTable("CL_SUBJECT_TYPE", "Kinds of subjects", _entries(_SUBJECT_TYPES)),
        CodeTable("CL_SUBJECT", "Subjects of scores and trajectories", rows(subjects)),
        CodeTable("CL_MEASURE", "Measures", _entries(_MEASURES)),
        CodeTable(
            "CL_PROGRESS_STATUS",
            "Statuses of progress",
            rows("select status, title, note from status_thresholds order by 1"),
        ),
        CodeTable("CL_MISSING_REASON", "Reasons of missing values", _entries(known)),
        CodeTable("CL_PROVIDER", "Providers", _entries(titles)),
    )
    return {one.id: one for one in found}


def _entries(names: Mapping[str, str]) -> tuple[CodeEntry, ...]:
    return tuple(CodeEntry(code, name) for code, name in sorted(names.items()))
