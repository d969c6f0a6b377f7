"""Copies of dbt's seeds that a test may spoil, and their check.

Belongs here: what is the same for every test of a faulty seed. Does not belong here: faults and expected messages.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from pipelines.seeds.check import check_all
from sources.catalogue import load_catalogue
from tests.running import ROOT

catalogue = cache(load_catalogue)
"""The catalogue, read once: no test of a seed changes it."""


def copy_seeds(target: Path) -> Path:
    """Return a copy of the seeds in the folder, next to links to the macros and models that their declarations name."""
    for name in ("macros", "models"):
        (target / name).symlink_to(ROOT / "dbt_project" / name)
    return Path(shutil.copytree(ROOT / "dbt_project" / "seeds", target / "seeds"))


def check_seeds(seeds: Path) -> None:
    """Check every seed of the folder as before a build. Raises ConfigurationError for the first fault."""
    check_all(seeds.parent, catalogue())
