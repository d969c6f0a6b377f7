"""Interruptions: a killed process, a full disk, concurrent readers. The published file is always complete."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.conftest import ROOT, run_carec
from tests.running import further, refresh_program
from tests.templates import copy_warehouse
from warehouse.layout import Layout
from warehouse.publish import publish, published
from warehouse.recovery import clear, leftovers

KILLS = int(os.environ.get("KILLS", "3"))
"""Number of refreshes that the test kills, at every moment in turn. KILLS=100 is the long run."""

READER = """
import json, sys, threading, time, duckdb
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
seen, faults, reads = set(), [], 0
print("reading", flush=True)
while not ended.is_set():
    reads += 1
    time.sleep(0.02)
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as connection:
            seen.add(connection.execute(
                "select published_at::varchar, as_of::varchar, observations, (select count(*) from observations),"
                " (select count(*) from scorecard), (select count(*) from claims_audit) from publication"
            ).fetchone())
    except Exception as error:
        faults.append(repr(error))
print(json.dumps([reads, faults, sorted(seen)]))
"""


@dataclass
class Read:
    """The result of a reader: the number of queries, the failures, and the distinct publications that it saw."""

    looks: int = 0
    faults: list[str] | None = None
    seen: list[list] | None = None


@contextmanager
def reading(path: Path) -> Iterator[Read]:
    """Query the published file in a loop, in a separate process, until the block ends."""
    found = Read()
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == "reading\n"
        try:
            yield found
        finally:
            process.stdin.close()
            found.looks, found.faults, found.seen = json.loads(process.stdout.read())


def start(warehouse: Path, *arguments: str) -> subprocess.Popen[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    environment = {**inherited, "CAREC_WAREHOUSE": str(warehouse), "CAREC_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*refresh_program(), "refresh", *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def running(warehouse: Path, before: str) -> bool:
    return (warehouse / ".refresh.lock").read_text() not in ("", before)


def building(warehouse: Path, before: str) -> bool:
    return not Layout(warehouse).receipt.exists()


def publishing(warehouse: Path, before: str) -> bool:
    return any(warehouse.glob(".carec.duckdb*.tmp"))


MOMENTS = (building, running, publishing)


def killed_refresh(warehouse: Path, number: int, delay: float) -> bool:
    """Start a refresh that has to build, and kill it some time after an event. Return whether it was still running."""
    reached, before = MOMENTS[number % len(MOMENTS)], (warehouse / ".refresh.lock").read_text()
    # another day makes a build necessary each time
    process = start(warehouse, "--as-of", f"{datetime(2026, 1, 2) + timedelta(days=number):%Y-%m-%d}")
    while not reached(warehouse, before) and process.poll() is None:
        time.sleep(0.002)
    time.sleep(delay)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() in (0, -signal.SIGKILL), process.stderr and process.stderr.read()
    return process.returncode != 0


@dataclass(frozen=True)
class Survivors:
    """Two warehouses of one checkout after a kill in the first, refreshed at once, with rivals for the first.

    Attributes:
        first: Warehouse of the killed refresh and of the one after it.
        other: Warehouse of another day, refreshed at the same time.
        kills: Number of refreshes that were started to be killed, and of those that were killed.
        read: What a reader of the first warehouse saw.
        completed: The refreshes of the two warehouses.
        refused: A refresh of the first warehouse while another one ran.
        waited: Whether the Dagster run that had to wait succeeded, and its log.
        checkout_unchanged: Whether no file of the checkout was written.
    """

    first: Path
    other: Path
    kills: tuple[int, int]
    read: Read
    completed: dict[str, subprocess.Popen[str]]
    refused: subprocess.CompletedProcess[str]
    waited: tuple[bool, str]
    checkout_unchanged: bool


def checkout_files() -> dict[Path, int]:
    """Return the modification times of the files that a refresh reads."""
    folders = [ROOT / name for name in ("dbt_project", "sources", "pipelines")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path: path.stat().st_mtime_ns for path in files}


@pytest.fixture(scope="module", params=further(KILLS))
def survivors(
    request: pytest.FixtureRequest, published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory
) -> Survivors:
    """Return two warehouses after kills in the build, at the start and while publishing."""
    base, delays, killed = tmp_path_factory.mktemp("survivors"), random.Random(20261123), 0
    first, other = (copy_warehouse(published_warehouse, base / name) for name in ("first", "other"))
    lock, files = first / ".refresh.lock", checkout_files()
    with reading(first / "carec.duckdb") as read, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CAREC_WAREHOUSE", str(first))
        environment.setenv("CAREC_OFFLINE", "1")
        for number in range(request.param):
            killed += killed_refresh(first, number, delays.uniform(0, 0.3))
            assert published(Layout(first)) is not None
        from pipelines.definitions import build_defs

        job, before = build_defs().resolve_implicit_global_asset_job_def(), lock.read_text()
        completed = {"2026-11-26": start(first, "--as-of", "2026-11-26")}
        while lock.read_text() in ("", before):
            assert completed["2026-11-26"].poll() is None
            time.sleep(0.05)
        completed["2025-12-31"] = start(other, "--as-of", "2025-12-31")
        refused = run_carec("refresh", "--as-of", "2026-01-02", warehouse=first)
        assert completed["2026-11-26"].poll() is None
        log = io.StringIO()
        with redirect_stderr(log):
            waited = job.execute_in_process(asset_selection=[dg.AssetKey(["observations", "gii_score"])])
        for process in completed.values():
            process.wait()
        time.sleep(1)  # the reader looks once more
    kills, unchanged = (request.param, killed), checkout_files() == files
    return Survivors(first, other, kills, read, completed, refused, (waited.success, log.getvalue()), unchanged)


def as_of(warehouse: Path) -> str:
    found = published(Layout(warehouse))
    assert found is not None
    return found.as_of.isoformat()


def test_a_killed_refresh_leaves_a_complete_publication_and_the_next_one_completes(survivors: Survivors) -> None:
    after, read = survivors.completed["2026-11-26"], survivors.read
    assert after.returncode == 0, after.stderr and after.stderr.read()
    kills, killed = survivors.kills
    assert killed > kills / 2, "the refreshes ended before they were killed"
    assert read.faults == [] and read.looks > killed
    assert read.seen and len(read.seen) >= 2
    for _, _, stated, observations, members, claims in read.seen:
        assert stated == observations > 10_000 and members > 11 and claims > 100
    assert leftovers(Layout(survivors.first)) == []
    healthy = run_carec("doctor", warehouse=survivors.first)
    assert healthy.returncode == 0, healthy.stdout


def test_simultaneous_refreshes_and_a_dagster_run_take_turns(survivors: Survivors) -> None:
    assert survivors.refused.returncode == 1
    running = survivors.completed["2026-11-26"]
    assert f"another refresh of this warehouse is running (process {running.pid}" in survivors.refused.stderr
    success, log = survivors.waited
    assert success and "another refresh holds" in log
    assert as_of(survivors.first) == "2026-11-26"


def test_two_warehouses_refresh_from_one_checkout_at_once_and_write_nothing_into_it(survivors: Survivors) -> None:
    assert [process.returncode for process in survivors.completed.values()] == [0, 0]
    assert (as_of(survivors.first), as_of(survivors.other)) == ("2026-11-26", "2025-12-31")
    assert survivors.checkout_unchanged


@pytest.mark.parametrize("publications", [4, *further(10)])
def test_a_reader_sees_no_error_and_no_partial_publication_while_others_are_published(
    warehouse: Path, publications: int
) -> None:
    layout, first = Layout(warehouse), datetime(2026, 11, 24)
    with reading(layout.published) as read:
        for number in range(publications):
            publish(layout, first + timedelta(seconds=number))
    assert read.faults == []
    assert read.seen and len(read.seen) > publications / 10, "the reader saw too few publications"
    assert len({tuple(row[1:]) for row in read.seen}) == 1, "the same build, the same content"


def test_only_leftovers_of_an_interrupted_run_are_found_and_deleted(warehouse: Path) -> None:
    layout = Layout(warehouse)
    kept = sorted(path for path in warehouse.rglob("*") if path.is_file())
    left = [
        warehouse / ".carec.duckdb.abc.tmp",
        warehouse / ".carec.duckdb.abc.tmp.wal",
        layout.landing / "observations" / "gii_rank" / ".20260101T000000000000_0.parquet.x.tmp",
        layout.publications / ".x1y2z3",
    ]
    assert clear(layout) == []
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    assert leftovers(layout) == sorted(left)
    assert clear(layout) == sorted(left)
    assert sorted(path for path in warehouse.rglob("*") if path.is_file()) == kept
    # a build without a receipt is deleted too, because its end is unknown
    layout.receipt.unlink()
    assert clear(layout) == [layout.build]


@pytest.fixture
def small_disk(published_warehouse: Path, tmp_path: Path) -> Iterator[Path]:
    """Return the published warehouse on a separate disk with 100 MB of free space."""
    disk = tmp_path / "disk"
    disk.mkdir()
    used = sum(path.stat().st_size for path in published_warehouse.rglob("*") if path.is_file())
    size = f"size={used // 1024 + 100_000}k"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a disk of its own needs the right to mount one")
    try:
        yield copy_warehouse(published_warehouse, disk / "warehouse")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill the disk except for ``leave`` bytes."""
    ballast = folder.parent / "ballast"
    with ballast.open("wb") as handle:
        os.posix_fallocate(handle.fileno(), 0, shutil.disk_usage(folder).free - leave)
    return ballast


