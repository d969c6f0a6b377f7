"""Several workers on one lake: one of them polls a provider, killed workers, limits per host, a refresh meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from pytest_httpserver import HTTPServer

from pipelines import polling
from pipelines.definitions import build_defs
from pipelines.ingestion import ingest
from pipelines.orchestration.polling_job import poll_asset
from pipelines.replay import replay
from pipelines.settings import Secret, load_settings
from pipelines.workspace import open_workspace
from sources.catalogue import load_catalogue
from tests.lakes import trust_extensions
from tests.polling_worker import BANKS, IDS, Banks, banks_workspace
from tests.postgres import PASSWORD, empty_database, postgres
from tests.running import AS_OF, ROOT
from tests.templates import copy_warehouse
from warehouse import landing
from warehouse.lake import locks
from warehouse.lake.connection import Lake, attached, catalogue, lake_at, make
from warehouse.lake.errors import LakeError

pytest.importorskip("duckdb_extension_ducklake", reason="the extra lake is not installed (make lake)")
pytestmark = pytest.mark.lake

Rows = Callable[[str], list[tuple[Any, ...]]]

FIGURES = "select indicator_id, iso3, year, value, provider from lake.landing.observations order by all"
VINTAGES = "select file, count(*), count(distinct vintage_at) from lake.landing.observations group by all order by all"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address.replace("+psycopg2", "")


@pytest.fixture
def lake(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake in a database of its own, which the settings name."""
    url = empty_database(server, "of_test")
    monkeypatch.setenv("CAREC_LAKE", url)
    monkeypatch.setenv("CAREC_LAKE_DATA", str(tmp_path / "lake"))
    monkeypatch.delenv("CAREC_OFFLINE", raising=False)
    trust_extensions(monkeypatch)
    made = lake_at(url, str(tmp_path / "lake"))
    make(made)
    return made


@pytest.fixture
def banks() -> Iterator[Banks]:
    with HTTPServer(threaded=True) as loopback:
        yield Banks(loopback)


