"""Reading tables from workbooks: accepted files, refused files, and the text of cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from xlsxwriter import Workbook

from sources.parsing.responses import UnusableResponse
from sources.parsing.workbook import ERROR, NOT_CALCULATED, grid_of, open_workbook, rows_of, table
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


def with_xml(content: bytes, change: Callable[[str], str], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """Return a workbook with one part changed."""
    buffer = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text.decode()).encode() if name == part else text)
    return buffer.getvalue()


LINES = [["iso3", "year", "value"], ["KAZ", 2025, 81.7], ["UZB", 2025, 76.3]]


@pytest.mark.parametrize("cell", ["XFD3000", "XFD1048576", "A1048576", "ZZZZ9", "A99999999"])
def test_a_cell_far_outside_the_table_is_named_before_anything_is_read(cell: str) -> None:
    far = f'<row r="{re.sub("[A-Z]", "", cell)}"><c r="{cell}"><v>1</v></c></row></sheetData>'
    content = with_xml(workbook({"Data": LINES}), lambda xml: xml.replace("</sheetData>", far))
    with pytest.raises(UnusableResponse, match=cell):
        rows_of(open_workbook(content), "Data")


def test_empty_cells_with_a_style_do_not_count() -> None:
    styled = '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    content = with_xml(workbook({"Data": LINES}), lambda xml: xml.replace("</sheetData>", styled))
    assert len(rows_of(open_workbook(content), "Data")) == 3


def test_a_false_dimension_is_ignored() -> None:
    content = with_xml(workbook({"Data": LINES}), lambda xml: xml.replace('ref="A1:C3"', 'ref="A1:XFD1048576"'))
    assert len(rows_of(open_workbook(content), "Data")) == 3


@pytest.mark.parametrize("saved", ["<v></v>", "", "<v>0.0</v>", "<v>-0</v>", "<v>0E0</v>"])
def test_a_formula_with_any_spelling_of_nothing_was_never_calculated(saved: str) -> None:
    body = workbook({"Data": [["a", Formula("=B9"), "z"]]})
    content = with_xml(body, lambda xml: re.sub(r"</f><v>[^<]*</v>", f"</f>{saved}", xml))
    assert rows_of(open_workbook(content), "Data") == [["a", NOT_CALCULATED, "z"]]


def test_every_cell_of_a_formula_for_several_cells_is_marked() -> None:
    def several(xml: str) -> str:
        return re.sub(r"<f>([^<]*)</f><v>[^<]*</v>", r'<f t="array" ref="B1:B3">\1</f>', xml)

    content = with_xml(workbook({"Data": [["a", Formula("=C1:C3")], ["b"], ["c"]]}), several)
    assert [row[1] for row in rows_of(open_workbook(content), "Data")] == [NOT_CALCULATED] * 3


def test_an_error_is_no_missing_value() -> None:
    body = workbook({"Data": [["a", 1, "z"]]})
    content = with_xml(body, lambda xml: xml.replace('<c r="B1"><v>1</v>', '<c r="B1" t="e"><v>#N/A</v>'))
    assert rows_of(open_workbook(content), "Data") == [["a", ERROR, "z"]]


def test_a_package_with_one_part_twice_is_refused() -> None:
    buffer = BytesIO(workbook({"Data": LINES}))
    with ZipFile(buffer, "a") as package:
        package.writestr("xl\\Worksheets/sheet1.xml", "<worksheet/>")
    with pytest.raises(UnusableResponse, match="twice"):
        open_workbook(buffer.getvalue())


def test_a_document_type_is_refused() -> None:
    content = with_xml(workbook({"Data": LINES}), lambda xml: xml.replace("<worksheet", "<!DOCTYPE x []><worksheet"))
    with pytest.raises(UnusableResponse, match="document type"):
        rows_of(open_workbook(content), "Data")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("0.0%", "81.7 (shown in per cent)"),
        ('0.0"%"', "81.7"),
        (r"0.0\%", "81.7"),
        ("#,##0.0", "81.7"),
        ("0.0,", "81.7 (shown in thousands)"),
        ("[Red]0.0%;[Blue]-0.0%", "81.7 (shown in per cent)"),
    ],
)
def test_a_format_that_shows_another_number_is_marked_where_asked_for(code: str, shown: str) -> None:
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        book.add_worksheet("Data").write(0, 0, 81.7, book.add_format({"num_format": code}))
    opened = open_workbook(buffer.getvalue())
    assert (grid_of(opened, "Data", scales=True).rows, rows_of(opened, "Data")) == ([[shown]], [["81.7"]])
