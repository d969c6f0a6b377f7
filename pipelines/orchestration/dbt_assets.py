"""The middle of the asset graph: dbt's seeds, models and tests, from its manifest.

Belongs here: the dbt project as Dagster assets and checks. Does not belong here: SQL, and the inputs and the receipt of
a build (``pipelines.dbt.runner``).
"""

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
)
from pydantic import Field

from pipelines.dbt import runner
from pipelines.dbt.environment import set_environment
from pipelines.dbt.failures import reason
from pipelines.dbt.results import read_results
from pipelines.lake import follow_lake
from pipelines.orchestration.asset_checks import failure_metadata
from pipelines.orchestration.asset_keys import Key, Manifest, is_table, node_key
from pipelines.orchestration.automation import FOLLOW_FIGURES
from pipelines.orchestration.column_lineage import with_columns
from pipelines.orchestration.dbt_events import all_events, close_build_file
from pipelines.orchestration.observation_assets import OWNERS, POOL, lock_warehouse
from pipelines.orchestration.publication_asset import named, run_tags
from pipelines.polling import fill
from pipelines.seeds.codes import FRAMEWORK
from pipelines.workspace import Workspace
from sources.errors import ConfigurationError
from sources.observation import utc_now
from warehouse.layout import Layout
from warehouse.publish import WORKING_SCHEMAS, Publication, current

REFRESH = "refresh"
"""The job of the whole graph."""
_FOLDERS = {"intermediate": "scoring", "marts": "scorecard", "views": "scorecard"}
"""Folder of the dbt project -> group of its models. Staging models are in the group of their pillar."""

_MAKING = {
    "model": "Made by dbt in one build with all other tables. Not fresh, or a check failed: run the job `refresh`; the"
    " checks of this page name the rows and the files to correct.",
    "seed": "A file of dbt_project/seeds that people edit. Fresh if its last build is newer than the file; if not, run"
    " the job `refresh`.",
    "source": "Written when figures land. Fresh with the last run that asked the providers; if not, run the job"
    " `refresh`, and see `carec sources` for the reason.",
}
"""Kind of dbt node -> how it is made, and what to do where it is not fresh. The second line of an asset's page."""


