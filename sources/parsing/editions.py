"""Providers with one file per edition: which editions exist, and answers from the newest one or from all of them.

How an edition is read belongs in the adapter, which also checks that a file is of the edition that its name states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import FailureKind, Http, Reply
from sources.http.conditional import TABLE, remedy
from sources.parsing.observations import Origin, build_answers, build_failed_answers
from sources.parsing.responses import (
    UnusableResponse,
    in_parallel,
    last_modified,
    raw_body,
    require_body,
    require_content,
    require_table,
    url_of,
)
from sources.provider import Fetched, Outcome, SeriesRequest, Window

ABSENT_STATUS = {403, 404, 410}
"""HTTP statuses of a file that does not exist: storage services answer 403 where listing is not allowed."""
NO_SUCH_FILE = ABSENT_STATUS | {400}
FIRST_BYTE = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
"""Headers that ask for one byte: as cheap as HEAD, which some hosts refuse, and with the same response headers."""


@dataclass(frozen=True)
class EditionFiles:
    """The files of a provider, one per edition.

    Attributes:
        public_base: Address of the folder, for readers.
        paths: Edition -> path below the provider's base address, newest first.
        accept: Accepted content types.
        release: Name of an edition without its number.
        parse: Parses a file: ``(body, edition) -> rows``. Raises UnusableResponse.
        observations: Observations (columns ``PARSED``) of one request from the rows of one edition:
            ``(rows, request, edition, raw_sha256) -> observations``. Raises UnusableResponse.
        alternatives: Edition -> complete addresses to try in order if the path has no file.
    """

    public_base: str
    paths: Mapping[int, str]
    accept: tuple[str, ...]
    release: str
    parse: Callable[[Body, int], pl.DataFrame]
    observations: Callable[[pl.DataFrame, SeriesRequest, int, str], pl.DataFrame]
    alternatives: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def concat(self, editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        """Return the observations of one request from these editions, in their order."""
        return pl.concat(
            self.observations(rows, request, edition, sha256) for edition, (rows, sha256) in editions.items()
        )


def in_memory(parse: Callable[[bytes, int], pl.DataFrame]) -> Callable[[Body, int], pl.DataFrame]:
    """Return a parser of bodies from a parser of bytes, for files that fit into memory."""
    return lambda body, edition: parse(body.content, edition)


class Edition(NamedTuple):
    """The rows of one edition and the hash of its file."""

    rows: pl.DataFrame
    sha256: str


ReadEditions = Callable[[Mapping[int, Edition], SeriesRequest], pl.DataFrame]
"""Returns the observations (columns ``PARSED``) of one request from editions, newest first."""


def newest_years(year: int, count: int) -> range:
    """Return ``count`` years from ``year`` down."""
    return range(year, year - count, -1)


def require_edition(found: object, edition: int) -> None:
    """Raise UnusableResponse if a file states another edition than its name, or none (``found`` is None)."""
    if found != edition:
        raise UnusableResponse(f"the file is of {'no stated edition' if found is None else found}, not of {edition}")


def fetch_newest(
    requests: Sequence[SeriesRequest], files: EditionFiles, provider: Provider, window: Window, http: Http
) -> Fetched:
    """Answer requests from the newest edition that exists.

    The search ends at the first failure other than "no such file": an older edition must not be taken for the newest
    one because a server failed.
    """
    replies: dict[int, Reply] = {}
    for edition in files.paths:
        replies[edition] = get_edition(edition, files, provider, http)
        if not is_absent(replies[edition]):
            break
    return _answer(requests, files, replies, files.concat, provider, window)


def fetch_all(
    requests: Sequence[SeriesRequest],
    files: EditionFiles,
    provider: Provider,
    window: Window,
    http: Http,
    read: ReadEditions | None = None,
) -> Fetched:
    """Answer requests from every edition that exists.

    One edition that fails, or is not the edition of its name, makes all answers unavailable. ``read`` combines the
    editions; by default their observations are concatenated.
    """
    replies = in_parallel(provider, lambda edition: get_edition(edition, files, provider, http), files.paths)
    return _answer(requests, files, replies, read or files.concat, provider, window)


def get_edition(
    edition: int, files: EditionFiles, provider: Provider, http: Http, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return the first file that exists among the addresses of an edition, else the most informative failure.

    A failure says more than "no such file". Of equal replies, one that refuses programs is returned.
    """
    replies: list[Reply] = []
    for address in (url_of(provider, files.paths[edition]), *files.alternatives.get(edition, ())):
        replies.append(http.get(address, accept=files.accept, headers=headers, **provider.limits))
        if not _failed(replies[-1]) and not is_absent(replies[-1]):
            break
    return min(
        replies, key=lambda reply: (is_absent(reply), not is_absent(reply) and _failed(reply), not reply.blocked)
    )


def _failed(reply: Reply) -> bool:
    return reply.failure is not None


