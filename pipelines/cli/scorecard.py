"""The command ``scorecard``, and its table of members.

Belongs here: the queries and columns of the table. Does not belong here: one member's page (``country``), other sets of
targets (``target_sets``), computing a score (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from pipelines.cli.country import JUMP, rank_with_band
from pipelines.cli.country import country as print_country
from pipelines.cli.tables import Format, console, show
from pipelines.cli.target_sets import MAIN_SET
from pipelines.cli.target_sets import target_set as print_target_set
from pipelines.cli.terminal import FormatOption, command_app
from pipelines.formatting import GAP, number, sparkline
from pipelines.published import OWN_CHOICE, fetch, imprint
from pipelines.seeds.codes import FRAMEWORK

app = command_app()

SCORE_YEARS = 6
"""Years in the trend of a score, up to the as-of year."""

TREND_LEAST = 3
"""Fewest years that compare for which a trend is printed."""


@app.command()
def scorecard(
    country: Annotated[str | None, typer.Argument(help="A member's ISO3 code.")] = None,
    target_set: Annotated[
        str, typer.Option("--target-set", metavar="NAME", help="Show another set of targets; it enters no score.")
    ] = MAIN_SET,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """The table of members, or one country's page."""
    iso3 = None if country is None else country.upper()
    if target_set != MAIN_SET:
        print_target_set(target_set, iso3, fmt)
        return
    if iso3 is None:
        members(fmt)
    else:
        print_country(iso3, fmt)


def members(fmt: Format) -> None:
    """Print one row per member with its score per pillar; a table is followed by the reason of every gap."""
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
        select s.iso3, s.name, s.overall_score, s.rank, s.tied_with, s.rank_p05, s.rank_p95,
               {", ".join(f"p.{p}" for p in ids)}, s.coverage, s.score_reason
        from scorecard as s left join pivoted as p using (iso3)
        where s.framework_id = '{FRAMEWORK}'
        order by s.overall_score desc nulls last, s.name
        """
    )
    bands = ["rank", "tied_with", "rank_p05", "rank_p95"]
    columns = ["iso3", "name", "overall_score", *bands, *ids, "coverage", "score_reason"]
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        console(stderr=True).print(OWN_CHOICE)
        return
    years, trends = _score_trends(ids)
    iso3s, names, overall, ranks, tied, low, high, *scores, coverage, _ = zip(*rows, strict=True)
    table = [("", iso3s), ("member", names), ("overall", [number(score) for score in overall])]
    table.append(("rank", [rank_with_band(*one) for one in zip(ranks, low, high, tied, strict=True)]))
    for pillar, own in zip(ids, scores, strict=True):
        table.append((pillar, [number(score) for score in own]))
        if pillar in trends:
            table.append(("trend", [trends[pillar].get(iso3, "") for iso3 in iso3s]))
    table.append(("coverage", [number(share, 2) for share in coverage]))
    heads = [head for head, _ in table]
    show(
        heads,
        list(zip(*(cells for _, cells in table), strict=True)),
        fmt,
        title="CAREC Digital Strategy 2030: scores from 0 to 100",
        right=["overall", *ids, "coverage"],
        whole=heads,
        optional=["trend", "coverage", "member"],
    )
    _print_notes(pillars, years if trends else None)


def _print_notes(pillars: Sequence[tuple[str, str]], years: str | None) -> None:
    """Print the titles of the pillars, the reason of each gap, and how to read the table."""
    ids = [pillar for pillar, _ in pillars]
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
    for line in _means():
        out.print(line, markup=False)
    out.print("In brackets, the band of the rank: from the 5th to the 95th percentile over all scenarios.")
    _print_ties()
    if years:
        out.print(
            f"A trend has one bar per year, {years}, on one scale for all members: the change on the indicators that"
            " neighbouring years have in common (table matched_change). There is no bar where years do not compare."
            f" {JUMP} marks a trend across an undecided jump of a series (table series_jumps)."
        )
    out.print(OWN_CHOICE)
    out.print(imprint(), markup=False)


def _print_ties() -> None:
    """Print the pairs of members whose order is uncertain, if there are any."""
    pairs = fetch(
        """
        select a.iso3 || ' and ' || b.iso3, p.value
        from rank_probabilities as r
        join scorecard as a on r.framework_id = a.framework_id and r.iso3_a = a.iso3
        join scorecard as b on r.framework_id = b.framework_id and r.iso3_b = b.iso3
        join scoring_parameters as p on p.parameter = 'min_order_share'
        where r.framework_id = ? and r.is_tie and (a.rank, a.iso3) < (b.rank, b.iso3)
        order by a.rank, b.rank, a.iso3, b.iso3
        """,
        [FRAMEWORK],
    )
    if pairs:
        console().print(
            f"= marks a tie, an order that holds in less than {100 * pairs[0][1]:g} % of the scenarios:"
            f" {', '.join(pair for pair, _ in pairs)}.",
            markup=False,
        )


def _means() -> list[str]:
    """Return the region's mean, and apart from it the sensitivity with the missing scores imputed."""
    rows = fetch(
        "select score, members_scored, members_total, imputed_economies, score_all_members_imputed,"
        " score_all_members_imputed_low, score_all_members_imputed_high from region_scores"
        " where framework_id = ? and group_id = 'carec' and variant = 'simple' and pillar_id = 'overall'",
        [FRAMEWORK],
    )
    lines = []
    for score, scored, total, economies, imputed, low, high in rows:
        lines.append(f"Mean of the {scored} of {total} members with an overall score: {number(score)}.")
        if imputed is not None:
            lines.append(
                f"Sensitivity only: {number(imputed)} ({number(low)} to {number(high)}) with the missing scores imputed"
                f" ({economies}; table imputed_scores)."
            )
    return lines


def _score_trends(pillars: Sequence[str]) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the years covered, and pillar -> member -> sparkline of the newest chain of years that compare.

    Pillars in which every member has too few such years have no entry.
    """
    rows = fetch(
        """
        with years as (
            select unnest(range(year(as_of) - ? + 1, year(as_of) + 1)) as as_of_year from publication
        ),
        scores as (
            select pillar_id, iso3, year as as_of_year, chained_score as score,
                   indicators_jumped is not null and year > chain_start as is_jump
            from matched_change
            where framework_id = ? and chained_score is not null and list_contains(?, pillar_id)
            qualify chain_start = max(chain_start) over (partition by pillar_id, iso3)
        )
        select pillar_id, iso3, list(score order by as_of_year), min(as_of_year), max(as_of_year),
               coalesce(bool_or(is_jump), false)
        from years
        cross join (select distinct pillar_id, iso3 from scores)
        left join scores using (pillar_id, iso3, as_of_year)
        group by all
        """,
        [SCORE_YEARS, FRAMEWORK, list(pillars)],
    )
    trends: dict[str, dict[str, str]] = {}
    for pillar in pillars:
        own = {iso3: scores for pillar_id, iso3, scores, *_ in rows if pillar_id == pillar}
        jumped = {iso3 for pillar_id, iso3, *_, is_jump in rows if pillar_id == pillar and is_jump}
        known = [score for scores in own.values() for score in scores if score is not None]
        if known:
            trends[pillar] = {
                iso3: sparkline(scores, (min(known), max(known))) + (JUMP if iso3 in jumped else "")
                for iso3, scores in own.items()
                if len(scores) - scores.count(None) >= TREND_LEAST
            }
    years = f"{rows[0][3]} to {rows[0][4]}" if rows else ""
    return years, {pillar: own for pillar, own in trends.items() if own}
