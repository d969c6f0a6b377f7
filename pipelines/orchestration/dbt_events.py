"""The events of dbt as Dagster's, once dbt has ended.

Belongs here: what is read from dagster-dbt's stream of events. Does not belong here: assets, checks, and the order of a
build (``pipelines.orchestration.dbt_assets``), columns (``pipelines.orchestration.column_lineage``).
"""

from typing import Any

from dagster_dbt import DagsterDbtCliRuntimeError, DbtCliInvocation
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator  # not exported; tests of the whole job use it


def close_build_file(invocation: DbtCliInvocation) -> None:
    """Close the connections with which dagster-dbt counted rows and read columns: later steps write to the file."""
    if invocation.adapter:
        invocation.adapter.cleanup_connections()
        invocation.adapter.connections.close_all_connections()


def all_events(invocation: DbtCliInvocation) -> tuple[DbtEventIterator[Any], DagsterDbtCliRuntimeError | None]:
    """Return dbt's events once it has ended, and its fault. Until then, threads that count rows would take a core."""
    found: list[Any] = []
    fault = None
    try:
        found.extend(invocation.stream())
    except DagsterDbtCliRuntimeError as error:
        fault = error
    return DbtEventIterator(iter(found), invocation), fault
