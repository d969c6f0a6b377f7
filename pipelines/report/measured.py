"""The year of a figure as text: its own year, and the year of its measurement if the source repeats it.

Belongs here: this text. Does not belong here: which figures are repeated (``series_repeats`` in ``dbt_project``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.texts.words import Words


def year_of(cell: Mapping[str, Any], words: Words) -> str:
    """Return the year of the latest figure of a row of ``indicator_scores``, with the year of its measurement."""
    latest, measured = cell["latest_year"], cell["measured_year"]
    if measured is None or measured == latest:
        return words.year(latest)
    return words("jumps.year_measured", year=words.year(latest), measured=words.year(measured))
