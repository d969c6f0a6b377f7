"""Whether a refresh of the command line is recorded as a Dagster run, and what happens when that fails.

Does not belong here: the run itself (``pipelines.orchestration.run_events``), which needs Dagster and so most of a
second to import.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pipelines.refresh import BuildFailed, Refresh
from pipelines.workspace import Workspace


def record(
    workspace: Workspace, result: Refresh | BuildFailed, started_at: datetime, note: Callable[[str], None]
) -> str | None:
    """Record a refresh that began at ``started_at`` (UTC without zone). Returns the run's id.

    None where there is nothing to record (no provider was asked and nothing was built), or where recording failed:
    ``note`` is then told why in one line. A refresh never fails for it.
    """
    if result.build is None and not result.ingestion.asked:
        return None
    try:
        from pipelines.orchestration.run_events import record_run

        return record_run(workspace, result, started_at)
    except Exception as error:
        note(f"this run will not be in the Dagster pages: {type(error).__name__}: {' '.join(str(error).split())}")
        return None
