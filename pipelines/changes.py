"""What ``carec diff`` prints: what the present publication changed against an earlier one.

Belongs here: how changes are told. Does not belong here: finding them (``warehouse.publications``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from pipelines.output import GAP, Format, console, figure, show
from pipelines.pages import fetch
from pipelines.settings import load_settings
from warehouse.layout import Layout
from warehouse.publications import COLUMNS, Comparison, compare
from warehouse.publish import NotPublished

Row = dict[str, Any]

SECTIONS = {
    "new_year": "New data years",
    "revised": "Revised figures",
    "filled": "Figures for earlier years",
    "withdrawn": "Figures withdrawn",
    "status": "Changed statuses",
    "score": "Changed overall scores",
    "rank_outside_band": "Ranks outside the band of the earlier publication",
    "verdict": "Changed verdicts",
    "benchmark": "Changed benchmarks",
}
"""Kind of change -> title of its section, in the order of the page."""

SUMMED = ("new_year", "filled", "withdrawn")
"""Kinds that are told by indicator: one publication may bring hundreds of figures."""


def changes(since: date | None = None) -> Comparison | None:
    """The present publication against an earlier one; None where it is the first. Raises NotPublished without one."""
    layout = Layout(load_settings().warehouse)
    if not layout.published.exists():
        raise NotPublished(f"there is no {layout.published} yet: run `carec refresh` first")
    return compare(layout, since)


def page(since: date | None, fmt: Format) -> None:
    """Every change as a row in JSON and CSV; for people a section a kind, new figures summed up by indicator."""
    found = changes(since)
    if fmt is not Format.TABLE:
        show(COLUMNS, found.rows if found else [], fmt)
        return
    out = console()
    if found is None:
        out.print("This is the first publication that is kept: there is none to compare it with.")
        return
    out.print(
        f"From the publication of {found.previous_published_at:%Y-%m-%d %H:%M} UTC (as of {found.previous_as_of})"
        f" to that of {found.published_at:%Y-%m-%d %H:%M} UTC (as of {found.as_of})",
        markup=False,
    )
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found.rows]
    if not rows:
        out.print("Nothing changed for the members: no figure, status, rank, verdict or benchmark.")
    economies = dict(fetch("select iso3, name from economies"))
    titles = dict(fetch("select indicator_id, title from indicators"))
    for kind, title in SECTIONS.items():
        own = [row for row in rows if row["kind"] == kind]
        if own:
            for row in own:
                row["name"] = economies.get(row["iso3"], "")
                row["title"] = titles.get(row["subject"], row["subject"])
            heads, lines = _summed(own) if kind in SUMMED else _one_by_one(own)
            out.print()
            show(heads, lines, fmt, title=f"{title} ({len(own)})", right=("figures", "year"))


def _summed(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """A line an indicator: how many figures, of which years, of which members."""
    lines = []
    for title, group in groupby(sorted(rows, key=itemgetter("title")), key=itemgetter("title")):
        own = list(group)
        years = sorted({row["year"] for row in own})
        span = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        lines.append([title, span, str(len(own)), " ".join(sorted({row["iso3"] for row in own}))])
    return ["indicator", "years", "figures", "members"], lines


def _one_by_one(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """A line a change, without the columns that the kind has no use for."""
    lines = {
        "member": [row["name"] for row in rows],
        "framework": [row["framework_id"] or "" for row in rows],
        "what": [row["title"] for row in rows],
        "year": [str(row["year"] or "") for row in rows],
        "was": [_told(row["previous_value"], row["previous"]) for row in rows],
        "is": [_told(row["value"], row["present"]) for row in rows],
    }
    used = {head: column for head, column in lines.items() if any(column)}
    return list(used), [list(line) for line in zip(*used.values(), strict=True)]


def _told(value: float | None, word: str | None) -> str:
    """A figure, a word, or a figure with the word that explains it."""
    if value is None:
        return word or GAP
    return f"{figure(value)} ({word})" if word else figure(value)
