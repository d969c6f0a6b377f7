"""Publish the build file: copy it, check the copy, keep it, and replace the published file atomically.

Belongs here: the copy, the last checks before publication, the record of a publication.
Does not belong here: building (dbt), the meaning of a value, how a publication is kept (``kept``) and shown to users
(``standing``).

The published file is always replaced as a whole. A reader that has it open keeps the earlier one. Logs that other
programs left beside the build or the published file are never read.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path

import duckdb

from warehouse import kept
from warehouse.errors import NotPublished, Unreadable
from warehouse.files import replacing, scratch, sha256_of, write_atomically
from warehouse.history import record_progress_changes, record_verdict_changes
from warehouse.layout import Layout
from warehouse.reading import in_use, open_published, quoted, records_of
from warehouse.retention import prune
from warehouse.standing import fits, show, standing

WORKING_SCHEMAS = ("staging", "intermediate")
"""Schemas of the build that are not published."""

KEEP = 10
"""Publications that are kept by default, besides the first one of each month."""

NEVER_EMPTY = (
    "economies",
    "indicators",
    "benchmarks",
    "observations",
    "indicator_scores",
    "pillar_scores",
    "scorecard",
)


_MEANING = """
    comment on table publication is 'What this file holds, one row';
    comment on column publication.published_at is 'When it was published, UTC';
    comment on column publication.as_of is 'Day whose knowledge is scored';
    comment on column publication.fingerprint is 'Hash over everything that decides the figures: equal means the same';
    comment on column publication.newest_vintage is 'When the newest change of a figure was received, UTC';
    comment on column publication.observations is 'Number of observations';
    comment on column publication.series_live is
        'Number of indicators of which a provider sent or confirmed a figure over the network';
    comment on column publication.series_archived is 'Number of the other indicators that have figures';
"""
"""Comments of the only table that dbt does not build."""

STORAGE = "storage_version 'v1.2.0'"
"""Option of ``attach`` for a new file. In the format of DuckDB 1.0, the default, statistics of columns are in a form
that takes half of the time in which a file is opened. DuckDB 1.2 of February 2025 and later read this one."""

_PACK_MEMORY = "64MB"
"""DuckDB keeps what it copies for as long as memory is free, without need. Two threads take more CPU and memory."""


@dataclass(frozen=True)
class Receipt:
    """The content of the build file, written after a build and read before a publication.

    ``sha256`` is the hash of its bytes; None in the receipt of an earlier version.
    """

    fingerprint: str
    as_of: str
    passed: bool
    built_at: str
    reason: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Publication:
    """The record of the published file: its table ``publication``, one row."""

    published_at: datetime
    as_of: date
    fingerprint: str
    newest_vintage: datetime | None
    observations: int
    series_live: int
    series_archived: int


def write_receipt(layout: Layout, receipt: Receipt) -> None:
    """Write the receipt of a build."""
    write_atomically(layout.receipt, json.dumps(asdict(receipt), indent=1).encode())


def read_receipt(layout: Layout) -> Receipt | None:
    """Return the receipt of the build; None without a readable one."""
    try:
        return Receipt(**json.loads(layout.receipt.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def create_build(layout: Layout) -> None:
    """Create an empty build file, unless there is one: dbt would create it in the default format, see ``STORAGE``."""
    if not layout.build.exists():
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"attach '{quoted(layout.build)}' as build ({STORAGE})")


def seal(layout: Layout) -> str | None:
    """Write the log of the build file into it, and return the hash of its bytes; None without a readable build."""
    try:
        if not layout.build.exists():
            return None
        with duckdb.connect(str(layout.build)) as build:
            build.execute("checkpoint")
        return sha256_of(layout.build)
    except (OSError, duckdb.Error):
        return None


def has_built_bytes(layout: Layout) -> bool:
    """Return whether the build file has the bytes of its receipt; True if the receipt has no hash."""
    receipt = read_receipt(layout)
    try:
        return receipt is None or receipt.sha256 in (None, sha256_of(layout.build))
    except OSError:
        return False


def check_free(layout: Layout) -> None:
    """Delete the log that a killed program left beside the build file: the next build must not start with it.

    Raises:
        NotPublished: Another process has the build file open.
    """
    if not layout.build.exists():
        return
    user = in_use(layout.build)  # opened for writing, it would take the log in
    if user is None:
        for log in build_logs(layout):
            log.unlink(missing_ok=True)
        user = in_use(layout.build, to_write=True)
    if user:
        raise NotPublished(f"{layout.build} is in use by {user}: close it there, this file is only for builds")


def build_logs(layout: Layout) -> list[Path]:
    """Return the logs that lie beside the build file. A finished build leaves none."""
    return [path for path in layout.root.glob(f"{layout.build.name}.*wal*") if path.is_file()]


def published(layout: Layout) -> Publication | None:
    """Return the record of the published file; None without a readable one."""
    return _record(layout.published)


def current(layout: Layout) -> Publication | None:
    """Return the record of the current publication; None if its published bytes are lost."""
    found = standing(layout)
    return _record(found.path) if found else None


def restore(layout: Layout) -> bool:
    """Make ``carec.duckdb`` a copy of the current publication if it has other bytes. Return whether it had."""
    found = standing(layout)
    if found is None or fits(layout):
        return False
    show(layout, found)
    return True


def _record(path: Path) -> Publication | None:
    try:
        with open_published(path) as connection:
            known = next(iter(records_of(connection.execute("from publication"))), None)
    except (duckdb.Error, NotPublished, Unreadable):
        return None
    if known is None:
        return None
    # publications of an earlier version lack some counts
    return Publication(**{column.name: known.get(column.name, 0) for column in fields(Publication)})


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = connection.execute(
        "select table_name from duckdb_tables()"
        " where schema_name = 'main' and database_name = current_database() and not internal order by 1"
    ).fetchall()
    return {
        name: connection.execute(f'select count(*) from main."{name}"').fetchone()[0]  # type: ignore[index]
        for (name,) in tables
    }


def _check_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Check that every published view can be read from the published tables alone."""
    views = connection.execute("select view_name from duckdb_views() where not internal order by 1").fetchall()
    for (name,) in views:
        try:
            connection.execute(f'explain from main."{name}"')
        except duckdb.Error as error:
            raise NotPublished(f"the view {name} cannot be read without the build: {error}") from error


