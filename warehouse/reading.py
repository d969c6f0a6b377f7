"""Opening the published file to read it.

Belongs here: the connection, and what is said where there is none to be had. Does not belong here: queries.
"""

from __future__ import annotations

from pathlib import Path

import duckdb


class NotPublished(Exception):
    """Nothing is published, or the build may not be; the message says why. A previous publication is untouched."""


class Unreadable(Exception):
    """A file that should be a publication, or what is kept of one, is not; the message says which and what to do."""


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that can only read.

    Raises NotPublished where there is no such file, Unreadable where it is no publication.
    """
    if not path.exists():
        raise NotPublished(f"there is no {path} yet: run `carec refresh` first")
    try:
        connection = duckdb.connect(str(path), read_only=True)
        connection.execute("set enable_progress_bar = false")  # it would stand among what a program reads
        connection.execute("select published_at from publication")
    except duckdb.Error as error:
        raise Unreadable(
            f"{path} is no publication that can be read ({str(error).splitlines()[0]});"
            " `carec refresh` publishes another in its place"
        ) from error
    return connection
