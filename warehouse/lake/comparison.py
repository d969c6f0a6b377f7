"""Compare a warehouse with the lake cell by cell: every row of a publication, every row of the landed files.

Belongs here: the comparison. Does not belong here: copying (``publishing``, ``copies``, ``landing``).

The copies themselves are checked by sums of hashes; here each row of one side must be a row of the other, as often.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.lake.connection import NAME, Lake, attached
from warehouse.lake.errors import LakeError
from warehouse.lake.landing import TABLES
from warehouse.layout import Layout
from warehouse.reading import quoted

_FILE = "compared"
_TABLES = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'main' order by 1"


@dataclass(frozen=True)
class Equal:
    """What was compared without a difference."""

    tables: int
    rows: int
    landed: int


def compare(lake: Lake, layout: Layout, snapshot: int) -> Equal:
    """Compare the published file with a publication of the lake, and every landed row of the warehouse with the lake's.

    Other machines may have landed more: those rows are not compared.

    Args:
        lake: The address.
        layout: Paths of the warehouse.
        snapshot: The publication of the lake that the file should have.

    Returns:
        Numbers of published tables, their rows, and landed rows.

    Raises:
        LakeError: There is a difference; the message names the table and a row.
    """
    with attached(lake, read_only=True) as connection:
        connection.execute(f"attach '{quoted(layout.published)}' as {_FILE} (read_only)")
        names = connection.execute(_TABLES, [_FILE]).fetchall()
        rows = 0
        for (name,) in names:
            ours = f'{_FILE}.main."{name}"'
            here, there = f"from {ours}", f'from {NAME}.main."{name}" at (version => {snapshot})'
            _check_contains(connection, name, here, there)
            _check_contains(connection, name, there, here)
            rows += _count(connection, ours)
        landed = sum(_landed(connection, table, layout) for table in TABLES)
    return Equal(len(names), rows, landed)


def _landed(connection: duckdb.DuckDBPyConnection, table: str, layout: Layout) -> int:
    """Compare the rows of the landed files with those of the lake under the same file, and return their number."""
    if not any(layout.landing.glob(f"{table}/**/*.parquet")):
        return 0
    folder = quoted(layout.landing.as_posix())
    files = f"read_parquet('{folder}/{table}/**/*.parquet', union_by_name = true, filename = true)"
    count = _count(connection, files)
    if count == 0:  # the lake may lack the table
        return 0
    # files of a former format have other columns, from which those of the lake were made
    theirs = _columns(connection, f"{NAME}.landing.{table}")
    shared = ", ".join(f'"{name}"' for name in _columns(connection, files) if name in theirs)
    here = f"select replace(replace(filename, '\\', '/'), '{folder}/', '') as file, {shared} from {files}"
    _check_contains(connection, f"landing.{table}", here, f"select file, {shared} from {NAME}.landing.{table}")
    return count


def _check_contains(connection: duckdb.DuckDBPyConnection, name: str, one: str, other: str) -> None:
    found = connection.execute(f"select row from (({one}) except all ({other})) as row limit 1").fetchone()
    if found:
        raise LakeError(f"the table {name} differs between the warehouse and the lake, for example in {found[0]}")


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return [name for name, *_ in connection.execute(f"describe from {source}").fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    ((count,),) = connection.execute(f"select count(*) from {source}").fetchall()
    return int(count)