def publish(layout: Layout, published_at: datetime, keep: int = KEEP) -> Publication:
    """Copy the build, check the copy, keep it, and replace the published file.

    Args:
        layout: Paths of the warehouse.
        published_at: Time of the publication (UTC).
        keep: Number of publications to keep, besides the first one of each month.

    Raises:
        NotPublished: The build did not pass its checks, it was changed after them, no member has a score, or DuckDB
            cannot write the copy.
    """
    receipt = read_receipt(layout)
    if receipt is None or not receipt.passed:
        raise NotPublished(receipt.reason if receipt and receipt.reason else "there is no build that passed its checks")
    try:
        publication = _replace(layout, receipt, published_at)
    except duckdb.Error as error:
        raise NotPublished(f"the build could not be copied: {error}") from error
    prune(layout, keep)
    return publication


def _replace(layout: Layout, receipt: Receipt, published_at: datetime) -> Publication:
    previous = standing(layout)
    with scratch(layout.root, layout.published.name) as copy:
        _copy_build(layout, receipt, copy)
        publication = _finish(copy, receipt, published_at, previous.path if previous else None, layout.published)
        new = kept.named(layout, published_at, receipt.fingerprint)
        with replacing(new.path, kept.READ_ONLY) as packed:
            _pack(copy, packed)
            new.write_record(sha256_of(packed))
    kept.make_current(layout, new)
    show(layout, new)
    return publication


def _copy_build(layout: Layout, receipt: Receipt, copy: Path) -> None:
    """Copy the build without the log that another program may have left beside it.

    Raises:
        NotPublished: The build has other bytes than after its checks.
    """
    if receipt.sha256 is None:
        with duckdb.connect(str(layout.build)) as build:
            build.execute("checkpoint")  # rows in the log would be missing from the copy
    shutil.copyfile(layout.build, copy)
    if receipt.sha256 not in (None, sha256_of(copy)):
        raise NotPublished(f"{layout.build} was changed by another program after its checks; run the refresh again")


def _pack(source: Path, target: Path) -> None:
    """Write a database without the space of dropped tables: about half the size.

    Raises:
        NotPublished: The tables have other numbers of rows than those of ``source``.
    """
    target.unlink()  # DuckDB writes a new file
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute(f"attach '{quoted(source)}' as source (read_only)")
        connection.execute(f"attach '{quoted(target)}' as target ({STORAGE})")
        connection.execute(f"set memory_limit = '{_PACK_MEMORY}'; set temp_directory = '{quoted(source)}.tmp'")
        # FSST compresses few columns (1 % of the file), and to try it on all takes a quarter of the time
        connection.execute("set disabled_compression_methods = 'fsst'")
        connection.execute("copy from database source to target; checkpoint target")
        connection.execute("use source")
        expected = _counts(connection)
        connection.execute("use target")
        if _counts(connection) != expected:
            raise NotPublished("the copy differs from the build; run the refresh again")


def _check_scores(connection: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Check that a member has a score, unless none had one in the publication before.

    Raises:
        NotPublished: No member has a score.
    """
    if _has_scores(connection) is False:
        if previous:
            with open_published(previous) as before:
                if _has_scores(before) is False:
                    return
        raise NotPublished("no member has a score: a scorecard without scores is of no use")


def _has_scores(connection: duckdb.DuckDBPyConnection) -> bool | None:
    """Return whether a member has a score; None for tables without members."""
    try:
        found = connection.execute(
            "select count(*), count(overall_score) from scorecard"
            " semi join (from economies where is_member) using (iso3)"
        ).fetchone()
    except duckdb.Error:  # a publication of an earlier version
        return None
    return bool(found[1]) if found and found[0] else None


def _finish(copy: Path, receipt: Receipt, published_at: datetime, previous: Path | None, shown: Path) -> Publication:
    with duckdb.connect(str(copy)) as connection:
        counts = _counts(connection)
        missing = [table for table in NEVER_EMPTY if not counts.get(table)]
        if missing:
            raise NotPublished(f"nothing in {', '.join(missing)}: a publication without them is of no use")
        _check_scores(connection, previous)
        for schema in WORKING_SCHEMAS:
            connection.execute(f"drop schema if exists {schema} cascade")
        _check_views(connection)
        record_verdict_changes(connection, previous, shown, receipt.as_of, published_at)
        record_progress_changes(connection, previous)
        connection.execute(
            """
            create or replace table publication as
            select
                ?::timestamp as published_at,
                ?::date as as_of,
                ?::varchar as fingerprint,
                (select max(vintage_at) from observations) as newest_vintage,
                (select count(*) from observations) as observations,
                count(*) filter (is_live) as series_live,
                count(*) filter (not is_live) as series_archived
            from (
                select bool_or(confirmed_at is not null) as is_live
                from observations group by indicator_id
            )
            """,
            [published_at, receipt.as_of, receipt.fingerprint],
        )
        connection.execute(_MEANING)
        row = connection.execute("from publication").fetchone()
        connection.execute("checkpoint")
    assert row is not None
    return Publication(*row)
