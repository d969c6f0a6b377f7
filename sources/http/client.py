"""The HTTP session of a run: GET with retries, and with limits of hosts and of the run.

Belongs here: when a request is sent, and when it is sent again. Does not belong here: sending it (``sending``), what
makes a reply unusable (``replies``), caches (``conditional``), which provider is next (``sources.chain``).
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from sources.http.limits import AttemptLimits, SizeLimit
from sources.http.quotas import PER_HOST, Quota, Quotas, SharedSlots
from sources.http.reachability import Reach, host_of
from sources.http.replies import Failure, FailureKind, Reply
from sources.http.user_agent import agent
from sources.refusals import RefusedCodes

if TYPE_CHECKING:
    from sources.http.sending import Sender

__all__ = ["GATEWAY_TIMEOUT", "MAX_BODY_MIB", "Failure", "FailureKind", "Http", "Reply", "agent"]

GATEWAY_TIMEOUT = 504
MAX_BODY_MIB = 64
"""Largest body as sent, where the provider's catalogue entry has no other limit."""
READS = 4
"""One attempt takes at most this many read timeouts: a lower read timeout lowers that limit too."""
log = logging.getLogger(__name__)


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
        max_body_bytes: Upper limit for a body as sent; decompressed it may have ``limits.DECODED_TIMES`` as many.
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
    _sender: Sender | None = field(init=False, default=None, repr=False)

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
        if self._sender is not None:
            self._sender.close()

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
        sender, quota = self._opened(), self._quotas.of(url)
        waits = sender.waits()
        with quota.turn(url) as refused:
            while True:
                until = min(quota.deadline, time.monotonic() + min(self.request_limit_s, READS * read_s))
                reply = refused or sender.send(url, params, sent, accept, AttemptLimits(connect_s, read_s, until, size))
                failure = reply.failure
                if failure and transient and not failure.transient and transient(reply):
                    failure = replace(failure, transient=True)
                    reply = replace(reply, failure=failure)
                self._note_late(url, quota, failure)
                log.debug("%s: %s: %s", provider, reply.url, failure.message if failure else reply.status)
                timed_out = failure and (failure.kind is FailureKind.TIMEOUT or reply.status == GATEWAY_TIMEOUT)
                if failure is None or not failure.transient or (timed_out and not retry_timeouts):
                    return reply
                wait = next(waits, None)
                if wait is None:
                    break
                wait = wait if failure.retry_after_s is None else failure.retry_after_s
                if time.monotonic() + wait >= quota.deadline:
                    late = f"{failure.message}; {wait:.0f} s more to wait is beyond the time a host has"
                    failure = Failure(FailureKind.DEADLINE, late)
                    return replace(reply, failure=self._note_late(url, quota, failure))
                self.sleep(wait)
        if failure.kind is FailureKind.UNREACHABLE:
            self._reach.mark_unreachable(url, failure.message)
        return reply

    def _note_late(self, url: str, quota: Quota, failure: Failure | None) -> Failure | None:
        """Note the host of a failed request if its time is used up. Return the failure."""
        if failure and (failure.kind is FailureKind.DEADLINE or time.monotonic() >= quota.deadline):
            with self._lock:
                self._late.setdefault(host_of(url), failure.message)
        return failure

    def _opened(self) -> Sender:
        # requests takes 80 ms to import, and a refresh without the network sends nothing
        from sources.http.sending import Sender

        with self._lock:
            if self._sender is None:
                name, parallel = self.user_agent or agent(), self.per_host_parallel
                self._sender = Sender(self._reach, self._ends, name, self.tries, parallel, self.folder)
            return self._sender
