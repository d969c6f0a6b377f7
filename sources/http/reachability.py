"""Whether a host can be connected to at all, found out once a host, so that a closed network is known within seconds.

Belongs here: name look-up, first connection, the memory of who did not answer. Does not belong here: requests
(``http``).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TypeVar
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

REFUSED_PAUSES_S = (0.2, 0.5, 1.0)
CLOSED_NETWORK_S = 4.0
"""As long as no host has answered, all hosts together are waited for that long."""
LAST_CHANCE_S = 0.5
"""What a host gets even when that time is used up: a mirror may answer where the primary does not."""

T = TypeVar("T")


class Unreachable(Exception):
    """Nobody can be connected to at this address. The message names the host and the reason."""


@dataclass
class _Host:
    probing: Lock = field(default_factory=Lock)
    peer: str | None = None
    fault: str | None = None


def host_of(url: str) -> str:
    """Host, and port where the address names one. Without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


class Reach:
    """What is known of each host's reachability. Safe to ask from several threads."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = Lock()
        self._hosts: dict[str, _Host] = {}
        self._first_probe: float | None = None

    @property
    def unreachable(self) -> dict[str, str]:
        """Host -> why it could not be connected to, for every host that is no longer tried."""
        with self._lock:
            return {name: host.fault for name, host in self._hosts.items() if host.fault}

    def give_up(self, url: str, reason: str) -> None:
        """Remember a host that was reached before and is gone."""
        self._host(url).fault = reason

    def peer(self, url: str, timeout_s: float) -> str:
        """The IP address that answers for the host of ``url``, empty where a proxy stands between. Raises Unreachable.

        Who asks while a host is being tried waits for the same result.
        """
        host = self._host(url)
        with host.probing:
            if host.peer is None and host.fault is None:
                self._probe(host, url, timeout_s)
        if host.fault is not None:
            raise Unreachable(host.fault)
        return host.peer or ""

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(host_of(url), _Host())

    def _probe(self, host: _Host, url: str, timeout_s: float) -> None:
        now = time.monotonic()
        with self._lock:
            self._first_probe = self._first_probe or now
            left = CLOSED_NETWORK_S - (now - self._first_probe)
            if all(other.peer is None for other in self._hosts.values()):
                timeout_s = min(timeout_s, max(left, LAST_CHANCE_S))
        proxy = select_proxy(url, get_environ_proxies(url))
        try:
            # A proxy may be configured without a scheme ("proxy.example:3128").
            asked = urlsplit(proxy if "//" in proxy else f"http://{proxy}") if proxy else urlsplit(url)
            address = (asked.hostname or "", asked.port or (443 if asked.scheme == "https" else 80))
            peer = within(timeout_s, lambda: _dial(address, timeout_s, self._sleep))
            host.peer = "" if proxy else peer
        except Exception as error:  # whatever it was, nobody can be connected to there
            through = " (through the configured proxy)" if proxy else ""
            host.fault = f"{host_of(url)} cannot be reached{through}: {_reason(error, timeout_s)}"


def _dial(address: tuple[str, int], timeout_s: float, sleep: Callable[[float], None]) -> str:
    """Connect once and hang up; the IP address that answered. Refused is tried again: a server may just be starting."""
    pauses = iter(REFUSED_PAUSES_S)
    while True:
        try:
            with socket.create_connection(address, timeout=timeout_s) as connection:
                return str(connection.getpeername()[0])
        except ConnectionRefusedError:
            pause = next(pauses, None)
            if pause is None:
                raise
            sleep(pause)


def within(timeout_s: float, call: Callable[[], T]) -> T:
    """Run ``call`` in a thread that is left behind after ``timeout_s``: for what cannot be given a time limit.

    Raises concurrent.futures.TimeoutError, or what ``call`` raises.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True, name="within").start()
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
