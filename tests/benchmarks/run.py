"""``make bench``: what people wait for, as ratios of pairs that are measured in the same run.

Belongs here: the list of benchmarks, the options and the table. Does not belong here: assertions, because seconds
differ between machines; readers compare the ratios with the aims. The rows are kept by commit (``kept``).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import change, fetching, kept, programs, ranks, scoring
from tests.benchmarks.results import Row, environment, line, run

BENCHMARKS: dict[str, Callable[[Path], list[Row]]] = {
    "reading": programs.reading,
    "loading": programs.loading,
    "refreshes": programs.refreshes,
    "change": change.results,
    "fetching": lambda _: fetching.results(),
    "scoring": scoring.results,
    "ranks": lambda _: ranks.results(),
    "first": programs.first,
}
"""Name -> function of a warehouse that a refresh has built from the bundled archive, which returns rows."""
INSTALLS = "first"


def _measure(names: list[str], commit: str) -> dict[str, Row]:
    """Measure, print each benchmark's rows when they are there, and keep them. One that fails leaves the others."""
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        built = Path(folder) / "warehouse"
        run((*programs.REFRESH, "--as-of", "2026-11-27"), environment(built))
        rows: list[Row] = []
        for name in names:
            try:
                found = BENCHMARKS[name](built)
            except (Exception, SystemExit) as fault:  # an earlier revision may lack what a benchmark calls
                print(f"{name}: not measured: {type(fault).__name__}: {fault}", flush=True)
                continue
            rows += [row | {"benchmark": name} for row in found]
            path = kept.save(commit, rows)
            print(*map(line, found), sep="\n", flush=True)
    if rows:
        print(f"kept in {path.resolve()}")
    return {row["name"]: row for row in rows}


def main() -> None:
    """Measure, and compare with another revision where one is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, help="these benchmarks")
    parser.add_argument("--base", metavar="REVISION", help="compare with this revision, and measure it if need be")
    parser.add_argument("--first", action="store_true", help="also the setup of a new clone, which installs packages")
    chosen = parser.parse_args()
    names = chosen.only or [name for name in BENCHMARKS if chosen.first or name != INSTALLS]
    base = kept.commit_of(chosen.base) if chosen.base else None
    rows = _measure(names, kept.present())
    if base is None:
        return
    known = {row.get("benchmark") for row in kept.load(base).values()}
    if missing := [name for name in names if name not in known]:
        print(f"\nmeasuring {', '.join(missing)} at {chosen.base} in a temporary worktree", flush=True)
        kept.measure(base, ["--only", *missing])
    before = kept.load(base)
    print(f"\nchange of each ratio since {chosen.base}:")
    for name, row in rows.items():
        print(line(row, before.get(name), base[:10]))


if __name__ == "__main__":
    main()
