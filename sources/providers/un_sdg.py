"""United Nations, Global SDG Indicators Database: one series at a time, all areas, in every disaggregation.

Belongs here: how this API is asked and paged, and which rows of a series are the ones asked for. Does not belong here:
what is a figure (``figures``), retries and limits (``http``).

A row has dimensions (sex, age, kind of skill), which differ between series, and attributes (unit, nature). The options
of a request name dimensions and attributes verbatim; a dimension that is not named has to be the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.figures import (
    FIGURES,
    Origin,
    Refusal,
    ask,
    document,
    gather,
    json_table,
    judge,
    kept,
    look_up,
    raw_body,
    refuse,
    settle,
    text_column,
    usable,
)
from sources.providers.inspecting import by_alias, judged, known_name, unreadable

PUBLIC_BASE = "https://unstats.un.org/sdgapi/v1/sdg"
PAGE_SIZE = 10_000
FEW_ROWS = 1_000
"""Rows of a request for some members: a series with many disaggregations has hundreds per country."""
MAX_PAGES = 100
TOTALS = ("BOTHSEX", "ALLAGE", "ALLAREA", "ANYS", "_T", "G")
"""Codes of the whole, whatever the dimension: both sexes, all ages and areas, any speed, reported globally."""
DIMENSION, ATTRIBUTE = "dimensions.", "attributes."


@dataclass(frozen=True)
class Page:
    """One page. ``rows`` has ``series``, ``geoAreaCode``, ``timePeriodStart``, ``value`` and, prefixed, what each row
    says in ``dimensions`` and ``attributes``; all text."""

    number: int
    pages: int
    total: int
    rows: pl.DataFrame = field(repr=False)


def parse(body: bytes) -> Page:
    """Read one page. Raises Refusal."""
    content = document(body)
    if not isinstance(content, dict):
        raise Refusal("not an answer of the SDG database: an object is expected")
    try:
        number, pages, total = (int(content[name]) for name in ("pageNumber", "totalPages", "totalElements"))
        data = content["data"]
    except KeyError as error:
        raise Refusal(f"the answer lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise Refusal(f"a number of pages or rows is not a number: {error}") from error
    rows = json_table(data, ("series", "geoAreaCode", "timePeriodStart", "value"))
    return Page(number, pages, total, rows.hstack(_spread(data, DIMENSION) + _spread(data, ATTRIBUTE)))


def _spread(data: list[dict[str, Any]], prefix: str) -> list[pl.Series]:
    """The objects under one field as columns, one a name that occurs in any of them."""
    try:
        objects = [row[prefix.rstrip(".")] for row in data]
        names = sorted(set(chain.from_iterable(objects)))
        return [text_column(prefix + name, [each.get(name) for each in objects]) for name in names]
    except KeyError as error:
        raise Refusal(f"a row lacks the field {error}") from error
    except (TypeError, AttributeError) as error:
        raise Refusal(f"a row's {prefix.rstrip('.')} have another shape than documented: {error}") from error


def releases_of(body: bytes) -> dict[str, str]:
    """Every series of the current release with the release it is of, from ``/Series/List``. Raises Refusal."""
    table = json_table(document(body), ("code", "release"))
    if table.is_empty():
        raise Refusal("the list of series is empty")
    return dict(table.select("code", "release").rows())


def cut(rows: pl.DataFrame, options: dict[str, str]) -> pl.DataFrame:
    """The rows of one disaggregation, with ``fault`` where the unit is not the one asked for.

    Raises Refusal where a dimension is not there under its name, or no row is of the cut: both mean that codes changed.
    """
    known = [name for name in rows.columns if name.startswith(DIMENSION)]
    dimensions = {DIMENSION + name: code for name, code in options.items() if ATTRIBUTE + name not in rows.columns}
    if missing := sorted(set(dimensions) - set(known)):
        raise Refusal(f"no row has {', '.join(missing)}; there are {', '.join(known) or 'no dimensions'}")
    fitting = {
        name: pl.col(name) == dimensions[name]
        if name in dimensions
        else pl.col(name).is_null() | pl.col(name).is_in(TOTALS)
        for name in known
    }
    own = rows.filter(*fitting.values())
    if own.is_empty():
        codes = {name.removeprefix(DIMENSION): sorted(rows[name].drop_nulls().unique()) for name in known}
        wanted = ", ".join(f"{name} {code}" for name, code in options.items()) or "totals"
        raise Refusal(f"no row is of the cut asked for ({wanted}); there are {codes}")
    fault = pl.lit(None, dtype=pl.String)
    for name, code in options.items():
        if (stated := ATTRIBUTE + name) in rows.columns:
            said = pl.format(f"{name} is {{}}, not {code}", pl.col(stated).fill_null("(none)"))
            fault = pl.when(pl.col(stated).ne_missing(code)).then(said).otherwise(fault)
    return own.with_columns(fault=fault)


def figures_of(rows: pl.DataFrame, request: SeriesRequest, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one cut of one series, see ``figures.judge``. ``rows`` are ``figures.kept``. Raises Refusal."""
    if rows.is_empty():
        return pl.DataFrame(schema=FIGURES)
    area = pl.col("geoAreaCode")
    iso3 = area.cast(pl.Int32, strict=False).replace_strict(areas.m49_to_iso3, default=None, return_dtype=pl.String())
    nature = pl.col(f"{ATTRIBUTE}Nature") if f"{ATTRIBUTE}Nature" in rows.columns else pl.lit(None, dtype=pl.String)
    own = cut(rows, {name: str(code) for name, code in request.options}).select(
        pl.coalesce(iso3, area).alias("iso3"),
        pl.col("timePeriodStart").alias("period"),
        "value",
        nature.alias("obs_status"),
        "fault",
        "raw_record",
        "raw_sha256",
    )
    return judge(own, areas, window)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request; requests for cuts of one series share its download. See ``sources.provider.Adapter``."""
    if not requests:
        return Fetched({}, [])
    reply = ask(http, provider, "Series/List", {"allreleases": "false"})
    releases, bodies = look_up(reply, releases_of, provider)
    visit = _Visit(provider, areas, window, http, releases)
    series: dict[str, list[SeriesRequest]] = {}
    for request in requests:
        series.setdefault(request.code, []).append(request)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return gather([Fetched({}, bodies), *pool.map(visit.answer, series, series.values())])


@dataclass(frozen=True)
class _Visit:
    """One visit to the API. ``releases`` is None where the list of series could not be had."""

    provider: Provider
    areas: Areas
    window: Window
    http: Http
    releases: dict[str, str] | None

    def answer(self, code: str, requests: list[SeriesRequest]) -> Fetched:
        """Every request for one series, from one download of it."""
        release = (self.releases or {}).get(code)
        url = f"{PUBLIC_BASE}/Series/Data?seriesCode={quote(code, safe='')}"
        replies: list[Reply] = []

        def origin(_: SeriesRequest) -> Origin:
            return Origin(url, f"SDG {release}" if release else None)

        try:
            if self.releases is not None and code not in self.releases:
                raise Refusal(f"the current release has no series {code}", Outcome.UNKNOWN_ID)
            pages = self._pages(code, replies)
        except Refusal as refusal:
            return refuse(requests, refusal, origin, replies, self.provider)
        sent = zip(pages, (raw_body(reply, self.provider).sha256 for reply in replies), strict=True)
        rows = pl.concat((kept(page.rows, sha256) for page, sha256 in sent), how="diagonal")

        def read(request: SeriesRequest) -> pl.DataFrame:
            return figures_of(rows, request, self.areas, self.window)

        return settle(requests, read, origin, replies, self.provider, self.window)

    def _pages(self, code: str, replies: list[Reply]) -> list[Page]:
        """All pages of a series; what came is noted in ``replies``. Raises Refusal where any is unusable."""
        first = self._page(code, 1, replies)
        if first.pages > MAX_PAGES:
            raise Refusal(f"{first.pages} pages are more than an answer can have")
        pages = [first, *(self._page(code, number, replies) for number in range(2, first.pages + 1))]
        if any((page.pages, page.total) != (first.pages, first.total) for page in pages):
            raise Refusal("the pages are not of one release: their number or that of the rows changed between them")
        if (rows := sum(page.rows.height for page in pages)) != first.total:
            raise Refusal(f"{rows} rows came where {first.total} are announced")
        present = {name for page in pages for name in page.rows["series"].unique()}
        if present - {code}:
            raise Refusal(f"the answer has another series: {', '.join(sorted(map(str, present - {code})))}")
        return pages

    def _page(self, code: str, number: int, replies: list[Reply]) -> Page:
        parameters: dict[str, str | int] = {"seriesCode": code, "pageSize": PAGE_SIZE, "page": number}
        reply = ask(self.http, self.provider, "Series/Data", parameters)
        replies.append(reply)
        page = parse(usable(reply, wrong_id={404}))
        if page.total and page.number != number:
            raise Refusal(f"page {page.number} came where page {number} was asked for")
        return page


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of all of them, then some members. See ``sources.inspection.Inspects``."""
    releases, _ = look_up(ask(http, provider, "Series/List", {"allreleases": "false"}), releases_of, provider)
    seen = Window(FIRST_YEAR, window.last_year)
    names = {each: each.code if releases is None else known_name(each, releases) for each in requests}
    series = list(dict.fromkeys(name for name in names.values() if name))
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        replies = dict(zip(series, pool.map(lambda name: _few_rows(name, provider, areas, http), series), strict=True))
    return {
        request: by_alias(_inspect(request, name, replies[name], areas, seen), request, name)
        if name
        else missing(request.code, "the current release", releases or (), {each.code for each in requests})
        for request, name in names.items()
    }


