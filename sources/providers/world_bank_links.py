"""World Bank Indicators API v2: whether the catalogue's codes exist in their database and still have figures.

Belongs here: the databases' lists of codes, and one small request per series. Does not belong here: reading pages and
figures, which is the adapter's (``world_bank``), the walk over all links (``sources.checks.links``).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import quote

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing import observations as figures
from sources.parsing.observations import document, usable
from sources.provider import Outcome, SeriesRequest, Window
from sources.providers.world_bank import MAX_PAGES, PER_PAGE, PUBLIC_BASE, Page, Refusal, judge, parse, passing

ROWS = 500
"""Rows of one request: three members, and the whole of a series' years where the API ignores the window."""


def parse_codes(body: bytes) -> tuple[set[str], int]:
    """The codes on one page of a database's list of indicators, and the number of pages. Raises Refusal."""
    try:
        head, rows = document(body)
        return {str(row["id"]) for row in rows}, int(head["pages"])
    except (TypeError, ValueError, KeyError) as error:
        raise figures.Refusal("not a World Bank list of indicators") from error


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series. See ``sources.inspection.Inspects``.

    The list of each database is asked first; where it cannot be had, the answer for the series says whether it exists.
    """
    visit = _Visit(provider, areas, Window(FIRST_YEAR, window.last_year), http)
    databases = list(dict.fromkeys(_database(request) for request in requests))
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        lists = dict(zip(databases, pool.map(visit.codes, databases), strict=True))
        known = {name: codes for name, codes in lists.items() if codes}
        taken = {request.code for request in requests}
        found = pool.map(lambda request: visit.inspect(request, known, taken), requests)
        return dict(zip(requests, found, strict=True))


def _database(request: SeriesRequest) -> str:
    return str(request.option("source", 2))


@dataclass(frozen=True)
class _Visit:
    """One check of the API: whom, about which areas and years, over which session."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http

    def codes(self, database: str) -> set[str] | None:
        """The codes of a database; None where the list cannot be had."""
        found: set[str] = set()
        page = pages = 1
        while page <= min(pages, MAX_PAGES):
            query: dict[str, str | int] = {"format": "json", "per_page": PER_PAGE, "page": page}
            try:
                codes, pages = parse_codes(usable(self._ask(f"sources/{database}/indicators", query)))
            except figures.Refusal:
                return None
            found |= codes
            page += 1
        return found

    def inspect(self, request: SeriesRequest, known: dict[str, set[str]], taken: set[str]) -> Inspection:
        """One series of some members, read as in a refresh."""
        database = _database(request)
        if database in known and request.code not in known[database]:
            others = {f"source {name}": codes for name, codes in known.items() if name != database}
            return missing(request.code, f"source {database}", known[database], taken, others)
        span = f"{self.window.first_year}:{self.window.last_year}"
        reply = self._ask(
            f"country/{';'.join(MEMBERS)}/indicator/{quote(request.code, safe='')}",
            {"source": database, "format": "json", "per_page": ROWS, "date": span, "page": 1},
        )
        try:
            page = parse(reply.content)
        except Refusal as refusal:
            if reply.failure is None or refusal.by_provider:
                verdict = Verdict.GONE if refusal.outcome is Outcome.UNKNOWN_ID else Verdict.UNREADABLE
                return Inspection(verdict, refusal.reason, url=reply.url)
            page = None
        fault = failed(reply)
        if fault or page is None:
            return fault or Inspection(Verdict.UNREADABLE, url=reply.url)
        return replace(self._read(request, page), url=reply.url)

    def _read(self, request: SeriesRequest, page: Page) -> Inspection:
        """What the rows say, by the adapter's own judgement."""
        database = _database(request)
        if page.source not in (None, database):
            return Inspection(Verdict.UNREADABLE, f"rows of source {page.source} came, not of source {database}")
        judged = judge(page.rows, "", [request.code], self.areas, self.window)
        years = judged.filter(pl.col("reason").is_null())["year"]
        if years.len():
            return Inspection(Verdict.OK, newest=int(years.max()))  # type: ignore[arg-type]
        if judged.height:
            return Inspection(Verdict.UNREADABLE, f"no figure can be used: {judged['reason'][0]}")
        span = f"{self.window.first_year}-{self.window.last_year}"
        return Inspection(Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)} for {span}")

    def _ask(self, path: str, query: dict[str, str | int]) -> Reply:
        """One GET, sent again where the API throttles."""
        return self.http.get(
            f"{str(self.provider.base_url or PUBLIC_BASE).rstrip('/')}/{path}",
            query,
            accept=("application/json",),
            transient=passing,
            **self.provider.limits,
        )
