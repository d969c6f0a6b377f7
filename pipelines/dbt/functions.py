"""dbt-duckdb plugin: the SQL functions that models call and DuckDB does not have, and what keeps its memory low.

``dbt_project/profiles.yml`` names this module. Belongs here: the list of modules with such functions. Does not belong
here: any function.
"""

from __future__ import annotations

import contextlib
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines.dbt import sentences, statistics


class Plugin(BasePlugin):  # type: ignore[misc]
    """The name of this class is dbt-duckdb's convention."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        self._memory_limit = plugin_config.get("memory_limit")

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        register(conn)
        if self._memory_limit:
            self.configure_cursor(conn)
        else:
            ((self._memory_limit,),) = conn.execute("select current_setting('memory_limit')").fetchall()

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Free memory before a node; dbt opens a cursor for each.

        DuckDB returns what it has freed when the limit of memory is set. It writes finished tables to the file by
        itself only when a transaction ends while no other is open: with two threads that may be the end of the build.
        """
        cursor.execute(f"set memory_limit = '{self._memory_limit}'")
        # not while another table is being written; a full disk is reported by the next table
        with contextlib.suppress(duckdb.Error):
            cursor.execute("checkpoint")


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all functions in a connection's database."""
    sentences.register(connection)
    statistics.register(connection)
