"""The one HTTP session: how hosts are asked, and what is done when they do not answer as they should.

Belongs here: retries, back-off, time and size limits, redirects, the kinds of transport failure. Does not belong here:
whether a host can be connected to (``reach``), where a large body is held (``bodies``), what a body means
(``providers/``), who is asked next (``chain``).
"""

from __future__ import annotations

import logging
import random
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError
from urllib3 import Retry
from urllib3.exceptions import ConnectTimeoutError, HTTPError, InvalidHeader, NewConnectionError, ReadTimeoutError

from sources.http.bodies import CHUNK, EMPTY, Body, Spool
from sources.http.reachability import Reach, Unreachable, host_of, within
from sources.http.redirects import leads_inside, redirect_fault
from sources.observation import utc_now
from sources.refusals import RefusedCodes

PROJECT = "carec-digital-scorecard"
GATEWAY_TIMEOUT = 504
RETRIED_STATUS = frozenset({429, 502, 503, 504})
BLOCKED_STATUS = frozenset({401, 403, 451})
"""What hosts answer to programs that they turn away."""
CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action")
"""With them a firewall says that the answer is its own, and not the site's."""
CHALLENGE_TITLE = re.compile(
    rb"<title>\s*(just a moment|access denied|request rejected|attention required)", re.IGNORECASE
)
MAX_BODY_MIB = 64
"""How large a body may be, as sent, where the provider's entry names no other limit."""
DECODED_TIMES = 4
"""How much larger a body may be when decompressed."""
WHOLE = frozenset({200, 203})
"""A success that brings the whole body; 206 brings the part of it that was asked for."""
WINDOW_BITS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""Of the encodings that are asked for; servers send deflate with a head or without."""
MAX_REDIRECTS = 5
PART = 1 << 20
"""How many bytes come out of a decompression at a time."""
READS = 4
"""How many times the wait for a next byte a whole answer may take: who lowers the one lowers the other."""
BACKOFF_S, BACKOFF_MAX_S = 0.5, 30.0
log = logging.getLogger(__name__)


class FailureKind(StrEnum):
    """What kept a reply from being usable."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    BROKEN = "broken"
    TLS = "tls"
    STATUS = "status"
    CHALLENGE = "challenge"
    CONTENT_TYPE = "content_type"
    TOO_LARGE = "too_large"
    REDIRECT = "redirect"
    ADDRESS = "address"


@dataclass(frozen=True)
class Failure:
    """Why a reply cannot be used. A transient one was tried again, after ``retry_after_s`` where the host said so."""

    kind: FailureKind
    message: str
    transient: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Reply:
    """What came of one GET. ``body`` is decoded, and whole or empty; ``status`` is 0 where there was no answer.

    ``revalidated``: the body was kept from an earlier run, and the host says that it still holds; ``placed``: the
    request failed, and an operator's file of that name was taken (both ``asking``).
    """

    url: str
    body: Body = field(default=EMPTY, repr=False)
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    retrieved_at: datetime = field(default_factory=utc_now)
    failure: Failure | None = None
    revalidated: bool = False
    placed: bool = False

    @property
    def content(self) -> bytes:
        """The whole body at once."""
        return self.body.content

    @property
    def blocked(self) -> bool:
        """Whether the host turns programs away."""
        challenged = self.failure is not None and self.failure.kind is FailureKind.CHALLENGE
        return challenged or self.status in BLOCKED_STATUS


class _Fault(Exception):
    def __init__(self, kind: FailureKind, message: str, transient: bool = False) -> None:
        self.failure = Failure(kind, message, transient)


@dataclass
class _Quota:
    """How many may ask one host at once, and until when."""

    slots: BoundedSemaphore
    deadline: float


@dataclass(frozen=True)
class _Size:
    """How many bytes a body may have as sent, and whose entry says so."""

    sent: int
    provider: str

    def check(self, size: int, url: str, decoded: bool = False) -> None:
        """Raise _Fault for a body of ``size`` bytes or more that is too large."""
        most = self.sent * (DECODED_TIMES if decoded else 1)
        if size > most:
            whose = f"{self.provider}: " if self.provider else ""
            raise _Fault(
                FailureKind.TOO_LARGE,
                f"{whose}{url}: more than {most:,} bytes{' when decompressed' if decoded else ''} came; "
                f"raise max_body_mib of {self.provider or 'the provider'} in providers.yml",
            )


