"""The section on how firm the ranks are: what the assumptions vary, and when two members are tied.

Belongs here: the words of ``rank_sensitivity``, the parameter of a tie. Does not belong here: ranks, bands and indices
(``dbt_project``), the chart (``pipelines.report.charts``).
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.report.data import Report, Row
from pipelines.texts.words import Words


def context(report: Report, words: Words) -> dict[str, Any]:
    """Return the template values ``varied`` (a function of a row) and ``min_order_share`` (None without pairs)."""

    def varied(row: Row) -> str:
        operands = json.loads(row["operands"])
        choices = words.get("bands.choices")
        if "alternatives" in operands:
            operands["alternatives"] = [choices.get(code, code) for code in operands["alternatives"]]
        return words.sentence(row["varied_code"], operands)

    return {"varied": varied, "min_order_share": next((row["min_order_share"] for row in report.bands), None)}
