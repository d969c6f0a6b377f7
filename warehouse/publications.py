"""What changed between two publications.

Belongs here: the comparison, and the parts of a publication that it needs. Does not belong here: publishing
(``publish``), which publications are kept (``kept``, ``retention``), the history of verdicts (``history``), revisions
between vintages (the table ``revisions``).

The parts of a publication are a folder (some hundred kilobytes) of Parquet files with the members' observations,
scores, verdicts and the benchmarks. The observations of other economies are in the landed vintages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse import kept
from warehouse.errors import Unreadable
from warehouse.kept import STAMP
from warehouse.layout import Layout
from warehouse.reading import open_published, quoted, readable

PARTS = {
    "publication": "published_at timestamp, as_of date",
    "observations": "iso3 varchar, indicator_id varchar, year integer, value double",
    "indicator_scores": (
        "framework_id varchar, iso3 varchar, indicator_id varchar, status varchar, status_reason varchar"
    ),
    "scorecard": (
        "framework_id varchar, iso3 varchar, overall_score double, rank integer, rank_p05 double, rank_p95 double"
    ),
    "benchmarks": (
        "framework_id varchar, indicator_id varchar, baseline_year integer, floor_value double, target_value double,"
        " target_year integer, pace_target_value double"
    ),
    "claims_audit": "claim_id varchar, verdict varchar",
}
"""Table -> the columns to keep. Tables with ``iso3`` are reduced to the members' rows."""

_NAMES = {
    "economies": "iso3 varchar, name varchar",
    "indicators": "indicator_id varchar, title varchar, unit varchar",
    "revision_sizes": "unit varchar, basis varchar, rounding double, large double",
}
"""Table of the later publication -> the columns for the name and the size of a change."""

COLUMNS = (
    "kind",
    "framework_id",
    "iso3",
    "subject",
    "year",
    "previous_value",
    "value",
    "previous",
    "present",
    "name",
    "title",
    "size",
)

_GOALPOSTS = "floor_value, target_value, pace_target_value, baseline_year::double, target_year::double"

_CHANGES = f"""
with figures as (
    select
        iso3, indicator_id, year, before.value as previous_value, now.value as value,
        before.year is not null as was, now.year is not null as is_there
    from before.observations as before full outer join now.observations as now using (iso3, indicator_id, year)
    where before.value is distinct from now.value
),
newest as (select iso3, indicator_id, max(year) as year from before.observations group by all),
statuses as (
    select
        framework_id, iso3, indicator_id,
        before.status || ' (' || before.status_reason || ')' as previous,
        now.status || ' (' || now.status_reason || ')' as present
    from before.indicator_scores as before
    full outer join now.indicator_scores as now using (framework_id, iso3, indicator_id)
    where before.status is distinct from now.status
),
scores as (
    select framework_id, iso3, before.overall_score as previous_value, now.overall_score as value
    from before.scorecard as before full outer join now.scorecard as now using (framework_id, iso3)
    where before.overall_score is distinct from now.overall_score
        and coalesce(abs(before.overall_score - now.overall_score) > 1e-9, true)
),
ranks as (
    select
        framework_id, iso3, before.rank as previous_value, now.rank as value,
        format('band {{:g}} to {{:g}}', before.rank_p05, before.rank_p95) as previous
    from before.scorecard as before inner join now.scorecard as now using (framework_id, iso3)
    where now.rank <> before.rank and now.rank not between before.rank_p05 and before.rank_p95
),
goalposts_before as (unpivot before.benchmarks on {_GOALPOSTS} into name item value previous_value),
goalposts_now as (unpivot now.benchmarks on {_GOALPOSTS} into name item value value),
changes as (
    select
        case
            when not is_there then 'withdrawn'
            when was then 'revised'
            when newest.year is null or figures.year > newest.year then 'new_year'
            else 'filled'
        end as kind,
        iso3, indicator_id as subject, figures.year, previous_value, value
    from figures left join newest using (iso3, indicator_id)
    union all by name
    select 'status' as kind, framework_id, iso3, indicator_id as subject, previous, present from statuses
    union all by name
    select 'score' as kind, framework_id, iso3, 'overall' as subject, previous_value, value from scores
    union all by name
    select 'rank_outside_band' as kind, framework_id, iso3, 'overall' as subject, previous_value, value, previous
    from ranks
    union all by name
    select 'verdict' as kind, claim_id as subject, before.verdict as previous, now.verdict as present
    from before.claims_audit as before full outer join now.claims_audit as now using (claim_id)
    where before.verdict is distinct from now.verdict
    union all by name
    select 'benchmark' as kind, framework_id, indicator_id as subject, previous_value, value,
        item as previous, item as present
    from goalposts_before full outer join goalposts_now using (framework_id, indicator_id, item)
    where previous_value is distinct from value
)
select {", ".join(COLUMNS[:-1])}, case when kind = 'revised' then %s end as size
from changes
left join names.economies using (iso3)
left join names.indicators on subject = indicator_id
left join names.revision_sizes using (unit)
order by all
"""
_SIZE = "published.revision_size(previous_value, value, basis, rounding, large)"
"""The macro that the publication contains (dbt_project/macros/revision_size.sql)."""


@dataclass(frozen=True)
class Comparison:
    """What a publication, by default the present one, changed compared with an earlier one.

    Attributes:
        previous_published_at: Time of the earlier publication (UTC).
        previous_as_of: As-of date of the earlier publication.
        published_at: Time of the later publication (UTC).
        as_of: As-of date of the later publication.
        rows: One row per change, with the columns ``COLUMNS``. ``kind`` is new_year, filled, revised or withdrawn (a
            member's observation), status, score, rank_outside_band (outside the rank band of the earlier publication),
            verdict or benchmark. ``subject`` is an indicator, a claim or ``overall``. ``name`` is the economy's,
            ``title`` the indicator's. ``size`` of a revision is rounding, small or large.
    """

    previous_published_at: datetime
    previous_as_of: date
    published_at: datetime
    as_of: date
    rows: list[tuple[Any, ...]]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.rows]


