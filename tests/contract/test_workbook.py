"""Reading tables from workbooks: accepted files, refused files, and the text of cells."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from xlsxwriter import Workbook

from sources.parsing.responses import UnusableResponse
from sources.parsing.workbook import NOT_CALCULATED, open_workbook, rows_of, table
from tests.contract.workbooks import NOT_WORKBOOKS, Formula, workbook, zip_bomb

COLUMNS = {"iso3": ("ISO code",), "year": (), "value": ("VALUE_SCREEN",)}


def test_a_table_is_found_by_its_header_in_any_place_and_spelling() -> None:
    sheet = [["Made up"], [], ["Note", "Value screen", "YEAR", " ISO-Code "], ["x", 1.5, 2023, "UZB"]]
    rows = table(rows_of(open_workbook(workbook({"Data": sheet})), "Data"), COLUMNS)
    assert rows.select("iso3", "year", "value", "Note").rows() == [("UZB", "2023", "1.5", "x")]


def test_numbers_keep_every_digit_and_integers_have_no_decimal_point() -> None:
    cells = [1 / 3, 84.0, 1e-7, 123456789.123456]
    rows = rows_of(open_workbook(workbook({"Data": [cells]})), "Data")
    assert rows[0][1] == "84"
    assert [float(cell or "") for cell in rows[0]] == cells


def test_empty_cells_are_missing_and_formulas_without_a_result_are_marked() -> None:
    rows = rows_of(open_workbook(workbook({"A & B": [], "Data": [["a", None, Formula("=1/0"), True]]})), "Data")
    assert rows == [["a", None, NOT_CALCULATED, "True"]]


def test_formulas_are_found_in_a_table_that_does_not_begin_in_the_first_cell() -> None:
    lines = [[], [None, "iso3", "year", "value"], [None, "UZB", 2024, Formula("=A1")], [None, "KAZ", 2024, 7.5]]
    assert table(rows_of(open_workbook(workbook({"Data": lines})), "Data"), COLUMNS).rows() == [
        ("UZB", "2024", NOT_CALCULATED),
        ("KAZ", "2024", "7.5"),
    ]


@pytest.mark.parametrize(("saved", "read"), [(12.5, "12.5"), (0, NOT_CALCULATED), ("", NOT_CALCULATED)])
def test_a_formula_gives_its_saved_result_unless_it_was_never_calculated(saved: Any, read: str) -> None:
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        sheet.write(0, 0, "a")
        sheet.write_formula(0, 1, "=A1*2", None, saved)
        sheet.write(0, 2, "z")
    assert rows_of(open_workbook(buffer.getvalue()), "Data") == [["a", read, "z"]]


def test_macros_are_not_executed() -> None:
    buffer = BytesIO(workbook({"Data": [["a", 1.5]]}))
    with ZipFile(buffer, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 Sub AutoOpen()")
    assert rows_of(open_workbook(buffer.getvalue()), "Data") == [["a", "1.5"]]


def test_a_missing_sheet_is_named() -> None:
    with pytest.raises(UnusableResponse, match="the sheet Data is missing; there are Cover"):
        rows_of(open_workbook(workbook({"Cover": [["a"]]})), "Data")


def test_a_missing_column_is_named() -> None:
    rows = rows_of(open_workbook(workbook({"Data": [["iso3", "year", "score"], ["UZB", 2023, 1]]})), "Data")
    with pytest.raises(UnusableResponse, match="the columns value are missing; there are iso3, year, score"):
        table(rows, COLUMNS)


def test_two_different_columns_of_one_name_are_refused() -> None:
    with pytest.raises(UnusableResponse, match="two columns are called value, and differ"):
        table([["iso3", "year", "value", "value"], ["UZB", "2023", "1", "2"]], COLUMNS)
    equal = table([["iso3", "year", "value", "value"], ["UZB", "2023", "1", "1"]], COLUMNS)
    assert equal.rows() == [("UZB", "2023", "1")]


@pytest.mark.parametrize("rows", [[], [[None, None]]])
def test_an_empty_sheet_is_refused(rows: list[list[str | None]]) -> None:
    with pytest.raises(UnusableResponse):
        table(rows, COLUMNS)


@pytest.mark.parametrize(("body", "reason"), [*NOT_WORKBOOKS, (b"<!DOCTYPE html>", "markup")])
def test_a_file_that_is_not_a_workbook_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(UnusableResponse, match=reason):
        open_workbook(body)


@pytest.mark.parametrize("size", [300 << 20, 32 << 20])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(size: int) -> None:
    with pytest.raises(UnusableResponse, match="would unpack to"):
        open_workbook(zip_bomb(size))


def test_a_damaged_package_is_refused_or_read_unchanged() -> None:
    honest = workbook({"Data": [["a", 1.5] * 25] * 50})
    rows, refused = rows_of(open_workbook(honest), "Data"), 0
    for at in range(40, len(honest) - 40, 7):
        damaged = bytearray(honest)
        damaged[at : at + 8] = bytes(255 - byte for byte in damaged[at : at + 8])
        try:
            assert rows_of(open_workbook(bytes(damaged)), "Data") == rows
        except UnusableResponse:
            refused += 1
    assert refused > 100


def test_a_package_that_declares_a_false_size_is_refused() -> None:
    honest = workbook({"Data": [["a"] * 50] * 50})
    at = honest.rindex(b"PK\x01\x02")  # the last entry of the directory; its size is 24 bytes further
    lying = honest[: at + 24] + (1).to_bytes(4, "little") + honest[at + 28 :]
    with pytest.raises(UnusableResponse):
        open_workbook(lying)
