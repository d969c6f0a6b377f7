"""The tables on the spread of the members over the years: how rows of ``regional_space`` are arranged in lines.

Belongs here: which figure is in which cell. Does not belong here: any figure (``dbt_project``), the template.
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, grouped, pick


def context(report: Report) -> dict[str, Any]:
    """Return the template value ``spread``: lines of pillars and of indicators, those that converge most first."""
    titles = report.title_of
    pillars = {row["pillar_id"]: row["title"] for row in report.pillars}
    return {
        "spread": {
            "pillars": _lines(report, "matched", pillars),
            "indicators": _lines(report, "level", titles),
            "missing": pick(report.space, measure="matched_sd", value=None),
        }
    }


def _lines(report: Report, prefix: str, titles: dict[str, str]) -> list[Row]:
    """Return one line per subject: the first and the last year of its spread, and the slope between them."""
    slopes = {
        measure: {row["subject_id"]: row for row in pick(report.space, measure=f"{prefix}_{measure}")}
        for measure in ("beta", "beta_error")
    }
    known = [row for row in pick(report.space, measure=f"{prefix}_sd") if row["value"] is not None]
    lines = []
    for subject_id, rows in grouped(known, "subject_id").items():
        rows.sort(key=lambda row: row["year"])
        lines.append(
            {
                "subject_id": subject_id,
                "title": titles.get(subject_id, subject_id),
                "first": rows[0],
                "last": rows[-1],
                "beta": slopes["beta"].get(subject_id),
                "beta_error": slopes["beta_error"].get(subject_id),
            }
        )
    return sorted(lines, key=lambda line: (line["last"]["value"] / (line["first"]["value"] or 1), line["subject_id"]))
