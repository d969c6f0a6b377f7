"""The command ``refresh``, its summary on standard error, and its record as a Dagster run.

Belongs here: the options, the lines that summarise a run, and the decision whether it is recorded. Does not belong
here: the run (``pipelines.refresh``), how it is recorded (``pipelines.orchestration.run_events``).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import click

from pipelines.cli.terminal import note, parse_day, progress_line
from pipelines.dbt.failures import warnings
from pipelines.dbt.runner import check_day
from pipelines.ingestion import Ingestion, budget_lines
from pipelines.lake import publish_to_lake
from pipelines.notifications import Message, post
from pipelines.published import not_known, verdict_changes
from pipelines.quality_gates import STALE_MIRROR
from pipelines.refresh import BuildFailed, Refresh
from pipelines.refresh import refresh as run
from pipelines.revisions import Revisions, revisions_since
from pipelines.settings import unknown_settings
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import LOCAL_FILE
from sources.chain import NO_ADAPTER
from sources.observation import utc_now
from sources.provider import Outcome
from warehouse.landing import Landing


@click.command()
@click.argument("more", metavar="[ID]...", nargs=-1, help="Further indicators of --only.")
@click.option("--offline", is_flag=True, help="Send no requests.")
@click.option("--only", metavar="ID", multiple=True, help="Refresh only this indicator.")
@click.option("--as-of", metavar="DATE", help="Score the data known on that day (YYYY-MM-DD).")
@click.option("--accept-shrink", is_flag=True, help="Accept a series although it lost country-years.")
@click.option(
    "--accept-revision", metavar="ID", multiple=True, help="Accept what the quality gates hold back of this indicator."
)
def refresh(
    more: tuple[str, ...],
    offline: bool,
    only: tuple[str, ...],
    as_of: str | None,
    accept_shrink: bool,
    accept_revision: tuple[str, ...],
) -> None:
    """Fetch, validate, build, check and publish."""
    day, started, clock = parse_day(as_of), utc_now(), time.monotonic()
    check_day(day)
    if more and not only:
        raise click.BadParameter(f"indicators need --only: carec refresh --only {' '.join(more)}")
    workspace = open_workspace()
    for name in unknown_settings(workspace.catalogue):
        note(f"{name} is set but not a known setting; is it misspelt?")
    with progress_line() as progress:
        try:
            result = run(
                workspace,
                offline=offline,
                only=[*(only or []), *(more or [])],
                as_of=day,
                accept_shrink=accept_shrink,
                accept_revisions=accept_revision or [],
                progress=progress,
            )
        except BuildFailed as failure:
            record(workspace, failure, started, note)
            post(Message.of_failure(failure), workspace.settings.webhook_url)
            raise
        progress("recording the run for the Dagster pages")
        record(workspace, result, started, note)
    published = workspace.layout.published
    revised = revisions_since(published, result.previous.newest_vintage if result.previous else None)
    _print_summary(workspace, result, revised, time.monotonic() - clock)
    if day and day < started.date():
        note(f"the publication is now as of {day}, for every reader; carec refresh without --as-of goes back to today")
    if faults := [fault for one in result.ingestion.results for fault in one.faults]:
        post(Message.of_faults(faults), workspace.settings.webhook_url)
    if in_lake := publish_to_lake(workspace.settings, workspace.layout, note):
        note(f"the lake's newest publication is of {in_lake.published_at} UTC, snapshot {in_lake.snapshot}")
    if result.build is None:
        return
    if revised.total.notable:
        post(Message.of_revisions(revised), workspace.settings.webhook_url)
    if changes := verdict_changes(published, result.publication.published_at):
        for change in changes:
            note(f"verdict changed: {change}")
        post(Message.of_verdicts(changes), workspace.settings.webhook_url)


def record(
    workspace: Workspace, result: Refresh | BuildFailed, started_at: datetime, note: Callable[[str], None]
) -> str | None:
    """Record a refresh. A refresh does not fail if its recording does.

    Args:
        workspace: Paths and catalogue.
        result: The refresh, or the failure of its build.
        started_at: Start of the refresh (UTC without zone).
        note: Called with one line if the recording failed.

    Returns:
        The id of the run. None if the recording failed, or if there is nothing to record: the refresh requested
        nothing from providers and built nothing.
    """
    if result.build is None and not result.ingestion.asked:
        return None
    try:
        from pipelines.orchestration.run_events import record_run  # importing Dagster takes most of a second

        return record_run(workspace, result, started_at)
    except Exception as error:
        note(f"this run will not be in the Dagster pages: {type(error).__name__}: {' '.join(str(error).split())}")
        return None


def _print_summary(workspace: Workspace, result: Refresh, revised: Revisions, seconds: float) -> None:
    """Print what a refresh did and how long it took, in a few lines on standard error."""
    _print_sources(result.ingestion, revised)
    for line in budget_lines(result.ingestion, workspace.settings):
        note(line)
    path, took = workspace.layout.published, f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    publication = result.publication
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    published_at = f"{publication.published_at:%Y-%m-%d %H:%M} UTC"
    if result.restored:
        note(f"published again: {path} had other bytes than the publication of {published_at} ({took})")
    elif result.build is None:
        note(f"nothing changed: the publication of {published_at} remains ({path}; {took})")
    else:
        for warning in warnings(workspace.layout, result.build.nodes):
            note(f"warning: {warning} (its page in `carec ui` has all rows)")
        note(f"published {publication.observations:,} observations, newest vintage {newest}, to {path} in {took}")
        for line in not_known(path):
            note(line)


def _print_sources(ingestion: Ingestion, revised: Revisions) -> None:
    """Print faults of providers once each, and what changed per indicator."""
    if ingestion.unreachable:
        hosts = ", ".join(sorted(ingestion.unreachable))
        note(f"no network to {hosts}: the last good figures are used (see carec sources)")
    reported = (*ingestion.unreachable.values(), NO_ADAPTER)
    faults = (Outcome.FAULT, Outcome.UNKNOWN_ID, Outcome.BLOCKED, Outcome.UNAVAILABLE)
    failures: Counter[str] = Counter()
    for one in ingestion.results:
        landed = one.landed
        for attempt in one.asked:
            code = f" {attempt.provider_code}" if attempt.outcome is Outcome.UNKNOWN_ID else ""
            # the name of an edition may precede the reason of its host
            if attempt.outcome in faults and not str(attempt.reason).endswith(reported):
                failures[f"{attempt.provider}{code}: {attempt.reason}"] += 1
            elif attempt.provider == LOCAL_FILE and attempt.outcome is Outcome.OK and attempt.reason:
                note(f"{one.indicator.id}: {attempt.reason}")
        if landed.status is Landing.HELD_BACK:
            note(f"{one.indicator.id}: held back: {landed.reason}")
        elif one.stale_reason and one.stale_reason.startswith(STALE_MIRROR):
            note(f"{one.indicator.id}: {one.stale_reason}")
        elif one.indicator.id in revised.by_indicator:
            note(f"{one.indicator.id}: {revised.by_indicator[one.indicator.id].text} from {one.provider_used}")
        elif landed.revised or landed.added or landed.withdrawn:
            note(
                f"{one.indicator.id}: {landed.revised} revised, {landed.added} added, {landed.withdrawn} withdrawn"
                f" country-years from {one.provider_used}"
            )
        for warning in one.warnings:
            note(f"{one.indicator.id}: {warning}")
        if one.rejected:
            note(f"{one.indicator.id}: {one.rejected} records rejected (see the table rejects)")
    for failure, count in failures.items():
        note(f"{failure} ({count} indicator{'s' if count > 1 else ''}; the next provider or the last vintage is used)")
    note(f"revisions: {revised.total.text} in {len(revised.by_indicator)} of {len(ingestion.results)} indicators")
