"""Numbers and trends as text, for the command line and the report.

Belongs here: rounding, the dash for a missing value, sparklines. Does not belong here: tables (``cli.tables``), charts
(``report.charts``), sentences.
"""

from __future__ import annotations

from collections.abc import Sequence

GAP = "–"
"""Shown for a missing value."""

_BARS = "▁▂▃▅▆▇"


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with a fixed number of decimals, or ``GAP`` for None."""
    return GAP if value is None else f"{value:,.{digits}f}"


def figure(value: float | None) -> str:
    """Return a number of any size with four significant digits, or ``GAP`` for None.

    Very small and very large numbers have three digits and an exponent.
    """
    if value is None:
        return GAP
    if value != 0 and not 1e-4 <= abs(value) < 1e15:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def sparkline(values: Sequence[float | None], scale: tuple[float, float] | None = None) -> str:
    """Return a trend with one character per value.

    Args:
        values: The series, oldest first. A missing value becomes a blank.
        scale: The values of the lowest and the highest bar; by default the minimum and the maximum of the series.

    Returns:
        For example ``▁▃▇`` for 1, 2, 3. An empty text where all values are missing.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = scale or (min(known), max(known))
    steps = len(_BARS) - 1
    shares = [None if v is None else (v - low) / (high - low) if high > low else 0.5 for v in values]
    return "".join(" " if share is None else _BARS[round(share * steps)] for share in shares)
