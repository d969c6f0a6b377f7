"""World Bank Indicators API v2: checks of the catalogue's codes, and smoke checks of the service.

Fetching observations belongs in ``world_bank``, reading bodies in ``world_bank_pages``.
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
from sources.parsing.responses import UnusableResponse, get, require_content
from sources.provider import Outcome, SeriesRequest, Window
from sources.providers.inspecting import inspect_observations
from sources.providers.world_bank_pages import (
    LAST_UPDATED,
    MAX_PAGES,
    PER_PAGE,
    ApiError,
    WorldBankPage,
    database_of,
    is_throttled,
    observations_of,
    parse,
    parse_codes,
)
from sources.smoke_check import ContractViolation, SmokeCheck

INSPECTED_ROWS = 500
"""Rows of one request: three members, and all years of a series if the API ignores the window."""
INTERNET = "IT.NET.USER.ZS"


def inspect_links(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series. See ``sources.inspection.Inspects``.

    The list of each database is requested first. Without it, the answer for a series shows whether the code exists.
    """
    run = _WorldBankInspection(provider, areas, Window(FIRST_YEAR, window.last_year), http)
    databases = list(dict.fromkeys(database_of(request) for request in requests))
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        lists = dict(zip(databases, pool.map(run.codes, databases), strict=True))
        known = {name: codes for name, codes in lists.items() if codes}
        taken = {request.code for request in requests}
        found = pool.map(lambda request: run.inspect(request, known, taken), requests)
        return dict(zip(requests, found, strict=True))


@dataclass(frozen=True)
class _WorldBankInspection:
    """The calls of one ``inspect_links``."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http

    def codes(self, database: str) -> set[str] | None:
        """Return the codes of a database, None if the list cannot be read."""
        found: set[str] = set()
        page = pages = 1
        while page <= min(pages, MAX_PAGES):
            query: dict[str, str | int] = {"format": "json", "per_page": PER_PAGE, "page": page}
            try:
                codes, pages = parse_codes(require_content(self._get(f"sources/{database}/indicators", query)))
            except UnusableResponse:
                return None
            found |= codes
            page += 1
        return found

    def inspect(self, request: SeriesRequest, known: dict[str, set[str]], taken: set[str]) -> Inspection:
        """Inspect one series by the observations of some members, parsed as in a refresh."""
        database = database_of(request)
        if database in known and request.code not in known[database]:
            others = {f"source {name}": codes for name, codes in known.items() if name != database}
            return missing(request.code, f"source {database}", known[database], taken, others)
        span = f"{self.window.first_year}:{self.window.last_year}"
        reply = self._get(
            f"country/{';'.join(MEMBERS)}/indicator/{quote(request.code, safe='')}",
            {"source": database, "format": "json", "per_page": INSPECTED_ROWS, "date": span, "page": 1},
        )
        fault = failed(reply)
        try:
            page = parse(reply.content)
        except UnusableResponse as error:
            if fault is not None and not isinstance(error, ApiError):
                return fault
            verdict = Verdict.GONE if error.outcome is Outcome.UNKNOWN_ID else Verdict.UNREADABLE
            return Inspection(verdict, error.reason, url=reply.url)
        return fault or replace(self._inspect_page(request, page), url=reply.url)

    def _inspect_page(self, request: SeriesRequest, page: WorldBankPage) -> Inspection:
        database = database_of(request)
        if page.source not in (None, database):
            return Inspection(Verdict.UNREADABLE, f"rows of source {page.source} came, not of source {database}")
        observations = observations_of(page.rows, "", [request.code], self.areas, self.window)
        if observations.is_empty():
            span = f"{self.window.first_year}-{self.window.last_year}"
            return Inspection(Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)} for {span}")
        return inspect_observations(request, lambda _: observations)

    def _get(self, path: str, query: dict[str, str | int]) -> Reply:
        return get(self.http, self.provider, path, query, transient=is_throttled)


def contract_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    query: dict[str, str | int] = {"format": "json", "per_page": 100}
    recent = query | {"date": f"{year - 6}:{year}"}
    return [
        SmokeCheck(
            "a series of two countries",
            f"country/UZB;KAZ/indicator/{INTERNET}",
            _check_series,
            recent | {"source": 2},
        ),
        SmokeCheck("when the WDI changed", "sources/2", _check_last_updated, {"format": "json"}),
        SmokeCheck(
            "a code that does not exist",
            "country/UZB/indicator/NO.SUCH.CODE",
            _check_unknown,
            recent,
            reads_failures=True,
        ),
        SmokeCheck(
            "a country that does not exist",
            f"country/QQQ/indicator/{INTERNET}",
            _check_unknown,
            recent,
            reads_failures=True,
        ),
        SmokeCheck(
            "a series of Global Findex",
            "country/UZB;KAZ/indicator/g20.any",
            _check_findex,
            query | {"source": 28, "date": "2011:2024"},
        ),
    ]


def _check_series(reply: Reply) -> str:
    page = parse(reply.content)
    codes, areas = set(page.rows["indicator"]), set(page.rows["countryiso3code"])
    if (codes, areas, page.source) != ({INTERNET}, {"UZB", "KAZ"}, "2"):
        raise ContractViolation(
            f"indicators {sorted(codes)}, countries {sorted(map(str, areas))}, source {page.source}"
        )
    if page.total != page.rows.height or page.last_updated is None:
        raise ContractViolation(f"{page.rows.height} rows instead of {page.total}, last updated {page.last_updated}")
    return f"{page.total} rows, last updated {page.last_updated}"


def _check_last_updated(reply: Reply) -> str:
    if not (found := LAST_UPDATED.search(reply.content)):
        raise ContractViolation("no lastupdated: every refresh will request everything again")
    return f"last updated {found[1].decode()}"


def _check_unknown(reply: Reply) -> str:
    try:
        page = parse(reply.content)
    except UnusableResponse as error:
        if error.outcome is Outcome.UNKNOWN_ID:
            return error.reason
        raise
    raise ContractViolation(
        f"a code that does not exist gives {page.total} rows: it would be taken for a series without data"
    )


def _check_findex(reply: Reply) -> str:
    page = parse(reply.content)
    values = page.rows["value"].cast(pl.Float64, strict=False).drop_nulls().to_list()
    codes = sorted(set(page.rows["indicator"]))
    if codes != ["g20.any"] or page.source != "28" or not values:
        raise ContractViolation(f"indicators {codes}, source {page.source}, {len(values)} figures")
    if max(values) <= 1:
        raise ContractViolation(f"shares came, the highest {max(values)}, where percentages are expected")
    return f"{len(values)} figures"
