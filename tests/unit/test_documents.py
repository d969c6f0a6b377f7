"""The documentary evidence: its rows repeat the shared files, and its faults give clear messages."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from pipelines.seeds.codes import DOCUMENT_ROLES, DOCUMENTARY_VERDICTS, DOCUMENTS_DECIDE
from pipelines.texts.words import LANGUAGES, TEXTS
from sources.errors import ConfigurationError
from tests.conftest import ROOT
from tests.seed_copies import check_seeds, copy_seeds

SEEDS = ROOT / "dbt_project" / "seeds"
SHARED = ROOT.parent / "shared" / "seed"

Table = list[dict[str, str]]


def read(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def documents() -> Table:
    return read(SEEDS / "documentary_evidence.csv")


@pytest.fixture(scope="module")
def shared() -> tuple[Table, Table]:
    """Return the documents and the leads that the seed was filled from."""
    files = [SHARED / "documentary_evidence.csv", SHARED / "claim_leads.csv"]
    if not all(file.is_file() for file in files):
        pytest.skip("the shared files are not next to this checkout")
    return read(files[0]), read(files[1])


def addresses(text: str) -> set[str]:
    return set(re.findall(r"https?://[^\s;]+", text))


def test_every_shared_document_has_its_row_with_its_address_and_date(shared: tuple[Table, Table]) -> None:
    """An address that is cut in the file of documents is whole in the file of leads."""
    evidence, leads = shared
    rows = {(row["claim_id"], row["source_url"]): row for row in documents()}
    whole = {(lead["claim_id"], lead["source_url"]) for lead in leads}
    above = ""
    for given in evidence:
        claim, address = given["claim_id"], given["source_url"]
        if (claim, address) not in rows:
            (address,) = [url for of, url in whole if of == claim and url.startswith(address)]
        row = rows[claim, address]
        above = above if given["second_source"] == "as above" else given["second_source"]
        assert row["document_date"] == given["document_date"], claim
        assert row["what_it_says"] == given["what_it_says"], claim
        assert (row["bearing"], row["confidence"]) == (given["bearing"], given["confidence"]), claim
        assert addresses(row["second_source"]) == addresses(above), claim
        assert row["retrieved_on"] == "2026-11-26", claim


def test_every_other_row_is_a_lead_with_the_date_that_the_lead_states(shared: tuple[Table, Table]) -> None:
    evidence, leads = shared
    given = {lead["claim_id"] + lead["source_url"]: lead for lead in leads}
    known = {(row["claim_id"], row["document_date"]) for row in evidence}
    others = [row for row in documents() if (row["claim_id"], row["document_date"]) not in known]
    assert len(documents()) - len(others) == len(evidence)
    for row in others:
        lead = given[row["claim_id"] + row["source_url"]]
        assert not row["second_source"]
        assert states(f"{lead['lead']} {lead['source_title']} {lead['source_url']}", row["document_date"]), row
    taken = {row["claim_id"] + row["source_url"] for row in documents()}
    left = {lead["claim_id"] for key, lead in given.items() if lead["source_url"] and key not in taken}
    assert all(re.search("-gii-|-egov-|cybersecurity", claim) for claim in left), "indices are left to the figures"


def states(text: str, stated: str) -> bool:
    """Return whether a text contains a date of the form year, year-month or year-month-day; true without a date."""
    if len(stated) <= 4:
        return stated in text
    day = date.fromisoformat(stated if len(stated) == 10 else f"{stated}-01")
    month = rf"{day:%B} {day:%Y}|{day:%b} {day:%Y}"
    forms = rf"{day.day} ({month})|{day.day} {day:%B}|{day:%Y/%m/%d}" if len(stated) == 10 else month
    return re.search(forms, text) is not None


def test_a_kind_of_source_decides_as_the_method_says() -> None:
    kinds = {row["kind"]: row["decides"] for row in read(SEEDS / "document_kinds.csv")}
    assert {kind for kind, decides in kinds.items() if decides == "alone"} == {
        "legal_text",
        "treaty_depositary",
        "programme_page",
    }
    assert {kind for kind, decides in kinds.items() if decides == "nothing"} == {"member_statement"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_document_has_its_word(language: str) -> None:
    texts = yaml.safe_load((TEXTS / f"{language}.yml").read_text(encoding="utf-8"))
    assert set(texts["document_kinds"]) == {row["kind"] for row in read(SEEDS / "document_kinds.csv")}
    assert set(texts["document_bearings"]) == {row["bearing"] for row in read(SEEDS / "document_bearings.csv")}
    assert tuple(texts["documentary_verdicts"]) == DOCUMENTARY_VERDICTS
    assert set(texts["document_roles"]) == set(DOCUMENT_ROLES)
    assert not {"context", "open"} & set(DOCUMENTS_DECIDE)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return copy_seeds(tmp_path)


def fault(seeds: Path, *rows: dict[str, str]) -> str:
    """Return the message for the invented rows, which are the only documents; the first row is in line 2."""
    path = seeds / "documentary_evidence.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(documents()[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**DOCUMENT, **row} for row in rows)
    with pytest.raises(ConfigurationError) as raised:
        check_seeds(seeds)
    message = str(raised.value)
    assert message.startswith(f"{path}:{len(rows) + 1}: p5-gii-kaz") and "\n" not in message
    return message


DOCUMENT = {
    "claim_id": "p5-gii-kaz",
    "bearing": "supports",
    "confidence": "high",
    "document_date": "2024-02-29",
    "what_it_says": "An invented statement",
    "source_url": "https://example.org/a/report-of-the-year",
    "source_kind": "press",
    "retrieved_on": "2026-11-26",
}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"source_url": "example.org/report"}, "column source_url: must match the pattern"),
        ({"source_url": "https://example.org/the report"}, "column source_url: must match the pattern"),
        ({"source_url": "https://report"}, "column source_url: must match the pattern"),
        ({"source_url": "htps://example.org"}, "column source_url: must match the pattern"),
        ({"source_url": ""}, "column source_url: is empty"),
        ({"second_source": "a newspaper", "second_source_bearing": "confirms"}, "column second_source: must match"),
        ({"second_source": "https://other.org/b"}, "column second_source_bearing: is needed with a second source"),
        ({"second_source_bearing": "confirms"}, "column second_source_bearing: is needed with a second source"),
        (
            {"second_source": "https://b.org/; https://en.example.org/b", "second_source_bearing": "confirms"},
            "column second_source: is on the same site as source_url, example.org",
        ),
        ({"document_date": "2023-02-29"}, "column document_date: is no day of the calendar: '2023-02-29'"),
        ({"document_date": "2023-13"}, "column document_date: is no day of the calendar: '2023-13'"),
        ({"document_date": "May 2023"}, "column document_date: must match the pattern"),
        ({"document_date": "2026-12"}, "column document_date: 2026-12 is later than retrieved_on, 2026-11-26"),
        ({"retrieved_on": ""}, "column retrieved_on: is empty"),
        ({"source_kind": "rumour"}, "column source_kind: 'rumour' is not in document_kinds.csv"),
        ({"bearing": "proves"}, "column bearing: 'proves' is not in document_bearings.csv"),
        ({"confidence": "certain"}, "column confidence: must be one of high, medium, low"),
        ({"claim_id": "p5-gii-kazakh"}, "'p5-gii-kazakh' is not in claims.csv"),
    ],
)
def test_a_faulty_document_is_reported_with_its_line_and_column(
    seeds: Path, cells: dict[str, str], expected: str
) -> None:
    assert expected in fault(seeds, cells)


def test_an_address_that_is_cut_off_is_reported_with_the_whole_one(seeds: Path) -> None:
    whole = {"claim_id": "p5-gii-chn"}
    cut = {"source_url": "https://example.org/a/report-of-the-ye"}
    assert f"is cut off: the whole address is {DOCUMENT['source_url']}" in fault(seeds, whole, cut)


def test_the_examples_of_the_guide_are_valid_rows(seeds: Path) -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a document to a claim")[1]
    examples = re.findall(r"```csv\n(.*?)```", guide.split("\n## ")[0], flags=re.DOTALL)
    with (seeds / "documentary_evidence.csv").open("a", encoding="utf-8") as handle:
        handle.writelines(examples)
    check_seeds(seeds)
    assert any(",member_statement," in example for example in examples)