@pytest.mark.parametrize("leave", [0, *further(3_000_000)], ids=["before the build", "in the build"])
def test_a_full_disk_gives_one_clear_message_and_keeps_the_publication(small_disk: Path, leave: int) -> None:
    before = (small_disk / "carec.duckdb").read_bytes()
    ballast = fill(small_disk, leave)
    full = run_carec("refresh", "--as-of", "2026-01-01", warehouse=small_disk)
    assert full.returncode == 1
    assert "No space left on device" in full.stderr, full.stderr
    assert "Traceback" not in full.stderr, full.stderr
    assert (small_disk / "carec.duckdb").read_bytes() == before
    done = run_carec("doctor", "--format", "json", warehouse=small_disk)
    assert done.returncode == 1
    (disk,) = [row for row in json.loads(done.stdout) if row["check"] == "disk space"]
    assert disk["status"] == "attention" and "free some space" in disk["remedy"]
    if not leave:
        return
    ballast.unlink()
    again = run_carec("refresh", "--as-of", "2026-01-01", warehouse=small_disk)
    assert again.returncode == 0, again.stderr
    with duckdb.connect(str(small_disk / "carec.duckdb"), read_only=True) as connection:
        assert connection.execute("select as_of::varchar from publication").fetchone() == ("2026-01-01",)


def test_a_disk_that_fills_up_while_publishing_keeps_the_publication_without_leftovers(small_disk: Path) -> None:
    layout = Layout(small_disk)
    before = layout.published.read_bytes()
    fill(small_disk, layout.build.stat().st_size // 2)
    with pytest.raises(OSError, match="No space left on device"):
        publish(layout, datetime(2026, 11, 24))
    assert layout.published.read_bytes() == before
    assert leftovers(layout) == []
