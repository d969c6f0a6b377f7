"""United Nations, Global SDG Indicators Database: one series per download, all areas, all disaggregations.

A row has dimensions (sex, age, kind of skill), which differ between series, and attributes (unit, nature). The options
of a request name dimensions and attributes with one code, or with several codes separated by commas. The first code
that occurs is used. A dimension that is not named is the total: each code of a total, or a dimension that is missing,
null or empty. The option ``aliases`` has other codes of the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from urllib.parse import quote, urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import GATEWAY_TIMEOUT, FailureKind, Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, missing
from sources.observation import Areas
from sources.parsing.observations import (
    NO_TEXT,
    PARSED,
    Origin,
    build_answers,
    build_failed_answers,
    matches_cut,
    merge_fetched,
    parse_observations,
    with_raw_record,
)
from sources.parsing.pages import may_continue, require_no_further_rows, require_one_answer
from sources.parsing.responses import (
    UnusableResponse,
    code_and_aliases,
    get,
    group_requests,
    in_parallel,
    raw_body,
    read_optional,
    require_content,
    split_codes,
)
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.inspecting import inspect_observations, inspect_reply, known_code, note_alias
from sources.providers.un_sdg_pages import ATTRIBUTE, DIMENSION, SdgPage, parse, releases_of
from sources.smoke_check import ContractViolation, SmokeCheck

PUBLIC_BASE = "https://unstats.un.org/sdgapi/v1/sdg"
PAGE_SIZES = (1_000, 500, 250)
"""Rows per page: the usual size of this API's clients, and the sizes after a timeout."""
MAX_ROWS = 1_000_000
TIMEOUTS = {FailureKind.TIMEOUT, FailureKind.DEADLINE}
TOTALS = ("_T", "BOTHSEX", "ALLAGE", "ALLAREA", "ANYS", "G", "NOTSPEC")
"""Codes of the total of any dimension: both sexes, all ages and areas, any speed, reported globally, and NOTSPEC, which
the database's tables have where the API leaves the dimension out."""
FEW_ROWS = 1_000
"""Rows of a request for some members: a series with many disaggregations has hundreds per country."""
ALIASES = "aliases"


def cut(rows: pl.DataFrame, options: dict[str, str]) -> pl.DataFrame:
    """Return the rows of one disaggregation, with a ``fault`` in rows with another attribute than requested.

    Args:
        rows: Rows of one series, as in ``SdgPage``.
        options: Dimension or attribute -> its code, or several codes separated by commas.

    Raises:
        UnusableResponse: If a dimension with a requested part is missing, or no row is of the cut: codes changed.
    """
    known = [name for name in rows.columns if name.startswith(DIMENSION)]
    asked = {name: split_codes(codes) for name, codes in options.items() if name != ALIASES}
    attributes = {name: codes for name, codes in asked.items() if ATTRIBUTE + name in rows.columns}
    dimensions = {DIMENSION + name: codes for name, codes in asked.items() if name not in attributes}
    parts = {name for name, codes in dimensions.items() if not set(codes) & set(TOTALS)}
    if missing := sorted(parts - set(known)):
        raise UnusableResponse(f"no row has {', '.join(missing)}; there are {', '.join(known) or 'no dimensions'}")
    own = rows.filter(*(matches_cut(rows, name, dimensions.get(name, []), TOTALS) for name in known))
    if own.is_empty():
        present = {name.removeprefix(DIMENSION): sorted(rows[name].drop_nulls().unique()) for name in known}
        wanted = ", ".join(f"{name} {' or '.join(each)}" for name, each in asked.items()) or "totals"
        raise UnusableResponse(f"no row is of the requested cut ({wanted}); there are {present}")
    fault: pl.Expr = NO_TEXT
    for name, codes in attributes.items():
        stated = pl.col(ATTRIBUTE + name)
        differs = pl.format(f"{name} is {{}}, not {' or '.join(codes)}", stated.fill_null("(none)"))
        fault = pl.when(matches_cut(own, ATTRIBUTE + name, codes, ()).fill_null(False)).then(fault).otherwise(differs)
    return own.with_columns(fault=fault)


