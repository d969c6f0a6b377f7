"""``carec sources check``: the walk over the catalogue's links and the edition watch, with what the warehouse holds.

Belongs here: what is held, the session of the check, its tables and its closing line. Does not belong here: what a link
is asked (``sources.checks.links`` and the adapters), when the check runs by itself
(``pipelines.orchestration.automation``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from pipelines.cli.tables import Format, show
from pipelines.published import FRAMEWORK
from pipelines.workspace import LOCAL_FILE, Workspace
from sources.catalogue import Indicator
from sources.checks.edition_watch import INDICES, EditionFinding, HeldEditions, Index, watch
from sources.checks.links import Held, LinkFinding, walk
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.inspection import FIRST_YEAR, MEMBERS, Inspects
from sources.observation import empty_observations, utc_now
from sources.provider import Window
from sources.providers import INSPECTORS
from warehouse import landing

READ_TIMEOUT_S, HOST_LIMIT_S = 30.0, 120.0
"""Longest wait for a byte, and for all answers of one host: one that hangs must not hold up the check."""
TRIES = 3

LINK_COLUMNS = [
    "indicator_id",
    "position",
    "provider",
    "code",
    "framework",
    "status",
    "detail",
    "newest_edition",
    "held_edition",
    "url",
]
EDITION_COLUMNS = [
    "index",
    "indicator_id",
    "held_edition",
    "held_release",
    "next_edition",
    "expected_on",
    "status",
    "detail",
]


def check_links(
    workspace: Workspace,
    providers: Sequence[str] = (),
    indicators: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[LinkFinding]:
    """Inspect every link of the catalogue, or those of the named providers and indicators.

    Args:
        workspace: The catalogue, and the warehouse and archive that say what is held.
        providers: Ids of providers; all where empty.
        indicators: Ids of indicators; all where empty.
        progress: Called with the id of a provider that is done.

    Returns:
        One finding per link.

    Raises:
        ConfigurationError: Where the settings say that no provider is asked, or for an id without a link.
    """
    settings, catalogue = workspace.settings, workspace.catalogue
    if settings.offline:
        raise ConfigurationError("CAREC_OFFLINE is set: no provider is asked (--editions asks none)")
    local = workspace.adapters.get(LOCAL_FILE)
    inspectors = {**INSPECTORS, **({LOCAL_FILE: local} if isinstance(local, Inspects) else {})}
    with Http(
        tries=min(TRIES, settings.http_tries),
        read_timeout_s=min(READ_TIMEOUT_S, settings.http_timeout_s),
        host_deadline_s=HOST_LIMIT_S,
        user_agent=settings.agent,
    ) as http:
        return walk(
            catalogue,
            inspectors,
            {indicator.id: _held(workspace, indicator) for indicator in catalogue.select(list(indicators))},
            _framework(workspace),
            workspace.areas,
            Window(FIRST_YEAR, utc_now().year),
            http,
            providers,
            indicators,
            progress,
        )


def watch_editions(workspace: Workspace, today: date) -> list[EditionFinding]:
    """Compare the editions held with the calendar of the seed ``edition_releases``. Asks no provider."""
    seed = workspace.dbt_project / "seeds" / "edition_releases.csv"
    rows = pl.read_csv(seed, schema_overrides={"released_on": pl.Date})
    calendar: dict[str, dict[int, date]] = {}
    for indicator_id, edition, day in rows.select("indicator_id", "edition_year", "released_on").iter_rows():
        calendar.setdefault(indicator_id, {})[edition] = day
    return watch(calendar, {index.name: _held_editions(workspace, index) for index in INDICES}, today)


def _framework(workspace: Workspace) -> set[str]:
    rows = pl.read_csv(workspace.dbt_project / "seeds" / "framework_indicators.csv")
    return set(rows.filter(pl.col("framework_id") == FRAMEWORK)["indicator_id"])


def _figures(workspace: Workspace, indicator: Indicator) -> pl.DataFrame:
    """The newest landed vintage, else the newest one of the bundled archive."""
    landed = landing.latest(workspace.layout, indicator.id)
    return landed.read() if landed else _archived(workspace, indicator)


def _archived(workspace: Workspace, indicator: Indicator) -> pl.DataFrame:
    vintages = workspace.archive.vintages(indicator)
    return vintages[-1].records if vintages else empty_observations()


def _held(workspace: Workspace, indicator: Indicator) -> Held:
    figures, archived = _figures(workspace, indicator), _archived(workspace, indicator)
    releases = (
        figures.group_by("provider")
        .agg(pl.col("provider_release").str.extract(r"((?:19|20)\d\d)").cast(pl.Int32).max().alias("edition"))
        .drop_nulls()
    )
    return Held(
        newest=_newest(figures),
        releases=dict(releases.iter_rows()),
        archived=_newest(archived),
    )


def _newest(figures: pl.DataFrame) -> int | None:
    """The newest year of the members that providers are asked for, of any economy where none of them has a figure."""
    members = figures.filter(pl.col("iso3").is_in(MEMBERS))
    years = (members if members.height else figures)["year"]
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
        figures = _figures(workspace, workspace.catalogue.indicators[index.indicator_id])
        editions = figures.select("year", pl.col("provider_release").alias("release"))
    newest = editions.drop_nulls("year").sort("year")
    release = newest["release"][-1] if newest.height else None
    return HeldEditions(newest["year"].unique().sort().to_list(), release)


def closing_line(findings: Sequence[LinkFinding]) -> str:
    """How many links there are of each status, and how many of the framework are broken."""
    counts = Counter(finding.verdict.value for finding in findings)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    return f"{len(findings)} links: {told}; {sum(finding.broken for finding in findings)} of the framework are broken"


def print_links(findings: Sequence[LinkFinding], fmt: Format) -> None:
    """Print one row per link; the table leaves out what only programs need."""
    columns = LINK_COLUMNS if fmt is not Format.TABLE else LINK_COLUMNS[:7]
    show(columns, [[getattr(finding, column) for column in columns] for finding in findings], fmt)


def print_editions(findings: Sequence[EditionFinding], fmt: Format) -> None:
    """Print one row per index."""
    columns = EDITION_COLUMNS if fmt is not Format.TABLE else [one for one in EDITION_COLUMNS if one != "indicator_id"]
    show(columns, [[getattr(finding, column) for column in columns] for finding in findings], fmt)
