"""Keep a lake small, and check its parts.

Belongs here: which publications are kept, removing what no kept one needs, the state of each part. Does not belong
here: publishing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import duckdb

from warehouse.kept import needed
from warehouse.lake.connection import NAME, Lake, attached, catalogue
from warehouse.lake.errors import LakeError
from warehouse.lake.landing import TABLES
from warehouse.lake.locks import LANDING, MAINTENANCE, PUBLICATION, locked
from warehouse.lake.publishing import LakePublication, publications
from warehouse.reading import quoted

CLOCK_LIMIT_S = 60
"""Largest difference between the clocks of this machine and of PostgreSQL."""
PROBE = "write-check.csv"
"""A file that a check writes where this role may write, with the time; DuckDB deletes nothing in a store."""


def vacuum(lake: Lake, keep: int, *, dry_run: bool) -> dict[str, int]:
    """Forget the snapshots that no kept publication is read at, merge small files, and remove files without use.

    It holds all locks: DuckLake must not merge beside a delete.

    Args:
        lake: The address.
        keep: Number of newest publications to keep, at least 1.
        dry_run: Only count.

    Returns:
        Numbers by kind: publications kept and forgotten, snapshots forgotten, files merged and removed.
    """
    with (
        locked(lake, MAINTENANCE),
        locked(lake, LANDING),
        locked(lake, PUBLICATION),
        attached(lake) as connection,
        TemporaryDirectory() as spilled,
    ):
        # sorting 10 million rows would take 6 GB if they were there
        connection.execute(f"set memory_limit = '1GB'; set temp_directory = '{quoted(spilled)}'")
        known = publications(connection)
        times = needed([datetime.fromisoformat(one.published_at) for one in known], keep)
        stay = {one.snapshot for one in known if datetime.fromisoformat(one.published_at) in times}
        ((newest,),) = connection.execute(f"select max(snapshot_id) from {NAME}.snapshots()").fetchall()
        every = [number for (number,) in connection.execute(f"select snapshot_id from {NAME}.snapshots()").fetchall()]
        gone = [number for number in every if number not in stay and number != newest]
        counts = {
            "publications kept": len(stay),
            "publications forgotten": len(known) - len(stay),
            "snapshots forgotten": len(gone),
        }
        if dry_run:
            return counts
        if gone:
            connection.execute(f"call ducklake_expire_snapshots('{NAME}', versions => {gone})")
        _sort_landing(connection)
        merged = connection.execute(f"call ducklake_merge_adjacent_files('{NAME}')").fetchall()
        removed = connection.execute(f"call ducklake_cleanup_old_files('{NAME}', cleanup_all => true)").fetchall()
        return {**counts, "tables with merged files": len(merged), "files removed": len(removed)}


def _sort_landing(connection: duckdb.DuckDBPyConnection) -> None:
    """Have the landed tables sorted by file, which is by indicator and time, from the next merge of their files on.

    One sorted file is read for one indicator in parts; files by indicator would be as many as one per vintage. It is
    set once, because each time is a snapshot of its own.
    """
    of_lake = f"__ducklake_metadata_{NAME}.ducklake"
    unsorted = connection.execute(
        f"""
        select tables.table_name
        from {of_lake}_table as tables
        inner join {of_lake}_schema as schemas using (schema_id)
        where schemas.schema_name = 'landing' and tables.table_name in {TABLES}
            and tables.end_snapshot is null and schemas.end_snapshot is null
            and tables.table_id not in (select table_id from {of_lake}_sort_info where end_snapshot is null)
        """
    ).fetchall()
    for (table,) in unsorted:
        connection.execute(f"alter table {NAME}.landing.{table} set sorted by (file)")


def examine(lake: Lake) -> Iterator[tuple[str, bool, str]]:
    """Yield check, whether it passed, and the finding, for each part; the first failed one ends the list."""
    try:
        with catalogue(lake) as connection, connection.cursor() as cursor:
            cursor.execute("select version(), now(), has_schema_privilege('public', 'create')")
            version, now, may_create = cursor.fetchone()
        yield "catalogue", True, f"{lake.shown}: {' '.join(version.split()[:2])}"
        drift = abs((datetime.now(UTC) - now).total_seconds())
        yield "clock", drift <= CLOCK_LIMIT_S, f"{drift:.0f} s from that of PostgreSQL"
        yield "rights", True, "read and write" if may_create else "read only"
        with attached(lake, read_only=True) as connection:
            yield "versions", True, _versions(connection)
            ((files,),) = connection.execute("select count(*) from glob(?)", [f"{lake.data}/**"]).fetchall()
            if may_create:
                connection.execute(f"copy (select now()) to '{quoted(lake.data)}/{PROBE}' (format csv)")
            yield "data", True, f"{lake.data}: {files:,} files, {'read and write' if may_create else 'read'}"
            known = publications(connection)
            if known:
                connection.execute(f'from {NAME}.main."{min(known[-1].tables)}" limit 1').fetchall()
                yield "publication", True, _named(known[-1]) + f"; {len(known)} in all"
            else:
                yield "publication", False, "none yet; `carec lake sync` writes one"
    except LakeError as error:
        yield "lake", False, str(error)


def _versions(connection: duckdb.DuckDBPyConnection) -> str:
    found = connection.execute(
        "select string_agg(extension_name || ' ' || extension_version, ', ' order by 1) from duckdb_extensions()"
        " where loaded and extension_name in ('ducklake', 'postgres_scanner', 'httpfs')"
    ).fetchone()
    ((format_version,),) = connection.execute(
        f"select value from {NAME}.options() where option_name = 'version'"
    ).fetchall()
    return f"DuckDB {duckdb.__version__}, {found[0] if found else ''}; DuckLake format {format_version}"


def _named(one: LakePublication) -> str:
    return f"{one.published_at} UTC as of {one.as_of}, {one.fingerprint[:12]}, snapshot {one.snapshot}"
