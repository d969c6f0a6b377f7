"""World Bank Indicators API v2: World Development Indicators, Global Findex and the Bank's other databases.

``code`` of a request is the indicator, the option ``source`` the database (2 by default). How a body is read belongs in
``world_bank_pages``, retries and limits in ``sources.http``.

The API has no conditional requests. The list entry of a database has the date of its last update; pages that an earlier
run stored are read again while that date has not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, partial
from urllib.parse import quote, urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.observation import Areas, utc_now
from sources.parsing.observations import Origin, build_answer, failed_answer, merge_fetched
from sources.parsing.pages import may_continue, require_no_further_rows
from sources.parsing.responses import UnusableResponse, error_of, get, raw_body, require_content, url_of
from sources.provider import Answer, Fetched, Outcome, SeriesRequest, Window
from sources.providers.world_bank_checks import contract_checks, inspect_links
from sources.providers.world_bank_pages import (
    LAST_UPDATED,
    MAX_PAGES,
    PER_PAGE,
    ApiError,
    WorldBankPage,
    announced_pages,
    database_of,
    fault_between,
    indicators_of,
    is_throttled,
    observations_of,
    parse,
)
from sources.refusals import RefusedCode

PUBLIC_BASE = "https://api.worldbank.org/v2"
"""Address of a series for readers, whatever address was requested."""
RELEASE_NAMES = {"2": "WDI", "3": "WGI", "28": "Global Findex"}
MAX_CODES, MAX_PATH_CHARS, MAX_URL_CHARS = 60, 1_500, 4_000
MAX_CALLS = 32
"""Most calls for a batch and its parts, while the code is searched that makes the API reject it."""
SILENT_CALLS = 5
"""After as many parts without any answer the API throttles: one wrong code leaves one of two halves answered."""
FULL_READ = timedelta(days=7)
"""Pages are requested again after this time: the Bank refills a release without changing its date."""


class UnexplainedError(UnusableResponse):
    """HTTP 400 without a message of the API, which it sends for wrong codes and while it throttles."""


@dataclass
class _Received:
    """One reply with its page, or the reason why it has none."""

    reply: Reply
    page: WorldBankPage | None = None
    error: UnusableResponse | None = None


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series, several series per call. See ``sources.provider.Adapter``."""
    last_updated = cache(partial(_last_updated, provider, http))
    rejected = frozenset(
        request for request in requests if _is_known_as_rejected(request, provider, http, last_updated)
    )
    run = _WorldBankFetch(provider, areas, window, http, last_updated, rejected)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return merge_fetched(pool.map(run.answer, run.batches(requests)))


def _last_updated(provider: Provider, http: Http, database: str) -> str | None:
    """Return when a database was last updated, None if the API does not say."""
    reply = _get_database(provider, http, database)
    found = LAST_UPDATED.search(reply.content) if reply.failure is None else None
    return found[1].decode() if found else None


def _get_database(provider: Provider, http: Http, database: str) -> Reply:
    return get(http, provider, f"sources/{database}", {"format": "json"})


def _is_known_as_rejected(
    request: SeriesRequest, provider: Provider, http: Http, last_updated: Callable[[str], str | None]
) -> bool:
    """Return whether the code was rejected earlier, and the database has not changed since."""
    known = http.refused.of(provider.id, database_of(request))
    return request.code in known and last_updated(database_of(request)) in (None, known[request.code])


