"""One attempt of a request: its time limits, its size limit and its redirects; and the waits between attempts.

Belongs here: what is written with requests and urllib3. Does not belong here: when a request is sent again
(``client``), whether a host can be connected to (``reachability``), what makes a reply unusable (``replies``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.exceptions import SSLError
from requests.utils import get_auth_from_url
from urllib3 import Retry
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from sources.http.bodies import Body, Spool
from sources.http.decoding import decode
from sources.http.limits import AttemptLimits
from sources.http.reachability import Reach, Unreachable, host_of, run_with_deadline
from sources.http.redirects import leads_inside, redirect_fault
from sources.http.replies import Failure, FailureKind, Fault, Reply, find_failure

MAX_REDIRECTS = 5
RECEIVED = 1 << 18
"""Bytes that are received at a time: other threads may run after each."""
BACKOFF_S, BACKOFF_MAX_S = 0.5, 30.0
"""Longest wait before the first retry, which doubles with each retry; longest wait before any retry."""


class Sender:
    """Sends requests, each once, from any number of threads.

    Args:
        reach: Knows which hosts can be reached.
        ends: Monotonic time after which no host gets a request.
        user_agent: The User-Agent of every request.
        tries: Attempts per request.
        per_host: Connections to one host that are kept.
        folder: Folder for large bodies; the system's temporary folder where None.
    """

    def __init__(
        self, reach: Reach, ends: float, user_agent: str, tries: int, per_host: int, folder: Path | None
    ) -> None:
        self._reach, self._ends, self._tries, self._folder = reach, ends, tries, folder
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        self._session.headers["Accept-Encoding"] = "gzip"
        self._session.auth = _own_credentials
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=32, pool_maxsize=per_host))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry of a request.

        urllib3's rule is not mounted on the adapter: there it would see neither a body that breaks off nor the time
        limits of request and host. After the first attempt it never waits.
        """
        retry = Retry(
            self._tries, backoff_factor=BACKOFF_S / 4, backoff_jitter=BACKOFF_S / 2, backoff_max=BACKOFF_MAX_S
        )
        retry = retry.increment()
        for _ in range(self._tries - 1):
            retry = retry.increment()
            yield retry.get_backoff_time()

    def send(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        accept: tuple[str, ...],
        limits: AttemptLimits,
    ) -> Reply:
        """Send a request once. Every fault of host, network or address becomes the failure of the reply."""
        host = urlsplit(url).hostname
        try:
            with self._response(url, params, headers, limits) as response:
                encoding = response.headers.get("Content-Encoding", "")
                body = decode(self._receive(response, limits), encoding, response.url, limits.size, self._folder)
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

    def _response(
        self, url: str, params: Mapping[str, str | int] | None, headers: Mapping[str, str], limits: AttemptLimits
    ) -> requests.Response:
        """Send a request, follow its redirects, and return the response without its body."""
        session, previous_ip = self._session, ""
        for _ in range(MAX_REDIRECTS + 1):
            if urlsplit(url).scheme not in ("http", "https"):
                raise Fault(FailureKind.ADDRESS, f"{url}: only http and https addresses are asked")
            self._seconds_left(url, limits)  # an unreachable host would take time too
            ip = self._reach.probe_host(url, limits.connect_s)
            if leads_inside(previous_ip, ip):
                raise Fault(FailureKind.REDIRECT, f"redirect from a public address to {url} ({ip}) is not followed")
            left = self._seconds_left(url, limits)
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

    def _seconds_left(self, url: str, limits: AttemptLimits) -> float:
        """Return the seconds of the attempt that are left. Raises Fault without any."""
        left = limits.until - time.monotonic()
        if left <= 0:
            whose = "for this host" if time.monotonic() < self._ends else "of the refresh for providers"
            raise Fault(FailureKind.DEADLINE, f"{host_of(url)}: the time {whose} is used up")
        return left

    def _receive(self, response: requests.Response, limits: AttemptLimits) -> Body:
        """Return the body as sent. Raises Fault if it is too large or not complete at the end of the attempt."""

        def read() -> Body:
            with Spool(self._folder) as spool:
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
