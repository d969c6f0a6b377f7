"""The current publication: its kept file, and ``carec.duckdb``, which users open.

Belongs here: whether both have the published bytes, and how ``carec.duckdb`` becomes a copy of the kept file. Does not
belong here: building a publication (``publish``), the names of the kept files (``kept``).

``carec.duckdb`` is a symbolic link to a copy with a name of its own for each publication. DuckDB keeps the log of a
database beside the file that a link leads to, so that no log of one publication is ever read with another, whenever
another program writes it. A link of the operator, or a system without links, gets a file that is replaced.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from warehouse import kept
from warehouse.errors import NotPublished, Unreadable
from warehouse.files import replacing, scratch, sha256_of, sync_folder
from warehouse.kept import Kept
from warehouse.layout import Layout
from warehouse.reading import bytes_of, open_published


def standing(layout: Layout) -> Kept | None:
    """Return the kept file of the current publication with the published bytes; None if they are lost.

    A damaged kept file is written again from ``carec.duckdb`` if that has the bytes. A publication of an earlier
    version, which kept no file, is kept now.
    """
    current = kept.current(layout)
    if current and current.is_sound:
        return current
    if current and current.sha256 and _sha256(layout.published) == current.sha256:
        _write(layout.published, current)
        return current
    return _adopt(layout)


def fits(layout: Layout) -> bool:
    """Return whether ``carec.duckdb`` has the bytes of the current publication, and no log of another program."""
    current = kept.current(layout)
    return bool(
        current and _sha256(layout.published) == current.sha256 and not any(path.exists() for path in _logs(layout))
    )


def show(layout: Layout, publication: Kept) -> None:
    """Make ``carec.duckdb`` a copy of a publication. Readers see the old content or the new one.

    Raises:
        OSError: The disk is full.
    """
    shown, logs = layout.published, _logs(layout)
    of_operator = shown.is_symlink() and not _is_ours(layout)
    if of_operator or not _shown_by_link(layout, publication):
        for log in logs:  # before: a log must not be read with the new file
            log.unlink(missing_ok=True)
        target = shown.resolve() if shown.is_symlink() else shown
        with replacing(target) as temporary:
            shutil.copyfile(publication.path, temporary)
    for log in logs:
        log.unlink(missing_ok=True)


def _shown_by_link(layout: Layout, publication: Kept) -> bool:
    """Make ``carec.duckdb`` a link to a new copy. Return False if this system has no links."""
    copy = layout.opened / f"{publication.id}.{secrets.token_hex(4)}.duckdb"
    before = sorted(layout.opened.glob("*.duckdb"), key=lambda path: path.stat().st_mtime)
    with scratch(layout.root, layout.published.name) as link:
        link.unlink()
        try:
            link.symlink_to(copy.relative_to(layout.root))
        except OSError:
            return False
        with replacing(copy) as temporary:
            shutil.copyfile(publication.path, temporary)
        link.replace(layout.published)
    sync_folder(layout.root)
    # a reader may have followed the former link, and not opened the file yet
    for path in before[:-1]:
        with suppress(OSError):
            path.unlink()
    return True


def clear_copies(layout: Layout) -> None:
    """Delete the copies of earlier publications, and logs beside copies that are not shown any more."""
    shown, current = layout.published.resolve().name, kept.current(layout)
    for path in layout.opened.glob("*"):
        is_copy = current is not None and path.name.startswith(current.id) and path.suffix == kept.SUFFIX
        if not is_copy and not path.name.startswith(shown):
            with suppress(OSError):
                path.unlink()


def _is_ours(layout: Layout) -> bool:
    return layout.published.resolve().parent == layout.opened.resolve()


def _logs(layout: Layout) -> list[Path]:
    """Return where programs keep the logs of ``carec.duckdb``: beside it, and beside the file that it leads to."""
    shown = layout.published
    return [path.with_name(f"{path.name}.wal") for path in {shown, shown.resolve()}]


def _sha256(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None


def _write(source: Path, publication: Kept) -> None:
    with replacing(publication.path, kept.READ_ONLY) as temporary:
        shutil.copyfile(source, temporary)


def _adopt(layout: Layout) -> Kept | None:
    """Keep ``carec.duckdb`` if it is a publication without a kept file, every block of which can be read."""
    if not layout.published.exists():
        return None
    with bytes_of(layout.published) as copy:
        try:
            with open_published(copy) as connection:
                found = connection.execute("select published_at, fingerprint from publication").fetchone()
                check_blocks(connection)
        except (duckdb.Error, NotPublished, Unreadable):
            return None
        if found is None:
            return None
        one = kept.named(layout, *found)
        if one.sha256 is None:
            one.write_record(sha256_of(copy))
            _write(copy, one)
        elif not one.is_sound:
            return None
    kept.make_current(layout, one)
    return one


def check_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every block of a database. DuckDB compares each with its checksum.

    Raises:
        duckdb.Error: A block is damaged.
    """
    for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables() where not internal"
    ).fetchall():
        connection.execute(f'select bit_xor(hash(t)) from "{schema}"."{table}" as t').fetchone()
