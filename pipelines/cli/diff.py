"""The command ``diff``: what the current publication changed, compared with an earlier one.

Belongs here: the tables that it prints. Does not belong here: finding changes (``warehouse.publications``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import click

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import format_option, parse_day
from pipelines.formatting import GAP, figure
from pipelines.published import CHANGE_SECTIONS, SUMMED_SECTIONS, publication_named, section_of
from pipelines.reading import fetch_earlier, reading_layout
from sources.hidden_packages import without_hidden_packages
from warehouse.publications import COLUMNS, Comparison, compare, compare_two

Row = dict[str, Any]


@dataclass(frozen=True)
class ChangeTable:
    """The changes of one kind as a table of texts; ``count`` changes may be summed up in fewer ``lines``."""

    kind: str
    title: str
    count: int
    heads: list[str]
    lines: list[list[str]]


@click.command()
@click.argument("first", metavar="[A]", required=False, help="Compare this publication (an id of carec publications).")
@click.argument("second", metavar="[B]", required=False, help="With this one, else the current.")
@click.option("--since", metavar="DATE", help="Compare with the publication of that day (YYYY-MM-DD).")
@format_option
@without_hidden_packages()
def diff(first: str | None, second: str | None, since: str | None, fmt: Format) -> None:
    """What the current publication changed: figures, statuses, ranks, verdicts, benchmarks."""
    day = parse_day(since)
    if first and day:
        raise click.BadParameter("--since and the id of a publication: give one of them")
    page(day, fmt, first, second)


def sections(found: Comparison) -> list[ChangeTable]:
    """Return what changed, in the order of ``CHANGE_SECTIONS``; new and rounded figures are summed up by indicator."""
    by_kind: dict[str, list[Row]] = {kind: [] for kind in CHANGE_SECTIONS}
    for row in found.records:
        by_kind[section_of(row)].append(row)
    return [
        ChangeTable(
            kind, CHANGE_SECTIONS[kind], len(own), *(_summed(own) if kind in SUMMED_SECTIONS else _one_by_one(own))
        )
        for kind, own in by_kind.items()
        if own
    ]


def page(since: date | None, fmt: Format, first: str | None = None, second: str | None = None) -> None:
    """Print every change as one row in JSON and CSV, and as one table per kind otherwise."""
    layout = reading_layout()
    if first:
        found: Comparison | None = compare_two(
            layout, publication_named(first), publication_named(second) if second else None
        )
    else:
        fetch_earlier(since)
        found = compare(layout, since)
    if fmt is not Format.TABLE:
        show(COLUMNS, found.rows if found else [], fmt)
        return
    out = console()
    if found is None:
        out.print("This is the first publication that is kept: no earlier one exists to compare with.")
        return
    if since is not None and since < found.previous_published_at.date():
        out.print(f"No publication of {since} or before is kept; this is the oldest one.")
    out.print(
        f"From the publication of {found.previous_published_at:%Y-%m-%d %H:%M} UTC (as of {found.previous_as_of})"
        f" to that of {found.published_at:%Y-%m-%d %H:%M} UTC (as of {found.as_of})",
    )
    tables = sections(found)
    if not tables:
        out.print("Nothing changed for the members: no figure, status, rank, verdict or benchmark.")
    for section in tables:
        out.print()
        title = f"{section.title} ({section.count})"
        show(section.heads, section.lines, fmt, title=title, right=("figures", "year", "years"))


def _summed(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return one line per indicator: the number of figures, their years and members."""
    lines = []
    for title, group in groupby(sorted(rows, key=_what), key=_what):
        own = list(group)
        years = sorted({row["year"] for row in own})
        span = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        lines.append([title, span, str(len(own)), " ".join(sorted({row["iso3"] for row in own}))])
    return ["indicator", "years", "figures", "members"], lines


def _one_by_one(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and one row per change; columns that are empty in every row are left out."""
    lines = {
        "member": [row["name"] or row["iso3"] or "" for row in rows],
        "framework": [row["framework_id"] or "" for row in rows],
        "what": [_what(row) for row in rows],
        "year": [str(row["year"] or "") for row in rows],
        "was": [_value(row["previous_value"], row["previous"], row["value"]) for row in rows],
        "is": [_value(row["value"], row["present"], row["previous_value"]) for row in rows],
    }
    used = {head: column for head, column in lines.items() if any(column)}
    return list(used), [list(line) for line in zip(*used.values(), strict=True)]


def _what(row: Row) -> str:
    return str(row["title"] or row["subject"])


def _value(value: float | None, word: str | None, other: float | None) -> str:
    """Return a figure, a word, or both; the figure with all digits if ``other`` would look the same."""
    if value is None:
        return word or GAP
    text = repr(value) if value != other and figure(value) == figure(other) else figure(value)
    return f"{text} ({word})" if word else text
