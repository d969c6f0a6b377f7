"""World Bank Data360, the API: copies of the Bank's own and of other publishers' series, by database and indicator.

Belongs here: how the API is asked and paged, and which of a series' names it knows at present. Does not belong here:
cuts and units (``data360_rows``), the same series as files (``data360_files``).

An unknown indicator gets the same answer as one without data, so that codes are looked up in the database's list first.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, failed, missing
from sources.observation import Areas
from sources.parsing.observations import (
    Origin,
    Refusal,
    ask,
    document,
    gather,
    json_table,
    kept,
    last_modified,
    look_up,
    raw_body,
    refuse,
    settle,
    usable,
)
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.data360_rows import OPTIONAL, REQUIRED, check_series, figures_of, spellings
from sources.providers.inspecting import by_alias, judged, known_name, unreadable

PUBLIC_BASE = "https://data360api.worldbank.org"
MAX_PAGES = 200


@dataclass(frozen=True)
class Page:
    """One page. ``total`` is the number of rows on all pages; ``rows`` has the fields as sent, all text."""

    total: int
    rows: pl.DataFrame = field(repr=False)


def parse(body: bytes) -> Page:
    """Read one page of ``/data360/data``. Raises Refusal."""
    content = document(body)
    if not isinstance(content, dict):
        raise Refusal("not an answer of Data360: an object is expected")
    try:
        return Page(int(content["count"]), json_table(content["value"], REQUIRED, OPTIONAL))
    except KeyError as error:
        raise Refusal(f"the answer lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise Refusal(f"the count is not a number: {error}") from error


def parse_indicators(body: bytes) -> set[str]:
    """The indicators of a database, from ``/data360/indicators``: a list, bare or under ``value``. Raises Refusal."""
    content = document(body)
    ids = content.get("value") if isinstance(content, dict) else content
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
        raise Refusal("not a list of indicators")
    return set(ids)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request; requests for cuts of one series share its download. See ``sources.provider.Adapter``."""
    visit = _Visit(provider, areas, window, http)
    databases = list(dict.fromkeys(str(request.option("database")) for request in requests))
    series: dict[tuple[str, ...], list[SeriesRequest]] = {}
    for request in requests:
        series.setdefault((str(request.option("database")), *spellings(request)), []).append(request)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        lists = dict(zip(databases, pool.map(visit.indicators, databases), strict=True))
        known = {name: found for name, (found, _) in lists.items()}
        parts = pool.map(lambda key: visit.answer(key[0], key[1:], known[key[0]], series[key]), series)
        return gather([*(Fetched({}, bodies) for _, bodies in lists.values()), *parts])


@dataclass(frozen=True)
class _Visit:
    """One visit to the API: whom, about which areas and years, over which session."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http

    def indicators(self, database: str) -> tuple[set[str] | None, list[RawBody]]:
        """The database's indicators. None where the list cannot be had: the code is then asked as it stands."""
        reply = ask(self.http, self.provider, "data360/indicators", {"datasetId": database})
        return look_up(reply, parse_indicators, self.provider)

    def answer(
        self, database: str, names: Sequence[str], known: set[str] | None, requests: list[SeriesRequest]
    ) -> Fetched:
        """Every request for one series, from one download of it, under the name that the database knows."""
        name = next((name for name in names if known is None or name in known), None)
        query = self._query(database, name or names[0])
        replies: list[Reply] = []

        def origin(_: SeriesRequest) -> Origin:
            release = last_modified(replies[-1]) if replies else None
            return Origin(f"{PUBLIC_BASE}/data360/data?{urlencode(query)}", release)

        try:
            if name is None:
                raise Refusal(f"{database} has no indicator {' or '.join(names)}", Outcome.UNKNOWN_ID)
            pages = self._pages(query, replies)
        except Refusal as refusal:
            return refuse(requests, refusal, origin, replies, self.provider)
        sent = zip(pages, (raw_body(reply, self.provider).sha256 for reply in replies), strict=True)
        rows = pl.concat(kept(page.rows, sha256) for page, sha256 in sent)

        def read(request: SeriesRequest) -> pl.DataFrame:
            return figures_of(rows, request, self.areas, self.window)

        return settle(requests, read, origin, replies, self.provider, self.window)

    def _query(self, database: str, indicator: str) -> dict[str, str | int]:
        return {
            "DATABASE_ID": database,
            "INDICATOR": indicator,
            "timePeriodFrom": self.window.first_year,
            "timePeriodTo": self.window.last_year,
        }

    def few_rows(self, database: str, indicator: str) -> Reply:
        """The rows of some members."""
        query = {**self._query(database, indicator), "REF_AREA": ",".join(MEMBERS), "skip": 0}
        return ask(self.http, self.provider, "data360/data", query)

    def _pages(self, query: dict[str, str | int], replies: list[Reply]) -> list[Page]:
        """All pages of a series; what came is noted in ``replies``. Raises Refusal where any is unusable."""
        pages: list[Page] = []
        rows = 0
        while not pages or rows < pages[0].total:
            reply = ask(self.http, self.provider, "data360/data", {**query, "skip": rows})
            replies.append(reply)
            page = parse(usable(reply, wrong_id={404}))
            pages.append(page)
            rows += page.rows.height
            if page.total != pages[0].total:
                raise Refusal("the pages are not of one release: the number of rows changed between them")
            if rows > page.total or (rows < page.total and page.rows.is_empty()) or len(pages) > MAX_PAGES:
                raise Refusal(f"{rows} rows came where {page.total} are announced")
        return pages


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of each database, then some members. See ``sources.inspection.Inspects``.

    Where a list cannot be had, a series is asked for under its code as it is.
    """
    visit = _Visit(provider, areas, Window(FIRST_YEAR, window.last_year), http)
    databases = list(dict.fromkeys(_database(request) for request in requests))
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        lists = dict(zip(databases, pool.map(visit.indicators, databases), strict=True))
        known = {database: codes for database, (codes, _) in lists.items()}
        names = {each: _name(each, known[_database(each)]) for each in requests}
        series = list(dict.fromkeys((_database(each), name) for each, name in names.items() if name))
        replies = dict(zip(series, pool.map(lambda each: visit.few_rows(*each), series), strict=True))
    taken = {each.code for each in requests}
    return {
        request: by_alias(_inspect(request, replies[_database(request), name], visit), request, name)
        if name
        else missing(request.code, _database(request), known[_database(request)] or (), taken)
        for request, name in names.items()
    }


def _database(request: SeriesRequest) -> str:
    return str(request.option("database"))


def _name(request: SeriesRequest, known: set[str] | None) -> str | None:
    return request.code if known is None else known_name(request, known)


def _inspect(request: SeriesRequest, reply: Reply, visit: _Visit) -> Inspection:
    """What the rows of some members say of a link."""
    if fault := failed(reply):
        return fault
    try:
        rows = kept(parse(reply.content).rows, "")
        check_series(rows, request)
    except Refusal as refusal:
        return unreadable(refusal, reply.url)
    units = rows["UNIT_MEASURE"].drop_nulls().unique().sort()
    found = judged(request, lambda asked: figures_of(rows, asked, visit.areas, visit.window), "unit_measure", units)
    return replace(found, url=reply.url)
