"""The lines below the table of members: what it means, and with ``--verbose`` how to read it.

Belongs here: their queries and sentences. Does not belong here: the table (``scorecard``), words of codes
(``pipelines.texts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from pipelines.cli.tables import console
from pipelines.formatting import GAP, number
from pipelines.published import OWN_CHOICE, fetch, imprint
from pipelines.texts.words import ENGLISH, Words

JUMP = "‡"
"""Mark of a change that rests on an undecided jump."""


def print_notes(
    framework: str, pillars: Sequence[tuple[str, str]], years: str | None, *, counts: bool, verbose: bool
) -> None:
    """Print progress, change, gaps and ties in a line each; how to read the table only if asked.

    Args:
        framework: Id of the framework.
        pillars: Id and title of each pillar.
        years: Years of the trends; None without trends.
        counts: Whether the table counts indicators in reach.
        verbose: Also print how to read the table, and every gap with its coverage.
    """
    out = console()
    lines = ["Pillars: " + "; ".join(f"{pillar} {title}" for pillar, title in pillars)]
    lines += [*_progress(framework), *_weakest(framework, pillars), *_changes(framework, [one for one, _ in pillars])]
    lines += [*_gaps(framework), *_ties(framework)]
    if verbose:
        lines += ["", *_coverage(framework, [one for one, _ in pillars]), *_means(framework)]
        lines.append("In brackets, the band of the rank: from the 5th to the 95th percentile over all scenarios.")
        if counts:
            lines.append(
                "In reach: indicators that met their target or are on track, of those whose pace can be judged"
                " (table progress_summary)."
            )
        if years:
            lines.append(
                f"A trend has one bar per year, {years}, on one scale for all members: the change on the indicators"
                " that neighbouring years have in common (table matched_change). There is no bar where years do not"
                f" compare. {JUMP} marks a trend across an undecided jump of a series (table series_jumps)."
            )
    lines.append("" if verbose else "Next: carec scorecard ISO3 (one member, what it should do next); -v (how to read)")
    out.print()
    for line in [*lines, OWN_CHOICE, imprint()]:
        out.print(line)


def _progress(framework: str) -> list[str]:
    """Return the counts of all members together, with their change since the publication before."""
    labels = Words(ENGLISH).get("progress.classes")
    counts = fetch(
        "select progress, indicators, change from progress_summary where framework_id = ? and iso3 = 'CAREC'"
        " and indicators > 0 order by list_position(['achieved', 'on_track', 'behind', 'moving_away'], progress)",
        [framework],
    )
    shown = [
        f"{labels[progress]} {count}" + (f" ({change:+d})" if change else "")
        for progress, count, change in counts
        if progress not in ("level_only", "without_data")
    ]
    rest = sum(count for progress, count, _ in counts if progress in ("level_only", "without_data"))
    return [f"All members: {', '.join(shown)}; not to judge {rest}."] if shown else []


def _weakest(framework: str, pillars: Sequence[tuple[str, str]]) -> list[str]:
    """Return the pillar with the lowest mean of the members, and the one in which they differ most."""
    rows = fetch(
        "select pillar_id, avg(score), max(score) - min(score) from pillar_scores join economies using (iso3)"
        " where framework_id = ? and is_member and list_contains(?, pillar_id) and score is not null"
        " group by pillar_id order by avg(score), pillar_id",
        [framework, [one for one, _ in pillars]],
    )
    if not rows:
        return []
    widest, _, spread = max(rows, key=itemgetter(2))
    weakest, mean, _ = rows[0]
    return [f"Weakest: {weakest}, mean {number(mean)}. Members differ most in {widest}: {number(spread)} points."]


def _changes(framework: str, pillars: Sequence[str]) -> list[str]:
    """Return the largest rise and the largest fall of a pillar on the indicators that its years have in common."""
    rows = fetch(
        """
        select economies.name, pillar_id, chained_index, chain_start,
            bool_or(indicators_jumped is not null) over (partition by pillar_id, iso3, chain_start) as is_jump
        from matched_change join economies using (iso3)
        where framework_id = ? and is_member and list_contains(?, pillar_id) and year > chain_start
        qualify chain_start = max(chain_start) over (partition by pillar_id, iso3)
            and year = max(year) over (partition by pillar_id, iso3)
        order by chained_index desc, economies.name, pillar_id
        """,
        [framework, list(pillars)],
    )
    ends = [("largest rise", rows[0]), ("largest fall", rows[-1])] if rows else []
    shown = [
        f"{label} {name} {pillar} {change:+.1f} since {start}" + (" (across an unexplained jump)" if is_jump else "")
        for label, (name, pillar, change, start, is_jump) in ends
        if (change > 0) == (label == "largest rise") and change
    ]
    return [f"Change on the same indicators: {'; '.join(shown)}."] if shown else []


def _gaps(framework: str) -> list[str]:
    """Return the members without an overall score, with the pillars that lack one and the reason in words."""
    words = Words(ENGLISH)
    rows = fetch(
        "select s.name, s.score_reason, p.pillar_id, p.score_reason from scorecard as s"
        " join economies as e on s.iso3 = e.iso3 and e.is_member"
        " left join ("
        "  select iso3, pillar_id, score_reason from pillar_scores join pillars using (framework_id, pillar_id)"
        "  where framework_id = $framework and score is null and in_overall"
        " ) as p on s.iso3 = p.iso3"
        " where s.framework_id = $framework and s.overall_score is null order by s.name, p.pillar_id",
        {"framework": framework},
    )
    lines = []
    for (name, reason), parts in groupby(rows, key=itemgetter(0, 1)):
        missing = [(pillar, why) for _, _, pillar, why in parts if pillar]
        whys = ", ".join(dict.fromkeys(words.word("reasons", why) for _, why in missing))
        shown = f"{', '.join(pillar for pillar, _ in missing)} ({whys})" if missing else words.word("reasons", reason)
        lines.append(f"{name} {shown}")
    return [f"No overall score and rank: {'; '.join(lines)}."] if lines else []


def _ties(framework: str) -> list[str]:
    """Return the pairs of members whose order is uncertain, if there are any."""
    pairs = fetch(
        """
        select a.iso3 || ' and ' || b.iso3, p.value
        from rank_probabilities as r
        join scorecard as a on r.framework_id = a.framework_id and r.iso3_a = a.iso3
        join scorecard as b on r.framework_id = b.framework_id and r.iso3_b = b.iso3
        semi join (from economies where is_member) as ma on a.iso3 = ma.iso3
        semi join (from economies where is_member) as mb on b.iso3 = mb.iso3
        join scoring_parameters as p on p.parameter = 'min_order_share'
        where r.framework_id = ? and r.is_tie and (a.rank, a.iso3) < (b.rank, b.iso3)
        order by a.rank, b.rank, a.iso3, b.iso3
        """,
        [framework],
    )
    if not pairs:
        return []
    shown = ", ".join(pair for pair, _ in pairs)
    return [f"= marks a tie, an order that holds in less than {100 * pairs[0][1]:g} % of the scenarios: {shown}."]


def _coverage(framework: str, pillars: Sequence[str]) -> list[str]:
    """Return one line per missing score of a pillar, with its coverage."""
    words = Words(ENGLISH)
    gaps = fetch(
        "select name, pillar_id, score_reason, coverage from pillar_scores join economies using (iso3)"
        " where framework_id = ? and is_member and score is null and list_contains(?, pillar_id) order by all",
        [framework, list(pillars)],
    )
    return [
        f"{GAP}  {name}, {pillar}: {words.word('reasons', reason)}"
        + ("" if coverage is None else f", coverage {coverage:.2f}")
        for name, pillar, reason, coverage in gaps
    ]


def _means(framework: str) -> list[str]:
    """Return the region's mean, and apart from it the sensitivity with the missing scores imputed."""
    rows = fetch(
        "select score, members_scored, members_total, imputed_economies, score_all_members_imputed,"
        " score_all_members_imputed_low, score_all_members_imputed_high from region_scores"
        " where framework_id = ? and group_id = 'carec' and variant = 'simple' and pillar_id = 'overall'",
        [framework],
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
