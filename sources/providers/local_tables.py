"""Tables of an operator's files, with the place of every figure: a line of a CSV or a cell of a workbook.

Belongs here: reading the table, and what is doubtful in it. Does not belong here: its header and the requests
(``local_file``), what would be landed (``sources.checks.local_files``).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO

import polars as pl

from sources.observation import Areas
from sources.parsing.observations import parse_observations
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import csv_text
from sources.parsing.workbook import LocatedTable, located_table, open_workbook
from sources.parsing.workbook import grid_of as read_grid
from sources.provider import Window

KEYS = ("iso3", "year")
VALUE = "value"
ROW = "row_in_file"
"""Column with the line of a CSV or the row of a sheet."""
LONGEST = 1 << 20
"""Longest text of a cell."""


@dataclass(frozen=True)
class LocalTable:
    """A table, all text, with the column ``ROW``.

    Attributes:
        rows: The table.
        prefix: What precedes the number of a row in a place: the file, and the sheet of a workbook.
        letters: Column -> its letter in a workbook; empty for a CSV.
        notes: What is doubtful in the file, or was left out.
    """

    rows: pl.DataFrame = field(repr=False)
    prefix: str
    letters: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """The place of what is about the whole table: the file, and the sheet of a workbook."""
        return self.prefix.rpartition(",")[0]

    def place(self, row: pl.Expr, column: str) -> pl.Expr:
        """Return the place of a cell, such as "survey.xlsx, sheet Data, cell C2" or "survey.csv, line 2"."""
        return pl.format(f"{_escaped(self.prefix)} {self.letters.get(column, '')}{{}}", row)


def _escaped(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")


def read_table(name: str, body: bytes, columns: Sequence[str], scales: bool = False) -> LocalTable:
    """Return the table of a file.

    Args:
        name: Name of the file; it ends with .csv or .xlsx.
        body: Its content.
        columns: Columns that it must have.
        scales: Mark numbers of a workbook that are shown in another scale than they are stored in.

    Raises:
        UnusableResponse: The table cannot be read; the reason names the line, sheet or cell.
    """
    read = _workbook if name.endswith(".xlsx") else _csv
    return read(name, body, columns, scales)


def _workbook(name: str, body: bytes, columns: Sequence[str], scales: bool) -> LocalTable:
    """Return the table of the first visible sheet."""
    workbook = open_workbook(body)
    sheet, hidden = workbook.visible_sheet
    grid = read_grid(workbook, sheet, scales)
    found = located_table(grid.rows, dict.fromkeys(columns, ()))
    rows = [str(grid.first[0] + at + 1) for at in found.positions]
    notes = [f"the hidden sheet {each} was skipped" for each in hidden]
    if others := [each.name for each in workbook.package.sheets if each.name not in (sheet, *hidden)]:
        notes.append(f"only the sheet {sheet} is read, not {', '.join(others)}")
    if concealed := sorted(set(grid.marks.hidden_rows) & {int(row) - 1 for row in rows}):
        notes.append(f"hidden rows are read too: {', '.join(str(row + 1) for row in concealed[:5])}")
    letters = {each: grid.address(0, at).rstrip("0123456789") for each, at in found.columns.items()}
    return LocalTable(_numbered(found, rows), f"{name}, sheet {sheet}, cell", letters, tuple(notes))


def _csv(name: str, body: bytes, columns: Sequence[str], _: bool) -> LocalTable:
    text = csv_text(body)
    records, lines, notes = _records(text)
    found = located_table(records, dict.fromkeys(columns, ()))
    if text[-1] not in '\n\r"':
        notes.append(f"line {lines[-1]}: no line break follows the last cell; is it complete?")
    return LocalTable(_numbered(found, [str(lines[at]) for at in found.positions]), f"{name}, line", {}, tuple(notes))


def _records(text: str) -> tuple[list[list[str | None]], list[int], list[str]]:
    """Return the records of a CSV, the line on which each begins, and notes on records with too few cells."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    records: list[list[str | None]] = []
    lines: list[int] = []
    notes: list[str] = []
    width, begins = 0, 1
    try:
        for cells in reader:
            width = width or len(cells)
            if width == 1 and (other := next((each for each in ";\t|" if each in "".join(cells)), None)):
                raise UnusableResponse(f"line {begins}: the cells are separated by {other!r}; separate them by commas")
            if len(cells) > width:
                raise UnusableResponse(f"line {begins} has {len(cells)} cells, the header has {width}")
            if any(len(cell) > LONGEST for cell in cells):
                raise UnusableResponse(f"line {begins} has a cell of more than {LONGEST:,} characters")
            if any(cell.strip() for cell in cells):
                if len(cells) < width:
                    notes.append(f"line {begins} has {len(cells)} cells, the header has {width}")
                padded = [cell.strip() or None for cell in cells] + [None] * (width - len(cells))
                records.append(padded)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnusableResponse(f"line {reader.line_num}: {error}") from error
    return records, lines, notes


def _numbered(found: LocatedTable, rows: list[str]) -> pl.DataFrame:
    return found.rows.with_columns(pl.Series(ROW, rows, dtype=pl.String()))


def located_observations(
    table: LocalTable, raw_sha256: str, areas: Areas, window: Window, column: str = VALUE
) -> pl.DataFrame:
    """Return the observations of one column of a file, see ``parse_observations``, and ``place``, their cell or line.

    The reason of a rejected row begins with the place of the cell that it is about.
    """
    iso3, year = (pl.col(key).str.strip_chars() for key in KEYS)
    found = parse_observations(
        table.rows, areas, window, iso3=iso3, period=year, value=column, raw_sha256=raw_sha256, keep=[ROW]
    )
    reason, row = pl.col("reason"), pl.col(ROW)
    place = (
        pl.when(reason.str.starts_with("unknown area"))
        .then(table.place(row, KEYS[0]))
        .when(reason.str.starts_with("the period"))
        .then(table.place(row, KEYS[1]))
        .otherwise(table.place(row, column))
    )
    return found.with_columns(place=place).with_columns(
        reason=pl.when(reason.is_not_null()).then(pl.format("{}: {}", "place", "reason"))
    )
