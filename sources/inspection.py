"""What the check of a catalogue link finds: the shapes and rules that adapters share with the walk over all links.

Belongs here: verdicts, what a failed reply means, which code is nearest to one that is gone. Does not belong here: how
a provider is asked (``providers``), which links there are and which verdicts break the framework (``link_checks``).
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

MEMBERS = ("KAZ", "UZB", "GEO")
"""Members asked for in one request: almost every series has figures for one of them at least."""

FIRST_YEAR = 2010
"""First year asked for: late enough for a small answer, early enough for a survey with long gaps."""

NOT_FOUND = frozenset({404, 410})
SILENT = frozenset(
    {FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.DEADLINE, FailureKind.BROKEN, FailureKind.TLS}
)
"""Failures of the connection: the host did not answer."""

LIKE, LIKE_APART = 0.75, 0.6
"""Least likeness, from 0 to 1, of a code that is suggested for one that is gone: of the whole, and of what is left
without the parts with which both begin (the name of the database, most often)."""

PREFIX_TOKENS = 2
"""Parts at the start of a code that may be a prefix added or removed (``GE.EST``, ``GOV_WGI_GE.EST``)."""


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
    """What was found of one series.

    Attributes:
        verdict: The result.
        detail: The reason and the remedy, in a few words.
        newest: Year of the newest figure of ``MEMBERS``, or of the edition where figures are dated by it.
        edition: Edition of the file, where its figures have other years; compared with the release that is held.
        url: The address that was asked.
    """

    verdict: Verdict
    detail: str = ""
    newest: int | None = None
    edition: int | None = None
    url: str = ""

    def noting(self, note: str) -> Inspection:
        """The same with one more remark."""
        return replace(self, detail="; ".join(part for part in (self.detail, note) if part))


@runtime_checkable
class Inspects(Protocol):
    """An adapter that can check its links. It raises nothing for provider faults."""

    def inspect(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> dict[SeriesRequest, Inspection]:
        """Inspect every series: at most one small request each, and one per list or file of the provider."""
        ...


def failed(reply: Reply) -> Inspection | None:
    """What a reply that failed says of the link; None where it did not fail."""
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
    """The result for a code that its list does not have: ``renamed?`` with the nearest code, else ``gone``.

    Args:
        code: The code that is gone.
        where: Name of the list, for the message.
        known: Codes of the list.
        taken: Codes that other links use: they are other series, unless they differ in a prefix alone.
        elsewhere: Name of another list of the provider -> its codes, searched as well.

    Returns:
        An inspection without address.
    """
    lists = {where: known, **(elsewhere or {})}
    alike = [(_likeness(code, other), name == where, name, other) for name, codes in lists.items() for other in codes]
    free = [each for each in alike if each[0] == 1 or (each[0] >= LIKE and each[3] not in taken)]
    likeness, _, name, near = max(free, default=(0.0, True, where, ""))
    if not likeness:
        return Inspection(Verdict.GONE, f"{where} has no {code} and no similar code")
    at = "" if name == where else f" in {name}"
    return Inspection(
        Verdict.RENAMED, f"{where} has no {code}; nearest is {near}{at}: change the link in indicators.yml"
    )


def _likeness(code: str, other: str) -> float:
    """How alike two codes are, from 0 to 1, whichever of them has a prefix that the other lacks.

    Numbers in a code name a variant (4G, 5 GB, age group 3): codes with other numbers are other series.
    """
    one, two = _stems(code), _stems(other)
    pairs = [(one[0], stem) for stem in two] + [(stem, two[0]) for stem in one[1:]]
    same = [(a, b) for a, b in pairs if re.findall(r"\d+", a) == re.findall(r"\d+", b)]
    return max((_ratio(a, b) for a, b in same), default=0.0)


def _ratio(one: str, two: str) -> float:
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if matcher.real_quick_ratio() < LIKE or matcher.quick_ratio() < LIKE:
        return 0.0
    tokens = zip(one.split("_"), two.split("_"), strict=False)
    shared = sum(len(token) + 1 for token, _ in takewhile(lambda pair: pair[0] == pair[1], tokens))
    rest, other = one[shared:], two[shared:]
    suffix = not (rest and other)
    return matcher.ratio() if suffix or SequenceMatcher(None, rest, other).ratio() >= LIKE_APART else 0.0


def _stems(code: str) -> list[str]:
    """The code in one spelling of case and punctuation: whole, then without its first parts."""
    tokens = re.findall(r"[a-z0-9]+", code.lower())
    return ["_".join(tokens[drop:]) for drop in range(PREFIX_TOKENS + 1) if drop == 0 or len(tokens) - drop > 1]
