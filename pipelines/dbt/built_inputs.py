"""The inputs from which the tables of the build file were made.

Belongs here: the hashes that a passed build leaves in the file, next to the tables. Does not belong here: what a hash
covers, and which nodes a build leaves out (``pipelines.dbt.runner``).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from warehouse.layout import Layout


def built_inputs(layout: Layout) -> dict[str, str]:
    """Return input -> hash of the passed build that made the tables of the build file; empty without such a build."""
    if not layout.build.exists():
        return {}
    try:
        with duckdb.connect(str(layout.build)) as build:
            return dict(build.execute("select name, hash from intermediate.built_inputs").fetchall())
    except duckdb.Error:  # no such table, or no DuckDB file: dbt names the fault of the file
        return {}


def record_inputs(layout: Layout, inputs: Mapping[str, str]) -> None:
    """Write to the build file from which inputs its tables were made, after all its tests have passed."""
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create schema if not exists intermediate")  # not published
        build.execute("create or replace table intermediate.built_inputs (name varchar, hash varchar)")
        build.executemany("insert into intermediate.built_inputs values (?, ?)", list(inputs.items()))
