"""Raw bodies in the lake: files below its data path, under their names, which are their hashes and never change.

Belongs here: copying them in either direction. Does not belong here: what a body is (``warehouse.raw``).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.files import replacing
from warehouse.lake.connection import Lake
from warehouse.layout import Layout
from warehouse.reading import quoted


def push_bodies(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout) -> int:
    """Copy the bodies that the lake lacks to it. Return their number."""
    known = set(_stored(connection, lake))
    ours = [path for path in _present(layout) if path.name not in known]
    for path in ours:
        _copy(connection, str(path), f"{lake.data}/raw/{path.name}")
    return len(ours)


def pull_bodies(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout) -> int:
    """Copy the bodies that a warehouse lacks to it. Return their number."""
    present = {path.name for path in _present(layout)}
    missing = [name for name in _stored(connection, lake) if name not in present]
    for name in missing:
        pull_body(connection, lake, layout, name)
    return len(missing)


def pull_body(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout, name: str) -> None:
    """Copy the body with a file name to a warehouse, unless it is there."""
    target = layout.raw / name[:2] / name
    if not target.exists():
        with replacing(target) as temporary:
            _copy(connection, f"{lake.data}/raw/{name}", str(temporary))


def _present(layout: Layout) -> list[Path]:
    return sorted(layout.raw.glob("*/*.gz"))


def _stored(connection: duckdb.DuckDBPyConnection, lake: Lake) -> list[str]:
    found = connection.execute("select parse_filename(file) from glob(?) order by 1", [f"{lake.data}/raw/*"])
    return [name for (name,) in found.fetchall()]


def _copy(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    if "://" not in target:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
    # without a compression of its own: the name of a body ends with .gz
    connection.execute(
        f"copy (select content from read_blob('{quoted(source)}')) to '{quoted(target)}'"
        " (format blob, compression none)"
    )
