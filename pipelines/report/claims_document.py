"""The audit of the review's claims as a document, ``docs/claims.md``, from the published file alone.

Belongs here: the text and the tables of the document. Does not belong here: verdicts (``dbt_project``), pages of the
command line (``claims``). No time of day and no path stands in it: equal figures give an equal document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.formatting import GAP, figure
from pipelines.published import VERDICTS, claimed, fetch

_HEAD = """# What public data say to the mid-term review's claims

Written by `carec claims --write-docs docs/claims.md` from the published file; do not edit. One claim in full:
`carec claims CLAIM_ID`. Tables: `claims_audit` (one verdict a claim), `claim_tests` (every test behind it),
`milestones`, `claim_leads`, `claim_inconsistencies`, `claim_verdict_changes`.

The register holds every statement of the preliminary findings presented in Manila on 26 June 2025, in our own words. A
verdict is about the statement and the figures at hand, not about a country's effort.

## How a claim is tested

* The claim gives value, unit, year and comparator; the seed `claim_evidence` names the series. Tolerances follow the
  unit: 2 percentage points, ranks exact, counts and amounts 5 %. No tolerance was chosen after a result. What is near
  enough to equal a number is near enough to be over or under it.
* The year is never chosen. Where the review states none and the words around give none, the last three data years up to
  2025 are tested, and the reason says "no year stated". Where a stated year has no figure, the nearest one at most two
  years away stands in, which can support the claim of another year only.
* "True in" is the year nearest to the one in question in which the claim holds. "True of" names other members and
  years.
* A statement on several members holds only where it holds for each that has a figure, and at least 80 % of them must
  have one; a single member refutes it.
* A regional mean is taken in every way: simple and weighted by the population of the same year, with and without China;
  members without a figure are named, at least 80 % of the members (weighted: of their population) must have one, and
  the mean without Afghanistan stands beside.
* A direction is judged against the median of its base years: the year named, else the five before.
* A number of people that stays below those who could be counted (users of the internet, pupils of the schools) is not
  thereby supported; above them it is contradicted.
* A rank is compared with that of the edition named, and no other edition stands in.
* Series of another definition are shown with the difference and decide nothing. Copies of one origin count once.
* `carec refresh --as-of 2025-06-26` makes the audit as the record stood on the review's day, from the vintages at hand,
  and names the series that were not.
"""


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        cells = (GAP if cell is None else str(cell).replace("|", "/") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _verdicts(*verdicts: str) -> str:
    """The claims with these verdicts: what is claimed, what the figure is, in words."""
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
                claimed(*said),
                f"{figure(value)} in {year}",
                figure(off),
                true_in,
                elsewhere,
            )
            for claim, statement, *said, value, year, off, true_in, elsewhere, repeats in rows
        ],
    )


def _reasons(*verdicts: str) -> str:
    """The claims with these verdicts, each with its tests in words."""
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
    """The claims that only series of another definition bear on: a line a series, with every member's figure."""
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
        told = [f"{iso3} {figure(value)} in {year}" for iso3, value, year in members if value is not None]
        silent = [iso3 for iso3, value, _ in members if value is None]
        told += [f"no figure for {', '.join(silent)}"] if silent else []
        lines.append(f"  * `{series}` ({difference}): {'; '.join(told)}")
    return "\n".join(lines) or "None."


def _summary() -> str:
    """The audit in three sentences."""
    counts = dict(fetch("select verdict, count(*) from claims_audit where duplicate_of is null group by verdict"))
    every, twice = sum(counts.values()), fetch("select count(duplicate_of) from claims_audit")[0][0]
    decided = {verdict: counts[verdict] for verdict in VERDICTS[:5] if verdict in counts}
    told = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in decided.items())
    return (
        f"Of {every} claims ({every + twice} with those that stand twice) public figures decide"
        f" {sum(decided.values())}: {told}. For {counts.get('not_comparable', 0)} more a series exists that measures"
        f" something else. The other {counts.get('document_only', 0) + counts.get('no_data', 0)} no figure at hand can"
        " test; what could settle each stands below."
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
                claimed(said, comparator, None, None),
                f"{figure(value)} in {year}",
                missing,
                figure(without),
                result.replace("_", " "),
                true_in,
            )
            for variant, role, comparator, said, value, year, missing, without, result, true_in in rows
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
        ["claim", "statement", "verdict", "why", "what could settle it"],
        [
            (f"`{claim}`", statement, verdict.replace("_", " "), reason.replace(" | ", "; "), settled)
            for claim, statement, verdict, reason, settled in rows
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
    rows = fetch("select claim_id, verdict_hint, lead, source_title, source_url, seen from claim_leads order by all")
    return _table(
        ["claim", "points to", "lead", "source"],
        [
            (
                f"`{claim}`",
                hint.replace("_", " "),
                lead,
                f"[{title}]({url})" if title and url else title or seen.replace("_", " "),
            )
            for claim, hint, lead, title, url, seen in rows
        ],
    )


def document() -> str:
    """The whole document in Markdown. Raises NotPublished where nothing is published."""
    return f"""{_HEAD}
## Verdicts

{_summary()}

{_spread()}

## Supported

{_verdicts("supported")}

## True of another year

{_verdicts("supported_other_year")}

The regional figure in every way of taking the mean:

{_means()}

## Contradicted, and by how much

{_verdicts("contradicted")}

{_reasons("contradicted")}

## Directions

Supported:

{_reasons("direction_supported")}

Contradicted:

{_reasons("direction_contradicted")}

## Not comparable: a series exists, but measures something else

{_others()}

## What cannot be tested, and why

{_untestable()}

{_untestable_figures()}

Milestones are settled by documents. What the review reports, by kind:

{_milestones()}

## Where the document does not agree with itself

{_inconsistencies()}

## Coverage by member

A claim that several members share counts for each. Named in no claim: {_unnamed()}.

{_members()}

## Leads

Pointers for whoever settles a claim. They are no verdicts: no primary data were read for them.

{_leads()}
"""
