"""Open a publication for reading.

Belongs here: the connection, its errors, files in use by other processes, paths in SQL. Does not belong here: queries.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from warehouse import kept
from warehouse.errors import NotPublished, Unreadable
from warehouse.layout import Layout

_LOCK = re.compile(r"lock is held in (?P<program>.*) \(PID (?P<pid>\d+)\)")
_LOCKED = ("Could not set lock", "used by another process")


def quoted(path: Path | str) -> str:
    """Return a path or text for use between single quotes in SQL, where DuckDB accepts no parameter."""
    return str(path).replace("'", "''")


def user_of(error: duckdb.Error) -> str | None:
    """Return which process has a file open for writing, as "process 4711 (dbeaver)"; None for another error."""
    if not any(text in str(error) for text in _LOCKED):
        return None
    found = _LOCK.search(str(error))
    return f"process {found['pid']} ({Path(found['program']).name})" if found else "another process"


def in_use(path: Path, *, to_write: bool = False) -> str | None:
    """Return which other process prevents this one from opening a database; None if there is no such process.

    Args:
        path: The database.
        to_write: Open it for writing, which a process that only reads prevents too.
    """
    try:
        duckdb.connect(str(path), read_only=not to_write).close()
    except duckdb.Error as error:
        return user_of(error)
    return None


def opens(path: Path) -> bool:
    """Return whether DuckDB can open a file, now or once no other process has it open."""
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error as error:
        return isinstance(error, duckdb.ConnectionException) or user_of(error) is not None
    return True


@contextmanager
def bytes_of(path: Path) -> Iterator[Path]:
    """Yield a temporary copy of a database: without its log, and also if another process has it open."""
    with TemporaryDirectory(prefix="carec-") as folder:
        yield Path(shutil.copyfile(path, Path(folder) / "copy.duckdb"))


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection.

    If another process has the file open for writing, the connection is to the kept file of the same publication, or
    else to a copy of the bytes.

    Raises:
        NotPublished: The file does not exist.
        Unreadable: The file is not a publication.
    """
    if not path.exists():
        raise NotPublished(f"there is no {path} yet: run `carec refresh` first")
    try:
        return _connect(path)
    except duckdb.Error as error:
        user = user_of(error)
        if user is None:
            raise Unreadable(
                f"{path} is no publication that can be read ({str(error).splitlines()[0]});"
                " `carec refresh` publishes another in its place"
            ) from error
    try:
        if same := kept.current(Layout(path.parent)):
            return _connect(same.path)
        with bytes_of(path) as copy:
            return _connect(copy)
    except (OSError, duckdb.Error) as error:
        raise Unreadable(f"{path} is in use by {user}: close it there, or open it there read-only") from error


def readable(path: Path) -> Path:
    """Return a file with the content of a publication that can be attached now, see ``open_published``."""
    user = in_use(path)
    same = kept.current(Layout(path.parent)) if user else None
    return same.path if same else path


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), read_only=True)
    try:
        connection.execute("set enable_progress_bar = false")  # it would be mixed into output for programs
        connection.execute("select published_at from publication")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def records_of(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of an executed query, each as column -> value."""
    columns = [column[0] for column in result.description or []]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
