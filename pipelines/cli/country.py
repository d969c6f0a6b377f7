"""``carec scorecard ISO3``: one member with its pillars and indicators.

Belongs here: the query, columns and colours of the page. Does not belong here: computing a score (dbt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from pipelines.cli.next_steps import print_next_steps
from pipelines.cli.scorecard_notes import JUMP
from pipelines.cli.tables import Format, console, show
from pipelines.formatting import GAP, figure, number, sparkline
from pipelines.published import OWN_CHOICE, fetch, fetch_rows, imprint, near_economies
from pipelines.seeds.codes import SIGNS
from pipelines.texts.words import ENGLISH, Words
from sources.errors import ConfigurationError, listed

TREND_YEARS = 12
"""Years in the trend of a figure, up to the as-of year."""

MOST_TIES = 5
"""Economies that are named as tied with a member."""

_IMPLIED_REASONS = ("pace", "met")
"""Reasons that add nothing to the status."""


_INDICATORS = """
    select scores.iso3, scores.pillar_id, scores.subtheme_id, scores.indicator_id, indicators.title, indicators.unit,
           scores.baseline_year, scores.baseline_value, scores.latest_year, scores.measured_year, scores.latest_value,
           scores.target_value, scores.target_year, scores.pace_target_value, benchmarks.target_basis,
           benchmarks.source_title as target_source_title, benchmarks.source_url as target_source_url,
           scores.level_score, scores.attainment, scores.pace_ratio,
           scores.projection, scores.projection_low, scores.projection_high,
           scores.probability_of_target, scores.probability_of_pace_target, scores.points,
           scores.status, scores.status_reason, scores.is_on_few_points, scores.undecided_jump_year,
           observations.provider, observations.source_url,
           pillars.score as pillar_score, pillars.coverage as pillar_coverage,
           members.name, members.overall_score, members.coverage, members.rank, members.tied_with,
           members.rank_p05, members.rank_p95
    from indicator_scores as scores
    join scorecard as members using (framework_id, iso3)
    join pillar_scores as pillars using (framework_id, iso3, pillar_id)
    join benchmarks using (framework_id, indicator_id)
    join indicators using (indicator_id)
    left join observations
        on observations.iso3 = scores.iso3
        and observations.indicator_id = scores.indicator_id
        and observations.year = scores.latest_year
    where scores.framework_id = ? and scores.iso3 = ?
    order by scores.pillar_id, scores.subtheme_id, scores.indicator_id
