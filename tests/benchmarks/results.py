"""What all benchmarks measure and report alike: programs in a process of their own, pairs, and one row per comparison.

Belongs here: seconds, CPU time and memory of work, the median of paired ratios, and how a row is printed. Does not
belong here: what is measured, and results that are kept (``kept``).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 5

Row = dict[str, Any]
"""One comparison, in the format of ``compared``."""


@dataclass(frozen=True)
class Spent:
    """Wall-clock seconds, CPU seconds and peak resident memory (MiB) of one process."""

    seconds: float
    cpu_s: float
    peak_mib: float


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def environment(warehouse: Path) -> dict[str, str]:
    """Return the environment of a program that uses this warehouse and sends no requests."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    # without compiled bytecode the measurement would include the compilation at every start
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return inherited | {
        "CAREC_WAREHOUSE": str(warehouse),
        "CAREC_OFFLINE": "1",
        "DAGSTER_HOME": str(warehouse / "dagster"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def run(arguments: Sequence[str], env: dict[str, str], program: str = sys.executable, cwd: Path = ROOT) -> Spent:
    """Run a program without its output, and return what it spent. Raises SystemExit, with its errors, if it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        [program, *arguments], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{errors.decode()}")
    return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def alternating(*sides: Callable[[int], Any], pairs: int = PAIRS) -> list[list[Any]]:
    """Run all sides in turn, every other time in the opposite order. Return the results of each side.

    Args:
        sides: Each is called with the number of the round.
        pairs: Number of rounds.
    """
    found: list[list[Any]] = [[] for _ in sides]
    for number in range(pairs):
        order = range(len(sides)) if number % 2 else reversed(range(len(sides)))
        for side in order:
            found[side].append(sides[side](number))
    return found


def compared(
    name: str,
    aim: float | None,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    per: float = 1.0,
    unit: str = "s",
    **more: object,
) -> Row:
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


def measured(name: str, aim: float, amounts: Sequence[float], unit: str) -> Row:
    """Return a row for an amount that has no other side: its ratio is the amount itself."""
    return compared(name, aim, amounts, [1.0] * len(amounts), unit=unit)


def line(row: Row, before: Row | None = None, revision: str = "") -> str:
    """Return a row as text, with the change since the same row of another revision."""
    low, high = row["range"]
    medians = ", ".join(f"{name.removesuffix('_mib')} {value}" for name, value in row.items() if "median" in name)
    text = f"{row['name']:<86} {row['ratio']:>8} (aim {row['aim']}, {low}-{high}; {row['pairs']} pairs; {medians})"
    if not revision:
        return text
    if before is None:
        return f"{text}; not measured at {revision}"
    change = f"{row['ratio'] / before['ratio'] - 1:+.0%}" if before["ratio"] else "no ratio"
    return f"{text}; {before['ratio']} at {revision}: {change}"