class ScorecardTranslator(DagsterDbtTranslator):
    """Maps dbt nodes to assets: keys from ``asset_keys``, and groups from the pillars to the scorecard."""

    def __init__(self, staging_groups: Mapping[str, str]):
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_code_references=True))
        self._staging_groups = staging_groups
        self._specs: dict[str, dg.AssetSpec] = {}

    def get_asset_spec(self, manifest: Manifest, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        if unique_id not in self._specs:  # asked for by each of its readers and tests
            self._specs[unique_id] = self._spec(manifest, unique_id, project)
        return self._specs[unique_id]

    def _spec(self, manifest: Manifest, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        node = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(
            key=dg.AssetKey(node_key(node)),
            group_name=self._group(node),
            owners=OWNERS,
            description=f"{' '.join(node['description'].split())}\n\n{_MAKING[node['resource_type']]}",
        )

    def _group(self, node: Mapping[str, Any]) -> str:
        if node["resource_type"] != "model":
            return {"source": "landing", "seed": "strategy"}[node["resource_type"]]
        folder = node["fqn"][1]
        return self._staging_groups[node["name"]] if folder == "staging" else _FOLDERS[folder]


def staging_groups(manifest: Manifest, seeds: Path) -> dict[str, str]:
    """Return staging model -> group: the pillar's id and the first words of its title, ``sectors`` or ``context``."""
    with (seeds / "pillars.csv").open(encoding="utf-8", newline="") as handle:
        titles = {row["pillar_id"]: row["title"] for row in csv.DictReader(handle) if row["framework_id"] == FRAMEWORK}
    groups = {}
    for node in _staging_models(manifest):
        part = node["name"].removeprefix("stg_")
        first_words = re.split(r",| and ", titles.get(part, ""))[0].lower()
        groups[node["name"]] = re.sub(r"\W+", "_", f"{part} {first_words}".strip())
    return groups


def indicator_groups(manifest: Manifest, groups: Mapping[str, str]) -> dict[str, str]:
    """Return indicator -> group of the staging model that reads it."""
    return {
        manifest["sources"][source]["name"]: groups[node["name"]]
        for node in _staging_models(manifest)
        for source in node["depends_on"]["nodes"]
    }


def _staging_models(manifest: Manifest) -> Iterator[Mapping[str, Any]]:
    return (n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["fqn"][1] == "staging")


def published_tables(manifest: Manifest) -> list[Key]:
    """Return the asset keys of the dbt seeds and models that are copied into a publication."""
    return [
        node_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"seed", "model"} and node["schema"] not in WORKING_SCHEMAS
    ]


def landing_specs(manifest: Manifest, translator: ScorecardTranslator, project: DbtProject) -> list[dg.AssetSpec]:
    """Return the tables that ingestion writes in addition to the observations. No step of their own makes them."""
    return [
        translator.get_asset_spec(manifest, unique_id, project)
        for unique_id, source in manifest["sources"].items()
        if source["source_name"] != "observations"
    ]


def dbt_project(workspace: Workspace) -> DbtProject:
    """Return the dbt project for dagster-dbt, which adds the path of its SQL file to each model."""
    return DbtProject(
        workspace.dbt_project, target_path=workspace.layout.dbt_target, profiles_dir=workspace.dbt_project
    )


def dbt_resource(workspace: Workspace) -> DbtCliResource:
    """Return the dbt of this interpreter's environment, independent of the working directory and ``PATH``."""
    project = workspace.dbt_project
    return DbtCliResource(project, profiles_dir=project, dbt_executable=Path(sys.executable).with_name("dbt"))


UNCHANGED = "nothing has changed, nothing is built (the option rebuild builds anyway); the publication remains"


class BuildConfig(dg.Config):
    """Options of a build in the launchpad."""

    as_of: str | None = Field(default=None, description="Score what was known on that day (YYYY-MM-DD); else today.")

    rebuild: bool = Field(default=False, description="Build even if nothing has changed since the publication.")

    column_lineage: bool = Field(
        default=True, description="Trace every column to the columns that it is made from: two minutes after a change."
    )

    def day(self) -> date | None:
        """Return the chosen day. Raises dg.Failure for a text that is not a date, and for a day in the future."""
        try:
            day = date.fromisoformat(self.as_of) if self.as_of else None
            runner.check_day(day)
        except ValueError:
            raise dg.Failure(f"as_of: {self.as_of!r} is not a date like 2025-06-26", allow_retries=False) from None
        except ConfigurationError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return day


def dbt_build(
    workspace: Workspace, manifest: Manifest, translator: ScorecardTranslator, project: DbtProject
) -> dg.AssetsDefinition:
    """Return the assets and checks of the dbt project, all of them made by one ``dbt build``.

    Where nothing has changed since the publication, nothing is built, as in ``carec refresh``: the tables and the
    publication are skipped. A selection always grows to the whole build: a new table next to older ones would be a
    build that no test checked. ``@dbt_assets`` allows parts of a build, so only its specs are used.

    Args:
        workspace: Paths, catalogue and settings.
        manifest: dbt's manifest.
        translator: Maps dbt nodes to assets.
        project: The dbt project of dagster-dbt.
    """
    layout, (specs, checks) = workspace.layout, declared(manifest, translator, project)

    @dg.multi_asset(
        name="dbt_build",
        specs=[_automated(spec) for spec in specs],
        check_specs=checks,
        pool=POOL,
        allow_arbitrary_check_specs=True,
    )
    def build(context: dg.AssetExecutionContext, config: BuildConfig, dbt: DbtCliResource) -> Iterator[Any]:
        day = config.day()
        as_of = day or utc_now().date()
        with lock_warehouse(context, layout):
            _prepare(context, workspace)
            fingerprint = runner.fingerprint(workspace, as_of, explicit=day is not None)
            present = current(layout)
            # the rule of pipelines.refresh
            if present and present.fingerprint == fingerprint and not config.rebuild:
                if runner.skip_build(layout, present):
                    context.log.warning(f"{layout.published} had other bytes than the publication: put back")
                yield from _unchanged(context, layout, present)
                return
            # each check of the definition must have a result
            started = runner.start_build(workspace, as_of, fingerprint, whole=True)
            invocation = dbt.cli(started.arguments, context=context, target_path=layout.dbt_target)
            failed: list[dg.AssetCheckResult] = []
            found, fault = all_events(invocation)
            try:
                counted, code = found.fetch_row_counts(), started.inputs["unit_tests"]
                for event in with_columns(counted, manifest, layout, code, config.column_lineage):
                    if isinstance(event, dg.AssetCheckResult) and not event.passed:
                        failed.append(event)  # its rows can be read after dbt has closed the build file
                    else:
                        yield event
            finally:
                close_build_file(invocation)
            yield from _with_rows(layout, manifest, failed)
            cause = _reason(layout) if fault else runner.audit(workspace, started)
            runner.finish_build(workspace, started, cause)
        if cause:
            raise dg.Failure(cause, allow_retries=False) from fault

    return build


def _prepare(context: dg.AssetExecutionContext, workspace: Workspace) -> None:
    """Set dbt's environment, and take what other workers have landed."""
    set_environment(workspace.layout, workspace.settings.memory_limit)
    if context.run.job_name != REFRESH:  # there the step before has just done it
        fill(workspace)
    follow_lake(workspace.settings, workspace.layout)


def declared(
    manifest: Manifest, translator: ScorecardTranslator, project: DbtProject
) -> tuple[list[dg.AssetSpec], list[dg.AssetCheckSpec]]:
    """Return the assets and checks that ``@dbt_assets`` declares for the whole project.

    The decorator selects nodes with dbt's graph, whose import takes a tenth of the loading.
    """
    made = [name for name, node in manifest["nodes"].items() if is_table(node)]
    read = [name for name in manifest["sources"] if any(not _is_test(one) for one in manifest["child_map"][name])]
    specs = {name: translator.get_asset_spec(manifest, name, project) for name in [*made, *read]}
    checks = {
        check.get_python_identifier(): check
        for name, spec in specs.items()
        for test in manifest["child_map"][name]
        if _is_test(test) and (check := translator.get_asset_check_spec(spec, manifest, test, project)) is not None
    }
    return [specs[name] for name in made], list(checks.values())


def _is_test(unique_id: str) -> bool:
    return unique_id.startswith(("test.", "unit_test."))


def _automated(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Return the spec; for a staging model, which reads the indicators directly, with the automation condition."""
    spec = spec.replace_attributes(skippable=True)
    return spec.replace_attributes(automation_condition=FOLLOW_FIGURES) if spec.key.path[0] == "staging" else spec


def _unchanged(
    context: dg.AssetExecutionContext, layout: Layout, present: Publication
) -> Iterator[dg.AssetCheckResult]:
    """Name the publication that remains, and yield every check: the same inputs have the result of the last build."""
    context.log.info(f"{UNCHANGED}: {named(present)}")
    context.instance.add_run_tags(context.run_id, run_tags(present))
    try:
        warned = {node.unique_id.split(".")[2]: node.message for node in read_results(layout) if node.status == "warn"}
    except (OSError, ValueError):
        warned = {}
    for key in context.selected_asset_check_keys:
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=key.name not in warned,
            severity=dg.AssetCheckSeverity.WARN if key.name in warned else dg.AssetCheckSeverity.ERROR,
            description=warned.get(key.name) or "not run again: nothing has changed since the published build",
        )


def _with_rows(
    layout: Layout, manifest: Manifest, failed: Sequence[dg.AssetCheckResult]
) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of failed tests with the failing rows and the files to correct."""
    nodes = {node.unique_id: node for node in (read_results(layout) if failed else [])}
    for result in failed:
        unique_id = str(result.metadata["unique_id"].value)
        more = failure_metadata(layout, manifest, nodes[unique_id]) if unique_id in nodes else {}
        yield result.with_metadata({**result.metadata, **more})


def _reason(layout: Layout) -> str:
    try:
        return reason(layout, read_results(layout))
    except (OSError, ValueError):  # dbt stopped before the first node
        return f"dbt could not run: see {layout.dbt_target / 'dbt.log'}"
