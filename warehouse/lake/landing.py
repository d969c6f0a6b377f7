"""Carry landed files between the folder of a warehouse and the lake, in either direction.

Belongs here: which files and rows the other side lacks, and copying them. Does not belong here: what a vintage is
(``warehouse.landing``), bodies and responses (``bodies``, ``responses``), the publication (``publishing``, ``copies``).

The rows of vintages, confirmations and rejects are tables in the schema ``landing``, with the name of their file: many
small files would take longer to open than their rows to read. The records of runs (``runs``), what each run found of
its indicators (``source_health``) and the changed ``responses`` are added in the same transaction as their vintages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from warehouse import journal
from warehouse.files import replacing, table_fault, write_atomically
from warehouse.lake.bodies import pull_bodies, push_bodies
from warehouse.lake.connection import NAME, Lake, columns_of
from warehouse.lake.responses import RESPONSES, new_responses
from warehouse.landing import read_rows
from warehouse.layout import Layout
from warehouse.reading import quoted, records_of

TABLES = ("observations", "confirmations", "rejects")
"""Folders of ``landing``, and tables of the lake."""
RUNS, HEALTH = "runs", "source_health"


def push(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout) -> dict[str, int]:
    """Add the files of a warehouse that the lake lacks. The caller holds the lock of landing.

    Bodies come first, so that no vintage lacks its bytes; all rows are one commit, so that no run is there in part.

    Args:
        connection: With the lake attached.
        lake: The address.
        layout: Paths of the warehouse.

    Returns:
        ``raw`` or table -> number of files added, or of rows of ``source_health``.
    """
    added = {"raw": push_bodies(connection, lake, layout)}
    parts = {table: _new_files(connection, table, layout) for table in TABLES}
    known = _known(connection, RUNS)
    if runs := [path for path in journal.paths(layout) if path.name not in known]:
        parts[RUNS] = [pl.DataFrame({"file": [path.name], "record": [path.read_text("utf-8")]}) for path in runs]
        records = {path.name: journal.read(path) for path in runs}
        parts[HEALTH] = _health(layout, records)
        parts[RESPONSES] = new_responses(connection, layout, records)
    added |= {table: len(rows) for table, rows in parts.items()}
    if any(parts.values()):
        connection.execute("begin")
        connection.execute(f"create schema if not exists {NAME}.landing")
        for table, rows in parts.items():
            _append(connection, table, rows)
        what = ", ".join(f"{count} of {table}" for table, count in added.items() if count)
        connection.execute(f"call {NAME}.set_commit_message(?, ?)", ["carec landing", what])
        connection.execute("commit")
    return added


def pull(
    connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout, indicators: Collection[str] | None = None
) -> dict[str, int]:
    """Write the files that a warehouse lacks.

    Args:
        connection: With the lake attached.
        lake: The address.
        layout: Paths of the warehouse.
        indicators: Only what a poll of these compares an answer with: their vintages and confirmations, and the newest
            vintage of every other indicator. None for everything.

    Returns:
        ``raw`` or table -> number of files written.
    """
    written = {}
    if indicators is None:
        written = {"raw": pull_bodies(connection, lake, layout), RUNS: _pull_runs(connection, layout)}
    for table in TABLES:
        known = _known(connection, table)
        wanted = known if indicators is None else _compared(table, known, indicators)
        missing = sorted(name for name in wanted if not (layout.landing / name).exists())
        for _, names in groupby(missing, lambda name: name.rpartition("/")[0]):
            _write_files(connection, table, layout, list(names))
        written[table] = len(missing)
    return written


def _write_files(connection: duckdb.DuckDBPyConnection, table: str, layout: Layout, names: Sequence[str]) -> None:
    """Write files of a table from one query, because each query of the lake also asks PostgreSQL for the table."""
    connection.execute(
        f"create or replace temp table pulled as from {NAME}.landing.{table} where file in (select unnest($1))",
        [list(names)],
    )
    order = "order by iso3, year" if table == "observations" else ""
    for name in names:
        rows = f"select * exclude (file) from pulled where file = '{quoted(name)}' {order}"
        with replacing(layout.landing / name) as temporary:
            connection.execute(f"copy ({rows}) to '{quoted(temporary)}' (format parquet, compression zstd)")


def newest_health(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Return indicator -> its newest row of ``source_health``, with the record of the run as ``file``."""
    if not columns_of(connection, HEALTH):
        return {}
    found = connection.execute(
        f"from {NAME}.landing.{HEALTH} qualify row_number() over (partition by indicator_id order by file desc) = 1"
    )
    return {row["indicator_id"]: row for row in records_of(found)}


def _compared(table: str, names: set[str], indicators: Collection[str]) -> set[str]:
    """Return the files, out of those of a table, that a poll of these indicators compares an answer with."""
    if table == "rejects":  # the same records have the same name, so none is added twice
        return set()
    own = {name for name in names if name.split("/")[1] in indicators}
    if table == "observations":
        own |= set({name.split("/")[1]: name for name in sorted(names)}.values())
    return own


def _health(layout: Layout, records: Mapping[str, Mapping[str, Any]]) -> list[pl.DataFrame]:
    """Return the health of the indicators that runs asked for, a row each, with the newest run."""
    if table_fault(layout.source_health):
        return []
    asked = {name for record in records.values() for name in record["indicator_ids"]}
    health = pl.read_parquet(layout.source_health).filter(pl.col("indicator_id").is_in(sorted(asked)))
    return health.with_columns(file=pl.lit(max(records))).partition_by("indicator_id")


def _pull_runs(connection: duckdb.DuckDBPyConnection, layout: Layout) -> int:
    missing = sorted(name for name in _known(connection, RUNS) if not (layout.journal / name).exists())
    for name in missing:
        found = connection.execute(f"select record from {NAME}.landing.{RUNS} where file = ?", [name]).fetchone()
        assert found
        write_atomically(layout.journal / name, found[0].encode())
    return len(missing)


def _new_files(connection: duckdb.DuckDBPyConnection, table: str, layout: Layout) -> list[pl.DataFrame]:
    """Return the rows of each file that a table lacks. Every warehouse makes its own files without rows."""
    known = _known(connection, table)
    found = {path.relative_to(layout.landing).as_posix(): path for path in layout.landing.glob(f"{table}/**/*.parquet")}
    parts = [read_rows(found[name]).with_columns(file=pl.lit(name)) for name in sorted(found.keys() - known)]
    return [part for part in parts if part.height]


def _known(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    if not columns_of(connection, table):
        return set()
    return {name for (name,) in connection.execute(f"select distinct file from {NAME}.landing.{table}").fetchall()}


def _append(connection: duckdb.DuckDBPyConnection, table: str, parts: Sequence[pl.DataFrame]) -> None:
    """Add rows to a table, within a transaction; a column that the table lacks is added to it."""
    if not parts:
        return
    rows = pl.concat(parts, how="diagonal_relaxed")
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        rows.write_parquet(path)
        source = f"read_parquet('{quoted(path)}')"
        connection.execute(f"create table if not exists {NAME}.landing.{table} as from {source} limit 0")
        known = columns_of(connection, table)
        for column, kind, *_ in connection.execute(f"describe from {source}").fetchall():
            if column not in known:
                connection.execute(f'alter table {NAME}.landing.{table} add column "{column}" {kind}')
        connection.execute(f"insert into {NAME}.landing.{table} by name from {source} order by file")
