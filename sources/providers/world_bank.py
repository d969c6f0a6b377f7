"""World Bank Indicators API v2: World Development Indicators, Global Findex and the Bank's other sources.

Belongs here: how this API is asked, paged and read, and what its messages mean. Does not belong here: retries and
limits (``http``), which indicators exist (``catalog/``), the range a value may have (``observation``).

An answer is a list of two: an envelope (page, pages, per_page, total, sourceid, lastupdated) and the rows. An error is
a list of one message, with HTTP 200 as often as not. The API has no conditional requests; a database's list entry says
when it was updated last, and pages kept from an earlier visit are read again while that has not changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from operator import itemgetter
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Failure, Http, Reply
from sources.observation import Areas, utc_now
from sources.parsing.observations import blocked, read_json, vanished
from sources.provider import RECORD, SERIES_REJECT, Answer, Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.refusals import RefusedCode

PUBLIC_BASE = "https://api.worldbank.org/v2"
"""Where a reader finds a series, whichever mirror was asked for it."""
RELEASES = {"2": "WDI", "3": "WGI", "28": "Global Findex"}
PER_PAGE = 32_500  # the most the API gives
MAX_CODES, MAX_PATH_CHARS, MAX_URL_CHARS = 60, 1_500, 4_000
MAX_PAGES = 100
MAX_VISITS = 32
"""How often a batch and its parts are asked in all, while the code that makes the API refuse it is looked for."""

FULL_READ = timedelta(days=7)
"""A page is read anew at least that often: the Bank refills a release in place without changing its date."""
LAST_UPDATED = re.compile(rb'"lastupdated"\s*:\s*"([^"]+)"')

PASSING_STATUS = {400, 500}
"""What the API answers to right codes while it throttles, as well as to wrong ones: tried again, unless it says why."""
SILENT_VISITS = 5
"""After as many parts of a batch without any answer the API throttles: one wrong code in each half leaves an answer."""

UNKNOWN_ID_MESSAGES = {"120", "175"}  # invalid value; the indicator was not found, it may have been deleted or archived
XML_MESSAGE = re.compile(r'<wb:message\b[^>]*?\bid="(\w+)"[^>]*>([^<]*)')

ROW = {name: pl.String() for name in ("indicator", "country", "countryiso3code", "date", "value", "obs_status")}
"""A row as it was sent, numbers as their digits. ``indicator`` and ``country`` are the ids, names are not kept."""


class Refusal(Exception):
    """A body that cannot be used. ``by_provider`` where the API says so itself.

    ``unexplained``: the API refused the request without its own message, which it does to wrong codes and when it
    throttles.
    """

    def __init__(
        self,
        reason: str,
        outcome: Outcome = Outcome.UNAVAILABLE,
        by_provider: bool = False,
        unexplained: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason, self.outcome, self.by_provider, self.unexplained = reason, outcome, by_provider, unexplained


@dataclass(frozen=True)
class Page:
    """One page of an answer. ``rows`` has the columns ``ROW``, nulls included."""

    number: int
    pages: int
    total: int
    source: str | None
    last_updated: str | None
    rows: pl.DataFrame = field(repr=False)


def parse(body: bytes) -> Page:
    """Read one body. Raises Refusal for messages of the API and for everything that is not an envelope with rows."""
    document = _document(body)
    head = document[0] if isinstance(document, list) and document else document
    if isinstance(head, dict) and "message" in head:
        raise _said(head["message"])
    if not isinstance(document, list) or not isinstance(head, dict) or len(document) > 2:
        raise Refusal("not a World Bank answer: a list of envelope and rows is expected")
    rows = document[1] if len(document) == 2 and document[1] is not None else []
    if not isinstance(rows, list):
        raise Refusal("not a World Bank answer: the rows are not a list")
    try:
        number, pages, total = (int(head[name]) for name in ("page", "pages", "total"))
    except KeyError as error:
        raise Refusal(f"the envelope lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise Refusal(f"page, pages or total is not a number: {error}") from error
    return Page(number, pages, total, head.get("sourceid"), head.get("lastupdated"), _table(rows))


def _document(body: bytes) -> Any:
    """The JSON of a body, numbers as strings of their digits."""
    try:
        text = body.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError:
        text = body.decode("latin-1").lstrip()  # only names are beyond ASCII, and names are not read
    if message := XML_MESSAGE.search(text):
        raise _said([{"id": message[1], "value": message[2]}])
    if not text or text.startswith("<"):
        raise Refusal("a page of markup came instead of JSON" if text else "the body is empty")
    try:
        return read_json(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"not valid JSON: {error}") from error


def _said(messages: Any) -> Refusal:
    """What the API itself says: one message for every part of the address that it refuses, without naming the part."""
    known = [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []
    ids = {str(message.get("id")) for message in known}
    ours = bool(ids) and ids <= UNKNOWN_ID_MESSAGES
    words = "; ".join(f"{message.get('id')} {message.get('value') or message.get('key')}" for message in known)
    outcome = Outcome.UNKNOWN_ID if ours else Outcome.UNAVAILABLE
    return Refusal(f"the World Bank says: {words or messages}", outcome, by_provider=True)


def _table(rows: list[Any]) -> pl.DataFrame:
    try:
        columns = {name: list(map(itemgetter(name), rows)) for name in ("indicator", "country", "date", "value")}
        columns["indicator"] = list(map(itemgetter("id"), columns["indicator"]))
        columns["country"] = list(map(itemgetter("id"), columns["country"]))
    except KeyError as error:
        raise Refusal(f"a row lacks the field {error}") from error
    except TypeError as error:
        raise Refusal(f"a row has another shape than documented: {error}") from error
    for name in ("countryiso3code", "obs_status"):
        columns[name] = [row.get(name) for row in rows]
    table = pl.DataFrame({name: pl.Series(name, _text(columns[name]), dtype=pl.String()) for name in ROW})
    return table.with_columns(pl.col("indicator", "country").fill_null(""))


def _text(values: list[Any]) -> list[str | None]:
    """Leave strings as they are; write down whatever else stands there, so that its reject shows it."""
    if set(map(type, values)) <= {str, type(None)}:
        return values
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def judge(rows: pl.DataFrame, raw_sha256: str, codes: Iterable[str], areas: Areas, window: Window) -> pl.DataFrame:
    """Rows (columns ``ROW``) -> figures inside the window: ``RECORD`` and ``indicator``, ``reason``, ``raw_record``.

    ``reason`` is NULL for a figure that can be used. Rows without a value are gone, as are those of years that were not
    asked for: the API sends the whole series where the window misses it.
    """
    given, date, country = pl.col("value"), pl.col("date"), pl.col("country")
    stated = pl.col("countryiso3code")
    iso3 = (
        pl.when(stated.str.len_chars() == 3)
        .then(stated)
        .otherwise(country.replace_strict(areas.iso2_to_iso3, default=country, return_dtype=pl.String()))
    )
    figure = given.cast(pl.Float64, strict=False)
    year = pl.when(date.str.contains(r"^\d{4}$")).then(date).cast(pl.Int32, strict=False)
    raw_record = pl.struct(ROW.keys()).struct.json_encode()
    return (
        rows.filter(given.is_not_null() & (given != ""))
        .with_columns(iso3=iso3, year=year, raw_record=raw_record, figure=figure)
        .filter(pl.col("year").is_null() | pl.col("year").is_between(window.first_year, window.last_year))
        .with_columns(
            reason=pl.when(~pl.col("indicator").is_in(list(codes)))
            .then(pl.format("another indicator's data: {}", "indicator"))
            .when(pl.col("year").is_null())
            .then(pl.format("the period {} is not a year", date.fill_null("(none)")))
            .when(~pl.col("figure").is_finite().fill_null(False) | vanished(pl.col("figure"), given))
            .then(pl.format("the value {} is not a number", given))
            .when(~pl.col("iso3").is_in(sorted(areas.known)))
            .then(pl.format("unknown area {}", "iso3"))
        )
        .select(
            "iso3",
            "year",
            pl.col("figure").alias("value"),
            pl.when(pl.col("obs_status") != "").then("obs_status").alias("obs_status"),
            pl.lit(raw_sha256).alias("raw_sha256"),
            "indicator",
            "reason",
            "raw_record",
        )
    )


def passing(reply: Reply) -> bool:
    """Returns whether a failed call is worth another try: the API throttles, and does not say that a code is wrong."""
    if reply.status not in PASSING_STATUS:
        return False
    try:
        parse(reply.content)
    except Refusal as refusal:
        return refusal.outcome is not Outcome.UNKNOWN_ID
    return True


@dataclass
class _Received:
    """One reply with what was read from it: a page or the reason why there is none."""

    reply: Reply
    page: Page | None = None
    refusal: Refusal | None = None

    def body(self, provider: str) -> RawBody:
        reply, refused = self.reply, self.refusal.reason if self.refusal else None
        return RawBody(reply.body, reply.url, reply.status, dict(reply.headers), reply.retrieved_at, provider, refused)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request, several series in one call. See ``sources.provider.Adapter``."""
    last_updated = cache(partial(_last_updated, provider, http))
    apart = _refused_at_this_release(requests, provider, http, last_updated)
    visitor = _Visitor(provider, areas, window, http, last_updated, apart)
    fetched = Fetched({}, [])
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        for part in pool.map(visitor.ask, visitor.batches(requests)):
            fetched.answers.update(part.answers)
            fetched.bodies.extend(part.bodies)
    return fetched


