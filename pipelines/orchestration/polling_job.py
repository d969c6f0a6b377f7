"""Polling by provider: one partition per provider, in runs of their own. Only where several workers share a lake.

Belongs here: the partitioned asset, its job and its schedule. Does not belong here: polling (``pipelines.polling``).

The steps are in no pool: the lock of a provider decides who polls it, on whatever machine.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.ingestion import Ingestion, budget_lines
from pipelines.notifications import Message, post
from pipelines.orchestration import observation_assets
from pipelines.orchestration.asset_keys import POLL, observation_key
from pipelines.polling import Taken, failure, partitions, poll, summary
from pipelines.settings import Settings
from pipelines.workspace import Workspace
from sources.catalogue import Catalogue
from warehouse.lake.errors import LakeError

JOB = "poll"
DAILY = "0 1 * * *"
"""Every day at 01:00, in the time zone of the settings."""
DATA_VERSION = "dagster/data_version"


def poll_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """Return the asset whose partitions are the providers. A run of one reports the observations that it landed."""

    @dg.asset(
        key=dg.AssetKey(POLL),
        partitions_def=dg.StaticPartitionsDefinition([*partitions(workspace.catalogue)]),
        group_name="polling",
        owners=observation_assets.OWNERS,
        kinds={"python"},
        output_required=False,
        description="The answers of a provider, landed in the lake by one of several workers.\n\nA partition is fresh"
        " after the last run of the job `poll`; it fails if the provider answers nothing. The job `rebuild` publishes"
        " what is landed.",
    )
    def polled(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        try:
            done = poll(workspace, context.partition_key, progress=context.log.debug)
        except Taken as reason:
            context.log.info(str(reason))
            return
        except LakeError as error:  # without the causes, which may repeat an address with its password
            raise dg.Failure(f"nothing landed: {error}") from None
        for line in budget_lines(done, workspace.settings):
            context.log.info(line)
        if faults := [fault for one in done.results for fault in one.faults]:
            post(Message.of_faults(faults), workspace.settings.webhook_url)
        _report_observations(context, done, workspace)
        if why := failure(done):
            raise dg.Failure(f"{context.partition_key} answered nothing, the last figures remain: {why}")
        yield dg.MaterializeResult(metadata={"indicators": len(done.results), "landed": summary(done)})

    return polled


def poll_job(asset: dg.AssetsDefinition) -> Any:
    """Return the job ``poll``."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(asset),
        description="Ask one provider and land its answers in the lake: `carec lake poll PROVIDER`. Runs of different"
        " providers may run at once, on several machines. The job `rebuild` publishes what is landed.",
    )


def poll_schedule(settings: Settings, catalogue: Catalogue) -> dg.ScheduleDefinition:
    """Return the schedule that requests a run per provider."""

    @dg.schedule(
        name="poll_providers",
        job_name=JOB,
        cron_schedule=DAILY,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.automation else dg.DefaultScheduleStatus.STOPPED,
        description="Ask every provider, each in a run of its own.",
    )
    def poll_providers() -> list[dg.RunRequest]:
        return [dg.RunRequest(partition_key=provider) for provider in partitions(catalogue)]

    return poll_providers


def _report_observations(context: dg.AssetExecutionContext, done: Ingestion, workspace: Workspace) -> None:
    """Record the indicators with their data versions, so that changed figures start a build as after a refresh."""
    for ingested in done.results:
        context.log_event(
            dg.AssetMaterialization(
                dg.AssetKey(observation_key(ingested.indicator.id)),
                metadata=observation_assets.metadata(ingested, workspace),
                tags={DATA_VERSION: ingested.data_version},
            )
        )
