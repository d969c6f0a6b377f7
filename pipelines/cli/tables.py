"""Print data on the command line: as a table for people, as JSON or CSV for programs.

Belongs here: output formats, table layout, encodings. Does not belong here: the data to print, the format of a number
(``pipelines.formatting``).

JSON and CSV are UTF-8 in every locale and have full precision. A missing value is ``null`` in JSON and an empty cell in
CSV. Dates and times are ISO 8601. Lists and structures in a CSV cell are JSON.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from rich.cells import cell_len

from pipelines.cli.lines import Cell, Output, Styled, console, wrapped
from pipelines.formatting import GAP, figure
from sources.errors import CONTROLS

MIN_TEXT_WIDTH = 15
"""Width below which a column of text is not squeezed, with the blanks around it."""

MAX_NAME_WIDTH = 30
"""Names up to this width (most often identifiers of this project) are not broken where the table has room."""

_DIGITS = re.compile(rf'"{(_MARK := os.urandom(8).hex())}:(-?[0-9.]+)"')
"""A decimal number in JSON, marked as a text: the standard library writes only binary floating-point numbers."""

_REPLACEMENTS = {ord(bar): str(height) for height, bar in enumerate("▁▂▃▄▅▆▇█", start=1)} | {
    ord(GAP): "-",
    ord("’"): "'",
    ord("−"): "-",
    ord("‡"): "#",
}
"""Replacements for characters that the encoding of the output lacks. A bar becomes its height."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def replace_unencodable() -> None:
    """Make standard output and standard error replace the characters that their encoding lacks."""
    codecs.register_error("carec", _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="carec")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_REPLACEMENTS.get(ord(character), "?") for character in text), error.end


def readable(value: Any) -> str:
    """Return any value as text for people: numbers with four significant digits, ``GAP`` for None."""
    if value is None:
        return GAP
    return figure(value) if isinstance(value, float) else _text(value)


def _plain(value: Any) -> Any:
    """Return a value with the types of JSON. NaN and infinity, which JSON lacks, become None."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return f"{_MARK}:{value:f}" if value.is_finite() else None
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_text(key): _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, (date, datetime, time)) else _text(value)


def _text(value: Any) -> str:
    """Return a value other than None as text, for CSV cells and by default for table cells."""
    if isinstance(value, (bool, dict, list, tuple)):
        return _json(_plain(value))
    return value.hex() if isinstance(value, bytes) else str(value)


def _json(plain: Any, indent: int | None = None) -> str:
    """Return a value of ``_plain`` as JSON, decimal numbers with all their digits."""
    return _DIGITS.sub(r"\1", json.dumps(plain, ensure_ascii=False, indent=indent, allow_nan=False))


def _csv_cell(value: Any) -> Any:
    plain = f"{value:f}" if isinstance(value, Decimal) and value.is_finite() else _plain(value)
    if plain is None:
        return ""
    return _text(value) if isinstance(value, (bool, dict, list, tuple)) else plain


def _distinct(columns: Iterable[str]) -> list[str]:
    """Return column names without duplicates: a second ``iso3`` becomes ``iso3_1``."""
    names: list[str] = []
    for column in columns:
        name, count = column, 0
        while name in names:
            count += 1
            name = f"{column}_{count}"
        names.append(name)
    return names


def show(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    fmt: Format,
    *,
    title: str | None = None,
    cell: Callable[[Any], str] = lambda value: GAP if value is None else _text(value),
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Print rows to standard output. A table never cuts off a value.

    The arguments after ``fmt`` are for tables only; JSON and CSV have the plain values.

    Args:
        columns: Column names.
        rows: One value per column. A ``Styled`` keeps its style in a table.
        fmt: Output format.
        title: A line above the table.
        cell: Turns a value into text.
        right: Columns that are right-aligned and never wrap. Columns of numbers always are.
        whole: Columns that never wrap. A table with such columns is never printed as blocks.
        optional: Columns to omit, one after the other, while the table is wider than the terminal. If it is still too
            wide, each row becomes a block with one line per column.
    """
    if fmt is not Format.TABLE and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    if fmt is Format.JSON:
        names = _distinct(columns)
        records = [{c: _plain(v) for c, v in zip(names, row, strict=True)} for row in rows]
        sys.stdout.write(_json(records, indent=1) + "\n")
    elif fmt is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_distinct(columns))
        writer.writerows([_csv_cell(value) for value in row] for row in rows)
    else:
        printed = []
        for i, name in enumerate(columns):
            values = [row[i] for row in rows]
            aligned = _is_number(values) or name in right
            printed.append(_Column(name, [_as_cell(v, cell) for v in values], aligned, aligned or name in whole))
        _print_table(printed, title, optional, blocks=not whole)


