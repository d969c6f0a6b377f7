"""Dagster's instance in the warehouse: its folder, its settings.

Belongs here: what has to stand before an instance is opened. Does not belong here: what is recorded in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from warehouse.files import write_atomically
from warehouse.layout import Layout

TEMPLATE = Path(__file__).parents[1] / "dagster.yaml"


def prepare_home(layout: Layout) -> Path:
    """Make the instance's folder on first use and name it in ``DAGSTER_HOME``, where its settings look for it."""
    home = layout.dagster_home
    settings = home / "dagster.yaml"
    if not settings.exists():
        write_atomically(settings, TEMPLATE.read_bytes())
    os.environ["DAGSTER_HOME"] = str(home)
    return home
