"""The command ``query``: one read-only SQL statement on the published file.

Belongs here: printing a result. Does not belong here: what a statement may do (``pipelines.published``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pipelines.cli.tables import Format, console, readable, show
from pipelines.cli.terminal import format_option
from pipelines.published import run_query

LONGEST_TABLE = 1000
"""Rows of a query's result that are printed as a table."""


@click.command()
@click.argument("sql", help="One SQL statement, in DuckDB's dialect.")
@click.option("--publication", metavar="ID", help="Read this publication (carec publications lists them).")
@format_option
def query(sql: str, publication: str | None, fmt: Format) -> None:
    """Read-only query on the published file."""
    print_result(*run_query(sql, publication=publication), fmt)


def print_result(columns: Sequence[str], rows: Sequence[Sequence[Any]], fmt: Format) -> None:
    """Print the result of a query: all rows in JSON and CSV, the first ``LONGEST_TABLE`` rows as a table."""
    shown = rows if fmt is not Format.TABLE else rows[:LONGEST_TABLE]
    show(columns, shown, fmt, cell=readable)
    if len(shown) < len(rows):
        console(stderr=True).print(f"{len(rows) - len(shown):,} more rows: --format csv or json prints all")
