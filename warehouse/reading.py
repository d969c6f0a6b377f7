"""Open the published file for reading.

Belongs here: the connection, its errors and paths in SQL. Does not belong here: queries.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep DuckDB from importing pandas within the block.

    DuckDB imports pandas, where it is installed, when a statement has parameters: one of them might be pandas' missing
    value. The import takes longer than most queries. An entry None in ``sys.modules`` makes it fail, which DuckDB
    accepts; https://docs.python.org/3/reference/import.html#the-module-cache
    """
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pandas"]
