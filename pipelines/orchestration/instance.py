"""Dagster's instance in the warehouse: its folder and settings.

Belongs here: preparing the instance before it is opened. Does not belong here: the runs that are recorded in it.
"""

from __future__ import annotations

import os
import re
import sqlite3
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
    """Let SQLite commit without waiting for the disk, in every database that SQLAlchemy opens in this context.

    Dagster opens and closes a connection for each of some 2,000 commits of a recorded run, and each commit and each
    last close of a file waits for the disk. With a write-ahead log, ``synchronous = normal`` is safe: a power cut may
    lose the last events, but it does not damage the file. One connection per file stays open, so that a close is
    never the last one.
    """
    import sqlalchemy  # 0.2 s, which `carec doctor` does not need

    kept: dict[str, sqlite3.Connection] = {}

    def configure(connection: Any, _: Any) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        if connection.execute("pragma journal_mode").fetchone() != ("wal",):
            return
        connection.execute("pragma synchronous = normal")
        file = connection.execute("pragma database_list").fetchone()[2]
        if file not in kept:
            kept[file] = sqlite3.connect(file, check_same_thread=False)
            kept[file].execute("select count(*) from sqlite_master").fetchone()  # opens the file

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", configure)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "connect", configure)
        for connection in kept.values():
            connection.close()
