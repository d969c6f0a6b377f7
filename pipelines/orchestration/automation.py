"""Schedules and sensors: the weekly refresh, release sensors, builds after changed figures, messages about failed runs.

Belongs here: the conditions that start a run, and its assets. Does not belong here: reading a provider's release
(``sources.releases``), the steps, the text of messages (``pipelines.notifications``).

Everything is off until it is switched on in the pages; ``CAREC_AUTOMATION=1`` switches it on from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg

from pipelines.host_slots import shared_slots
from pipelines.notifications import Message, notify
from pipelines.orchestration.asset_keys import observation_key
from pipelines.orchestration.release_cursor import ReleaseCursor
from pipelines.settings import Settings
from pipelines.workspace import Workspace
from sources.catalogue import Catalogue, Indicator, Provider
from sources.chain import requests_of
from sources.http.client import Http
from sources.observation import utc_now
from sources.provider import SeriesRequest
from sources.releases import Releases, releases

WEEKLY = "0 3 * * 0"
"""Sundays at 03:00, in the time zone of the settings."""
FOLLOW_EVERY_S = 60
PROBE_DEADLINE_S = 45.0
"""Longest time per host in a tick, in seconds. Dagster stops a tick after one minute."""

FIGURES_CHANGED = (
    dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()).with_label("figures changed")
).since(dg.AutomationCondition.newly_requested() | dg.AutomationCondition.newly_updated())
FOLLOW_FIGURES = (
    FIGURES_CHANGED & ~dg.AutomationCondition.in_progress() & ~dg.AutomationCondition.any_deps_in_progress()
)
"""Condition of a staging model: build only if an indicator's figures differ from those of the last build. All of dbt's
tables are one step, so this builds all of them."""
FOLLOW_BUILD = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.will_be_requested())
"""Condition of the publication: publish in the same run as the build."""


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedule of the weekly refresh."""
    return [
        dg.ScheduleDefinition(
            name="weekly_refresh",
            job_name="refresh",
            cron_schedule=WEEKLY,
            execution_timezone=settings.timezone,
            default_status=(
                dg.DefaultScheduleStatus.RUNNING if settings.automation else dg.DefaultScheduleStatus.STOPPED
            ),
            description="Fetch from every provider, build, check and publish.",
        )
    ]


def sensors(workspace: Workspace) -> list[dg.SensorDefinition]:
    """Return one sensor per provider with a release probe, the sensor of changed figures and that of failed runs."""
    status = dg.DefaultSensorStatus.RUNNING if workspace.settings.automation else dg.DefaultSensorStatus.STOPPED
    providers = [workspace.catalogue.providers[name] for name in watched(workspace.catalogue)]
    return [
        *(release_sensor(workspace, provider, status) for provider in providers),
        dg.AutomationConditionSensorDefinition(
            "changed_figures",
            target=dg.AssetSelection.all(),
            default_status=status,
            minimum_interval_seconds=FOLLOW_EVERY_S,
            description="Builds and publishes if the figures of an indicator have changed, and at no other time.",
        ),
        failure_sensor(workspace, status),
    ]


def watched(catalogue: Catalogue) -> dict[str, dict[str, list[SeriesRequest]]]:
    """Return provider -> indicator -> the series to compare the releases of.

    An indicator is watched at the first provider of its chain that has a release probe. A denominator of another
    provider is not watched: it has a release probe of its own, and its revisions are taken with the next release.
    """
    found: dict[str, dict[str, list[SeriesRequest]]] = {}
    for indicator in catalogue:
        link = next((link for link in indicator.chain if catalogue.providers[link.provider].probe_hours), None)
        if link:
            own = [request for provider, request in requests_of(link) if provider == link.provider]
            found.setdefault(link.provider, {})[indicator.id] = own
    return found


