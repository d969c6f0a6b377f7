"""Publish the build file: copy it, check the copy, and replace the published file atomically.

Belongs here: the copy, the last checks before publication, the record of a publication.
Does not belong here: building (dbt), the meaning of a value.

The published file is always replaced as a whole. A reader that has it open keeps the earlier one.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path

import duckdb

from warehouse.files import replacing, write_atomically
from warehouse.history import record_progress_changes, record_verdict_changes
from warehouse.layout import Layout
from warehouse.publications import keep
from warehouse.reading import NotPublished as NotPublished  # noqa: PLC0414  re-exported for callers of publish()

WORKING_SCHEMAS = ("staging", "intermediate")
"""Schemas of the build that are not published."""

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


@dataclass(frozen=True)
class Receipt:
    """The content of the build file, written after a build and read before a publication."""

    fingerprint: str
    as_of: str
    passed: bool
    built_at: str
    reason: str | None = None


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


def published(layout: Layout) -> Publication | None:
    """Return the record of the present publication; None without a readable one."""
    if not layout.published.exists():
        return None
    try:
        with duckdb.connect(str(layout.published), read_only=True) as connection:
            cursor = connection.execute("from publication")
            names, row = [column[0] for column in cursor.description or []], cursor.fetchone()
    except duckdb.Error:
        return None
    if row is None:
        return None
    known = dict(zip(names, row, strict=True))
    # publications of an earlier version lack some counts
    return Publication(**{column.name: known.get(column.name, 0) for column in fields(Publication)})


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'main' and not internal order by 1"
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


def publish(layout: Layout, published_at: datetime) -> Publication:
    """Copy the build, check the copy, and replace the published file.

    Raises:
        NotPublished: The build did not pass its checks, the copy differs from it, or DuckDB cannot write the copy.
    """
    receipt = read_receipt(layout)
    if receipt is None or not receipt.passed:
        raise NotPublished(receipt.reason if receipt and receipt.reason else "there is no build that passed its checks")
    try:
        return _replace(layout, receipt, published_at)
    except duckdb.Error as error:
        raise NotPublished(f"the build could not be copied: {error}") from error


def _replace(layout: Layout, receipt: Receipt, published_at: datetime) -> Publication:
    with replacing(layout.published) as copy:
        with duckdb.connect(str(layout.build)) as build:
            build.execute("checkpoint")  # rows in the write-ahead log would be missing from the copy
            built = _counts(build)
        shutil.copyfile(layout.build, copy)
        publication = _finish(copy, receipt, built, published_at, layout.published)
        keep(layout)
        return publication


def _finish(copy: Path, receipt: Receipt, built: dict[str, int], published_at: datetime, previous: Path) -> Publication:
    with duckdb.connect(str(copy)) as connection:
        counts = _counts(connection)
        if counts != built:
            raise NotPublished(f"the copy differs from the build: {built} became {counts}; run the refresh again")
        missing = [table for table in NEVER_EMPTY if not counts.get(table)]
        if missing:
            raise NotPublished(f"nothing in {', '.join(missing)}: a publication without them is of no use")
        for schema in WORKING_SCHEMAS:
            connection.execute(f"drop schema if exists {schema} cascade")
        _check_views(connection)
        record_verdict_changes(connection, previous, receipt.as_of, published_at)
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
