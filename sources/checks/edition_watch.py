"""The edition watch: the stored edition of each index, and the next edition that may be published.

It estimates the day of the next edition from earlier ones, without a request to a provider. The calendar belongs in the
seed ``edition_releases``, reading the stored editions in ``pipelines.source_checks``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median


class Standing(StrEnum):
    """The result for one index, as printed."""

    CURRENT = "current"
    DUE = "could be out"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Index:
    """An index that is published in editions.

    Attributes:
        name: Its short name.
        indicator_id: Indicator with the stored editions and the rows of the calendar.
        publisher: Provider with the edition in the names of its releases, if observations have other years.
        every: Years between editions, if neither calendar nor observations show it.
    """

    name: str
    indicator_id: str
    publisher: str | None = None
    every: int | None = None


INDICES = (
    Index("GII", "gii_score"),
    Index("UN E-Government Survey", "egdi_index"),
    Index("GCI", "gci_score"),
    Index("IDI", "households_internet_pct", publisher="itu_idi", every=1),
    Index("ICT prices", "mobile_data_price_pct_gni"),
    Index("LPI", "lpi_overall_score"),
    Index("Global Findex", "account_owner_pct"),
    Index("GTMI", "gtmi_core_systems_score"),
)


@dataclass(frozen=True)
class HeldEditions:
    """The stored editions of an index (years, ascending) and the name of the newest release."""

    years: Sequence[int]
    release: str | None = None


@dataclass(frozen=True)
class EditionFinding:
    """The result for one index. ``expected_on`` is None if the day is unknown."""

    index: str
    indicator_id: str
    held_edition: int | None
    held_release: str | None
    next_edition: int | None
    expected_on: date | None
    status: Standing
    detail: str


def watch(
    calendar: Mapping[str, Mapping[int, date]], held: Mapping[str, HeldEditions], today: date
) -> list[EditionFinding]:
    """Compare the stored editions with those that may be published.

    Args:
        calendar: Indicator -> edition -> day of its release, from the seed ``edition_releases``.
        held: Name of an index -> its stored editions.
        today: The day of the comparison.

    Returns:
        One result per index, in the order of ``INDICES``.
    """
    return [_finding(index, calendar.get(index.indicator_id, {}), held.get(index.name), today) for index in INDICES]


def _finding(index: Index, releases: Mapping[int, date], held: HeldEditions | None, today: date) -> EditionFinding:
    have = max(held.years, default=None) if held else None
    edition, day = _next(index, releases, held.years if held else (), have)
    status, detail = _standing(index.name, releases, edition, day, today)
    return EditionFinding(
        index=index.name,
        indicator_id=index.indicator_id,
        held_edition=have,
        held_release=held.release if held else None,
        next_edition=edition,
        expected_on=day,
        status=status,
        detail=detail,
    )


def _next(
    index: Index, releases: Mapping[int, date], years: Iterable[int], have: int | None
) -> tuple[int | None, date | None]:
    """Return the first edition that is not stored, and its day.

    Both are from the calendar if it has such an edition. Otherwise the edition follows the stored one after the median
    gap between editions (``index.every`` without two of them), and its day the last release after the median gap
    between releases.

    Returns:
        ``(None, None)`` if nothing is stored or no gap is known; an edition without a day if the calendar has fewer
        than two releases.
    """
    out = {edition: day for edition, day in sorted(releases.items()) if have is None or edition > have}
    if out:
        return next(iter(out.items()))
    steps = _gaps(releases) or _gaps(years)
    every = round(median(steps)) if steps else index.every
    if have is None or every is None:
        return None, None
    edition, days = have + every, [(later - earlier).days for earlier, later in pairwise(sorted(releases.values()))]
    if not days:
        return edition, None
    last = max(releases)
    return edition, releases[last] + timedelta(int(median(days) * (edition - last) / every + 0.5))


def _gaps(years: Iterable[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(sorted(years))]


def _standing(
    name: str, releases: Mapping[int, date], edition: int | None, day: date | None, today: date
) -> tuple[Standing, str]:
    if edition is None:
        return Standing.UNKNOWN, f"nothing of {name} is held, and no release is in edition_releases.csv"
    if edition in releases:
        message = f"{name} {edition} is out since {day}: run `carec refresh`"
        return (
            (Standing.OUT, message) if day and day <= today else (Standing.CURRENT, f"{name} {edition} is due on {day}")
        )
    if day is not None:
        if day <= today:
            return Standing.DUE, f"{name} {edition} could be out since {day}"
        return Standing.CURRENT, f"{name} {edition} is expected about {day}"
    if edition <= today.year:
        return Standing.DUE, f"{name} {edition} could be out; edition_releases.csv has no release days"
    return Standing.CURRENT, f"{name} {edition} is the next; edition_releases.csv has no release days"
