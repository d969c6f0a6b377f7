"""Open the published file for reading.

Belongs here: the connection, its errors and paths in SQL. Does not belong here: queries.
"""

from __future__ import annotations

from pathlib import Path

import duckdb


class NotPublished(Exception):
    """Nothing is published, or the build must not be. The message has the reason; an earlier publication remains."""


class Unreadable(Exception):
    """A file is not a publication, or not a part of one. The message names the file and the remedy."""


def quoted(path: Path) -> str:
    """Return a path for use between single quotes in SQL, where DuckDB accepts no parameter."""
    return str(path).replace("'", "''")


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection.

    Raises:
        NotPublished: The file does not exist.
        Unreadable: The file is not a publication.
    """
    if not path.exists():
        raise NotPublished(f"there is no {path} yet: run `carec refresh` first")
    try:
        connection = duckdb.connect(str(path), read_only=True)
        connection.execute("set enable_progress_bar = false")  # it would be mixed into output for programs
        connection.execute("select published_at from publication")
    except duckdb.Error as error:
        raise Unreadable(
            f"{path} is no publication that can be read ({str(error).splitlines()[0]});"
            " `carec refresh` publishes another in its place"
        ) from error
    return connection
