"""Dagster's definitions: indicators -> dbt -> publication, and the job that runs all of it.

Belongs here: putting the parts together. Does not belong here: any step. ``pipelines.refresh`` runs the same functions
without Dagster.
"""

from __future__ import annotations

import json

import dagster as dg

from pipelines import models
from pipelines.observations import observation_assets
from pipelines.publication import publication_asset
from pipelines.scoring import (
    ScorecardTranslator,
    dbt_build,
    dbt_resource,
    indicator_groups,
    landing_specs,
    published_tables,
    staging_groups,
)
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
    return dg.Definitions(
        assets=[
            observation_assets(workspace, indicator_groups(manifest, groups)),
            *landing_specs(manifest, translator),
            dbt_build(workspace, manifest, translator),
            publication_asset(workspace, published_tables(manifest)),
        ],
        jobs=[
            dg.define_asset_job(
                "refresh",
                selection=dg.AssetSelection.all(),
                description="Ask every provider, build, check and publish: `carec refresh`.",
            )
        ],
        resources={"dbt": dbt_resource(workspace)},
        # one process a run: every step holds the same lock, and a process of its own costs each some seconds of imports
        executor=dg.in_process_executor,
    )


defs = build_defs()
