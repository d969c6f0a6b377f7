"""United Nations, Global SDG Indicators Database: one series at a time, all areas, in every disaggregation.

Belongs here: how this API is asked and paged, and which rows of a series are the ones asked for. Does not belong here:
what is a figure (``figures``), retries and limits (``http``).

A row has dimensions (sex, age, kind of skill), which differ between series, and attributes (unit, nature). The options
of a request name dimensions and attributes verbatim, with one code or several with commas between, of which the first
that occurs is taken. A dimension that is not named has to be the total. A total that is asked for is met by every code
of a total, and by a dimension that is absent, null or empty. The option ``aliases`` names other codes of the series.
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
from sources.http.client import GATEWAY_TIMEOUT, FailureKind, Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing.observations import (
    FIGURES,
    Origin,
    Refusal,
    ask,
    codes_of,
    document,
    gather,
    json_table,
    judge,
    kept,
    look_up,
    one_cut,
    raw_body,
    refuse,
    settle,
    text_column,
    usable,
)
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.inspecting import by_alias, judged, known_name, unreadable

PUBLIC_BASE = "https://unstats.un.org/sdgapi/v1/sdg"
PAGE_SIZES = (1_000, 500, 250)
"""Rows a page: the size that clients of this API use, and those that are asked for after a timeout."""
MAX_ROWS = 1_000_000
TIMEOUTS = {FailureKind.TIMEOUT, FailureKind.DEADLINE}
TOTALS = ("_T", "BOTHSEX", "ALLAGE", "ALLAREA", "ANYS", "G", "NOTSPEC")
"""Codes of the whole, whatever the dimension: both sexes, all ages and areas, any speed, reported globally, not split
(the database's tables write NOTSPEC where the API leaves the dimension out)."""
FEW_ROWS = 1_000
"""Rows of a request for some members: a series with many disaggregations has hundreds per country."""
DIMENSION, ATTRIBUTE = "dimensions.", "attributes."
ALIASES = "aliases"


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
    """The rows of one disaggregation, with ``fault`` where an attribute is not the one asked for.

    Args:
        rows: Rows of one series, as in ``Page``.
        options: Dimension or attribute -> its code, or several with commas between.

    Raises:
        Refusal: A dimension of which a part is asked for is not there, or no row is of the cut: codes changed.
    """
    known = [name for name in rows.columns if name.startswith(DIMENSION)]
    asked = {name: codes_of(codes) for name, codes in options.items() if name != ALIASES}
    attributes = {name: codes for name, codes in asked.items() if ATTRIBUTE + name in rows.columns}
    dimensions = {DIMENSION + name: codes for name, codes in asked.items() if name not in attributes}
    parts = {name for name, codes in dimensions.items() if not set(codes) & set(TOTALS)}
    if missing := sorted(parts - set(known)):
        raise Refusal(f"no row has {', '.join(missing)}; there are {', '.join(known) or 'no dimensions'}")
    own = rows.filter(*(one_cut(rows, name, dimensions.get(name, []), TOTALS) for name in known))
    if own.is_empty():
        there = {name.removeprefix(DIMENSION): sorted(rows[name].drop_nulls().unique()) for name in known}
        wanted = ", ".join(f"{name} {' or '.join(each)}" for name, each in asked.items()) or "totals"
        raise Refusal(f"no row is of the cut asked for ({wanted}); there are {there}")
    fault = pl.lit(None, dtype=pl.String)
    for name, codes in attributes.items():
        stated = pl.col(ATTRIBUTE + name)
        said = pl.format(f"{name} is {{}}, not {' or '.join(codes)}", stated.fill_null("(none)"))
        fault = pl.when(one_cut(own, ATTRIBUTE + name, codes, ()).fill_null(False)).then(fault).otherwise(said)
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
    series: dict[tuple[str, ...], list[SeriesRequest]] = {}
    for request in requests:
        series.setdefault((request.code, *codes_of(request.option(ALIASES))), []).append(request)
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

    def answer(self, names: Sequence[str], requests: list[SeriesRequest]) -> Fetched:
        """Every request for one series, from one download of it, under the first of its names that the release has."""
        name = next((name for name in names if self.releases is None or name in self.releases), None)
        release = (self.releases or {}).get(name or "")
        url = f"{PUBLIC_BASE}/Series/Data?seriesCode={quote(name or names[0], safe='')}"
        replies: list[Reply] = []
        abandoned: list[RawBody] = []

        def origin(_: SeriesRequest) -> Origin:
            return Origin(url, f"SDG {release}" if release else None)

        try:
            if name is None:
                raise Refusal(f"the current release has no series {' or '.join(names)}", Outcome.UNKNOWN_ID)
            pages = self._pages(name, replies, abandoned)
        except Refusal as refusal:
            refused = refuse(requests, refusal, origin, replies, self.provider)
            return gather([Fetched({}, abandoned), refused])
        sent = zip(pages, (raw_body(reply, self.provider).sha256 for reply in replies), strict=True)
        rows = pl.concat((kept(page.rows, sha256) for page, sha256 in sent), how="diagonal")

        def read(request: SeriesRequest) -> pl.DataFrame:
            return figures_of(rows, request, self.areas, self.window)

        return gather([Fetched({}, abandoned), settle(requests, read, origin, replies, self.provider, self.window)])

    def _pages(self, code: str, replies: list[Reply], abandoned: list[RawBody]) -> list[Page]:
        """All pages of a series, in pages of half the size after a timeout, from the first one again.

        What came is noted in ``replies``, and in ``abandoned`` where it came before a timeout. Raises Refusal where any
        page is unusable.
        """
        *larger, smallest = PAGE_SIZES
        for size in larger:
            try:
                return self._pages_of(code, size, replies)
            except Refusal:
                if not any(map(_timed_out, replies)):
                    raise
                late = Refusal(f"read again in smaller pages: one of {size} rows did not come in time")
                abandoned += [raw_body(reply, self.provider, late) for reply in replies if reply.content]
                replies.clear()
        return self._pages_of(code, smallest, replies)

    def _pages_of(self, code: str, size: int, replies: list[Reply]) -> list[Page]:
        """All pages of one size, those after the first side by side. Raises Refusal where any is unusable."""
        replies.append(self._page(code, size, 1))
        first = _read(replies[0], 1)
        if (first.pages - 1) * size >= MAX_ROWS:
            raise Refusal(f"{first.pages} pages are more than an answer can have")
        with ThreadPoolExecutor(self.provider.parallel, thread_name_prefix=self.provider.id) as pool:
            replies += pool.map(lambda number: self._page(code, size, number), range(2, first.pages + 1))
        pages = [first, *(_read(reply, number) for number, reply in enumerate(replies[1:], start=2))]
        if any((page.pages, page.total) != (first.pages, first.total) for page in pages):
            raise Refusal("the pages are not of one release: their number or that of the rows changed between them")
        if (rows := sum(page.rows.height for page in pages)) != first.total:
            raise Refusal(f"{rows} rows came where {first.total} are announced")
        present = {name for page in pages for name in page.rows["series"].unique()}
        if present - {code}:
            raise Refusal(f"the answer has another series: {', '.join(sorted(map(str, present - {code})))}")
        return pages

    def _page(self, code: str, size: int, number: int) -> Reply:
        parameters: dict[str, str | int] = {"seriesCode": code, "pageSize": size, "page": number}
        return ask(self.http, self.provider, "Series/Data", parameters, retry_timeouts=size == PAGE_SIZES[-1])


def _read(reply: Reply, number: int) -> Page:
    """The page of a reply. Raises Refusal, also where it is another page than was asked for."""
    page = parse(usable(reply, wrong_id={404}))
    if page.total and page.number != number:
        raise Refusal(f"page {page.number} came where page {number} was asked for")
    return page


def _timed_out(reply: Reply) -> bool:
    """Whether a page was too large for the time that a request has, here or at the provider's gateway."""
    return reply.status == GATEWAY_TIMEOUT or (reply.failure is not None and reply.failure.kind in TIMEOUTS)


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
