"""Runs of the command line in Dagster's instance, read with Dagster's interface."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.cli.refresh import record
from pipelines.dbt.results import Build, read_results
from pipelines.orchestration.asset_keys import key_tested_by
from pipelines.orchestration.instance import TEMPLATE, fast_commits, prepare_home
from pipelines.refresh import BuildFailed, Refresh, refresh
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.observation import utc_now
from tests.conftest import AS_OF
from warehouse.layout import Layout

INTERNET = dg.AssetKey(["observations", "internet_users_pct"])


@dataclass(frozen=True)
class Recorded:
    workspace: Workspace
    result: Refresh
    started_at: datetime
    run_id: str


def unexpected(message: str) -> None:
    raise AssertionError(message)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test without an instance in the environment: a recording sets one."""
    monkeypatch.setenv("DAGSTER_HOME", "")


@pytest.fixture(scope="module")
def recorded(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """Record the refresh that made the template of the published warehouse, in an instance without runs."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("CAREC_WAREHOUSE", "DAGSTER_HOME"):  # a refresh and its recording set these variables
            environment.setenv(name, "")
        root = tmp_path_factory.mktemp("recorded") / "warehouse"
        shutil.copytree(published_warehouse, root, ignore=shutil.ignore_patterns("dagster"))
        workspace = open_workspace(load_settings(warehouse=root, offline=True))
        started_at = utc_now()
        unchanged = refresh(workspace, as_of=date.fromisoformat(AS_OF))
        assert unchanged.build is None
        result = replace(unchanged, build=Build(True, read_results(workspace.layout), None))
        run_id = record(workspace, result, started_at, unexpected)
        assert run_id
        yield Recorded(workspace, result, started_at, run_id)


def instance(workspace: Workspace) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(prepare_home(workspace.layout)))


def test_a_refresh_is_listed_as_a_run_with_its_source_outcome_and_start(recorded: Recorded) -> None:
    with instance(recorded.workspace) as dagster:
        run = dagster.get_run_record_by_id(recorded.run_id)
    assert run and run.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    assert run.dagster_run.job_name == "refresh"
    assert run.dagster_run.tags["carec/source"] == "cli"
    assert run.dagster_run.tags["carec/outcome"] == "published"
    assert run.dagster_run.tags["carec/started_at"] == f"{recorded.started_at:%Y-%m-%dT%H:%M:%SZ}"
    assert run.start_time and run.end_time and run.start_time <= run.end_time


def test_assets_and_checks_of_a_recorded_run_match_the_definitions(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREC_WAREHOUSE", str(recorded.workspace.layout.root))
    from pipelines.definitions import build_defs

    graph = build_defs(recorded.workspace).resolve_asset_graph()
    with instance(recorded.workspace) as dagster:
        events = dagster.all_logs(recorded.run_id)
    assets = [e.dagster_event.asset_key for e in events if e.dagster_event and e.dagster_event.is_step_materialization]
    checks = [
        e.dagster_event.asset_check_evaluation_data.asset_check_key
        for e in events
        if e.dagster_event and e.dagster_event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    assert len(assets) == len(set(assets)) and set(assets) == graph.materializable_asset_keys
    assert len(checks) == len(set(checks)) and set(checks) == graph.asset_check_keys


def test_a_test_over_several_tables_belongs_to_the_table_that_it_names(recorded: Recorded) -> None:
    """dagster-dbt applies the same rule, but the recording does not import it."""
    from dagster_dbt import DagsterDbtTranslator
    from dagster_dbt.asset_utils import get_asset_check_key_for_test

    manifest = json.loads((recorded.workspace.layout.dbt_target / "manifest.json").read_bytes())
    tests = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "test"}
    several = next(name for name, node in tests.items() if len(set(node["depends_on"]["nodes"])) > 1)
    named = tests[several]["depends_on"]["nodes"][-1].split(".")[-1]
    tests[several]["config"]["meta"] = {"dagster": {"ref": {"name": named}}}
    assert key_tested_by(manifest, tests[several]) == (named,)
    for name, node in tests.items():
        theirs = get_asset_check_key_for_test(manifest, DagsterDbtTranslator(), name, None)
        assert key_tested_by(manifest, node) == (tuple(theirs.asset_key.path) if theirs else None), name


def test_recorded_materialisations_carry_data_versions_and_row_counts(recorded: Recorded) -> None:
    with instance(recorded.workspace) as dagster:
        indicator = dagster.get_latest_materialization_event(INTERNET)
        scorecard = dagster.get_latest_materialization_event(dg.AssetKey("scorecard"))
        publication = dagster.get_latest_materialization_event(dg.AssetKey("publication"))
    assert indicator and indicator.asset_materialization and publication and publication.asset_materialization
    (ingested,) = [one for one in recorded.result.ingestion.results if one.indicator.id == "internet_users_pct"]
    assert indicator.asset_materialization.tags == {"dagster/data_version": ingested.data_version}
    assert indicator.asset_materialization.metadata["dagster/row_count"].value == ingested.rows
    assert scorecard and scorecard.asset_materialization
    assert scorecard.asset_materialization.metadata["dagster/row_count"].value > 11
    published = recorded.result.publication
    assert publication.asset_materialization.metadata["observations"].value == published.observations
    assert publication.asset_materialization.tags == {"dagster/data_version": published.fingerprint}


def test_an_indicator_that_was_not_requested_has_a_failed_check_answered(recorded: Recorded) -> None:
    answered = dg.AssetCheckKey(INTERNET, "answered")
    with instance(recorded.workspace) as dagster:
        (found,) = dagster.event_log_storage.get_asset_check_execution_history(answered, limit=5)
    assert found.evaluation and not found.evaluation.passed
    assert found.evaluation.severity is dg.AssetCheckSeverity.WARN
    assert found.evaluation.description == "offline: no provider was asked"


def test_a_failed_build_is_recorded_with_its_failing_test_and_without_a_publication(
    recorded: Recorded, warehouse: Path
) -> None:
    workspace = replace(recorded.workspace, layout=Layout(warehouse))
    assert recorded.result.build
    # the fixture records all nodes, which takes seconds
    nodes = [node for node in recorded.result.build.nodes if "scorecard" in node.unique_id.split(".")[2]]
    broken = next(node for node in nodes if ".scorecard_rules." in node.unique_id)
    failing = replace(broken, status="fail", failures=3, message="Got 3 results, configured to fail if != 0")
    build = Build(False, [failing if node is broken else node for node in nodes], "1 test did not pass")
    failure = BuildFailed(build, recorded.result.ingestion)
    run_id = record(workspace, failure, utc_now(), unexpected)
    with instance(workspace) as dagster:
        run = dagster.get_run_by_id(run_id or "")
        events = [entry.dagster_event for entry in dagster.all_logs(run_id or "") if entry.dagster_event]
    assert run and run.status is dg.DagsterRunStatus.FAILURE and run.tags["carec/outcome"] == "not_published"
    failed = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        and event.asset_check_evaluation_data.severity is dg.AssetCheckSeverity.ERROR
        and not event.asset_check_evaluation_data.passed
    ]
    assert [(one.asset_key, one.check_name) for one in failed] == [
        (dg.AssetKey("scorecard"), broken.unique_id.split(".")[2])
    ]
    assert dg.AssetKey("publication") not in {event.asset_key for event in events if event.is_step_materialization}
    (stopped,) = [event for event in events if event.is_step_failure]
    assert stopped.step_failure_data.user_failure_data
    assert stopped.step_failure_data.user_failure_data.description == "not published: 1 test did not pass"


def test_an_offline_refresh_that_changed_nothing_is_not_recorded(recorded: Recorded) -> None:
    assert record(recorded.workspace, replace(recorded.result, build=None), utc_now(), unexpected) is None


def test_a_live_refresh_that_changed_nothing_is_recorded_as_unchanged(recorded: Recorded, tmp_path: Path) -> None:
    workspace = replace(recorded.workspace, layout=Layout(tmp_path))
    asked = replace(recorded.result, build=None, ingestion=replace(recorded.result.ingestion, asked=True))
    run_id = record(workspace, asked, utc_now(), unexpected)
    with instance(workspace) as dagster:
        run = dagster.get_run_by_id(run_id or "")
        assert run and run.tags["carec/outcome"] == "unchanged"
        assert dagster.get_latest_materialization_event(INTERNET)
        assert dagster.get_latest_materialization_event(dg.AssetKey("publication")) is None


def test_a_failed_recording_prints_one_line_and_does_not_fail_the_refresh(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "dagster").write_text("a file where the folder should be")
    workspace = replace(recorded.workspace, layout=Layout(tmp_path))
    lines: list[str] = []
    assert record(workspace, recorded.result, utc_now(), lines.append) is None
    (line,) = lines
    assert line.startswith("this run will not be in the Dagster pages") and "\n" not in line


def synchronous(storage: dg.DagsterInstance) -> list[int]:
    """Return the setting ``synchronous`` (2 is full, 1 is normal) of a new connection to the index of the event log."""
    with storage.event_log_storage.index_connection() as connection:
        return list(connection.exec_driver_sql("pragma synchronous").fetchone())


def test_sqlite_does_not_wait_for_the_disk_while_a_run_is_recorded(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(str(prepare_home(Layout(tmp_path)))) as dagster:
        with fast_commits():
            assert synchronous(dagster) == [1]
            dagster.report_runless_asset_event(dg.AssetMaterialization(INTERNET))
        assert synchronous(dagster) == [2]
        assert dagster.get_latest_materialization_event(INTERNET)


@pytest.mark.parametrize("module", ["pipelines.dagster_storage", "pipelines.orchestration.event_log"])
def test_the_event_log_of_an_earlier_version_is_read_by_the_storage_of_dagster(tmp_path: Path, module: str) -> None:
    layout = Layout(tmp_path)
    former = f"""
# One SQLite file with connections that are kept: recording a run takes a tenth of the time.
event_log_storage:
  module: {module}
  class: PooledSqliteEventLogStorage
  config:
    base_dir: {{env: DAGSTER_HOME}}
"""
    home = layout.dagster_home
    home.mkdir()
    (home / "dagster.yaml").write_text(TEMPLATE.read_text() + former + "\n# ours\n")
    prepare_home(layout)
    text = (home / "dagster.yaml").read_text()
    assert "Pooled" not in text and text.endswith("\n# ours\n")
    with dg.DagsterInstance.from_config(str(home)) as dagster:
        dagster.report_runless_asset_event(dg.AssetMaterialization(INTERNET))
    assert (home / "events" / "event_log.db").exists()
    prepare_home(layout)
    assert (home / "dagster.yaml").read_text() == text
    # a copy of the warehouse has its own log
    copied = Layout(tmp_path / "copied")
    copied.dagster_home.mkdir(parents=True)
    shutil.copy(home / "dagster.yaml", copied.dagster_home)
    prepare_home(copied)
    assert (copied.dagster_home / "dagster.yaml").read_text() == text.replace(str(home), str(copied.dagster_home))


def test_instance_settings_of_the_operator_are_kept(tmp_path: Path) -> None:
    settings = prepare_home(Layout(tmp_path)) / "dagster.yaml"
    settings.write_text(settings.read_text() + "\n# ours\n")
    prepare_home(Layout(tmp_path))
    assert settings.read_text().endswith("# ours\n")
