"""The figures of quantities that two origins measure, for the report and the briefs.

Belongs here: choosing the rows of an indicator or a member. Does not belong here: the comparison (``second_origins``),
the queries (``data``).
"""

from __future__ import annotations

from typing import Any

from pipelines.report.data import Report, Row, grouped, pick


def by_indicator(report: Report) -> dict[str, dict[str, Any]]:
    """Return, by declared indicator, the rows of its members and what they share.

    Returns:
        Indicator -> ``rows`` (widest difference first), ``declared`` and ``other`` (the names of the origins), ``note``
        of the pair, and ``widest``: the first row, None if no member has figures of one year.
    """
    return {indicator: _pair(rows) for indicator, rows in grouped(report.second_origins, "indicator_id").items()}


def of_member(report: Report, iso3: str) -> list[Row]:
    """Return the rows of a member that have a figure of both origins."""
    return [
        row
        for row in pick(report.second_origins, iso3=iso3)
        if row["declared_value"] is not None and row["other_value"] is not None
    ]


def _pair(rows: list[Row]) -> dict[str, Any]:
    first = rows[0]
    return {
        "rows": rows,
        "declared": first["declared_origin"],
        "other": first["other_origin"],
        "note": first["note"],
        "widest": first if first["difference"] is not None else None,
    }
