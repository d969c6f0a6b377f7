"""The result of a check of a catalogue link: its types, failed replies, and codes similar to a missing one.

How a link is checked belongs in the adapter (``inspect``), the loop over all links in ``sources.checks.links``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import takewhile
from typing import Protocol, runtime_checkable

from sources.catalogue import Provider
from sources.http.client import FailureKind, Http, Reply
from sources.http.conditional import remedy
from sources.observation import Areas
from sources.provider import SeriesRequest, Window

MEMBERS = ("KAZ", "UZB", "GEO", "CHN")
"""Members in one request: almost every series has data for at least one of them."""

FIRST_YEAR = 2010
"""First requested year: late enough for a small response, early enough for a survey with long gaps."""

NOT_FOUND = frozenset({404, 410})
SILENT = frozenset(
    {FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.DEADLINE, FailureKind.BROKEN, FailureKind.TLS}
)
"""Failures of the connection: the host did not respond."""

MIN_SIMILARITY, MIN_REST_SIMILARITY = 0.75, 0.6
"""Minimum similarity (0 to 1) of a suggested code: of the whole codes, and without their common first parts, which are
often the name of the database."""

PREFIX_TOKENS = 2
"""First parts of a code that may be an added or removed prefix (``GE.EST``, ``GOV_WGI_GE.EST``)."""


class Verdict(StrEnum):
    """The result for one link, as printed; ``NEWER`` is printed with the edition."""

    OK = "ok"
    NEWER = "newer edition"
    RENAMED = "renamed?"
    GONE = "gone"
    UNIT = "unit differs"
    NO_ROWS = "no rows"
    TOO_LARGE = "too large"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    NO_FILE = "no file"
    NO_CHECK = "no check"


@dataclass(frozen=True)
class Inspection:
    """The result for one series.

    Attributes:
        verdict: The result.
        detail: The reason and the remedy, in a few words.
        newest: Year of the newest observation of ``MEMBERS``, or the edition if observations are dated by it.
        edition: Edition of the file, if its observations have other years; compared with the stored release.
        url: The requested address.
    """

    verdict: Verdict
    detail: str = ""
    newest: int | None = None
    edition: int | None = None
    url: str = ""

    def noting(self, note: str) -> Inspection:
        """Return the result with one more remark."""
        return replace(self, detail="; ".join(part for part in (self.detail, note) if part))


@runtime_checkable
class Inspects(Protocol):
    """An adapter that can check its links. It never raises for faults of the provider."""

    def inspect(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> dict[SeriesRequest, Inspection]:
        """Inspect every series, with at most one small request each, and one per list or file of the provider.

        Args:
            requests: Series of this provider.
            provider: Its catalogue entry, with address and limits.
            areas: The known areas.
            window: The years that a refresh would request.
            http: The session.
        """
        ...


def failed(reply: Reply) -> Inspection | None:
    """Return the result for a failed reply, None for a successful one."""
    failure = reply.failure
    if failure is None:
        return None
    if reply.blocked:
        detail = f"{failure.message}: closed to programs; {remedy(reply.url)}"
        return Inspection(Verdict.BLOCKED, detail, url=reply.url)
    if failure.kind is FailureKind.TOO_LARGE:
        verdict = Verdict.TOO_LARGE
    elif reply.status in NOT_FOUND:
        verdict = Verdict.GONE
    elif failure.kind in SILENT or failure.kind is FailureKind.STATUS:
        verdict = Verdict.UNREACHABLE
    else:
        verdict = Verdict.UNREADABLE
    return Inspection(verdict, failure.message, url=reply.url)


def missing(
    code: str,
    where: str,
    known: Collection[str],
    taken: Collection[str] = (),
    elsewhere: Mapping[str, Collection[str]] | None = None,
) -> Inspection:
    """Return the result for a code that its list does not have: ``renamed?`` with the nearest code, else ``gone``.

    Args:
        code: The missing code.
        where: Name of the list, for the message.
        known: Codes of the list.
        taken: Codes of other links. They are other series, unless only a prefix differs.
        elsewhere: Name of another list of the provider -> its codes, which are searched too.

    Returns:
        A result without an address.
    """
    lists = {where: known, **(elsewhere or {})}
    alike = [(_similarity(code, other), name == where, name, other) for name, codes in lists.items() for other in codes]
    free = [each for each in alike if each[0] == 1 or (each[0] >= MIN_SIMILARITY and each[3] not in taken)]
    similarity, _, name, near = max(free, default=(0.0, True, where, ""))
    if not similarity:
        return Inspection(Verdict.GONE, f"{where} has no {code} and no similar code")
    at = "" if name == where else f" in {name}"
    return Inspection(
        Verdict.RENAMED, f"{where} has no {code}; nearest is {near}{at}: change the link in indicators.yml"
    )


def _similarity(code: str, other: str) -> float:
    """Return the similarity (0 to 1) of two codes, where one may have a prefix that the other lacks.

    Numbers in a code name a variant (4G, 5 GB, age group 3): codes with other numbers are other series.
    """
    one, two = _stems(code), _stems(other)
    pairs = [(one[0], stem) for stem in two] + [(stem, two[0]) for stem in one[1:]]
    same = [(a, b) for a, b in pairs if re.findall(r"\d+", a) == re.findall(r"\d+", b)]
    return max((_ratio(a, b) for a, b in same), default=0.0)


def _ratio(one: str, two: str) -> float:
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if matcher.real_quick_ratio() < MIN_SIMILARITY or matcher.quick_ratio() < MIN_SIMILARITY:
        return 0.0
    tokens = zip(one.split("_"), two.split("_"), strict=False)
    shared = sum(len(token) + 1 for token, _ in takewhile(lambda pair: pair[0] == pair[1], tokens))
    rest, other = one[shared:], two[shared:]
    suffix = not (rest and other)
    return matcher.ratio() if suffix or SequenceMatcher(None, rest, other).ratio() >= MIN_REST_SIMILARITY else 0.0


def _stems(code: str) -> list[str]:
    """Return the normalised code, then the code without its first parts."""
    tokens = re.findall(r"[a-z0-9]+", code.lower())
    return ["_".join(tokens[drop:]) for drop in range(PREFIX_TOKENS + 1) if drop == 0 or len(tokens) - drop > 1]
