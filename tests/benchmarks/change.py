"""Time from a changed response of a provider to the publication, and its part outside fetching and SQL.

Belongs here: one changed figure at a loopback World Bank, refreshes as processes, and their times: until readers get
the new file, and until the process ends, which records the run for Dagster first. The floor is the SQL alone, after
each refresh and on the same figures (``floor``). Does not belong here: assertions. ``python -m tests.benchmarks.change
REPORT`` runs such a refresh: ``carec refresh``, with the seconds of fetching and of SQL written to REPORT.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from tests.benchmarks import floor
from tests.benchmarks.results import PAIRS, ROOT, Row, compared, environment, run

CODE = "IT.NET.USER.ZS"
THREADS = 2
"""Those of dbt by default."""


def _union(intervals: Iterable[tuple[float, float]]) -> float:
    """Return the seconds that at least one interval covers, because dbt's threads run in parallel."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(intervals):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total


def _measured(report: Path) -> None:
    """Run ``carec refresh`` in this process and time its fetching and its SQL."""
    from pipelines import ingestion
    from pipelines.cli import app as cli
    from pipelines.cli import collect_garbage_seldom
    from pipelines.dbt import runner
    from pipelines.dbt.results import Build

    spent = {"fetch": 0.0, "sql": 0.0}

    def fetching(ask: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return ask(*arguments, **options)
            finally:
                spent["fetch"] += time.perf_counter() - started

        return timed

    def building(build: Callable[..., Build]) -> Callable[..., Build]:
        def timed(*arguments: Any, **options: Any) -> Build:
            built = build(*arguments, **options)
            spent["sql"] += _union((n.started_at, n.started_at + n.seconds) for n in built.nodes if n.started_at)
            return built

        return timed

    ingestion.ask = fetching(ingestion.ask)
    runner.build = building(runner.build)
    collect_garbage_seldom()
    cli.carec(["refresh"], standalone_mode=False)
    report.write_text(json.dumps(spent))


def _served(published: Path) -> dict[str, dict[tuple[str, int], float | None]]:
    """Return every published figure of the World Bank."""
    served: dict[str, dict[tuple[str, int], float | None]] = {}
    with duckdb.connect(str(published), read_only=True) as connection:
        rows = connection.execute(
            "select provider_code, iso3, year, value from observations where provider = 'world_bank'"
        ).fetchall()
    for code, iso3, year, value in rows:
        served.setdefault(code, {})[iso3, year] = value
    return served


def results(built: Path) -> list[Row]:
    """Return the rows of a changed answer: the whole refresh over the SQL floor, and its part outside fetch and SQL.

    Args:
        built: A warehouse that a refresh has built, all of it, from the bundled archive.
    """
    from pytest_httpserver import HTTPServer

    from tests.world_bank_server import serve_world_bank

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # one line per request
    outside: list[float] = []
    published: list[float] = []
    ended: list[float] = []
    least: list[float] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="carec-bench-"))
        bank, others = (stack.enter_context(HTTPServer(threaded=True)) for _ in range(2))
        others.expect_request(re.compile(".*")).respond_with_data(status=404)
        report, steps, warehouse = (Path(folder) / name for name in ("report.json", "steps.json", "warehouse"))
        shutil.copytree(built, warehouse)
        # the same tables from the figures of this warehouse
        compiled = json.dumps(floor.steps(built / "dbt", ROOT / "dbt_project"))
        steps.write_text(compiled.replace(str(built), str(warehouse)), encoding="utf-8")
        # the other providers answer at once that they have nothing; a refused connection would be tried for 1.7 s
        live = environment(warehouse) | {f"CAREC_{name.upper()}_URL": others.url_for("/") for name in _others()}
        live |= {"CAREC_WORLD_BANK_URL": bank.url_for("/v2"), "CAREC_HTTP_TRIES": "1"}
        del live["CAREC_OFFLINE"]
        served = _served(warehouse / "carec.duckdb")
        for change in range(PAIRS + 1):
            served[CODE]["UZB", 2024] = 80.0 + change / 10
            bank.clear()
            serve_world_bank(bank, served, lastupdated=f"2026-11-{change + 1:02}")
            started = time.time()
            spent = run(("-m", "tests.benchmarks.change", str(report)), live).seconds
            if change:  # the first refresh compares all figures of the bank
                parts = json.loads(report.read_text())
                ended.append(spent)
                published.append((warehouse / "carec.duckdb").lstat().st_mtime - started)
                outside.append(published[-1] - parts["fetch"] - parts["sql"])
                command = [sys.executable, "-m", "tests.benchmarks.floor", str(steps), str(THREADS)]
                done = subprocess.run(command, cwd=ROOT, env=live, capture_output=True, text=True, check=False)
                if done.returncode:
                    sys.exit(done.stderr)
                least.append(float(done.stdout))
    return [
        compared("changed answer to publication / SQL floor", 2.0, published, least),
        compared("changed answer to publication: outside fetch and SQL / whole", 0.5, outside, published),
        compared("changed answer to the end of the process, with the run recorded / SQL floor", None, ended, least),
    ]


def _others() -> list[str]:
    from sources.catalogue import load_catalogue

    return [p.id for p in load_catalogue().providers.values() if p.base_url and p.id != "world_bank"]


if __name__ == "__main__":
    _measured(Path(sys.argv[1]))