def _is_number(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _as_cell(value: Any, cell: Callable[[Any], str]) -> Cell:
    """Return a value as text without control characters."""
    return value if isinstance(value, Styled) else CONTROLS.sub("?", cell(value)).expandtabs()


def _text_of(cell: Cell) -> str:
    return cell.text if isinstance(cell, Styled) else cell


@dataclass
class _Column:
    """A column of a table. It wraps where the table is too wide, unless it is ``whole``."""

    name: str
    cells: list[Cell]
    right: bool
    whole: bool

    @cached_property
    def natural(self) -> int:
        """Width of the longest line, and the two blanks between columns."""
        return 2 + max(cell_len(line) for cell in (self.name, *self.cells) for line in _text_of(cell).split("\n"))

    @property
    def least(self) -> int:
        return self.natural if self.whole else min(self.natural, MIN_TEXT_WIDTH)

    @property
    def is_name(self) -> bool:
        """Whether the column has short single words only, such as identifiers."""
        return self.natural <= MAX_NAME_WIDTH + 2 and not any(_text_of(cell).split()[1:] for cell in self.cells)


def _print_table(columns: list[_Column], title: str | None, optional: Sequence[str], *, blocks: bool) -> None:
    out = console()
    room = out.width + 2  # the last column needs no blanks after it
    for name in optional:
        if sum(column.least for column in columns) > room:
            columns = [column for column in columns if column.name != name]
    needed = sum(column.least for column in columns)
    lines = [out.styled(line, "bold") for line in wrapped(title, out.width)] if title else []
    if blocks and needed > room and any(column.cells for column in columns):
        out.write([*lines, *_block_lines(out, columns)])
        return
    for column in columns:
        if column.is_name and needed + column.natural - column.least <= room:
            needed += column.natural - column.least
            column.whole = True
    heads = [Styled(column.name, "bold") for column in columns]
    rows = zip(*(column.cells for column in columns), strict=True)
    right = [column.right for column in columns]
    out.write([*lines, *out.grid([heads, *rows], _widths(columns, max(room, needed)), right)])


def _widths(columns: Sequence[_Column], room: int) -> list[int]:
    """Return the width of each column without blanks: the widest of those that wrap give way until all fit."""
    widths = [column.natural if column.whole else min(column.natural, room) for column in columns]
    wrapping = [place for place, column in enumerate(columns) if not column.whole]
    for _ in range(sum(widths) - room):
        widths[max(wrapping, key=widths.__getitem__)] -= 1
    return [width - 2 for width in widths]


def _block_lines(out: Output, columns: Sequence[_Column]) -> Iterator[str]:
    """Yield one block per row, with one line per column."""
    names = max(cell_len(column.name) for column in columns)
    widest = max((column.natural for column in columns if column.whole), default=0)
    widths = (names, max(out.width - names - 2, widest, MIN_TEXT_WIDTH))
    for place, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if place:
            yield ""
        heads = (Styled(column.name, "bold") for column in columns)
        yield from out.grid(zip(heads, row, strict=True), widths, (False, False))
