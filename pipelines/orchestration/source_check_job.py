"""The check of the catalogue's links as a Dagster job: a run fails where a link of the framework is broken.

Belongs here: how findings look in a run, and when it starts. Does not belong here: the check itself
(``pipelines.source_checks``), how a failed run reaches a person (``pipelines.orchestration.automation``).
"""

from collections.abc import Sequence

import dagster as dg

from pipelines.settings import Settings
from pipelines.source_checks import check_links, closing_line, watch_editions
from pipelines.workspace import Workspace
from sources.checks.edition_watch import Standing
from sources.checks.links import LinkFinding
from sources.observation import utc_now

JOB = "check_sources"
MONTHLY = "0 4 1 * *"
"""The first of the month at four, in the time zone of the settings."""
MOST_LINES = 20
"""Broken links that the message of a failed run names: the webhook's reader has little room."""


def check_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """The monthly schedule of the job, stopped until it is switched on in the pages, also with CAREC_AUTOMATION=1."""
    return dg.ScheduleDefinition(
        name="monthly_source_check",
        job_name=JOB,
        cron_schedule=MONTHLY,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Check every link of the catalogue at its provider. Off until it is switched on here.",
    )


def check_sources_job(workspace: Workspace) -> dg.JobDefinition:
    """The job ``check_sources``. Its run fails with the broken links of the framework."""

    @dg.op(description="Check every link of the catalogue, and log which editions could be out.")
    def walk_catalogue(context: dg.OpExecutionContext) -> None:
        for edition in watch_editions(workspace, utc_now().date()):
            if edition.status in (Standing.DUE, Standing.OUT):
                context.log.warning(edition.detail)
        if workspace.settings.offline:
            context.log.warning("CAREC_OFFLINE is set: no provider was asked")
            return
        findings = check_links(workspace)
        summary, table = closing_line(findings), dg.MetadataValue.md(_table(findings))
        if broken := [_line(finding) for finding in findings if finding.broken]:
            told = [summary, *broken[:MOST_LINES]]
            if len(broken) > MOST_LINES:
                told.append(f"and {len(broken) - MOST_LINES} more: the run's metadata has all")
            raise dg.Failure("\n".join(told), metadata={"links": table}, allow_retries=False)
        context.log.info(summary)
        context.add_output_metadata({"summary": summary, "links": table})

    @dg.job(name=JOB, description="Check every link of the catalogue at its provider: `carec sources check`.")
    def check_sources() -> None:
        walk_catalogue()

    return check_sources


def _line(finding: LinkFinding) -> str:
    return f"{finding.indicator_id}: {finding.provider} {finding.code}: {finding.status}: {finding.detail}"


def _table(findings: Sequence[LinkFinding]) -> str:
    """The findings as a table in Markdown."""
    cells = ([one.indicator_id, one.provider, one.code, one.status, one.detail] for one in findings)
    lines = ["| indicator | provider | code | status | detail |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in cells)])
