"""The section with the statistical audit: how the rows of ``statistical_audit`` are arranged in tables.

Belongs here: which statistic is in which cell. Does not belong here: any statistic (``dbt_project``), the template.
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, pick
from pipelines.texts.words import Words

POPULATIONS = ("economies", "members")
Key = tuple[str, str, str, str]
"""Population, statistic, subject, other subject."""


def context(report: Report, words: Words) -> dict[str, Any]:
    """Return the template value ``audit``: the parts of the section; ``rows`` is empty without the table."""
    found = {(row["population"], row["statistic"], row["subject"], row["other_subject"]): row for row in report.audit}
    pillars = {row["pillar_id"]: words.name_of("pillars", row) for row in pick(report.pillars, in_overall=True)}
    scored = [one for one in report.indicators if ("economies", "share_at_100", one["indicator_id"], "level") in found]
    return {
        "audit": {
            "rows": report.audit,
            "coherence": _coherence(found, pillars),
            "pillars": [{"id": pillar, "title": title, **_pillar(found, pillar)} for pillar, title in pillars.items()],
            "indicators": [{**one, **_indicator(found, one, list(pillars))} for one in scored],
            "roles": [
                {"role": role, "cells": _both(found, ("nominal_weight", "effective_weight"), role, "role")}
                for role in ("direct", "proxy", "edition_index")
            ],
            "redundant": pick(report.audit, population="economies", statistic="redundant_pair"),
            "explained": pick(report.audit, population="economies", statistic="explained_variance"),
            "titles": report.title_of,
            "given_income": _given_income(report, found),
            "income": next((row["other_subject"] for row in pick(report.audit, statistic="income_correlation")), None),
        }
    }


def _cell(found: dict[Key, Row], key: Key) -> Row:
    """Return the row of a statistic, or an empty one with the reason ``no_data`` if the table does not have it."""
    names = dict(zip(("population", "statistic", "subject", "other_subject"), key, strict=True))
    return found.get(key, {**names, "value": None, "n": 0, "reason": "no_data"})


def _both(found: dict[Key, Row], statistics: tuple[str, ...], subject: str, other: str) -> list[Row]:
    """Return the statistics for all economies, then for the members."""
    return [_cell(found, (population, name, subject, other)) for name in statistics for population in POPULATIONS]


def _coherence(found: dict[Key, Row], pillars: dict[str, str]) -> list[dict[str, Any]]:
    sets = [("overall", "pillars"), *((pillar, items) for pillar in pillars for items in ("subthemes", "indicators"))]
    statistics = ("alpha", "first_component_share")
    return [
        {"subject": subject, "items": items, "cells": _both(found, statistics, subject, items)}
        for subject, items in sets
        if ("economies", "alpha", subject, items) in found
    ]


def _pillar(found: dict[Key, Row], pillar: str) -> dict[str, Any]:
    return {
        "nominal": _cell(found, ("economies", "nominal_weight", pillar, "pillar")),
        "effective": _both(found, ("effective_weight",), pillar, "pillar"),
        "overall": _both(found, ("pillar_correlation",), pillar, "overall"),
        "income": [
            next((row for key, row in found.items() if key[:3] == (population, "income_correlation", pillar)), None)
            or _cell(found, (population, "income_correlation", pillar, ""))
            for population in POPULATIONS
        ],
    }


def _indicator(found: dict[Key, Row], one: Row, pillars: list[str]) -> dict[str, Any]:
    """Return the cells of an indicator. ``nearest`` is the other pillar with the largest correlation."""
    name, own = one["indicator_id"], one["pillar_id"]
    others = [_cell(found, ("economies", "indicator_correlation", name, pillar)) for pillar in pillars if pillar != own]
    known = [row for row in others if row["value"] is not None]
    nearest = max(known, key=lambda row: float(row["value"])) if known else None
    rest = _cell(found, ("economies", "rest_correlation", name, own))
    return {
        "nominal": _cell(found, ("economies", "nominal_weight", name, "indicator")),
        "effective": _both(found, ("effective_weight",), name, "indicator"),
        "rest": rest,
        "nearest": nearest,
        "is_elsewhere": nearest is not None and rest["value"] is not None and nearest["value"] > rest["value"],
        "ends": _both(found, ("share_at_0", "share_at_100"), name, "level"),
        "left_out": [
            _cell(found, ("members", statistic, name, "overall"))
            for statistic in ("left_out_max_change", "left_out_max_rank_shift")
        ],
    }


def _given_income(report: Report, found: dict[Key, Row]) -> list[dict[str, Any]]:
    """Return the ranked members with their two statistics given income, best place first."""
    rows = {
        (row["subject"], row["statistic"]): row
        for row in found.values()
        if row["statistic"] in ("points_given_income", "percentile_given_income")
    }
    placed = [
        {**member, "points": points, "percentile": rows[member["iso3"], "percentile_given_income"]}
        for member in report.members
        if (points := rows.get((member["iso3"], "points_given_income")))
    ]
    return sorted(placed, key=lambda one: (one["points"]["value"] is None, -(one["points"]["value"] or 0)))
