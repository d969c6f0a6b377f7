"""A second implementation of the rule for repeated figures in Python, to compare the SQL with.

Belongs here: which series repeat figures, and the year of each measurement. Does not belong here: scores
(``reference_scoring``).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

Series = Mapping[int, float]
"""Year -> value of one indicator in one economy."""


@dataclass(frozen=True)
class Scale:
    """The ends of the scale of a series, between which equal figures can be repetitions."""

    low: float
    high: float
    is_share: bool
    natural_limit: float | None
    end_share: float

    def holds(self, value: float) -> bool:
        """Return whether the value is inside the scale."""
        if self.is_share:
            return self.end_share * self.high < value < (1 - self.end_share) * self.high
        return value not in (self.low, self.high, self.natural_limit)


def chance_share(every: Iterable[Series], scale: Scale) -> float | None:
    """Return the share of equal pairs of neighbours that can be coincidences; None without equal pairs.

    Args:
        every: The series of all economies.
        scale: The scale of the indicator.
    """
    series = [[value for _, value in sorted(one.items())] for one in every]
    places = sorted({value for one in series for value in one})
    equal = near = 0
    for before, value in (pair for one in series for pair in pairwise(one)):
        if not scale.holds(value):
            continue
        if before == value:
            equal += 1
            continue
        last_digit = Decimal(1).scaleb(-max(_decimals(before), _decimals(value)))
        is_neighbour = abs(bisect.bisect(places, before) - bisect.bisect(places, value)) == 1
        near += is_neighbour or abs(Decimal(repr(value)) - Decimal(repr(before))) <= last_digit
    return (1 + near / 2) / equal if equal else None


def _decimals(value: float) -> int:
    """Return the number of decimal places of a value, at most six."""
    return next((n for n in range(6) if round(value, n) == value), 6)


def measured_years(series: Series, scale: Scale) -> dict[int, int]:
    """Return year -> year of the measurement, in a series whose equal figures are repetitions."""
    measured: dict[int, int] = {}
    last: int | None = None
    for year in sorted(series):
        repeats = last is not None and series[year] == series[last] and scale.holds(series[year])
        measured[year] = measured[last] if repeats and last is not None else year
        last = year
    return measured
