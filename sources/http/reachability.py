"""Whether a host can be connected to, tested once per host, so that a closed network is noticed within seconds.

Belongs here: name look-up, the first connection, the list of unreachable hosts. Does not belong here: requests
(``sending``).
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

REFUSED_PAUSES_S = (0.2, 0.5, 1.0)
CLOSED_NETWORK_S = 4.0
"""Total time for connections to all hosts, until one host has answered."""
NEXT_ADDRESS_S = 0.25
"""Time until the next address of a host is tried, while the earlier ones are silent."""
LAST_CHANCE_S = 0.5
"""Time for a host after that total is used up: a mirror may answer when the primary host does not."""

T = TypeVar("T")
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
"""One address of a host, as the name look-up returns it."""


class Unreachable(Exception):
    """No connection to a host is possible. The message names the host and the reason."""


@dataclass
class _Host:
    probing: Lock = field(default_factory=Lock)
    ip: str | None = None
    fault: str | None = None


def host_of(url: str) -> str:
    """Return the host of an address, with the port if the address has one, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


class Reach:
    """Which hosts can be reached, for any number of threads.

    Args:
        sleep: Waits between two attempts to connect.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = Lock()
        self._hosts: dict[str, _Host] = {}
        self._first_probe: float | None = None

    @property
    def unreachable(self) -> dict[str, str]:
        """Reason by host, for every host that is no longer tried."""
        with self._lock:
            return {name: host.fault for name, host in self._hosts.items() if host.fault}

    def mark_unreachable(self, url: str, reason: str) -> None:
        """Stop trying the host of ``url``, which was reached before."""
        self._host(url).fault = reason

    def probe_host(self, url: str, timeout_s: float) -> str:
        """Return the IP address of the host of ``url``, or an empty text behind a proxy.

        The first call for a host connects to it; calls at the same time wait for its result.

        Raises:
            Unreachable: No connection within ``timeout_s`` seconds, now or in an earlier call.
        """
        host = self._host(url)
        with host.probing:
            if host.ip is None and host.fault is None:
                self._probe(host, url, timeout_s)
        if host.fault is not None:
            raise Unreachable(host.fault)
        return host.ip or ""

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(host_of(url), _Host())

    def _probe(self, host: _Host, url: str, timeout_s: float) -> None:
        from requests.utils import get_environ_proxies, select_proxy  # see sources.http.client.Http._opened

        now = time.monotonic()
        with self._lock:
            self._first_probe = self._first_probe or now
            left = CLOSED_NETWORK_S - (now - self._first_probe)
            if all(other.ip is None for other in self._hosts.values()):
                timeout_s = min(timeout_s, max(left, LAST_CHANCE_S))
        proxy = select_proxy(url, get_environ_proxies(url))
        try:
            # a proxy may be configured without a scheme ("proxy.example:3128")
            target = urlsplit(proxy if "//" in proxy else f"http://{proxy}") if proxy else urlsplit(url)
            address = (target.hostname or "", target.port or (443 if target.scheme == "https" else 80))
            ip = run_with_deadline(timeout_s, lambda: _connect(address, timeout_s, self._sleep))
            host.ip = "" if proxy else ip
        except Exception as error:  # every error means that no connection is possible
            through = " (through the configured proxy)" if proxy else ""
            host.fault = f"{host_of(url)} cannot be reached{through}: {_reason(error, timeout_s)}"


def _connect(address: tuple[str, int], timeout_s: float, sleep: Callable[[float], None]) -> str:
    """Connect once and return the IP address. A refused connection is retried: the server may just be starting."""
    pauses = iter(REFUSED_PAUSES_S)
    while True:
        try:
            return _connect_any(socket.getaddrinfo(*address, type=socket.SOCK_STREAM), timeout_s)
        except ConnectionRefusedError:
            pause = next(pauses, None)
            if pause is None:
                raise
            sleep(pause)


def _connect_any(addresses: Sequence[_Address], timeout_s: float) -> str:
    """Return the IP address that accepts a connection first. The next one is tried while the others are silent."""
    waiting, errors, until = list(addresses), [], time.monotonic() + timeout_s
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            pause = max(0.0, until - time.monotonic())
            if waiting:
                family, kind, protocol, _, address = waiting.pop(0)
                pause = min(pause, NEXT_ADDRESS_S) if waiting else pause
                try:
                    connection = opened.enter_context(socket.socket(family, kind, protocol))
                    connection.setblocking(False)
                    fault = connection.connect_ex(address)
                except OSError as error:  # the machine has no address of this family
                    errors.append(error)
                    continue
                if fault not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
                    errors.append(OSError(fault, os.strerror(fault)))
                    continue
                selector.register(connection, selectors.EVENT_WRITE, address[0])
            for key, _ in selector.select(pause):
                selector.unregister(key.fileobj)
                fault = cast(socket.socket, key.fileobj).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not fault:
                    return str(key.data)
                errors.append(OSError(fault, os.strerror(fault)))
            if time.monotonic() >= until:
                raise TimeoutError
    raise errors[0]


def run_with_deadline(timeout_s: float, call: Callable[[], T]) -> T:
    """Run ``call`` in a daemon thread and abandon it after ``timeout_s``: for blocking calls without a timeout.

    Raises:
        concurrent.futures.TimeoutError: The call is not finished. Other exceptions are those of ``call``.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True, name="run_with_deadline").start()
    return future.result(timeout_s)


def _reason(error: Exception, timeout_s: float) -> str:
    match error:
        case socket.gaierror() | UnicodeError():
            return "its name is not known (DNS)"
        case TimeoutError():
            return f"no connection within {timeout_s:.2g} s"
        case ConnectionRefusedError():
            return "connection refused"
        case OSError():
            return error.strerror or str(error)
        case _:
            return f"{type(error).__name__}: {error}"
