"""Write the audit of the review's claims as a document, ``docs/claims.md``, from the published file.

Belongs here: the text and the tables of the document. Does not belong here: verdicts (``dbt_project``), the output of
the command line (``pipelines.cli.claims``). The document contains no time of day and no path: equal figures give an
equal document.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipelines.formatting import GAP, figure
from pipelines.published import claimed, fetch, fetch_rows
from pipelines.report import documents
from pipelines.report.data import Row, grouped
from pipelines.seeds.codes import DECIDED, DEPENDING, VERDICTS

_HEAD = Path(__file__).parent / "assets" / "claims_head.md"
"""The beginning of the document, which does not depend on figures."""
_VERDICTS = [verdict.replace("_", " ") for verdict in VERDICTS]
_COUNTS = ", ".join(f"count(*) filter (verdict = '{verdict}')" for verdict in VERDICTS)
"""Names of the columns with the number of claims per verdict, and their SQL."""


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = (GAP if cell is None else str(cell).replace("|", "/") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _figures(claims: Sequence[Row]) -> str:
    """Return a table of claims: the claimed value and the figure, as text."""
    if not claims:
        return "None."
    return _table(
        ["claim", "statement", "claimed", "figure", "off by", "true in", "true of"],
        [
            (
                f"`{one['claim_id']}`" + (f" (repeats `{one['duplicate_of']}`)" if one["duplicate_of"] else ""),
                one["statement"],
                claimed(one["value"], one["comparator"], one["baseline_value"], one["baseline_comparator"]),
                f"{figure(one['evidence_value'])} in {one['evidence_year']}",
                figure(one["deviation"]),
                one["nearest_true_year"],
                one["true_elsewhere"],
            )
            for one in claims
        ],
    )


def _reasons(claims: Sequence[Row]) -> str:
    """Return a list of claims, each with the reasons of its tests."""
    lines = []
    for one in claims:
        lines.append(f"* `{one['claim_id']}` {one['statement']}.")
        lines += [f"  * {part}" for part in one["verdict_reason"].split(" | ")]
    return "\n".join(lines) or "None."


def _others() -> str:
    """Return the claims that have only series with another definition: one line per series, with all members."""
    rows = fetch(
        """
        select a.claim_id, a.statement, t.indicator_id,
               case
                   when t.definition_match = 'different' then 'measures ' || t.definition_note
                   when t.reason_code = 'editions_do_not_compare' then 'its editions do not compare'
                   when t.claimed is null then 'the review names no number'
                   else 'does not compare with what is claimed'
               end,
               list((t.iso3, t.value, t.evidence_year) order by t.iso3)
        from claim_tests as t join claims_audit as a using (claim_id)
        where a.verdict = 'not_comparable' and t.role = 'value' group by all order by all
        """
    )
    lines, before = [], None
    for claim, statement, series, difference, members in rows:
        if claim != before:
            lines.append(f"* `{claim}` {statement}.")
        before = claim
        figures = [f"{iso3} {figure(value)} in {year}" for iso3, value, year in members if value is not None]
        missing = [iso3 for iso3, value, _ in members if value is None]
        figures += [f"no figure for {', '.join(missing)}"] if missing else []
        lines.append(f"  * `{series}` ({difference}): {'; '.join(figures)}")
    return "\n".join(lines) or "None."


def _summary(claims: Sequence[Row]) -> str:
    """Return the number of claims per verdict, as text."""
    counts = Counter(one["verdict"] for one in claims if one["duplicate_of"] is None)
    every = counts.total()
    decided = {verdict: counts[verdict] for verdict in DECIDED if verdict in counts}
    listed = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in decided.items())
    depending = {verdict: counts[verdict] for verdict in DEPENDING}
    other, ended = counts["not_comparable"], counts["no_suitable_series"]
    without = counts["document_only"] + counts["no_data"]
    return (
        f"Public figures decide {sum(decided.values())} of {every} claims ({len(claims)} with repeated ones):"
        f" {listed}. For {sum(depending.values())} more, the outcome depends on how the claim is read"
        f" ({depending['depends_on_reading']}) or on the base year ({depending['depends_on_base_year']})."
        f" For {other}, a series exists that measures something else or whose editions do not compare;"
        f" for {ended}, the series have no figure of the years in question. No available figure can test the other"
        f" {without}; a later section names what could."
    )


def _spread() -> str:
    rows = fetch(
        f"""
        select pillar, count(*), {_COUNTS} from claims_audit where duplicate_of is null group by pillar order by pillar
        """
    )
    rows += fetch(f"select 'all', count(*), {_COUNTS} from claims_audit where duplicate_of is null")
    return _table(["pillar", "claims", *_VERDICTS], rows)


def _members() -> str:
    rows = fetch(
        f"""
        with shares as (
            select unnest(string_split(country_iso3, ';')) as iso3, verdict, value from claims_audit
        )
        select economies.name, count(verdict), count(value), {_COUNTS}
        from economies left join shares using (iso3) where economies.is_member group by economies.name order by all
        """
    )
    return _table(["member", "claims", "with a number", *_VERDICTS], rows)


def _unnamed() -> str:
    rows = fetch(
        """
        select name from economies
        where is_member and iso3 not in (select unnest(string_split(country_iso3, ';')) from claims) order by name
        """
    )
    return ", ".join(name for (name,) in rows)


def _base_years() -> str:
    rows = fetch(
        """
        select b.claim_id, b.iso3, b.indicator_id, b.base_year, b.base_value, b.value, b.year,
               if(b.is_better, 'better', 'not better')
        from claim_base_years as b join claims_audit using (claim_id)
        where verdict = 'depends_on_base_year' order by b.claim_id, b.indicator_id, b.iso3, b.base_year
        """
    )
    if not rows:
        return "None."
    return _table(
        ["claim", "country", "series", "base year", "figure then", "tested figure", "outcome"],
        [
            (f"`{claim}`", iso3, f"`{series}`", base, figure(then), f"{figure(value)} in {year}", outcome)
            for claim, iso3, series, base, then, value, year, outcome in rows
        ],
    )


def _means() -> str:
    rows = fetch(
        """
        select variant, role, comparator, claimed, value, evidence_year, members_missing, value_without_afg, result,
               nearest_true_year
        from claim_tests where claim_id = 'hl-region-internet-use' order by role desc, variant
        """
    )
    return _table(
        ["mean", "of the", "claimed", "figure", "without a figure", "without Afghanistan", "result", "true in"],
        [
            (
                variant,
                role,
                claimed(number, comparator, None, None),
                f"{figure(value)} in {year}",
                missing,
                figure(without),
                result.replace("_", " "),
                true_in,
            )
            for variant, role, comparator, number, value, year, missing, without, result, true_in in rows
        ],
    )


def _untestable(claims: Sequence[Row]) -> str:
    counts = Counter((one["verdict"], one["measure"] == "milestone") for one in claims)
    return "\n".join(
        f"* {verdict.replace('_', ' ')}, {'milestones' if milestone else 'figures and directions'}: {count}"
        for (verdict, milestone), count in sorted(counts.items())
    )


def _untestable_figures(claims: Sequence[Row]) -> str:
    return _table(
        ["claim", "statement", "verdict", "why", "could be tested with"],
        [
            (
                f"`{one['claim_id']}`",
                one["statement"],
                one["verdict"].replace("_", " "),
                one["verdict_reason"].replace(" | ", "; "),
                one["checkable_with"],
            )
            for one in claims
            if one["measure"] != "milestone"
        ],
    )


def _milestones() -> str:
    rows = fetch(
        """
        select kind, count(*), string_agg(distinct status, ', ' order by status), count(year)
        from milestones group by kind order by kind
        """
    )
    return _table(["kind", "milestones", "status in the review", "with a year"], rows)


def _inconsistencies() -> str:
    rows = fetch("select finding, claim_ids from claim_inconsistencies order by inconsistency_id")
    return "\n".join(f"* {finding} (`{claims.replace(';', '`, `')}`)." for finding, claims in rows)


def _leads() -> str:
    return _table(
        ["claim", "points to", "lead", "source", "date"],
        [
            (
                f"`{claim}`",
                hint.replace("_", " "),
                lead,
                f"[{title}]({url})" if title and url else title or seen.replace("_", " "),
                stated,
            )
            for claim, hint, lead, title, url, stated, seen in documents.leads()
        ],
    )


def document() -> str:
    """Return the whole document in Markdown.

    Raises:
        NotPublished: Nothing is published yet.
    """
    claims = fetch_rows("from claims_audit order by claim_id").records
    by_verdict = defaultdict(list, grouped(claims, "verdict"))
    untested = [one for one in claims if one["verdict"] in ("document_only", "no_data")]
    parts = [
        _HEAD.read_text(encoding="utf-8").rstrip(),
        "## Verdicts",
        documents.summary(),
        _summary(claims),
        _spread(),
        "## Supported",
        _figures(by_verdict["supported"]),
        "## True of another year",
        _figures(by_verdict["supported_other_year"]),
        "## Depends on the reading: the review does not define what is measured",
        _reasons(by_verdict["depends_on_reading"]),
        "The regional figure, with every kind of mean:",
        _means(),
        "## Contradicted, and by how much",
        _figures(by_verdict["contradicted"]),
        _reasons(by_verdict["contradicted"]),
        "## Directions",
        "Supported:",
        _reasons(by_verdict["direction_supported"]),
        "Contradicted:",
        _reasons(by_verdict["direction_contradicted"]),
        "Depends on the base year:",
        _base_years(),
        "## Not comparable: a series exists, but measures something else, or its editions do not compare",
        _others(),
        "## No suitable series: no figure of the years in question",
        _reasons(by_verdict["no_suitable_series"]),
        "## What documents say",
        _table(["by documents", "claims", "of these, figures decide"], documents.counts()),
        documents.decided_claims(),
        "## What figures cannot test, and why",
        _untestable(untested),
        _untestable_figures(untested),
        "Milestones can be verified with documents only. The milestones of the review, by kind:",
        _milestones(),
        "## Inconsistencies within the review",
        _inconsistencies(),
        "## Coverage by member",
        f"A claim about several members counts for each of them. Members that no claim names: {_unnamed()}.",
        _members(),
        "## Leads",
        "Pointers for further checks. They are not verdicts: documents of low confidence, and statements for which no"
        " primary data were read.",
        _leads(),
    ]
    return "\n\n".join(parts) + "\n"
