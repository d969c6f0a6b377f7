"""How the command line prints data: a table for people, JSON and CSV for programs.

Belongs here: formats, widths, number formats. Does not belong here: what is printed.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 160
"""Width of a table where there is no terminal to ask."""

GAP = "–"

_BARS = "▁▂▃▅▆▇"


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def console(*, stderr: bool = False) -> Console:
    """A console that is plain and wide in a pipe. Rich itself honours NO_COLOR and COLUMNS."""
    out = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not out.is_terminal and "COLUMNS" not in (out._environ or {}):
        out = Console(stderr=stderr, highlight=False, width=PIPE_WIDTH)
    return out


def number(value: float | None, digits: int = 1) -> str:
    """A figure rounded for print; a dash for what is missing."""
    return GAP if value is None else f"{value:,.{digits}f}"


def figure(value: float | None) -> str:
    """A figure of unknown size, to four significant digits, without an exponent where it can be read."""
    if value is None:
        return GAP
    if value != 0 and not 1e-4 <= abs(value) < 1e15:
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def readable(value: Any) -> str:
    """Any value as text for people: figures to four significant digits, a dash for what is missing."""
    if value is None:
        return GAP
    return figure(value) if isinstance(value, float) else str(value)


def sparkline(values: Sequence[float | None], scale: tuple[float, float] | None = None) -> str:
    """A trend in one character a step, on ``scale`` or from its own lowest to its own highest value.

    A step without a figure stays blank.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = scale or (min(known), max(known))
    steps = len(_BARS) - 1
    shares = [None if v is None else (v - low) / (high - low) if high > low else 0.5 for v in values]
    return "".join(" " if share is None else _BARS[round(share * steps)] for share in shares)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def show(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    fmt: Format,
    *,
    title: str | None = None,
    cell: Callable[[Any], str] = lambda value: GAP if value is None else str(value),
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> None:
    """Print rows to standard output. ``cell`` turns a value into text in tables; JSON and CSV keep full precision.

    In tables a value may be a rich ``Text``, the columns ``right`` are flush right and those ``whole`` never wrap.
    """
    if fmt is Format.JSON:
        records = [{c: _plain(v) for c, v in zip(columns, row, strict=True)} for row in rows]
        json.dump(records, sys.stdout, ensure_ascii=False, indent=1, default=str)
        sys.stdout.write("\n")
    elif fmt is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if v is None else _plain(v) for v in row] for row in rows])
    else:
        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in columns:
            justify: Literal["left", "right"] = "right" if column in right else "left"
            table.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
        for row in rows:
            # as Text, so that nothing in the data is taken for markup
            table.add_row(*(value if isinstance(value, Text) else Text(cell(value)) for value in row))
        console().print(table)
