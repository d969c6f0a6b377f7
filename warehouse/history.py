"""The history of verdicts and of progress, carried from each publication to the next.

Belongs here: history that only the published files have. Does not belong here: publishing (``publish``), values that
changed between vintages (the table ``revisions``, built by dbt).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.reading import bytes_of, in_use, quoted

_OF_VERDICTS = ("claims_audit", "claim_verdict_changes", "publication")


def record_verdict_changes(
    connection: duckdb.DuckDBPyConnection, previous: Path | None, shown: Path, as_of: str, published_at: datetime
) -> None:
    """Write ``claim_verdict_changes`` into the database that will be published.

    The table has the rows of the previous publication, those that only ``shown`` has, and a new row for each claim
    whose verdict has changed.

    Args:
        connection: The database that will be published.
        previous: The kept file of the previous publication. None, or one without verdicts, has no history.
        shown: The file that users open. Its log is not read.
        as_of: As-of date of the new publication, ISO 8601.
        published_at: Time of the new publication (UTC).
    """
    connection.execute(
        """
        create or replace table claim_verdict_changes (
            claim_id varchar, previous_verdict varchar, verdict varchar,
            previous_evidence_value double, evidence_value double,
            previous_as_of date, as_of date, changed_at timestamp
        );
        comment on table claim_verdict_changes is 'Every change of a verdict from one publication to the next';
        comment on column claim_verdict_changes.claim_id is 'Claim of the register';
        comment on column claim_verdict_changes.previous_verdict is 'Verdict before; NULL for a new claim';
        comment on column claim_verdict_changes.verdict is 'Verdict after; NULL for a claim that is gone';
        comment on column claim_verdict_changes.previous_evidence_value is 'Figure of the evidence before';
        comment on column claim_verdict_changes.evidence_value is 'Figure of the evidence after';
        comment on column claim_verdict_changes.previous_as_of is 'As-of day of the publication before';
        comment on column claim_verdict_changes.as_of is 'As-of day of the publication with the change';
        comment on column claim_verdict_changes.changed_at is 'When that was published, UTC';
        """
    )
    if previous is None:
        return
    with _attached(connection, previous):
        if not _in(connection, *(f"previous.{name}" for name in _OF_VERDICTS)):
            return
        connection.execute("insert into claim_verdict_changes by name from previous.claim_verdict_changes")
        if shown.exists() and not shown.samefile(previous):
            with bytes_of(shown) as copy:
                _add_missing(connection, copy)
        connection.execute(
            """
            insert into claim_verdict_changes
            select
                claim_id, before.verdict, now.verdict, before.evidence_value, now.evidence_value,
                (select as_of from previous.publication), ?, ?
            from previous.claims_audit as before
            full outer join claims_audit as now using (claim_id)
            where before.verdict is distinct from now.verdict
            order by claim_id
            """,
            [as_of, published_at],
        )


def _add_missing(connection: duckdb.DuckDBPyConnection, copy: Path) -> None:
    """Add the changes that only a copy of the same publication has: a recorded change is never lost."""
    try:
        connection.execute(f"attach '{quoted(copy)}' as shown (read_only)")
        connection.execute(
            """
            insert into claim_verdict_changes by name
            select * from shown.claim_verdict_changes
            where (select published_at from shown.publication) = (select published_at from previous.publication)
            except all from claim_verdict_changes
            """
        )
    except duckdb.Error:  # not a publication
        return
    finally:
        connection.execute("detach database if exists shown")


def record_progress_changes(connection: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Fill the columns of ``progress_summary`` that compare with the previous publication.

    They stay NULL if there is no previous publication, or none with this table.

    Args:
        connection: The database that will be published.
        previous: The kept file of the previous publication.
    """
    if previous is None:
        return
    with _attached(connection, previous):
        if _in(connection, "previous.progress_summary") and _in(connection, "progress_summary"):
            connection.execute(
                """
                update progress_summary as now
                set previous_indicators = before.indicators, change = now.indicators - before.indicators
                from previous.progress_summary as before
                where before.framework_id = now.framework_id and before.iso3 = now.iso3
                    and before.progress = now.progress
                """
            )


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """Attach a publication as ``previous``, or a copy of it while another process has it open for writing."""
    with ExitStack() as stack:
        file = stack.enter_context(bytes_of(path)) if in_use(path) else path
        connection.execute(f"attach '{quoted(file)}' as previous (read_only)")
        try:
            yield
        finally:
            connection.execute("detach previous")


def _in(connection: duckdb.DuckDBPyConnection, *tables: str) -> bool:
    try:
        connection.execute(f"select 1 from {', '.join(tables)} limit 0")
    except duckdb.Error:
        return False
    return True
