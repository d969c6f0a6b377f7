"""Packages that are hidden from libraries, which would import them without need.

Belongs here: what hides an installed package from a library. Does not belong here: what the project itself imports.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HIDDEN = frozenset({"pandas", "hypothesis"})


class _NotInstalled(MetaPathFinder, Loader):
    """Finds the hidden packages, and fails to load them with the error of a package that is not installed."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return this loader for a hidden package.

        It must be found: polars only looks for pandas, and loads it when it is used.
        """
        return ModuleSpec(fullname, self) if fullname in HIDDEN else None

    def exec_module(self, module: ModuleType) -> None:
        """Raise what pandera and DuckDB expect.

        Raises:
            ModuleNotFoundError: Always.
        """
        raise ModuleNotFoundError(f"No module named '{module.__name__}'", name=module.__name__)


@contextmanager
def without_hidden_packages() -> Iterator[None]:
    """Keep DuckDB and pandera from importing pandas and hypothesis within the block, unless they are imported already.

    DuckDB imports pandas, where it is installed, when a statement has parameters: one of them might be pandas' missing
    value. pandera imports it for its schemas of pandas, and hypothesis to invent data for tests. Both work without:
    pandas takes longer to import than most queries and 40 MiB, hypothesis a quarter of a second in a live refresh.
    https://docs.python.org/3/reference/import.html#the-meta-path
    """
    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
