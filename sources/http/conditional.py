"""The requests of one run: each address requested once, cached replies revalidated, every exchange recorded.

Belongs here: conditional requests, the replies shared within a run, the operator's file that replaces a failed
download, the replay of a recorded run. Does not belong here: sending a request (``sending``), the storage of the cache
(``warehouse.raw``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from sources.http.bodies import CHUNK, Body, Spool, spooled
from sources.http.client import Http
from sources.http.replies import Failure, FailureKind, Reply, any_case
from sources.observation import utc_now
from sources.refusals import RefusedCode, RefusedCodes

CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""Response header -> the request header that makes a request conditional on it."""


class CachedResponse(Protocol):
    """The last good response of an address, with its headers as received."""

    @property
    def url(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def retrieved_at(self) -> datetime: ...


class ResponseCache(Protocol):
    """The good responses of earlier runs. A response whose bytes have changed since is not returned."""

    def last(self, url: str) -> CachedResponse | None: ...


@dataclass(frozen=True)
class Exchange:
    """The address of a request, with its parameters, and the reply."""

    request_url: str
    reply: Reply


def placed_bodies(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return the sha256 of the bodies that came from files of the operator, not from a host."""
    return frozenset(exchange.reply.body.sha256 for exchange in exchanges if exchange.reply.placed)


def address(url: str, params: Mapping[str, str | int] | None = None) -> str:
    """Return an address as it is sent: with its query, and escaped."""
    from requests.models import PreparedRequest  # see sources.http.client.Http._opened

    request = PreparedRequest()
    try:
        request.prepare_url(url, params)
    except ValueError:  # the request itself will fail with a message
        return url
    return str(request.url)


TABLE = "text/csv"
"""Media type of a table, which may end after any line."""
FILE = re.compile(r"[^/]+\.(csv|xlsx|xls|zip)", re.IGNORECASE)


def file_name(url: str) -> str | None:
    """Return the file name at the end of an address; None for other content and for addresses with a query."""
    parts = urlsplit(url)
    name = unquote(parts.path.rpartition("/")[2])
    return name if not parts.query and FILE.fullmatch(name) else None


def remedy(url: str) -> str:
    """Return, in one sentence, what an operator can do if a provider turns programs away."""
    if name := file_name(url):
        return f"fetch {url} with a browser and put it as {name} into the local folder (CAREC_LOCAL_FILES)"
    return "name a contact address in CAREC_CONTACT where there is none yet, else ask the provider for access"


def _cut(why: str) -> Failure:
    return Failure(FailureKind.BROKEN, f"the table may be cut: the host declared no length, and {why}")


@dataclass(kw_only=True)
class RunHttp(Http):
    """The session of one run. Each address is requested once; all indicators that need it share the reply.

    A cached response is revalidated (``If-None-Match``, ``If-Modified-Since``), or used without a request where
    ``unchanged`` says that it is valid; the reply then has the cached content. If the request for a file fails and
    ``local_files`` has a file of that name, the reply has the content of that file.

    A table (CSV) has no end of its own. It is requested once more if its length was not declared, or if it has fewer
    lines than the last one, see ``_confirmed``.

    Attributes:
        cache: The responses of earlier runs.
        local_files: The operator's files.
        accept_shrink: Accept a table with fewer lines than the last one although its length was not declared.
        received: Called with every body that came or was placed, from the thread that requested it.
        exchanges: Every request of the run with its reply.
    """

    cache: ResponseCache
    received: Callable[[Body], None] = lambda body: None
    local_files: Path | None = None
    accept_shrink: bool = False
    exchanges: list[Exchange] = field(init=False, default_factory=list, repr=False)
    _replies: dict[str, Future[Reply]] = field(init=False, default_factory=dict, repr=False)
    _replies_lock: Lock = field(init=False, default_factory=Lock, repr=False)

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        unchanged: Callable[[Reply], bool] | None = None,
        **options: Any,
    ) -> Reply:
        request_url = address(url, params)

        is_table = TABLE in options.get("accept", ()) and "Range" not in (headers or {})

        def send(conditions: Mapping[str, str]) -> Reply:
            return super(RunHttp, self).get(request_url, headers={**(headers or {}), **conditions}, **options)

        with self._replies_lock:
            known = self._replies.get(request_url)
            future = self._replies.setdefault(request_url, Future())
        if known is not None:
            return known.result()
        try:
            reply = self._revalidated(request_url, send, unchanged, is_table)
            if reply.failure is not None:
                reply = self._placed(request_url, reply.url) or reply
        except BaseException as error:
            future.set_exception(error)
            raise
        if reply.body and not reply.revalidated:
            self.received(reply.body)
        self.exchanges.append(Exchange(request_url, reply))
        future.set_result(reply)
        return reply

    def _revalidated(
        self,
        request_url: str,
        send: Callable[[Mapping[str, str]], Reply],
        unchanged: Callable[[Reply], bool] | None,
        is_table: bool,
    ) -> Reply:
        """Return the cached response if it is still valid, else the response of the host."""
        cached = self.cache.last(request_url)
        if cached is None:
            return self._confirmed(send({}), None, send) if is_table else send({})
        headers = any_case(cached.headers)
        body = spooled(cached.content, self.folder)
        reply = Reply(cached.url, body, 200, headers, cached.retrieved_at, revalidated=True)
        if unchanged and unchanged(reply):
            return reply
        new = send({condition: headers[name] for name, condition in CONDITIONS.items() if name in headers})
        if new.status == 304:
            return replace(reply, retrieved_at=utc_now())
        return self._confirmed(new, body, send) if is_table else new

    def _confirmed(self, reply: Reply, last: Body | None, send: Callable[[Mapping[str, str]], Reply]) -> Reply:
        """Return a reply with a table, requested once more where it may be cut.

        Args:
            reply: The reply.
            last: The last good body of the address, None if there is none.
            send: Sends the request with further headers.

        Returns:
            The reply or, of two different ones, the one with more lines. It is a failure if no length was declared and
            the two differ, or have fewer lines than the last body.
        """
        shrunk = last is not None and reply.body.lines < last.lines
        if reply.failure is not None or (reply.length_known and not shrunk):
            return reply
        again = send({"Cache-Control": "no-cache"})
        if again.failure is not None or again.status == 304:
            return reply if reply.length_known else replace(reply, failure=_cut("a second request failed"))
        known = reply.length_known and again.length_known
        if again.body != reply.body:
            more = max(reply, again, key=lambda one: one.body.lines)
            return more if known else replace(more, failure=_cut("two answers differ"))
        if shrunk and last is not None and not known and not self.accept_shrink:
            fewer = f"it has {reply.body.lines:,} lines, the last one {last.lines:,}; --accept-shrink accepts it"
            return replace(reply, failure=_cut(fewer))
        return reply

    def _placed(self, *urls: str) -> Reply | None:
        """Return the operator's file with the name at the end of one of ``urls``; None without such a file."""
        for name in filter(None, map(file_name, urls)):
            path = self.local_files / name if self.local_files else None
            if path is None or not path.is_file():
                continue
            try:
                changed = formatdate(path.stat().st_mtime, usegmt=True)
                with path.open("rb") as stream, Spool(self.folder) as spool:
                    while part := stream.read(CHUNK):
                        spool.write(part)
            except OSError:
                continue
            headers = any_case({"Last-Modified": changed})
            return Reply(f"local_file:{name}", spool.body(), 200, headers, placed=True)
        return None


class RecordedHttp(Http):
    """Replies from the record of a run, without a network.

    Attributes:
        missing: Requested addresses that the record lacks: the code or the catalogue has changed since the run.
    """

    def __init__(self, exchanges: Iterable[Exchange], refused: Iterable[RefusedCode] = ()) -> None:
        super().__init__(refused=RefusedCodes(refused))
        self.missing: list[str] = []
        self._record = {exchange.request_url: exchange.reply for exchange in exchanges}

    def get(self, url: str, params: Mapping[str, str | int] | None = None, **_: object) -> Reply:
        request_url = address(url, params)
        if request_url in self._record:
            return self._record[request_url]
        self.missing.append(request_url)
        message = f"{request_url} is not in the record of this run"
        return Reply(request_url, failure=Failure(FailureKind.UNREACHABLE, message))
