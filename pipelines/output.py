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
from typing import Any

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 160
"""Width of a table where there is no terminal to ask."""

GAP = "–"


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
) -> None:
    """Print rows to standard output. ``cell`` turns a value into text in tables; JSON and CSV keep full precision."""
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
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        console().print(table)
