"""The asset graph, and runs of its jobs on the bundled archive, in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from csv import DictReader
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest
import yaml
from dagster_dbt import DbtCliResource, dbt_assets

from pipelines import definitions
from pipelines.dbt import runner
from pipelines.dbt.results import read_results
from pipelines.definitions import build_defs as build
from pipelines.orchestration.dbt_assets import ScorecardTranslator, dbt_project, dbt_resource, declared, staging_groups
from pipelines.seeds.codes import FRAMEWORK
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from tests.conftest import AS_OF, ROOT, run_carec
from tests.running import further
from tests.templates import REVIEW_DAY, Refreshed
from warehouse.layout import Layout
from warehouse.publish import published, read_receipt, write_receipt

BuildDefs = Callable[[Workspace], dg.Definitions]
DG = Path(sys.executable).with_name("dg")


@pytest.fixture(scope="module")
def build_defs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildDefs]:
    """Return ``build_defs``. Its dbt does not parse the whole project again in a copied warehouse."""
    dbt = tmp_path_factory.mktemp("dbt") / "dbt"
    dbt.write_text(f'#!/bin/sh\nexec {sys.executable} -P {ROOT}/tests/carec_program.py dbt "$@"\n')
    dbt.chmod(0o755)

    def with_cache(workspace: Workspace) -> DbtCliResource:
        return DbtCliResource(**(dbt_resource(workspace).model_dump() | {"dbt_executable": str(dbt)}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "dbt_resource", with_cache)
        yield build


def at(warehouse: Path) -> Workspace:
    return open_workspace(load_settings(warehouse=warehouse, offline=True))


def rows(file: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def materialize(defs: dg.Definitions, *keys: str) -> dg.ExecuteInProcessResult:
    job = defs.resolve_implicit_global_asset_job_def()
    selection = [dg.AssetKey(key.split("/")) for key in keys]
    return job.execute_in_process(asset_selection=selection, raise_on_error=False)


def materialized(result: dg.ExecuteInProcessResult) -> list[str]:
    return [event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key]


def test_the_assets_are_the_indicators_the_tables_of_dbt_and_the_publication(
    build_defs: BuildDefs, published_warehouse: Path
) -> None:
    workspace = at(published_warehouse)
    graph = build_defs(workspace).resolve_asset_graph()
    manifest = json.loads((published_warehouse / "dbt" / "manifest.json").read_bytes())
    read = {name: set(node["depends_on"].get("nodes", [])) for name, node in manifest["nodes"].items()}
    models = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] in {"seed", "model"}}
    ephemeral = {name for name, node in models.items() if node["config"]["materialized"] == "ephemeral"}
    for name in models:  # an ephemeral model is no table: its readers read what it reads
        while found := read[name] & ephemeral:
            read[name] = (read[name] - found).union(*(read[one] for one in found))
    nodes = {name: node for name, node in models.items() if name not in ephemeral}
    sources = manifest["sources"]
    names = {name: node["name"] for name, node in nodes.items()}
    names |= {name: f"{source['source_name']}/{source['name']}" for name, source in sources.items()}
    parents = {names[name]: {names[one] for one in read[name]} for name in nodes}
    parents |= {names[name]: set() for name in sources}
    parents |= {f"observations/{name}": set() for name in workspace.catalogue.indicators}
    keys = graph.get_all_asset_keys()
    # tables kept between publications have a key without a schema
    parents["publication"] = {key.path[0] for key in keys if len(key.path) == 1} - {"publication"}

    def name_of(key: dg.AssetKey) -> str:
        """The name of a model without its schema."""
        return "/".join(key.path) if key.path[0] in {"landing", "observations"} else key.path[-1]

    assert {name_of(key): {name_of(one) for one in graph.get(key).parent_keys} for key in keys} == parents


def test_every_indicator_is_in_the_group_of_its_pillar_and_has_four_checks(
    build_defs: BuildDefs, published_warehouse: Path
) -> None:
    workspace = at(published_warehouse)
    graph = build_defs(workspace).resolve_asset_graph()
    checks = {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys}
    with (workspace.dbt_project / "seeds" / "framework_indicators.csv").open(encoding="utf-8") as handle:
        pillars = {
            row["indicator_id"]: row["pillar_id"] for row in DictReader(handle) if row["framework_id"] == FRAMEWORK
        }
    for indicator in workspace.catalogue.indicators:
        group = graph.get(dg.AssetKey(["observations", indicator])).group_name or ""
        pillar = pillars.get(indicator)
        assert group.startswith(f"{pillar}_") or group == ("sectors" if pillar else "context"), indicator
        assert {name for asset, name in checks if asset == indicator} == {"answered", "contract", "age", "shrink"}


def test_every_test_of_dbt_on_one_table_is_a_check_of_its_asset(
    build_defs: BuildDefs, published_warehouse: Path
) -> None:
    graph = build_defs(at(published_warehouse)).resolve_asset_graph()
    manifest = json.loads((published_warehouse / "dbt" / "manifest.json").read_bytes())
    tests = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "test" and node.get("attached_node")
    ]
    attached = {(test["attached_node"].split(".")[-1], test["name"]) for test in tests}
    assert attached <= {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys}


def test_the_tables_and_checks_are_those_that_the_decorator_of_dagster_dbt_declares(published_warehouse: Path) -> None:
    workspace = at(published_warehouse)
    manifest, project = runner.read_manifest(workspace), dbt_project(workspace)
    translator = ScorecardTranslator(staging_groups(manifest, workspace.dbt_project / "seeds"))

    @dbt_assets(manifest=manifest, dagster_dbt_translator=translator, project=project)
    def decorated(context): ...

    specs, checks = declared(manifest, translator, project)
    assert {spec.key: spec for spec in specs} == {spec.key: spec for spec in decorated.specs}
    assert {check.key: check for check in checks} == {check.key: check for check in decorated.check_specs}
    assert len(specs) == len({spec.key for spec in specs}) and len(checks) == len({check.key for check in checks})


def test_the_check_of_sources_is_a_job_whose_schedule_is_off(build_defs: BuildDefs, published_warehouse: Path) -> None:
    workspace = at(published_warehouse)
    automated = replace(workspace.settings, automation=True)
    defs = build_defs(replace(workspace, settings=automated))
    schedule = defs.resolve_schedule_def("monthly_source_check")
    assert schedule.job_name == defs.resolve_job_def("check_sources").name
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_an_import_of_the_definitions_reads_and_writes_nothing_and_loads_no_pandas(tmp_path: Path) -> None:
    script = (
        "import gc, sys, pipelines.definitions as d;"
        " print(type(d.defs).__name__, *{'pandas', 'pandera'} & {*sys.modules}, 'searched' * gc.isenabled())"
    )
    environment = {**os.environ, "CAREC_WAREHOUSE": str(tmp_path / "warehouse"), "CAREC_TIMEZONE": "Mars/Olympus"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["LazyDefinitions", "searched"], done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not DG.exists(), reason="dagster-dg-cli is not installed (make)")
@pytest.mark.parametrize("command", [["check", "defs"], *further(["list", "defs", "--json"])])
def test_the_dg_command_loads_the_definitions_of_the_checkout(published_warehouse: Path, command: list[str]) -> None:
    environment = {
        **os.environ,
        "CAREC_WAREHOUSE": str(published_warehouse),
        "CAREC_OFFLINE": "1",
        "DG_CLI_TELEMETRY": "0",
        "PATH": os.pathsep.join([str(DG.parent), os.environ["PATH"]]),
    }
    done = subprocess.run([str(DG), *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "observations/gii_score" in done.stdout or "successful" in done.stdout + done.stderr


def test_every_indicator_has_a_freshness_policy_by_the_cadence_of_its_provider(
    build_defs: BuildDefs, published_warehouse: Path
) -> None:
    workspace = at(published_warehouse)
    graph = build_defs(workspace).resolve_asset_graph()
    for indicator in workspace.catalogue:
        policy = graph.get(dg.AssetKey(["observations", indicator.id])).freshness_policy
        cadence = timedelta(days=workspace.catalogue.providers[indicator.chain[0].provider].cadence_days)
        assert policy == dg.FreshnessPolicy.time_window(fail_window=cadence * 1.25, warn_window=cadence)
    days = {name: workspace.catalogue.providers[name].cadence_days for name in ("un_sdg", "wipo_gii", "un_egov")}
    assert days == {"un_sdg": 92, "wipo_gii": 365, "un_egov": 731}


def test_the_instance_evaluates_freshness() -> None:
    for settings in (ROOT / "pipelines" / "dagster.yaml", ROOT / "deploy" / "dagster.yaml"):
        assert yaml.safe_load(settings.read_text())["freshness"] == {"enabled": True}, settings


def test_the_lineage_of_every_score_leads_to_its_indicators(build_defs: BuildDefs, published_warehouse: Path) -> None:
    workspace = at(published_warehouse)
    graph = build_defs(workspace).resolve_asset_graph()
    upstream = dg.AssetSelection.assets("scorecard").upstream().resolve(graph)
    assert {dg.AssetKey(["observations", one.id]) for one in workspace.catalogue} <= upstream
    assert dg.AssetKey("benchmarks") in upstream


def test_every_asset_has_an_owner_a_group_and_a_description(build_defs: BuildDefs, published_warehouse: Path) -> None:
    graph = build_defs(at(published_warehouse)).resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert {node.key for node in nodes if not (node.owners and node.description)} == set()
    assert {node.group_name for node in nodes}.isdisjoint({None, "default"})


def test_one_indicator_can_be_refreshed_alone_with_its_result_as_metadata(
    build_defs: BuildDefs, warehouse: Path
) -> None:
    defs = build_defs(at(warehouse))
    published = (warehouse / "carec.duckdb").read_bytes()
    result = materialize(defs, "observations/internet_users_pct")
    assert result.success
    (event,) = result.get_asset_materialization_events()
    materialization = event.step_materialization_data.materialization
    metadata = {name: entry.value for name, entry in materialization.metadata.items()}
    assert metadata["provider_requested"] == "world_bank"
    assert metadata["provider_used"] == "archive"
    assert metadata["stale_reason"] == "offline: no provider was asked"
    assert metadata["dagster/row_count"] > 3000
    assert "KAZ" in metadata["preview"] and len(metadata["sha256"]) >= 64
    assert materialization.tags["dagster/data_version"] == metadata["content_hash"]
    found = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert found["contract"].passed
    assert not found["answered"].passed and found["answered"].severity is dg.AssetCheckSeverity.WARN
    assert found["age"].passed and found["shrink"].passed
    assert (warehouse / "carec.duckdb").read_bytes() == published


def traced(columns: dict[dg.AssetKey, Any], asset: dg.AssetKey, column: str) -> set[tuple[dg.AssetKey, str]]:
    """Return every column that a column is made from, directly or indirectly."""
    found: set[tuple[dg.AssetKey, str]] = set()
    left = [(asset, column)]
    while left:
        at, name = left.pop()
        parents = {(dep.asset_key, dep.column_name) for dep in columns.get(at, {}).get(name, [])} - found
        found |= parents
        left += parents
    return found


def test_the_lineage_of_a_staging_column_leads_to_all_its_indicators(
    build_defs: BuildDefs, published_warehouse: Path
) -> None:
    from pipelines.orchestration.column_lineage import with_every_indicator

    manifest = json.loads((published_warehouse / "dbt" / "manifest.json").read_bytes())
    gii = dg.TableColumnDep(dg.AssetKey(["observations", "gii_score"]), "value")
    for model, kept in (("stg_p5", False), ("int_vintages", True)):
        unique_id = f"model.carec_scorecard.{model}"
        found = with_every_indicator(manifest, unique_id, dg.TableColumnLineage({"value": [gii]})).deps_by_column
        parents = manifest["nodes"][unique_id]["depends_on"]["nodes"]
        assert gii in found["value"] and {dep.column_name for dep in found["value"]} == {"value"}
        assert len(found["value"]) == (1 if kept else len(parents))


def test_the_lineage_is_read_from_sql_once_per_code_and_only_kept_where_every_model_was_built(
    published_warehouse: Path, tmp_path: Path
) -> None:
    from pipelines.orchestration.column_lineage import COLUMNS, LINEAGE, with_columns

    manifest = json.loads((published_warehouse / "dbt" / "manifest.json").read_bytes())
    gii = dg.TableColumnDep(dg.AssetKey(["observations", "gii_score"]), "value")
    lineage = dg.MetadataValue.column_lineage(dg.TableColumnLineage({"value": [gii]}))
    nodes = {one: node for one, node in manifest["nodes"].items() if node["config"]["materialized"] != "ephemeral"}
    models = [name for name in nodes if name.startswith("model.")]
    tables = [*models, *(name for name in nodes if name.startswith("seed."))]
    schema = dg.MetadataValue.table_schema(dg.TableSchema([dg.TableColumn("value")]))
    layout, read = Layout(tmp_path), []

    class Build:
        """The events of a build, of which dagster-dbt reads the columns. It cannot read the first model."""

        def __init__(self, names: list[str]):
            self.names = names

        def fetch_column_metadata(self, with_column_lineage: bool) -> Iterator[dg.Output[None]]:
            read.append(with_column_lineage)
            for name in self.names:
                found = {LINEAGE: lineage} if with_column_lineage and name in models[1:] else {}
                yield dg.Output(None, output_name="one", metadata={"unique_id": name, COLUMNS: schema, **found})

    def traced(names: list[str], code: str, lineage: bool = True) -> dict[str, Any]:
        events = with_columns(Build(names), manifest, layout, code, lineage)  # type: ignore[arg-type]
        return {e.metadata["unique_id"].value: e.metadata[LINEAGE].value for e in events if LINEAGE in e.metadata}

    assert traced(models[:-1], "code") != {}  # dbt has failed before it made the last one
    first = traced(tables, "code")
    assert first.keys() == set(models[1:]) and traced(tables, "code") == first
    assert traced(tables, "code", lineage=False) == {}
    assert traced(tables, "other code") == first
    assert read == [True, True, False, False, True]


def test_a_tag_refreshes_only_the_indicators_of_its_provider(build_defs: BuildDefs, warehouse: Path) -> None:
    workspace = at(warehouse)
    defs = build_defs(workspace)
    before = {path: path.read_bytes() for path in warehouse.rglob("*.parquet")}
    published = (warehouse / "carec.duckdb").read_bytes()
    chosen = dg.AssetSelection.tag("provider", "wipo_gii").resolve(defs.resolve_asset_graph())
    assert chosen == {
        dg.AssetKey(["observations", one.id]) for one in workspace.catalogue if one.chain[0].provider == "wipo_gii"
    }
    result = materialize(defs, *(key.to_user_string() for key in chosen))
    assert result.success
    assert set(materialized(result)) == {key.to_user_string() for key in chosen}
    changed = {path.name for path, content in before.items() if path.read_bytes() != content}
    assert changed <= {"source_health.parquet", "indicators.parquet"}
    assert (warehouse / "carec.duckdb").read_bytes() == published


def test_the_whole_job_publishes_what_the_command_line_publishes_as_of_the_same_day(
    build_defs: BuildDefs, warehouse: Path, review_day: Refreshed
) -> None:
    workspace = at(warehouse)
    defs = build_defs(workspace)
    config = {"ops": {"dbt_build": {"config": {"as_of": REVIEW_DAY, "column_lineage": False}}}}
    result = defs.resolve_job_def("refresh").execute_in_process(run_config=config, raise_on_error=False)
    assert result.success
    graph = defs.resolve_asset_graph()
    assert {event.asset_key for event in result.get_asset_materialization_events()} == graph.materializable_asset_keys
    # the refresh of the command line has passed dbt's unit tests with this code: the job skips them
    assert not any(node.unique_id.startswith("unit_test.") for node in read_results(workspace.layout))
    assert {check.asset_check_key for check in result.get_asset_check_evaluations()} == graph.asset_check_keys
    (publication,) = result.asset_materializations_for_node("publication")
    published = workspace.layout.published
    assert publication.metadata["observations"].value == rows(published, "select count(*) from observations")[0][0]
    assert rows(published, "select as_of::varchar from publication") == [(REVIEW_DAY,)]
    scores = "select framework_id, iso3, overall_score, rank, score_reason from scorecard order by all"
    assert rows(published, scores) == rows(review_day.warehouse / "carec.duckdb", scores)
    # an edition counts as known from its day of publication, even if our copy is later
    later = f"""select indicator_id, year from observations anti join edition_releases
        on observations.indicator_id = edition_releases.indicator_id
        and year = edition_year and released_on <= date '{REVIEW_DAY}'
        where vintage_at >= timestamp '{REVIEW_DAY}' + interval 1 day"""
    assert rows(published, later) == []
    assert rows(published, "select count(*) > 1000 from observations") == [(True,)]
    # the run has released the warehouse, and the command line finds the publication that it would make
    again = run_carec("refresh", "--as-of", REVIEW_DAY, warehouse=warehouse)
    assert again.returncode == 0, again.stderr
    assert "nothing changed" in again.stderr


@pytest.mark.exhaustive
def test_a_job_with_nothing_changed_ends_the_report_of_a_failed_build(build_defs: BuildDefs, warehouse: Path) -> None:
    workspace = at(warehouse)
    before, passed = workspace.layout.published.read_bytes(), read_receipt(workspace.layout)
    assert passed
    write_receipt(workspace.layout, replace(passed, passed=False, fingerprint="of another input"))
    config = {"ops": {"dbt_build": {"config": {"as_of": AS_OF}}}}
    result = build_defs(workspace).resolve_job_def("rebuild").execute_in_process(run_config=config)
    assert result.success and workspace.layout.published.read_bytes() == before
    assert not workspace.layout.receipt.exists() and not workspace.layout.build.exists()


def test_a_job_with_nothing_changed_builds_nothing_keeps_the_publication_and_names_it(
    build_defs: BuildDefs, warehouse: Path
) -> None:
    workspace = at(warehouse)
    before, build = workspace.layout.published.read_bytes(), workspace.layout.build.stat().st_mtime_ns
    config = {"ops": {"dbt_build": {"config": {"as_of": AS_OF}}}}
    defs = build_defs(workspace)
    with dg.instance_for_test() as instance:
        # the job `rebuild` without its option: the steps of the job `refresh` that follow the requests
        result = defs.resolve_job_def("rebuild").execute_in_process(
            run_config=config, raise_on_error=False, instance=instance
        )
        run = instance.get_run_by_id(result.run_id)
    assert result.success and materialized(result) == []
    assert workspace.layout.published.read_bytes() == before and workspace.layout.build.stat().st_mtime_ns == build
    publication = published(workspace.layout)
    assert publication and run and run.tags["carec/publication"] == f"{publication.published_at:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.exhaustive
def test_the_whole_job_from_an_empty_folder_passes_every_check_traces_columns_and_publishes_the_same(
    build_defs: BuildDefs, tmp_path: Path, published_warehouse: Path
) -> None:
    workspace = at(tmp_path / "warehouse")
    defs = build_defs(workspace)
    config = {"ops": {"dbt_build": {"config": {"as_of": AS_OF}}}}
    result = defs.resolve_job_def("refresh").execute_in_process(run_config=config, raise_on_error=False)
    assert result.success
    columns = {
        event.asset_key: event.metadata["dagster/column_lineage"].value.deps_by_column
        for event in result.asset_materializations_for_node("dbt_build")
        if "dagster/column_lineage" in event.metadata
    }
    assert traced(columns, dg.AssetKey("scorecard"), "overall_score") >= {
        (dg.AssetKey(["observations", "internet_users_pct"]), "value"),
        (dg.AssetKey(["observations", "gii_score"]), "value"),
    }
    assert (workspace.layout.dbt_target / "column_lineage.json").exists()  # for the next build
    checked = {check.asset_check_key for check in result.get_asset_check_evaluations()}
    assert checked == defs.resolve_asset_graph().asset_check_keys
    scores = "select framework_id, iso3, overall_score, rank, score_reason from scorecard order by all"
    assert rows(workspace.layout.published, scores) == rows(published_warehouse / "carec.duckdb", scores)
    # the job has passed dbt's unit tests, so that no later build of this code runs them again
    assert (workspace.layout.dbt_target / "unit_tests.sha256").exists()


def test_a_selection_of_one_table_grows_to_the_whole_build(build_defs: BuildDefs, warehouse: Path) -> None:
    graph = build_defs(at(warehouse)).resolve_asset_graph()
    together = graph.get(dg.AssetKey("pillars")).execution_set_entity_keys
    ours = {key for key in graph.materializable_asset_keys if key.path[0] == "observations" and len(key.path) == 2}
    built = graph.materializable_asset_keys - ours - {dg.AssetKey("publication")}
    assert {key for key in together if isinstance(key, dg.AssetKey)} == built


def test_an_invalid_date_is_refused_with_an_example(build_defs: BuildDefs, warehouse: Path) -> None:
    job = build_defs(at(warehouse)).resolve_job_def("rebuild")
    config = {"ops": {"dbt_build": {"config": {"as_of": "26 June"}}}}
    result = job.execute_in_process(run_config=config, raise_on_error=False)
    (failure,) = result.get_step_failure_events()
    assert "'26 June' is not a date like 2025-06-26" in str(failure.step_failure_data.user_failure_data.description)


@pytest.mark.exhaustive
def test_a_failing_dbt_test_prevents_the_publication_and_shows_its_rows(build_defs: BuildDefs, warehouse: Path) -> None:
    workspace = at(warehouse)
    (*_, vintage) = sorted(workspace.layout.vintages("internet_users_pct").glob("*.parquet"))
    impossible = pl.when(iso3="KAZ", year=2023).then(250.0).otherwise("value").alias("value")
    pl.read_parquet(vintage).with_columns(impossible).write_parquet(vintage)
    before = (warehouse / "carec.duckdb").read_bytes()
    job = build_defs(workspace).resolve_job_def("rebuild")
    config = {"ops": {"dbt_build": {"config": {"column_lineage": False}}}}
    result = job.execute_in_process(run_config=config, raise_on_error=False)
    assert not result.success
    failed = {check.check_name: check for check in result.get_asset_check_evaluations() if not check.passed}
    shown = failed["observations_are_in_range"].metadata["failing_rows"].value
    assert [(record.data["iso3"], record.data["value"]) for record in shown.records] == [("KAZ", 250.0)]
    remedy = failed["observations_are_in_range"].metadata["remedy"].value
    assert "dbt_project/tests/observations_are_in_range.sql" in remedy and "then refresh" in remedy
    (failure,) = result.get_step_failure_events()
    message = str(failure.step_failure_data.user_failure_data.description)
    assert "observations_are_in_range" in message and "iso3=KAZ" in message and "carec refresh" in message
    assert "dbt_project/tests/observations_are_in_range.sql" in message
    assert "publication" not in materialized(result)
    assert json.loads((warehouse / "build.json").read_text())["passed"] is False
    assert (warehouse / "carec.duckdb").read_bytes() == before
