"""Delete the unfinished files of an interrupted run.

Belongs here: finding and deleting them. Does not belong here: messages to an operator (``pipelines.cli.doctor``),
atomic writes (``files``).

No observation is lost: vintages, raw bodies and the published file are always replaced as a whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.files import exclusive
from warehouse.layout import Layout


def leftovers(layout: Layout) -> list[Path]:
    """Return unfinished files, and the build file if it has no receipt or cannot be opened.

    Only the holder of the lock can distinguish them from the files of a run in progress.
    """
    found = [*layout.root.glob(".*.tmp*"), *layout.root.glob(".replay-*"), *layout.publications.glob(".*")]
    for folder in (layout.landing, layout.raw, layout.journal, layout.dbt_target):
        found += folder.rglob(".*.tmp")
    if not layout.receipt.exists():
        found += layout.root.glob(f"{layout.build.name}*")
    elif not _opens(layout.build):
        found += [layout.receipt, *layout.root.glob(f"{layout.build.name}*")]
    return sorted(found)


def _opens(build: Path) -> bool:
    """Return whether dbt can use the build file: it is missing, intact, or in use by another process."""
    if not build.exists():
        return True
    try:
        duckdb.connect(str(build), read_only=True).close()
    except duckdb.Error as error:
        return isinstance(error, duckdb.ConnectionException) or "Could not set lock" in str(error)
    return True


def clear(layout: Layout) -> list[Path]:
    """Delete the files of ``leftovers`` and return them. The caller holds the lock."""
    found = leftovers(layout)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


@contextmanager
def holding(layout: Layout, wait_s: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of the warehouse as ``files.exclusive`` does, and first delete the files of an interrupted run."""
    with exclusive(layout.lock, wait_s, waiting):
        clear(layout)
        yield
