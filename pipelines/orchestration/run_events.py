"""Record a refresh of the command line as a Dagster run.

Belongs here: the results of a refresh as Dagster events. Does not belong here: refreshing, and the decision whether a
refresh is recorded (``pipelines.cli.refresh``).

The run is a small job with one op, which reports the materialisations and check results of the refresh. The code does
not import ``dagster_dbt``, because that import takes longer than the recording; ``tests/integration/test_record.py``
compares assets and checks with the definitions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import dagster as dg
import duckdb

from pipelines.dbt.results import Build, Node
from pipelines.orchestration import asset_checks, observation_assets, publication_asset
from pipelines.orchestration.asset_keys import PUBLICATION, Key, Manifest, key_tested_by, node_key, observation_key
from pipelines.orchestration.instance import fast_commits, prepare_home
from pipelines.refresh import BuildFailed, Refresh
from pipelines.workspace import Workspace
from warehouse.layout import Layout

JOB = "refresh"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Run configuration without messages on standard error."""

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def record_run(workspace: Workspace, result: Refresh | BuildFailed, started_at: datetime) -> str:
    """Record a refresh in Dagster's instance of the warehouse.

    The run has the times of the recording. The start of the refresh is in the tag ``carec/started_at``.

    Args:
        workspace: Paths and catalogue.
        result: The refresh, or the failure of its build.
        started_at: Start of the refresh (UTC without zone).

    Returns:
        The id of the run.
    """
    failed = isinstance(result, BuildFailed)
    events = list(_events(workspace, result))

    @dg.op(out=dg.Out(dg.Nothing))
    def report_refresh() -> Iterator[Event]:
        yield from events
        if failed:
            raise dg.Failure(f"not published: {result}", allow_retries=False)

    @dg.job(name=JOB)
    def recorded() -> None:
        report_refresh()

    tags = {
        "carec/source": "cli",
        "carec/outcome": "not_published" if failed else "published" if result.build else "unchanged",
        "carec/started_at": f"{started_at:%Y-%m-%dT%H:%M:%SZ}",
        **(publication_asset.run_tags(result.publication) if isinstance(result, Refresh) else {}),
    }
    home = prepare_home(workspace.layout)
    with fast_commits(), dg.DagsterInstance.from_config(str(home)) as instance:
        run = recorded.execute_in_process(QUIET, instance=instance, tags=tags, raise_on_error=False)
    return run.run_id


def _events(workspace: Workspace, result: Refresh | BuildFailed) -> Iterator[Event]:
    """Yield every materialisation and check result, in the order of the refresh."""
    build = result.build
    for ingested in result.ingestion.results:
        key = observation_key(ingested.indicator.id)
        yield _materialization(key, observation_assets.metadata(ingested, workspace), ingested.data_version)
        yield from (_evaluation(found) for found in asset_checks.results(ingested))
    if build:
        yield from _dbt_events(workspace.layout, build)
    if build and isinstance(result, Refresh):
        metadata = publication_asset.metadata(result.publication, workspace.layout)
        yield _materialization(PUBLICATION, metadata, result.publication.fingerprint)


def _materialization(key: Key, metadata: Mapping[str, Any], data_version: str | None = None) -> dg.AssetMaterialization:
    tags = {"dagster/data_version": data_version} if data_version else {}
    return dg.AssetMaterialization(dg.AssetKey(key), metadata=metadata, tags=tags)


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    key = asset_checks.key(result)
    return dg.AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def _dbt_events(layout: Layout, build: Build) -> Iterator[Event]:
    manifest: Manifest = json.loads((layout.dbt_target / "manifest.json").read_bytes())
    built = {node.unique_id for node in build.nodes if node.status == "success"}
    rows = _row_counts(layout, [manifest["nodes"][unique_id] for unique_id in built])
    for node in sorted(build.nodes, key=lambda node: (node.started_at or 0.0) + node.seconds):
        properties = manifest["nodes"].get(node.unique_id)  # unit tests are not among them: they are no asset checks
        if properties is None or node.started_at is None:
            continue
        if properties["resource_type"] == "test":
            if result := _test_result(layout, manifest, properties, node):
                yield result
        elif node.unique_id in built:
            yield _materialization(node_key(properties), _table_metadata(node, rows))


def _table_metadata(node: Node, rows: Mapping[str, int]) -> dict[str, Any]:
    counted = {"dagster/row_count": rows[node.unique_id]} if node.unique_id in rows else {}
    return {"unique_id": node.unique_id, "Execution Duration": node.seconds, **counted}


def _row_counts(layout: Layout, nodes: list[Mapping[str, Any]]) -> dict[str, int]:
    """Return unique id -> number of rows, for tables and seeds. Views are left out: a count would execute them."""
    counts = [
        f"select '{node['unique_id']}', count(*) from {node['relation_name']}"
        for node in nodes
        if node["config"]["materialized"] in {"table", "seed"}
    ]
    if not counts:
        return {}
    with duckdb.connect(str(layout.build)) as connection:
        return dict(connection.execute(" union all ".join(counts)).fetchall())


def _test_result(
    layout: Layout, manifest: Manifest, test: Mapping[str, Any], node: Node
) -> dg.AssetCheckEvaluation | None:
    """Return the result of a test; None if it did not run, or belongs to no single table and so is no asset check."""
    key = key_tested_by(manifest, test)
    if key is None or node.status == "skipped":
        return None
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(key),
        check_name=test["name"],
        passed=node.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
        description=node.message,
        metadata={
            "unique_id": node.unique_id,
            "failed_rows": node.failures or 0,
            "Execution Duration": node.seconds,
            **asset_checks.failure_metadata(layout, manifest, node),
        },
    )
