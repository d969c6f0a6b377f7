"""What a publication changed against an earlier one, as tables in the words of a language.

Belongs here: how a change is told on the page. Does not belong here: finding changes (``warehouse.publications``),
telling them in a terminal (``pipelines.cli.diff``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from pipelines.formatting import GAP
from pipelines.published import CHANGE_SECTIONS, FRAMEWORK, SUMMED_SECTIONS, section_of
from pipelines.report.data import Report, Row
from pipelines.report.words import Words


@dataclass(frozen=True)
class ReportSection:
    """A table of changes of one kind: how many, headings, lines; ``numeric`` are the columns set to the right."""

    title: str
    count: int
    heads: list[str]
    lines: list[list[str]]
    numeric: tuple[int, ...] = ()


def sections(report: Report, words: Words) -> list[ReportSection]:
    """A section for every kind of change that there is, in the order of ``carec diff``."""
    economies = {row["iso3"]: words.name("economies", row["iso3"], row["name"]) for row in report.members}
    titles = {
        row["indicator_id"]: words.name("indicators", row["indicator_id"], row["title"]) for row in report.freshness
    }
    units = {row["indicator_id"]: row["unit"] for row in report.freshness}
    statements = {row["claim_id"]: row["statement"] for row in report.claims}
    found = []
    for kind in CHANGE_SECTIONS:
        rows = [row for row in report.changes if section_of(row) == kind and row["framework_id"] in (None, FRAMEWORK)]
        if rows:
            build = _summed if kind in SUMMED_SECTIONS else _one_by_one
            told = [
                {
                    **row,
                    "member": economies.get(row["iso3"], GAP),
                    "what": titles.get(row["subject"]) or statements.get(row["subject"]) or words("columns.overall"),
                    "unit": units.get(row["subject"]),
                }
                for row in rows
            ]
            found.append(build(words(f"changes.kinds.{kind}"), told, words))
    return found


def _summed(title: str, rows: Sequence[Row], words: Words) -> ReportSection:
    """A line an indicator: one publication may bring hundreds of figures."""
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
        "was": [_told(row, "previous_value", "previous", words) for row in rows],
        "is": [_told(row, "value", "present", words) for row in rows],
    }
    used = [head for head, column in columns.items() if any(text != GAP for text in column)]
    lines = [list(line) for line in zip(*(columns[head] for head in used), strict=True)]
    numeric = tuple(place for place, head in enumerate(used) if head == "year")
    return ReportSection(title, len(rows), [words(f"columns.{head}") for head in used], lines, numeric)


def _subject(row: Row, words: Words) -> str:
    if row["kind"] == "benchmark":
        return f"{row['what']}: {words.word('goalposts', row['present'])}"
    return str(row["what"])


def _told(row: Row, value: str, text: str, words: Words) -> str:
    """The value before or after: a figure in its unit, a status with its reason, a verdict, a rank with its band."""
    number, word = row[value], row[text]
    match row["kind"]:
        case "status":
            told = _status(word, words)
        case "verdict":
            told = words.word("verdicts", word)
        case "rank_outside_band":
            told = _rank(number, word, words)
        case "score":
            told = words.number(number)
        case "benchmark" if row["present"].endswith("year"):
            told = words.year(None if number is None else int(number))
        case _:
            told = words.figure(number, row["unit"])
    return told


def _status(told: str | None, words: Words) -> str:
    """``stagnating (within_noise)`` in the language's words."""
    if told is None:
        return GAP
    status, _, reason = told.partition(" (")
    return f"{words.word('statuses', status)} ({words.word('reasons', reason.rstrip(')'))})"


def _rank(rank: float | None, band: str | None, words: Words) -> str:
    """A rank, with the band of its publication where that is told: ``band 2 to 3``."""
    number = words.number(rank, 0)
    ends = [words.number(float(end), 0) for end in re.findall(r"\d+(?:\.\d+)?", band or "")]
    return words("changes.rank", rank=number, low=ends[0], high=ends[1]) if ends else number
