"""The events of dbt as Dagster's: all of one build, with the column lineage of every indicator.

Belongs here: what is read from dagster-dbt's stream of events. Does not belong here: assets, checks, and the order of a
build (``pipelines.orchestration.dbt_assets``).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtCliRuntimeError, DbtCliInvocation
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator  # not exported; tests of the whole job use it

from pipelines.orchestration.asset_keys import node_key

LINEAGE = "dagster/column_lineage"


def with_every_indicator(manifest: Mapping[str, Any], event: Any) -> Any:
    """Return the event; for a staging model with each column traced to the same column of all its indicators.

    dagster-dbt identifies parents by the name of their table. Parquet files have no such name, so dagster-dbt finds
    one indicator only.
    """
    if not isinstance(event, dg.Output) or LINEAGE not in event.metadata:
        return event
    node = manifest["nodes"][event.metadata["unique_id"].value]
    if node["fqn"][1] != "staging":
        return event
    keys = [dg.AssetKey(node_key(manifest["sources"][name])) for name in node["depends_on"]["nodes"]]
    found: Any = event.metadata[LINEAGE].value
    columns = {name: [dg.TableColumnDep(key, name) for key in keys] for name in found.deps_by_column}
    traced = dg.TableColumnLineage(columns)
    return event.with_metadata({**event.metadata, LINEAGE: dg.MetadataValue.column_lineage(traced)})


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
