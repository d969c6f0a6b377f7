"""The workbook of an export: an introduction, the licences, the columns, then one sheet per table.

Belongs here: sheets, widths, number formats. Does not belong here: the tables and their rows (``tables``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from warehouse.export.tables import ExportTable

CELL_LIMIT = 32767
"""Longest text of a cell, in characters (the limit of the file format)."""
CUT = " … (cut: CSV and Parquet have all)"
"""End of a longer text."""

_NUMBERS = {
    "INTEGER": "0",
    "BIGINT": "#,##0",
    "DATE": "yyyy-mm-dd",
    "TIMESTAMP": "yyyy-mm-dd hh:mm",
}
_SCORES = "0.0"
_SHARES = "0.00"
_SHARE_NAMES = ("coverage", "attainment", "due", "ahead_behind", "pace_ratio", "weight", "share_top3")

_RIGHTS = (
    "provider",
    "title",
    "licence",
    "terms",
    "reason",
    "licence_url",
    "figures",
    "withheld",
    "restricted",
    "citation",
    "indicators",
)
"""Columns of the sheet of licences, one row per provider and licence."""


def write_workbook(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    tables: Sequence[ExportTable],
    introduction: Sequence[str],
    rights: Sequence[dict[str, Any]],
    created: datetime,
) -> None:
    """Write the workbook.

    Args:
        connection: The published file, after ``licences.withhold``.
        path: Where to write.
        tables: One sheet each.
        introduction: Title and paragraphs of the first sheet.
        rights: One row per provider and licence, with the keys ``_RIGHTS``.
        created: Time of the publication, so that the same data give the same bytes.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"title": introduction[0], "created": created})
        formats = _Formats(book)
        _read_first(book.add_worksheet("readme"), formats, introduction, tables)
        _fill(book.add_worksheet("licences"), formats, _RIGHTS, [[one[name] for name in _RIGHTS] for one in rights])
        columns = [(t.name, c.name, c.type.lower(), c.description) for t in tables for c in t.columns]
        _fill(book.add_worksheet("columns"), formats, ("table", "column", "type", "description"), columns)
        for table in tables:
            rows = connection.execute(table.printable).fetchall()
            numbers = [_number(column.name, column.type) for column in table.columns]
            _fill(book.add_worksheet(table.name), formats, [c.name for c in table.columns], rows, numbers)


class _Formats:
    """The cell formats of a workbook."""

    def __init__(self, book: xlsxwriter.Workbook):
        self._book = book
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._numbers: dict[str, Format] = {}

    def number(self, pattern: str) -> Format:
        if pattern not in self._numbers:
            self._numbers[pattern] = self._book.add_format({"num_format": pattern})
        return self._numbers[pattern]


def _number(name: str, kind: str) -> str | None:
    """Return the number format of a column; None, the spreadsheet's default, for raw values of any size."""
    if kind != "DOUBLE":
        return _NUMBERS.get(kind)
    if name in _SHARE_NAMES:
        return _SHARES
    if "score" in name or name.startswith("gap_to_"):
        return _SCORES
    return None


def _read_first(
    sheet: Worksheet, formats: _Formats, introduction: Sequence[str], tables: Sequence[ExportTable]
) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 110, formats.wrapped)
    sheet.write_string(0, 0, introduction[0], formats.title)
    for row, line in enumerate(introduction[1:], start=1):
        sheet.write_string(row, 1, line, formats.wrapped)
    first = len(introduction) + 1
    sheet.write_row(first, 0, ["sheet", "one row per"], formats.header)
    for row, table in enumerate(tables, start=first + 1):
        sheet.write_url(row, 0, f"internal:'{table.name}'!A1", string=table.name)
        sheet.write_string(row, 1, table.description, formats.wrapped)


def _fill(
    sheet: Worksheet,
    formats: _Formats,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    numbers: Sequence[str | None] | None = None,
) -> None:
    """Write a header, which remains visible and has filters, and the rows column by column."""
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    sheet.write_row(0, 0, columns, formats.header)
    for number, name in enumerate(columns):
        values = [_cell(row[number]) for row in rows]
        pattern = numbers[number] if numbers else None
        form = formats.number(pattern) if pattern else None
        sheet.set_column(number, number, _width(name, values), form)
        sheet.write_column(1, number, values, form)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > CELL_LIMIT:
        return value[: CELL_LIMIT - len(CUT)] + CUT
    return value


def _width(name: str, values: Sequence[Any]) -> float:
    """Return a width in characters for the name and most of the values."""
    lengths = sorted(len(str(value)) for value in values if value is not None)
    usual = lengths[len(lengths) * 9 // 10] if lengths else 0
    return float(min(60, max(len(name) + 3, usual + 1)))
