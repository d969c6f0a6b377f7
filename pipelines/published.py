"""The one way to read the published file, and the words and rules that its readers share.

Belongs here: queries on ``carec.duckdb``, the imprint, the lists that order what pages show. Does not belong here: what
one page prints, and number formats (``pipelines.formatting``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipelines.formatting import GAP, figure
from pipelines.reading import fetch_named, read_once, reading_layout
from sources.errors import ConfigurationError, did_you_mean
from sources.hidden_packages import without_hidden_packages
from warehouse.errors import NotPublished, Unreadable
from warehouse.publish import published
from warehouse.reading import open_published
from warehouse.retention import UnknownPublication

OWN_CHOICE = "The benchmarks are the project's own choice, not the strategy's; the table benchmarks has their sources."

FEW = 20
"""Number of economies up to which a message lists them."""

CHANGE_SECTIONS = {
    "new_year": "New data years",
    "revised": "Revised figures",
    "rounded": "Figures that changed by rounding only",
    "filled": "Figures for earlier years",
    "withdrawn": "Figures withdrawn",
    "status": "Changed statuses",
    "score": "Changed overall scores",
    "rank_outside_band": "Ranks outside the band of the earlier publication",
    "verdict": "Changed verdicts",
    "benchmark": "Changed benchmarks",
}
"""Section of a page of changes -> its title, in the order of the page."""

SUMMED_SECTIONS = ("new_year", "rounded", "filled", "withdrawn")
"""Sections with one line per indicator: one publication may bring hundreds of figures."""

_COMPARATORS = {"gt": "over ", "gte": "at least ", "lt": "under ", "lte": "at most ", "approx": "about "}

_CLOSED = ("enable_external_access = false", "python_enable_replacements = false")
"""Settings that close other files, the network and this program's variables to a query. DuckDB reopens neither."""


_opened: ContextVar[duckdb.DuckDBPyConnection | None] = ContextVar("opened", default=None)


def _open(publication: str | None = None) -> duckdb.DuckDBPyConnection:
    if publication is None and (opened := _opened.get()):
        return opened.cursor()
    return open_published(publication_file(publication) if publication else reading_layout().published)


def publication_file(publication: str) -> Path:
    """Return the kept file of an earlier publication, named by the beginning of its id.

    Raises:
        ConfigurationError: There is no such publication, or only its parts remain.
    """
    path = publication_named(publication)
    if not path.is_file():
        raise ConfigurationError(f"only the members' figures remain of {path.name}: `carec diff` can compare them")
    return path


def publication_named(publication: str) -> Path:
    """Return the kept file of a publication, or the folder with the parts that remain of it.

    Raises:
        ConfigurationError: There is no such publication.
    """
    try:
        return fetch_named(publication)
    except UnknownPublication as error:
        raise ConfigurationError(str(error)) from error


class Rows(NamedTuple):
    """The rows of a query and the names of their columns."""

    columns: list[str]
    values: list[tuple[Any, ...]]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows as column -> value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.values]


def fetch(
    sql: str, parameters: list[Any] | dict[str, Any] | None = None, file: Path | None = None
) -> list[tuple[Any, ...]]:
    """Return the rows of one query on the published file.

    Args:
        sql: One statement; ``?`` or ``$name`` marks a parameter.
        parameters: The values of the parameters, in order or by name.
        file: A publication; the one that commands read if None.

    Raises:
        NotPublished: Nothing is published yet.
    """
    return fetch_rows(sql, parameters, file).values


def fetch_rows(sql: str, parameters: list[Any] | dict[str, Any] | None = None, file: Path | None = None) -> Rows:
    """Return the rows of one query with the names of their columns; arguments and errors as in ``fetch``."""
    with open_published(file) if file else _open() as connection, without_hidden_packages():
        result = connection.execute(sql, parameters or [])
        return Rows([column[0] for column in result.description or []], result.fetchall())


