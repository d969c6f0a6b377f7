"""The HTTP session of a run: GET with retries, time limits, size limits and checked redirects.

Belongs here: how a request is sent, retried and limited. Does not belong here: whether a host can be connected to
(``reachability``), what makes a reply unusable (``replies``), caches (``conditional``), which provider is next
(``sources.chain``).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Lock
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.exceptions import SSLError
from requests.utils import get_auth_from_url
from urllib3 import Retry
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from sources.http.bodies import Body, Spool
from sources.http.decoding import SizeLimit, decode
from sources.http.quotas import PER_HOST, Quota, Quotas, SharedSlots
from sources.http.reachability import Reach, Unreachable, host_of, run_with_deadline
from sources.http.redirects import leads_inside, redirect_fault
from sources.http.replies import Failure, FailureKind, Fault, Reply, find_failure
from sources.http.user_agent import agent
from sources.refusals import RefusedCodes

__all__ = ["GATEWAY_TIMEOUT", "MAX_BODY_MIB", "Failure", "FailureKind", "Http", "Reply", "agent"]

GATEWAY_TIMEOUT = 504
MAX_BODY_MIB = 64
"""Largest body as sent, where the provider's catalogue entry has no other limit."""
MAX_REDIRECTS = 5
READS = 4
"""One attempt takes at most this many read timeouts: a lower read timeout lowers that limit too."""
RECEIVED = 1 << 18
"""Bytes that are received at a time: other threads may run after each."""
BACKOFF_S, BACKOFF_MAX_S = 0.5, 30.0
"""Longest wait before the first retry, which doubles with each retry; longest wait before any retry."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Limits:
    """Limits of one attempt: timeouts in seconds, its end on the monotonic clock, the size of the body."""

    connect_s: float
    read_s: float
    until: float
    size: SizeLimit


@dataclass(kw_only=True)
class Http:
    """GET with limits, from any number of threads, for one refresh.

    A fault of a host or of the network becomes the failure of the reply; it is never raised. A host that is unreachable
    or has used up its time remains so for the life of the session.

    Attributes:
        tries: Attempts per request.
        connect_timeout_s: Upper limit for the timeout of a call.
        read_timeout_s: Upper limit for the timeout of a call, from one byte to the next.
        request_limit_s: Seconds for one attempt, from the first to the last byte.
        host_deadline_s: Seconds for all requests to one host, from the first request.
        budget_s: Seconds for all requests of the session, from its start.
        per_host_parallel: Requests of this session to one host at the same time.
        shared: Requests to a host at the same time over several processes; None for a process on its own.
        max_body_bytes: Upper limit for a body as sent; decompressed it may have ``decoding.DECODED_TIMES`` as many.
        user_agent: Default: ``agent()``.
        folder: Folder for large bodies; the system's temporary folder by default.
        refused: Codes that providers refused in earlier runs.
        sleep: Waits between attempts.
    """

    tries: int = 4
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 600.0
    request_limit_s: float = 240.0
    host_deadline_s: float = 300.0
    budget_s: float = math.inf
    per_host_parallel: int = PER_HOST
    shared: SharedSlots | None = None
    max_body_bytes: int = 2048 << 20
    user_agent: str | None = None
    folder: Path | None = None
    refused: RefusedCodes = field(default_factory=RefusedCodes)
    sleep: Callable[[float], None] = time.sleep
    _lock: Lock = field(init=False, default_factory=Lock, repr=False)
    _session: requests.Session | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self._reach = Reach(self.sleep)
        self._ends = time.monotonic() + self.budget_s
        self._quotas = Quotas(self.per_host_parallel, self.host_deadline_s, self._ends, self.shared)
        self._late: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            self._session.close()

    @property
    def unreachable(self) -> dict[str, str]:
        """Reason by host, for every host that is no longer tried."""
        return self._reach.unreachable

    @property
    def late(self) -> dict[str, str]:
        """Reason by host, for every host whose time was used up before it had answered everything."""
        with self._lock:
            return dict(self._late)

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
        """Send a request, and retry it while the failure is transient.

        Args:
            url: Address, http or https.
            params: Query parameters.
            accept: Media types, complete or in part ("json"). A reply of another type is a failure with its body.
            connect_timeout_s: Seconds to connect.
            read_timeout_s: Seconds from one byte to the next.
            max_body_mib: Largest body as sent.
            provider: Name for messages.
            headers: Additional request headers.
            unchanged: Whether the cached reply of ``conditional.RunHttp`` is still valid, at hosts without validators.
            retry_timeouts: Whether to retry after a timeout; False for callers that then request less.
            transient: Whether to retry after a failure that is not transient by its status.
        """
        connect_s, read_s = min(connect_timeout_s, self.connect_timeout_s), min(read_timeout_s, self.read_timeout_s)
        sent = {"Accept": ", ".join(kind for kind in accept if "/" in kind) or "*/*", **(headers or {})}
        size = SizeLimit(min(max_body_mib << 20, self.max_body_bytes), provider)
        quota, retry = self._quotas.of(url), self._retry(url)
        with quota.turn(url) as refused:
            while True:
                until = min(quota.deadline, time.monotonic() + min(self.request_limit_s, READS * read_s))
                reply = refused or self._attempt(url, params, sent, accept, _Limits(connect_s, read_s, until, size))
                failure = reply.failure
                if failure and transient and not failure.transient and transient(reply):
                    failure = replace(failure, transient=True)
                    reply = replace(reply, failure=failure)
                self._note_late(url, quota, failure)
                log.debug("%s: %s: %s", provider, reply.url, failure.message if failure else reply.status)
                timed_out = failure and (failure.kind is FailureKind.TIMEOUT or reply.status == GATEWAY_TIMEOUT)
                if failure is None or not failure.transient or (timed_out and not retry_timeouts):
                    return reply
                try:
                    retry = retry.increment(url=url)
                except MaxRetryError:
                    break
                wait = retry.get_backoff_time() if failure.retry_after_s is None else failure.retry_after_s
                if time.monotonic() + wait >= quota.deadline:
                    late = f"{failure.message}; {wait:.0f} s more to wait is beyond the time a host has"
                    failure = Failure(FailureKind.DEADLINE, late)
                    return replace(reply, failure=self._note_late(url, quota, failure))
                self.sleep(wait)
        if failure.kind is FailureKind.UNREACHABLE:
            self._reach.mark_unreachable(url, failure.message)
        return reply

    def _retry(self, url: str) -> Retry:
        """Return the number of retries and the waits between them, after the first attempt.

        It is not mounted on the adapter: there it would see neither a body that breaks off nor the time limits of
        request and host. ``increment`` counts the first attempt, after which urllib3 never waits.
        """
        return Retry(
            self.tries, backoff_factor=BACKOFF_S / 4, backoff_jitter=BACKOFF_S / 2, backoff_max=BACKOFF_MAX_S
        ).increment(url=url)

    def _attempt(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        accept: tuple[str, ...],
        limits: _Limits,
    ) -> Reply:
        """Send a request once. Every fault of host, network or address becomes the failure of the reply."""
        host = urlsplit(url).hostname
        try:
            with self._send(url, params, headers, limits) as response:
                encoding = response.headers.get("Content-Encoding", "")
                body = decode(self._receive(response, limits), encoding, response.url, limits.size, self.folder)
                reply = Reply(response.url, body, response.status_code, response.headers)
            return replace(reply, failure=find_failure(reply, accept, partial="Range" in headers))
        except Fault as fault:
            failure = fault.failure
        except Unreachable as fault:
            failure = Failure(FailureKind.UNREACHABLE, str(fault))
        except SSLError as error:
            failure = Failure(FailureKind.TLS, f"{host}: no trusted TLS connection ({_root(error)})")
        except (requests.ReadTimeout, ReadTimeoutError):
            failure = Failure(FailureKind.TIMEOUT, f"{host}: no answer within {limits.read_s:g} s", transient=True)
        except (requests.ConnectionError, HTTPError, HTTPException) as error:
            root = _root(error)
            lost = isinstance(root, NewConnectionError | ConnectTimeoutError)
            kind = FailureKind.UNREACHABLE if lost else FailureKind.BROKEN
            failure = Failure(kind, f"{host}: connection {'lost' if lost else 'broken'} ({root})", transient=True)
        except (OSError, ValueError) as error:  # raised by requests for an invalid address or setting
            failure = Failure(FailureKind.ADDRESS, f"{url}: {error}")
        return Reply(url, failure=failure)

    def _send(
        self, url: str, params: Mapping[str, str | int] | None, headers: Mapping[str, str], limits: _Limits
    ) -> requests.Response:
        """Send a request, follow its redirects, and return the response without its body."""
        previous_ip = ""
        for _ in range(MAX_REDIRECTS + 1):
            if urlsplit(url).scheme not in ("http", "https"):
                raise Fault(FailureKind.ADDRESS, f"{url}: only http and https addresses are asked")
            self._seconds_left(url, limits)  # an unreachable host would take time too
            ip = self._reach.probe_host(url, limits.connect_s)
            if leads_inside(previous_ip, ip):
                raise Fault(FailureKind.REDIRECT, f"redirect from a public address to {url} ({ip}) is not followed")
            left = self._seconds_left(url, limits)
            session = self._opened()
            timeout = (min(limits.connect_s, left), min(limits.read_s, left))
            send = partial(
                session.get, url, params=params, headers=headers, stream=True, allow_redirects=False, timeout=timeout
            )
            try:
                # the read timeout restarts with each byte, so slow headers would never time out
                response = run_with_deadline(left, send)
            except FutureTimeout:
                late = f"{host_of(url)}: no complete headers within {left:.2g} s"
                raise Fault(FailureKind.TIMEOUT, late, transient=True) from None
            location = session.get_redirect_target(response)
            if location is None:
                return response
            response.close()
            target = urljoin(response.url, location)
            if fault := redirect_fault(response.url, target):
                raise Fault(FailureKind.REDIRECT, fault)
            previous_ip, url, params = ip, target, None
        raise Fault(FailureKind.REDIRECT, f"{url}: more than {MAX_REDIRECTS} redirects")

    def _seconds_left(self, url: str, limits: _Limits) -> float:
        """Return the seconds of the attempt that are left. Raises Fault without any."""
        left = limits.until - time.monotonic()
        if left <= 0:
            whose = "for this host" if time.monotonic() < self._ends else "of the refresh for providers"
            raise Fault(FailureKind.DEADLINE, f"{host_of(url)}: the time {whose} is used up")
        return left

    def _note_late(self, url: str, quota: Quota, failure: Failure | None) -> Failure | None:
        """Note the host of a failed request if its time is used up. Return the failure."""
        if failure and (failure.kind is FailureKind.DEADLINE or time.monotonic() >= quota.deadline):
            with self._lock:
                self._late.setdefault(host_of(url), failure.message)
        return failure

    def _receive(self, response: requests.Response, limits: _Limits) -> Body:
        """Return the body as sent. Raises Fault if it is too large or not complete at the end of the attempt."""

        def read() -> Body:
            with Spool(self.folder) as spool:
                while chunk := response.raw.read1(RECEIVED, decode_content=False):
                    limits.size.check(spool.size + len(chunk), response.url)
                    spool.write(chunk)
                return spool.body()

        try:
            # endless trailers have no limit in the libraries
            return run_with_deadline(max(0.0, limits.until - time.monotonic()), read)
        except FutureTimeout:
            with suppress(ValueError, RuntimeError, OSError):  # the connection may be closed already
                response.raw.shutdown()  # ends the abandoned thread, so that closing does not wait for it
            raise Fault(FailureKind.TIMEOUT, f"{response.url}: body not complete in time", transient=True) from None

    def _opened(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = requests.Session()
                self._session.headers["User-Agent"] = self.user_agent or agent()
                self._session.headers["Accept-Encoding"] = "gzip"
                self._session.auth = _own_credentials
                for scheme in ("https://", "http://"):
                    self._session.mount(scheme, HTTPAdapter(pool_connections=32, pool_maxsize=self.per_host_parallel))
            return self._session


def _own_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add the user and password of the address only.

    Without this, requests reads ``~/.netrc``, whose default entry is for any host: every provider would get it.
    """
    user, password = get_auth_from_url(request.url or "")
    return HTTPBasicAuth(user, password)(request) if user or password else request


def _root(error: BaseException) -> BaseException:
    """Return the error below the layers of requests and urllib3."""
    layers = (*error.args, getattr(error, "reason", None))
    inner = next((layer for layer in layers if isinstance(layer, BaseException)), None)
    return error if inner is None else _root(inner)
