"""The SQL floor of ``make bench`` does the work of a build, so that their times can be compared."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.benchmarks import floor
from tests.running import ROOT


@pytest.mark.exhaustive
def test_the_sql_floor_writes_every_table_of_a_build_with_the_same_rows(
    published_warehouse: Path, tmp_path: Path
) -> None:
    assert floor.run(floor.steps(published_warehouse / "dbt", ROOT / "dbt_project"), 2, tmp_path) > 0
    with duckdb.connect(str(tmp_path / "build.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{published_warehouse / 'build.duckdb'}' as dbt (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'dbt' and table_name <> 'built_inputs'"
        ).fetchall()
        assert len(tables) > 100
        for schema, table in tables:
            for one, other in (("dbt", "build"), ("build", "dbt")):
                sql = f'from {one}.{schema}."{table}" except all from {other}.{schema}."{table}" limit 1'
                assert not connection.execute(sql).fetchall(), (table, one)
