"""Limits of one attempt of a request: its times, and the size of the body.

Belongs here: the limits, and the failure of a body that is too large. Does not belong here: limits of all requests to a
host (``quotas``).
"""

from __future__ import annotations

from dataclasses import dataclass

from sources.http.replies import FailureKind, Fault

DECODED_TIMES = 4
"""A decompressed body may be this many times larger than the limit for the body as sent."""


@dataclass(frozen=True)
class SizeLimit:
    """The largest body as sent, in bytes, and the provider whose catalogue entry has the limit."""

    sent: int
    provider: str

    def check(self, size: int, url: str, decoded: bool = False) -> None:
        """Raise Fault if a body of at least ``size`` bytes is too large."""
        limit = self.sent * (DECODED_TIMES if decoded else 1)
        if size > limit:
            prefix = f"{self.provider}: " if self.provider else ""
            raise Fault(
                FailureKind.TOO_LARGE,
                f"{prefix}{url}: more than {limit:,} bytes{' when decompressed' if decoded else ''} came; "
                f"raise max_body_mib of {self.provider or 'the provider'} in providers.yml",
            )


@dataclass(frozen=True)
class AttemptLimits:
    """Timeouts in seconds, the end of the attempt on the monotonic clock, and the size of the body."""

    connect_s: float
    read_s: float
    until: float
    size: SizeLimit
