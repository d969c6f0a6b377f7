"""Write the audit of the review's claims as a document, ``docs/claims.md``, from the published file.

Belongs here: the text and the tables of the document. Does not belong here: verdicts (``dbt_project``), the output of
the command line (``pipelines.cli.claims``). The document contains no time of day and no path: equal figures give an
equal document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.formatting import GAP, figure
from pipelines.published import claimed, fetch
from pipelines.report import documents
from pipelines.seeds.codes import DECIDED, VERDICTS

_HEAD = """# The claims of the mid-term review, tested against public data

`carec claims --write-docs docs/claims.md` writes this page from the published file; do not edit it.
`carec claims CLAIM_ID` prints one claim in full. Tables: `claims_audit` (one verdict per claim), `claim_tests` (every
test of a claim), `claim_documents` (every document of a claim), `milestones`, `claim_leads`, `claim_inconsistencies`,
`claim_verdict_changes`.

The register contains every statement of the preliminary findings that were presented in Manila on 26 June 2025, in our
own words. A verdict is about the statement and the available figures, not about the effort of a country.

## How a claim is tested

* A claim states a value, unit, year and comparator. The seed `claim_evidence` names the series. The tolerance depends
  on the unit: 2 percentage points; ranks exact; counts and amounts 5 %. No tolerance was chosen after a result was
  known. A figure that is within the tolerance of a number also counts as over it and under it.
* The year is never chosen to fit. If neither the review nor the context states a year, the last three data years up to
  2025 are tested, and the reason contains "no year stated". If a stated year has no figure, the nearest year with a
  figure is used, at most two years away. It can only support the claim for another year.
* "True in" is the year nearest to the stated one in which the claim is true. "True of" names other members and years.
* A statement about several members is true only if it is true for each member that has a figure, and if at least 80 %
  of them have one. A single member refutes it.
* A regional mean is computed in four ways: simple and weighted by the population of the same year, each with and
  without China. Members without a figure are named. At least 80 % of the members (weighted: of their population) must
  have a figure. The mean without Afghanistan is also shown.
* A direction is compared with the median of the base years: the year that the claim names, else the five years before.
* A number of people may be compared with a larger group that contains them, such as users of the internet or pupils of
  the schools. A number below the size of the group is not supported by that; a number above it is contradicted.
* A rank is compared with the rank in the named edition only.
* A series with another definition is shown with its difference. It does not decide a verdict. Copies of one source
  count once.
* `carec refresh --as-of 2025-06-26` makes the audit with the data known on the day of the review, from the stored
  vintages. It names the series that have no vintage of that time. Documents of a later date are not used.

