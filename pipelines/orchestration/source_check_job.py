"""The check of the catalogue's links as a Dagster job. A run fails if a link of the framework is broken.

Belongs here: the findings in a run, and its schedule. Does not belong here: the check itself
(``pipelines.source_checks``), the message about a failed run (``pipelines.orchestration.automation``).
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
"""The first day of the month at 04:00, in the time zone of the settings."""
MOST_LINES = 20
"""Most broken links in the message of a failed run, which also goes to the webhook."""


def check_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the monthly schedule. It is off until it is switched on in the pages, also with CAREC_AUTOMATION=1."""
    return dg.ScheduleDefinition(
        name="monthly_source_check",
        job_name=JOB,
        cron_schedule=MONTHLY,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Check every link of the catalogue at its provider. Off until it is switched on here.",
    )


def check_sources_job(workspace: Workspace) -> dg.JobDefinition:
    """Return the job ``check_sources``. Its run fails with the broken links of the framework."""

    @dg.op(description="Check every link of the catalogue, and log which editions could be out.")
    def walk_catalogue(context: dg.OpExecutionContext) -> None:
        for edition in watch_editions(workspace, utc_now().date()):
            if edition.status in (Standing.DUE, Standing.OUT):
                context.log.warning(edition.detail)
        if workspace.settings.offline:
            context.log.warning("CAREC_OFFLINE is set: no provider was requested")
            return
        findings = check_links(workspace)
        summary, table = closing_line(findings), dg.MetadataValue.md(_table(findings))
        if broken := [_line(finding) for finding in findings if finding.broken]:
            lines = [summary, *broken[:MOST_LINES]]
            if len(broken) > MOST_LINES:
                lines.append(f"and {len(broken) - MOST_LINES} more: see the metadata of the run")
            raise dg.Failure("\n".join(lines), metadata={"links": table}, allow_retries=False)
        context.log.info(summary)
        context.add_output_metadata({"summary": summary, "links": table})

    @dg.job(name=JOB, description="Check every link of the catalogue at its provider: `carec sources check`.")
    def check_sources() -> None:
        walk_catalogue()

    return check_sources


def _line(finding: LinkFinding) -> str:
    return f"{finding.indicator_id}: {finding.provider} {finding.code}: {finding.status}: {finding.detail}"


def _table(findings: Sequence[LinkFinding]) -> str:
    """Return the findings as a Markdown table."""
    cells = ([one.indicator_id, one.provider, one.code, one.status, one.detail] for one in findings)
    lines = ["| indicator | provider | code | status | detail |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in cells)])
