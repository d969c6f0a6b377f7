"""Quotas of hosts: how many requests a host gets at a time, and until when it gets any.

Belongs here: both limits of a session, and the place where other processes count too. Does not belong here: sending
(``sending``), how processes count together (the project's lake).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import Protocol

from sources.http.reachability import host_of
from sources.http.replies import Failure, FailureKind, Reply

PER_HOST = 4
"""Requests to one host at the same time."""


class SharedSlots(Protocol):
    """Requests to a host at the same time, counted over several processes."""

    def of(self, host: str, until: float) -> AbstractContextManager[None]:
        """Hold a slot of a host within the block, after waiting for it until a monotonic time at most.

        Raises:
            TimeoutError: There was none until then.
            ConnectionError: They cannot be counted.
        """
        ...


@dataclass(frozen=True)
class Quota:
    """A host's requests at the same time in this session, and the monotonic time after which it gets none."""

    host: str
    slots: BoundedSemaphore
    deadline: float
    shared: SharedSlots | None

    @contextmanager
    def turn(self, url: str) -> Iterator[Reply | None]:
        """Hold a slot within the block, here and over all processes. Yield None, or a failed reply if there is none."""
        refused = None
        with self.slots, ExitStack() as stack:
            try:
                if self.shared:
                    stack.enter_context(self.shared.of(self.host, self.deadline))
            except TimeoutError as error:
                refused = Failure(FailureKind.DEADLINE, str(error))
            except ConnectionError as error:
                refused = Failure(FailureKind.BROKEN, str(error))
            yield Reply(url, failure=refused) if refused else None


class Quotas:
    """The quotas of a session by host, for any number of threads.

    Args:
        parallel: Requests to one host at the same time.
        seconds: Time of a host, from its first request.
        ends: Monotonic time after which no host gets a request.
        shared: Counts over several processes; None for one process.
    """

    def __init__(self, parallel: int, seconds: float, ends: float, shared: SharedSlots | None) -> None:
        self._parallel, self._seconds, self._ends, self._shared = parallel, seconds, ends, shared
        self._lock = Lock()
        self._by_host: dict[str, Quota] = {}

    def of(self, url: str) -> Quota:
        """Return the quota of the host of an address. Its time begins with the first call."""
        host = host_of(url)
        with self._lock:
            if host not in self._by_host:
                deadline = min(time.monotonic() + self._seconds, self._ends)
                self._by_host[host] = Quota(host, BoundedSemaphore(self._parallel), deadline, self._shared)
            return self._by_host[host]
