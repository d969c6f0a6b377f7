"""The result of a benchmark: the median of paired ratios, with its range and the medians of both sides.

Belongs here: what all benchmarks measure and report alike. Does not belong here: what is measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compared(
    name: str,
    aim: float | None,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    per: float = 1.0,
    unit: str = "s",
    **more: object,
) -> dict[str, object]:
    """Return one row of the results.

    Args:
        name: What is compared, as ``ours / theirs``.
        aim: Largest ratio that is aimed at; None if the row is for information.
        ours: Measurements, in pairs with ``theirs``.
        theirs: Measurements of the other side.
        per: How many times as much work ``ours`` did.
        unit: Unit of the measurements.
        more: Further values of the row.
    """
    ratios = [mine / other / per for mine, other in zip(ours, theirs, strict=True)]
    return {
        "name": name,
        "ratio": round(statistics.median(ratios), 3),
        "aim": aim,
        "range": [round(min(ratios), 3), round(max(ratios), 3)],
        f"median_{unit}": round(statistics.median(ours), 3),
        f"against_median_{unit}": round(statistics.median(theirs), 3),
        **more,
        "pairs": len(ratios),
    }
