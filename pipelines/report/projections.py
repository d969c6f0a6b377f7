"""The section on projections: how often a status came true, and how often an interval held.

Belongs here: which rows of ``status_hit_rate`` and ``projection_backtest`` are shown. Does not belong here: any figure
(``dbt_project``), the template.
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, grouped, pick
from pipelines.seeds.codes import SIGNS


def context(report: Report) -> dict[str, Any]:
    """Return the template value ``tested``: hit rates by status and indicator, and coverage by indicator.

    ``hits`` maps a status to its rows over all indicators; it is empty without the table.
    """
    overall = pick(report.hit_rates, indicator_id="all")
    on_track = pick(report.hit_rates, status="on_track", status_reason="pace")
    coverage = [_coverage(rows) for rows in grouped(report.backtest, "indicator_id").values()]
    return {
        "tested": {
            "hits": {sign: pick(overall, status=sign) for sign in SIGNS},
            "on_track": [row for row in on_track if row["indicator_id"] != "all"],
            "coverage": coverage,
            "missed": [one for one in coverage if one["is_indicator_missed"]],
            "held": sum(one["is_indicator_missed"] is False for one in coverage),
            "titles": report.title_of,
        }
    }


def _coverage(rows: list[Row]) -> Row:
    """Return one indicator: its first row, and the mean absolute errors over all testing windows of up to ten years."""
    windows = sum(row["test_windows"] for row in rows)
    errors = {}
    for method in ("last_value", "half_trend", "trend"):
        column = f"test_error_of_{method}"
        known = [row for row in rows if row[column] is not None]
        errors[method] = sum(row[column] * row["test_windows"] for row in known) / windows if windows else None
    return {**rows[0], "errors": errors}
