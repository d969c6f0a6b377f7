"""Codes that dbt and Python share: the main framework, statuses and verdicts, and how a status is shown.

Belongs here: codes, their order and their colours. The codes are read from ``vars`` in ``dbt_project/dbt_project.yml``,
which dbt's models and tests use too. Does not belong here: words (``pipelines/texts``), the thresholds of the
statuses (seed ``status_thresholds``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from sources.errors import ConfigurationError
from sources.yaml_files import read_mapping

PROJECT_FILE = Path(__file__).parents[2] / "dbt_project" / "dbt_project.yml"

_NEEDED = ("framework", "progress", "verdicts", "documentary_verdicts", "document_roles", "site_pattern")
"""The variables that Python reads by name."""


def read_variables(path: Path) -> dict[str, Any]:
    """Return the variables of a dbt project.

    Raises:
        ConfigurationError: The file cannot be read, or lacks variables that Python needs; it names file and line.
    """
    variables = read_mapping(path).get("vars")
    if not isinstance(variables, dict) or not variables.keys() >= set(_NEEDED):
        raise ConfigurationError(f"{path}:1: must have `vars:` with {', '.join(_NEEDED)}: restore what is missing")
    return variables


VARIABLES = read_variables(PROJECT_FILE)
"""Variables of the dbt project."""

FRAMEWORK: str = VARIABLES["framework"]
"""The framework of the scorecard. Other frameworks are scored too, but the pages and the summaries show this one."""

PROGRESS: tuple[str, ...] = tuple(VARIABLES["progress"])
"""Classes of the progress summary, from the best to the one without data."""

VERDICTS: tuple[str, ...] = tuple(VARIABLES["verdicts"])
"""Verdicts on a claim, in the order in which summaries show them."""

DECIDED = VERDICTS[:5]
"""Verdicts that a figure decides: claim and figure measure the same thing."""

DEPENDING = VERDICTS[5:7]
"""Verdicts with figures that measure what is claimed but give different outcomes."""

WITHOUT_FIGURE = VERDICTS[8:]
"""Verdicts on claims that have no figure of the years in question."""
DOCUMENTARY_VERDICTS: tuple[str, ...] = tuple(VARIABLES["documentary_verdicts"])
"""Verdicts of documents on a claim, in the order in which summaries show them."""

DOCUMENTS_DECIDE = DOCUMENTARY_VERDICTS[:4]
"""Documentary verdicts that decide a claim, wholly or in part."""

DOCUMENT_ROLES: tuple[str, ...] = tuple(VARIABLES["document_roles"])
"""Parts of a document in the documentary verdict, in the order in which documents are listed."""


class Sign(NamedTuple):
    """How a status is shown: a colour on a terminal, and a square with a mark on the pages."""

    terminal: str
    fill: str
    mark: str
    ink: str = "#000000"


SIGNS = {
    "achieved": Sign("green", "#0072b2", "✓", "#ffffff"),
    "on_track": Sign("green", "#56b4e9", "↑"),
    "moderately_improving": Sign("yellow", "#f0e442", "↗"),
    "stagnating": Sign("red", "#e69f00", "→"),
    "decreasing": Sign("red", "#e8762c", "↓"),
    "level_only": Sign("dim", "#d0d7de", "="),
    "insufficient_data": Sign("dim", "#ffffff", "?", "#57606a"),
}
"""Sign of an indicator of a member -> how it is shown, in the order of the legend.

The sign is the status. ``level_only`` is the sign of an edition index, which has a level and never a pace: its status
is ``insufficient_data``. Readers who do not see red and green can distinguish the colours.
"""