@contextmanager
def opened_once() -> Iterator[None]:
    """Keep the published file open within the block: DuckDB opens it once and not for every query.

    For commands that only read. A publication that is made within the block would not be seen.
    """
    with ExitStack() as stack:
        with suppress(NotPublished, Unreadable):  # the first query says so
            opened = stack.enter_context(open_published(stack.enter_context(read_once()).published))
            stack.callback(_opened.reset, _opened.set(opened))
        yield


def economy_code(given: str) -> str:
    """Return the ISO3 code of an economy, given as code or English name in any case.

    A text that is neither is returned as it is, for the message of the caller.
    """
    wanted = given.strip().casefold()
    for code, name in fetch("select iso3, name from economies"):
        if wanted in (code.casefold(), name.casefold()):
            return str(code)
    return given


def near_economies(given: str, codes: Sequence[str]) -> str:
    """Return the end of a message about an unknown economy: the nearest of these, by code or by name."""
    names = dict(fetch("select name, iso3 from economies where list_contains(?, iso3)", [list(codes)]))
    return did_you_mean(given, [*names, *codes])


def framework_title(framework: str) -> str:
    """Return the title of a framework; its id where the seed ``frameworks`` has no row for it.

    Raises:
        ConfigurationError: There is no such framework; the message lists them.
    """
    titles = dict(
        fetch(
            "select distinct framework_id, coalesce(title, framework_id)"
            " from framework_indicators left join frameworks using (framework_id) order by 1"
        )
    )
    if framework not in titles:
        raise ConfigurationError(
            f"unknown framework {framework!r}; the frameworks are {', '.join(titles)}{did_you_mean(framework, titles)}"
        )
    return str(titles[framework])


def covered_economy(framework: str, iso3: str) -> str:
    """Return the name of an economy that a framework covers.

    Raises:
        ConfigurationError: There is no such framework, or it does not cover the economy.
    """
    framework_title(framework)
    names = dict(fetch("select iso3, name from scorecard where framework_id = ? order by 1", [framework]))
    if iso3 not in names:
        raise ConfigurationError(
            f"{framework} has no score of {iso3!r}: this is not the ISO3 code of an economy that it covers"
            + (f"; it covers {', '.join(names)}" if len(names) <= FEW else "")
            + near_economies(iso3, list(names))
        )
    return str(names[iso3])


def imprint() -> str:
    """Return one line on the as-of day, vintage, sources and time of the publication.

    Empty if the publication has no record of itself.
    """
    publication = published(reading_layout())
    if publication is None:
        return ""
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    return (
        f"as of {publication.as_of}; newest vintage {newest}; {publication.series_live} series fetched live,"
        f" {publication.series_archived} from the bundled archive;"
        f" published {publication.published_at:%Y-%m-%d %H:%M} UTC"
    )


def age_of_figures() -> str:
    """Return one more line of a heading: how old the figures are if none was fetched live; empty otherwise."""
    publication = published(reading_layout())
    if publication is None or publication.series_live or publication.newest_vintage is None:
        return ""
    newest = f"{publication.newest_vintage:%Y-%m-%d}"
    return f"\nno figure was fetched live: the newest is from the bundled archive of {newest}"


@dataclass(frozen=True)
class QueryLimits:
    """What a statement of somebody else may use. ``memory`` as DuckDB writes it; nothing is spilled to the disk."""

    rows: int
    memory: str


