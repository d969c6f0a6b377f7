"""The section on the review's recommendations and on governance: how the published rows are arranged.

Belongs here: which measure is named under which recommendation. Does not belong here: any figure, the template.
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, grouped, pick
from pipelines.texts.words import Words


def context(report: Report, words: Words) -> dict[str, Any]:
    """Return the template value ``advice``: the recommendations with their measures, and the rows on governance."""
    names = {row["instrument_id"]: row["title"] for row in report.instruments}
    titles = report.title_of
    return {
        "advice": {
            "recommendations": [
                {
                    **row,
                    "members_behind": row["behind"].split(", ") if row["behind"] else [],
                    "measures": [
                        {**one, "name": measure_name(one, names, titles, words)}
                        for one in pick(report.recommendation_measures, recommendation_id=row["recommendation_id"])
                    ],
                }
                for row in report.recommendations
            ],
            "governance": [
                {"aspect": aspect, "cells": rows} for aspect, rows in grouped(report.governance, "aspect").items()
            ],
        }
    }


def measure_name(measure: Row, instruments: dict[str, str], titles: dict[str, str], words: Words) -> str:
    """Return the name of a measure in the language; for the panel, made of what is measured and of what.

    Args:
        measure: A row of ``recommendation_measures``.
        instruments: English title by instrument id.
        titles: English title by indicator id.
        words: Texts of the language.
    """
    if measure["measure_kind"] == "indicator":
        return words.name("indicators", measure["measure_id"], measure["title"])
    if measure["measure_kind"] == "claim":
        return str(measure["title"])
    name, subject, _ = measure["measure_id"].split(".")
    title = words.word("space_measures", name)
    if name == "treaty_parties":
        return f"{title}: {words.name('instruments', subject, instruments.get(subject, subject))}"
    if name == "gci_sd":
        return f"{title}: {words.name('indicators', subject, titles.get(subject, subject))}"
    return f"{title}: {subject.upper()}" if name == "pillar_gap" else title
