"""Local files of an operator, read by the adapter and through the chain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from sources.catalogue import Indicator, load_catalogue
from sources.chain import resolve
from sources.checks.local_files import check_file
from sources.errors import ConfigurationError
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.local_file import LocalFiles, parse, parse_header
from tests.contract.loopback import PatientHttp
from tests.contract.visiting import AREAS, NOT_NUMBERS, NOT_YEARS, WINDOW, only, provider, reasons, values
from tests.contract.workbooks import NOT_WORKBOOKS, workbook, zip_bomb
from tests.running import ROOT

REQUEST = SeriesRequest("paperless_trade", (("file", "untf_survey"), ("unit", "pct")))
HEADER = {
    "indicator": "paperless_trade",
    "unit": "pct",
    "source_title": "Made-up survey",
    "source_url": "https://example.org/survey",
    "licence": "made up",
    "vintage": 2025,
    "retrieved_at": "2026-03-01T12:00:00+05:00",
    "retrieved_by": "A. Nother",
}
CSV = b"page,iso3,year,value\n12,UZB,2023,61.5\n13,KAZ,2023,70\n"
Drop = Callable[..., Fetched]


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Return a function that puts files into the folder and requests the series."""

    def ask(
        table: bytes | None, header: Any = HEADER, suffix: str = ".csv", request: SeriesRequest = REQUEST
    ) -> Fetched:
        if table is not None:
            (tmp_path / f"untf_survey{suffix}").write_bytes(table)
        if header is not None:
            text = header if isinstance(header, bytes) else yaml.safe_dump(header).encode()
            (tmp_path / "untf_survey.yml").write_bytes(text)
        http = PatientHttp(tries=1)
        return LocalFiles(tmp_path).fetch([request], provider("local_file", "http://127.0.0.1:9"), AREAS, WINDOW, http)

    return ask


def test_a_table_with_its_header_is_read_like_a_provider(drop: Drop, tmp_path: Path) -> None:
    fetched = drop(CSV)
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2023, 70.0), ("UZB", 2023, 61.5)]
    assert (answer.source_url, answer.release) == ("https://example.org/survey", "2025")
    assert answer.retrieved_at == datetime(2026, 3, 1, 7)
    assert set(answer.records["raw_sha256"]) == {fetched.bodies[1].sha256}
    assert [body.content for body in fetched.bodies] == [(tmp_path / "untf_survey.yml").read_bytes(), CSV]
    assert not [body.url for body in fetched.bodies if str(tmp_path) in body.url]


def test_the_licence_of_the_file_is_that_of_its_figures(drop: Drop) -> None:
    assert only(drop(CSV, HEADER | {"licence": "terms of a publisher"})).licence == "terms of a publisher"


def test_the_title_may_be_named_source(drop: Drop) -> None:
    header = {"source" if name == "source_title" else name: value for name, value in HEADER.items()}
    assert only(drop(CSV, header)).outcome is Outcome.OK


def test_a_workbook_is_accepted_too(drop: Drop) -> None:
    sheet = [["Copied from the survey"], ["Page", "Value", "Year", "ISO3"], [12, 61.5, 2023, "UZB"]]
    assert values(only(drop(workbook({"Figures": sheet, "Notes": [["x"]]}), suffix=".xlsx"))) == [("UZB", 2023, 61.5)]


def test_a_missing_file_means_no_data(drop: Drop) -> None:
    fetched = drop(None, None)
    assert only(fetched).outcome is Outcome.NO_DATA
    assert only(fetched).reason == "there is no file untf_survey.csv or untf_survey.xlsx"
    assert fetched.bodies == []


def test_a_missing_folder_means_no_data(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "nowhere")
    local_files = provider("local_file", "http://127.0.0.1:9")
    assert only(files.fetch([REQUEST], local_files, AREAS, WINDOW, PatientHttp())).outcome is Outcome.NO_DATA


