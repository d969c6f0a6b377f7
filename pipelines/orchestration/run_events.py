"""A refresh of the command line as a Dagster run: the pages show it like one that they started.

Belongs here: turning what came of a refresh into Dagster's events. Does not belong here: refreshing, and deciding
whether a refresh is recorded (``pipelines.record``).

``dagster_dbt`` is not imported, it would take longer than everything here; ``tests/integration/test_record.py`` holds
that assets and checks are those of the definitions. Dagster has no public way to report a run that it did not start:
the events are those that its own runs leave, and the same test holds them against the pinned version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.events import (
    DagsterEvent,
    DagsterEventType,
    JobFailureData,
    RunFailureReason,
    StepMaterializationData,
)
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo

from pipelines.dbt.runner import Build, Node
from pipelines.orchestration import (
    asset_checks as checks,
)
from pipelines.orchestration import (
    observation_assets as observations,
)
from pipelines.orchestration import (
    publication_asset as publication,
)
from pipelines.orchestration.asset_keys import PUBLICATION, Key, key_tested_by, node_key, observation_key
from pipelines.orchestration.instance import prepare_home
from pipelines.refresh import BuildFailed, Refresh
from pipelines.workspace import Workspace
from warehouse.layout import Layout

JOB = "refresh"

Manifest = Mapping[str, Any]
Timed = tuple[float | None, dg.AssetMaterialization | dg.AssetCheckResult]
"""When it came about, in seconds since 1970 (None: now), and what."""


def record_run(workspace: Workspace, result: Refresh | BuildFailed, started_at: datetime) -> str:
    """Record a refresh that began at ``started_at`` (UTC without zone). Returns the run's id."""
    failed = isinstance(result, BuildFailed)
    outcome = "not_published" if failed else "published" if result.build else "unchanged"
    home = prepare_home(workspace.layout)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = dg.DagsterRun(JOB, make_new_run_id(), tags={"carec/source": "cli", "carec/outcome": outcome})
        instance.add_run(run)

        def report(kind: DagsterEventType, at: float | None, data: Any = None, message: str | None = None) -> None:
            event = DagsterEvent(kind.value, JOB, event_specific_data=data, message=message)
            instance.report_dagster_event(event, run.run_id, timestamp=at)

        report(DagsterEventType.PIPELINE_START, started_at.replace(tzinfo=UTC).timestamp())
        for at, event in _events(workspace, result):
            if isinstance(event, dg.AssetMaterialization):
                report(DagsterEventType.ASSET_MATERIALIZATION, at, StepMaterializationData(event))
            else:
                report(DagsterEventType.ASSET_CHECK_EVALUATION, at, _evaluation(event))
        if failed:
            reason = JobFailureData(
                SerializableErrorInfo(str(result), [], type(result).__name__), RunFailureReason.STEP_FAILURE
            )
            report(DagsterEventType.PIPELINE_FAILURE, None, reason, f"not published: {result}")
        else:
            report(DagsterEventType.PIPELINE_SUCCESS, None)
    return run.run_id


def _events(workspace: Workspace, result: Refresh | BuildFailed) -> Iterator[Timed]:
    """Every materialisation and check result, in the order in which they came about."""
    build = result.build
    begun = min((node.started_at for node in build.nodes if node.started_at), default=None) if build else None
    for ingested in result.ingestion.results:
        key = observation_key(ingested.indicator.id)
        metadata = observations.metadata(ingested, workspace)
        yield begun, _materialization(key, metadata, ingested.data_version)
        yield from ((begun, finding) for finding in checks.results(ingested))
    if build:
        yield from _dbt_events(workspace.layout, build)
    if build and isinstance(result, Refresh):
        published = result.publication
        metadata = publication.metadata(published, workspace.layout)
        yield (
            published.published_at.replace(tzinfo=UTC).timestamp(),
            _materialization(PUBLICATION, metadata, published.fingerprint),
        )


def _materialization(key: Key, metadata: Mapping[str, Any], data_version: str | None = None) -> dg.AssetMaterialization:
    tags = {DATA_VERSION_TAG: data_version} if data_version else {}
    return dg.AssetMaterialization(dg.AssetKey(key), metadata=metadata, tags=tags)


def _evaluation(result: dg.AssetCheckResult) -> AssetCheckEvaluation:
    key = checks.key(result)
    return AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def _dbt_events(layout: Layout, build: Build) -> Iterator[Timed]:
    manifest: Manifest = json.loads((layout.dbt_target / "manifest.json").read_bytes())
    built = {node.unique_id for node in build.nodes if node.status == "success"}
    rows = _row_counts(layout, [manifest["nodes"][unique_id] for unique_id in built])
    for node in sorted(build.nodes, key=lambda node: (node.started_at or 0.0) + node.seconds):
        properties = manifest["nodes"].get(node.unique_id)  # unit tests are elsewhere: they are no asset checks
        if properties is None or node.started_at is None:
            continue
        event = (
            _test_result(layout, manifest, properties, node)
            if properties["resource_type"] == "test"
            else _materialization(node_key(properties), _table_metadata(node, rows))
            if node.unique_id in built
            else None
        )
        if event:
            yield node.started_at + node.seconds, event


def _table_metadata(node: Node, rows: Mapping[str, int]) -> dict[str, Any]:
    counted = {"dagster/row_count": rows[node.unique_id]} if node.unique_id in rows else {}
    return {"unique_id": node.unique_id, "Execution Duration": node.seconds, **counted}


def _row_counts(layout: Layout, nodes: list[Mapping[str, Any]]) -> dict[str, int]:
    """Rows of each table of the build; views are not counted, that would run them."""
    counts = [
        f"select '{node['unique_id']}', count(*) from {node['relation_name']}"
        for node in nodes
        if node["config"]["materialized"] in {"table", "seed"}
    ]
    if not counts:
        return {}
    with duckdb.connect(str(layout.build)) as connection:
        return dict(connection.execute(" union all ".join(counts)).fetchall())


def _test_result(layout: Layout, manifest: Manifest, test: Mapping[str, Any], node: Node) -> dg.AssetCheckResult | None:
    """None for a test that was not run, or that names no one table and so is no asset check."""
    key = key_tested_by(manifest, test)
    if key is None or node.status == "skipped":
        return None
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(key),
        check_name=test["name"],
        passed=node.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
        description=node.message,
        metadata={
            "unique_id": node.unique_id,
            "failed_rows": node.failures or 0,
            "Execution Duration": node.seconds,
            **checks.failure_metadata(layout, manifest, node),
        },
    )
