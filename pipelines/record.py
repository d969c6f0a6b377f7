"""Decide whether a refresh of the command line is recorded as a Dagster run.

Belongs here: the decision, and the message for a failed recording. Does not belong here: the run itself
(``pipelines.orchestration.run_events``), which imports Dagster; that takes most of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pipelines.refresh import BuildFailed, Refresh
from pipelines.workspace import Workspace


def record(
    workspace: Workspace, result: Refresh | BuildFailed, started_at: datetime, note: Callable[[str], None]
) -> str | None:
    """Record a refresh. A refresh does not fail if its recording does.

    Args:
        workspace: Paths and catalogue.
        result: The refresh, or the failure of its build.
        started_at: Start of the refresh (UTC without zone).
        note: Called with one line if the recording failed.

    Returns:
        The id of the run. None if the recording failed, or if there is nothing to record: the refresh requested
        nothing from providers and built nothing.
    """
    if result.build is None and not result.ingestion.asked:
        return None
    try:
        from pipelines.orchestration.run_events import record_run

        return record_run(workspace, result, started_at)
    except Exception as error:
        note(f"this run will not be in the Dagster pages: {type(error).__name__}: {' '.join(str(error).split())}")
        return None