def worker(folder: Path, banks: Banks, *providers: str, kill: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.polling_worker", str(folder), banks.url, *providers]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "KILL": kill}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    return printed


@pytest.fixture
def rows(lake: Lake) -> Iterator[Rows]:
    """A query of the lake, as it is at the time."""
    with attached(lake, read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


def test_a_poll_lands_a_vintage_with_its_record_and_health_once(
    lake: Lake, rows: Rows, banks: Banks, tmp_path: Path
) -> None:
    workspace, banks.per_page = banks_workspace(tmp_path / "host", banks.url), 20
    done = polling.poll(workspace, "bank_a")
    assert polling.summary(done) == "2 indicators: 2 new vintages"
    assert {name for name, *_ in rows(FIGURES)} == set(IDS[:2])
    before = rows(VINTAGES)
    assert polling.summary(polling.poll(workspace, "bank_a")) == "2 indicators: nothing new"
    assert rows(VINTAGES) == before
    banks.requests.clear()
    polling.poll(banks_workspace(tmp_path / "another host", banks.url), "bank_a")
    assert banks.requests == {"bank_a": 1}  # only whether its 15 pages are still the same
    assert rows(VINTAGES) == before
    assert rows("select count(*), count(distinct file) from lake.landing.runs") == [(3, 3)]
    assert rows("select outcome, count(*) from lake.landing.source_health group by 1") == [("ok", 6)]


KILLED_AFTER = {
    "bank_a": "pipelines.ingestion:land:1",  # landed in the worker's folder only
    "bank_b": "warehouse.lake.landing:push_bodies:1",  # bodies without their vintages
    "bank_c": "warehouse.lake.landing:_append:2",  # between two tables of the commit
    "bank_d": "pipelines.polling:push_landed:1",  # committed, not yet tidied up
}


def test_after_a_killed_worker_another_one_takes_over_and_both_end_with_the_same_rows(
    lake: Lake, rows: Rows, banks: Banks, tmp_path: Path
) -> None:
    first, second = (banks_workspace(tmp_path / name, banks.url) for name in ("first", "second"))
    for at, (bank, place) in enumerate(KILLED_AFTER.items()):
        ended(worker(tmp_path / "first", banks, bank, kill=place), -signal.SIGKILL)
        with locks.locks(lake) as held:
            assert held.take(locks.polling(bank), wait_s=10) is None  # free without anyone's help
        landed = {bank for *_, bank in rows(FIGURES)} if at else set()
        assert landed == {*BANKS[:at], *([bank] if bank == "bank_d" else [])}
        done = polling.poll(second, bank)
        assert polling.summary(done) == f"2 indicators: {'nothing new' if bank in landed else '2 new vintages'}"
    after = rows(VINTAGES)
    assert [name.split("/")[1] for name, *_ in after] == sorted(IDS)
    assert polling.summary(polling.poll(first, "bank_a")) == "2 indicators: nothing new"
    assert rows(VINTAGES) == after
    assert rows("select count(*), count(distinct file) from lake.landing.runs") == [(6, 6)]
    bodies = {path.stem for path in (Path(lake.data) / "raw").iterdir()}
    assert {sha256 for (sha256,) in rows("select distinct raw_sha256 from lake.landing.observations")} <= bodies


def test_a_worker_that_loses_its_lock_lands_nothing_and_repeats(lake: Lake, banks: Banks, tmp_path: Path) -> None:
    workspace = banks_workspace(tmp_path / "host", banks.url)

    def restart() -> None:
        with catalogue(lake) as connection, connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")

    banks.during, banks.per_page = restart, 100
    with pytest.raises(LakeError, match="connection"):
        polling.poll(workspace, "bank_b")
    banks.during = lambda: None
    assert polling.summary(polling.poll(workspace, "bank_b")) == "2 indicators: 2 new vintages"
    with attached(lake, read_only=True) as connection:
        found = connection.execute("select count(distinct file) from lake.landing.observations").fetchone()
    assert found == (2,)  # the first poll's are not there too


def test_two_workers_share_providers_and_limits_per_host_and_a_failing_provider_leaves_the_others(
    lake: Lake, rows: Rows, banks: Banks, tmp_path: Path
) -> None:
    banks.failing, banks.per_page = {"bank_c"}, 20  # 15 pages each
    alone = banks_workspace(tmp_path / "alone", banks.url)
    alone = replace(alone, settings=replace(alone.settings, lake=None))
    ingest(alone, list(alone.catalogue), offline=False)
    expected = [
        (name, *row)
        for name in sorted(IDS)
        if (vintage := landing.latest(alone.layout, name))
        for row in vintage.read().select("iso3", "year", "value", "provider").sort("iso3", "year").rows()
    ]
    asked, banks.latency_s, banks.most = banks.requests.copy(), 0.1, 0
    banks.requests.clear()
    both = [worker(tmp_path / name, banks, *order) for name, order in (("first", BANKS), ("second", BANKS[::-1]))]
    printed = "".join(ended(process) for process in both)
    assert rows(FIGURES) == expected
    assert banks.requests == asked  # nothing twice
    assert banks.most == 4  # 8 without common limits: all banks are at one host
    assert "bank_c: 2 indicators: 2 without an answer (bank_c: " in printed
    assert all(printed.count(f"{bank}: 2 indicators: 2 new vintages") == 1 for bank in BANKS if bank != "bank_c")
    assert rows("select outcome, count(*) from lake.landing.source_health group by 1 order by 1") == [
        ("ok", 6),
        ("unavailable", 2),
    ]


def test_slots_hold_over_processes_in_turn_and_end_in_time(lake: Lake) -> None:
    now, most, mutex, turns = [0], [0], threading.Lock(), []

    def ask(slots: locks.HostSlots, who: int) -> None:
        for _ in range(4):
            with slots.of("host.test", time.monotonic() + 30):
                with mutex:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                    turns.append(who)
                time.sleep(0.02)
                with mutex:
                    now[0] -= 1

    with ExitStack() as stack:
        sessions = [stack.enter_context(locks.host_slots(lake, {"host.test": 2}, 4)) for _ in range(3)]
        threads = [threading.Thread(target=ask, args=(slots, at)) for at, slots in enumerate(sessions) for _ in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (most[0], len(turns)) == (2, 24)
        with sessions[0].of("host.test", 0), sessions[1].of("host.test", 0):
            started = time.monotonic()
            with (
                pytest.raises(TimeoutError, match=r"host\.test: other workers"),
                sessions[2].of("host.test", started + 0.2),
            ):
                pass
            with sessions[2].of("another.test", 0):
                pass


def test_a_refresh_uses_the_last_figures_of_a_provider_that_another_worker_polls(
    lake: Lake, rows: Rows, banks: Banks, tmp_path: Path
) -> None:
    polling.poll(banks_workspace(tmp_path / "worker", banks.url), "bank_b")
    at = banks_workspace(tmp_path / "refresh", banks.url)
    banks.requests.clear()
    with locks.locked(lake, locks.polling("bank_b")):
        done = polling.gather(at, list(at.catalogue), offline=False)
        with pytest.raises(polling.Taken, match=r"bank_b: another worker polls it from 127\.0\.0\.1"):
            polling.poll(at, "bank_b")
    reason = "bank_b: another worker polls it, the last figures are used"
    assert {one.stale_reason for one in done.results} == {None, reason}
    assert {name for name, one in ((r.indicator.id, r) for r in done.results) if one.stale_reason} == set(IDS[2:4])
    assert all(one.rows for one in done.results)
    assert banks.requests.keys() == {*BANKS} - {"bank_b"}
    build = banks_workspace(tmp_path / "build", banks.url)
    built = polling.gather(build, list(build.catalogue), offline=True)
    health = pl.read_parquet(build.layout.source_health).select("indicator_id", "outcome", "stale_reason").rows()
    assert health == [(name, "ok", None) for name in sorted(IDS)]  # of the polls, not of the build
    assert landing.state(build.layout, IDS) == landing.state(at.layout, IDS)
    assert all(one.rows for one in built.results)
    again = replay(build)  # of the records and bodies of all workers
    assert (again.runs, again.differences, again.notes) == (2, [], [])


def test_the_commands_of_a_worker_and_of_the_host_that_builds(
    lake: Lake, server: str, published_warehouse: Path, tmp_path: Path
) -> None:
    home = copy_warehouse(published_warehouse, tmp_path / "home")
    base = {k: v for k, v in os.environ.items() if not k.startswith("CAREC_")} | {"NO_COLOR": "1"}
    base |= {name: os.environ[name] for name in ("CAREC_LAKE", "CAREC_LAKE_DATA")} | {"CAREC_WAREHOUSE": str(home)}
    printed = ""

    def carec(*arguments: str, **more: str) -> tuple[int, str]:
        nonlocal printed
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        done = subprocess.run(command, env=base | more, cwd=ROOT, capture_output=True, text=True, check=False)
        printed += done.stdout + done.stderr
        return done.returncode, done.stderr

    closed = {"CAREC_GTMI_URL": "http://127.0.0.1:1/", "CAREC_HTTP_TRIES": "1"}
    code, said = carec("lake", "poll", "gtmi", **closed)
    assert (code, "gtmi: 4 indicators: 4 without an answer (gtmi: " in said) == (1, True)
    assert "; did you mean gtmi?" in carec("lake", "poll", "gtm")[1]
    code, said = carec("refresh", "--offline", "--as-of", AS_OF)
    assert (code, "nothing changed" in said) == (0, True)
    assert "snapshot" in said  # the publication went to the lake too
    assert PASSWORD not in printed
    assert "Traceback" not in printed


def test_a_run_of_dagster_polls_one_partition_and_reports_its_observations(
    lake: Lake, rows: Rows, banks: Banks, tmp_path: Path
) -> None:
    workspace = banks_workspace(tmp_path / "host", banks.url)
    banks.failing = {"bank_b"}
    asset = poll_asset(workspace)
    with dg.DagsterInstance.ephemeral() as instance:

        def run(bank: str) -> dg.ExecuteInProcessResult:
            return dg.materialize([asset], partition_key=bank, instance=instance, raise_on_error=False)

        done = run("bank_a")
        assert done.success
        keys = [event.asset_key.path for event in done.get_asset_materialization_events()]
        assert keys == [["observations", IDS[0]], ["observations", IDS[1]], ["poll"]]
        reported = instance.get_latest_data_version_record(dg.AssetKey(keys[0]))
        assert reported and reported.asset_materialization.tags["dagster/data_version"]  # starts a build if it changes
        assert not run("bank_b").success
        with locks.locked(lake, locks.polling("bank_c")):
            taken = run("bank_c")
        assert (taken.success, taken.get_asset_materialization_events()) == (True, [])
        logged = "".join(str(record) for record in instance.all_logs(done.run_id))
    assert PASSWORD not in logged
    assert {bank for *_, bank in rows(FIGURES)} == {"bank_a"}


def test_the_lake_adds_the_polls_to_the_graph_and_changes_no_other_asset_of_it(published_warehouse: Path) -> None:
    plain = load_settings(warehouse=published_warehouse, offline=True, lake=None)
    shared = replace(plain, lake=Secret("postgresql://db.test/carec"), lake_data="s3://bucket")
    embedded, wide = (build_defs(open_workspace(settings)) for settings in (plain, shared))
    keys = [
        {key.to_user_string() for key in one.resolve_asset_graph().get_all_asset_keys()} for one in (embedded, wide)
    ]
    assert keys[1] - keys[0] == {"poll"}
    for name in ("refresh", "rebuild"):
        steps = [{node.name for node in one.resolve_job_def(name).nodes} for one in (embedded, wide)]
        assert steps[0] == steps[1]
    assert "poll" not in {job.name for job in embedded.resolve_all_job_defs()}
    first = {one.chain[0].provider for one in load_catalogue()} - {"archive"}
    assert {*wide.resolve_job_def("poll").partitions_def.get_partition_keys()} == first
    requested = wide.resolve_schedule_def("poll_providers")(dg.build_schedule_context())
    assert {request.partition_key for request in requested} >= {"world_bank", "un_sdg"}
