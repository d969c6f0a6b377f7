"""Earlier publications, and what the present one changed.

Belongs here: the parts that are kept of a replaced publication, and the comparison of two. Does not belong here:
publishing (``publish``), the history of verdicts (``history``), revisions between vintages (the table ``revisions``).

One folder per publication (some hundred kilobytes) has Parquet files with the members' observations, scores, verdicts
and the benchmarks. The observations of other economies are in the landed vintages.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb

from warehouse.layout import Layout
from warehouse.reading import Unreadable, open_published, quoted

_STAMP = "%Y%m%dT%H%M%S%fZ"

_KEPT = {
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
"""Table of the present publication -> the columns for the name and the size of a change."""

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
left join now.economies using (iso3)
left join now.indicators on subject = indicator_id
left join now.revision_sizes using (unit)
order by all
"""
_SIZE = "published.revision_size(previous_value, value, basis, rounding, large)"
"""The macro that the publication contains (dbt_project/macros/revision_size.sql)."""


@dataclass(frozen=True)
class Comparison:
    """What the present publication changed compared with an earlier one.

    Attributes:
        previous_published_at: Time of the earlier publication (UTC).
        previous_as_of: As-of date of the earlier publication.
        published_at: Time of the present publication (UTC).
        as_of: As-of date of the present publication.
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


def keep(layout: Layout) -> None:
    """Keep the parts of the present publication before it is replaced. A second call does nothing."""
    if not layout.published.exists():
        return
    try:
        with duckdb.connect(str(layout.published), read_only=True) as connection:
            row = connection.execute("select published_at from publication").fetchone()
            if row is None:
                return
            folder = layout.publications / row[0].strftime(_STAMP)
            if not folder.exists():
                _write(connection, folder)
    except duckdb.Error:  # not a publication
        return


def _write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(dir=folder.parent, prefix="."))
    try:
        for table in _KEPT.keys() & _tables(connection):
            file = quoted(temporary / f"{table}.parquet")
            connection.execute(f"copy ({_part(table)} order by all) to '{file}' (compression zstd)")
        temporary.chmod(0o755)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}


def _part(table: str) -> str:
    """Return the query for the part of a table to keep."""
    columns = [column.split()[0] for column in _KEPT[table].split(", ")]
    members = " where iso3 in (select iso3 from economies where is_member)" if "iso3" in columns else ""
    return f"select {', '.join(columns)} from {table}{members}"


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
    open_published(layout.published).close()
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{quoted(layout.published)}' as published (read_only); use published")
        now = _record(connection, "publication")
        folder = _earlier(layout, now[0], since)
        if folder is None:
            return None
        try:
            present = _copy_parts(connection, folder)
        except duckdb.Error as error:
            raise Unreadable(
                f"{folder} holds no earlier publication that can be read; remove it to compare with another"
            ) from error
        connection.execute("use memory")
        changes = _CHANGES % (_SIZE if "revision_sizes" in present else "null")
        return Comparison(*_record(connection, "before.publication"), *now, connection.execute(changes).fetchall())


def _copy_parts(connection: duckdb.DuckDBPyConnection, folder: Path) -> set[str]:
    """Copy the parts of both publications into the schemas ``before`` and ``now``.

    Returns:
        The tables of the present publication; some are missing from one of an earlier version.
    """
    connection.execute("create schema memory.before; create schema memory.now")
    present = _tables(connection)
    for table, columns in _KEPT.items():
        connection.execute(
            f"create table memory.before.{table} ({columns}); create table memory.now.{table} ({columns})"
        )
        file = folder / f"{table}.parquet"
        if table in present and file.exists():
            connection.execute(f"insert into memory.now.{table} {_part(table)}")
            connection.execute(f"insert into memory.before.{table} by name from '{quoted(file)}'")
    for table, columns in _NAMES.items():
        connection.execute(f"create table memory.now.{table} ({columns})")
        if table in present:
            chosen = ", ".join(column.split()[0] for column in columns.split(", "))
            connection.execute(f"insert into memory.now.{table} select {chosen} from {table}")
    return present


def _record(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[datetime, date]:
    row = connection.execute(f"select published_at, as_of from {table}").fetchone()
    assert row is not None
    return row[0], row[1]


def _earlier(layout: Layout, before: datetime, since: date | None) -> Path | None:
    kept = {
        datetime.strptime(folder.name, _STAMP): folder
        for folder in layout.publications.glob("[0-9]*Z")
        if (folder / "publication.parquet").exists()
    }
    times = sorted(time for time in kept if time < before)
    if not times:
        return None
    if since is None:
        return kept[times[-1]]
    old_enough = [time for time in times if time.date() <= since]
    return kept[old_enough[-1] if old_enough else times[0]]