Documents give a verdict of their own, which is never mixed with that of the figures. A legal text, a treaty depositary
or the programme's own page decides alone; other reports need a second source, or the verdict says "single source"; a
document of low confidence is a lead and decides nothing. [The method](method.md#documents-about-claims) has the whole
rule.
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = (GAP if cell is None else str(cell).replace("|", "/") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _verdicts(*verdicts: str) -> str:
    """Return a table of the claims with these verdicts: the claimed value and the figure, as text."""
    rows = fetch(
        """
        select claim_id, statement, value, comparator, baseline_value, baseline_comparator,
               evidence_value, evidence_year, deviation, nearest_true_year, true_elsewhere, duplicate_of
        from claims_audit where verdict in (select unnest(?)) order by claim_id
        """,
        [list(verdicts)],
    )
    if not rows:
        return "None."
    return _table(
        ["claim", "statement", "claimed", "figure", "off by", "true in", "true of"],
        [
            (
                f"`{claim}`" + (f" (repeats `{repeats}`)" if repeats else ""),
                statement,
                claimed(*claim_parts),
                f"{figure(value)} in {year}",
                figure(off),
                true_in,
                elsewhere,
            )
            for claim, statement, *claim_parts, value, year, off, true_in, elsewhere, repeats in rows
        ],
    )


def _reasons(*verdicts: str) -> str:
    """Return a list of the claims with these verdicts, each with the reasons of its tests."""
    rows = fetch(
        "select claim_id, statement, verdict_reason from claims_audit"
        " where verdict in (select unnest(?)) order by claim_id",
        [list(verdicts)],
    )
    if not rows:
        return "None."
    return "\n".join(
        f"* `{claim}` {statement}.\n" + "\n".join(f"  * {part}" for part in reason.split(" | "))
        for claim, statement, reason in rows
    )


def _others() -> str:
    """Return the claims that have only series with another definition: one line per series, with all members."""
    rows = fetch(
        """
        select a.claim_id, a.statement, t.indicator_id,
               case
                   when t.definition_match = 'different' then 'measures ' || t.definition_note
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


def _summary() -> str:
    """Return the number of claims per verdict, as text."""
    counts = dict(fetch("select verdict, count(*) from claims_audit where duplicate_of is null group by verdict"))
    every, twice = sum(counts.values()), fetch("select count(duplicate_of) from claims_audit")[0][0]
    decided = {verdict: counts[verdict] for verdict in DECIDED if verdict in counts}
    listed = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in decided.items())
    other, without = counts.get("not_comparable", 0), counts.get("document_only", 0) + counts.get("no_data", 0)
    return (
        f"Public figures decide {sum(decided.values())} of {every} claims ({every + twice} with repeated ones):"
        f" {listed}. For {other} more, a series exists that measures something else. No available figure can test the"
        f" other {without}; a later section names what could."
    )


def _spread() -> str:
    counts = ", ".join(f"count(*) filter (verdict = '{verdict}')" for verdict in VERDICTS)
    rows = fetch(
        f"""
        select pillar, count(*), {counts} from claims_audit where duplicate_of is null group by pillar order by pillar
        """
    )
    rows += fetch(f"select 'all', count(*), {counts} from claims_audit where duplicate_of is null")
    return _table(["pillar", "claims", *(verdict.replace("_", " ") for verdict in VERDICTS)], rows)


def _members() -> str:
    counts = ", ".join(f"count(*) filter (verdict = '{verdict}')" for verdict in VERDICTS)
    rows = fetch(
        f"""
        with shares as (
            select unnest(string_split(country_iso3, ';')) as iso3, verdict, value from claims_audit
        )
        select economies.name, count(verdict), count(value), {counts}
        from economies left join shares using (iso3) where economies.is_member group by economies.name order by all
        """
    )
    return _table(["member", "claims", "with a number", *(verdict.replace("_", " ") for verdict in VERDICTS)], rows)


def _unnamed() -> str:
    rows = fetch(
        """
        select name from economies
        where is_member and iso3 not in (select unnest(string_split(country_iso3, ';')) from claims) order by name
        """
    )
    return ", ".join(name for (name,) in rows)


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


def _untestable() -> str:
    rows = fetch(
        """
        select verdict, measure = 'milestone', count(*) from claims_audit
        where verdict in ('document_only', 'no_data') group by all order by all
        """
    )
    return "\n".join(
        f"* {verdict.replace('_', ' ')}, {'milestones' if milestone else 'figures and directions'}: {count}"
        for verdict, milestone, count in rows
    )


def _untestable_figures() -> str:
    rows = fetch(
        """
        select claim_id, statement, verdict, verdict_reason, checkable_with from claims_audit
        where verdict in ('document_only', 'no_data') and measure <> 'milestone' order by claim_id
        """
    )
    return _table(
        ["claim", "statement", "verdict", "why", "could be tested with"],
        [
            (f"`{claim}`", statement, verdict.replace("_", " "), reason.replace(" | ", "; "), source)
            for claim, statement, verdict, reason, source in rows
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
    parts = [
        _HEAD.rstrip(),
        "## Verdicts",
        documents.summary(),
        _summary(),
        _spread(),
        "## Supported",
        _verdicts("supported"),
        "## True of another year",
        _verdicts("supported_other_year"),
        "The regional figure, with every kind of mean:",
        _means(),
        "## Contradicted, and by how much",
        _verdicts("contradicted"),
        _reasons("contradicted"),
        "## Directions",
        "Supported:",
        _reasons("direction_supported"),
        "Contradicted:",
        _reasons("direction_contradicted"),
        "## Not comparable: a series exists, but measures something else",
        _others(),
        "## What documents say",
        _table(["by documents", "claims", "of these, figures decide"], documents.counts()),
        documents.decided_claims(),
        "## What figures cannot test, and why",
        _untestable(),
        _untestable_figures(),
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
