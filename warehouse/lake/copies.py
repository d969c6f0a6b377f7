"""Copy a publication from the lake into a file.

Belongs here: the file with the tables, views, macros and comments of one snapshot. Does not belong here: writing to
the lake (``publishing``), the files of a warehouse (``reading``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from warehouse.files import replacing
from warehouse.lake.connection import NAME, Lake, attached
from warehouse.lake.definitions import copy_definitions
from warehouse.lake.errors import LakeError
from warehouse.lake.publishing import LakePublication, content, publications, same_content
from warehouse.publish import STORAGE
from warehouse.reading import quoted

_FILE = "copied"


def copy_publication(
    lake: Lake, target: Path, fingerprint: str | None = None, snapshot: int | None = None
) -> LakePublication:
    """Replace a file with a publication of the lake.

    Args:
        lake: The address.
        target: The file to write.
        fingerprint: Beginning of the fingerprint of a publication; the newest if None.
        snapshot: The snapshot of a publication, instead.

    Returns:
        The publication.

    Raises:
        LakeError: The lake cannot be read, or has no such publication. The file remains as it was.
    """
    with replacing(target) as temporary:
        temporary.unlink()  # DuckDB creates a file, it does not accept an empty one
        with attached(lake, read_only=True) as connection:
            known = [one for one in publications(connection) if snapshot in (None, one.snapshot)]
            chosen = known[place_of([one.fingerprint for one in known], fingerprint)]
            at = f"at (version => {chosen.snapshot})"
            connection.execute(f"attach '{quoted(temporary)}' as {_FILE} ({STORAGE})")
            for table, expected in chosen.tables.items():
                source, copy = f'{NAME}.main."{table}" {at}', f'{_FILE}.main."{table}"'
                connection.execute(f"create table {copy} as from {source}")
                if not same_content(content(connection, copy), expected):
                    raise LakeError(f"the table {table} of the lake differs from what was published; repeat the sync")
            copy_definitions(connection, _FILE, chosen.snapshot)
            connection.execute(f"detach {_FILE}")
        return chosen


def place_of(fingerprints: Sequence[str], beginning: str | None = None) -> int:
    """Return the place of the last publication, or of the last whose fingerprint begins with a text.

    Raises:
        LakeError: There is none.
    """
    found = [place for place, one in enumerate(fingerprints) if one.startswith(beginning or "")]
    if not found:
        wanted = f"no publication {beginning}" if fingerprints else "no publication yet"
        raise LakeError(f"the lake has {wanted}; `carec lake status` lists them, `carec lake sync` writes one")
    return found[-1]
