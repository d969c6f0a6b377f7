"""The documentary verdict of every claim, recomputed in plain Python, as of today and as of the day of the review."""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest

from pipelines.report.documents import decisions
from pipelines.seeds.codes import DOCUMENTS_DECIDE
from tests.conftest import run_carec
from tests.templates import REVIEW_DAY, Refreshed

Row = dict[str, Any]


def rows(warehouse: Path, sql: str) -> list[Row]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def verdicts(warehouse: Path) -> dict[str, tuple[str, str]]:
    found = rows(warehouse, "select claim_id, documentary_verdict, documentary_reason_code from claims_audit")
    return {row["claim_id"]: (row["documentary_verdict"], row["documentary_reason_code"]) for row in found}


def known_from(document: Row) -> date:
    parts = [int(part) for part in (document["document_date"] or "").split("-") if part]
    if not parts:
        return document["retrieved_on"]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    day = parts[2] if len(parts) > 2 else calendar.monthrange(year, month)[1]
    return min(date(year, month, day), document["retrieved_on"])


def site(address: str) -> str:
    host = urlsplit(address).hostname or ""
    return re.sub(r"^(www|en|ru)\.", "", host)


def judge(documents: list[Row], as_of: date, decides: dict[str, str]) -> tuple[str, str]:
    """Return verdict and reason of the documents of one claim, by the rule of docs/method.md."""
    known = [one for one in documents if known_from(one) <= as_of]
    able = [one for one in known if decides[one["source_kind"]] != "nothing"]
    sure = [one for one in able if one["confidence"] != "low"]
    sided = [one for one in sure if re.match("supports|contradicts", one["bearing"])]
    primary = [one for one in sided if decides[one["source_kind"]] == "alone"]
    used = primary or sided or sure
    if not used:
        if able:
            return "open", "low_confidence"
        return "open", "member_statement_only" if known else "later_document_only" if documents else "no_document"
    second = {one["second_source_bearing"] for one in used if one["retrieved_on"] <= as_of}
    sides = {one["bearing"].split("_")[0] for one in used}
    if sided and (len(sides) > 1 or ("differs" in second and not primary)):
        return "open", "documents_disagree"
    if not sided and "depends" in sides:
        return "open", "reading_open"
    is_primary = any(decides[one["source_kind"]] == "alone" for one in used)
    is_confirmed = "confirms" in second or len({site(one["source_url"]) for one in used}) > 1
    reason = "primary_source" if is_primary else "second_source" if is_confirmed else "single_source"
    if not sided:
        return "context", reason
    (side,) = sides
    past = {"supports": "supported", "contradicts": "contradicted"}[side]
    is_whole = all(one["bearing"] == side for one in used)
    return f"{past}_by_document" if is_whole else f"{past}_in_part", reason


def expected(warehouse: Path, as_of: date) -> dict[str, tuple[str, str]]:
    repeats = rows(warehouse, "from claim_duplicates where relation = 'same'")
    first = {row["claim_id"]: row["duplicate_of"] for row in repeats}
    decides = {row["kind"]: row["decides"] for row in rows(warehouse, "from document_kinds")}
    documents = defaultdict(list)
    for row in rows(warehouse, "from documentary_evidence"):
        documents[first.get(row["claim_id"], row["claim_id"])].append(row)
    claims = [row["claim_id"] for row in rows(warehouse, "select claim_id from claims")]
    return {claim: judge(documents[first.get(claim, claim)], as_of, decides) for claim in claims}


def test_every_documentary_verdict_can_be_recomputed(published_warehouse: Path) -> None:
    found = verdicts(published_warehouse)
    assert found == expected(published_warehouse, date(2026, 11, 27))
    assert {verdict for verdict, _ in found.values()} >= {*DOCUMENTS_DECIDE, "context", "open"}


def test_the_verdicts_as_of_the_review_use_only_what_was_known_then(
    review_day: Refreshed, published_warehouse: Path
) -> None:
    warehouse = review_day.warehouse
    then, now = verdicts(warehouse), verdicts(published_warehouse)
    assert then == expected(warehouse, date.fromisoformat(REVIEW_DAY))
    assert then["p1-geo-digital-agency-2022"] == now["p1-geo-digital-agency-2022"]
    # the ministry's new name is of September 2025; on the pilot only a lead was known before November 2025
    assert (then["p1-kaz-digital-ministry"], then["hl-cats-pilot"]) == (
        ("open", "later_document_only"),
        ("open", "low_confidence"),
    )
    # a second source without a date is known from the day on which it was read
    assert then["p3-uzb-renewable-data-centre-2023"] == ("contradicted_in_part", "single_source")
    shown = run_carec("claims", warehouse=warehouse).stdout
    assert f"later than {REVIEW_DAY} and not used: " in shown
    assert "later than" not in run_carec("claims", warehouse=published_warehouse).stdout


def test_the_document_verdict_changes_no_verdict_of_figures(published_warehouse: Path) -> None:
    """The verdict of a claim with documents is that of the same kind of claim without them."""
    assert rows(
        published_warehouse,
        "select distinct verdict from claims_audit where measure = 'milestone' and documentary_verdict <> 'open'",
    ) == [{"verdict": "document_only"}]


def test_the_summary_counts_every_claim_once(published_warehouse: Path) -> None:
    counted = rows(
        published_warehouse,
        "select verdict, documentary_verdict from claims_audit where duplicate_of is null",
    )
    numbers = decisions((row["verdict"], row["documentary_verdict"]) for row in counted)
    assert numbers.total == len(counted) == numbers.figures + numbers.documents - numbers.both + numbers.neither
    sentence = f"Figures decide {numbers.figures} of {numbers.total} claims, documents {numbers.documents}"
    assert sentence in " ".join(run_carec("claims", warehouse=published_warehouse).stdout.split())


@pytest.mark.parametrize("claim", ["p3-transcaspian-cable", "hl-geo-elearning-students"])
def test_a_repeated_claim_has_the_documents_of_the_other(published_warehouse: Path, claim: str) -> None:
    found = rows(published_warehouse, f"select filed_under from claim_documents where claim_id = '{claim}'")
    assert found and all(row["filed_under"] != claim for row in found)
