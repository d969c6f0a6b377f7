"""Write a publication to the lake: all published tables in one transaction, one snapshot, changed rows only.

Belongs here: the difference between a published file and the lake, its commit, and the list of publications. Does not
belong here: what a publication has to pass (``warehouse.publish``).

Readers see the publication before or this one, never a mixture. Locks of PostgreSQL end with their connection, so a
killed publisher leaves none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.lake.connection import NAME, Lake, attached
from warehouse.lake.definitions import write_definitions
from warehouse.lake.errors import LakeError
from warehouse.lake.locks import PUBLICATION, WAIT_S, locked
from warehouse.reading import quoted

AUTHOR = "carec"
_FILE = "published"
_TABLES = "select table_name from duckdb_tables() where database_name = ? and schema_name = 'main' and not internal"
_COLUMNS = """
    select table_name, list((column_name, data_type) order by column_index)
    from duckdb_columns() where database_name = ? and schema_name = 'main' and not internal group by all
"""


@dataclass(frozen=True)
class LakePublication:
    """A publication in the lake.

    Attributes:
        snapshot: Id of its snapshot, for ``AT (VERSION => snapshot)``.
        fingerprint: As in the table ``publication``.
        as_of: The day that it scores, ISO format.
        published_at: Time of the publication, ISO format, UTC.
        tables: Table -> its ``content``.
        changed: Number of rows written or deleted by this commit.
    """

    snapshot: int
    fingerprint: str
    as_of: str
    published_at: str
    tables: dict[str, str]
    changed: int


def publish_to_lake(
    lake: Lake, published: Path, waiting: Callable[[str], None] = lambda sentence: None
) -> LakePublication:
    """Write the published file to the lake, unless its newest publication is this one or a later one.

    Args:
        lake: The address.
        published: The published file.
        waiting: Called with a sentence before the wait for another publisher.

    Returns:
        The newest publication of the lake.

    Raises:
        LakeError: The lake cannot be reached or written, or another process publishes for too long; what it had
            remains.
    """
    with locked(lake, PUBLICATION, WAIT_S, waiting), attached(lake) as connection:
        connection.execute(f"attach '{quoted(published)}' as {_FILE} (read_only)")
        record = _record(connection)
        present = publications(connection)
        if present and record["published_at"] < present[-1].published_at:  # ISO format
            return present[-1]
        if present and all(record[name] == getattr(present[-1], name) for name in ("fingerprint", "published_at")):
            return present[-1]
        connection.execute("begin")
        record |= _write(connection, present[-1].tables if present else {})
        connection.execute(
            f"call {NAME}.set_commit_message(?, ?, extra_info => ?)",
            [AUTHOR, f"publication of {record['published_at']} as of {record['as_of']}", json.dumps(record)],
        )
        connection.execute("commit")
        return publications(connection)[-1]


def publications(connection: duckdb.DuckDBPyConnection) -> list[LakePublication]:
    """Return the publications of an attached lake, oldest first."""
    found = connection.execute(
        f"select snapshot_id, commit_extra_info from {NAME}.snapshots()"
        " where author = ? and commit_extra_info is not null order by 1",
        [AUTHOR],
    ).fetchall()
    return [LakePublication(snapshot, **json.loads(extra)) for snapshot, extra in found]


def _record(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    row = connection.execute(f"select fingerprint, as_of, published_at from {_FILE}.main.publication").fetchone()
    assert row is not None
    return {"fingerprint": row[0], "as_of": f"{row[1]}", "published_at": row[2].isoformat()}


def _write(connection: duckdb.DuckDBPyConnection, before: dict[str, str]) -> dict[str, Any]:
    """Make the lake's tables equal to those of the file.

    Args:
        connection: With both attached, in a transaction.
        before: Table -> content, of the publication before.

    Returns:
        ``tables`` and ``changed`` of the publication.
    """
    ours, theirs = (dict(connection.execute(_COLUMNS, [name]).fetchall()) for name in (_FILE, NAME))
    names = [name for (name,) in connection.execute(_TABLES, [_FILE]).fetchall()]
    for (gone,) in connection.execute(_TABLES, [NAME]).fetchall():
        if gone not in names:
            connection.execute(f'drop table {NAME}.main."{gone}"')
    tables, changed, is_new = {}, 0, False
    for name in sorted(names):
        source, target = f'{_FILE}.main."{name}"', f'{NAME}.main."{name}"'
        tables[name] = content(connection, source)
        if ours[name] != theirs.get(name):
            connection.execute(f"create or replace table {target} as from {source}")
            changed, is_new = changed + int(tables[name].partition(" ")[0]), True
        elif tables[name] == before.get(name):
            continue
        else:
            changed += _replace_rows(connection, source, target)
        if content(connection, target) != tables[name]:
            raise LakeError(f"the table {name} in the lake differs from the published file; nothing was committed")
    write_definitions(connection, _FILE, tables_made=is_new)
    return {"tables": tables, "changed": changed}


def content(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the number of rows of a table and a sum of their hashes: equal contents have equal sums in any order.

    DuckDB may compute other hashes in another version: they are compared within one version, which the text names.
    """
    row = connection.execute(f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from {table} as t").fetchone()
    assert row is not None
    return f"{row[0]} rows, {row[1]:x} by DuckDB {duckdb.__version__}"


def same_content(one: str, other: str) -> bool:
    """Return whether two contents are equal: rows and hashes, or only rows where two versions of DuckDB hashed them."""
    (rows, by), (other_rows, other_by) = ((text.split(", ")[0], text.split(" by ")[1]) for text in (one, other))
    return one == other if by == other_by else rows == other_rows


def _replace_rows(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> int:
    """Delete the rows that the source lacks and insert those that it has more. Return the number of both.

    Rows are compared by hash. If that leaves a difference (equal rows in other numbers), all rows are replaced.
    """
    connection.execute(
        f"create or replace temp table known as select hash(t) as code, rowid as place from {target} as t"
    )
    deleted = connection.execute(
        f"delete from {target} where rowid in (select place from known where code not in"
        f" (select hash(t) from {source} as t))"
    ).fetchone()
    inserted = connection.execute(
        f"insert into {target} select t.* from {source} as t where hash(t) not in (select code from known)"
    ).fetchone()
    changed = sum(int(one[0]) for one in (deleted, inserted) if one)
    if content(connection, source) == content(connection, target):
        return changed
    connection.execute(f"delete from {target}")
    ((count,),) = connection.execute(f"insert into {target} from {source}").fetchall()
    return int(count)