def observations_of(rows: pl.DataFrame, request: SeriesRequest, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one cut of one series, see ``parse_observations``.

    Args:
        rows: Rows of the series with the columns of ``with_raw_record``.
        request: The series with the options of the cut.
        areas: The known areas.
        window: The requested years.

    Raises:
        UnusableResponse: As ``cut``.
    """
    if rows.is_empty():
        return pl.DataFrame(schema=PARSED)
    area = pl.col("geoAreaCode")
    iso3 = area.cast(pl.Int32, strict=False).replace_strict(areas.m49_to_iso3, default=None, return_dtype=pl.String())
    return parse_observations(
        cut(rows, {name: str(code) for name, code in request.options}),
        areas,
        window,
        iso3=pl.coalesce(iso3, area),
        period="timePeriodStart",
        obs_status=f"{ATTRIBUTE}Nature" if f"{ATTRIBUTE}Nature" in rows.columns else NO_TEXT,
        fault="fault",
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; requests for cuts of one series share its download.

    See ``sources.provider.Adapter``.
    """
    if not requests:
        return Fetched({}, [])
    releases, bodies = read_optional(_list_series(provider, http), releases_of, provider)
    run = _UnSdgFetch(provider, areas, window, http, releases)
    series = group_requests(requests, lambda one: tuple(code_and_aliases(one)))
    parts = in_parallel(provider, lambda names: run.answer(names, series[names]), series)
    return merge_fetched([Fetched({}, bodies), *parts.values()])


@dataclass(frozen=True)
class _UnSdgFetch:
    """The requests of one ``fetch``. ``releases`` is None if the list of series could not be read."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http
    releases: dict[str, str] | None

    def answer(self, names: Sequence[str], requests: list[SeriesRequest]) -> Fetched:
        """Answer all requests for one series from one download, by the first of its codes that the release has."""
        name = next((name for name in names if self.releases is None or name in self.releases), None)
        release = (self.releases or {}).get(name or "")
        url = f"{PUBLIC_BASE}/Series/Data?seriesCode={quote(name or names[0], safe='')}"
        replies: list[Reply] = []
        abandoned: list[RawBody] = []

        def origin(_: SeriesRequest) -> Origin:
            return Origin(url, f"SDG {release}" if release else None)

        try:
            if name is None:
                raise UnusableResponse(f"the current release has no series {' or '.join(names)}", Outcome.UNKNOWN_ID)
            pages = self._pages(name, replies, abandoned)
        except UnusableResponse as error:
            return build_failed_answers(requests, error, origin, replies, self.provider, abandoned)
        sent = zip(pages, (raw_body(reply, self.provider).sha256 for reply in replies), strict=True)
        rows = pl.concat((with_raw_record(page.rows, sha256) for page, sha256 in sent), how="diagonal")

        def read(request: SeriesRequest) -> pl.DataFrame:
            return observations_of(rows, request, self.areas, self.window)

        return build_answers(requests, read, origin, replies, self.provider, self.window, abandoned)

    def _pages(self, code: str, replies: list[Reply], abandoned: list[RawBody]) -> list[SdgPage]:
        """Return all pages of a series; after a timeout all of them in smaller pages.

        Replies are appended to ``replies``, those before a timeout to ``abandoned``.

        Raises:
            UnusableResponse: If a page is unusable, or the pages do not form one answer.
        """
        *larger, smallest = PAGE_SIZES
        for size in larger:
            try:
                return self._pages_of(code, size, replies, abandoned)
            except UnusableResponse:
                if not any(map(_timed_out, replies)):
                    raise
                late = UnusableResponse(f"read again in smaller pages: one of {size} rows did not come in time")
                abandoned += [raw_body(reply, self.provider, late) for reply in replies if reply.content]
                replies.clear()
        return self._pages_of(code, smallest, replies, abandoned)

    def _pages_of(self, code: str, size: int, replies: list[Reply], abandoned: list[RawBody]) -> list[SdgPage]:
        """Return all pages of one size, those after the first in parallel. See ``_pages``."""
        replies.append(self._page(code, size, 1))
        first = _read(replies[0], 1)
        if (first.pages - 1) * size >= MAX_ROWS:
            raise UnusableResponse(f"{first.pages} pages are more than an answer can have")
        numbers = range(2, first.pages + 1)
        replies += in_parallel(self.provider, lambda number: self._page(code, size, number), numbers).values()
        pages = [first, *(_read(reply, number) for number, reply in enumerate(replies[1:], start=2))]
        if any((page.pages, page.total) != (first.pages, first.total) for page in pages):
            raise UnusableResponse(
                "the pages are not of one release: their number or that of the rows changed between them"
            )
        keys = [page.keys for page in pages]
        require_one_answer(keys, first.total)
        if may_continue(keys, size):
            after = self._page(code, size, len(pages) + 1)
            found, bodies = read_optional(after, parse, self.provider)
            abandoned += bodies
            if found is not None:
                require_no_further_rows(keys, found.keys)
        present = {name for page in pages for name in page.rows["series"].unique()}
        if present - {code}:
            raise UnusableResponse(f"the answer has another series: {', '.join(sorted(map(str, present - {code})))}")
        return pages

    def _page(self, code: str, size: int, number: int) -> Reply:
        parameters: dict[str, str | int] = {"seriesCode": code, "pageSize": size, "page": number}
        return get(self.http, self.provider, "Series/Data", parameters, retry_timeouts=size == PAGE_SIZES[-1])


def _read(reply: Reply, number: int) -> SdgPage:
    """Return the page of a reply. Raise UnusableResponse if it is another page than requested."""
    page = parse(require_content(reply, unknown_id={404}))
    if page.total and page.number != number:
        raise UnusableResponse(f"page {page.number} came instead of page {number}")
    return page


def _timed_out(reply: Reply) -> bool:
    """Return whether a page was not sent in time, by our limit or that of the provider's gateway."""
    return reply.status == GATEWAY_TIMEOUT or (reply.failure is not None and reply.failure.kind in TIMEOUTS)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of all of them, then some members. See ``sources.inspection.Inspects``."""
    releases, _ = read_optional(_list_series(provider, http), releases_of, provider)
    seen = Window(FIRST_YEAR, window.last_year)
    names = {each: each.code if releases is None else known_code(each, releases) for each in requests}
    series = dict.fromkeys(name for name in names.values() if name)
    replies = in_parallel(provider, lambda name: _few_rows(name, provider, areas, http), series)
    return {
        request: note_alias(_inspect(request, name, replies[name], areas, seen), request, name)
        if name
        else missing(request.code, "the current release", releases or (), {each.code for each in requests})
        for request, name in names.items()
    }


def _few_rows(code: str, provider: Provider, areas: Areas, http: Http) -> Reply:
    """Request the rows of some members."""
    m49 = {iso3: number for number, iso3 in areas.m49_to_iso3.items()}
    members = urlencode([("areaCode", m49[iso3]) for iso3 in MEMBERS if iso3 in m49])
    return get(http, provider, f"Series/Data?{members}", {"seriesCode": code, "pageSize": FEW_ROWS, "page": 1})


def _inspect(request: SeriesRequest, name: str, reply: Reply, areas: Areas, window: Window) -> Inspection:
    """Return the result for a link from the rows of some members."""

    def read(content: bytes) -> Inspection:
        page = parse(content)
        if others := sorted(set(page.rows["series"]) - {name}):
            raise UnusableResponse(f"the answer has another series: {', '.join(map(str, others))}")
        rows, unit = with_raw_record(page.rows, ""), f"{ATTRIBUTE}Units"
        units = rows[unit].drop_nulls().unique().sort() if unit in rows.columns else ()
        result = inspect_observations(request, lambda one: observations_of(rows, one, areas, window), "Units", units)
        if page.total > rows.height and result.verdict is not Verdict.OK:
            result = result.noting(f"{rows.height:,} of {page.total:,} rows were read")
        return result

    return inspect_reply(reply, read)


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the release of each series in the list of series. See ``sources.providers.ReportsRelease``."""
    known = releases_of(require_content(_list_series(provider, http)))
    return {request: known[request.code] for request in requests if request.code in known}


def _list_series(provider: Provider, http: Http) -> Reply:
    return get(http, provider, "Series/List", {"allreleases": "false"})


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    query: dict[str, str | int] = {"areaCode": 398, "pageSize": 100, "page": 1}
    return [
        SmokeCheck(
            f"{code} of one country", "Series/Data", partial(_check_series, code, unit), query | {"seriesCode": code}
        )
        for code, unit in (("IT_USE_ii99", "PERCENT"), ("IT_MOB_5GNTWK", "PERCENT"), ("IT_NET_BBND", None))
    ]


def _check_series(code: str, unit: str | None, reply: Reply) -> str:
    page = parse(reply.content)
    if set(page.rows["series"]) != {code}:
        raise ContractViolation(f"the series {sorted(set(page.rows['series']))} came")
    column = f"{ATTRIBUTE}Units"
    units = sorted(set(page.rows[column].drop_nulls())) if column in page.rows.columns else []
    if unit and unit not in units:
        raise ContractViolation(f"no row has Units {unit}, but {', '.join(units) or 'none'}")
    return f"{page.total} rows in {', '.join(units) or 'no stated unit'}"
