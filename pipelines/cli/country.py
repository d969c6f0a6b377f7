"""``carec scorecard ISO3``: one member with its pillars and indicators.

Belongs here: the query, columns and colours of the page. Does not belong here: computing a score (dbt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from pipelines.cli.tables import Format, console, show
from pipelines.formatting import GAP, figure, number, sparkline
from pipelines.published import FRAMEWORK, OWN_CHOICE, fetch, imprint
from sources.errors import ConfigurationError

COLOURS = {
    "achieved": "green",
    "on_track": "green",
    "moderately_improving": "yellow",
    "stagnating": "red",
    "decreasing": "red",
    "insufficient_data": "dim",
}
"""Status -> colour on a terminal. The word stands there, too: colour alone says nothing."""

TREND_YEARS = 12
"""Years that a trend of a figure shows, up to the as-of year."""

_SPOKEN_FOR = ("pace", "met")
"""Reasons that say no more than the status."""


def country(iso3: str, fmt: Format) -> None:
    """One member: its pillars, each with its indicators: value, target, status and who says so."""
    head = fetch(
        "select name, overall_score, coverage, rank, rank_p05, rank_p95, score_reason from scorecard"
        " where framework_id = ? and iso3 = ?",
        [FRAMEWORK, iso3],
    )
    if not head:
        known = ", ".join(row[0] for row in fetch("select iso3 from economies where is_member order by 1"))
        raise ConfigurationError(f"{iso3!r} is not a member's ISO3 code; the members are {known}")
    columns = [
        "iso3",
        "pillar_id",
        "subtheme_id",
        "indicator_id",
        "title",
        "unit",
        "baseline_year",
        "baseline_value",
        "latest_year",
        "latest_value",
        "target_value",
        "target_year",
        "target_basis",
        "target_source_title",
        "target_source_url",
        "level_score",
        "attainment",
        "pace_ratio",
        "projection",
        "status",
        "status_reason",
        "provider",
        "source_url",
        "pillar_score",
        "pillar_coverage",
        "name",
        "overall_score",
        "coverage",
        "rank",
        "rank_p05",
        "rank_p95",
    ]
    of_table = {"title": "i", "unit": "i", "provider": "o", "source_url": "o"}
    of_table |= {"name": "m", "overall_score": "m", "coverage": "m", "rank": "m", "rank_p05": "m", "rank_p95": "m"}
    of_table |= {"target_basis": "b", "target_source_title": "b", "target_source_url": "b"}
    of_table |= {"pillar_score": "p", "pillar_coverage": "p"}
    rows = fetch(
        f"""
        select {", ".join(f"{of_table.get(column, 's')}.{column}" for column in columns)}
        from indicator_scores as s
        join scorecard as m using (framework_id, iso3)
        join (
            select framework_id, iso3, pillar_id, score as pillar_score, coverage as pillar_coverage from pillar_scores
        ) as p using (framework_id, iso3, pillar_id)
        join (
            select framework_id, indicator_id, target_basis, source_title as target_source_title,
                   source_url as target_source_url
            from benchmarks
        ) as b using (framework_id, indicator_id)
        join indicators as i using (indicator_id)
        left join observations as o
            on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year
        where s.framework_id = ? and s.iso3 = ?
        order by s.pillar_id, s.subtheme_id, s.indicator_id
        """,
        [FRAMEWORK, iso3],
    )
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        console(stderr=True).print(OWN_CHOICE)
        return
    name, overall, coverage, rank, low, high, reason = head[0]
    out = console()
    why = f" ({reason})" if overall is None else ""
    out.print(
        f"{name}: overall {number(overall)}{why}, rank {rank_with_band(rank, low, high)},"
        f" coverage {number(coverage, 2)}\n",
        markup=False,
    )
    years, trends = _value_trends(iso3)
    lines = _country_lines(iso3, [dict(zip(columns, row, strict=True)) for row in rows], trends)
    heads = {
        "pillar": "",
        "indicator": "indicator",
        "value": "value",
        "year": "year",
        "trend": years,
        "target": "target",
        "level": "level",
        "status": "status",
        "says": "who says",
    }
    show(
        list(heads.values()),
        [[line.get(column, "") for column in heads] for line in lines],
        fmt,
        right=["value", "year", "target", "level"],
        whole=["", years, "who says"],
        optional=[years, "target", "level", "year"],
    )
    out.print()
    out.print(
        "A trend runs from its lowest to its highest value; editions of an index do not compare and have none."
        " The level is 0 at the floor and 100 at the target."
    )
    out.print(OWN_CHOICE)
    out.print(imprint(), markup=False)


def _country_lines(
    iso3: str, indicators: Sequence[Mapping[str, Any]], trends: Mapping[str, Sequence[float | None]]
) -> list[dict[str, str | Text]]:
    """A line a pillar with its score, each followed by the lines of its indicators."""
    lines: list[dict[str, str | Text]] = []
    for pillar, title, score, coverage, why_not in fetch(
        "select pillar_id, title, score, s.coverage, score_reason from pillar_scores as s"
        " join pillars using (framework_id, pillar_id) where framework_id = ? and iso3 = ? order by 1",
        [FRAMEWORK, iso3],
    ):
        told = why_not.replace("_", " ") if score is None else f"coverage {coverage:.2f}"
        lines.append(
            {
                "pillar": pillar,
                "indicator": Text(title, "bold"),
                "level": Text(number(score), "bold"),
                "status": told,
            }
        )
        lines += [_indicator_line(one, trends) for one in indicators if one["pillar_id"] == pillar]
    return lines


def _indicator_line(one: Mapping[str, Any], trends: Mapping[str, Sequence[float | None]]) -> dict[str, str | Text]:
    return {
        "indicator": one["title"],
        "value": figure(one["latest_value"]),
        "year": str(one["latest_year"] or GAP),
        "trend": sparkline(trends.get(one["indicator_id"], [])),
        "target": figure(one["target_value"]),
        "level": number(one["level_score"], 0),
        "status": Text(_status(one["status"], one["status_reason"]), COLOURS.get(one["status"], "")),
        "says": one["provider"] or GAP,
    }


def _status(status: str, reason: str) -> str:
    """The status in words with what it rests on; where nothing can be said, why."""
    if status == "insufficient_data":
        return reason.replace("_", " ")
    told = status if reason in _SPOKEN_FOR else f"{status} ({reason})"
    return told.replace("_", " ")


def _value_trends(iso3: str) -> tuple[str, dict[str, list[float | None]]]:
    """The years covered, as a heading, and the values of each indicator whose years compare."""
    rows = fetch(
        """
        with years as (
            select unnest(range(year(as_of) - ? + 1, year(as_of) + 1)) as year from publication
        )
        select indicator_id, list(value order by year), min(year), max(year)
        from years cross join (select indicator_id from indicators where not edition_index)
        left join (from observations where iso3 = ?) using (indicator_id, year)
        group by indicator_id
        """,
        [TREND_YEARS, iso3],
    )
    years = f"{rows[0][2]}-{rows[0][3]}" if rows else "trend"
    return years, {indicator: values for indicator, values, _, _ in rows}


def rank_with_band(rank: int | None, low: float | None, high: float | None) -> str:
    if rank is None:
        return GAP
    return f"{rank}" if low is None or high is None else f"{rank} ({low:.0f}-{high:.0f})"
