"""Carry landed files and raw bodies between the folder of a warehouse and the lake, in either direction.

Belongs here: which files and rows the other side lacks, and copying them. Does not belong here: what a vintage is
(``warehouse.landing``), the publication (``publishing``, ``copies``).

The rows of vintages, confirmations and rejects are tables in the schema ``landing``, with the name of their file: many
small files would take longer to open than their rows to read. Raw bodies and the journal are files below the data
path, under their names, which never change.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from warehouse.files import replacing
from warehouse.lake.connection import NAME, Lake
from warehouse.landing import read_rows
from warehouse.layout import Layout
from warehouse.reading import quoted

TABLES = ("observations", "confirmations", "rejects")
"""Folders of ``landing``, and tables of the lake."""
FOLDERS = ("raw", "journal")
"""Folders whose files are copied: bodies (``*.gz``) and records of runs (``*.json``)."""
_PATTERNS = {"raw": "*/*.gz", "journal": "[0-9]*.json"}


def push(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout) -> dict[str, int]:
    """Add the files of a warehouse that the lake lacks: bodies first, so that no vintage lacks its bytes.

    Args:
        connection: With the lake attached; each table's new rows are one commit.
        lake: The address.
        layout: Paths of the warehouse.

    Returns:
        Table or folder -> number of files added.
    """
    added = {}
    for folder in FOLDERS:
        known = set(_stored(connection, lake, folder))
        ours = [path for path in _files(layout, folder) if path.name not in known]
        for path in ours:
            _copy(connection, str(path), f"{lake.data}/{folder}/{path.name}")
        added[folder] = len(ours)
    connection.execute(f"create schema if not exists {NAME}.landing")
    for table in TABLES:
        known = _known(connection, table)
        new = [
            path for path in sorted(layout.landing.glob(f"{table}/**/*.parquet")) if _name(layout, path) not in known
        ]
        added[table] = _append(connection, table, layout, new)
    return added


def pull(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout) -> dict[str, int]:
    """Write the files that a warehouse lacks.

    Args:
        connection: With the lake attached.
        lake: The address.
        layout: Paths of the warehouse.

    Returns:
        Table or folder -> number of files written.
    """
    written = {}
    for folder in FOLDERS:
        present = {path.name for path in _files(layout, folder)}
        missing = [name for name in _stored(connection, lake, folder) if name not in present]
        for name in missing:
            target = getattr(layout, folder) / name[:2] / name if folder == "raw" else layout.journal / name
            _copy(connection, f"{lake.data}/{folder}/{name}", str(target))
        written[folder] = len(missing)
    for table in TABLES:
        missing = sorted(name for name in _known(connection, table) if not (layout.landing / name).exists())
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


def _files(layout: Layout, folder: str) -> list[Path]:
    return sorted(getattr(layout, folder).glob(_PATTERNS[folder]))


def _stored(connection: duckdb.DuckDBPyConnection, lake: Lake, folder: str) -> list[str]:
    found = connection.execute("select parse_filename(file) from glob(?) order by 1", [f"{lake.data}/{folder}/*"])
    return [name for (name,) in found.fetchall()]


def _copy(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    """Copy a file as it is, to or from a store."""
    if "://" not in target:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
    # without a compression of its own: the name of a body ends with .gz
    connection.execute(
        f"copy (select content from read_blob('{quoted(source)}')) to '{quoted(target)}'"
        " (format blob, compression none)"
    )


def _name(layout: Layout, path: Path) -> str:
    return path.relative_to(layout.landing).as_posix()


def _known(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    if not _columns(connection, table):
        return set()
    return {name for (name,) in connection.execute(f"select distinct file from {NAME}.landing.{table}").fetchall()}


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "select column_name from duckdb_columns() where database_name = ? and schema_name = 'landing'"
            " and table_name = ?",
            [NAME, table],
        ).fetchall()
    ]


def _append(connection: duckdb.DuckDBPyConnection, table: str, layout: Layout, files: Sequence[Path]) -> int:
    """Add the rows of files to a table in one commit; a column that the table lacks is added to it.

    Returns:
        The number of files with rows. Every warehouse makes its own files without rows.
    """
    parts = [read_rows(path).with_columns(file=pl.lit(_name(layout, path))) for path in files]
    parts = [part for part in parts if part.height]
    if not parts:
        return 0
    rows = pl.concat(parts, how="diagonal_relaxed")
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.parquet")
        rows.write_parquet(path)
        source = f"read_parquet('{quoted(path)}')"
        connection.execute("begin")
        connection.execute(f"create table if not exists {NAME}.landing.{table} as from {source} limit 0")
        known = _columns(connection, table)
        for column, kind, *_ in connection.execute(f"describe from {source}").fetchall():
            if column not in known:
                connection.execute(f'alter table {NAME}.landing.{table} add column "{column}" {kind}')
        connection.execute(f"insert into {NAME}.landing.{table} by name from {source} order by file")
        connection.execute(f"call {NAME}.set_commit_message(?, ?)", ["carec landing", f"{len(parts)} files of {table}"])
        connection.execute("commit")
    return len(parts)
