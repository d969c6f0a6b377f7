"""The commands ``sources`` and ``sources check``.

Belongs here: the tables that they print. Does not belong here: the checks (``pipelines.source_checks``,
``sources.checks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path

import click
import polars as pl

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, note, progress_line
from pipelines.published import fetch_rows
from pipelines.reading import reading_layout
from pipelines.settings import load_settings, with_base_urls
from pipelines.source_checks import check_links, closing_line, watch_editions
from pipelines.workspace import open_workspace
from sources.catalogue import load_catalogue
from sources.checks.contracts import run_smoke_checks
from sources.checks.edition_watch import EditionFinding
from sources.checks.links import LinkFinding
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.observation import utc_now
from warehouse.errors import NotPublished, Unreadable
from warehouse.layout import Layout

LINK_COLUMNS = (
    *("indicator_id", "position", "provider", "code", "framework", "status", "detail"),
    *("newest_edition", "held_edition", "url"),
)
EDITION_COLUMNS = tuple(field.name for field in fields(EditionFinding))

_HEALTH = """
    with vintages as (
        select
            indicator_id,
            arg_max(provider_release, (vintage_at, year)) as provider_release,
            arg_max(licence, (vintage_at, year)) as vintage_licence,
            max(vintage_at) as last_change_at
        from observations group by all
    )
    select
        indicator_id, provider_requested, provider_used, outcome, latest_year, retrieved_at, stale_reason, attempts,
        provider_code, provider_release, last_change_at, coalesce(vintage_licence, catalogue_licence) as licence, origin
    from source_health
    join (
        select
            indicator_id, origin, licence as catalogue_licence,
            regexp_extract(provider_chain, '^[^ ]+ ?(.*?)( > .*)?$', 1) as provider_code
        from indicators
    ) as catalogue using (indicator_id)
    left join vintages using (indicator_id)
    order by indicator_id
"""
"""What ``source_health`` of the landing has, from the published tables; its warnings are not published."""


@click.group(invoke_without_command=True)
@click.pass_context
@format_option
def sources(context: click.Context, fmt: Format) -> None:
    """The provider of every indicator at the last refresh, and why a figure was carried forward."""
    if context.invoked_subcommand is None:
        print_health(fmt)


@sources.command("check")
@click.option("--provider", metavar="ID", multiple=True, help="Check only this provider.")
@click.option("--indicator", metavar="ID", multiple=True, help="Check only the links of this indicator.")
@click.option("--editions", is_flag=True, help="Only compare held and expected editions; sends no request.")
@click.option("--contracts", is_flag=True, help="Check the contracts of the services instead of the links.")
@format_option
def sources_check(
    provider: tuple[str, ...], indicator: tuple[str, ...], editions: bool, contracts: bool, fmt: Format
) -> None:
    """Check every link of the catalogue at its provider: code, rows, unit, size of the file, newest edition.

    The status of a link is ok, "newer edition: YEAR", gone, renamed? (with the nearest code), no rows, unit differs,
    too large, blocked, unreachable, unreadable, no file (local or archived) or no check. Exit code 1 if a link of an
    indicator of the framework carec_2030 has any other status than ok, newer edition, no file or no check.

    JSON and CSV have one record per link. The table is followed by the edition watch; --editions prints the watch
    alone, in every format.
    """

    if contracts:
        if editions or indicator:
            raise click.BadParameter("--contracts checks whole services: choose them with --provider")
        _check_contracts(provider, fmt)
        return
    workspace = open_workspace()
    if editions:
        if provider or indicator:
            raise click.BadParameter("--editions prints every index: it takes neither --provider nor --indicator")
        _print_editions(watch_editions(workspace, utc_now().date()), fmt)
        return
    with progress_line() as progress:
        findings = check_links(workspace, provider, indicator, progress)
    _print_links(findings, fmt)
    if fmt is Format.TABLE and not (provider or indicator):
        print()
        _print_editions(watch_editions(workspace, utc_now().date()), fmt)
    note(closing_line(findings))
    if any(finding.broken for finding in findings):
        raise click.exceptions.Exit(1)


def _print_links(findings: Sequence[LinkFinding], fmt: Format) -> None:
    """Print one row per link. The table has only the columns for readers."""
    columns = LINK_COLUMNS if fmt is not Format.TABLE else LINK_COLUMNS[:7]
    show(columns, list(map(attrgetter(*columns), findings)), fmt)


def _print_editions(findings: Sequence[EditionFinding], fmt: Format) -> None:
    """Print one row per index."""
    columns = [one for one in EDITION_COLUMNS if fmt is not Format.TABLE or one != "indicator_id"]
    show(columns, list(map(attrgetter(*columns), findings)), fmt)


def _check_contracts(providers: Sequence[str], fmt: Format) -> None:
    """Send the smoke checks of the named providers, or of all, and print what differs from what the adapters expect.

    Raises:
        ConfigurationError: A provider has no smoke check, or the settings allow no requests.
    """
    settings = load_settings()
    if settings.offline:
        raise ConfigurationError("CAREC_OFFLINE is set: no requests are sent")
    catalogue = with_base_urls(load_catalogue())
    with (
        progress_line() as progress,
        Http(tries=1, read_timeout_s=settings.http_timeout_s, user_agent=settings.agent) as http,
    ):
        findings = run_smoke_checks(catalogue, http, providers, progress)
    columns = ["provider", "question", "verdict", "message", "url"]
    rows = [[one.provider, one.about, one.status.value, one.message, one.url] for one in findings]
    shown = columns if fmt is not Format.TABLE else columns[:-1]
    show(shown, [row[: len(shown)] for row in rows], fmt)


def print_health(fmt: Format) -> None:
    """Print source health as of the newest refresh, which may be newer than the publication.

    With a lake, this machine may not be the one that asked the providers: it is that of the publication then.
    """
    layout = reading_layout()
    age = (pl.lit(utc_now().year) - pl.col("latest_year")).alias("age_years")
    table = (_published_health() if layout.chosen else _landed_health(layout)).with_columns(age)
    if fmt is not Format.TABLE:
        show(table.columns, table.rows(), fmt)
        return
    # a refresh of an earlier version wrote no warnings
    warnings = [pl.col(name) for name in table.columns if name == "warnings"]
    reasons = [pl.col("stale_reason"), *warnings, pl.when(pl.col("attempts").str.contains("; ")).then("attempts")]
    shown = table.select(
        "indicator_id",
        pl.concat_str("provider_requested", "provider_code", separator=" ").alias("asked first"),
        pl.col("provider_used").alias("answered"),
        "outcome",
        pl.format("{} ({})", "latest_year", "age_years").alias("latest (age)"),
        pl.col("provider_release").alias("vintage"),
        pl.col("last_change_at").dt.date().alias("changed"),
        "origin",
        pl.col("licence").str.replace(r" \(.*", ""),
        pl.coalesce(*reasons).alias("because"),
    )
    show(shown.columns, shown.rows(), fmt)


def _published_health() -> pl.DataFrame:
    columns, rows = fetch_rows(_HEALTH)
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def _landed_health(layout: Layout) -> pl.DataFrame:
    if not layout.source_health.exists():
        raise NotPublished("no refresh has run yet: run `carec refresh` first")
    health = _landed(layout.source_health)
    return health.join(_landed(layout.indicators).select("indicator_id", "origin"), on="indicator_id", how="left")


def _landed(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise Unreadable(f"{path} cannot be read ({error}); remove it and run `carec refresh`") from error
