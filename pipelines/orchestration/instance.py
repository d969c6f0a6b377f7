"""Dagster's instance in the warehouse: its folder and settings.

Belongs here: preparing the instance before it is opened. Does not belong here: the runs that are recorded in it.
"""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warehouse.files import write_atomically
from warehouse.layout import Layout

TEMPLATE = Path(__file__).parents[1] / "dagster.yaml"

_NOTE = "# The event log that an earlier version wrote. Without this block, Dagster starts a new one.\n"
_FORMER_STORAGE = re.compile(
    r"(?:#[^\n]*\n)?event_log_storage:\n\s+module: \S+\n\s+class: PooledSqliteEventLogStorage\n"
    r"\s+config:\n\s+base_dir: \{env: DAGSTER_HOME\}\n"
    rf"|{re.escape(_NOTE)}event_log_storage:\n(?:[ ][^\n]*\n)+"
)
"""The event log of earlier versions: a class of this project that no longer exists, or what ``prepare_home`` wrote for
it, which has the folder of another warehouse after a copy."""


def prepare_home(layout: Layout) -> Path:
    """Create the instance's folder on first use, and set ``DAGSTER_HOME`` to it.

    Settings of an earlier version get Dagster's own storage, on the same file: the history of runs is kept.

    Returns:
        The folder, with ``dagster.yaml`` in it.
    """
    home = layout.dagster_home
    settings = home / "dagster.yaml"
    if not settings.exists():
        write_atomically(settings, TEMPLATE.read_bytes())
    text = settings.read_text(encoding="utf-8")
    present = _FORMER_STORAGE.sub(lambda _: _same_file(home), text)
    if present != text:
        write_atomically(settings, present.encode())
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def _same_file(home: Path) -> str:
    return (
        f"{_NOTE}"
        "event_log_storage:\n"
        "  module: dagster._core.storage.event_log\n"
        "  class: ConsolidatedSqliteEventLogStorage\n"
        "  config:\n"
        f'    base_dir: "{home / "events"}"\n'
    )


@contextmanager
def fast_commits() -> Iterator[None]:
    """Let Dagster use the same SQLite connections again in this context, and commit without waiting for the disk.

    Dagster opens and closes a connection for each of some 2,000 commits of a recorded run, which takes a third of its
    time, and each commit and each last close of a file waits for the disk. With a write-ahead log, ``synchronous =
    normal`` is safe: a power cut may lose the last events, but it does not damage the file.
    """
    import sqlalchemy  # 0.2 s, which `carec doctor` does not need

    unused: defaultdict[tuple[Any, ...], list[_Lent]] = defaultdict(list)

    def lend(dialect: Any, _: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        if dialect.driver != "pysqlite":
            return None
        free = unused[threading.get_ident(), *arguments]
        if free:
            return free.pop()
        connection = sqlite3.connect(*arguments, **options, factory=_Lent)
        connection.free = free
        return connection

    def configure(connection: Any, _: Any) -> None:
        if isinstance(connection, _Lent) and connection.execute("pragma journal_mode").fetchone() == ("wal",):
            connection.execute("pragma synchronous = normal")

    sqlalchemy.event.listen(sqlalchemy.Engine, "do_connect", lend)
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", configure)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "do_connect", lend)
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", configure)
        for connection in itertools.chain(*unused.values()):
            sqlite3.Connection.close(connection)


class _Lent(sqlite3.Connection):
    """A connection that returns to a list of free ones where it would be closed. SQLAlchemy has rolled it back then."""

    free: list[_Lent]

    def close(self) -> None:
        self.free.append(self)
