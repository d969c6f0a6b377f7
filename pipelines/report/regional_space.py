"""The section on the common digital space: how the rows of ``regional_space`` are arranged in tables.

Belongs here: which figure is in which cell. Does not belong here: any figure (``dbt_project``), the template.
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, pick

GROUPS = ("carec", "asean", "eu27")

LARGEST_PAIRS = 5
"""Number of pairs of members that are named under the shares of GitHub."""


def context(report: Report) -> dict[str, Any]:
    """Return the template value ``space``: the parts of the section, each as rows of cells."""
    by_id = {row["row_id"]: row for row in report.space}
    years = sorted({row["year"] for row in pick(report.space, measure="github_within_share") if row["year"]})
    return {
        "space": {
            "rows": report.space,
            "groups": GROUPS,
            "treaties": _treaties(report, by_id),
            "github": [_github(by_id, year) for year in reversed(years)],
            "pairs": _largest_pairs(report, years[-1]) if years else [],
            "cybersecurity": _cybersecurity(report),
            "remittances": [row for row in pick(report.space, measure="remittance_cost") if row["value"] is not None],
            "remittances_missing": [row["iso3"] for row in pick(report.space, measure="remittance_cost", value=None)],
            "remittances_below": _first(report, measure="remittance_below_3"),
            "remittance_means": _latest_by_group(report, "remittance_mean"),
            "gaps": [_gaps(report, pillar["pillar_id"]) for pillar in report.pillars if _measured(report, pillar)],
            "indicators": _indicators(report),
        }
    }


def _first(report: Report, **wanted: object) -> Row | None:
    return next(iter(pick(report.space, **wanted)), None)


def _measured(report: Report, pillar: Row) -> bool:
    return bool(pick(report.space, measure="pillar_sd", subject_id=pillar["pillar_id"]))


def _treaties(report: Report, by_id: dict[str, Row]) -> list[Row]:
    """Return one row per instrument: members' statuses by ISO3 code, and the counts of each group."""
    found = []
    for instrument in report.instruments:
        name = instrument["instrument_id"]
        statuses = pick(report.space, measure="treaty_status", subject_id=name, group_id="carec")
        counts = {group: by_id.get(f"treaty_parties.{name}.{group}") for group in GROUPS}
        found.append({**instrument, "statuses": {row["iso3"]: row for row in statuses}, "counts": counts})
    return found


def _github(by_id: dict[str, Row], year: int) -> Row:
    cells = [("github_within_share", "carec"), ("github_within_share_ex_chn", "carec")]
    cells += [("github_within_share", group) for group in GROUPS[1:]]
    return {"year": year, "cells": [by_id.get(f"{measure}.github.{group}.{year}") for measure, group in cells]}


def _largest_pairs(report: Report, year: int) -> list[Row]:
    pairs = pick(report.space, measure="github_pair", year=year)
    return sorted(pairs, key=lambda row: (-row["value"], row["row_id"]))[:LARGEST_PAIRS]


def _latest_by_group(report: Report, measure: str, **wanted: object) -> list[Row | None]:
    """Return the newest row of each group for a measure; None where the panel has no row."""
    found = []
    for group in GROUPS:
        rows = pick(report.space, measure=measure, group_id=group, iso3=None, **wanted)
        found.append(max(rows, key=lambda row: row["year"] or 0, default=None))
    return found


def _cybersecurity(report: Report) -> list[Row]:
    """Return one row per indicator of the index, with mean and standard deviation of each group in its last edition."""
    found = []
    for indicator_id in dict.fromkeys(row["subject_id"] for row in pick(report.space, measure="gci_mean")):
        means = _latest_by_group(report, "gci_mean", subject_id=indicator_id)
        spreads = _latest_by_group(report, "gci_sd", subject_id=indicator_id)
        own = {"subject_id": indicator_id, "year": means[0]["year"] if means[0] else None}
        found.append(
            {
                "indicator_id": indicator_id,
                "title": report.title_of.get(indicator_id, indicator_id),
                "year": own["year"],
                "cells": [cell for pair in zip(means, spreads, strict=True) for cell in pair],
                "lowest": pick(report.space, measure="gci_lowest", **own),
            }
        )
    return found


def _gaps(report: Report, pillar_id: str) -> Row:
    own = {"subject_id": pillar_id}
    gaps = _latest_by_group(report, "pillar_gap", **own)
    spreads = _latest_by_group(report, "pillar_sd", **own)
    history = sorted(pick(report.space, measure="pillar_sd", group_id="carec", **own), key=lambda row: row["year"])
    counts = {
        measure: _latest_by_group(report, f"indicators_{measure}", **own)
        for measure in ("tested", "converging", "diverging")
    }
    return {
        "pillar_id": pillar_id,
        "title": next(row["title"] for row in report.pillars if row["pillar_id"] == pillar_id),
        "cells": [cell for pair in zip(gaps, spreads, strict=True) for cell in pair],
        "first": next((row for row in history if row["value"] is not None), None),
        "lowest": pick(report.space, measure="pillar_lowest", **own),
        "highest": pick(report.space, measure="pillar_highest", **own),
        "counts": counts,
        "beta": _first(report, measure="pillar_beta", **own),
    }


def _indicators(report: Report) -> list[Row]:
    """Return one row per indicator with a test of convergence in CAREC: its sigma and beta in each group."""
    found = []
    for row in pick(report.space, measure="indicator_beta", group_id="carec"):
        if row["value"] is None:
            continue
        indicator_id = row["subject_id"]
        cells = []
        for measure in ("indicator_sigma", "indicator_beta", "indicator_beta_error"):
            cells += _latest_by_group(report, measure, subject_id=indicator_id)
        found.append(
            {"indicator_id": indicator_id, "title": report.title_of.get(indicator_id, indicator_id), "cells": cells}
        )
    return sorted(found, key=lambda one: one["indicator_id"])
