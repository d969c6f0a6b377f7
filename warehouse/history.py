"""The history of verdicts and of progress, carried from each publication to the next.

Belongs here: history that only the published files have. Does not belong here: publishing (``publish``), values that
changed between vintages (the table ``revisions``, built by dbt).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.reading import quoted


def record_verdict_changes(
    connection: duckdb.DuckDBPyConnection, previous: Path, as_of: str, published_at: datetime
) -> None:
    """Write ``claim_verdict_changes`` into the database that will be published.

    The table has the rows of the previous publication, and a new row for each claim whose verdict has changed.

    Args:
        connection: The database that will be published.
        previous: The present publication. A missing file, or one without verdicts, has no history.
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
    if not _has_verdicts(previous):
        return
    connection.execute(f"attach '{quoted(previous)}' as previous (read_only)")
    connection.execute("insert into claim_verdict_changes by name from previous.claim_verdict_changes")
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
    connection.execute("detach previous")


def record_progress_changes(connection: duckdb.DuckDBPyConnection, previous: Path) -> None:
    """Fill the columns of ``progress_summary`` that compare with the previous publication.

    They stay NULL if there is no previous publication, or none with this table.

    Args:
        connection: The database that will be published.
        previous: The present publication.
    """
    if not (_has(previous, "progress_summary") and _in(connection, "progress_summary")):
        return
    connection.execute(f"attach '{quoted(previous)}' as previous (read_only)")
    connection.execute(
        """
        update progress_summary as now
        set previous_indicators = before.indicators, change = now.indicators - before.indicators
        from previous.progress_summary as before
        where before.framework_id = now.framework_id and before.iso3 = now.iso3 and before.progress = now.progress
        """
    )
    connection.execute("detach previous")


def _has_verdicts(path: Path) -> bool:
    return _has(path, "claims_audit", "claim_verdict_changes", "publication")


def _has(path: Path, *tables: str) -> bool:
    if not path.exists():
        return False
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return _in(connection, *tables)
    except duckdb.Error:
        return False


def _in(connection: duckdb.DuckDBPyConnection, *tables: str) -> bool:
    try:
        connection.execute(f"select 1 from {', '.join(tables)} limit 0")
    except duckdb.Error:
        return False
    return True
