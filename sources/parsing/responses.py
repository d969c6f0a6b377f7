"""Requests to a provider, and what every adapter reads from a response: its content, its failure, its dates.

Parsing a body into a table belongs in ``tables``, turning a table into observations in ``observations``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from sources.catalogue import Provider
from sources.errors import printable
from sources.http.bodies import Body, Spool
from sources.http.client import Http, Reply
from sources.http.conditional import remedy
from sources.provider import Outcome, RawBody, SeriesRequest

T = TypeVar("T")
K = TypeVar("K")

JSON_TYPES = ("application/json",)
CSV_TYPES = ("text/csv", "application/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel")
"""Content types that file servers use for a CSV. The header row shows whether it is one."""

UNENDED = " (no line break follows: it may be cut)"
"""What is added to the last cell of a CSV that does not end with a line break."""
HEAD_BYTES = 1 << 16
BEGINNING = {"Range": f"bytes=0-{HEAD_BYTES - 1}", "Accept-Encoding": "identity"}
"""Headers that ask for the first 64 KiB, enough for the header of a table and to identify a workbook."""


class UnusableResponse(Exception):
    """A response, or a missing one, that gives no observations.

    Attributes:
        reason: The reason, as shown to users.
        outcome: The outcome of the requests that depend on the response.
    """

    def __init__(self, reason: str, outcome: Outcome = Outcome.UNAVAILABLE) -> None:
        self.reason, self.outcome = printable(reason), outcome  # names of fields and messages are the provider's
        super().__init__(self.reason)


def url_of(provider: Provider, path: str) -> str:
    """Return the address of a path below the provider's base address."""
    return f"{str(provider.base_url).rstrip('/')}/{path}"


def get(
    http: Http,
    provider: Provider,
    path: str,
    params: Mapping[str, str | int] | None = None,
    accept: tuple[str, ...] = JSON_TYPES,
    **options: Any,
) -> Reply:
    """Send one GET below the provider's base address, within the limits of its catalogue entry.

    ``options`` are further arguments of ``Http.get``.
    """
    return http.get(url_of(provider, path), params, accept=accept, **options, **provider.limits)


def in_parallel(provider: Provider, ask: Callable[[K], T], items: Iterable[K]) -> dict[K, T]:
    """Return item -> result of ``ask``, which sends requests, as many at once as the provider's entry allows."""
    asked = list(items)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return dict(zip(asked, pool.map(ask, asked), strict=True))


def require_content(reply: Reply, unknown_id: Collection[int] = ()) -> bytes:
    """Return the content of a successful reply.

    Args:
        reply: The reply.
        unknown_id: HTTP statuses that mean that the code of the series is wrong.

    Raises:
        UnusableResponse: If the reply failed.
    """
    return require_body(reply, unknown_id).content


def require_body(reply: Reply, unknown_id: Collection[int] = ()) -> Body:
    """Return the body of a successful reply, which may be too large for memory. See ``require_content``."""
    if error := error_of(reply, unknown_id):
        raise error
    return reply.body


def require_table(reply: Reply, unknown_id: Collection[int] = ()) -> Body:
    """Return the body of a successful reply with a CSV, whose last cell is marked if it may be cut.

    A CSV that ends within its last cell looks like a whole one. If neither a line break nor a quote ends the cell,
    ``UNENDED`` is added to it, so that it is no number and is rejected. See ``require_content``.
    """
    body = require_body(reply, unknown_id)
    if body.tail(1) in (b"\n", b"\r", b'"', b"") or not {10, 13} & set(body.head(1 << 20)):
        return body
    if body.path is None:
        return Body(body.content + UNENDED.encode() + b"\n")
    with Spool(body.path.parent) as spool, body.open() as stream:
        while part := stream.read(1 << 20):
            spool.write(part)
        spool.write(UNENDED.encode() + b"\n")
        return spool.body()


def error_of(reply: Reply, unknown_id: Collection[int] = ()) -> UnusableResponse | None:
    """Return the error of a failed reply, None for a successful one. See ``require_content``."""
    if reply.failure is None:
        return None
    if reply.status in unknown_id:
        return UnusableResponse(reply.failure.message, Outcome.UNKNOWN_ID)
    if reply.blocked:
        reason = f"{reply.failure.message}: closed to programs; {remedy(reply.url)}"
        return UnusableResponse(reason, Outcome.BLOCKED)
    return UnusableResponse(reply.failure.message)


def read_optional(reply: Reply, parse: Callable[[bytes], T], provider: Provider) -> tuple[T | None, list[RawBody]]:
    """Parse a reply that is not needed for observations, such as a list of codes or the name of a release.

    Returns:
        The parsed content, None if the reply is unusable; and the body to store, if there is one.
    """
    try:
        found, error = parse(require_content(reply)), None
    except UnusableResponse as unusable:
        found, error = None, unusable
    return found, [raw_body(reply, provider, error)] if reply.body else []


def raw_body(reply: Reply, provider: Provider, error: UnusableResponse | None = None) -> RawBody:
    """Return the body of a reply for the raw store, with the reason if it was not used."""
    reason = error.reason if error else None
    return RawBody(reply.body, reply.url, reply.status, dict(reply.headers), reply.retrieved_at, provider.id, reason)


def last_modified(reply: Reply) -> str | None:
    """Return the day of the body's last change (YYYY-MM-DD), with a note if an operator provided the file."""
    try:
        day = parsedate_to_datetime(reply.headers.get("Last-Modified", "")).date().isoformat()
    except (ValueError, OverflowError):
        return None
    return f"{day}, put in place by the operator" if reply.placed else day


def split_codes(option: object) -> list[str]:
    """Return the codes in a link's option, which are separated by commas."""
    return [code.strip() for code in str(option or "").split(",") if code.strip()]


def group_requests(
    requests: Iterable[SeriesRequest], key: Callable[[SeriesRequest], K]
) -> dict[K, list[SeriesRequest]]:
    """Return requests by a key, for example those that share a download."""
    groups: dict[K, list[SeriesRequest]] = {}
    for request in requests:
        groups.setdefault(key(request), []).append(request)
    return groups


def code_and_aliases(request: SeriesRequest) -> list[str]:
    """Return the code of a series, then its earlier or later codes (option ``aliases``)."""
    return [request.code, *split_codes(request.option("aliases"))]
