"""What the reading commands print, each from one query on the published file.

Belongs here: the query and the columns of each page. Does not belong here: computing a score, formats (``output``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.cli.tables import Format, console, readable, show
from pipelines.settings import load_settings, with_base_urls
from sources.catalogue import load_catalogue
from sources.checks.contracts import SmokeCheckResult, run_smoke_checks
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.observation import utc_now
from warehouse.layout import Layout
from warehouse.publish import NotPublished, published
from warehouse.reading import Unreadable, open_published

FRAMEWORK = "carec_2030"

OWN_CHOICE = "The benchmarks are the project's own choice, not the strategy's; the table benchmarks has their sources."

LONGEST_TABLE = 1000
"""Rows of a query's result that are printed as a table."""

_CLOSED = ("enable_external_access = false", "python_enable_replacements = false")
"""What a query may not touch: other files and the network, variables of this program. DuckDB opens neither again."""


def _layout() -> Layout:
    return Layout(load_settings().warehouse)


def _open() -> duckdb.DuckDBPyConnection:
    return open_published(_layout().published)


def fetch(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of one query on the published file. Raises NotPublished where there is none."""
    with _open() as connection:
        return connection.execute(sql, parameters or []).fetchall()


def imprint() -> str:
    """What the published figures are, in one line; empty where the publication has no record of itself."""
    publication = published(_layout())
    if publication is None:
        return ""
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    return (
        f"as of {publication.as_of}; newest vintage {newest}; {publication.series_live} series fetched live,"
        f" {publication.series_archived} from the bundled archive;"
        f" published {publication.published_at:%Y-%m-%d %H:%M} UTC"
    )


def catalogue(fmt: Format) -> None:
    """The catalogue. Needs no publication: an indicator exists once its entry stands."""
    from pipelines.workspace import open_workspace

    workspace = open_workspace()
    framework = pl.read_csv(workspace.dbt_project / "seeds" / "framework_indicators.csv")
    places = {
        row["indicator_id"]: (row["pillar_id"], row["subtheme_id"], row["role"])
        for row in framework.filter(pl.col("framework_id") == FRAMEWORK).to_dicts()
    }
    rows = []
    for one in workspace.catalogue:
        pillar, subtheme, role = places.get(one.id, (None, None, None))
        chain = " > ".join(link.provider for link in one.chain)
        rows.append(
            [
                one.id,
                one.title,
                one.unit,
                one.direction.value,
                pillar,
                subtheme,
                role,
                one.max_age_years,
                one.licence,
                chain,
            ]
        )
    columns = ["indicator_id", "title", "unit", "direction", "pillar", "subtheme", "role", "max_age_years", "licence"]
    show([*columns, "providers"], rows, fmt)


def sources(fmt: Format) -> None:
    """Source health as of the newest refresh, which may be newer than the publication."""
    layout = _layout()
    if not layout.source_health.exists():
        raise NotPublished("no provider was asked yet: run `carec refresh` first")
    health = _landed(layout.source_health)
    catalogue = _landed(layout.indicators).select("indicator_id", "origin")
    age = (pl.lit(utc_now().year) - pl.col("latest_year")).alias("age_years")
    table = health.join(catalogue, on="indicator_id", how="left").with_columns(age)
    if fmt is not Format.TABLE:
        show(table.columns, table.rows(), fmt)
        return
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
        pl.coalesce("stale_reason", pl.when(pl.col("attempts").str.contains("; ")).then("attempts")).alias("because"),
    )
    show(shown.columns, shown.rows(), fmt)


def _landed(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise Unreadable(f"{path} cannot be read ({error}); remove it and run `carec refresh`") from error


def probe(providers: Sequence[str], progress: Callable[[str], None]) -> list[SmokeCheckResult]:
    """Ask the providers, all where none is named. Raises ConfigurationError for one that has no question."""
    settings = load_settings()
    if settings.offline:
        raise ConfigurationError("CAREC_OFFLINE is set: no provider is asked")
    catalogue = with_base_urls(load_catalogue())
    with Http(tries=1, read_timeout_s=settings.http_timeout_s, user_agent=settings.agent) as http:
        return run_smoke_checks(catalogue, http, providers, progress)


def probes(findings: Sequence[SmokeCheckResult], fmt: Format) -> None:
    """What came of each probe."""
    columns = ["provider", "question", "verdict", "told", "url"]
    rows = [[one.provider, one.about, one.status.value, one.message, one.url] for one in findings]
    shown = columns if fmt is not Format.TABLE else columns[:-1]
    show(shown, [row[: len(shown)] for row in rows], fmt)


def run_query(sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of one statement that reads the published file; nothing else can be read, and nothing written.

    Raises ConfigurationError for anything else, with DuckDB's own words for what is wrong.
    """
    with _open() as connection:
        for setting in _CLOSED:
            connection.execute(f"set {setting}")
        try:
            _check_reads(connection.extract_statements(sql))
            connection.execute(sql)
            return [column[0] for column in connection.description or []], connection.fetchall()
        except duckdb.Error as error:
            raise ConfigurationError(f"the query failed: {error}") from error


def _check_reads(statements: Sequence[duckdb.Statement]) -> None:
    """One statement that only reads. A PIVOT comes with the creation of a type, which has no text of its own."""
    given = [one for one in statements if one.query or one.type != duckdb.StatementType.CREATE]
    if not given:
        raise ConfigurationError('the query failed: it is empty; a statement is expected, such as "from scorecard"')
    if len(given) > 1:
        raise ConfigurationError(f"the query failed: one statement at a time is run, {len(given)} were given")
    if given[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise ConfigurationError(
            f"the query failed: {given[0].type.name} does more than read; what runs is SELECT, FROM, WITH, PIVOT,"
            " DESCRIBE, SUMMARIZE, SHOW, EXPLAIN"
        )


def query(sql: str, fmt: Format) -> None:
    """Run one statement and print what it gives."""
    answer(*run_query(sql), fmt)


def answer(columns: Sequence[str], rows: Sequence[Sequence[Any]], fmt: Format) -> None:
    """Print what a query gave: in JSON and CSV all of it; of a table the rows that somebody might read."""
    shown = rows if fmt is not Format.TABLE else rows[:LONGEST_TABLE]
    show(columns, shown, fmt, cell=readable)
    if len(shown) < len(rows):
        console(stderr=True).print(f"{len(rows) - len(shown):,} rows more: --format csv or json has all", markup=False)
