"""What the newest vintages revised, counted by size, as the command line and the webhook show it.

Belongs here: reading the published table ``revisions`` and writing the result as text. Does not belong here: the
definition of a revision and of its size (the model ``revisions``, the seed ``revision_sizes``), the comparison of two
publications (``pipelines.cli.diff``).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from operator import add
from pathlib import Path

from pipelines.formatting import figure
from sources.hidden_packages import without_hidden_packages
from warehouse.reading import open_published

MOST_LINES = 40
"""Revised figures of members that one message lists; the table has all of them."""

_COUNTS = """
    select
        indicator_id, count(*) filter (size = 'large'), count(*) filter (size = 'small'),
        count(*) filter (size = 'rounding'), count(*) filter (kind = 'added'), count(*) filter (kind = 'withdrawn')
    from revisions where retrieved_at > ? group by indicator_id order by indicator_id
"""
_MEMBERS = """
    select r.size, e.name, r.indicator_id, r.year, r.previous_value, r.value
    from revisions as r join economies as e using (iso3)
    where r.retrieved_at > ? and e.is_member and r.size in ('large', 'small')
    order by r.size, r.indicator_id, e.name, r.year
"""


@dataclass(frozen=True)
class Revised:
    """Numbers of country-years that newer vintages changed: revised ones by size, added and withdrawn ones."""

    large: int = 0
    small: int = 0
    rounding: int = 0
    added: int = 0
    withdrawn: int = 0

    def __add__(self, other: Revised) -> Revised:
        return Revised(*map(add, astuple(self), astuple(other)))

    @property
    def notable(self) -> int:
        """The number of figures revised by more than rounding."""
        return self.large + self.small

    @property
    def text(self) -> str:
        """The counts in one clause; changes by rounding are counted separately."""
        return (
            f"{self.notable} revised, {self.added} added, {self.withdrawn} withdrawn country-years"
            f" ({self.large} large and {self.small} small revisions; {self.rounding} more by rounding only)"
        )


@dataclass(frozen=True)
class Revisions:
    """What changed since a moment: the counts of each indicator, and one line per notable revision of a member."""

    by_indicator: dict[str, Revised]
    lines: list[str]

    @property
    def total(self) -> Revised:
        return sum(self.by_indicator.values(), Revised())


def revisions_since(published: Path, moment: datetime | None) -> Revisions:
    """Return what vintages received after a moment changed.

    Args:
        published: The published file.
        moment: Time of the newest vintage that was known before (UTC); None if nothing was
            published before; then nothing counts as revised.

    Raises:
        NotPublished: There is no published file.
        Unreadable: The file is not a publication.
    """
    if moment is None:
        return Revisions({}, [])
    with open_published(published) as connection, without_hidden_packages():
        counts = connection.execute(_COUNTS, [moment]).fetchall()
        members = connection.execute(_MEMBERS, [moment]).fetchall()
    lines = [
        f"{size}: {name}, {indicator} {year}: {figure(before)} -> {figure(now)}"
        for size, name, indicator, year, before, now in members
    ]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"and {len(lines) - MOST_LINES} more figures of members (the table revisions has all)"]
    return Revisions({name: Revised(*numbers) for name, *numbers in counts}, lines)
