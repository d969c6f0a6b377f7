"""What a publication changed compared with an earlier one, as tables in one language.

Belongs here: how a change is shown on the page. Does not belong here: finding changes (``warehouse.publications``),
showing them in a terminal (``pipelines.cli.diff``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from pipelines.formatting import GAP
from pipelines.published import CHANGE_SECTIONS, SUMMED_SECTIONS, section_of
from pipelines.report.data import Report, Row
from pipelines.seeds.codes import FRAMEWORK
from pipelines.texts.words import Words


@dataclass(frozen=True)
class ReportSection:
    """A table of changes of one kind; the columns ``numeric`` are right-aligned."""

    title: str
    count: int
    heads: list[str]
    lines: list[list[str]]
    numeric: tuple[int, ...] = ()


def sections(report: Report, names: Mapping[str, str], words: Words) -> list[ReportSection]:
    """Return one section per kind of change, in the order of ``carec diff``; kinds without a change are left out."""
    titles = {row["indicator_id"]: words.name_of("indicators", row) for row in report.freshness}
    units = {row["indicator_id"]: row["unit"] for row in report.freshness}
    statements = {row["claim_id"]: row["statement"] for row in report.claims}
    found = []
    for kind in CHANGE_SECTIONS:
        rows = [row for row in report.changes if section_of(row) == kind and row["framework_id"] in (None, FRAMEWORK)]
        if rows:
            build = _summed if kind in SUMMED_SECTIONS else _one_by_one
            named = [
                {
                    **row,
                    "member": names.get(row["iso3"], GAP),
                    "what": titles.get(row["subject"]) or statements.get(row["subject"]) or words("columns.overall"),
                    "unit": units.get(row["subject"]),
                }
                for row in rows
            ]
            found.append(build(words(f"changes.kinds.{kind}"), named, words))
    return found


def _summed(title: str, rows: Sequence[Row], words: Words) -> ReportSection:
    """Return one line per indicator, because one publication may have hundreds of new figures."""
    lines = []
    for what, group in groupby(sorted(rows, key=itemgetter("what")), key=itemgetter("what")):
        own = list(group)
        first, last = min(row["year"] for row in own), max(row["year"] for row in own)
        years = str(first) if first == last else f"{first}–{last}"
        lines.append([what, years, words.number(len(own), 0), ", ".join(sorted({row["member"] for row in own}))])
    heads = [words(f"columns.{head}") for head in ("indicator", "year", "figures", "members")]
    return ReportSection(title, len(rows), heads, lines, numeric=(1, 2))


def _one_by_one(title: str, rows: Sequence[Row], words: Words) -> ReportSection:
    columns = {
        "member": [row["member"] for row in rows],
        "subject": [_subject(row, words) for row in rows],
        "year": [words.year(row["year"]) for row in rows],
        "was": [_value_text(row, "previous_value", "previous", words) for row in rows],
        "is": [_value_text(row, "value", "present", words) for row in rows],
    }
    used = [head for head, column in columns.items() if any(text != GAP for text in column)]
    lines = [list(line) for line in zip(*(columns[head] for head in used), strict=True)]
    numeric = tuple(place for place, head in enumerate(used) if head == "year")
    return ReportSection(title, len(rows), [words(f"columns.{head}") for head in used], lines, numeric)


def _subject(row: Row, words: Words) -> str:
    if row["kind"] == "benchmark":
        return f"{row['what']}: {words.word('goalposts', row['present'])}"
    return str(row["what"])


def _value_text(row: Row, value: str, text: str, words: Words) -> str:
    """Return a value as text: a figure with its unit, a status with its reason, a verdict, or a rank with its band."""
    number, word = row[value], row[text]
    match row["kind"]:
        case "status":
            shown = _status(word, words)
        case "verdict":
            shown = words.word("verdicts", word)
        case "rank_outside_band":
            shown = _rank(number, word, words)
        case "score":
            shown = words.number(number)
        case "benchmark" if row["present"].endswith("year"):
            shown = words.year(None if number is None else int(number))
        case _:
            shown = words.figure(number, row["unit"])
    return shown


def _status(text: str | None, words: Words) -> str:
    """Return a status such as ``stagnating (within_noise)`` in the language of the page."""
    if text is None:
        return GAP
    status, _, reason = text.partition(" (")
    return f"{words.word('statuses', status)} ({words.word('reasons', reason.rstrip(')'))})"


def _rank(rank: float | None, band: str | None, words: Words) -> str:
    """Return a rank, with the band of its publication if known: ``band 2 to 3``."""
    number = words.number(rank, 0)
    ends = [words.number(float(end), 0) for end in re.findall(r"\d+(?:\.\d+)?", band or "")]
    return words("changes.rank", rank=number, low=ends[0], high=ends[1]) if ends else number
