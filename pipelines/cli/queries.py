"""The analysts' worked questions (``warehouse/queries``): listed, run by name, and written down with their results.

Belongs here: reading the files, the document. Does not belong here: the questions and their SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from pipelines.cli.sources_and_query import answer, run_query
from pipelines.cli.tables import Format, readable, show
from pipelines.settings import PROJECT
from sources.errors import ConfigurationError

FOLDER = PROJECT / "warehouse" / "queries"
LONGEST = 15
"""Rows of a result that the document shows."""


@dataclass(frozen=True)
class Question:
    """One file: its comment on top is the question, the rest one statement."""

    name: str
    text: str
    sql: str


def questions(folder: Path = FOLDER) -> list[Question]:
    """Every question, by file name."""
    return [_read(path) for path in sorted(folder.glob("*.sql"))]


def _read(path: Path) -> Question:
    lines = path.read_text(encoding="utf-8").strip().splitlines()
    head = list(takewhile(lambda line: line.startswith("--"), lines))
    if not head or len(head) == len(lines):
        raise ConfigurationError(f"{path}: a comment with the question and one statement are expected")
    text = " ".join(line.removeprefix("--").strip() for line in head)
    return Question(path.stem, text, "\n".join(lines[len(head) :]))


def page(name: str | None, fmt: Format) -> None:
    """The list of questions, or the result of one."""
    known = {question.name: question for question in questions()}
    if name is None:
        show(["name", "question"], [[q.name, q.text] for q in known.values()], fmt)
        return
    if name not in known:
        raise ConfigurationError(f"there is no question {name!r}; `carec queries` lists the {len(known)} there are")
    answer(*run_query(known[name].sql), fmt)


def document() -> str:
    """``docs/queries.md``: every question with its SQL and its result on the published file."""
    parts = [
        "# Worked questions",
        "Each is a file in `warehouse/queries`, plain SQL on the published file: `carec queries NAME` runs it, with"
        " `--format csv` or `json` for programs. The results are of the bundled archive, rounded to four digits. This"
        " page is written by `make docs`.",
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
            parts.append(f"and {len(rows) - LONGEST:,} rows more")
    return "\n\n".join(parts) + "\n"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table in Markdown, numbers to the right."""
    right = [any(isinstance(row[i], (int, float)) for row in rows) for i in range(len(columns))]
    lines = [columns, ["--:" if number else "---" for number in right]]
    lines += [[readable(value).replace("|", "\\|").replace("\n", " ") for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
