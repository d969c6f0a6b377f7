"""Delete the unfinished files of an interrupted run, and a failed build that was corrected.

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

from warehouse import kept
from warehouse.files import exclusive
from warehouse.layout import Layout
from warehouse.publish import build_logs, read_receipt
from warehouse.reading import user_of
from warehouse.standing import clear_copies


def leftovers(layout: Layout) -> list[Path]:
    """Return unfinished files, logs beside a finished build, and a build without a receipt or that cannot be opened.

    Only the holder of the lock can distinguish them from the files of a run in progress.
    """
    found = [*layout.root.glob(".*.tmp*"), *layout.root.glob(".replay-*")]
    found += [*layout.publications.glob(".*"), *layout.opened.glob(".*")]
    found += [path for path in layout.publications.glob("*.sha256") if not path.with_suffix(kept.SUFFIX).exists()]
    for folder in (layout.landing, layout.raw, layout.journal, layout.dbt_target):
        found += folder.rglob(".*.tmp")
    if not layout.receipt.exists():
        found += layout.root.glob(f"{layout.build.name}*")
    else:
        is_free = _is_free(layout.build)
        if is_free:
            found += build_logs(layout)
        elif is_free is False:
            found += [layout.receipt, *layout.root.glob(f"{layout.build.name}*")]
    return sorted(found)


def _is_free(build: Path) -> bool | None:
    """Return whether dbt can open the build file, or it is missing; None while a program has it open."""
    if not build.exists():
        return True
    try:
        duckdb.connect(str(build), read_only=True).close()
    except duckdb.Error as error:
        return None if isinstance(error, duckdb.ConnectionException) or user_of(error) else False
    return True


def clear(layout: Layout) -> list[Path]:
    """Delete the files of ``leftovers`` and return them. The caller holds the lock.

    Copies of earlier publications that users had open are deleted too.
    """
    found = leftovers(layout)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    clear_copies(layout)
    return found


def drop_failed_build(layout: Layout) -> None:
    """Delete a build that did not pass its checks, and its receipt. The caller holds the lock."""
    receipt = read_receipt(layout)
    if receipt and not receipt.passed:
        for path in (*layout.root.glob(f"{layout.build.name}*"), layout.receipt):
            path.unlink(missing_ok=True)


@contextmanager
def holding(layout: Layout, wait_s: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of the warehouse as ``files.exclusive`` does, and first delete the files of an interrupted run."""
    with exclusive(layout.lock, wait_s, waiting):
        clear(layout)
        yield