def folders(layout: Layout) -> list[Path]:
    """Return the folders with parts of publications."""
    return [path for path in layout.publications.glob("[0-9]*Z") if (path / "publication.parquet").exists()]


def tables_of(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    """Return the tables of an attached database."""
    rows = connection.execute("select table_name from duckdb_tables() where database_name = ?", [database]).fetchall()
    return {row[0] for row in rows}


def part_of(connection: duckdb.DuckDBPyConnection, table: str, database: str) -> str:
    """Return the query for the part of a table to keep: of the columns, those that this publication has."""
    found = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and table_name = ?", [database, table]
    ).fetchall()
    wanted = [column.split()[0] for column in PARTS[table].split(", ")]
    columns = [column for column in wanted if (column,) in found] or ["null"]
    members = f" where iso3 in (select iso3 from {database}.economies where is_member)" if "iso3" in columns else ""
    return f"select {', '.join(columns)} from {database}.{table}{members}"


def compare(layout: Layout, since: date | None = None) -> Comparison | None:
    """Compare the present publication with an earlier one.

    Args:
        layout: The warehouse's paths.
        since: Compare with the publication that was current at the end of this day, or else with the oldest one. By
            default with the previous one.

    Returns:
        None if there is no earlier publication.

    Raises:
        NotPublished: Nothing is published.
        Unreadable: One of the two cannot be read.
    """
    with open_published(layout.published) as connection:
        published_at, _ = _record(connection, "publication")
    earlier = _earlier(layout, published_at, since)
    return compare_two(layout, earlier) if earlier else None


def compare_two(layout: Layout, before: Path, now: Path | None = None) -> Comparison:
    """Compare two publications, each a file or the folder of its parts; ``now`` is the present one by default.

    Raises:
        NotPublished: Nothing is published.
        Unreadable: One of the two cannot be read.
    """
    present = readable(layout.published)
    open_published(present).close()
    now = now or present
    with duckdb.connect(":memory:") as connection:
        named = now if now.is_file() else present
        names = {named: "published"}  # DuckDB attaches a file once
        connection.execute(f"attach '{quoted(named)}' as published (read_only)")
        has_sizes = _copy_names(connection)
        try:
            sides = {side: _Side(connection, path, names) for side, path in (("before", before), ("now", now))}
            tables = sides["before"].tables & sides["now"].tables
            for name, side in sides.items():
                side.copy_to(name, tables)
        except duckdb.Error as error:
            raise Unreadable(
                f"{before if now == present else f'{before} or {now}'} holds no publication that can be read;"
                " remove it to compare with another"
            ) from error
        changes = _CHANGES % (_SIZE if has_sizes else "null")
        records = [_record(connection, f"{side}.publication") for side in sides]
        return Comparison(*records[0], *records[1], connection.execute(changes).fetchall())


class _Side:
    """One publication of a comparison, a file or the folder of its parts, whose tables can be copied."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, attached: dict[Path, str]):
        self._connection, self._path, self._name = connection, path, ""
        self.tables = {file.stem for file in path.glob("*.parquet")}
        if path.is_file():
            if path not in attached:
                attached[path] = f"file_{len(attached)}"
                connection.execute(f"attach '{quoted(path)}' as {attached[path]} (read_only)")
            self._name = attached[path]
            self.tables = tables_of(connection, self._name)

    def copy_to(self, schema: str, tables: set[str]) -> None:
        """Copy the parts into a new schema. A table or column that the publication does not have stays empty."""
        self._connection.execute(f"create schema {schema}")
        for table, columns in PARTS.items():
            self._connection.execute(f"create table {schema}.{table} ({columns})")
            if table in tables:
                source = part_of(self._connection, table, self._name) if self._name else self._parquet(table)
                self._connection.execute(f"insert into {schema}.{table} by name {source}")

    def _parquet(self, table: str) -> str:
        return f"from '{quoted(self._path / table)}.parquet'"


def _copy_names(connection: duckdb.DuckDBPyConnection) -> bool:
    """Copy what names and sizes the changes. Return whether the publication has the sizes of revisions."""
    present = tables_of(connection, "published")
    connection.execute("create schema if not exists names")
    for table, columns in _NAMES.items():
        connection.execute(f"create table names.{table} ({columns})")
        if table in present:
            chosen = ", ".join(column.split()[0] for column in columns.split(", "))
            connection.execute(f"insert into names.{table} select {chosen} from published.{table}")
    return "revision_sizes" in present


def _record(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[datetime, date]:
    row = connection.execute(f"select published_at, as_of from {table}").fetchone()
    assert row is not None
    return row[0], row[1]


def _earlier(layout: Layout, before: datetime, since: date | None) -> Path | None:
    found = {datetime.strptime(folder.name, STAMP): folder for folder in folders(layout)}
    found |= {one.published_at: one.path for one in kept.kept(layout)}
    time = earlier(found, before, since)
    return found[time] if time else None


def earlier(times: Iterable[datetime], before: datetime, since: date | None) -> datetime | None:
    """Return the time of the publication to compare with, see ``compare``; None if none is earlier."""
    known = sorted(time for time in times if time < before)
    old_enough = [time for time in known if since is None or time.date() <= since]
    return next(iter(old_enough[-1:] or known), None)
