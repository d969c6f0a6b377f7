"""Workbooks (.xlsx) into tables of text, found by sheet and column names.

Belongs here: what may be opened, how cells are written down, where a table begins on its sheet. Does not belong here:
any provider's sheets and columns. Macros are never run. A formula gives the value that was saved with it; where that is
nothing or zero nobody has calculated it, and the cell says so instead of passing for an empty one or a zero.
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

from sources.parsing.column_names import Spellings, missing, positions
from sources.parsing.observations import Refusal

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

XLSX_TYPES = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel",
    "application/octet-stream",
    "binary/octet-stream",
    "application/zip",
)
"""What file servers call a workbook. Whether it is one, its first bytes tell."""

MAX_UNPACKED = 256 << 20
MAX_RATIO = 200
"""Bytes unpacked for one packed; real workbooks have 5 to 10."""
PREAMBLE = 20
"""Rows that may stand above a header."""

NOT_CALCULATED = "(formula without a result)"

Row = Sequence[str | None]
Cell = tuple[int, int]
"""Row and column on the sheet, from 0."""


@dataclass(frozen=True)
class OpenedWorkbook:
    """A workbook ready to be read, with the places of the formulas on each sheet that has any."""

    book: CalamineWorkbook = field(repr=False)
    formulas: Mapping[str, frozenset[Cell]]

    @property
    def sheet_names(self) -> list[str]:
        return self.book.sheet_names


def open_workbook(body: bytes) -> OpenedWorkbook:
    """A workbook ready to be read. Raises Refusal for whatever is none, or would fill the memory."""
    from python_calamine import CalamineError, CalamineWorkbook

    if not body.strip():
        raise Refusal("the body is empty")
    if body.lstrip()[:1] == b"<":
        raise Refusal("a page of markup came instead of a workbook")
    if not body.startswith(b"PK"):
        raise Refusal("not a workbook: it does not begin as an .xlsx file does")
    try:
        with ZipFile(BytesIO(body)) as package:
            unpacked = sum(part.file_size for part in package.infolist())
            if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * len(body):
                raise Refusal(f"not a workbook: {len(body):,} bytes would unpack to {unpacked:,}")
            if broken := package.testzip():  # reads no more than each part announces, so the sum above holds
                raise Refusal(f"the workbook is damaged: {broken}")
            return OpenedWorkbook(CalamineWorkbook.from_filelike(BytesIO(body)), _formulas(package))
    except (BadZipFile, CalamineError, zlib.error, EOFError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise Refusal(f"not a readable workbook: {error}") from error


FORMULA = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:(?!</c>).)*?<f\b', re.DOTALL)
SHEET, RELATION = re.compile(r"<(?:\w+:)?sheet\b[^>]*>"), re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*["']([^"']*)["']""")


def _formulas(package: ZipFile) -> dict[str, frozenset[Cell]]:
    """Where formulas stand, by the name of the sheet; the library that reads the cells does not tell."""
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
    """Every row of a sheet as text, empty cells as None. Raises Refusal naming the sheet where it is not there."""
    from python_calamine import CalamineError

    if sheet not in workbook.sheet_names:
        raise Refusal(f"the sheet {sheet} is missing; there are {', '.join(workbook.sheet_names)}")
    try:
        found = workbook.book.get_sheet_by_name(sheet)
        cells = found.to_python()
    except CalamineError as error:
        raise Refusal(f"the sheet {sheet} cannot be read: {error}") from error
    rows = [[_text(cell) for cell in row] for row in cells]
    top, left = found.start or (0, 0)
    for row, column in workbook.formulas.get(sheet, frozenset()):
        at, of = row - top, column - left
        if 0 <= at < len(rows) and 0 <= of < len(rows[at]) and rows[at][of] in (None, "0"):
            rows[at][of] = NOT_CALCULATED
    return rows


def _text(cell: int | float | str | bool | date | time | datetime | timedelta) -> str | None:
    """A cell written down without loss; whole numbers without a point, since every number is a float in a workbook."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() or None


def table(rows: Sequence[Row], spellings: Spellings) -> pl.DataFrame:
    """The table below the first row that names all these columns, all text; other columns keep their names.

    Raises Refusal naming what the most likely header lacks, or has twice.
    """
    if not rows:
        raise Refusal("the sheet is empty")
    heads = range(min(PREAMBLE, len(rows)))
    head = max(heads, key=lambda at: (len(positions(rows[at], spellings)), -at))
    if refusal := missing(rows[head], spellings):
        raise refusal
    names = {at: name for name, at in positions(rows[head], spellings).items()}
    body = [row for row in rows[head + 1 :] if any(row)]
    for at, name in enumerate(rows[head]):
        if name and name not in names.values():
            names.setdefault(at, name)
        first = rows[head].index(name)
        if name and first != at and any(row[first] != row[at] for row in body):
            raise Refusal(f"two columns are called {name}, and differ")
    return pl.DataFrame({name: pl.Series([row[at] for row in body], dtype=pl.String()) for at, name in names.items()})
