"""World Bank Data360, the API: series of the Bank and of other publishers, by database and indicator.

The API gives the same answer for an unknown indicator and for one without data, so that codes are first looked up in
the database's list. Cuts and units belong in ``data360_rows``, the same series as files in ``data360_files``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, missing
from sources.observation import Areas
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched, with_raw_record
from sources.parsing.pages import keys_of, may_continue, require_no_further_rows, require_one_answer
from sources.parsing.responses import (
    UnusableResponse,
    code_and_aliases,
    get,
    group_requests,
    in_parallel,
    last_modified,
    raw_body,
    read_optional,
    require_content,
)
from sources.parsing.tables import parse_json, rows_to_table
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.data360_rows import OPTIONAL, REQUIRED, check_series, observations_of
from sources.providers.inspecting import inspect_observations, inspect_reply, known_code, note_alias
from sources.smoke_check import ContractViolation, SmokeCheck, require_name

PUBLIC_BASE = "https://data360api.worldbank.org"
MAX_PAGES = 200
DATABASES = {
    "ITU_DH": "MOB_COV_4G",
    "ITU_GCI": "ITU_GCI_GCI_OVRL_SCRE",
    "UN_EGDI": "UN_EGDI_EGDI",
    "WB_GTMI": "WB_GTMI_GTEI",
    "WB_FINDEX": "WB_FINDEX_G20_ANY",
}
"""Database -> an indicator that the catalogue requests from it, for the smoke checks."""
VALUES = {"OBS_VALUE", "OBS_STATUS", "OBS_CONF", "COMMENT_OBS", "COMMENT_TS", "DATA_SOURCE", "DECIMALS", "LATEST_DATA"}
"""Fields that do not identify a row."""
LAST_EGDI = 2024
"""The survey that the copy of the e-government index must have: one copy ended in 2020."""


@dataclass(frozen=True)
class Data360Page:
    """One page. ``total`` is the number of rows on all pages; ``rows`` has the fields as sent, all text."""

    total: int
    rows: pl.DataFrame = field(repr=False)
    keys: pl.Series = field(repr=False)


def parse(body: bytes) -> Data360Page:
    """Return one page of ``/data360/data``. Raise UnusableResponse if the body is not one."""
    content = parse_json(body)
    if not isinstance(content, dict):
        raise UnusableResponse("not an answer of Data360: an object is expected")
    try:
        total, rows = int(content["count"]), rows_to_table(content["value"], REQUIRED, OPTIONAL)
        return Data360Page(total, rows, keys_of(content["value"], VALUES))
    except KeyError as error:
        raise UnusableResponse(f"the answer lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise UnusableResponse(f"the count is not a number: {error}") from error


def parse_indicators(body: bytes) -> set[str]:
    """Return a database's indicators from ``/data360/indicators``: a list, or an object with a list in ``value``."""
    content = parse_json(body)
    ids = content.get("value") if isinstance(content, dict) else content
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
        raise UnusableResponse("not a list of indicators")
    return set(ids)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; requests for cuts of one series share its download.

    See ``sources.provider.Adapter``.
    """
    run = _Data360Fetch(provider, areas, window, http)
    databases = list(dict.fromkeys(map(_database, requests)))
    series = group_requests(requests, lambda one: (_database(one), *code_and_aliases(one)))
    lists = in_parallel(provider, run.indicators, databases)
    known = {name: found for name, (found, _) in lists.items()}
    parts = in_parallel(provider, lambda key: run.answer(key[0], key[1:], known[key[0]], series[key]), series)
    return merge_fetched([*(Fetched({}, bodies) for _, bodies in lists.values()), *parts.values()])


@dataclass(frozen=True)
class _Data360Fetch:
    """The requests of one ``fetch`` or ``inspect``."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http

    def indicators(self, database: str) -> tuple[set[str] | None, list[RawBody]]:
        """Return the database's indicators, None if the list cannot be read; and the body of the list."""
        reply = get(self.http, self.provider, "data360/indicators", {"datasetId": database})
        return read_optional(reply, parse_indicators, self.provider)

    def answer(
        self, database: str, names: Sequence[str], known: set[str] | None, requests: list[SeriesRequest]
    ) -> Fetched:
        """Answer all requests for one series from one download, by the first of its codes that the database has."""
        name = next((name for name in names if known is None or name in known), None)
        query = self._query(database, name or names[0])
        replies: list[Reply] = []
        further: list[RawBody] = []

        def origin(_: SeriesRequest) -> Origin:
            release = last_modified(replies[-1]) if replies else None
            return Origin(f"{PUBLIC_BASE}/data360/data?{urlencode(query)}", release)

        try:
            if name is None:
                raise UnusableResponse(f"{database} has no indicator {' or '.join(names)}", Outcome.UNKNOWN_ID)
            pages = self._pages(query, replies)
            self._require_whole(query, pages, further)
        except UnusableResponse as error:
            return build_failed_answers(requests, error, origin, replies, self.provider, further)
        sent = zip(pages, (raw_body(reply, self.provider).sha256 for reply in replies), strict=True)
        rows = pl.concat(with_raw_record(page.rows, sha256) for page, sha256 in sent)

        def read(request: SeriesRequest) -> pl.DataFrame:
            return observations_of(rows, request, self.areas, self.window)

        return build_answers(requests, read, origin, replies, self.provider, self.window, further)

    def _query(self, database: str, indicator: str) -> dict[str, str | int]:
        return {
            "DATABASE_ID": database,
            "INDICATOR": indicator,
            "timePeriodFrom": self.window.first_year,
            "timePeriodTo": self.window.last_year,
        }

    def few_rows(self, database: str, indicator: str) -> Reply:
        """Request the rows of some members."""
        query = {**self._query(database, indicator), "REF_AREA": ",".join(MEMBERS), "skip": 0}
        return get(self.http, self.provider, "data360/data", query)

    def _pages(self, query: dict[str, str | int], replies: list[Reply]) -> list[Data360Page]:
        """Return all pages of a series, and append their replies to ``replies``.

        Raises:
            UnusableResponse: If a page is unusable, or the pages do not form one answer.
        """
        pages: list[Data360Page] = []
        rows = 0
        while not pages or rows < pages[0].total:
            reply = get(self.http, self.provider, "data360/data", {**query, "skip": rows})
            replies.append(reply)
            page = parse(require_content(reply, unknown_id={404}))
            pages.append(page)
            rows += page.rows.height
            if page.total != pages[0].total:
                raise UnusableResponse("the pages are not of one release: the number of rows changed between them")
            if rows > page.total or (rows < page.total and page.rows.is_empty()) or len(pages) > MAX_PAGES:
                raise UnusableResponse(f"{rows} rows came instead of {page.total}")
        require_one_answer([page.keys for page in pages], pages[0].total)
        return pages

    def _require_whole(self, query: dict[str, str | int], pages: Sequence[Data360Page], further: list[RawBody]) -> None:
        """Raise UnusableResponse if rows follow the announced ones: the count is then that of one page.

        The answer does not state the size of a page, so one more page is requested if the last one is as full as the
        first. Its body is appended to ``further``.
        """
        keys = [page.keys for page in pages]
        if not may_continue(keys):
            return
        reply = get(self.http, self.provider, "data360/data", {**query, "skip": pages[0].total})
        after, bodies = read_optional(reply, parse, self.provider)
        further += bodies
        if after is not None:
            require_no_further_rows(keys, after.keys)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of each database, then some members. See ``sources.inspection.Inspects``.

    If a list cannot be read, a series is requested by its code.
    """
    run = _Data360Fetch(provider, areas, Window(FIRST_YEAR, window.last_year), http)
    databases = list(dict.fromkeys(map(_database, requests)))
    known = {database: codes for database, (codes, _) in in_parallel(provider, run.indicators, databases).items()}
    names = {each: _name(each, known[_database(each)]) for each in requests}
    series = dict.fromkeys((_database(each), name) for each, name in names.items() if name)
    replies = in_parallel(provider, lambda each: run.few_rows(*each), series)
    taken = {each.code for each in requests}
    return {
        request: note_alias(_inspect(request, replies[_database(request), name], run), request, name)
        if name
        else missing(request.code, _database(request), known[_database(request)] or (), taken)
        for request, name in names.items()
    }


def _database(request: SeriesRequest) -> str:
    return str(request.option("database"))


def _name(request: SeriesRequest, known: set[str] | None) -> str | None:
    return request.code if known is None else known_code(request, known)


def _inspect(request: SeriesRequest, reply: Reply, run: _Data360Fetch) -> Inspection:
    """Return the result for a link from the rows of some members."""

    def read(content: bytes) -> Inspection:
        rows = with_raw_record(parse(content).rows, "")
        check_series(rows, request)
        units = rows["UNIT_MEASURE"].drop_nulls().unique().sort()
        return inspect_observations(
            request, lambda one: observations_of(rows, one, run.areas, run.window), "unit_measure", units
        )

    return inspect_reply(reply, read)


def smoke_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    egdi: dict[str, str | int] = {"DATABASE_ID": "UN_EGDI", "INDICATOR": "UN_EGDI_EGDI", "REF_AREA": "KAZ", "skip": 0}
    gci: dict[str, str | int] = {"DATABASE_ID": "ITU_GCI", "INDICATOR": DATABASES["ITU_GCI"], "REF_AREA": "KAZ"}
    return [
        *(
            SmokeCheck(
                f"the indicators of {database}",
                "data360/indicators",
                partial(_check_indicators, indicator),
                {"datasetId": database},
            )
            for database, indicator in DATABASES.items()
        ),
        SmokeCheck(
            f"whether the e-government index reaches {LAST_EGDI}",
            "data360/data",
            _check_last_egdi,
            egdi | {"timePeriodFrom": LAST_EGDI - 4, "timePeriodTo": year},
        ),
        SmokeCheck(
            "one series of one country",
            "data360/data",
            lambda reply: f"{parse(reply.content).total} rows",
            gci | {"skip": 0},
        ),
    ]


def _check_indicators(indicator: str, reply: Reply) -> str:
    return require_name(parse_indicators(reply.content), indicator)


def _check_last_egdi(reply: Reply) -> str:
    last = max(map(str, parse(reply.content).rows["TIME_PERIOD"].drop_nulls()), default="no year")
    if not str(LAST_EGDI) <= last <= "9999":
        raise ContractViolation(f"the copy ends in {last}: it is a fallback only if it is as recent as what is known")
    return f"up to {last}"