def _last_updated(provider: Provider, http: Http, source: str) -> str | None:
    """When the API says that a database was updated last; None where it does not."""
    reply = http.get(
        f"{str(provider.base_url or PUBLIC_BASE).rstrip('/')}/sources/{source}",
        {"format": "json"},
        accept=("application/json",),
        **provider.limits,
    )
    found = LAST_UPDATED.search(reply.content) if reply.failure is None else None
    return found[1].decode() if found else None


def _source(request: SeriesRequest) -> str:
    """The database of a series: that of the World Development Indicators where none is named."""
    return str(request.option("source", 2))


def _refused_at_this_release(
    requests: Sequence[SeriesRequest], provider: Provider, http: Http, last_updated: Callable[[str], str | None]
) -> frozenset[SeriesRequest]:
    """The requests whose code was refused before, as long as the database has not changed since."""
    refused = set()
    for request in requests:
        known = http.refused.of(provider.id, _source(request))
        if request.code in known and last_updated(_source(request)) in (None, known[request.code]):
            refused.add(request)
    return frozenset(refused)


@dataclass(frozen=True)
class _Visitor:
    """One visit to the API: whom, about which areas and years, over which session. ``last_updated`` is by database.

    ``apart`` are requests that get a call of their own, since their code would have the others refused.
    """

    provider: Provider
    areas: Areas
    window: Window
    http: Http
    last_updated: Callable[[str], str | None]
    apart: frozenset[SeriesRequest]

    @property
    def base(self) -> str:
        return str(self.provider.base_url or PUBLIC_BASE).rstrip("/")

    def parameters(self, options: tuple[tuple[str, str | int | float | bool], ...]) -> dict[str, str | int]:
        """The query of a call. ``source`` names the database and is mandatory for several series at once."""
        return {
            "source": 2,
            **{name: str(value) for name, value in options},
            "format": "json",
            "per_page": PER_PAGE,
            "date": f"{self.window.first_year}:{self.window.last_year}",
        }

    def batches(self, requests: Sequence[SeriesRequest]) -> list[list[SeriesRequest]]:
        """Requests with the same options, together as far as the API's limits on codes and length of address go."""
        together = [request for request in requests if request not in self.apart]
        batches: list[list[SeriesRequest]] = []
        for options in dict.fromkeys(request.options for request in together):
            around = len(f"{self._address('')}?{urlencode(self.parameters(options))}&page={MAX_PAGES}")
            most, room = min(MAX_PATH_CHARS, MAX_URL_CHARS - around), 0
            for request in (request for request in together if request.options == options):
                length = len(quote(request.code, safe="")) + 1
                if length > room or len(batches[-1]) == MAX_CODES:
                    batches.append([])
                    room = most
                batches[-1].append(request)
                room -= length
        return batches + [[request] for request in requests if request in self.apart]

    def ask(self, batch: list[SeriesRequest]) -> Fetched:
        """Answer a batch. One that is refused is asked again in halves, so that one wrong code costs only itself."""
        fetched = Fetched({}, [])
        queue, answering, silent = [batch], None, 0
        unexplained: dict[SeriesRequest, Answer] = {}
        for _ in range(MAX_VISITS):
            if not queue or (silent == SILENT_VISITS and answering is None):
                break
            part = queue.pop(0)
            received = self._pages(part)
            fetched.bodies.extend(each.body(self.provider.id) for each in received if each.reply.body)
            refusal = next((each.refusal for each in received if each.refusal), None)
            if refusal is None:
                answering = received[0].page
                fetched.answers.update(self._answers(part, received))
                continue
            silent += refusal.unexplained
            if len(part) > 1 and (refusal.unexplained or refusal.outcome is Outcome.UNKNOWN_ID):
                queue += [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            answers = {request: self._refused(request, refusal, received[-1].reply.retrieved_at) for request in part}
            (unexplained if refusal.unexplained else fetched.answers).update(answers)
        if answering is not None:  # a code that is refused while others are answered is wrong
            unexplained = {one: replace(answer, outcome=Outcome.UNKNOWN_ID) for one, answer in unexplained.items()}
        lost = Refusal(
            "every call was refused without a message of the API, which throttles"
            if answering is None and silent
            else f"refused together with other codes; which one is wrong was not found in {MAX_VISITS} visits"
        )
        left = {request: self._refused(request, lost) for part in queue for request in part}
        fetched.answers.update(unexplained | left)
        if answering is not None:
            self._remember(batch, fetched.answers, answering.last_updated)
        return fetched

    def _remember(
        self, batch: list[SeriesRequest], answers: Mapping[SeriesRequest, Answer], release: str | None
    ) -> None:
        """Note which codes had a batch refused at this release, and forget those that the API knows."""
        for request in batch:
            outcome, source = answers[request].outcome, _source(request)
            if outcome is Outcome.UNKNOWN_ID:
                self.http.refused.add(RefusedCode(self.provider.id, source, request.code, release))
            elif outcome in (Outcome.OK, Outcome.NO_DATA):
                self.http.refused.discard(self.provider.id, source, request.code)

    def _refused(self, request: SeriesRequest, refusal: Refusal, retrieved_at: datetime | None = None) -> Answer:
        url = self._public_url(request)
        return Answer(refusal.outcome, refusal.reason, source_url=url, retrieved_at=retrieved_at)

    def _address(self, codes: str) -> str:
        return f"{self.base}/country/all/indicator/{codes}"

    def _public_url(self, request: SeriesRequest) -> str:
        query = urlencode(self.parameters(request.options), safe=":")
        return f"{PUBLIC_BASE}/country/all/indicator/{quote(request.code, safe='')}?{query}"

    def _pages(self, part: list[SeriesRequest]) -> list[_Received]:
        """All pages of one answer. Where one is refused, or they do not belong together, so are all."""
        first = self._page(part, 1)
        received = [first]
        if first.page is not None and 1 < first.page.pages <= MAX_PAGES:
            with ThreadPoolExecutor(self.provider.parallel, thread_name_prefix=self.provider.id) as pool:
                received += pool.map(lambda number: self._page(part, number), range(2, first.page.pages + 1))
        fault = next((each.refusal for each in received if each.refusal), None)
        if fault is None:
            fault = _fault([each.page for each in received if each.page], {request.code for request in part})
        for each in received:
            each.refusal = each.refusal or fault
        return received

    def _unchanged(self, source: str, kept: Reply) -> bool:
        """Whether a kept page is of the release that the API has now, and not too old to be trusted for that."""
        head = LAST_UPDATED.search(kept.content)
        fresh = utc_now() - kept.retrieved_at < FULL_READ
        return fresh and head is not None and head[1].decode() == self.last_updated(source)

    def _page(self, part: list[SeriesRequest], number: int) -> _Received:
        parameters = self.parameters(part[0].options)
        reply = self.http.get(
            self._address(";".join(quote(request.code, safe="") for request in part)),
            {**parameters, "page": number},
            unchanged=partial(self._unchanged, _source(part[0])),
            accept=("application/json",),
            transient=partial(self._passes, part),
            **self.provider.limits,
        )
        try:
            page = parse(reply.content)
            if page.total and page.number != number:
                raise Refusal(f"page {page.number} came where page {number} was asked for")
        except Refusal as refusal:
            if reply.failure is None or refusal.by_provider:
                return _Received(reply, refusal=refusal)
        if reply.failure is not None:
            return _Received(reply, refusal=self._failed(part, reply, reply.failure))
        return _Received(reply, page)

    def _passes(self, part: list[SeriesRequest], reply: Reply) -> bool:
        """Whether a failed call is worth another try: no code of it is known as wrong."""
        return passing(reply) and not (reply.status == 400 and self.apart.issuperset(part))

    def _failed(self, part: list[SeriesRequest], reply: Reply, failure: Failure) -> Refusal:
        """What a reply means that has no message of the API."""
        if reply.status == 404 or (reply.status == 400 and self.apart.issuperset(part)):
            return Refusal(failure.message, Outcome.UNKNOWN_ID)  # a code that breaks the route, or is known as wrong
        if reply.status == 400:
            return Refusal(f"{failure.message} without a message of the API, at every try", unexplained=True)
        if reply.blocked:
            turned_away = blocked(reply)
            return Refusal(turned_away.reason, turned_away.outcome)
        return Refusal(failure.message)

    def _answers(self, part: list[SeriesRequest], received: list[_Received]) -> dict[SeriesRequest, Answer]:
        """Split the rows of a complete answer into one answer a request."""
        codes = [request.code for request in part]
        pages = [(each.page, each.body(self.provider.id).sha256) for each in received if each.page]
        figures = pl.concat(judge(page.rows, sha256, codes, self.areas, self.window) for page, sha256 in pages)
        present = _indicators(page for page, _ in pages)
        foreign = figures.filter(~pl.col("indicator").is_in(codes))
        head, retrieved_at = pages[0][0], received[-1].reply.retrieved_at
        source = head.source or _source(part[0])
        release = f"{RELEASES.get(source, f'source {source}')} {head.last_updated}" if head.last_updated else None
        answers = {}
        for request in part:
            own = figures.filter(pl.col("indicator") == request.code)
            if request is part[0]:  # they are nobody's: shown once
                own = pl.concat([own, foreign])
            if request.code not in present and not present <= set(codes):
                missing = Refusal(
                    f"rows of {', '.join(sorted(present.difference(codes)))} came, none of this indicator"
                )
                answers[request] = replace(self._refused(request, missing, retrieved_at), rejects=_rejects(own))
                continue
            records, rejects = own.filter(pl.col("reason").is_null()), _rejects(own)
            if records.height:
                outcome, reason = Outcome.OK, None
            elif rejects.height:
                outcome, reason = Outcome.UNAVAILABLE, f"no figure could be used: {rejects['reason'][0]}"
            else:
                years = f"{self.window.first_year}-{self.window.last_year}"
                outcome, reason = Outcome.NO_DATA, f"the World Bank has no figure for {years}"
            answers[request] = Answer(
                outcome,
                reason,
                records=records.select(RECORD.keys()),
                rejects=rejects,
                release=release,
                source_url=self._public_url(request),
                retrieved_at=retrieved_at,
            )
        return answers


def _indicators(pages: Iterable[Page]) -> set[str]:
    return {code for page in pages for code in page.rows["indicator"].unique()}


def _rejects(figures: pl.DataFrame) -> pl.DataFrame:
    return figures.filter(pl.col("reason").is_not_null()).select(SERIES_REJECT.keys())


def _fault(pages: list[Page], codes: set[str]) -> Refusal | None:
    """Why pages that are readable each are no answer together. None where they are."""
    head, rows = pages[0], sum(page.rows.height for page in pages)
    if head.pages > MAX_PAGES:
        return Refusal(f"{head.pages} pages are more than an answer can have")
    if any(
        (page.pages, page.total, page.last_updated) != (head.pages, head.total, head.last_updated) for page in pages
    ):
        return Refusal("the pages are not of one release: total or lastupdated changed between them")
    if rows != head.total:
        return Refusal(f"{rows} rows came where the envelope announces {head.total}")
    present = _indicators(pages)
    if present and not present & codes:
        return Refusal(f"the answer is of another indicator: {', '.join(sorted(present))}")
    return None
