"""The command ``queries``: example queries for analysts, from ``warehouse/queries``.

Belongs here: reading the files, running one, writing ``docs/queries.md``. Does not belong here: the queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from pipelines.cli.query import print_result
from pipelines.cli.tables import Format, readable, show
from pipelines.cli.terminal import format_option, home_path, write_document
from pipelines.published import run_query
from pipelines.settings import PROJECT
from sources.errors import ConfigurationError, did_you_mean

FOLDER = PROJECT / "warehouse" / "queries"
LONGEST = 15
"""Rows of a result in the document."""


@click.command()
@click.argument("name", required=False, help="Run this query.")
@click.option(
    "--write-docs", "write", type=home_path, metavar="FILE", help="Write all, with results (docs/queries.md)."
)
@click.option("--sql", is_flag=True, help="Print the SQL of the query instead of its result.")
@format_option
def queries(name: str | None, write: Path | None, sql: bool, fmt: Format) -> None:
    """Worked questions for analysts: the list, or the result or the SQL of one."""
    if write is not None:
        write_document(write, document())
    elif sql:
        print_sql(name)
    else:
        page(name, fmt)


@dataclass(frozen=True)
class ExampleQuery:
    """One file: the comment at its top is the question, the rest is one statement."""

    name: str
    text: str
    sql: str


def questions() -> list[ExampleQuery]:
    """Return all example queries, sorted by file name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.sql"))]


def _read(path: Path) -> ExampleQuery:
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    head = list(takewhile(lambda line: line.startswith("--"), lines))
    if not head or len(head) == len(lines):
        raise ConfigurationError(f"{path}: a comment with the question and one statement are expected")
    text = " ".join(line.removeprefix("--").strip() for line in head)
    return ExampleQuery(path.stem, text, "\n".join(lines[len(head) :]))


def page(name: str | None, fmt: Format) -> None:
    """Print the list of example queries, or the result of one."""
    if name is None:
        show(["name", "question"], [[q.name, q.text] for q in questions()], fmt)
        return
    print_result(*run_query(_find(name).sql), fmt)


def print_sql(name: str | None) -> None:
    """Print the SQL of one query, as `carec query` takes it, or of all queries, each below its question."""
    if name is not None:
        click.echo(_find(name).sql)
    else:
        click.echo("\n\n".join(f"-- {question.text}\n{question.sql}" for question in questions()))


def _find(name: str) -> ExampleQuery:
    known = {question.name: question for question in questions()}
    if name not in known:
        raise ConfigurationError(
            f"there is no example query {name!r}; `carec queries` lists all {len(known)}{did_you_mean(name, known)}"
        )
    return known[name]


def document() -> str:
    """Return ``docs/queries.md``: every example query with its SQL and its result on the published file."""
    parts = [
        "# Worked questions",
        "Each question is a file in `warehouse/queries` with plain SQL on the published file. `carec queries NAME` runs"
        " it; `--format csv` and `json` are for programs. The results here are computed from the bundled archive and"
        " rounded to four digits. `make docs` writes this page.",
        "\n".join(f"* [{q.text}](#{q.name})" for q in questions()),
    ]
    for question in questions():
        columns, rows = run_query(question.sql)
        parts += [
            f'<a id="{question.name}"></a>',
            f"## {question.text}",
            f"```sql\n{question.sql}\n```",
            markdown(columns, rows[:LONGEST]),
        ]
        if len(rows) > LONGEST:
            parts.append(f"and {len(rows) - LONGEST:,} more rows")
    return "\n\n".join(parts) + "\n"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; numeric columns are right-aligned."""
    right = [any(isinstance(row[i], (int, float)) for row in rows) for i in range(len(columns))]
    lines = [columns, ["--:" if number else "---" for number in right]]
    lines += [[readable(value).replace("|", "\\|").replace("\n", " ") for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