def test_a_table_without_its_header_is_refused(drop: Drop) -> None:
    answer = only(drop(CSV, None))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "untf_survey.yml cannot be read (No such file" in (answer.reason or "")


@pytest.mark.parametrize("field", HEADER)
def test_a_header_with_a_missing_field_is_refused_with_its_name(field: str, drop: Drop) -> None:
    answer = only(drop(CSV, {name: value for name, value in HEADER.items() if name != field}))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert f"field {field}" in (answer.reason or "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"indicator": "cross_border_paperless"}, "indicator is cross_border_paperless, requested is paperless_trade"),
        ({"unit": "share"}, "unit is share, requested is pct"),
        ({"retrieved_at": "2999-01-01"}, "retrieved_at: lies in the future"),
        ({"retrieved_at": "last week"}, "retrieved_at"),
        ({"source_url": "page 12"}, "source_url"),
        ({"retrieved_by": " "}, "retrieved_by"),
        ({"licenze": "made up"}, "licenze"),
    ],
)
def test_a_header_that_contradicts_the_catalogue_is_refused(change: dict[str, str], reason: str, drop: Drop) -> None:
    answer = only(drop(CSV, {**HEADER, **change}))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert reason in (answer.reason or "")


@pytest.mark.parametrize("header", [b"", b"- a\n- b\n", b"indicator: [", b"\xff\xfe\x00"])
def test_an_invalid_header_is_rejected_and_stored(header: bytes, drop: Drop) -> None:
    fetched = drop(CSV, header)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert [body.content for body in fetched.bodies if body.refused] == ([header] if header else [])


def test_two_tables_with_one_name_are_refused(drop: Drop, tmp_path: Path) -> None:
    (tmp_path / "untf_survey.xlsx").write_bytes(workbook({"Figures": [["iso3", "year", "value"]]}))
    assert "there are both untf_survey.csv and untf_survey.xlsx" in (only(drop(CSV)).reason or "")


