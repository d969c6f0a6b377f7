"""Workbooks (.xlsx) into tables of text, found by the names of sheets and columns.

A formula gives the value that was saved with it. If that is nothing or zero, nothing was calculated, and the cell is
``NOT_CALCULATED``. Macros are never run. The sheets and columns of one provider belong in its adapter; formulas,
formats and limits in ``sheet_marks``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import polars as pl

from sources.parsing.column_names import Spellings, missing_columns, positions
from sources.parsing.responses import UnusableResponse
from sources.parsing.sheet_marks import Marks
from sources.parsing.workbook_package import Package, SheetPart
from sources.parsing.workbook_xml import Cell, address

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

PREAMBLE = 20
"""Rows in which the header is searched."""

NUMBER = r"\s*[-+]?\d*\.?\d+([eE][-+]?\d+)?\s*"
NOT_CALCULATED = "(formula without a result)"
ERROR = "(an error such as #N/A)"

Row = Sequence[str | None]


@dataclass(frozen=True)
class OpenedWorkbook:
    """An open workbook."""

    book: CalamineWorkbook = field(repr=False)
    package: Package = field(repr=False)

    @property
    def sheet_names(self) -> list[str]:
        return self.book.sheet_names

    @property
    def visible_sheet(self) -> tuple[str, list[str]]:
        """The first visible sheet with cells, and the hidden ones before it. Raise UnusableResponse without any."""
        hidden: list[str] = []
        for sheet in self.package.sheets:
            if sheet.hidden:
                hidden.append(sheet.name)
            elif sheet.part is None or "chartsheet" not in sheet.part.lower():
                return sheet.name, hidden
        raise UnusableResponse("every sheet of the workbook is hidden")


@dataclass(frozen=True)
class Grid:
    """The rows of a sheet as text, the cell of their first value, and what the sheet has besides values."""

    rows: list[list[str | None]] = field(repr=False)
    first: Cell
    marks: Marks = field(repr=False)

    def address(self, row: int, column: int) -> str:
        """Return the name of the cell at a position in ``rows``, such as C2."""
        return address((self.first[0] + row, self.first[1] + column))


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
        package = Package(body)
        return OpenedWorkbook(CalamineWorkbook.from_filelike(BytesIO(package.for_calamine())), package)
    except (BadZipFile, CalamineError, zlib.error, EOFError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise UnusableResponse(f"not a readable workbook: {error}") from error


def rows_of(workbook: OpenedWorkbook, sheet: str) -> list[list[str | None]]:
    """Return every row of a sheet as text, with None for empty cells. Raise UnusableResponse as ``grid_of``."""
    return grid_of(workbook, sheet).rows


def grid_of(workbook: OpenedWorkbook, sheet: str, scales: bool = False) -> Grid:
    """Return the cells of a sheet.

    Args:
        workbook: The workbook.
        sheet: Name of the sheet.
        scales: Mark numbers that their format shows in another scale, such as 0.817 as 81.7%.

    Raises:
        UnusableResponse: If the sheet is missing, cannot be read, or has a cell far outside its table.
    """
    if sheet not in workbook.sheet_names:
        raise UnusableResponse(f"the sheet {sheet} is missing; there are {', '.join(workbook.sheet_names)}")
    part = next((each for each in workbook.package.sheets if each.name == sheet), SheetPart(sheet, None, hidden=False))
    marks = workbook.package.marks(part)  # before the cells are read: it has the limits
    cells, first = _cells(workbook.book, sheet)
    rows = [[_text(cell, marks.raised) for cell in row] for row in cells]
    marked = marks.formulas | marks.errors
    first = first or min(marked, default=(0, 0))
    _pad(rows, first, marked)
    for row, column in marks.formulas:
        at, of = row - first[0], column - first[1]
        if at >= 0 and of >= 0 and rows[at][of] in (None, "0"):
            rows[at][of] = NOT_CALCULATED
    for row, column in marks.errors - marks.formulas:
        at, of = row - first[0], column - first[1]
        if 0 <= at < len(rows) and 0 <= of < len(rows[at]) and rows[at][of] is None:
            rows[at][of] = ERROR
    for (row, column), shown in marks.formats.items() if scales else ():
        at, of = row - first[0], column - first[1]
        if 0 <= at < len(rows) and 0 <= of < len(rows[at]) and rows[at][of] not in (None, NOT_CALCULATED):
            rows[at][of] = f"{rows[at][of]} (shown {shown})"
    return Grid(rows, first, marks)


def _cells(book: CalamineWorkbook, sheet: str) -> tuple[list[list[Any]], Cell | None]:
    from python_calamine import CalamineError

    try:
        found = book.get_sheet_by_name(sheet)
        return found.to_python(), found.start
    except (CalamineError, ValueError, OverflowError) as error:
        raise UnusableResponse(f"the sheet {sheet} cannot be read: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a fault of the library in Rust, which is no Exception
            raise
        raise UnusableResponse(f"the sheet {sheet} cannot be read: {error}") from error


def _pad(rows: list[list[str | None]], first: Cell, marked: Collection[Cell]) -> None:
    """Add empty cells, so that every marked cell below and right of the first value has one."""
    height = max((row - first[0] + 1 for row, _ in marked), default=0)
    width = max((column - first[1] + 1 for _, column in marked), default=0)
    width = max(width, max(map(len, rows), default=0))
    rows.extend([] for _ in range(height - len(rows)))
    for row in rows if marked else ():
        row.extend([None] * (width - len(row)))


def _text(cell: int | float | str | bool | date | time | datetime | timedelta, raised: Mapping[str, str]) -> str | None:
    """Return a cell as text. Whole numbers have no point, since every number in a workbook is a float.

    Args:
        cell: The value.
        raised: Texts with raised or lowered characters -> the same with a mark. Only those are marked that would be a
            number: 81.7 with a footnote 1.
    """
    if isinstance(cell, str) and cell in raised and re.fullmatch(NUMBER, cell):
        return raised[cell].strip()
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
    return located_table(rows, spellings).rows


@dataclass(frozen=True)
class LocatedTable:
    """A table, all text, with the position of each row and column in the rows that it was read from."""

    rows: pl.DataFrame
    positions: list[int]
    columns: dict[str, int]


def located_table(rows: Sequence[Row], spellings: Spellings) -> LocatedTable:
    """Return a table with its positions, see ``table``."""
    if not rows:
        raise UnusableResponse("the sheet is empty")
    heads = range(min(PREAMBLE, len(rows)))
    head = max(heads, key=lambda at: (len(positions(rows[at], spellings)), -at))
    if error := missing_columns(rows[head], spellings):
        raise error
    columns = positions(rows[head], spellings)
    names = {at: name for name, at in columns.items()}
    places = [at for at in range(head + 1, len(rows)) if any(rows[at])]
    body = [rows[at] for at in places]
    for at, name in enumerate(rows[head]):
        if name and name not in names.values():
            names.setdefault(at, name)
        first = rows[head].index(name)
        if name and first != at and any(row[first] != row[at] for row in body):
            raise UnusableResponse(f"two columns are called {name}, and differ")
    found = {name: pl.Series([row[at] for row in body], dtype=pl.String()) for at, name in names.items()}
    return LocatedTable(pl.DataFrame(found), places, columns)
