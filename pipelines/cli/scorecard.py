"""The command ``scorecard``, and its table of members.

Belongs here: the queries and columns of the table. Does not belong here: the lines below it (``scorecard_notes``), one
member's page (``country``), other sets of targets (``target_sets``), computing a score (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from pipelines.cli.country import country as print_country
from pipelines.cli.country import rank_with_band
from pipelines.cli.scorecard_notes import JUMP, print_notes
from pipelines.cli.tables import Format, console, show
from pipelines.cli.target_sets import MAIN_SET
from pipelines.cli.target_sets import target_set as print_target_set
from pipelines.cli.terminal import format_option
from pipelines.formatting import number, sparkline
from pipelines.published import (
    OWN_CHOICE,
    age_of_figures,
    economy_code,
    fetch,
    fetch_rows,
    framework_title,
    opened_once,
)
from pipelines.seeds.codes import FRAMEWORK

SCORE_YEARS = 6
"""Years in the trend of a score, up to the as-of year."""

TREND_LEAST = 3
"""Fewest years that compare for which a trend is printed."""


@click.command()
@click.argument("country", required=False, help="A member: ISO3 code or name.")
@click.option("--framework", metavar="ID", default=FRAMEWORK, help="The framework.")
@click.option("--target-set", metavar="NAME", default=MAIN_SET, help="Show another set of targets; it enters no score.")
@click.option("--verbose", "-v", is_flag=True, help="Also how to read the table.")
@format_option
@opened_once()
def scorecard(country: str | None, framework: str, target_set: str, verbose: bool, fmt: Format) -> None:
    """The table of members, or one country's page."""
    iso3 = None if country is None else economy_code(country)
    if target_set != MAIN_SET:
        if framework != FRAMEWORK:
            raise click.BadParameter(f"--target-set is for the framework {FRAMEWORK} only")
        print_target_set(target_set, iso3, fmt)
        return
    title = framework_title(framework)
    if iso3 is None:
        members(fmt, framework, title, verbose=verbose)
    else:
        print_country(iso3, fmt, framework, verbose=verbose)


def members(fmt: Format, framework: str, title: str, *, verbose: bool) -> None:
    """Print one row per member with its rank, its scores per pillar and its count of targets in reach.

    Args:
        fmt: How the members are printed; a table is followed by what it means.
        framework: Id of the framework.
        title: Its title.
        verbose: Also print how to read the table.
    """
    pillars = fetch(
        "select pillar_id, title from pillars where framework_id = ? and in_overall order by pillar_id", [framework]
    )
    ids = [pillar for pillar, _ in pillars]
    rows = fetch_rows(
        f"""
        with pivoted as (
            pivot (from pillar_scores where framework_id = '{framework}')
            on pillar_id in ({", ".join(f"'{p}'" for p in ids)}) using any_value(score) group by iso3
        )
        select s.iso3, s.name, s.overall_score, s.rank, s.tied_with, s.rank_p05, s.rank_p95,
               {", ".join(f"p.{p}" for p in ids)}, s.coverage, s.score_reason
        from scorecard as s join economies as e on s.iso3 = e.iso3 and e.is_member
        left join pivoted as p on s.iso3 = p.iso3
        where s.framework_id = '{framework}'
        order by s.overall_score desc nulls last, s.name
        """
    )
    if fmt is not Format.TABLE:
        show(*rows, fmt)
        console(stderr=True).print(OWN_CHOICE)
        return
    years, trends = _score_trends(framework, ids)
    iso3s, names, overall, ranks, tied, low, high, *scores, coverage, _ = zip(*rows.values, strict=True)
    table = [("", iso3s), ("member", names), ("overall", [number(score) for score in overall])]
    table.append(("rank", [rank_with_band(*one) for one in zip(ranks, low, high, tied, strict=True)]))
    for pillar, own in zip(ids, scores, strict=True):
        table.append((pillar, [number(score) for score in own]))
        if pillar in trends:
            table.append(("trend", [trends[pillar].get(iso3, "") for iso3 in iso3s]))
    reached = _in_reach(framework)
    if reached:
        table.append(("in reach", [reached.get(iso3, "") for iso3 in iso3s]))
    if verbose:
        table.append(("coverage", [number(share, 2) for share in coverage]))
    heads = [head for head, _ in table]
    show(
        heads,
        list(zip(*(cells for _, cells in table), strict=True)),
        fmt,
        title=f"{title}: scores from 0 to 100{age_of_figures()}",
        right=["overall", *ids, "in reach", "coverage"],
        whole=heads,
        optional=["trend", "coverage", "in reach", "member"],
    )
    print_notes(framework, pillars, years if trends else None, counts=bool(reached), verbose=verbose)


def _in_reach(framework: str) -> dict[str, str]:
    """Return member -> its indicators that met the target or are on track, of those whose pace can be judged."""
    rows = fetch(
        "select iso3, sum(indicators) filter (progress in ('achieved', 'on_track'))::integer,"
        " sum(indicators) filter (progress in ('achieved', 'on_track', 'behind', 'moving_away'))::integer"
        " from progress_summary where framework_id = ? group by iso3",
        [framework],
    )
    return {iso3: f"{good} of {judged}" for iso3, good, judged in rows if judged}


def _score_trends(framework: str, pillars: Sequence[str]) -> tuple[str, dict[str, dict[str, str]]]:
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
            from matched_change semi join economies on matched_change.iso3 = economies.iso3 and is_member
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
        [SCORE_YEARS, framework, list(pillars)],
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
