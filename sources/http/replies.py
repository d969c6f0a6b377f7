"""The result of a request: a reply with its body, or the failure that makes it unusable.

Belongs here: the kinds of failure, and which status or header makes a response a failure. Does not belong here: sending
requests (``sending``), the meaning of a body (the adapters).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from sources.errors import printable
from sources.http.bodies import EMPTY, Body
from sources.observation import utc_now

RETRIED_STATUS = frozenset({429, 502, 503, 504})
BLOCKED_STATUS = frozenset({401, 403, 451})
"""Sent by hosts that turn programs away."""
COMPLETE_STATUS = frozenset({200, 203})
"""Sent with a complete body; 206 comes with a part of it."""
CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action")
"""Headers of responses that a firewall sends instead of the site."""
CHALLENGE_TITLE = re.compile(
    rb"<title>\s*(just a moment|access denied|request rejected|attention required)", re.IGNORECASE
)


class FailureKind(StrEnum):
    """Why a reply cannot be used."""

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
    """Why a reply cannot be used. A transient failure is retried, after ``retry_after_s`` if the host asks for it."""

    kind: FailureKind
    message: str
    transient: bool = False
    retry_after_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))  # it has headers of the provider


class Fault(Exception):
    """A request failed; raised and caught within ``sources.http``."""

    def __init__(self, kind: FailureKind, message: str, transient: bool = False) -> None:
        self.failure = Failure(kind, message, transient)


@dataclass(frozen=True)
class Reply:
    """The result of one GET.

    Attributes:
        url: Address of the response, after redirects.
        body: Decoded content, complete or empty.
        status: HTTP status; 0 without a response.
        retrieved_at: UTC.
        revalidated: The body was cached by an earlier run, and the host confirmed it (``conditional``).
        placed: The request failed, and a file of the operator replaces the response (``conditional``).
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
        """Return all bytes of the response body."""
        return self.body.content

    @property
    def length_known(self) -> bool:
        """Whether the host said where the body ends: by a length, by chunks, or by a compressed stream's own end.

        Without that, the end of the connection ends the body, also if the connection breaks.
        """
        headers = {name.lower(): value.lower() for name, value in self.headers.items()}
        chunked = "chunked" in headers.get("transfer-encoding", "")
        return chunked or "content-length" in headers or headers.get("content-encoding", "identity") != "identity"

    @property
    def blocked(self) -> bool:
        """Whether the host turns programs away."""
        challenged = self.failure is not None and self.failure.kind is FailureKind.CHALLENGE
        return challenged or self.status in BLOCKED_STATUS


def any_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers whose names are found in upper and lower case, as those of a response."""
    from requests.structures import CaseInsensitiveDict  # see sources.http.client.Http._opened

    return CaseInsensitiveDict(headers)


def find_failure(reply: Reply, accept: tuple[str, ...], partial: bool = False) -> Failure | None:
    """Return why the status or a header makes a reply unusable; None for a usable reply.

    Args:
        reply: A complete response.
        accept: Expected media types, complete or in part ("json"). Empty: any.
        partial: Whether the request was for a part of the content.
    """
    host = urlsplit(reply.url).hostname
    media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if _is_challenge(reply):
        message = f"{host}: HTTP {reply.status}, a challenge to browsers instead of an answer"
        return Failure(FailureKind.CHALLENGE, message)
    if reply.status not in COMPLETE_STATUS and not (partial and reply.status == 206):
        wait = _retry_after(reply.headers.get("Retry-After"))
        return Failure(FailureKind.STATUS, f"{host}: HTTP {reply.status}", reply.status in RETRIED_STATUS, wait)
    if accept and media_type and not any(kind in media_type for kind in accept):
        return Failure(FailureKind.CONTENT_TYPE, f"{host}: {media_type} came instead of {' or '.join(accept)}")
    return None


def _is_challenge(reply: Reply) -> bool:
    """Return whether a firewall answers instead of the site, by its headers or by a page with a success status."""
    if any(name in reply.headers for name in CHALLENGE_HEADERS) or (reply.status == 202 and not reply.body):
        return True
    page = reply.body.head().lstrip()
    return reply.status in COMPLETE_STATUS and page.startswith(b"<") and CHALLENGE_TITLE.search(page) is not None


def _retry_after(header: str | None) -> float | None:
    """Return the seconds to wait, from seconds or an HTTP date; None without a valid header."""
    from urllib3 import Retry  # see sources.http.client.Http._opened
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry().parse_retry_after(header) if header else None
    except (InvalidHeader, ValueError, OverflowError):  # the last two for numbers and dates out of range
        return None
