"""Read publications of the lake as kept files of a warehouse: fetched once, then read as any other.

Belongs here: which publications the lake has, and their files. Does not belong here: which one a command reads
(``pipelines.reading``), what is copied (``copies``).

One query to PostgreSQL finds the publications. A file that the folder has under the same id is not fetched again: the
id has the time and the fingerprint, and a kept file never changes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from warehouse import kept
from warehouse.files import Busy, exclusive, sha256_of
from warehouse.kept import Kept
from warehouse.lake.connection import Lake, catalogue
from warehouse.lake.copies import copy_publication, place_of
from warehouse.lake.errors import LakeError
from warehouse.lake.publishing import AUTHOR
from warehouse.layout import Layout
from warehouse.retention import prune
from warehouse.standing import show

WAIT_S = 600.0
"""Seconds to wait for another process of this machine that fetches a publication."""

_PUBLICATIONS = """
    select snapshot_id, extra ->> 'fingerprint', extra ->> 'published_at', extra ->> 'as_of'
    from ducklake_snapshot join (
        select snapshot_id, commit_extra_info::json as extra
        from ducklake_snapshot_changes where author = %s and commit_extra_info is not null
    ) as changes using (snapshot_id)
    order by snapshot_id
"""


@dataclass(frozen=True)
class InLake:
    """A publication of the lake, as its commit describes it."""

    snapshot: int
    fingerprint: str
    published_at: datetime
    as_of: date

    def kept(self, layout: Layout) -> Kept:
        """Return the place of its file in a warehouse; the file may not exist yet."""
        return kept.named(layout, self.published_at, self.fingerprint)


def in_lake(lake: Lake) -> list[InLake]:
    """Return the publications of the lake in the order of their commits.

    Raises:
        LakeError: PostgreSQL cannot be reached or refuses.
    """
    with catalogue(lake) as connection, connection.cursor() as cursor:
        cursor.execute(_PUBLICATIONS, [AUTHOR])
        return [
            InLake(snapshot, fingerprint, datetime.fromisoformat(published_at), date.fromisoformat(as_of))
            for snapshot, fingerprint, published_at, as_of in cursor.fetchall()
        ]


def is_here(layout: Layout, one: InLake) -> bool:
    """Return whether a warehouse has the file of a publication and its hash."""
    file = one.kept(layout)
    return file.path.exists() and file.sha256 is not None


def fetched(lake: Lake, layout: Layout, one: InLake, keep: int) -> Path:
    """Return the kept file of a publication, after fetching it if the warehouse lacks it.

    Of several processes one fetches it, the others wait. Nothing else of the warehouse changes, so that a refresh may
    run meanwhile; outdated kept files are deleted first.

    Args:
        lake: The address.
        layout: Paths of the warehouse.
        one: The publication.
        keep: Number of publications to keep, besides the first one of each month.

    Raises:
        LakeError: The lake cannot be read; the warehouse stays as it was.
    """
    file = one.kept(layout)
    if is_here(layout, one):
        return file.path
    try:
        with exclusive(layout.fetching / ".lock", WAIT_S):
            if not is_here(layout, one):
                _fetch(lake, layout, one, keep)
    except Busy as holder:
        raise LakeError(f"another command still fetches a publication of the lake ({holder}); try again") from None
    return file.path


def fetch_publication(lake: Lake, layout: Layout, keep: int, fingerprint: str | None = None) -> InLake:
    """Make a publication of the lake the current one of a warehouse. The caller holds the lock of the warehouse.

    Args:
        lake: The address.
        layout: Paths of the warehouse.
        keep: Number of publications to keep, besides the first one of each month.
        fingerprint: Beginning of the fingerprint of a publication; the newest if None.

    Raises:
        LakeError: The lake cannot be read, or has no such publication. The current publication remains.
    """
    known = in_lake(lake)
    chosen = known[place_of([one.fingerprint for one in known], fingerprint)]
    file = chosen.kept(layout)
    if not file.is_sound:
        file.delete()
    fetched(lake, layout, chosen, keep)
    kept.make_current(layout, file)
    show(layout, file)
    return chosen


def _fetch(lake: Lake, layout: Layout, one: InLake, keep: int) -> None:
    # of a killed process; the lock stays
    for path in layout.fetching.glob("[!.]*"):
        shutil.rmtree(path, ignore_errors=True)
    prune(layout, keep)
    # a refresh deletes unfinished files of the folder publications, so they are in a folder of their own
    working = layout.fetching / one.kept(layout).id
    working.mkdir(parents=True)
    try:
        copy = Kept(working / one.kept(layout).path.name)
        copy_publication(lake, copy.path, snapshot=one.snapshot)
        copy.write_record(sha256_of(copy.path))
        copy.path.chmod(kept.READ_ONLY)
        # the file first: a refresh deletes records without one
        copy.path.replace(one.kept(layout).path)
        copy.record.replace(one.kept(layout).record)
    finally:
        shutil.rmtree(working, ignore_errors=True)
