"""After an interruption: what a killed run left in the warehouse, and how the next one begins without it.

Belongs here: finding and clearing what nobody vouches for. Does not belong here: what an operator is told of it
(``pipelines.cli.doctor``), writing so that nothing half is ever read (``files``).

Nothing here is a figure that was had or published: vintages, raw bodies and the published file only ever appear whole.
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
    """Half-written files, and the build file where no receipt says what it holds, or where it cannot be opened.

    Only the holder of the lock can tell them from work that is under way.
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
    """Whether dbt can write on in the build file. One that is not there can be made; one that is in use is no ruin."""
    if not build.exists():
        return True
    try:
        duckdb.connect(str(build), read_only=True).close()
    except duckdb.Error as error:
        return isinstance(error, duckdb.ConnectionException) or "Could not set lock" in str(error)
    return True


def clear(layout: Layout) -> list[Path]:
    """Remove what an interrupted run left, and name it. The caller holds the lock."""
    found = leftovers(layout)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


@contextmanager
def holding(layout: Layout, wait_s: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the warehouse as ``files.exclusive`` does, without what an interrupted holder left in it."""
    with exclusive(layout.lock, wait_s, waiting):
        clear(layout)
        yield
