"""The cost of fetching forty indicators, compared with ``wbgapi`` and with the unavoidable latency.

Belongs here: the three ways and their timing, alternating in one run. Does not belong here: assertions.
Ours is a complete ingestion: request, stored bodies, journal, contract, gates, Parquet. ``wbgapi`` ends with rows or a
frame in memory. Both are timed within a process that has done the same before, so that imports count for neither. Every
body is built before the timing, and ``wbgapi`` already has its lists of countries and periods.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pydantic import HttpUrl

from pipelines import archive_landing, ingestion
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import Link
from sources.corrections import Corrections
from tests.benchmarks.results import compared
from warehouse import journal
from warehouse.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "build" / "bench-clients" / "bin" / "python"
"""The environment of the clients to compare with. ``make bench`` builds it."""
LATENCY_S = 0.150
EVERYWHERE = 1000
CODES = [f"IT.NET.USR{number:02}.ZS" for number in range(40)]
PAIRS = 5


@contextmanager
def _bank(areas: int) -> Iterator[str]:
    """Start a World Bank with at most that many areas. Yields its base address."""
    command = [sys.executable, "-m", "tests.benchmarks.slow_world_bank", str(LATENCY_S), str(areas)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdin
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v2"
        server.stdin.close()


def _workspace(base: str, folder: Path) -> Workspace:
    """Return a workspace with forty indicators of one provider, without landed or archived figures."""
    opened = open_workspace(load_settings(warehouse=folder))
    model = opened.catalogue.indicators["internet_users_pct"]
    indicators = {
        f"indicator_{at:02}": model.model_copy(
            update={"id": f"indicator_{at:02}", "chain": (Link(provider="world_bank", code=code),)}
        )
        for at, code in enumerate(CODES)
    }
    bank = opened.catalogue.providers["world_bank"].model_copy(update={"base_url": HttpUrl(base)})
    catalogue = opened.catalogue.model_copy(update={"indicators": indicators, "providers": {"world_bank": bank}})
    return replace(
        opened,
        catalogue=catalogue,
        archive=replace(opened.archive, series=()),
        corrections=Corrections(),
        layout=Layout(folder),
    )


def _ours(base: str) -> tuple[float, int]:
    """Return the seconds and requests of a first refresh of all forty indicators."""
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        workspace = _workspace(base, Path(folder))
        archive_landing.land_archive(workspace)
        started = time.perf_counter()
        done = ingestion.ingest(workspace, list(workspace.catalogue), offline=False)
        spent = time.perf_counter() - started
        assert all(result.rows and not result.rejected for result in done.results), done.results[0]
        (run,) = journal.runs(workspace.layout)
        return spent, len(run["exchanges"])


def _years() -> range:
    return range(ingestion.FIRST_YEAR, time.gmtime().tm_year + 1)


@contextmanager
def _wbgapi(base: str) -> Iterator[Callable[[str], float]]:
    """Start ``wbgapi``. Yields a function: job ("tuned" for its best, "framed" for the usual way) -> seconds."""
    if not CLIENTS.exists():
        sys.exit(f"{CLIENTS.relative_to(ROOT)} is not there: run make bench, which builds it")
    years = _years()
    command = [CLIENTS, Path(__file__).with_name("wbgapi_client.py"), base, str(years[0]), str(years[-1]), *CODES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        source, output = client.stdin, client.stdout
        assert source and output

        def seconds(job: str) -> float:
            source.write(f"{job}\n")
            source.flush()
            spent, rows = output.readline().split()
            assert int(rows), job
            return float(spent)

        yield seconds
        source.close()


def results() -> list[dict[str, object]]:
    """Return every ratio, in the format of ``tests.benchmarks.run``."""
    with _bank(EVERYWHERE) as base, _wbgapi(base) as wbgapi:
        wbgapi("tuned")  # builds the bodies and fills the caches of wbgapi
        _ours(base)
        ours: list[float] = []
        tuned: list[float] = []
        for pair in range(PAIRS):
            for mine in (True, False) if pair % 2 else (False, True):
                if mine:
                    ours.append(_ours(base)[0])
                else:
                    tuned.append(wbgapi("tuned"))
        framed = wbgapi("framed")  # minutes: once
    with _bank(1) as base:  # as many requests, with very small bodies
        _ours(base)
        thin = [_ours(base) for _ in range(PAIRS)]
    bound = [math.ceil(requests / 4) * LATENCY_S for _, requests in thin]
    return [
        compared("40 indicators fetched to Parquet / wbgapi, one call, largest pages", 0.5, ours, tuned),
        compared("40 indicators fetched to Parquet / wbgapi, DataFrame", 0.5, [statistics.median(ours)], [framed]),
        compared("the same, next to no figures / requests / 4 x latency", 3.0, [spent for spent, _ in thin], bound),
    ]


if __name__ == "__main__":
    for result in results():
        print(result)
