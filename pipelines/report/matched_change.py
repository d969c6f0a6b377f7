"""The change of the scores on common indicators, as rows for the templates.

Belongs here: the ends of the newest chain of every member and pillar. Does not belong here: the rule
(``matched_change`` in ``dbt_project``), the sentences (``pipelines.texts``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pipelines.report.data import Report, pick


def changes(report: Report, names: Mapping[str, str], only: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the change of every member and pillar over its newest chain; None if no years compare.

    Args:
        report: The published data.
        names: Name by ISO3 code, in the language of the page.
        only: ISO3 codes of the rows to return; all members if empty.

    Returns:
        ``columns`` (ids of the pillars that count, and ``overall``) and ``rows``, each with ``iso3``, ``name`` and
        ``has_jump`` and ``cells``: for each column ``pillar_id``, ``change``, ``start``, ``end`` and ``jump_year``, the
        newest year whose change crosses an undecided jump; None where no years compare.
    """
    columns = ["overall", *(row["pillar_id"] for row in pick(report.pillars, in_overall=True))]
    if not any(row["pillar_id"] in columns for row in report.history):
        return None
    rows = [
        _row(report, iso3, names[iso3], columns)
        for iso3 in sorted((row["iso3"] for row in report.members), key=lambda code: names[code])
        if not only or iso3 in only
    ]
    return {"columns": columns, "rows": rows}


def _row(report: Report, iso3: str, name: str, columns: Sequence[str]) -> dict[str, Any]:
    cells = [_cell(report, iso3, column) for column in columns]
    return {"iso3": iso3, "name": name, "has_jump": any(cell["jump_year"] for cell in cells), "cells": cells}


def _cell(report: Report, iso3: str, pillar_id: str) -> dict[str, Any]:
    """Return the ends of a chain, and the change between them."""
    chain = pick(report.history, iso3=iso3, pillar_id=pillar_id)
    if not chain:
        return {"pillar_id": pillar_id, "change": None, "start": None, "end": None, "jump_year": None}
    return {
        "pillar_id": pillar_id,
        "change": chain[-1]["chained_index"] - chain[0]["chained_index"],
        "start": chain[0]["as_of_year"],
        "end": chain[-1]["as_of_year"],
        "jump_year": max((year["as_of_year"] for year in chain[1:] if year["indicators_jumped"]), default=None),
    }
