"""Numbers as people read them, for the command line, the report and messages.

Belongs here: rounding and the sign of a missing figure. Does not belong here: languages (``words``), tables
(``pipelines.cli.tables``).
"""

from __future__ import annotations

from collections.abc import Sequence

GAP = "–"
"""Printed for a missing figure."""

_BARS = "▁▂▃▅▆▇"


def number(value: float | None, digits: int = 1) -> str:
    """Return a figure with a fixed number of decimals; a dash for a missing one."""
    return GAP if value is None else f"{value:,.{digits}f}"


def figure(value: float | None) -> str:
    """Return a figure with four significant digits, without an exponent where that is readable.

    Example:
        >>> figure(1234.56), figure(0.123456)
        ('1,235', '0.1235')
    """
    if value is None:
        return GAP
    if value != 0 and not 1e-4 <= abs(value) < 1e15:
        return f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def sparkline(values: Sequence[float | None], scale: tuple[float, float] | None = None) -> str:
    """Return a trend as one bar per value; a missing value is a blank.

    Args:
        values: The figures in the order of their years.
        scale: Lowest and highest value of the scale; those of ``values`` where None.
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = scale or (min(known), max(known))
    steps = len(_BARS) - 1
    shares = [None if v is None else (v - low) / (high - low) if high > low else 0.5 for v in values]
    return "".join(" " if share is None else _BARS[round(share * steps)] for share in shares)
