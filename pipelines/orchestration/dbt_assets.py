"""The middle of the asset graph: dbt's seeds, models and tests, from its manifest.

Belongs here: how the dbt project looks and runs in Dagster. Does not belong here: SQL, and what dbt is told to read and
what comes of a build (``pipelines.dbt.runner``).
"""

import csv
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
)
from dagster_dbt.asset_utils import DBT_DEFAULT_SELECT, build_dbt_specs
from pydantic import Field

from pipelines.dbt import runner as models
from pipelines.dbt.failures import reason
from pipelines.orchestration.asset_checks import failure_metadata
from pipelines.orchestration.asset_keys import Key, node_key
from pipelines.orchestration.automation import FOLLOW_FIGURES
from pipelines.orchestration.observation_assets import OWNERS, POOL, hold
from pipelines.seeds.codes import FRAMEWORK
from pipelines.workspace import Workspace
from sources.observation import utc_now
from warehouse.layout import Layout
from warehouse.publish import WORKING_SCHEMAS

Manifest = Mapping[str, Any]

_FOLDERS = {"intermediate": "scoring", "marts": "scorecard"}
"""Folder of the dbt project -> group of its models; a staging model is in its pillar's."""


class ScorecardTranslator(DagsterDbtTranslator):
    """Keys as in ``asset_keys``; groups that lead from the pillars over scoring to the scorecard."""

    def __init__(self, staging_groups: Mapping[str, str]):
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_code_references=True))
        self._staging_groups = staging_groups

    def get_asset_spec(self, manifest: Manifest, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        node = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(key=dg.AssetKey(node_key(node)), group_name=self._group(node), owners=OWNERS)

    def _group(self, node: Mapping[str, Any]) -> str:
        if node["resource_type"] != "model":
            return {"source": "landing", "seed": "strategy"}[node["resource_type"]]
        folder = node["fqn"][1]
        return self._staging_groups[node["name"]] if folder == "staging" else _FOLDERS[folder]


def staging_groups(manifest: Manifest, seeds: Path) -> dict[str, str]:
    """Staging model -> group: the pillar's id and the first words of its title, ``sectors`` or ``context``."""
    with (seeds / "pillars.csv").open(encoding="utf-8", newline="") as handle:
        titles = {row["pillar_id"]: row["title"] for row in csv.DictReader(handle) if row["framework_id"] == FRAMEWORK}
    groups = {}
    for node in _stagings(manifest):
        part = node["name"].removeprefix("stg_")
        first_words = re.split(r",| and ", titles.get(part, ""))[0].lower()
        groups[node["name"]] = re.sub(r"\W+", "_", f"{part} {first_words}".strip())
    return groups


def indicator_groups(manifest: Manifest, groups: Mapping[str, str]) -> dict[str, str]:
    """Indicator -> group of the staging model that reads it."""
    return {
        manifest["sources"][source]["name"]: groups[node["name"]]
        for node in _stagings(manifest)
        for source in node["depends_on"]["nodes"]
    }


def _stagings(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    return (n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["fqn"][1] == "staging")


def published_tables(manifest: Manifest) -> list[Key]:
    """The keys of the seeds and models that a publication keeps."""
    return [
        node_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"seed", "model"} and node["schema"] not in WORKING_SCHEMAS
    ]


def landing_specs(manifest: Manifest, translator: ScorecardTranslator, project: DbtProject) -> list[dg.AssetSpec]:
    """The tables that ingestion lays down beside the observations: known to the graph, made by no step of their own."""
    return [
        translator.get_asset_spec(manifest, unique_id, project)
        for unique_id, source in manifest["sources"].items()
        if source["source_name"] != "observations"
    ]


def dbt_project(workspace: Workspace) -> DbtProject:
    """The dbt project as dagster-dbt knows it: models then name the file that they are written in."""
    return DbtProject(
        workspace.dbt_project, target_path=workspace.layout.dbt_target, profiles_dir=workspace.dbt_project
    )


def dbt_resource(workspace: Workspace) -> DbtCliResource:
    """The dbt of this interpreter's environment, wherever the process was started."""
    project = workspace.dbt_project
    return DbtCliResource(project, profiles_dir=project, dbt_executable=Path(sys.executable).with_name("dbt"))


def _close_build_file() -> None:
    """Let go of the build file, which counting rows and reading columns left open: the publication writes to it."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV:
        DuckDBConnectionManager._ENV.close()
    DuckDBConnectionManager.close_all_connections()


class BuildConfig(dg.Config):
    """What a person may choose when launching a build."""

    as_of: str | None = Field(default=None, description="Score what was known on that day (YYYY-MM-DD); else today.")

    column_lineage: bool = Field(
        default=True, description="Trace every column to those that it is made from: most of the time of a build."
    )

    def day(self) -> date | None:
        try:
            return date.fromisoformat(self.as_of) if self.as_of else None
        except ValueError:
            raise dg.Failure(f"as_of: {self.as_of!r} is not a date like 2025-06-26", allow_retries=False) from None


def dbt_build(
    workspace: Workspace, manifest: Manifest, translator: ScorecardTranslator, project: DbtProject
) -> dg.AssetsDefinition:
    """Every seed, model and test of the dbt project, in one ``dbt build``.

    There is no building a part: a table that is made anew beside older ones is no build that anyone audited. Who asks
    for one table gets them all, some seconds later.
    """
    layout = workspace.layout
    specs, check_specs = build_dbt_specs(
        translator=translator,
        manifest=manifest,
        select=DBT_DEFAULT_SELECT,
        exclude="",
        selector="",
        io_manager_key=None,
        project=project,
    )

    @dg.multi_asset(
        name="dbt_build",
        specs=[_automated(spec) for spec in specs],
        check_specs=check_specs,
        pool=POOL,
        allow_arbitrary_check_specs=True,
    )
    def build(context: dg.AssetExecutionContext, config: BuildConfig, dbt: DbtCliResource) -> Iterator[Any]:
        day = config.day()
        as_of = day or utc_now().date()
        os.environ.update(models.dbt_environment(layout))
        with hold(context, layout):
            models.prepare(workspace, as_of)
            mark = models.fingerprint(workspace, as_of, explicit=day is not None)
            invocation = dbt.cli(
                models.dbt_arguments(workspace, "build"), context=context, target_path=layout.dbt_target
            )
            failed: list[dg.AssetCheckResult] = []
            fault: DagsterDbtCliRuntimeError | None = None
            try:
                events = invocation.stream().fetch_row_counts()
                for event in events.fetch_column_metadata(with_column_lineage=config.column_lineage):
                    if isinstance(event, dg.AssetCheckResult) and not event.passed:
                        failed.append(event)  # its rows can be read once dbt has let go of the build file
                    else:
                        yield with_every_indicator(manifest, event)
            except DagsterDbtCliRuntimeError as error:
                fault = error
            finally:
                _close_build_file()
            yield from _with_rows(layout, manifest, failed)
            why = _reason(layout) if fault else None
            models.settle(workspace, as_of, mark, why)
        if why:
            raise dg.Failure(why, allow_retries=False) from fault

    return build


def _automated(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Staging models read the indicators, and so know first that figures have changed."""
    return spec.replace_attributes(automation_condition=FOLLOW_FIGURES) if spec.key.path[0] == "staging" else spec


LINEAGE = "dagster/column_lineage"


def with_every_indicator(manifest: Manifest, event: Any) -> Any:
    """The event of a staging model with each column led back to that of all its indicators; any other as it is.

    dagster-dbt tells tables apart by their names, and Parquet files have none: it names one indicator for all.
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


def _with_rows(
    layout: Layout, manifest: Manifest, failed: Sequence[dg.AssetCheckResult]
) -> Iterator[dg.AssetCheckResult]:
    """The results of failed tests, each with the rows that fail it and where to mend them."""
    nodes = {node.unique_id: node for node in (models.results(layout) if failed else [])}
    for result in failed:
        unique_id = str(result.metadata["unique_id"].value)
        more = failure_metadata(layout, manifest, nodes[unique_id]) if unique_id in nodes else {}
        yield result._replace(metadata={**result.metadata, **more})


def _reason(layout: Layout) -> str:
    try:
        return reason(layout, models.results(layout))
    except (OSError, ValueError):  # dbt could not even begin
        return f"dbt could not run: see {layout.dbt_target / 'dbt.log'}"
