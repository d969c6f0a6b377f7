"""Workbooks for tests, built in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook

BUILT = datetime(2026, 1, 1)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Formula(str):
    """A formula that was saved without a value."""


def workbook(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """Return a workbook with these sheets, each a list of rows. None leaves a cell empty."""
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": BUILT})  # the same sheets give the same bytes
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, Formula):
                        sheet.write_formula(at, column, cell, None, "")
                    elif cell is not None:
                        sheet.write(at, column, cell)
    return buffer.getvalue()


@cache
def zip_bomb(size: int = 300 << 20) -> bytes:
    """Return a small archive that would unpack to ``size`` bytes."""
    buffer = BytesIO()
    with (
        ZipFile(buffer, "w", ZIP_DEFLATED, compresslevel=1) as package,
        package.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(size >> 20):
            part.write(bytes(1 << 20))
    return buffer.getvalue()


NOT_WORKBOOKS = [
    (b"", "empty"),
    (b"{}", "not a workbook"),
    (b"PK\x03\x04\xff\xfe", "not a readable workbook"),
    (workbook({"Data": [["a"]]})[:-200], "not a readable workbook"),
]
