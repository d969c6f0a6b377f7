"""The middle of the asset graph: dbt's seeds, models and tests, from its manifest.

Belongs here: how the dbt project looks and runs in Dagster. Does not belong here: SQL, and what dbt is told to read and
what comes of a build (``pipelines.models``).
"""

import csv
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from pipelines import models
from pipelines.dbt_sources import FRAMEWORK
from pipelines.lineage import Key, node_key
from pipelines.observations import LOCK_WAIT_S, OWNERS, POOL
from pipelines.workspace import Workspace
from sources.observation import utc_now
from warehouse.files import exclusive
from warehouse.publish import WORKING_SCHEMAS

Manifest = Mapping[str, Any]

_FOLDERS = {"intermediate": "scoring", "marts": "scorecard"}
"""Folder of the dbt project -> group of its models; a staging model is in its pillar's."""


class ScorecardTranslator(DagsterDbtTranslator):
    """Keys as in ``pipelines.lineage``; groups that lead from the pillars over scoring to the scorecard."""

    def __init__(self, staging_groups: Mapping[str, str]):
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))
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


def landing_specs(manifest: Manifest, translator: ScorecardTranslator) -> list[dg.AssetSpec]:
    """The tables that ingestion lays down beside the observations: known to the graph, made by no step of their own."""
    return [
        translator.get_asset_spec(manifest, unique_id, None)
        for unique_id, source in manifest["sources"].items()
        if source["source_name"] != "observations"
    ]


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


def dbt_build(workspace: Workspace, manifest: Manifest, translator: ScorecardTranslator) -> dg.AssetsDefinition:
    """Every seed, model and test of the dbt project, in one ``dbt build``."""

    @dbt_assets(manifest=manifest, name="dbt_build", dagster_dbt_translator=translator, pool=POOL)
    def build(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        whole = context.selected_asset_keys == build.keys and context.selected_asset_check_keys == build.check_keys
        # a part that is built anew beside older parts is no build that anyone audited
        partial = (
            f"only {len(context.selected_asset_keys)} of {len(build.keys)} tables, or not all of their checks,"
            " were built at once: run the job `refresh`"
        )
        day = utc_now().date()
        os.environ.update(models.dbt_environment(workspace.layout))
        with exclusive(workspace.layout.lock, LOCK_WAIT_S):
            models.prepare(workspace, day)
            mark = models.fingerprint(workspace, day, explicit=False)
            invocation = dbt.cli(
                models.dbt_arguments(workspace, "build"), context=context, target_path=workspace.layout.dbt_target
            )
            try:
                yield from invocation.stream().fetch_row_counts().fetch_column_metadata()
            except Exception:
                models.settle(workspace, day, mark, "models or tests did not pass; the run's log says which")
                raise
            finally:
                _close_build_file()
            models.settle(workspace, day, mark, None if whole else partial)

    return build
