"""dbt-duckdb plugin: the SQL functions that models call and DuckDB does not have, and the limit of memory.

``dbt_project/profiles.yml`` names this module. Belongs here: the list of modules with such functions. Does not belong
here: any function.
"""

from __future__ import annotations

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
        """Set the limit of memory again: DuckDB then returns what it has freed. dbt opens a cursor for each node."""
        cursor.execute(f"set memory_limit = '{self._memory_limit}'")


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all functions in a connection's database."""
    sentences.register(connection)
    statistics.register(connection)
