"""The workbook of an export: an introduction, one sheet per table in the order of use, the columns, the licences.

Belongs here: sheets, widths, number formats. Does not belong here: the tables and their rows (``tables``), the order
(``contents``).

The sheet of a table of economies has the frameworks whose scored group is the members. Another framework, which may
have two hundred economies, has a sheet of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from warehouse.export.contents import parts
from warehouse.export.tables import ExportTable

CELL_LIMIT = 32767
"""Longest text of a cell, in characters (the limit of the file format)."""
_NAME_LIMIT = 31
"""Longest name of a sheet."""
CUT = " … (cut: CSV and Parquet have all)"
"""End of a longer text."""

_NUMBERS = {
    "INTEGER": "0",
    "BIGINT": "#,##0",
    "DATE": "yyyy-mm-dd",
    "TIMESTAMP": "yyyy-mm-dd hh:mm",
}
_SCORES = "0.0"
_SCORE_NAMES = ("level", "points_lost", "gap_to_path", "p1", "p2", "p3", "p4", "p5")
_IN_THE_UNIT = ("gap_to_expected", "gap_to_target")
_SHARES = "0.00"
_SHARE_NAMES = ("coverage", "attainment", "due", "ahead_behind", "pace_ratio", "weight", "share_top3")

_TEXT_WIDTH = 110
"""Width of the texts of the first sheet, in characters."""
_LINE_HEIGHT = 15.5

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
        tables: One sheet each, and one more for every framework that scores others than the members.
        introduction: Title and paragraphs of the first sheet.
        rights: One row per provider and licence, with the keys ``_RIGHTS``.
        created: Time of the publication, so that the same data give the same bytes.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"title": introduction[0], "created": created})
        formats = _Formats(book)
        shown = parts(tables)
        _read_first(book.add_worksheet("readme"), formats, introduction, shown)
        further = _other_frameworks(connection)
        for table in (table for own in shown.values() for table in own):
            _write_table(book, connection, formats, table, further)
        columns = [(t.name, c.name, c.type.lower(), c.description) for t in tables for c in t.columns]
        _fill(book.add_worksheet("columns"), formats, ("table", "column", "type", "description"), columns)
        _fill(book.add_worksheet("licences"), formats, _RIGHTS, [[one[name] for name in _RIGHTS] for one in rights])


def _other_frameworks(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the frameworks that score other economies than the members."""
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'frameworks'").fetchone():
        return []
    found = connection.execute(
        """
        select f.framework_id
        from frameworks as f
        left join economy_groups as g on f.scored_group = g.group_id
        left join economies as e on g.iso3 = e.iso3
        group by 1 having not coalesce(bool_and(e.is_member), false) order by 1
        """
    ).fetchall()
    return [framework for (framework,) in found]


def _write_table(
    book: xlsxwriter.Workbook,
    connection: duckdb.DuckDBPyConnection,
    formats: _Formats,
    table: ExportTable,
    other_frameworks: Sequence[str],
) -> None:
    """Write the sheet of a table, and one sheet for each of the other frameworks that it has."""
    names = [column.name for column in table.columns]
    numbers = [_number(column.name, column.type) for column in table.columns]
    rows = connection.execute(table.printable).fetchall()
    split: dict[str, list[tuple[Any, ...]]] = {table.name: []}
    of_economies = "framework_id" in names and any(name.startswith("iso3") for name in names)
    at = names.index("framework_id") if of_economies else None
    for row in rows:
        framework = None if at is None else row[at]
        name = table.name if framework not in other_frameworks else sheet_of(table.name, str(framework))
        split.setdefault(name, []).append(row)
    for name, own in split.items():
        _fill(book.add_worksheet(name), formats, names, own, numbers)


def sheet_of(table: str, framework: str) -> str:
    """Return the name of the sheet with the rows of another framework, within the limit of the file format."""
    return f"{table[: _NAME_LIMIT - 1 - len(framework)]}-{framework}"


class _Formats:
    """The cell formats of a workbook."""

    def __init__(self, book: xlsxwriter.Workbook):
        self._book = book
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.header = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF4"})
        self.heading = book.add_format({"bold": True, "font_color": "#1F3A5F"})
        self.link = book.add_format({"font_color": "#0563C1", "underline": 1, "valign": "top"})
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
    if name in _IN_THE_UNIT:
        return None
    if "score" in name or name.startswith(("gap_to_", "imputed_")) or name in _SCORE_NAMES:
        return _SCORES
    return None


def _read_first(
    sheet: Worksheet, formats: _Formats, introduction: Sequence[str], shown: Mapping[str, Sequence[ExportTable]]
) -> None:
    """Write the title, the paragraphs, and the list of sheets in their order, each with a link."""
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, _TEXT_WIDTH, formats.wrapped)
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, introduction[0], formats.title)
    row = 1
    for line in introduction[1:]:
        _paragraph(sheet, row, line, formats)
        row += 1
    row += 1
    sheet.write_row(row, 0, ["sheet", "one row per"], formats.header)
    for heading, tables in shown.items():
        row += 1
        sheet.write_string(row, 0, heading, formats.heading)
        for table in tables:
            row += 1
            sheet.write_url(row, 0, f"internal:'{table.name}'!A1", formats.link, string=table.name)
            _paragraph(sheet, row, table.description, formats)
    row += 1
    sheet.write_string(row, 0, "About this workbook", formats.heading)
    for name, meaning in (("columns", "column of a table: what it means"), ("licences", "provider and licence")):
        row += 1
        sheet.write_url(row, 0, f"internal:'{name}'!A1", formats.link, string=name)
        _paragraph(sheet, row, meaning, formats)


def _paragraph(sheet: Worksheet, row: int, text: str, formats: _Formats) -> None:
    """Write a text with the height that its lines need: programs that keep the usual height would overlap the lines."""
    lines = max(1, len(textwrap.wrap(text, _TEXT_WIDTH - 8)))
    sheet.set_row(row, _LINE_HEIGHT * lines)
    sheet.write_string(row, 1, text, formats.wrapped)


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
        sheet.write_column(1, number, values)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > CELL_LIMIT:
        return value[: CELL_LIMIT - len(CUT)] + CUT
    return value


def _width(name: str, values: Sequence[Any]) -> float:
    """Return a width in characters for the name and most of the values."""
    lengths = sorted(len(str(value)) for value in values if value is not None)
    usual = lengths[len(lengths) * 9 // 10] if lengths else 0
    return float(min(60, max(len(name) + 3, usual + 1)))
