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


class _NoPandas(MetaPathFinder, Loader):
    """Finds pandas, and fails to load it with the error of a package that is not installed."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return this loader for pandas. It must be found: polars only looks for it, and loads it when it is used."""
        return ModuleSpec(fullname, self) if fullname == "pandas" else None

    def exec_module(self, module: ModuleType) -> None:
        """Raise what pandera and DuckDB expect.

        Raises:
            ModuleNotFoundError: Always.
        """
        raise ModuleNotFoundError(f"No module named '{module.__name__}'", name=module.__name__)


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB and pandera from importing pandas within the block, unless it is imported already.

    DuckDB imports pandas, where it is installed, when a statement has parameters: one of them might be pandas' missing
    value. pandera imports it for its schemas of pandas. Both work without pandas, whose import takes longer than most
    queries and 40 MiB; https://docs.python.org/3/reference/import.html#the-meta-path
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