def _few_rows(code: str, provider: Provider, areas: Areas, http: Http) -> Reply:
    """The rows of some members."""
    m49 = {iso3: number for number, iso3 in areas.m49_to_iso3.items()}
    members = urlencode([("areaCode", m49[iso3]) for iso3 in MEMBERS if iso3 in m49])
    return ask(http, provider, f"Series/Data?{members}", {"seriesCode": code, "pageSize": FEW_ROWS, "page": 1})


def _inspect(request: SeriesRequest, name: str, reply: Reply, areas: Areas, window: Window) -> Inspection:
    """What the rows of some members say of a link."""
    if fault := failed(reply):
        return fault
    try:
        page = parse(reply.content)
        if others := sorted(set(page.rows["series"]) - {name}):
            raise Refusal(f"the answer has another series: {', '.join(map(str, others))}")
    except Refusal as refusal:
        return unreadable(refusal, reply.url)
    rows, unit = kept(page.rows, ""), f"{ATTRIBUTE}Units"
    units = rows[unit].drop_nulls().unique().sort() if unit in rows.columns else ()
    found = judged(request, lambda asked: figures_of(rows, asked, areas, window), "Units", units)
    if page.total > rows.height and found.verdict is not Verdict.OK:
        found = found.noting(f"{rows.height:,} of {page.total:,} rows were read")
    return replace(found, url=reply.url)
