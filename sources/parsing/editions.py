"""Files that carry their edition in their name: which there are, and answers from one or from all of them.

Belongs here: what counts as "there is no such edition", and what one that fails means for the others. Does not belong
here: how an edition is read, and whether a file is the edition that its name says (its adapter).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import FailureKind, Http, Reply
from sources.http.conditional import remedy
from sources.parsing.observations import Origin, Refusal, gather, last_modified, raw_body, refuse, settle, usable_body
from sources.provider import Fetched, Outcome, SeriesRequest, Window

ABSENT_STATUS = {403, 404, 410}
"""What servers say of a file that is not there: stores on the web answer 403 where they do not let one look."""


@dataclass(frozen=True)
class Files:
    """A provider's files, one an edition: ``paths`` below the base address, newest first. ``parse`` raises Refusal.

    ``others`` are whole addresses at which an edition may be besides, asked in order where its path gives no file.
    """

    public_base: str
    paths: Mapping[int, str]
    accept: tuple[str, ...]
    release: str
    """What an edition is called, before its number."""
    parse: Callable[[Body, int], pl.DataFrame]
    others: Mapping[int, Sequence[str]] = field(default_factory=dict)


def whole(parse: Callable[[bytes, int], pl.DataFrame]) -> Callable[[Body, int], pl.DataFrame]:
    """A parser of files that are small enough to be held in memory."""
    return lambda body, edition: parse(body.content, edition)


class Edition(NamedTuple):
    """One edition as it was read, with the hash of its file."""

    rows: pl.DataFrame
    sha256: str


Read = Callable[[Mapping[int, Edition], SeriesRequest], pl.DataFrame]
"""The figures (``FIGURES``) of one request, from the editions that there are, newest first. Raises Refusal."""


def require_edition(found: object, edition: int) -> None:
    """Refuse a file that says inside that it is another edition than its name says. ``found`` is None where unsaid."""
    if found != edition:
        raise Refusal(f"the file is of {'no stated edition' if found is None else found}, not of {edition}")


def from_newest(
    requests: Sequence[SeriesRequest], files: Files, read: Read, provider: Provider, window: Window, http: Http
) -> Fetched:
    """Answer from the newest edition, looked for from the first path down.

    Whatever else goes wrong ends the search: an older edition must not pass for the newest because a server failed.
    """
    replies: dict[int, Reply] = {}
    for edition in files.paths:
        replies[edition] = ask_edition(edition, files, provider, http)
        if not absent(replies[edition]):
            break
    return _answer(requests, files, replies, read, provider, window)


def from_all(
    requests: Sequence[SeriesRequest], files: Files, read: Read, provider: Provider, window: Window, http: Http
) -> Fetched:
    """Answer from every edition that there is. One that fails, or is not what its name says, makes all unavailable."""
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        came = pool.map(lambda edition: ask_edition(edition, files, provider, http), files.paths)
        replies = dict(zip(files.paths, came, strict=True))
    return _answer(requests, files, replies, read, provider, window)


def ask_edition(
    edition: int, files: Files, provider: Provider, http: Http, headers: Mapping[str, str] | None = None
) -> Reply:
    """Returns the first file that exists among an edition's addresses, else the reply that best says why none does.

    A failure says more than "there is no such file", and of each of the two the one that turns programs away.
    """
    replies: list[Reply] = []
    for address in (f"{str(provider.base_url).rstrip('/')}/{files.paths[edition]}", *files.others.get(edition, ())):
        replies.append(http.get(address, accept=files.accept, headers=headers, **provider.limits))
        if not _failed(replies[-1]) and not absent(replies[-1]):
            break
    return min(replies, key=lambda reply: (absent(reply), not absent(reply) and _failed(reply), not reply.blocked))


def _failed(reply: Reply) -> bool:
    return reply.failure is not None


def absent(reply: Reply) -> bool:
    """Whether a reply says that there is no such file: by its status, or by a page of the site in its place."""
    if reply.status in ABSENT_STATUS:
        return True
    page = reply.body.head().lstrip()[:1] == b"<"
    return page and (reply.failure is None or reply.failure.kind is FailureKind.CONTENT_TYPE)


def _answer(
    requests: Sequence[SeriesRequest],
    files: Files,
    replies: Mapping[int, Reply],
    read: Read,
    provider: Provider,
    window: Window,
) -> Fetched:
    present = {edition: reply for edition, reply in replies.items() if not absent(reply)}
    nothing = Refusal("there is no such edition")
    gone = [reply for edition, reply in replies.items() if edition not in present]
    others = Fetched({}, [raw_body(reply, provider, nothing) for reply in gone if reply.body])
    came = list(present.values())
    if not present:
        none = _none(files, gone)
        return gather([others, refuse(requests, none, lambda _: Origin(files.public_base), came, provider)])
    origin = _origin(files, *next(iter(present.items())))
    try:
        editions = dict(_read_all(files, present, provider))
    except Refusal as refusal:
        return gather([others, refuse(requests, refusal, lambda _: origin, came, provider)])
    answered = settle(requests, lambda request: read(editions, request), lambda _: origin, came, provider, window)
    return gather([others, answered])


def _none(files: Files, replies: Sequence[Reply]) -> Refusal:
    """Why there is no edition at all; ``replies`` are newest first."""
    said = ", ".join(sorted({f"HTTP {reply.status}" for reply in replies}))
    blocked = [reply.url for reply in replies if reply.blocked]
    if not blocked:
        return Refusal(f"there is none of {', '.join(files.paths.values())} ({said})")
    older = f"; where that edition is not out yet, {blocked[1]} serves as well" if blocked[1:] else ""
    reason = f"closed to programs, or none of the editions {min(files.paths)} to {max(files.paths)} is there ({said})"
    return Refusal(f"{reason}; {remedy(blocked[0])}{older}", Outcome.BLOCKED)


def _origin(files: Files, edition: int, reply: Reply) -> Origin:
    changed = last_modified(reply)
    dated = f", file of {changed}" if changed else ""
    return Origin(f"{files.public_base}/{files.paths[edition]}", f"{files.release} {edition}{dated}")


def _read_all(files: Files, replies: Mapping[int, Reply], provider: Provider) -> Iterable[tuple[int, Edition]]:
    for edition, reply in replies.items():
        try:
            rows = files.parse(usable_body(reply), edition)
        except Refusal as refusal:
            raise Refusal(f"{files.release} {edition}: {refusal.reason}", refusal.outcome) from refusal
        yield edition, Edition(rows, raw_body(reply, provider).sha256)
