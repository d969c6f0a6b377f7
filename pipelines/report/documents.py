"""Documents about the claims: how often figures and documents decide, dates in a language, and docs/claims.md.

Belongs here: what the report, the briefs, the command line and the document share about documents. Does not belong
here: the documentary verdict (``dbt_project``), the texts of the pages (``pipelines.texts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pipelines.published import fetch
from pipelines.report.data import Row, grouped
from pipelines.seeds.codes import DECIDED, DOCUMENTARY_VERDICTS, DOCUMENTS_DECIDE
from pipelines.texts.words import ENGLISH, Words

USED = ("weighed", "outweighed", "context", "statement")
"""Roles of the documents that are listed in full; leads and later documents are listed apart."""


class Decisions(NamedTuple):
    """Number of claims, of those that figures and documents decide, that both decide, and that neither decides."""

    total: int
    figures: int
    documents: int
    both: int
    neither: int


def decisions(verdicts: Iterable[tuple[str, str]]) -> Decisions:
    """Return how many claims figures decide and how many documents decide.

    Args:
        verdicts: The verdict of figures and that of documents, for each claim.

    Example:
        >>> decisions([("supported", "open"), ("no_data", "supported_in_part"), ("no_data", "context")])
        Decisions(total=3, figures=1, documents=1, both=0, neither=1)
    """
    decided = [(figures in DECIDED, documents in DOCUMENTS_DECIDE) for figures, documents in verdicts]
    return Decisions(
        total=len(decided),
        figures=sum(figures for figures, _ in decided),
        documents=sum(documents for _, documents in decided),
        both=decided.count((True, True)),
        neither=decided.count((False, False)),
    )


def shown_documents(claims: Sequence[Row], documents: Sequence[Row]) -> dict[str, Any]:
    """Return the values of the templates on documents.

    Args:
        claims: Rows of ``claims_audit``.
        documents: Rows of ``claim_documents`` in the order of the claims; none if the publication lacks the table.
    """
    counted = [row for row in claims if row["duplicate_of"] is None] if documents else []
    return {
        "documents_of": grouped(documents, "claim_id"),
        "decisions": decisions_of(counted),
        "documentary_counts": {
            code: decisions_of([row for row in counted if row["documentary_verdict"] == code])
            for code in DOCUMENTARY_VERDICTS
        },
    }


def decisions_of(claims: Iterable[Mapping[str, Any]]) -> Decisions:
    """Return the numbers of ``decisions`` for rows of ``claims_audit``."""
    return decisions((row["verdict"], row["documentary_verdict"]) for row in claims)


def date_in(words: Words, stated: str | None) -> str:
    """Return a document's date in a language; a date without a day as it is stated."""
    if stated is None:
        return words("documents.undated")
    return words.day(date.fromisoformat(stated)) if len(stated) == len("2025-06-26") else stated


def summary(where: str = "true", parameters: list[Any] | None = None) -> str:
    """Return the summary of the published claims in one English sentence; a repeated claim is counted once.

    Args:
        where: Condition on ``claims_audit``.
        parameters: Values of the parameters of the condition.
    """
    rows = fetch(
        f"select verdict, documentary_verdict from claims_audit where {where} and duplicate_of is null", parameters
    )
    counted = decisions((figures, documents) for figures, documents in rows)
    return Words(ENGLISH)("documents.summary", **counted._asdict())


def later() -> list[str]:
    """Return one line on the documents that are later than the as-of day; empty if there are none."""
    rows = fetch(
        """
        select as_of, count(distinct source_url), count(distinct claim_id)
        from claim_documents cross join publication where role = 'later' group by as_of
        """
    )
    return [
        f"later than {day} and not used: {documents} documents about {claims} claims" for day, documents, claims in rows
    ]


def counts() -> list[tuple[Any, ...]]:
    """Return a row per documentary verdict: its name, the claims, and those of them that figures decide."""
    found = {
        verdict: (claims, decided)
        for verdict, claims, decided in fetch(
            """
            select documentary_verdict, count(*), count(*) filter (list_contains(?, verdict))
            from claims_audit where duplicate_of is null group by all
            """,
            [list(DECIDED)],
        )
    }
    return [(verdict.replace("_", " "), *found.get(verdict, (0, 0))) for verdict in DOCUMENTARY_VERDICTS]


def decided_claims() -> str:
    """Return the claims that have a document which is no lead, in Markdown: verdict, reason and documents."""
    rows = fetch(
        f"""
        with used as (
            select claim_id, list(struct_pack(
                bearing, what_it_says, source_kind, document_date, source_url, second_source, second_source_bearing,
                second_source_note, role
            ) order by known_from, source_url) as documents
            from claim_documents where list_contains(?, role) group by claim_id
        )
        select claim_id, statement, verdict, documentary_verdict, documentary_reason_code, documents
        from claims_audit join used using (claim_id) where duplicate_of is null
        order by list_position({list(DOCUMENTARY_VERDICTS)}, documentary_verdict), claim_id
        """,
        [list(USED)],
    )
    lines = []
    for claim, statement, verdict, documentary, reason, documents in rows:
        lines.append(
            f"* `{claim}` {statement}. **{documentary.replace('_', ' ')}** ({reason.replace('_', ' ')});"
            f" figures: {verdict.replace('_', ' ')}."
        )
        lines += [f"  * {line}" for line in map(_item, documents)]
    return "\n".join(lines) or "None."


def _item(document: dict[str, Any]) -> str:
    """Return a document in Markdown: kind and date as a link, its bearing, what it says, and its second source."""
    kind, stated = document["source_kind"].replace("_", " "), document["document_date"] or "without a date"
    bearing = document["bearing"].replace("_", " ")
    part = "" if document["role"] == "weighed" else f", {document['role']}"
    line = f"[{kind}, {stated}]({document['source_url']}), {bearing}{part}: {document['what_it_says'].rstrip('.')}."
    if document["second_source"]:
        links = ", ".join(f"[{number}]({url})" for number, url in enumerate(document["second_source"].split("; "), 1))
        line += f" Second source, which {document['second_source_bearing']}: {links}."
    return line + (f" {document['second_source_note']}." if document["second_source_note"] else "")


def leads() -> list[tuple[Any, ...]]:
    """Return the leads: documents of low confidence, then the leads that are no document.

    Returns:
        Rows of claim, hint, lead, title of the source, address, date and how it was seen.
    """
    return fetch(
        """
        select claim_id, bearing, what_it_says, site, source_url, document_date, null as seen
        from claim_documents where role = 'lead' and filed_under = claim_id
        union all
        select claim_id, verdict_hint, lead, source_title, source_url, null, seen
        from claim_leads anti join claim_documents using (claim_id, source_url)
        order by claim_id, source_url nulls last, what_it_says
        """
    )
