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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.formatting import GAP, figure
from sources.errors import CONTROLS

PIPE_WIDTH = 160
"""Width of a table, in characters, where the output is not a terminal."""

MIN_TEXT_WIDTH = 15
"""Width below which a column of text is not squeezed, with the blanks around it."""

MAX_NAME_WIDTH = 30
"""Names up to this width (most often identifiers of this project) are not broken where the table has room."""

_DIGITS = re.compile(rf'"{(_MARK := os.urandom(8).hex())}:(-?[0-9.]+)"')
"""A decimal number in JSON, marked as a text: the standard library writes only binary floating-point numbers."""

_TRAILING = re.compile(r"(?<! )(?: |\x1b\[[0-9;]*m)+$")
"""Blanks at the end of a line, possibly between colour codes. Within a run of blanks no search starts again."""

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


def console(*, stderr: bool = False) -> Console:
    """Return a console for standard output or standard error, without colour if NO_COLOR is set.

    Its width is the environment variable COLUMNS if it is set, otherwise the width of the terminal, otherwise
    ``PIPE_WIDTH``.
    """
    return Console(
        stderr=stderr,
        highlight=False,
        markup=False,
        emoji=False,  # a path such as data:key:old has no sign for a key in it
        color_system=None if os.environ.get("NO_COLOR") else "auto",  # rich alone would keep bold type
        width=_width(sys.stderr if stderr else sys.stdout),
    )


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80  # some pseudo-terminals have no size
    except (OSError, ValueError):
        return PIPE_WIDTH


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
        rows: One value per column. A rich ``Text`` keeps its style in a table.
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
            printed.append(_Column(name, [_as_text(v, cell) for v in values], aligned, aligned or name in whole))
        _print_table(printed, title, optional, blocks=not whole)


def _is_number(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _as_text(value: Any, cell: Callable[[Any], str]) -> Text:
    """Return a value as Text, so that rich finds no markup in it and the terminal no control characters."""
    return value if isinstance(value, Text) else Text(CONTROLS.sub("?", cell(value)))


@dataclass
class _Column:
    """A column of a table. Rich wraps it where the table is too wide, unless it is ``whole``."""

    name: str
    cells: list[Text]
    right: bool
    whole: bool

    @cached_property
    def natural(self) -> int:
        """Width of the longest line, and the two blanks between columns."""
        lines = [line for text in (Text(self.name), *self.cells) for line in text.split("\n")]
        return 2 + max((line.cell_len for line in lines), default=0)

    @property
    def least(self) -> int:
        return self.natural if self.whole else min(self.natural, MIN_TEXT_WIDTH)

    @property
    def is_name(self) -> bool:
        """Whether the column has short single words only, such as identifiers."""
        return self.natural <= MAX_NAME_WIDTH + 2 and not any(text.plain.split()[1:] for text in self.cells)


def _print_table(columns: list[_Column], title: str | None, optional: Sequence[str], *, blocks: bool) -> None:
    out = console()
    room = out.width + 2  # the last column needs no blanks after it
    for name in optional:
        if sum(column.least for column in columns) > room:
            columns = [column for column in columns if column.name != name]
    needed = sum(column.least for column in columns)
    as_blocks = blocks and needed > room and any(column.cells for column in columns)
    if as_blocks:
        widest = max((column.natural for column in columns if column.whole), default=0)
        needed = max(len(column.name) for column in columns) + 2 + max(widest, MIN_TEXT_WIDTH)
    else:
        for column in columns:
            if column.is_name and needed + column.natural - column.least <= room:
                needed += column.natural - column.least
                column.whole = True
    out.width = max(out.width, needed - 2)
    fits = sum(column.natural for column in columns) <= room
    with out.capture() as captured:
        if title:
            out.print(Text(title, "bold"))
        if as_blocks:
            _print_blocks(out, columns)
        else:
            table = Table(box=None, pad_edge=False)
            for column in columns:
                table.add_column(
                    column.name,
                    justify="right" if column.right else "left",
                    overflow="fold",
                    no_wrap=column.whole,
                    # rich would measure every cell again, and count U+2028 as a line break, which it does not print
                    width=column.natural - 2 if column.whole or fits else None,
                )
            for row in zip(*(column.cells for column in columns), strict=True):
                table.add_row(*row)
            out.print(table)
    # tables are often pasted into other documents, so lines have no blanks at their ends
    for line in captured.get().removesuffix("\n").split("\n"):
        out.file.write(_TRAILING.sub(lambda end: end[0].replace(" ", ""), line) + "\n")


def _print_blocks(out: Console, columns: Sequence[_Column]) -> None:
    """Print one block per row, with one line per column."""
    widest = max(len(column.name) for column in columns)
    blocks = []
    for row in zip(*(column.cells for column in columns), strict=True):
        lines: list[Text] = []
        for column, text in zip(columns, row, strict=True):
            name = Text(column.name.ljust(widest), "bold")
            for line in _folded(out, text, out.width - widest - 2):
                lines.append(Text.assemble(name, "  ", line))
                name = Text(" " * widest)
        blocks.append(Text("\n").join(lines))
    out.print(Text("\n\n").join(blocks), no_wrap=True, overflow="ignore", crop=False)


def _folded(out: Console, text: Text, width: int) -> Iterable[Text]:
    """Return the lines of a text that is folded at this width."""
    return [text] if text.cell_len <= width and "\n" not in text.plain else text.wrap(out, width, overflow="fold")