def release_sensor(workspace: Workspace, provider: Provider, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor that requests the indicators with another release than the one that has landed.

    The cursor is a ``ReleaseCursor``. The first tick only stores the releases: a refresh has fetched the current ones.

    Args:
        workspace: Catalogue and settings.
        provider: Provider with ``probe_hours``.
        status: Whether the sensor runs from the start.
    """
    indicators = watched(workspace.catalogue)[provider.id]
    accepted = {each: _counted(workspace.catalogue.indicators[each], provider.id) for each in indicators}
    assert provider.probe_hours

    @dg.sensor(
        name=f"{provider.id}_release",
        target=dg.AssetSelection.assets(*(observation_key(each) for each in indicators)),
        minimum_interval_seconds=provider.probe_hours * 3600,
        default_status=status,
        description=f"Requests the releases of {provider.title}, and refreshes the indicators with a new one.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if workspace.settings.offline:
            return dg.SkipReason("offline: no provider is requested")
        wanted = [request for requests in indicators.values() for request in requests]
        settings, agent = workspace.settings, workspace.settings.agent
        with (
            shared_slots(settings, workspace.catalogue) as slots,
            Http(tries=settings.http_tries, host_deadline_s=PROBE_DEADLINE_S, user_agent=agent, shared=slots) as http,
        ):
            found = releases(wanted, provider, http, utc_now().date())
        cursor = ReleaseCursor.read(context.cursor)
        is_first = not cursor.seen
        cursor.settle(context.instance, accepted)
        now = dict(_released(indicators, found))
        changed = {each: now[each] for each in cursor.changed(now)}
        if changed:
            request = _request(cursor.ask(context.instance, provider.id, changed), provider, changed)
            return dg.SensorResult([request], cursor=cursor.text())
        return dg.SensorResult(skip_reason=_why_not(is_first, cursor, found, provider), cursor=cursor.text())

    return sensor


def _released(indicators: Mapping[str, Sequence[SeriesRequest]], found: Releases) -> Iterator[tuple[str, str]]:
    """Yield (indicator, release) for each indicator whose providers reported the release of all its series."""
    for indicator_id, requests in indicators.items():
        if all(request in found.of for request in requests):
            yield indicator_id, "; ".join(dict.fromkeys(found.of[request] for request in requests))


def _counted(indicator: Indicator, provider_id: str) -> frozenset[str]:
    """Return the providers of a chain down to the watched one: figures of a later one are not the new release."""
    providers = [link.provider for link in indicator.chain]
    return frozenset(providers[: providers.index(provider_id) + 1])


def _request(run_key: str, provider: Provider, changed: Collection[str]) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=run_key,
        asset_selection=[dg.AssetKey(observation_key(each)) for each in changed],
        tags={"carec/source": f"{provider.id}_release"},
    )


def _why_not(is_first: bool, cursor: ReleaseCursor, found: Releases, provider: Provider) -> str:
    if found.silent:
        return f"no release from {provider.title}: {'; '.join(dict.fromkeys(found.silent))}"
    if is_first:
        return "first tick: the releases are stored, and compared from now on"
    if cursor.asked:
        return f"the run for {', '.join(sorted(cursor.asked))} is not finished"
    return f"nothing new at {provider.title}"


def failure_sensor(workspace: Workspace, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Return the sensor that sends the cause of a failed run to the log and the webhook."""

    @dg.run_failure_sensor(
        name="tell_of_failed_runs",
        default_status=status,
        description="Sends every failed run and its cause to the log and the webhook.",
    )
    def send(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        details = [
            f"{event.step_key}: {event.step_failure_data.user_failure_data.description}"
            if event.step_failure_data.user_failure_data
            else f"{event.step_key}: {_cause(event)}"
            for event in context.get_step_failure_events()
        ]
        headline = f"run {run.run_id[:8]} of {run.job_name} failed; the previous publication is unchanged"
        notify(
            Message("run_failed", headline, details or [context.failure_event.message or ""]),
            workspace.settings.webhook_url,
        )

    return send


def _cause(event: dg.DagsterEvent) -> str:
    """Return the first line of the original exception of a step, not of the Dagster exception around it."""
    error = event.step_failure_data.error
    while error and error.cause:
        error = error.cause
    return error.message.strip().splitlines()[0] if error and error.message.strip() else "no message"
