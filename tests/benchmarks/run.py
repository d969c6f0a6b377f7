"""``make bench``: the cost of a refresh, as ratios of pairs that are measured in the same run.

Belongs here: the pairs and their measurement. Does not belong here: assertions, because seconds differ between
machines; readers compare the ratios with the aims. Prints a table and writes ``bench.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import change, fetching, ranks, scoring
from tests.benchmarks.results import compared

ROOT = Path(__file__).resolve().parents[2]
PAIRS = 5


@dataclass(frozen=True)
class Spent:
    """Wall-clock seconds and peak resident memory (MiB) of one process."""

    seconds: float
    peak_mib: float


def _run(arguments: list[str], env: dict[str, str]) -> Spent:
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{errors.decode()}")
    return Spent(time.perf_counter() - started, usage.ru_maxrss / 1024)


def _environment(warehouse: Path) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    # without compiled bytecode the measurement would include the compilation at every start
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    return inherited | {
        "CAREC_WAREHOUSE": str(warehouse),
        "CAREC_OFFLINE": "1",
        "DAGSTER_HOME": str(warehouse / "dagster"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _pairs(name: str, aim: float, ours: Callable[[int], Spent], other: Callable[[int], Spent]) -> dict[str, object]:
    """Run both in alternating order, and return the median of the paired ratios."""
    mine: list[Spent] = []
    theirs: list[Spent] = []
    for pair in range(PAIRS):
        for which, into in ((ours, mine), (other, theirs)) if pair % 2 else ((other, theirs), (ours, mine)):
            into.append(which(pair))
    spent, other_spent = ([one.seconds for one in side] for side in (mine, theirs))
    return compared(name, aim, spent, other_spent, peak_mib=round(max(one.peak_mib for one in mine)))


def main() -> None:
    """Measure every pair, print the table, write ``bench.json`` next to the README."""
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        warehouse = Path(folder)
        env = _environment(warehouse)
        carec = ["-m", "pipelines.cli", "refresh", "--offline"]
        dbt = [
            *("-m", "dbt.cli.main", "build", "--project-dir", str(ROOT / "dbt_project")),
            *("--profiles-dir", str(ROOT / "dbt_project"), "--target-path", str(warehouse / "dbt")),
            *("--log-path", str(warehouse / "dbt"), "--threads", "2"),
        ]
        _run([*carec, "--as-of", "2026-10-01"], env)  # lands the archive and fills dbt's parse cache

        def full(pair: int) -> Spent:
            # another as-of date requires the same work again
            return _run([*carec, "--as-of", f"2026-11-{pair + 1:02}"], env)

        def unchanged(pair: int) -> Spent:
            return _run([*carec, "--as-of", f"2026-11-{PAIRS:02}"], env)

        results = [
            _pairs("offline refresh, run recorded / bare dbt build", 1.4, full, lambda _: _run(dbt, env)),
        ]
        full(PAIRS - 1)
        reference = iter(range(PAIRS, 2 * PAIRS))

        def full_again(_: int) -> Spent:
            spent = full(next(reference))
            full(PAIRS - 1)  # back to the state that `unchanged` needs
            return spent

        results.append(_pairs("refresh, nothing changed / full refresh", 0.3, unchanged, full_again))
        results.append(
            _pairs(
                "loading the code location / importing dagster and dagster_dbt",
                1.15,
                lambda _: _run(["-c", "from pipelines.definitions import defs; defs().resolve_all_asset_specs()"], env),
                lambda _: _run(["-c", "import dagster, dagster_dbt"], env),
            )
        )
    results += change.results(env) + fetching.results() + scoring.results() + ranks.results()
    for result in results:
        print(
            "{name:<72} {ratio:>6} (aim {aim}, range {range}, {median_s} s / {against_median_s} s".format_map(result)
            + (f", peak {result['peak_mib']} MiB)" if "peak_mib" in result else ")")
        )
    (ROOT / "bench.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
