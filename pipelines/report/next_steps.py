"""The progress summary, and the recommendations for each member, as rows for the templates.

Belongs here: choosing rows, names in the language of the page, the bar of a summary. Does not belong here: the rule
(``member_recommendations`` in ``dbt_project``), the sentences (``pipelines.texts``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from markupsafe import Markup

from pipelines.report.data import Report, Row, grouped, pick
from pipelines.seeds.codes import PROGRESS, SIGNS
from pipelines.texts.words import Words

REGION = "CAREC"
"""The code of the region in ``progress_summary``."""

_SIGN_OF = {
    "achieved": "achieved",
    "on_track": "on_track",
    "behind": "stagnating",
    "moving_away": "decreasing",
    "level_only": "level_only",
    "without_data": "insufficient_data",
}
"""Class of progress -> the sign that has its colour and its mark."""

_BAR = 120


def progress(
    report: Report, names: Mapping[str, str], words: Words, only: Collection[str] = ()
) -> dict[str, Any] | None:
    """Return the progress summary; None if the publication has none.

    Args:
        report: The published data.
        names: Name by ISO3 code, in the language of the page.
        words: The texts of the language.
        only: Codes of the rows to return; all rows if empty.

    Returns:
        ``signs`` (class -> sign) and ``rows``, each with ``iso3``, ``name``, ``cells`` (rows of ``progress_summary``)
        and ``bar`` (SVG); ``compared`` is true if there is an earlier publication to compare with.
    """
    rows = []
    for iso3, cells in grouped(report.progress, "iso3").items():
        if only and iso3 not in only:
            continue
        name = words("progress.region") if iso3 == REGION else names.get(iso3, iso3)
        rows.append({"iso3": iso3, "name": name, "cells": cells, "total": cells[0]["total"], "bar": _bar(cells)})
    if not rows:
        return None
    compared = any(cell["change"] is not None for row in rows for cell in row["cells"])
    return {"rows": rows, "signs": {code: _SIGN_OF[code] for code in PROGRESS}, "compared": compared}


def _bar(cells: Collection[Row]) -> Markup:
    """Return the shares of the classes as one bar; the figures are in the table."""
    total, at = sum(cell["indicators"] for cell in cells) or 1, 0.0
    parts = []
    for cell in cells:
        width = _BAR * cell["indicators"] / total
        fill = SIGNS[_SIGN_OF[cell["progress"]]].fill
        if width:
            parts.append(f'<rect x="{at:.1f}" width="{width:.1f}" height="11" fill="{fill}"/>')
        at += width
    return Markup('<svg class="bar" viewBox="0 0 {0} 11" width="{0}" height="11" aria-hidden="true">{1}</svg>').format(
        _BAR, Markup("".join(parts))
    )


def recommendations(
    report: Report, names: Mapping[str, str], providers: Mapping[str, str], words: Words, iso3: str | None = None
) -> list[Row]:
    """Return the recommendations for one member, or for all, with the sentence in the language as ``text``.

    Args:
        report: The published data.
        names: Name by ISO3 code, in the language of the page.
        providers: English title by provider.
        words: The texts of the language.
        iso3: A member; all members if None.
    """
    rows = report.next_steps if iso3 is None else pick(report.next_steps, iso3=iso3)
    found = []
    for row in rows:
        operands = json.loads(row["operands"])
        if row["indicator_id"] is not None:
            operands["indicator"] = words.name("indicators", row["indicator_id"], operands["indicator"])
        if row["provider"] is not None:
            provider = row["provider"]
            operands["provider"] = words.name("providers", provider, providers.get(provider, provider))
        if row["peer_iso3"] is not None:
            operands["peer"] = names.get(row["peer_iso3"], operands["peer"])
        text = words.sentence(row["recommendation_code"], operands)
        found.append({**row, "name": names.get(row["iso3"], row["iso3"]), "text": text[:1].upper() + text[1:]})
    return found
