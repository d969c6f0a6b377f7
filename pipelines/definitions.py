"""Dagster's definitions: indicators -> dbt -> publication, and the job that runs all of it.

Belongs here: putting the parts together. Does not belong here: any step. ``pipelines.refresh`` runs the same functions
without Dagster.
"""

from __future__ import annotations

import json

import dagster as dg

from pipelines.dbt import runner as models
from pipelines.orchestration.automation import schedules, sensors
from pipelines.orchestration.dbt_assets import (
    ScorecardTranslator,
    dbt_build,
    dbt_project,
    dbt_resource,
    indicator_groups,
    landing_specs,
    published_tables,
    staging_groups,
)
from pipelines.orchestration.observation_assets import observation_assets
from pipelines.orchestration.publication_asset import publication_asset
from pipelines.orchestration.source_check_job import check_schedule, check_sources_job
from pipelines.workspace import Workspace, open_workspace


def build_defs(workspace: Workspace | None = None) -> dg.Definitions:
    """Fresh definitions for the given workspace, by default the one that the settings name.

    Takes dbt's manifest as it stands; where it is missing or older than the project, dbt reads the project first (some
    seconds). Raises ConfigurationError where catalogue, seeds or dbt project cannot be used.
    """
    workspace = workspace or open_workspace()
    manifest = json.loads(models.manifest(workspace).read_bytes())
    groups = staging_groups(manifest, workspace.dbt_project / "seeds")
    translator = ScorecardTranslator(groups)
    project = dbt_project(workspace)
    build = dbt_build(workspace, manifest, translator, project)
    publication = publication_asset(workspace, published_tables(manifest))
    observations, ours = dg.with_source_code_references(
        [observation_assets(workspace, indicator_groups(manifest, groups)), publication]
    )
    return dg.Definitions(
        assets=[observations, *landing_specs(manifest, translator, project), build, ours],
        jobs=[
            dg.define_asset_job(
                "refresh",
                selection=dg.AssetSelection.all(),
                description="Ask every provider, build, check and publish: `carec refresh`.",
            ),
            dg.define_asset_job(
                "rebuild",
                selection=dg.AssetSelection.assets(build, publication),
                description="Build, check and publish from what has landed, without asking anyone. With `as_of` in the"
                " launchpad: what was known on that day. The job `refresh` leads back to today.",
            ),
            check_sources_job(workspace),
        ],
        schedules=[*schedules(workspace.settings), check_schedule(workspace.settings)],
        sensors=sensors(workspace),
        resources={"dbt": dbt_resource(workspace)},
        # one process a run: every step holds the same lock, and a process of its own costs each some seconds of imports
        executor=dg.in_process_executor,
    )


defs = build_defs()
