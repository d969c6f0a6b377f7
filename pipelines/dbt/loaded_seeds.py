"""The proof that the seed tables of the build file are those of the present seeds.

Belongs here: the hash that a passed build leaves in the file, next to the tables. Does not belong here: what the hash
covers, and which nodes a build leaves out (``pipelines.dbt.runner``).
"""

from __future__ import annotations

import duckdb

from warehouse.layout import Layout


def has_seeds(layout: Layout, inputs: str) -> bool:
    """Return whether a passed build loaded the seeds with this hash into the build file."""
    if not layout.build.exists():
        return False
    try:
        with duckdb.connect(str(layout.build)) as build:
            return build.execute("from intermediate.loaded_seeds").fetchall() == [(inputs,)]
    except duckdb.Error:  # no such table, or no DuckDB file: dbt names the fault of the file
        return False


def record_seeds(layout: Layout, inputs: str) -> None:
    """Write to the build file that its seed tables come from the seeds with this hash and passed their tests."""
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create schema if not exists intermediate")  # not published
        build.execute("create or replace table intermediate.loaded_seeds as select ? as inputs", [inputs])
