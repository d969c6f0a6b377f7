"""How the command line prints data: a table for people, JSON and CSV for programs.

Belongs here: formats, widths, number formats, encodings. Does not belong here: what is printed.

JSON and CSV are UTF-8 whatever the locale, with full precision: missing is ``null`` in JSON and an empty cell in CSV,
dates and times are ISO 8601, lists and structures in a cell of CSV are JSON.
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
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.formatting import GAP, figure

PIPE_WIDTH = 160
"""Width of a table where there is no terminal to ask."""

NARROWEST = 13
"""Characters below which a column of words is not squeezed."""

LONGEST_WORD = 30
"""Characters of a word, most often a name of this project, that is not broken where there is room."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that a terminal would obey; a line feed and a tab are none of them."""

_END = re.compile(r"(?: |\x1b\[[0-9;]*m)+$")
"""Blanks, and codes of colours among them, that end a line."""

_PLAIN = {ord(bar): str(height) for height, bar in enumerate("▁▂▃▄▅▆▇█", start=1)} | {ord(GAP): "-", ord("’"): "'"}
"""What stands in for the signs above where the locale's encoding lacks them: a bar becomes its height."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def speak() -> None:
    """Let no character stop a command in a locale that lacks it."""
    codecs.register_error("carec", _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="carec")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(ord(sign), "?") for sign in error.object[error.start : error.end]), error.end


def console(*, stderr: bool = False) -> Console:
    """A console as wide as COLUMNS says, else as the terminal is; in a pipe, wide. NO_COLOR leaves plain text."""
    environment = {**os.environ}
    columns = environment.pop("COLUMNS", "")
    plain = bool(environment.get("NO_COLOR"))
    out = Console(
        stderr=stderr, highlight=False, soft_wrap=False, color_system=None if plain else "auto", _environ=environment
    )
    if columns.isdecimal() and int(columns) > 0:
        out.width = int(columns)
    elif not out.is_terminal:
        out.width = PIPE_WIDTH
    return out


def readable(value: Any) -> str:
    """Any value as text for people: figures to four significant digits, a dash for what is missing."""
    if value is None:
        return GAP
    return figure(value) if isinstance(value, float) else _text(value)


def _plain(value: Any) -> Any:
    """A value as JSON has it. JSON has no infinite numbers and none that are not: they become null."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {_text(key): _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, (date, datetime, time)) else _text(value)


def _text(value: Any) -> str:
    """A value that is there, as text: in a cell of CSV, and in a table where the page has no other wish."""
    if isinstance(value, (bool, dict, list, tuple)):
        return json.dumps(_plain(value), ensure_ascii=False)
    return value.hex() if isinstance(value, bytes) else str(value)


def _cell(value: Any) -> Any:
    plain = _plain(value)
    if plain is None:
        return ""
    return _text(value) if isinstance(value, (bool, dict, list, tuple)) else plain


def _distinct(columns: Iterable[str]) -> list[str]:
    """Names of which none comes twice, so that no column hides another: ``iso3``, ``iso3_1``."""
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
    """Print rows to standard output. ``cell`` turns a value into text in tables; JSON and CSV keep full precision.

    In tables a value may be a rich ``Text``, numbers and the columns ``right`` are flush right, and they and those
    ``whole`` never wrap. Where a table is too wide, the columns ``optional`` are left out one after the other; where
    that is not enough, each row becomes a block with a line a column, unless the page wants ``whole`` columns: nothing
    is ever cut off.
    """
    if fmt is not Format.TABLE and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    if fmt is Format.JSON:
        names = _distinct(columns)
        records = [{c: _plain(v) for c, v in zip(names, row, strict=True)} for row in rows]
        json.dump(records, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    elif fmt is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_distinct(columns))
        writer.writerows([_cell(value) for value in row] for row in rows)
    else:
        numbers = [_is_number(row[i] for row in rows) for i in range(len(columns))]
        laid_out = [
            _Column(
                name,
                [_as_text(row[i], cell) for row in rows],
                right=numbers[i] or name in right,
                whole=numbers[i] or name in whole or name in right,
            )
            for i, name in enumerate(columns)
        ]
        _print_table(laid_out, title, optional, blocks=not whole)


def _is_number(values: Iterable[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float, Decimal}


def _as_text(value: Any, cell: Callable[[Any], str]) -> Text:
    """As Text, so that nothing in the data is taken for markup, nor obeyed by the terminal."""
    return value if isinstance(value, Text) else Text(_CONTROL.sub("?", cell(value)))


class _Column:
    """One column of a table, and the width that it needs."""

    def __init__(self, name: str, cells: list[Text], *, right: bool, whole: bool):
        self.name, self.cells, self.right, self.whole = name, cells, right, whole
        texts = [Text(name), *cells]
        self.natural = max((line.cell_len for text in texts for line in text.split("\n")), default=0)
        self.least = self.natural if whole else min(self.natural, NARROWEST)
        word = max((len(word) for text in texts for word in text.plain.split()), default=0)
        self.unbroken = max(self.least, min(word, LONGEST_WORD))


def _together(widths: Iterable[int]) -> int:
    """The width of columns side by side."""
    return sum(width + 2 for width in widths) - 2


def _widths(columns: Sequence[_Column], room: int) -> list[int]:
    """A width for each column. The first ones keep their words unbroken; what room is left goes to all alike."""
    widths = [column.least for column in columns]
    for place, column in enumerate(columns):
        if column.unbroken - widths[place] <= room - _together(widths):
            widths[place] = column.unbroken
    most = room
    while _together(wide := [max(low, min(c.natural, most)) for c, low in zip(columns, widths, strict=True)]) > room:
        most -= 1
        if most == 0:
            return widths
    return wide


def _print_table(columns: list[_Column], title: str | None, optional: Sequence[str], *, blocks: bool) -> None:
    out = console()
    for name in optional:
        if _together(column.least for column in columns) > out.width:
            columns = [column for column in columns if column.name != name]
    needed = _together(column.least for column in columns)
    as_blocks = blocks and needed > out.width and any(column.cells for column in columns)
    if as_blocks:
        widest = max((column.natural for column in columns if column.whole), default=0)
        needed = _together([max(len(column.name) for column in columns), max(widest, NARROWEST)])
    out.width = max(out.width, needed)
    with out.capture() as captured:
        if title:
            out.print(Text(title, "bold"))
        if as_blocks:
            _print_blocks(out, columns)
        else:
            table = Table(box=None, pad_edge=False)
            for column, width in zip(columns, _widths(columns, out.width), strict=True):
                justify: Literal["left", "right"] = "right" if column.right else "left"
                table.add_column(column.name, justify=justify, overflow="fold", no_wrap=column.whole, width=width)
            for row in zip(*(column.cells for column in columns), strict=True):
                table.add_row(*row)
            out.print(table)
    # no blanks at the ends of lines: a table is often pasted
    for line in captured.get().removesuffix("\n").split("\n"):
        out.file.write(_END.sub(lambda end: end[0].replace(" ", ""), line) + "\n")


def _print_blocks(out: Console, columns: Sequence[_Column]) -> None:
    """A block a row, a line a column."""
    for place, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        if place:
            out.print()
        block = Table(box=None, pad_edge=False, show_header=False)
        block.add_column(no_wrap=True)
        block.add_column(overflow="fold")
        for column, text in zip(columns, row, strict=True):
            block.add_row(Text(column.name, "bold"), text)
        out.print(block)