def is_absent(reply: Reply) -> bool:
    """Return whether a reply means that there is no such file: by its status, or by an HTML page instead of it."""
    if reply.status in ABSENT_STATUS:
        return True
    is_page = reply.body.head().lstrip()[:1] == b"<"
    return is_page and (reply.failure is None or reply.failure.kind is FailureKind.CONTENT_TYPE)


def _answer(
    requests: Sequence[SeriesRequest],
    files: EditionFiles,
    replies: Mapping[int, Reply],
    read: ReadEditions,
    provider: Provider,
    window: Window,
) -> Fetched:
    present = {edition: reply for edition, reply in replies.items() if not is_absent(reply)}
    absent = [reply for edition, reply in replies.items() if edition not in present]
    unused = UnusableResponse("there is no such edition")
    others = [raw_body(reply, provider, unused) for reply in absent if reply.body]
    used = list(present.values())
    if not present:
        error, origin = _no_edition(files, absent), Origin(files.public_base)
        return build_failed_answers(requests, error, lambda _: origin, used, provider, others)
    origin = _origin(files, *next(iter(present.items())))
    try:
        editions = dict(_read_all(files, present, provider))
    except UnusableResponse as error:
        return build_failed_answers(requests, error, lambda _: origin, used, provider, others)
    return build_answers(requests, lambda one: read(editions, one), lambda _: origin, used, provider, window, others)


def _no_edition(files: EditionFiles, replies: Sequence[Reply]) -> UnusableResponse:
    """Return why no edition exists; ``replies`` are newest first."""
    statuses = ", ".join(sorted({f"HTTP {reply.status}" for reply in replies}))
    blocked = [reply.url for reply in replies if reply.blocked]
    if not blocked:
        return UnusableResponse(f"there is none of {', '.join(files.paths.values())} ({statuses})")
    older = f"; where that edition is not out yet, {blocked[1]} serves as well" if blocked[1:] else ""
    span = f"{min(files.paths)} to {max(files.paths)}"
    reason = f"closed to programs, or none of the editions {span} is there ({statuses})"
    return UnusableResponse(f"{reason}; {remedy(blocked[0])}{older}", Outcome.BLOCKED)


def _origin(files: EditionFiles, edition: int, reply: Reply) -> Origin:
    changed = last_modified(reply)
    dated = f", file of {changed}" if changed else ""
    return Origin(f"{files.public_base}/{files.paths[edition]}", f"{files.release} {edition}{dated}")


def _read_all(files: EditionFiles, replies: Mapping[int, Reply], provider: Provider) -> Iterable[tuple[int, Edition]]:
    for edition, reply in replies.items():
        try:
            rows = files.parse((require_table if TABLE in files.accept else require_body)(reply), edition)
        except UnusableResponse as error:
            raise UnusableResponse(f"{files.release} {edition}: {error.reason}", error.outcome) from error
        yield edition, Edition(rows, raw_body(reply, provider).sha256)


def release_of_files(
    requests: Sequence[SeriesRequest], paths: Sequence[str], provider: Provider, http: Http
) -> dict[SeriesRequest, str]:
    """Return the release of requests that are served by one file, from the headers of the newest file that exists.

    Args:
        requests: Requests that share the file.
        paths: Paths of the file's editions below the provider's base address, newest first.
        provider: The provider.
        http: The session.

    Returns:
        The file's path and date of change, for each request.

    Raises:
        UnusableResponse: If no file exists, or the server does not say when it changed.
    """
    for path in paths:
        reply = http.get(url_of(provider, path), **provider.limits, headers=FIRST_BYTE)
        # some sites answer HTTP 200 with a page where a file does not exist
        if reply.status not in NO_SUCH_FILE and "html" not in reply.headers.get("Content-Type", ""):
            require_content(reply)
            return dict.fromkeys(requests, f"{path} {_state(reply.headers)}")
    raise UnusableResponse(f"{provider.id}: there is none of {', '.join(paths)}")


def yearly_release(
    file: str, years: int
) -> Callable[[Sequence[SeriesRequest], Provider, Http, date], dict[SeriesRequest, str]]:
    """Return the function ``release`` of a provider with one file per year (``sources.providers.ReportsRelease``).

    Args:
        file: Path of a file below the provider's base address, with ``{}`` for the year.
        years: Number of files that are looked for, from the current year down.
    """

    def release(
        requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date
    ) -> dict[SeriesRequest, str]:
        """Return the newest file and its date, see ``release_of_files``."""
        paths = [file.format(year) for year in newest_years(today.year, years)]
        return release_of_files(requests, paths, provider, http)

    return release


def _state(headers: Mapping[str, str]) -> str:
    """Return what a server says of a file's state: its date or tag, else its length."""
    size = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    state = headers.get("Last-Modified") or headers.get("ETag") or f"{size} bytes"
    if size in ("", "*") and state == f"{size} bytes":
        raise UnusableResponse("the server says nothing of when the file changed")
    return state
