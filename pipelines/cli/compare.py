"""The command ``compare``: members side by side.

Belongs here: arguments and the printed tables. Does not belong here: the query (``pipelines.answers.compare``).
"""

from __future__ import annotations

from typing import Any

import click

from pipelines.answers.compare import SideBySide
from pipelines.answers.compare import compare as compared
from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import format_option
from pipelines.formatting import GAP, figure, number
from pipelines.published import OWN_CHOICE, imprint, opened_once
from pipelines.seeds.codes import FRAMEWORK
from pipelines.texts.words import ENGLISH, Words


@click.command()
@click.argument("members", metavar="ISO3...", nargs=-1, required=True, help="Two to four members' ISO3 codes.")
@click.option("--with", "group", metavar="GROUP", help="Also the mean of a group, such as asean.")
@click.option("--framework", metavar="ID", default=FRAMEWORK, help="The framework.")
@format_option
@opened_once()
def compare(members: tuple[str, ...], group: str | None, framework: str, fmt: Format) -> None:
    """Members side by side: scores of the pillars, figures of the indicators, and a group's means."""
    comparison = compared(members, group, framework)
    if fmt is Format.TABLE:
        _print(comparison)
    else:
        show(comparison.columns, comparison.rows, fmt)


def _print(comparison: SideBySide) -> None:
    words = Words(ENGLISH)
    rows = [dict(zip(comparison.columns, row, strict=True)) for row in comparison.rows]
    sides = list(comparison.names)
    scores = [row for row in rows if row["subject_type"] != "indicator"]
    show(
        ["", "score", *sides],
        [
            [row["subject_id"], row["title"] or row["subject_id"], *(_score(row, side) for side in sides)]
            for row in scores
        ],
        Format.TABLE,
        title=", ".join(f"{side}: {name}" for side, name in comparison.names.items()),
        right=sides,
    )
    out = console()
    out.print()
    show(
        ["", "indicator", "unit", *sides],
        [
            [
                row["pillar_id"],
                row["title"],
                words.word("units", row["unit"]),
                *(_figure(row, side, side == comparison.group) for side in sides),
            ]
            for row in rows
            if row["subject_type"] == "indicator"
        ],
        Format.TABLE,
        title="Newest figures, their years, and the level from 0 (floor) to 100 (target)",
        right=sides,
    )
    out.print()
    for row in scores:
        for side in sides:
            if row[f"{side}_score"] is None and (reason := row.get(f"{side}_reason")):
                out.print(f"{GAP}  {side}, {row['title']}: {words.word('reasons', reason)}", soft_wrap=True)
    if comparison.group:
        out.print(
            f"{comparison.names[comparison.group]}: every member counts once; in brackets, how many of them have a"
            " score or a figure that is not too old.",
            soft_wrap=True,
        )
    out.print(OWN_CHOICE)
    out.print(imprint())


def _score(row: dict[str, Any], side: str) -> str:
    """Return a score with the rank of a member, or with the number of the group's members behind it."""
    score, beside = row[f"{side}_score"], row.get(f"{side}_rank", row.get(f"{side}_members"))
    if score is None:
        return GAP
    return number(score) if beside is None else f"{number(score)} ({beside})"


def _figure(row: dict[str, Any], side: str, is_group: bool) -> str:
    value = row[f"{side}_value"]
    if value is None:
        return GAP
    if is_group:
        return f"{figure(value)} ({row[f'{side}_members']})"
    level = row[f"{side}_score"]
    return f"{figure(value)} ({row[f'{side}_year']})" + ("" if level is None else f", {number(level, 0)}")