@pytest.mark.parametrize("name", ["iso3", "year", "value"])
def test_a_missing_column_is_named(name: str, drop: Drop) -> None:
    answer = only(drop(CSV.replace(name.encode(), b"renamed", 1)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


@pytest.mark.parametrize("sent", [f'"{each}"' for each in NOT_NUMBERS])
def test_a_value_that_is_not_a_number_is_rejected_never_zero(sent: str, drop: Drop) -> None:
    answer = only(drop(f"iso3,year,value\nUZB,2023,{sent}\nKAZ,2023,70\n".encode()))
    assert values(answer) == [("KAZ", 2023, 70.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], json.loads(reject["raw_record"])["value"]) == ("UZB", 2023, sent.strip('"'))


@pytest.mark.parametrize("year", [*NOT_YEARS, ""])
def test_a_period_that_is_not_a_year_is_rejected(year: str, drop: Drop) -> None:
    answer = only(drop(f"iso3,year,value\nUZB,{year},61.5\nKAZ,2023,70\n".encode()))
    assert values(answer) == [("KAZ", 2023, 70.0)]
    assert "is not a year" in reasons(answer)[0]


def test_unknown_areas_are_rejected_and_empty_values_make_no_record(drop: Drop) -> None:
    answer = only(drop(b"\xef\xbb\xbfiso3,year,value\nNRN,2023,1\nUZB,2023,\nKAZ,2023,70\n"))
    assert (values(answer), reasons(answer)) == ([("KAZ", 2023, 70.0)], ["untf_survey.csv, line 2: unknown area NRN"])


@pytest.mark.parametrize(("body", "reason"), [*NOT_WORKBOOKS, (zip_bomb(32 << 20), "would unpack to")])
def test_a_body_that_is_not_a_workbook_is_refused(body: bytes, reason: str, drop: Drop) -> None:
    answer = only(drop(body, suffix=".xlsx"))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert reason in (answer.reason or "")


def test_frames_have_exactly_the_specified_columns(drop: Drop) -> None:
    answer = only(drop(b"iso3,year,value\nUZB,2023,-\nKAZ,2023,70\n"))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


def test_a_local_file_provides_the_indicator_through_its_chain(drop: Drop, tmp_path: Path) -> None:
    drop(CSV)
    catalogue = load_catalogue()
    indicator = catalogue.indicators["paperless_trade_pct"]
    adapters = {"local_file": LocalFiles(tmp_path)}
    (resolution,), bodies = resolve([indicator], catalogue, adapters, AREAS, WINDOW, PatientHttp())
    assert resolution.outcome is Outcome.OK
    origin = ("iso3", "value", "unit", "provider", "provider_code", "provider_release", "source_url")
    assert resolution.candidates.select(origin).rows()[0] == (
        "UZB", 61.5, "pct", "local_file", "paperless_trade", "2025", "https://example.org/survey",
    )  # fmt: skip
    assert len(bodies) == 2


def test_the_examples_of_the_documentation_are_accepted() -> None:
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    header, entry = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (table,) = re.findall(r"```csv\n(.*?)```", text, re.DOTALL)
    assert parse_header(header.encode()).indicator == "paperless_trade"
    assert parse(table.encode(), ".csv")["value"].to_list() == ["81.72", "76.34"]
    (indicator,) = (Indicator.model_validate(each) for each in yaml.safe_load(entry))
    assert indicator.chain[0].provider == "local_file"
    sizes = (ROOT / "dbt_project" / "seeds" / "revision_sizes.csv").read_text(encoding="utf-8")
    assert f"\n{indicator.unit}," in sizes, "a refresh refuses an indicator whose unit has no limits of a revision"


def test_every_link_of_the_catalogue_names_a_file_and_the_indicators_unit() -> None:
    found = [(i, link) for i in load_catalogue() for link in i.chain if link.provider == "local_file"]
    assert found
    for indicator, link in found:
        assert {"file", "unit"} <= link.options.keys() <= {"file", "unit", "column"}, link
        assert link.options.get("column", link.code) == link.code, link
        assert link.options["unit"] == indicator.unit, link
        assert Path(str(link.options["file"])).name == Path(str(link.options["file"])).stem == link.options["file"], (
            link
        )


# Files with faults


def two_sheets() -> bytes:
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        for name, value in (("Old", 10), ("New", 81.7)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["iso3", "year", "value"])
            sheet.write_row(1, 0, ["KAZ", 2025, value])
        book.get_worksheet_by_name("Old").hide()
        book.get_worksheet_by_name("New").activate()
        book.get_worksheet_by_name("New").set_first_sheet()
    return buffer.getvalue()


def one_cell(write: Callable[[Workbook, Worksheet], object]) -> bytes:
    """Return a workbook with KAZ 2025 in the cell C2 as written, and UZB 2025 with 76.3."""
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["iso3", "year", "value"])
        sheet.write_row(1, 0, ["KAZ", 2025])
        sheet.write_row(2, 0, ["UZB", 2025, 76.3])
        write(book, sheet)
    return buffer.getvalue()


def test_the_first_visible_sheet_is_read_and_the_hidden_one_is_named(drop: Drop) -> None:
    answer = only(drop(two_sheets(), suffix=".xlsx"))
    assert values(answer) == [("KAZ", 2025, 81.7)]
    assert answer.reason == "untf_survey.xlsx: the hidden sheet Old was skipped"


WRONG_CELLS: dict[str, tuple[Callable[[Workbook, Worksheet], object], str]] = {
    "a raised footnote mark": (
        lambda book, sheet: sheet.write_rich_string(1, 2, "81.7", book.add_format({"font_script": 1}), "1"),
        "81.71 (with 1 raised or lowered)",
    ),
    "a per cent format": (
        lambda book, sheet: sheet.write(1, 2, 0.817, book.add_format({"num_format": "0.0%"})),
        "0.817 (shown in per cent)",
    ),
    "a formula without a result": (lambda book, sheet: sheet.write_formula(1, 2, "=C9*2"), "formula without a result"),
    "an error": (lambda book, sheet: sheet.write_formula(1, 2, "=NA()", None, "#N/A"), "is not a number"),
    "a text": (lambda book, sheet: sheet.write(1, 2, "81.7 %"), "81.7 %"),
    "a date": (
        lambda book, sheet: sheet.write_datetime(1, 2, datetime(2025, 1, 1), book.add_format({"num_format": "yyyy"})),
        "2025-01-01",
    ),
}


@pytest.mark.parametrize("case", WRONG_CELLS)
def test_a_cell_that_shows_another_number_is_rejected_with_file_and_cell(case: str, drop: Drop) -> None:
    write, text = WRONG_CELLS[case]
    answer = only(drop(one_cell(write), suffix=".xlsx"))
    assert values(answer) == [("UZB", 2025, 76.3)]
    (reason,) = reasons(answer)
    assert reason.startswith("untf_survey.xlsx, sheet Data, cell C2: the value ") and text in reason
    assert "\n" not in reason


WRONG_TABLES = {
    "escaped quotes": (b'iso3,year,value,page\nKAZ,2025,81.7,a\nUZB,2025,76.3,"the \\" page"\n', "line 3: a quote"),
    "an open quote": (b'iso3,year,value,page\nKAZ,2025,81.7,"open\nUZB,2025,76.3,b\n', "line 2: a quote"),
    "a quote that ends rows later": (
        b'iso3,year,value,page\nKAZ,2025,81.7,"a\nUZB,2025,76.3,b\nKGZ,2025,70,c"\n',
        "line 2: a quote is missing",
    ),
    "too many cells": (b"iso3,year,value\nKAZ,2025,81,7\n", "line 2 has 4 cells, the header has 3"),
    "NUL bytes": (b"iso3,year,value\nKAZ,2025,81.7\0\n", "NUL bytes"),
    "UTF-16": ("iso3,year,value\nKAZ,2025,81.7\n".encode("utf-16"), "NUL bytes"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_a_table_that_cannot_be_read_is_refused_in_one_line_with_file_and_line(case: str, drop: Drop) -> None:
    table, expected = WRONG_TABLES[case]
    answer = only(drop(table))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert (answer.reason or "").startswith("untf_survey.csv: ") and expected in (answer.reason or "")
    assert "\n" not in (answer.reason or "")


@pytest.mark.parametrize("table", [b"iso3,year,value\rKAZ,2025,81.7\r", b"iso3,year,value\r\nKAZ,2025,81.7"])
def test_any_line_end_is_read_also_without_a_last_one(table: bytes, drop: Drop) -> None:
    assert values(only(drop(table))) == [("KAZ", 2025, 81.7)]


def test_a_long_note_is_read(drop: Drop) -> None:
    table = b"iso3,year,value,note\nKAZ,2025,81.7," + b"x" * 200_000 + b"\nUZB,2025,76.3,b\n"
    assert values(only(drop(table))) == [("KAZ", 2025, 81.7), ("UZB", 2025, 76.3)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("unit: pct", "unit: pct\nunit: share", "line 3: not valid YAML: the field 'unit' is repeated"),
        (
            "retrieved_at: 2026-03-01",
            "retrieved_at: 2026-02-30",
            "line 7: retrieved_at: 2026-02-30: day is out of range",
        ),
        ("licence: made up", "licence: a: b", "line 5: not valid YAML"),
        ("2026-03-01", "9999-12-31T23:59:59-05:00", "line 7: the header's field retrieved_at: "),
        ("vintage: 2025", "vintage: \x07", "line 6: not valid YAML: the character"),
    ],
)
def test_a_fault_of_the_header_names_file_and_line(old: str, new: str, expected: str, drop: Drop) -> None:
    header = (
        "indicator: paperless_trade\nunit: pct\nsource_title: Survey\nsource_url: https://example.org/survey\n"
        "licence: made up\nvintage: 2025\nretrieved_at: 2026-03-01\nretrieved_by: A. Nother\n"
    )
    assert values(only(drop(CSV, header.encode())))
    answer = only(drop(CSV, header.replace(old, new).encode()))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert f"untf_survey.yml {expected}" in (answer.reason or "")


def test_a_fault_of_one_file_leaves_the_others_alone(tmp_path: Path) -> None:
    other = SeriesRequest("transparency", (("file", "other"), ("unit", "pct")))
    for name, table, indicator in (("untf_survey", b'a"', "paperless_trade"), ("other", CSV, "transparency")):
        (tmp_path / f"{name}.csv").write_bytes(table)
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(HEADER | {"indicator": indicator}))
    at = provider("local_file", "http://127.0.0.1:9")
    answers = LocalFiles(tmp_path).fetch([REQUEST, other], at, AREAS, WINDOW, PatientHttp()).answers
    assert (answers[REQUEST].outcome, answers[other].outcome) == (Outcome.UNAVAILABLE, Outcome.OK)


# carec local check


def found(path: Path) -> list[tuple[str, str, str]]:
    findings = check_file(path, load_catalogue(), AREAS, Window(2010, 2026))
    return [(one.place, one.status.value, one.finding) for one in findings]


def test_a_check_names_the_line_of_every_figure_and_doubt(drop: Drop, tmp_path: Path) -> None:
    drop(
        b"iso3,year,value,page\nKAZ,2025,81.7,a\nUZB,2025,-\nKGZ,2005,70,c\nQQQ,2025,1,d\nKAZ,2024,101,e\n"
        b"UZB,2024,,f\nAFG,2024,5,g\nAFG,2024,6,h\n"
    )
    assert found(tmp_path / "untf_survey.csv") == [
        ("untf_survey.csv", "doubtful", "line 3 has 3 cells, the header has 4"),
        ("untf_survey.csv, line 2", "accepted", ""),
        ("untf_survey.csv, line 3", "rejected", "the value - is not a number"),
        ("untf_survey.csv, line 4", "doubtful", "left out: a refresh reads the years 2010-2026"),
        ("untf_survey.csv, line 5", "rejected", "unknown area QQQ"),
        ("untf_survey.csv, line 6", "rejected", "value outside 0..100 pct, or not a number"),
        ("untf_survey.csv, line 8", "rejected", "2 rows of AFG 2024 have different values"),
        ("untf_survey.csv, line 9", "rejected", "2 rows of AFG 2024 have different values"),
        ("untf_survey.csv, line 7", "doubtful", "left out: there is no value"),
    ]


def test_a_check_names_the_cells_of_a_workbook_and_what_was_not_read(drop: Drop, tmp_path: Path) -> None:
    drop(two_sheets(), suffix=".xlsx")
    assert found(tmp_path / "untf_survey.xlsx") == [
        ("untf_survey.xlsx", "doubtful", "the hidden sheet Old was skipped"),
        ("untf_survey.xlsx, sheet New, cell C2", "accepted", ""),
    ]


def test_a_check_refuses_a_file_that_no_link_reads_or_that_is_not_there(drop: Drop, tmp_path: Path) -> None:
    drop(CSV)
    (tmp_path / "untf_survy.csv").write_bytes(CSV)
    ((place, status, finding),) = found(tmp_path / "untf_survy.csv")
    assert (place, status) == ("untf_survy.csv", "refused") and "did you mean untf_survey?" in finding
    with pytest.raises(ConfigurationError, match="no such file"):
        found(tmp_path / "nothing.csv")
    assert found(tmp_path / "untf_survey.yml") == found(tmp_path / "untf_survey.csv")
