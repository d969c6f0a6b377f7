"""Workbooks (.xlsx) into tables of text, found by sheet and column names.

Belongs here: what may be opened, how cells are written down, where a table begins on its sheet. Does not belong here:
any provider's sheets and columns. Formulas give the values that were saved with them, macros are never run.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

import polars as pl

from sources.providers.figures import Refusal
from sources.providers.headers import Spellings, missing, positions

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

Row = Sequence[str | None]


def open_workbook(body: bytes) -> CalamineWorkbook:
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
        return CalamineWorkbook.from_filelike(BytesIO(body))
    except (BadZipFile, CalamineError, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise Refusal(f"not a readable workbook: {error}") from error


def rows_of(workbook: CalamineWorkbook, sheet: str) -> list[list[str | None]]:
    """Every row of a sheet as text, empty cells as None. Raises Refusal naming the sheet where it is not there."""
    from python_calamine import CalamineError

    if sheet not in workbook.sheet_names:
        raise Refusal(f"the sheet {sheet} is missing; there are {', '.join(workbook.sheet_names)}")
    try:
        cells = workbook.get_sheet_by_name(sheet).to_python()
    except CalamineError as error:
        raise Refusal(f"the sheet {sheet} cannot be read: {error}") from error
    return [[_text(cell) for cell in row] for row in cells]


def _text(cell: int | float | str | bool | date | time | datetime | timedelta) -> str | None:
    """A cell written down without loss; whole numbers without a point, since every number is a float in a workbook."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip() or None


def table(rows: Sequence[Row], spellings: Spellings) -> pl.DataFrame:
    """The table below the first row that names all these columns, all text; other columns keep their names.

    Raises Refusal naming what the most likely header lacks.
    """
    if not rows:
        raise Refusal("the sheet is empty")
    heads = range(min(PREAMBLE, len(rows)))
    head = max(heads, key=lambda at: (len(positions(rows[at], spellings)), -at))
    if refusal := missing(rows[head], spellings):
        raise refusal
    names = {at: name for name, at in positions(rows[head], spellings).items()}
    for at, name in enumerate(rows[head]):
        if name and name not in names.values():
            names.setdefault(at, name)
    body = [row for row in rows[head + 1 :] if any(row)]
    return pl.DataFrame({name: pl.Series([row[at] for row in body], dtype=pl.String()) for at, name in names.items()})
