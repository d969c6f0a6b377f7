"""Dagster's definitions: indicators, dbt, publication, and the jobs, schedules and sensors that run them.

Belongs here: the composition of the parts. Does not belong here: the work of a step. ``pipelines.refresh`` runs the
same functions without Dagster.
"""

from __future__ import annotations

import warnings

import dagster as dg

from pipelines.orchestration.loading import without_collections

with without_collections():
    from pipelines.dbt import runner
    from pipelines.orchestration.automation import schedules, sensors
    from pipelines.orchestration.dbt_assets import (
        REFRESH,
        ScorecardTranslator,
        dbt_build,
        dbt_project,
        dbt_resource,
        indicator_groups,
        landing_specs,
        published_tables,
        staging_groups,
    )
    from pipelines.orchestration.observation_assets import observation_assets, with_freshness
    from pipelines.orchestration.polling_job import poll_asset, poll_job, poll_schedule
    from pipelines.orchestration.publication_asset import publication_asset
    from pipelines.orchestration.source_check_job import check_schedule, check_sources_job
    from pipelines.workspace import Workspace, open_workspace


def build_defs(workspace: Workspace | None = None) -> dg.Definitions:
    """Return new definitions for a workspace.

    Reads dbt's manifest. If the manifest is missing or older than the project, dbt first writes it, which takes some
    seconds.

    Args:
        workspace: Settings, catalogue and paths; by default those of the environment.

    Raises:
        ConfigurationError: Catalogue, seeds or dbt project have a fault.
    """
    workspace = workspace or open_workspace()
    manifest = runner.read_manifest(workspace)
    groups = staging_groups(manifest, workspace.dbt_project / "seeds")
    translator = ScorecardTranslator(groups)
    project = dbt_project(workspace)
    build = dbt_build(workspace, manifest, translator, project)
    publication = publication_asset(workspace, published_tables(manifest))
    observations = observation_assets(workspace, indicator_groups(manifest, groups))
    fresh = dg.map_asset_specs(lambda spec: with_freshness(spec, workspace.catalogue), [observations])
    with warnings.catch_warnings():
        # a warning per asset, in each of the processes that load this module
        warnings.simplefilter("ignore", dg.BetaWarning)
        ours = dg.with_source_code_references([*fresh, publication])
    polls = [poll_asset(workspace)] if workspace.settings.lake else []
    return dg.Definitions(
        assets=[*ours, *polls, *landing_specs(manifest, translator, project), build],
        jobs=[
            dg.define_asset_job(
                REFRESH,
                selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*polls),
                description="Fetch, build, check and publish: the same publication as `carec refresh` and the schedule."
                " Where nothing changed, nothing is built and the publication remains.",
            ),
            dg.define_asset_job(
                "rebuild",
                selection=dg.AssetSelection.assets(build, publication),
                description="Build, check and publish from landed figures, without requests to providers. With `as_of`"
                " in the launchpad: what was known on that day. The job `refresh` returns to today. Builds even if"
                " nothing changed.",
                config={"ops": {"dbt_build": {"config": {"rebuild": True}}}},
            ),
            check_sources_job(workspace),
            *map(poll_job, polls),
        ],
        schedules=[
            *schedules(workspace.settings),
            check_schedule(workspace.settings),
            *(poll_schedule(workspace.settings, workspace.catalogue) for _ in polls),
        ],
        sensors=sensors(workspace),
        resources={"dbt": dbt_resource(workspace)},
        # one process per run: every step needs the same lock, and another process would import everything again
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the warehouse that the environment names. Dagster calls this; an import does not."""
    with without_collections():
        return build_defs()
