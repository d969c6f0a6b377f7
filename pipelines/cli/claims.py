"""The command ``claims``: the audit of the review's claims, from the published file.

Belongs here: the queries and columns that it prints. Does not belong here: verdicts (``dbt_project``), the document
(``pipelines.report.claims_document``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.cli.claim_tests import print_base_years, print_tests, print_trends
from pipelines.cli.tables import Format, console, readable, show
from pipelines.cli.terminal import format_option, home_path, write_document
from pipelines.formatting import GAP
from pipelines.published import claimed, economy_code, fetch, fetch_rows, imprint, not_known, opened_once
from pipelines.report.claims_document import document
from pipelines.report.documents import USED, later, summary
from pipelines.seeds.codes import DOCUMENTARY_VERDICTS, VERDICTS
from pipelines.texts.words import ENGLISH, Words
from sources.errors import ConfigurationError, did_you_mean

_EVIDENCE = {
    "claim_tests": "role desc, indicator_id, variant, iso3",
    "claim_base_years": "indicator_id, iso3, base_year",
    "claim_leads": "lead",
    "claim_documents": "known_from, source_url",
}
"""Table with the evidence of a claim -> the order of its rows."""


@click.command()
@click.argument("claim_id", required=False, help="One claim in full.")
@click.option("--verdict", help="Only claims with this verdict of figures.")
@click.option("--documents", metavar="VERDICT", help="Only claims with this verdict of documents.")
@click.option("--pillar", help="Only claims of this pillar or section.")
@click.option("--country", metavar="ISO3", help="Only claims on this member.")
@click.option("--write-docs", "write", type=home_path, metavar="FILE", help="Write the audit (docs/claims.md).")
@format_option
@opened_once()
def claims(
    claim_id: str | None,
    verdict: str | None,
    documents: str | None,
    pillar: str | None,
    country: str | None,
    write: Path | None,
    fmt: Format,
) -> None:
    """The claims of the mid-term review: the verdict of public figures and that of documents, with their evidence."""
    if write is not None:
        write_document(write, document())
    elif claim_id is None:
        audit(fmt, verdict, pillar, country, documents)
    elif verdict or documents or pillar or country:
        raise click.BadParameter(
            "CLAIM_ID prints one claim in full: it takes neither --verdict, --documents, --pillar nor --country"
        )
    else:
        claim(claim_id, fmt)


def _verdict(name: str, section: str, given: str, known: Sequence[str]) -> str:
    """Return the code of a verdict that is given as code or in words."""
    codes = {word: code for code, word in Words(ENGLISH).get(section).items()}
    return _one_of(name, codes.get(given.lower(), given.lower()), known)


def _one_of(name: str, given: str, known: Sequence[str]) -> str:
    if given not in known:
        raise ConfigurationError(
            f"{given!r} is not a {name} of a claim; known are {', '.join(known)}{did_you_mean(given, known)}"
        )
    return given


def audit(
    fmt: Format, verdict: str | None, pillar: str | None, country: str | None, documents: str | None = None
) -> None:
    """Print the claims that match every filter. Tables are followed by the number of claims per verdict.

    Args:
        fmt: How the claims are printed.
        verdict: Only claims with this verdict of figures.
        pillar: Only claims of this pillar or section.
        country: ISO3 code of a member, or ``CAREC``: only claims about it.
        documents: Only claims with this verdict of documents.

    Raises:
        ConfigurationError: A filter has an unknown value.
    """
    wanted = _filters(verdict, pillar, country, documents)
    where = " and ".join(wanted) or "true"
    filters = list(wanted.values())
    if fmt is not Format.TABLE:
        show(*fetch_rows(f"from claims_audit where {where} order by claim_id", filters), fmt)
        return
    words = Words(ENGLISH)
    rows = fetch(
        f"""
        select claim_id, country_iso3, verdict, documentary_verdict,
               value, comparator, baseline_value, baseline_comparator,
               evidence_value, evidence_year, deviation, nearest_true_year, evidence_indicator_id
        from claims_audit where {where} order by regexp_extract(document_line, '^[0-9]+')::integer, claim_id
        """,
        filters,
    )
    heads = ["claim", "country", "verdict / documents", "claimed", "figure", "year", "off by", "true in", "series"]
    table = [
        [claim, iso3, _in_words(words, decided, documentary), claimed(*evidence[:4]), *evidence[4:]]
        for claim, iso3, decided, documentary, *evidence in rows
    ]
    show(heads, table, fmt, cell=readable, title="The mid-term review's claims", right=heads[3:8])
    for title, group in {"pillar": "pillar", "country": "unnest(string_split(country_iso3, ';'))"}.items():
        console().print()
        _summary(title, group, "verdict", "verdicts", where, filters)
    console().print()
    _summary("by documents", "pillar", "documentary_verdict", "documentary_verdicts", where, filters)
    out = console()
    out.print()
    out.print(summary(where, list(filters)))
    out.print("One claim in full: carec claims CLAIM_ID")
    for line in [*not_known(), *later()]:
        out.print(line)
    out.print(imprint())


def _in_words(words: Words, verdict: str, documentary: str) -> str:
    decided = words.word("verdicts", verdict)
    return decided if documentary == "open" else f"{decided}\n/ {words.word('documentary_verdicts', documentary)}"


def _filters(verdict: str | None, pillar: str | None, country: str | None, documents: str | None) -> dict[str, str]:
    """Return SQL conditions, each with the value of its parameter.

    Raises:
        ConfigurationError: A filter has an unknown value.
    """
    wanted: dict[str, str] = {}
    if verdict is not None:
        wanted["verdict = ?"] = _verdict("verdict", "verdicts", verdict, VERDICTS)
    if documents is not None:
        wanted["documentary_verdict = ?"] = _verdict(
            "documentary verdict", "documentary_verdicts", documents, DOCUMENTARY_VERDICTS
        )
    if pillar is not None:
        pillars = [row[0] for row in fetch("select distinct pillar from claims order by 1")]
        wanted["pillar = ?"] = _one_of("pillar", pillar.lower().removeprefix("p"), pillars)
    if country is not None:
        codes = [row[0] for row in fetch("select iso3 from economies where is_member order by 1")]
        code = _one_of("country", "CAREC" if country.upper() == "CAREC" else economy_code(country), [*codes, "CAREC"])
        wanted["list_contains(string_split(country_iso3, ';'), ?)"] = code
    return wanted


def _summary(title: str, group: str, column: str, section: str, where: str, filters: list[str]) -> None:
    """Print the number of claims per verdict of a column: one row per verdict, one column per ``group`` and for all."""
    codes = {"verdicts": VERDICTS, "documentary_verdicts": DOCUMENTARY_VERDICTS}[section]
    counts = ", ".join(f"count(*) filter ({column} = '{code}')" for code in codes)
    counted = f"from claims_audit where {where} and duplicate_of is null"
    rows = fetch(
        f"select part, count(*), {counts} from (select {group} as part, {column} {counted})"
        " group by part order by part",
        filters,
    )
    rows += fetch(f"select 'all claims', count(*), {counts} {counted}", filters)
    heads = [title, *(row[0] for row in rows)]
    names = ["claims", *(Words(ENGLISH).word(section, code) for code in codes)]
    counted_by = zip(names, *(row[1:] for row in rows), strict=True)
    table = [[name, *(str(count) if count else GAP for count in counts)] for name, *counts in counted_by]
    show(heads, table, Format.TABLE, right=heads[1:])


def claim(claim_id: str, fmt: Format) -> None:
    """Print one claim in full: its statement, verdict, tests, series and leads.

    Raises:
        ConfigurationError: The id is unknown.
    """
    found = fetch_rows("from claims_audit where claim_id = ?", [claim_id])
    if not found.values:
        near = fetch(
            "select claim_id from claims order by jaro_winkler_similarity(claim_id, ?) desc limit 3", [claim_id]
        )
        raise ConfigurationError(f"unknown claim {claim_id!r}; the nearest are {', '.join(row[0] for row in near)}")
    tests, bases, leads, documents = (
        fetch_rows(f"from {name} where claim_id = ? order by {order}", [claim_id]) for name, order in _EVIDENCE.items()
    )
    if fmt is Format.CSV:
        show(*tests, fmt)
        return
    if fmt is Format.JSON:
        nested = [part.records for part in (tests, bases, leads, documents)]
        show([*found.columns, "tests", "base_years", "pointers", "documents"], [(*found.values[0], *nested)], fmt)
        return
    one = found.records[0]
    out = console()
    out.print(f"{claim_id} ({one['country_iso3']}; line {one['document_line']} of the review)")
    out.print(f"  {one['statement']}")
    out.print(f"  status in the review: {one['status_word'] or 'none given'}; {one['note'] or ''}")
    for verdict, section, reason in (
        ("verdict", "verdicts", "verdict_reason"),
        ("documentary_verdict", "documentary_verdicts", "documentary_reason"),
    ):
        out.print(f"{verdict.replace('_', ' ')}: {Words(ENGLISH).word(section, one[verdict])}")
        for part in one[reason].split(" | "):
            out.print(f"  {part}")
    if one["duplicate_of"]:
        out.print(f"  repeats {one['duplicate_of']}: counted once")
    if tests.values:
        out.print()
        print_tests(claim_id)
        print_base_years(claim_id)
        print_trends(claim_id)
    _documents(documents.records, leads.records)
    out.print()
    out.print(imprint())


def _documents(documents: list[dict[str, Any]], leads: list[dict[str, Any]]) -> None:
    """Print the documents of a claim by their use, and its leads. A lead that is a document is printed once."""
    out = console()
    shown = {one["source_url"] for one in documents}
    pointers = [
        f"{one['verdict_hint']}: {one['lead']}"
        f" ({', '.join(filter(None, (one['source_title'], one['source_url']))) or one['seen']})"
        for one in leads
        if one["source_url"] is None or one["source_url"] not in shown
    ]
    lists = {
        "Documents:": [_document(one) for one in documents if one["role"] in USED],
        "Later than the as-of day, not used:": [_document(one) for one in documents if one["role"] == "later"],
        "Leads, not verdicts:": [_document(one) for one in documents if one["role"] == "lead"] + pointers,
    }
    for title, lines in lists.items():
        if lines:
            out.print()
            out.print(title)
        for line in lines:
            out.print(f"  {line}")


def _document(one: dict[str, Any]) -> str:
    """Return a document in one line: what it says, then its kind, date, address and second source."""
    second = one["second_source"] and f"second source, which {one['second_source_bearing']}: {one['second_source']}"
    part = None if one["role"] in ("weighed", "lead", "later") else one["role"]
    source = [one["source_kind"], one["document_date"] or "without a date", one["source_url"], second, part]
    return f"{one['bearing']}: {one['what_it_says']} ({', '.join(filter(None, source))})"
