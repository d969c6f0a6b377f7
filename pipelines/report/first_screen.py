"""What the first screen says: the region against its path, the ranks with ties, what changed, how old the figures are.

Belongs here: choosing the figures of these sentences. Does not belong here: the sentences (``pipelines.texts``), the
tables below them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median_low
from typing import Any

from pipelines.published import CHANGE_SECTIONS, section_of
from pipelines.report.data import Report, pick
from pipelines.report.next_steps import REGION
from pipelines.seeds.codes import FRAMEWORK
from pipelines.texts.words import Words

_JUDGED = ("achieved", "on_track", "behind", "moving_away")


def context(report: Report, names: Mapping[str, str], words: Words) -> dict[str, Any]:
    """Return the template values ``headlines``, ``order_of_members``, ``gaps_of_scores`` and ``changed_ids``."""
    return {
        "headlines": [text for text in (_age(report, words), _region(report, words), _changed(report, words)) if text],
        "order_of_members": [
            f"{words.number(row['rank'], 0)}{'=' if row['tied_with'] else ''} {names[row['iso3']]}"
            for row in report.members
            if row["rank"] is not None
        ],
        "gaps_of_scores": _gaps(report, names, words),
        "changed_ids": {row["subject"] for row in report.changes},
    }


def _age(report: Report, words: Words) -> str:
    """Return how old the figures are: what was obtained live, when the rest was received, which years they describe."""
    publication = report.publication
    years = [cell["latest_year"] for cell in report.cells if cell["latest_year"] is not None]
    received = [row["retrieved_at"] for row in report.freshness if row["retrieved_at"] is not None]
    if not years or not received:
        return ""
    code = "first.age_archive" if publication["series_live"] == 0 else "first.age"
    return words(
        code,
        live=publication["series_live"],
        series=publication["series_live"] + publication["series_archived"],
        received=words.day(max(received)),
        days=max(0, (publication["as_of"] - max(received).date()).days),
        year=median_low(years),
        newest=max(years),
    )


def _region(report: Report, words: Words) -> str:
    """Return the counts of the region's results against their paths; an empty text if there are none."""
    counts = {row["progress"]: row["indicators"] for row in pick(report.progress, iso3=REGION)}
    judged = sum(counts.get(code, 0) for code in _JUDGED)
    if not judged:
        return ""
    good = counts.get("achieved", 0) + counts.get("on_track", 0)
    shown = {code: words.number(counts.get(code, 0), 0) for code in _JUDGED}
    rest = words.number(sum(counts.values()) - judged, 0)
    total, share = words.number(judged, 0), words.number(100 * good / judged, 0)
    return words("first.region", judged=total, good=words.number(good, 0), share=share, rest=rest, **shown)


def _changed(report: Report, words: Words) -> str:
    """Return the number of changes since the last publication by kind."""
    if report.previous is None:
        return words("changes.first")
    own = [row for row in report.changes if row["framework_id"] in (None, FRAMEWORK)]
    counts = Counter(section_of(row) for row in own)
    since = words(
        "changes.since", day=words.day(report.previous["published_at"]), as_of=words.day(report.previous["as_of"])
    )
    kinds = [
        f"{words(f'changes.kinds.{kind}')}: {words.number(counts[kind], 0)}" for kind in CHANGE_SECTIONS if counts[kind]
    ]
    return f"{since} {'; '.join(kinds) + '.' if kinds else words('changes.none')}"


def _gaps(report: Report, names: Mapping[str, str], words: Words) -> list[str]:
    """Return one line per member that lacks scores, with each reason and the parts it concerns."""
    lines = []
    in_overall = {row["pillar_id"] for row in pick(report.pillars, in_overall=True)}
    for member in sorted(report.members, key=lambda row: names[row["iso3"]]):
        parts: dict[str, list[str]] = {}
        if member["overall_score"] is None:
            parts.setdefault(member["score_reason"], []).append(words("columns.overall"))
        for row in pick(report.pillar_scores, iso3=member["iso3"], score=None):
            if row["pillar_id"] in in_overall:
                parts.setdefault(row["score_reason"], []).append(row["pillar_id"].upper())
        if parts:
            reasons = "; ".join(f"{', '.join(where)} – {words.word('reasons', code)}" for code, where in parts.items())
            lines.append(f"{names[member['iso3']]}: {reasons}")
    return lines