"""


def country(iso3: str, fmt: Format, framework: str, *, verbose: bool) -> None:
    """Print one member: its scores, what it should do next, and each indicator with value, target, status and source.

    Args:
        iso3: ISO3 code of a member.
        fmt: How the indicators are printed.
        framework: Id of the framework.
        verbose: Also print how to read the page.

    Raises:
        ConfigurationError: The code does not belong to a member.
    """
    head = fetch(
        "select name, overall_score, coverage, rank, rank_p05, rank_p95, tied_with, score_reason from scorecard"
        " where framework_id = ? and iso3 = ?",
        [framework, iso3],
    )
    known = [row[0] for row in fetch("select iso3 from economies where is_member order by 1")]
    if not head or iso3 not in known:
        raise ConfigurationError(
            f"{iso3!r} is not a member's ISO3 code; the members are {', '.join(known)}{near_economies(iso3, known)}"
        )
    rows = fetch_rows(_INDICATORS, [framework, iso3])
    if fmt is not Format.TABLE:
        show(*rows, fmt)
        console(stderr=True).print(OWN_CHOICE)
        return
    name, overall, coverage, rank, low, high, tied, reason = head[0]
    out = console()
    why = f" ({Words(ENGLISH).word('reasons', reason)})" if overall is None else ""
    ties = f" tied with {listed(tied.split(', '), MOST_TIES)}," if tied else ""
    out.print(
        f"{name}: overall {number(overall)}{why}, rank {rank_with_band(rank, low, high, tied)},{ties}"
        f" coverage {number(coverage, 2)}",
    )
    indicators = rows.records
    print_next_steps(iso3, framework)
    out.print()
    _print_indicators(iso3, indicators, framework)
    out.print()
    if verbose:
        _print_legend(indicators, framework)
    else:
        out.print(f"Next: carec explain {iso3} ID (how a score is computed); carec scorecard {iso3} -v (how to read)")
    out.print(OWN_CHOICE)
    out.print(imprint())


def _print_legend(indicators: Sequence[Mapping[str, Any]], framework: str) -> None:
    out = console()
    out.print(
        "Each trend is scaled from its lowest to its highest value; editions of an index are not comparable and have"
        " no trend. The level is 0 at the floor and 100 at the target. A status with (to X) is about the pace target X,"
        " which is not the target."
    )
    if any(one["measured_year"] != one["latest_year"] for one in indicators):
        out.print("In brackets, the year in which a figure was measured that the source repeats since.")
    if any(one["undecided_jump_year"] for one in indicators):
        words = Words(ENGLISH)
        out.print(f"{JUMP} {words('jumps.legend_term')}: {words('jumps.legend')} (table series_jumps).")
    print_hit_rates(framework)


def _print_indicators(iso3: str, indicators: Sequence[Mapping[str, Any]], framework: str) -> None:
    years, trends = _value_trends(iso3)
    lines = _country_lines(iso3, indicators, trends, framework)
    heads = {
        "pillar": "",
        "indicator": "indicator",
        "value": "value",
        "year": "year",
        "trend": years,
        "target": "target",
        "level": "level",
        "status": "status",
        "source": "source",
    }
    show(
        list(heads.values()),
        [[line.get(column, "") for column in heads] for line in lines],
        Format.TABLE,
        right=["value", "year", "target", "level"],
        whole=["", years, "source"],
        optional=[years, "target", "level", "year"],
    )


def _country_lines(
    iso3: str, indicators: Sequence[Mapping[str, Any]], trends: Mapping[str, Sequence[float | None]], framework: str
) -> list[dict[str, str | Text]]:
    """Return one line per pillar with its score, each followed by the lines of its indicators."""
    words = Words(ENGLISH)
    lines: list[dict[str, str | Text]] = []
    for pillar, title, score, coverage, why_not in fetch(
        "select pillar_id, title, score, s.coverage, score_reason from pillar_scores as s"
        " join pillars using (framework_id, pillar_id) where framework_id = ? and iso3 = ? order by 1",
        [framework, iso3],
    ):
        status = words.word("reasons_short", why_not) if score is None else f"coverage {coverage:.2f}"
        lines.append(
            {
                "pillar": pillar,
                "indicator": Text(title, "bold"),
                "level": Text(number(score), "bold"),
                "status": status,
            }
        )
        lines += [_indicator_line(one, trends, words) for one in indicators if one["pillar_id"] == pillar]
    return lines


def _indicator_line(
    one: Mapping[str, Any], trends: Mapping[str, Sequence[float | None]], words: Words
) -> dict[str, str | Text]:
    """Return the line of an indicator. Per cent is with the value, another unit with the title if that lacks it."""
    unit, title, value = words.word("units", one["unit"]), one["title"], figure(one["latest_value"])
    is_share = unit == "%"
    return {
        "indicator": title if is_share or unit in title else f"{title} ({unit})",
        "value": f"{value} %" if is_share and one["latest_value"] is not None else value,
        "year": _year(one),
        "trend": sparkline(trends.get(one["indicator_id"], [])),
        "target": figure(one["target_value"]),
        "level": number(one["level_score"], 0),
        "status": Text(
            _status(one, words) + (f" {JUMP}" if one["undecided_jump_year"] else ""), SIGNS[one["status"]].terminal
        ),
        "source": one["provider"] or GAP,
    }


def _year(one: Mapping[str, Any]) -> str:
    """Return the year of the latest figure, and in brackets the year of its measurement if the source repeats it."""
    latest, measured = one["latest_year"], one["measured_year"]
    return str(latest or GAP) if latest == measured else f"{latest} ({measured})"


def _status(one: Mapping[str, Any], words: Words) -> str:
    """Return the status in words with its reason, a pace target that is not the target, and few points.

    Where the data are insufficient, only the reason.
    """
    status, reason = one["status"], one["status_reason"]
    if status == "insufficient_data":
        return words.word("reasons_short", reason)
    notes = [] if reason in _IMPLIED_REASONS else [words.word("reasons_short", reason)]
    if status != "achieved" and one["pace_target_value"] not in (None, one["target_value"]):
        notes.append(f"to {figure(one['pace_target_value'])}")
    if one["is_on_few_points"]:
        notes.append(f"{one['points']} points")
    label = words.word("statuses", status)
    return f"{label} ({', '.join(notes)})" if notes else label


def print_hit_rates(framework: str) -> None:
    """Print what became of each status in the past, or nothing if the publication does not have it."""
    rows = fetch(
        "select status, status_reason, years, windows, share_reached from status_hit_rate"
        " where framework_id = ? and indicator_id = 'all'"
        " order by list_position(?, status), status_reason",
        [framework, list(SIGNS)],
    )
    if rows:
        words = Words(ENGLISH)
        shares = "; ".join(
            f"{words.word('statuses', status)} ({words.word('reasons_short', reason)}) {share:.0%} of {windows:,}"
            for status, reason, _, windows, share in rows
        )
        console().print(
            f"Past cases of all economies whose figure met the pace target {rows[0][2]} years later, by status:"
            f" {shares}."
        )


def _value_trends(iso3: str) -> tuple[str, dict[str, list[float | None]]]:
    """Return the years covered, as a heading, and the values of each indicator whose years are comparable."""
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


def rank_with_band(rank: int | None, low: float | None, high: float | None, tied_with: str | None) -> str:
    """Return a rank as it is printed: an equals sign marks a tie, and the band follows in brackets."""
    if rank is None:
        return GAP
    shown = f"{rank}=" if tied_with else f"{rank}"
    return shown if low is None or high is None else f"{shown} ({low:.0f}-{high:.0f})"