@dataclass(frozen=True)
class _Limits:
    """Of one try: seconds, ``until`` on the monotonic clock, and the size of the body."""

    connect_s: float
    read_s: float
    until: float
    size: _Size


@dataclass(kw_only=True)
class Http:
    """GET with limits, from any number of threads. A fault of host or network is the reply's failure, never raised.

    ``tries`` is how often in all; the two timeouts and ``max_body_bytes`` are the most that a call may ask for;
    ``request_limit_s`` bounds one try from first to last byte, ``host_deadline_s`` all requests to one host, counted
    from the first. A body may have ``max_body_bytes`` as sent and ``DECODED_TIMES`` as many when decompressed; large
    ones go to temporary files in ``folder`` (the system's where None). ``refused`` are codes that providers refused.
    An ``Http`` serves one refresh: a host that is unreachable or whose time is used up stays so for its life.
    """

    tries: int = 4
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 600.0
    request_limit_s: float = 240.0
    host_deadline_s: float = 300.0
    per_host_parallel: int = 4
    max_body_bytes: int = 2048 << 20
    user_agent: str | None = None
    folder: Path | None = None
    refused: RefusedCodes = field(default_factory=RefusedCodes)
    sleep: Callable[[float], None] = time.sleep
    _lock: Lock = field(init=False, default_factory=Lock, repr=False)
    _quotas: dict[str, _Quota] = field(init=False, default_factory=dict, repr=False)
    _session: requests.Session | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self._reach = Reach(self.sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. What was learnt of hosts stays."""
        if self._session is not None:
            self._session.close()

    @property
    def unreachable(self) -> dict[str, str]:
        """Host -> why it could not be connected to, for every host that is no longer tried."""
        return self._reach.unreachable

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        accept: tuple[str, ...] = (),
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 60.0,
        max_body_mib: int = MAX_BODY_MIB,
        provider: str = "",
        headers: Mapping[str, str] | None = None,
        unchanged: Callable[[Reply], bool] | None = None,
        retry_timeouts: bool = True,
        transient: Callable[[Reply], bool] | None = None,
    ) -> Reply:
        """Ask once, and again where the failure is transient.

        ``accept`` names media types, whole or in part ("json"): an answer declared as another type is a failure, its
        content is kept. ``provider`` is for log and messages. ``unchanged`` judges an answer kept from an earlier run,
        where a host has no conditional requests; this session keeps none (``asking.RunHttp`` does). ``transient``
        judges a failed answer whose status is not one that is always tried again. Without ``retry_timeouts`` a timeout
        is returned at once, for a caller that asks for less instead.
        """
        connect_s, read_s = min(connect_timeout_s, self.connect_timeout_s), min(read_timeout_s, self.read_timeout_s)
        sent = {"Accept": ", ".join(kind for kind in accept if "/" in kind) or "*/*", **(headers or {})}
        size = _Size(min(max_body_mib << 20, self.max_body_bytes), provider)
        quota = self._quota(url)
        with quota.slots:
            for attempt in range(1, self.tries + 1):
                until = min(quota.deadline, time.monotonic() + min(self.request_limit_s, READS * read_s))
                reply = self._once(url, params, sent, accept, _Limits(connect_s, read_s, until, size))
                failure = reply.failure
                if failure is not None and transient is not None and not failure.transient and transient(reply):
                    failure = replace(failure, transient=True)
                    reply = replace(reply, failure=failure)
                log.debug("%s: %s: %s", provider, reply.url, failure.message if failure else reply.status)
                if failure is None or not failure.transient or attempt == self.tries:
                    break
                if not retry_timeouts and (failure.kind is FailureKind.TIMEOUT or reply.status == GATEWAY_TIMEOUT):
                    break
                backoff = min(BACKOFF_MAX_S, BACKOFF_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
                wait = backoff if failure.retry_after_s is None else failure.retry_after_s
                if time.monotonic() + wait >= quota.deadline:
                    late = f"{failure.message}; {wait:.0f} s more to wait is beyond the time a host has"
                    return replace(reply, failure=Failure(FailureKind.DEADLINE, late))
                self.sleep(wait)
        if failure is not None and failure.kind is FailureKind.UNREACHABLE and failure.transient:
            self._reach.give_up(url, failure.message)
        return reply

    def _once(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        accept: tuple[str, ...],
        limits: _Limits,
    ) -> Reply:
        """One try: every fault of host, network or address becomes the reply's failure."""
        name = urlsplit(url).hostname
        try:
            with self._open(url, params, headers, limits) as response:
                body = self._decode(self._received(response, limits), response, limits.size)
                reply = Reply(response.url, body, response.status_code, response.headers)
            return replace(reply, failure=_judge(reply, accept, partial="Range" in headers))
        except _Fault as fault:
            failure = fault.failure
        except Unreachable as fault:
            failure = Failure(FailureKind.UNREACHABLE, str(fault))
        except SSLError as error:
            failure = Failure(FailureKind.TLS, f"{name}: no trusted TLS connection ({_root(error)})")
        except (requests.ReadTimeout, ReadTimeoutError):
            failure = Failure(FailureKind.TIMEOUT, f"{name}: no answer within {limits.read_s:g} s", transient=True)
        except (requests.ConnectionError, HTTPError, HTTPException) as error:
            root = _root(error)
            gone = isinstance(root, NewConnectionError | ConnectTimeoutError)
            kind = FailureKind.UNREACHABLE if gone else FailureKind.BROKEN
            failure = Failure(kind, f"{name}: connection {'lost' if gone else 'broken'} ({root})", transient=True)
        except (OSError, ValueError) as error:  # of requests' own making: an address or a setting that cannot be used
            failure = Failure(FailureKind.ADDRESS, f"{url}: {error}")
        return Reply(url, failure=failure)

    def _open(
        self, url: str, params: Mapping[str, str | int] | None, headers: Mapping[str, str], limits: _Limits
    ) -> requests.Response:
        """Send the request and follow its redirects, up to the headers of the last answer."""
        before = ""
        for _ in range(MAX_REDIRECTS + 1):
            if urlsplit(url).scheme not in ("http", "https"):
                raise _Fault(FailureKind.ADDRESS, f"{url}: only http and https addresses are asked")
            peer = self._reach.peer(url, limits.connect_s)
            if leads_inside(before, peer):
                raise _Fault(FailureKind.REDIRECT, f"redirect from a public address to {url} ({peer}) is not followed")
            left = limits.until - time.monotonic()
            if left <= 0:
                raise _Fault(FailureKind.DEADLINE, f"{host_of(url)}: the time for this host is used up")
            session = self._opened()
            timeout = (min(limits.connect_s, left), min(limits.read_s, left))
            ask = partial(
                session.get, url, params=params, headers=headers, stream=True, allow_redirects=False, timeout=timeout
            )
            try:
                # headers that come byte by byte meet no limit of the session's
                response = within(left, ask)
            except FutureTimeout:
                late = f"{host_of(url)}: no complete headers within {left:.2g} s"
                raise _Fault(FailureKind.TIMEOUT, late, transient=True) from None
            location = session.get_redirect_target(response)
            if location is None:
                return response
            response.close()
            target = urljoin(response.url, location)
            if fault := redirect_fault(response.url, target):
                raise _Fault(FailureKind.REDIRECT, fault)
            before, url, params = peer, target, None
        raise _Fault(FailureKind.REDIRECT, f"{url}: more than {MAX_REDIRECTS} redirects")

    def _received(self, response: requests.Response, limits: _Limits) -> Body:
        """The body as sent, within the limit of the whole try: trailers without end meet none of the library's."""
        try:
            return within(max(0.0, limits.until - time.monotonic()), partial(self._receive, response, limits.size))
        except FutureTimeout:
            with suppress(ValueError, RuntimeError, OSError):  # of a connection that is gone by now
                response.raw.shutdown()  # the thread left behind reads an end, and closing waits for nobody
            raise _Fault(FailureKind.TIMEOUT, f"{response.url}: body not complete in time", transient=True) from None

    def _receive(self, response: requests.Response, size: _Size) -> Body:
        """The body as sent, no more of it than is allowed."""
        with Spool(self.folder) as spool:
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                size.check(spool.size + len(chunk), response.url)
                spool.write(chunk)
            return spool.body()

    def _decode(self, wire: Body, response: requests.Response, size: _Size) -> Body:
        """The body decompressed. Libraries let a compressed stream end early in silence, which would cut a table."""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity") or not wire:
            return wire
        if encoding not in WINDOW_BITS:
            raise _Fault(FailureKind.BROKEN, f"{response.url}: the encoding {encoding} was not asked for")
        fault = ""
        for bits in WINDOW_BITS[encoding]:
            try:
                with Spool(self.folder) as spool:
                    for part in _inflated(wire, bits):
                        size.check(spool.size + len(part), response.url, decoded=True)
                        spool.write(part)
                    return spool.body()
            except zlib.error as error:
                fault = fault or str(error)
        raise _Fault(FailureKind.BROKEN, f"{response.url}: damaged {encoding} stream ({fault})", transient=True)

    def _quota(self, url: str) -> _Quota:
        with self._lock:
            quota = _Quota(BoundedSemaphore(self.per_host_parallel), time.monotonic() + self.host_deadline_s)
            return self._quotas.setdefault(host_of(url), quota)

    def _opened(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = requests.Session()
                self._session.headers["User-Agent"] = self.user_agent or agent()
                self._session.headers["Accept-Encoding"] = "gzip, deflate"
                for scheme in ("https://", "http://"):
                    self._session.mount(scheme, HTTPAdapter(pool_connections=32, pool_maxsize=self.per_host_parallel))
            return self._session


def agent(contact: str | None = None) -> str:
    """How a request names who asks: project, version, and the operator's contact address where there is one."""
    reached = f"; contact: {contact}" if contact else ""
    return f"{PROJECT}/{version(PROJECT)} (public indicators{reached})"


def _inflated(wire: Body, bits: int) -> Iterator[bytes]:
    """The content of a compressed stream, a bounded part at a time so that a few bytes cannot fill the memory.

    Raises zlib.error, also where the stream has no end.
    """
    member = zlib.decompressobj(bits)
    with wire.open() as stream:
        while part := stream.read(CHUNK):
            while part:
                if member.eof:  # several members are one content
                    member = zlib.decompressobj(bits)
                yield member.decompress(part, PART)
                part = member.unused_data if member.eof else member.unconsumed_tail
    while not member.eof and (rest := member.decompress(member.unconsumed_tail, PART)):
        yield rest
    if not member.eof:
        raise zlib.error("it ends early")


def _judge(reply: Reply, accept: tuple[str, ...], partial: bool = False) -> Failure | None:
    """What is wrong with a reply as HTTP: its status, or a declared type that was not asked for.

    ``partial``: a part of the content was asked for.
    """
    where = urlsplit(reply.url).hostname
    media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if _challenges(reply):
        return Failure(
            FailureKind.CHALLENGE, f"{where}: HTTP {reply.status}, a challenge to browsers instead of an answer"
        )
    if reply.status == 202 and not reply.body:
        return Failure(FailureKind.CHALLENGE, f"{where}: HTTP 202 without a body, a challenge to browsers")
    if reply.status not in WHOLE and not (partial and reply.status == 206):
        wait = _retry_after(reply.headers.get("Retry-After"))
        return Failure(FailureKind.STATUS, f"{where}: HTTP {reply.status}", reply.status in RETRIED_STATUS, wait)
    if accept and media_type and not any(kind in media_type for kind in accept):
        return Failure(FailureKind.CONTENT_TYPE, f"{where}: {media_type} came instead of {' or '.join(accept)}")
    return None


def _challenges(reply: Reply) -> bool:
    """Whether a firewall answers in the site's place: it says so in a header, or in a page under a success status."""
    if any(name in reply.headers for name in CHALLENGE_HEADERS):
        return True
    page = reply.body.head().lstrip()
    return reply.status in WHOLE and page.startswith(b"<") and CHALLENGE_TITLE.search(page) is not None


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, from seconds or an HTTP date. None where the header is absent or makes no sense."""
    try:
        return Retry().parse_retry_after(header) if header else None
    except (InvalidHeader, ValueError, OverflowError):  # the latter two of dates and numbers beyond any
        return None


def _root(error: BaseException) -> BaseException:
    """What really happened, below the layers of requests and urllib3."""
    layers = (*error.args, getattr(error, "reason", None))
    inner = next((layer for layer in layers if isinstance(layer, BaseException)), None)
    return error if inner is None else _root(inner)
