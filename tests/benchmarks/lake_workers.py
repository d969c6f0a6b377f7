"""What a second worker saves where providers answer slowly, as ratios of runs in the same session.

Belongs here: the ways to ask four slow providers, and their timing. Does not belong here: assertions.
Each provider is at a host of its own, has two indicators in 15 pages and answers each request after three seconds. A
worker is a process: its start is a part of the time. The lake is on PostgreSQL and a folder of this machine.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytest_httpserver import HTTPServer

from tests.benchmarks.results import compared
from tests.polling_worker import BANKS, Banks
from tests.postgres import empty_database, postgres
from warehouse.lake.connection import attached, lake_at, make

ROOT = Path(__file__).resolve().parents[2]
LATENCY_S, PER_PAGE = 3.0, 20
PAIRS = 3
ALL_AT_ONCE = """
import sys
from pathlib import Path
from pipelines.polling import gather
from tests.polling_worker import banks_workspace
at = banks_workspace(Path(sys.argv[1]), sys.argv[2])
gather(at, list(at.catalogue), offline=False)
"""


@contextmanager
def _slow_banks() -> Iterator[str]:
    """Start the providers. Yields their addresses."""
    with ExitStack() as stack:
        servers = [stack.enter_context(HTTPServer(threaded=True)) for _ in BANKS]
        yield ",".join(Banks(server, latency_s=LATENCY_S, per_page=PER_PAGE).url for server in servers)


def _seconds(address: str, urls: str, commands: list[list[str]]) -> float:
    """Return the seconds from the start of all workers to the end of the last, on an empty lake."""
    url = empty_database(address, "bench")
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        lake = lake_at(url, f"{folder}/lake")
        make(lake)
        env = {name: value for name, value in os.environ.items() if not name.startswith("CAREC_")}
        env |= {"CAREC_LAKE": url, "CAREC_LAKE_DATA": lake.data}
        started = time.perf_counter()
        workers = [
            subprocess.Popen(
                [sys.executable, *command[:2], f"{folder}/{at}", urls, *command[2:]],
                cwd=ROOT,
                env=env,
                stdout=subprocess.DEVNULL,
            )
            for at, command in enumerate(commands)
        ]
        codes = [worker.wait() for worker in workers]
        spent = time.perf_counter() - started
        with attached(lake, read_only=True) as reading:
            found = reading.execute("select count(distinct file) from lake.landing.observations").fetchone()
        assert (set(codes), found) == ({0}, (2 * len(BANKS),)), (codes, found)
        return spent


def rows() -> list[dict[str, object]]:
    """Return every ratio, in the format of ``tests.benchmarks.run``."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its output would be part of the measured time
    worker = ["-m", "tests.polling_worker"]
    ways = {
        "two": [[*worker, *BANKS], [*worker, *BANKS[::-1]]],
        "one": [[*worker, *BANKS]],
        "at once": [["-c", ALL_AT_ONCE]],
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with postgres() as address, _slow_banks() as urls:
        for _ in range(PAIRS):
            for name, commands in ways.items():
                spent[name].append(_seconds(address.replace("+psycopg2", ""), urls, commands))
    return [
        compared("four slow providers, two workers of `carec lake poll` / one", 0.65, spent["two"], spent["one"]),
        compared(
            "two workers / one process that asks all at once, as `carec refresh`", 1.0, spent["two"], spent["at once"]
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
