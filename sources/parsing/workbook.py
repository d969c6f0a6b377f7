"""Workbooks (.xlsx) into tables of text, found by the names of sheets and columns.

A formula gives the value that was saved with it. If that is nothing or zero, nothing was calculated, and the cell is
``NOT_CALCULATED``. Macros are never run. The sheets and columns of one provider belong in its adapter.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from html import unescape
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

import polars as pl

from sources.parsing.column_names import Spellings, missing_columns, positions
from sources.parsing.responses import UnusableResponse

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

XLSX_TYPES = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/octet-stream",
    "binary/octet-stream",
    "application/zip",
)
"""Content types that file servers use for a workbook. The first bytes show whether it is one."""

MAX_UNPACKED = 256 << 20
MAX_RATIO = 200
"""Unpacked bytes per packed byte; real workbooks have 5 to 10."""
PREAMBLE = 20
"""Rows in which the header is searched."""

NOT_CALCULATED = "(formula without a result)"

Row = Sequence[str | None]
Cell = tuple[int, int]
"""Row and column on the sheet, from 0."""


@dataclass(frozen=True)
class OpenedWorkbook:
    """An open workbook, and sheet -> positions of its formulas."""

    book: CalamineWorkbook = field(repr=False)
    formulas: Mapping[str, frozenset[Cell]]

    @property
    def sheet_names(self) -> list[str]:
        return self.book.sheet_names


def open_workbook(body: bytes) -> OpenedWorkbook:
    """Open a workbook.

    Raises:
        UnusableResponse: If the body is not a workbook, is damaged, or would unpack to too many bytes.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    if not body.strip():
        raise UnusableResponse("the body is empty")
    if body.lstrip()[:1] == b"<":
        raise UnusableResponse("a page of markup came instead of a workbook")
    if not body.startswith(b"PK"):
        raise UnusableResponse("not a workbook: it does not begin as an .xlsx file does")
    try:
        with ZipFile(BytesIO(body)) as package:
            unpacked = sum(part.file_size for part in package.infolist())
            if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * len(body):
                raise UnusableResponse(f"not a workbook: {len(body):,} bytes would unpack to {unpacked:,}")
            if broken := package.testzip():  # reads no more than each part announces, so the sum above holds
                raise UnusableResponse(f"the workbook is damaged: {broken}")
            return OpenedWorkbook(CalamineWorkbook.from_filelike(BytesIO(body)), _formulas(package))
    except (BadZipFile, CalamineError, zlib.error, EOFError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise UnusableResponse(f"not a readable workbook: {error}") from error


FORMULA = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:(?!</c>).)*?<f\b', re.DOTALL)
SHEET, RELATION = re.compile(r"<(?:\w+:)?sheet\b[^>]*>"), re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*["']([^"']*)["']""")


def _formulas(package: ZipFile) -> dict[str, frozenset[Cell]]:
    """Return sheet -> positions of its formulas, which the library for cells does not give."""
    relations = [_attributes(tag) for tag in RELATION.findall(package.read("xl/_rels/workbook.xml.rels").decode())]
    parts = {each["Id"]: posixpath.normpath(posixpath.join("/xl", each["Target"]))[1:] for each in relations}
    found = {}
    for tag in SHEET.findall(package.read("xl/workbook.xml").decode()):
        sheet = _attributes(tag)
        xml = package.read(parts[sheet["r:id"]])
        if re.search(rb"<f[\s>/]", xml):
            places = ((_column(column), int(row) - 1) for column, row in FORMULA.findall(xml))
            found[unescape(sheet["name"])] = frozenset((row, column) for column, row in places)
    return found


def _attributes(tag: str) -> dict[str, str]:
    return dict(ATTRIBUTE.findall(tag))


def _column(letters: bytes) -> int:
    at = 0
    for letter in letters:
        at = 26 * at + letter - 64
    return at - 1


def rows_of(workbook: OpenedWorkbook, sheet: str) -> list[list[str | None]]:
    """Return every row of a sheet as text, with None for empty cells. Raise UnusableResponse if it is missing."""
    from python_calamine import CalamineError

    if sheet not in workbook.sheet_names:
        raise UnusableResponse(f"the sheet {sheet} is missing; there are {', '.join(workbook.sheet_names)}")
    try:
        found = workbook.book.get_sheet_by_name(sheet)
        cells = found.to_python()
    except CalamineError as error:
        raise UnusableResponse(f"the sheet {sheet} cannot be read: {error}") from error
    rows = [[_text(cell) for cell in row] for row in cells]
    top, left = found.start or (0, 0)
    for row, column in workbook.formulas.get(sheet, frozenset()):
        at, of = row - top, column - left
        if 0 <= at < len(rows) and 0 <= of < len(rows[at]) and rows[at][of] in (None, "0"):
            rows[at][of] = NOT_CALCULATED
    return rows


def _text(cell: int | float | str | bool | date | time | datetime | timedelta) -> str | None:
    """Return a cell as text. Whole numbers have no point, since every number in a workbook is a float."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() or None


def table(rows: Sequence[Row], spellings: Spellings) -> pl.DataFrame:
    """Return the table below the header, all text; other columns keep their names.

    Args:
        rows: Rows of a sheet.
        spellings: Columns that the header must have. The header is the row with most of them.

    Raises:
        UnusableResponse: If the header lacks a column, or has a column twice with different values.
    """
    if not rows:
        raise UnusableResponse("the sheet is empty")
    heads = range(min(PREAMBLE, len(rows)))
    head = max(heads, key=lambda at: (len(positions(rows[at], spellings)), -at))
    if error := missing_columns(rows[head], spellings):
        raise error
    names = {at: name for name, at in positions(rows[head], spellings).items()}
    body = [row for row in rows[head + 1 :] if any(row)]
    for at, name in enumerate(rows[head]):
        if name and name not in names.values():
            names.setdefault(at, name)
        first = rows[head].index(name)
        if name and first != at and any(row[first] != row[at] for row in body):
            raise UnusableResponse(f"two columns are called {name}, and differ")
    return pl.DataFrame({name: pl.Series([row[at] for row in body], dtype=pl.String()) for at, name in names.items()})
