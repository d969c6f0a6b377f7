"""The scorecard as ``carec scorecard`` prints it: the members, or one member with its indicators.

Belongs here: queries, columns and colours of the two pages. Does not belong here: computing a score (dbt), formats
(``output``), other sets of targets (``scoring_pages``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from pipelines.output import GAP, Format, console, figure, number, show, sparkline
from pipelines.pages import FRAMEWORK, OWN_CHOICE, fetch, imprint
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
"""Years that a trend shows, up to the as-of year."""

_SPOKEN_FOR = ("pace", "met")
"""Reasons that say no more than the status."""

_NARROW = {"trend": 116, "target": 98, "level": 84}
"""Column of a member's page -> width of the terminal below which it is left out, so that the others can be read."""


def members(fmt: Format) -> None:
    """Eleven members by pillar; in tables every gap has its reason below."""
    pillars = fetch(
        "select pillar_id, title from pillars where framework_id = ? and in_overall order by pillar_id", [FRAMEWORK]
    )
    ids = [pillar for pillar, _ in pillars]
    rows = fetch(
        f"""
        with pivoted as (
            pivot (from pillar_scores where framework_id = '{FRAMEWORK}')
            on pillar_id in ({", ".join(f"'{p}'" for p in ids)}) using any_value(score) group by iso3
        )
        select s.iso3, s.name, s.overall_score, s.rank, s.rank_p05, s.rank_p95,
               {", ".join(f"p.{p}" for p in ids)}, s.coverage, s.score_reason
        from scorecard as s left join pivoted as p using (iso3)
        where s.framework_id = '{FRAMEWORK}'
        order by s.overall_score desc nulls last, s.name
        """
    )
    columns = ["iso3", "name", "overall_score", "rank", "rank_p05", "rank_p95", *ids, "coverage", "score_reason"]
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        return
    years, trends = _score_trends()
    table = [
        [
            iso3,
            name,
            number(overall),
            _rank(rank, low, high),
            *(number(score) for score in scores),
            number(coverage, 2),
            sparkline(trends.get(iso3, []), (0, 100)),
        ]
        for iso3, name, overall, rank, low, high, *scores, coverage, _ in rows
    ]
    heads = ["", "member", "overall", "rank (band)", *ids, "coverage", years]
    title = "CAREC Digital Strategy 2030: scores from 0 to 100"
    show(heads, table, fmt, title=title, right=heads[2:-1], whole=heads)
    out = console()
    out.print()
    for pillar, title in pillars:
        out.print(f"{pillar}  {title}", markup=False)
    gaps = fetch(
        "select name, pillar_id, score_reason, coverage from pillar_scores join economies using (iso3)"
        " where framework_id = ? and score is null and pillar_id in (select unnest(?)) order by all",
        [FRAMEWORK, ids],
    )
    if gaps:
        out.print()
        for name, pillar, reason, coverage in gaps:
            share = "" if coverage is None else f", coverage {coverage:.2f}"
            out.print(f"{GAP}  {name}, {pillar}: {reason}{share}", markup=False)
    out.print()
    out.print(OWN_CHOICE)
    out.print(imprint(), markup=False)


def _score_trends() -> tuple[str, dict[str, list[float | None]]]:
    """The years covered, as a heading, and each member's overall score of each of them."""
    rows = fetch(
        """
        with years as (
            select distinct as_of_year from scorecard_history where framework_id = $1 and overall_score is not null
        )
        select iso3, list(overall_score order by as_of_year), min(as_of_year), max(as_of_year)
        from years cross join (select distinct iso3 from scorecard_history where framework_id = $1)
        left join (from scorecard_history where framework_id = $1) using (iso3, as_of_year)
        group by iso3
        """,
        [FRAMEWORK],
    )
    years = f"{rows[0][2]}-{rows[0][3]}" if rows else "trend"
    return years, {iso3: scores for iso3, scores, _, _ in rows}


def _rank(rank: int | None, low: float | None, high: float | None) -> str:
    if rank is None:
        return GAP
    return f"{rank}" if low is None or high is None else f"{rank} ({low:.0f}-{high:.0f})"


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
        "level_score",
        "attainment",
        "pace_ratio",
        "projection",
        "status",
        "status_reason",
        "provider",
        "source_url",
    ]
    of_table = {"title": "i", "unit": "i", "provider": "o", "source_url": "o"}
    rows = fetch(
        f"""
        select {", ".join(f"{of_table.get(column, 's')}.{column}" for column in columns)}
        from indicator_scores as s
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
        return
    name, overall, coverage, rank, low, high, reason = head[0]
    out = console()
    why = f" ({reason})" if overall is None else ""
    out.print(
        f"{name}: overall {number(overall)}{why}, rank {_rank(rank, low, high)}, coverage {number(coverage, 2)}\n",
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
    shown = [column for column in heads if out.width >= _NARROW.get(column, 0)]
    show(
        [heads[column] for column in shown],
        [[line.get(column, "") for column in shown] for line in lines],
        fmt,
        right=["value", "year", "target", "level"],
        whole=[heads[column] for column in shown if column != "indicator"],
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
