"""Dagster's event log in one SQLite file whose connections are kept open.

The shipped storage opens and closes a connection for every statement, some 2,500 in a run. It does so in methods that
are not public: ``tests/integration/test_record.py`` holds what this class relies on, and
the shipped ``ConsolidatedSqliteEventLogStorage`` (slower) can take its place in ``dagster.yaml`` at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData


class PooledSqliteEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """The event log in ``base_dir/events``, a folder of its own because it is watched with everything below it."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None):
        self._tables: set[str] = set()
        super().__init__(str(Path(base_dir) / "events"), inst_data)

    @cached_property
    def _engine(self) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(
            self._conn_string,
            poolclass=sqlalchemy.QueuePool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )

        @sqlalchemy.event.listens_for(engine, "connect")
        def set_pragmas(connection: Any, _: Any) -> None:
            # with a write-ahead log a power cut may cost the last events, never the file
            connection.execute("pragma synchronous = normal")

        return engine

    @contextmanager
    def _connect(self) -> Iterator[sqlalchemy.Connection]:
        with self._engine.begin() as connection:
            yield connection

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables:
            with self._engine.connect() as connection:
                if not self._engine.dialect.has_table(connection, table_name):
                    return False
            self._tables.add(table_name)
        return True

    def dispose(self) -> None:
        super().dispose()  # type: ignore[no-untyped-call]  # untyped in dagster
        self._engine.dispose()