@dataclass(frozen=True)
class _WorldBankFetch:
    """The calls of one ``fetch``.

    ``rejected`` are requests with codes that the API rejected before. Each gets a call of its own, since it would make
    the API reject the other codes of the call.
    """

    provider: Provider
    areas: Areas
    window: Window
    http: Http
    last_updated: Callable[[str], str | None]
    rejected: frozenset[SeriesRequest]

    def parameters(self, options: tuple[tuple[str, str | int | float | bool], ...]) -> dict[str, str | int]:
        """Return the query of a call. ``source`` is mandatory for several series."""
        return {
            "source": 2,
            **{name: str(value) for name, value in options},
            "format": "json",
            "per_page": PER_PAGE,
            "date": f"{self.window.first_year}:{self.window.last_year}",
        }

    def batches(self, requests: Sequence[SeriesRequest]) -> list[list[SeriesRequest]]:
        """Return requests with the same options in batches, within the API's limits on codes and length of address."""
        together = [request for request in requests if request not in self.rejected]
        batches: list[list[SeriesRequest]] = []
        for options in dict.fromkeys(request.options for request in together):
            url = url_of(self.provider, _path(""))
            around = len(f"{url}?{urlencode(self.parameters(options))}&page={MAX_PAGES}")
            most, room = min(MAX_PATH_CHARS, MAX_URL_CHARS - around), 0
            for request in (request for request in together if request.options == options):
                length = len(quote(request.code, safe="")) + 1
                if length > room or len(batches[-1]) == MAX_CODES:
                    batches.append([])
                    room = most
                batches[-1].append(request)
                room -= length
        return batches + [[request] for request in requests if request in self.rejected]

    def answer(self, batch: list[SeriesRequest]) -> Fetched:
        """Answer a batch. A rejected batch is sent again in halves, so that one wrong code affects only itself."""
        fetched = Fetched({}, [])
        queue, answered, silent = [batch], None, 0
        unexplained: dict[SeriesRequest, Answer] = {}
        for _ in range(MAX_CALLS):
            if not queue or (silent == SILENT_CALLS and answered is None):
                break
            part = queue.pop(0)
            received = self._pages(part)
            fetched.bodies.extend(raw_body(one.reply, self.provider, one.error) for one in received if one.reply.body)
            error = next((one.error for one in received if one.error), None)
            if error is None:
                answered = received[0].page
                fetched.answers.update(self._answers(part, received))
                continue
            is_unexplained = isinstance(error, UnexplainedError)
            silent += is_unexplained
            if len(part) > 1 and (is_unexplained or error.outcome is Outcome.UNKNOWN_ID):
                queue += [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            failures = {request: self._failed(request, error, received[-1].reply.retrieved_at) for request in part}
            (unexplained if is_unexplained else fetched.answers).update(failures)
        if answered is not None:  # a code that is rejected while others are answered is wrong
            unexplained = {one: replace(answer, outcome=Outcome.UNKNOWN_ID) for one, answer in unexplained.items()}
        not_found = UnusableResponse(
            "every call was refused without a message of the API, which throttles"
            if answered is None and silent
            else f"refused together with other codes; which one is wrong was not found in {MAX_CALLS} visits"
        )
        left = {request: self._failed(request, not_found) for part in queue for request in part}
        fetched.answers.update(unexplained | left)
        if answered is not None:
            self._record_rejected(batch, fetched.answers, answered.last_updated)
        return fetched

    def _record_rejected(
        self, batch: list[SeriesRequest], answers: Mapping[SeriesRequest, Answer], release_date: str | None
    ) -> None:
        """Record the codes that the API rejected at this release, and remove those that it knows."""
        for request in batch:
            outcome, database = answers[request].outcome, database_of(request)
            if outcome is Outcome.UNKNOWN_ID:
                self.http.refused.add(RefusedCode(self.provider.id, database, request.code, release_date))
            elif outcome in (Outcome.OK, Outcome.NO_DATA):
                self.http.refused.discard(self.provider.id, database, request.code)

    def _failed(self, request: SeriesRequest, error: UnusableResponse, retrieved_at: datetime | None = None) -> Answer:
        return failed_answer(error, Origin(self._public_url(request)), retrieved_at)

    def _public_url(self, request: SeriesRequest) -> str:
        query = urlencode(self.parameters(request.options), safe=":")
        return f"{PUBLIC_BASE}/{_path(quote(request.code, safe=''))}?{query}"

    def _pages(self, part: list[SeriesRequest]) -> list[_Received]:
        """Return all pages of one answer. If one is unusable, or they do not form one answer, all have the error."""
        reply = self._request(part, 1)
        numbers = range(2, announced_pages(reply) + 1)
        with ThreadPoolExecutor(self.provider.parallel, thread_name_prefix=self.provider.id) as pool:
            replies = pool.map(partial(self._request, part), numbers)  # reading one must not delay the next request
            received = [first := self._read(part, 1, reply)]
            if first.page and not numbers and first.page.pages <= MAX_PAGES:  # an unusual envelope is known once read
                numbers = range(2, first.page.pages + 1)
                replies = pool.map(partial(self._request, part), numbers)
            received += [self._read(part, number, reply) for number, reply in zip(numbers, replies, strict=True)]
        error = next((one.error for one in received if one.error), None)
        if error is None:
            pages = [one.page for one in received if one.page]
            error = fault_between(pages, {request.code for request in part}) or self._further(part, pages)
        for one in received:
            one.error = one.error or error
        return received

    def _further(self, part: list[SeriesRequest], pages: list[WorldBankPage]) -> UnusableResponse | None:
        """Return an error if the page after a full last one has rows: the total is then not that of all pages."""
        keys = [page.keys for page in pages]
        if not may_continue(keys, pages[0].per_page):
            return None
        after = self._page(part, len(pages) + 1).page
        try:
            if after is not None:
                require_no_further_rows(keys, after.keys)
        except UnusableResponse as error:
            return error
        return None

    def _is_current(self, database: str, stored: Reply) -> bool:
        """Return whether a stored page is of the current release, and not too old to rely on that."""
        head = LAST_UPDATED.search(stored.content)
        is_recent = utc_now() - stored.retrieved_at < FULL_READ
        return is_recent and head is not None and head[1].decode() == self.last_updated(database)

    def _page(self, part: list[SeriesRequest], number: int) -> _Received:
        return self._read(part, number, self._request(part, number))

    def _request(self, part: list[SeriesRequest], number: int) -> Reply:
        return get(
            self.http,
            self.provider,
            _path(";".join(quote(request.code, safe="") for request in part)),
            {**self.parameters(part[0].options), "page": number},
            unchanged=partial(self._is_current, database_of(part[0])),
            transient=lambda failed: is_throttled(failed) and not self._is_rejected(part, failed),
        )

    def _read(self, part: list[SeriesRequest], number: int, reply: Reply) -> _Received:
        try:
            return _Received(reply, self._parse(part, reply, number))
        except UnusableResponse as error:
            return _Received(reply, error=error)

    def _is_rejected(self, part: list[SeriesRequest], reply: Reply) -> bool:
        """Return whether the API rejected codes that it rejected before."""
        return reply.status == 400 and self.rejected.issuperset(part)

    def _parse(self, part: list[SeriesRequest], reply: Reply, number: int) -> WorldBankPage:
        failure = self._failure(part, reply)
        try:
            page = parse(reply.content)
            if page.total and page.number != number:
                raise UnusableResponse(f"page {page.number} came instead of page {number}")
        except UnusableResponse as error:
            if failure is None or isinstance(error, ApiError):
                raise
            raise failure from error
        if failure is not None:
            raise failure
        return page

    def _failure(self, part: list[SeriesRequest], reply: Reply) -> UnusableResponse | None:
        """Return what a failed reply means if it has no message of the API, None for a successful one."""
        if reply.status == 404 or self._is_rejected(part, reply):  # 404: a code that breaks the address
            return error_of(reply, {400, 404})
        if reply.status == 400 and reply.failure:
            return UnexplainedError(f"{reply.failure.message} without a message of the API, at every try")
        return error_of(reply)

    def _answers(self, part: list[SeriesRequest], received: list[_Received]) -> dict[SeriesRequest, Answer]:
        """Split the rows of a complete answer into one answer per request."""
        codes = {request.code for request in part}
        pages = [(one.page, raw_body(one.reply, self.provider).sha256) for one in received if one.page]
        rows = pl.concat(page.rows.with_columns(raw_sha256=pl.lit(sha256)) for page, sha256 in pages)
        present = indicators_of([page for page, _ in pages])
        head, retrieved_at = pages[0][0], received[-1].reply.retrieved_at
        database = head.source or database_of(part[0])
        name = RELEASE_NAMES.get(database, f"source {database}")
        observations = observations_of(rows, None, codes, self.areas, self.window)
        # rows of other indicators belong to no request: they are rejected once
        owner = pl.when(pl.col("indicator").is_in(sorted(codes))).then("indicator").otherwise(pl.lit(part[0].code))
        of = observations.with_columns(owner=owner).partition_by("owner", as_dict=True)
        answers = {}
        for request in part:
            own = of.get((request.code,), observations.clear())
            origin = Origin(self._public_url(request), f"{name} {head.last_updated}" if head.last_updated else None)
            answer = build_answer(own, self.provider, self.window, origin, retrieved_at)
            if request.code not in present and present - codes:
                others = ", ".join(sorted(present - codes))
                error = UnusableResponse(f"rows of {others} came, none of this indicator")
                answer = replace(self._failed(request, error, retrieved_at), rejects=answer.rejects)
            answers[request] = answer
        return answers


def _path(codes: str) -> str:
    return f"country/all/indicator/{codes}"


release_group = database_of


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return when the database of the series was last updated. See ``sources.providers.ReportsRelease``."""
    found = LAST_UPDATED.search(require_content(_get_database(provider, http, database_of(requests[0]))))
    if found is None:
        raise UnusableResponse("the World Bank's answer does not say when the database was last updated")
    return dict.fromkeys(requests, found[1].decode())


inspect = inspect_links
smoke_checks = contract_checks
