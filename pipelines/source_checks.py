"""The checks of links and editions against the stored data, for ``carec sources check`` and its Dagster job.

Belongs here: reading the stored data that the checks need. Does not belong here: how a link is checked
(``sources.checks.links`` and the adapters), printing (``pipelines.cli.sources``), the schedule
(``pipelines.orchestration.source_check_job``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from pipelines.host_slots import shared_slots
from pipelines.seeds.codes import FRAMEWORK
from pipelines.workspace import Workspace
from sources.catalogue import LOCAL_FILE, Indicator
from sources.checks.edition_watch import INDICES, EditionFinding, HeldEditions, Index, watch
from sources.checks.links import LinkFinding, StoredData, check_every_link
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.inspection import FIRST_YEAR, MEMBERS, Inspects
from sources.observation import empty_observations, utc_now
from sources.provider import Window
from sources.providers import INSPECTORS
from warehouse import landing

READ_TIMEOUT_S, HOST_LIMIT_S = 30.0, 120.0
"""Timeouts for one byte and for all responses of one host: one slow host must not delay the check."""
TRIES = 3


def check_links(
    workspace: Workspace,
    providers: Sequence[str] = (),
    indicators: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[LinkFinding]:
    """Check every link of the catalogue, or those of the named providers and indicators.

    Args:
        workspace: The catalogue, and the warehouse and archive with the stored data.
        providers: Ids of providers, all if empty.
        indicators: Ids of indicators, all if empty.
        progress: Called with the id of each provider when it is done.

    Returns:
        One result per link.

    Raises:
        ConfigurationError: If the settings allow no requests, or an id has no link.
    """
    settings, catalogue = workspace.settings, workspace.catalogue
    if settings.offline:
        raise ConfigurationError("CAREC_OFFLINE is set: no requests are sent (--editions needs none)")
    local = workspace.adapters.get(LOCAL_FILE)
    inspectors = {**INSPECTORS, **({LOCAL_FILE: local} if isinstance(local, Inspects) else {})}
    with (
        shared_slots(settings, catalogue) as slots,
        Http(
            tries=min(TRIES, settings.http_tries),
            read_timeout_s=min(READ_TIMEOUT_S, settings.http_timeout_s),
            host_deadline_s=HOST_LIMIT_S,
            user_agent=settings.agent,
            shared=slots,
        ) as http,
    ):
        return check_every_link(
            catalogue,
            inspectors,
            {
                indicator.id: _stored(workspace, indicator)
                for indicator in catalogue.select(list(indicators))
                if not providers or any(link.provider in providers for link in indicator.chain)
            },
            _framework(workspace),
            workspace.areas,
            Window(FIRST_YEAR, utc_now().year),
            http,
            providers,
            indicators,
            progress,
        )


def watch_editions(workspace: Workspace, today: date) -> list[EditionFinding]:
    """Compare the stored editions with the seed ``edition_releases``, without a request to a provider."""
    seed = workspace.dbt_project / "seeds" / "edition_releases.csv"
    rows = pl.read_csv(seed, schema_overrides={"released_on": pl.Date})
    calendar: dict[str, dict[int, date]] = {}
    for indicator_id, edition, day in rows.select("indicator_id", "edition_year", "released_on").iter_rows():
        calendar.setdefault(indicator_id, {})[edition] = day
    return watch(calendar, {index.name: _held_editions(workspace, index) for index in INDICES}, today)


def _framework(workspace: Workspace) -> set[str]:
    rows = pl.read_csv(workspace.dbt_project / "seeds" / "framework_indicators.csv")
    return set(rows.filter(pl.col("framework_id") == FRAMEWORK)["indicator_id"])


def _landed(workspace: Workspace, indicator: Indicator) -> pl.DataFrame | None:
    """Return the figures of the newest vintage in the warehouse, None if it has none."""
    landed = landing.latest(workspace.layout, indicator.id)
    return landed.read() if landed else None


def _archived(workspace: Workspace, indicator: Indicator) -> pl.DataFrame:
    vintages = workspace.archive.vintages(indicator)
    return vintages[-1].records if vintages else empty_observations()


def _stored(workspace: Workspace, indicator: Indicator) -> StoredData:
    landed, archived = _landed(workspace, indicator), _archived(workspace, indicator)
    observations = archived if landed is None else landed
    releases = (
        observations.group_by("provider")
        .agg(pl.col("provider_release").str.extract(r"((?:19|20)\d\d)").cast(pl.Int32).max().alias("edition"))
        .drop_nulls()
    )
    return StoredData(
        newest=_newest(observations),
        releases=dict(releases.iter_rows()),
        archived=_newest(archived),
    )


def _newest(observations: pl.DataFrame) -> int | None:
    """Return the newest year of the inspected members, or of any economy if they have no data."""
    members = observations.filter(pl.col("iso3").is_in(MEMBERS))
    years = (members if members.height else observations)["year"]
    return int(years.max()) if years.len() else None  # type: ignore[arg-type]


def _held_editions(workspace: Workspace, index: Index) -> HeldEditions:
    if index.publisher:
        names = [
            vintage.vintage
            for series in workspace.archive.series
            if series.provider == index.publisher
            for vintage in series.vintages
        ]
        editions = pl.DataFrame({"release": names}, schema={"release": pl.String}).with_columns(
            year=pl.col("release").str.extract(r"((?:19|20)\d\d)").cast(pl.Int32)
        )
    else:
        indicator = workspace.catalogue.indicators[index.indicator_id]
        landed = _landed(workspace, indicator)
        observations = _archived(workspace, indicator) if landed is None else landed
        editions = observations.select("year", pl.col("provider_release").alias("release"))
    newest = editions.drop_nulls("year").sort("year")
    release = newest["release"][-1] if newest.height else None
    return HeldEditions(newest["year"].unique().sort().to_list(), release)


def closing_line(findings: Sequence[LinkFinding]) -> str:
    """Return the number of links per status, and of broken links of the framework."""
    counts = Counter(finding.verdict.value for finding in findings)
    statuses = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return (
        f"{len(findings)} links: {statuses}; {sum(finding.broken for finding in findings)} of the framework are broken"
    )
