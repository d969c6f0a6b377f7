"""``carec archive record``: write the bundled archive from the vintages that a live run landed.

Belongs here: choosing the vintages. Does not belong here: the archive's format (``sources.bundled_archive``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.workspace import Workspace
from sources.bundled_archive import ARCHIVE_DIR, write_archive
from sources.observation import utc_now
from warehouse import landing
from warehouse.errors import NotPublished


@dataclass(frozen=True)
class Recorded:
    directory: Path
    series: int
    rows: int


def record_archive(workspace: Workspace, directory: Path | None = None) -> Recorded:
    """Write all landed vintages of every indicator as an archive.

    Args:
        workspace: Catalogue, and the warehouse with the vintages.
        directory: The folder to write to; the bundled archive if None.

    Returns:
        The folder, and the numbers of series and figures in it.

    Raises:
        NotPublished: Nothing has landed.
    """
    vintages: dict[str, list[pl.DataFrame]] = {}
    for indicator in workspace.catalogue:
        frames = [vintage.read() for vintage in landing.vintages(workspace.layout, indicator.id)]
        if kept := [frame for frame in frames if frame.height]:
            vintages[indicator.id] = kept
    if not vintages:
        raise NotPublished("nothing has landed in this warehouse: run `carec refresh` first")
    target = directory or ARCHIVE_DIR
    how = f"Recorded on {utc_now():%Y-%m-%d} by `carec archive record` from the warehouse's landed vintages."
    write_archive(target, vintages, workspace.catalogue, how)
    rows = sum(frame.height for frames in vintages.values() for frame in frames)
    return Recorded(target, len(vintages), rows)
