"""The environment variables of a dbt command.

Belongs here: which variables dbt may read. Does not belong here: running dbt (``pipelines.dbt.runner``).
"""

from __future__ import annotations

import os

from warehouse.layout import Layout

READ_BY_DBT = "DBT_"
"""Prefix of every variable that is an option of dbt."""


def set_environment(layout: Layout, memory_limit: str | None = None) -> None:
    """Remove every variable of this process that is an option of dbt, and set those that the project needs.

    Options in the environment would decide what is built and tested: ``DBT_RESOURCE_TYPES=model`` runs no test. A
    build has only the options of its command line. ``dbt_project/profiles.yml`` reads the rest.

    Args:
        layout: The warehouse of the build.
        memory_limit: Most memory of DuckDB, such as ``6GB``; without it, DuckDB's own limit.
    """
    for name in [name for name in os.environ if name.upper().startswith(READ_BY_DBT)]:
        del os.environ[name]
    os.environ.update(
        {
            "CAREC_WAREHOUSE": str(layout.root),
            "CAREC_MEMORY_LIMIT": memory_limit or "",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
    )