def run_query(
    sql: str, limits: QueryLimits | None = None, publication: str | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of one read-only statement on the published file.

    The statement can read no other file and write nothing.

    Args:
        sql: The statement.
        publication: The id of an earlier publication to read instead, or its beginning.
        limits: Rows to return at most, and memory to use at most; None for all rows and DuckDB's own limit.

    Raises:
        ConfigurationError: The statement fails or does more than read; the message is DuckDB's.
        NotPublished: Nothing is published yet.
    """
    with _open(publication) as connection:
        limiting = (f"memory_limit = '{limits.memory}'", "max_temp_directory_size = '0KB'") if limits else ()
        for setting in (*_CLOSED, *limiting):
            connection.execute(f"set {setting}")
        try:
            _check_reads(connection.extract_statements(sql))
            connection.execute(sql)
            columns = [column[0] for column in connection.description or []]
            found = _with_nanoseconds(connection, sql)
            return columns, found.fetchmany(limits.rows) if limits else found.fetchall()
        except duckdb.Error as error:
            raise ConfigurationError(f"the query failed: {error}{_remedy(error)}") from error


def _remedy(error: duckdb.Error) -> str:
    """Return a last line for a failed statement that names a table or column that does not exist."""
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return "\n`carec dictionary` lists views and tables, `carec dictionary NAME` the columns of one"
    return ""


def _with_nanoseconds(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """Return the result of the executed statement. Times with nanoseconds become texts, as Python has none."""
    kinds = [str(column[1]) for column in connection.description or []]
    if "TIMESTAMP_NS" not in kinds:
        return connection
    return connection.sql(sql).project(
        ", ".join(
            f"replace(#{place}::varchar, ' ', 'T')" if kind == "TIMESTAMP_NS" else f"#{place}"
            for place, kind in enumerate(kinds, start=1)
        )
    )


def _check_reads(statements: Sequence[duckdb.Statement]) -> None:
    """Check that there is one statement and that it only reads.

    DuckDB turns a PIVOT into two statements: the creation of a type, without a text of its own, and the query.
    """
    given = [one for one in statements if one.query or one.type != duckdb.StatementType.CREATE]
    if not given:
        raise ConfigurationError('the query failed: it is empty; a statement is expected, such as "from scorecard"')
    if len(given) > 1:
        raise ConfigurationError(f"the query failed: only one statement is allowed, {len(given)} were given")
    if given[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise ConfigurationError(
            f"the query failed: {given[0].type.name} does more than read; allowed are SELECT, FROM, WITH, PIVOT,"
            " DESCRIBE, SUMMARIZE, SHOW, EXPLAIN"
        )


def claimed(
    value: float | None, comparator: str | None, baseline: float | None, baseline_comparator: str | None
) -> str:
    """Return the figures of a claim as text; a dash if it has none.

    Example:
        >>> claimed(70, "gt", None, None), claimed(70, None, 50, "lt")
        ('over 70', 'under 50 to 70')
    """
    if value is None:
        return GAP
    target = _COMPARATORS.get(comparator or "", "") + figure(value)
    if baseline is None:
        return target
    return f"{_COMPARATORS.get(baseline_comparator or '', '')}{figure(baseline)} to {target}"


def not_known(file: Path | None = None) -> list[str]:
    """Return one line on the series that were not known on the as-of day; empty if all were known.

    Args:
        file: A publication; the one that commands read if None.
    """
    rows = fetch(
        """
        with unknown as (
            select claim_id, unnest(string_split(unknown_then, ', ')) as series
            from claim_tests where unknown_then is not null
        )
        select as_of, count(distinct series), count(distinct claim_id),
               string_agg(distinct series, ', ' order by series)
        from unknown cross join publication group by as_of
        """,
        file=file,
    )
    return [
        f"not known on {day}: {series} series that test {claims} claims, each with the day of its oldest available"
        f" vintage: {names}"
        for day, series, claims, names in rows
    ]


def verdict_changes(published: Path, published_at: datetime) -> list[str]:
    """Return one line per claim whose verdict changed.

    Args:
        published: The published file.
        published_at: Time (UTC) of the publication that is compared with its predecessor.
    """
    changes = fetch(
        "select claim_id, previous_verdict, verdict from claim_verdict_changes where changed_at = ? order by claim_id",
        [published_at],
        published,
    )
    return [f"{claim_id}: {before or 'no claim'} > {now or 'no claim'}" for claim_id, before, now in changes]


def section_of(row: Mapping[str, Any]) -> str:
    """Return the section of a change: its kind, or ``rounded`` if a figure changed by rounding only."""
    return "rounded" if row["size"] == "rounding" else str(row["kind"])
