"""Which publications are kept, and how one is found by its id.

Belongs here: deleting the files of old publications, and what remains of them. Does not belong here: their names and
hashes (``kept``), comparing two (``publications``).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from warehouse import kept
from warehouse.kept import STAMP
from warehouse.layout import Layout
from warehouse.publications import PARTS, folders, part_of, tables_of
from warehouse.reading import quoted

SHOWN = 3
"""Ids that a message about an unknown one lists."""


class UnknownPublication(Exception):
    """No publication has this id, or several begin with it. The message has those that there are."""


def prune(layout: Layout, last: int) -> None:
    """Delete the files of publications that need not be kept, see ``kept.outdated``. Their parts remain.

    A publication that cannot be read, or whose parts cannot be written now, stays.
    """
    for one in kept.outdated(layout, last):
        folder = layout.publications / one.published_at.strftime(STAMP)
        try:
            if not folder.exists():
                with duckdb.connect(":memory:") as connection:
                    connection.execute(f"attach '{quoted(one.path)}' as one (read_only)")
                    _write(connection, folder)
        except (duckdb.Error, OSError):
            continue
        one.delete()


def find(layout: Layout, given: str, elsewhere: Iterable[str] = ()) -> Path:
    """Return a publication by the beginning of its id: its file, or the folder of its parts.

    Args:
        layout: Paths of the warehouse.
        given: The id, or its beginning.
        elsewhere: Ids of publications that can be fetched: of them the file may not exist yet.

    Raises:
        UnknownPublication: No publication, or more than one, has an id that begins so.
    """
    files = [one.path for one in kept.kept(layout)]
    parts = [path for path in folders(layout) if not any(file.name.startswith(path.name) for file in files)]
    fetched = [layout.publications / f"{one}{kept.SUFFIX}" for one in elsewhere]
    parts = [path for path in parts if not any(file.name.startswith(path.name) for file in fetched)]
    ids = {path.name.removesuffix(kept.SUFFIX): path for path in (*parts, *files, *fetched)}
    wanted = given.strip().removesuffix(kept.SUFFIX)
    found = [name for name in ids if name == wanted] or [name for name in ids if wanted and name.startswith(wanted)]
    if len(found) != 1:
        several = f"{len(found)} publications begin with {given!r}" if found else f"no publication is named {given!r}"
        listed = ", ".join(sorted(found or ids)[-SHOWN:]) or "none"
        raise UnknownPublication(f"{several}; the newest are {listed} (`carec publications` lists all)")
    return ids[found[0]]


def _write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=folder.parent, prefix="."))
    try:
        for table in PARTS.keys() & tables_of(connection, "one"):
            file, part = quoted(temporary / f"{table}.parquet"), part_of(connection, table, "one")
            connection.execute(f"copy ({part} order by all) to '{file}' (compression zstd)")
        temporary.chmod(0o755)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
