"""Copy a publication from the lake into a file, and into a warehouse.

Belongs here: the file with the tables, views, macros and comments of one snapshot. Does not belong here: writing to
the lake (``publishing``), which file of a warehouse is the current publication (``warehouse.standing``).
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from warehouse import kept
from warehouse.files import replacing, scratch, sha256_of
from warehouse.lake.connection import NAME, Lake, attached
from warehouse.lake.definitions import copy_definitions
from warehouse.lake.errors import LakeError
from warehouse.lake.publishing import LakePublication, content, publications
from warehouse.layout import Layout
from warehouse.reading import quoted
from warehouse.standing import show

_FILE = "copied"


def copy_publication(lake: Lake, target: Path, fingerprint: str | None = None) -> LakePublication:
    """Replace a file with a publication of the lake.

    Args:
        lake: The address.
        target: The file to write.
        fingerprint: Beginning of the fingerprint of a publication; the newest if None.

    Returns:
        The publication.

    Raises:
        LakeError: The lake cannot be read, or has no such publication. The file remains as it was.
    """
    with replacing(target) as temporary:
        temporary.unlink()  # DuckDB creates a file, it does not accept an empty one
        with attached(lake, read_only=True) as connection:
            chosen = chosen_publication(publications(connection), fingerprint)
            at = f"at (version => {chosen.snapshot})"
            connection.execute(f"attach '{quoted(temporary)}' as {_FILE}")
            for table, expected in chosen.tables.items():
                source, copy = f'{NAME}.main."{table}" {at}', f'{_FILE}.main."{table}"'
                connection.execute(f"create table {copy} as from {source}")
                if content(connection, copy) != expected:
                    raise LakeError(f"the table {table} of the lake differs from what was published; repeat the sync")
            copy_definitions(connection, _FILE, chosen.snapshot)
            connection.execute(f"detach {_FILE}")
        return chosen


def fetch_publication(lake: Lake, layout: Layout, fingerprint: str | None = None) -> LakePublication:
    """Make a publication of the lake the current one of a warehouse.

    Args:
        lake: The address.
        layout: Paths of the warehouse.
        fingerprint: Beginning of the fingerprint of a publication; the newest if None.

    Returns:
        The publication.

    Raises:
        LakeError: The lake cannot be read, or has no such publication. The current publication remains.
    """
    with scratch(layout.root, layout.published.name) as copy:
        chosen = copy_publication(lake, copy, fingerprint)
        one = kept.named(layout, datetime.fromisoformat(chosen.published_at), chosen.fingerprint)
        with replacing(one.path, kept.READ_ONLY) as temporary:
            shutil.copyfile(copy, temporary)
            one.write_record(sha256_of(temporary))
    kept.make_current(layout, one)
    show(layout, one)
    return chosen


def chosen_publication(known: list[LakePublication], fingerprint: str | None = None) -> LakePublication:
    """Return the newest publication, or the newest whose fingerprint begins with a text.

    Raises:
        LakeError: There is none.
    """
    found = [one for one in known if fingerprint is None or one.fingerprint.startswith(fingerprint)]
    if not found:
        wanted = f"no publication {fingerprint}" if known else "no publication yet"
        raise LakeError(f"the lake has {wanted}; `carec lake status` lists them, `carec lake sync` writes one")
    return found[-1]
