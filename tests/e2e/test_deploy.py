"""The deploy example with the commands of its units, its instance and its workspace, on a real PostgreSQL."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg2
import pytest

from tests.conftest import AS_OF, ROOT
from tests.deployed import DEPLOY, INSTALLED, Deployment, example_settings, here, prepare, programs, unit, worker
from tests.postgres import free_port, postgres
from tests.templates import copy_warehouse

UNITS = sorted(DEPLOY.glob("**/systemd/*.service"))


@pytest.fixture(scope="module")
def deployment(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    with postgres() as database, programs(folder) as started:
        warehouse = copy_warehouse(published_warehouse, folder / "warehouse")
        home = warehouse / "dagster"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", home)
        page = free_port()
        settings = example_settings(DEPLOY / "carec.env") | {
            "CAREC_WAREHOUSE": str(warehouse),
            "CAREC_AUTOMATION": "0",  # no runs except those of the tests
            "CAREC_OFFLINE": "1",
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": database,
            "DAGSTER_CODE_PORT": str(free_port()),
            "DAGSTER_UI_PORT": str(page),
        }
        prepare(DEPLOY / "systemd" / "carec-code.service", settings)
        for name in ("carec-code", "carec-webserver", "carec-daemon"):
            started.start(name, DEPLOY / "systemd" / f"{name}.service", settings)
        deployed = Deployment(f"http://127.0.0.1:{page}", database, warehouse, started)
        deployed.wait_until_loaded()
        yield deployed


@pytest.mark.exhaustive
def test_runs_succeed_in_separate_worker_processes_one_after_another_and_publish(deployment: Deployment) -> None:
    published = deployment.warehouse / "carec.duckdb"
    published.unlink()  # the build next to it is kept
    launched = [deployment.launch("observations/gii_score"), deployment.launch("publication")]
    runs = sorted((deployment.finished(run_id) for run_id in launched), key=lambda run: run["startTime"])
    # not the end of the run, which is recorded after the last step has left the warehouse
    ended = max(step["endTime"] for step in runs[0]["stepStats"])
    assert ended <= min(step["startTime"] for step in runs[1]["stepStats"]), "both lock the warehouse: one at a time"
    workers = {worker(run) for run in runs}
    assert len(workers) == 2 and not workers & {str(each.pid) for each in deployment.programs.started.values()}
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("select as_of::varchar from publication").fetchone() == (AS_OF,)


@pytest.mark.exhaustive
def test_runs_and_events_are_in_postgresql_only(deployment: Deployment) -> None:
    connection = psycopg2.connect(deployment.database.replace("+psycopg2", ""))
    try:
        cursor = connection.cursor()
        cursor.execute("select count(*) from runs where status = 'SUCCESS'")
        assert cursor.fetchone() == (2,)
        cursor.execute("select asset_key from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' order by 1")
        assert cursor.fetchall() == [('["observations", "gii_score"]',), ('["publication"]',)]
    finally:
        connection.close()
    assert not list((deployment.warehouse / "dagster").rglob("*.db"))


def test_the_units_name_programs_and_folders_that_the_project_installs() -> None:
    assert {path.name for path in UNITS} == {
        *("carec-code.service", "carec-daemon.service", "carec-webserver.service"),
        *("carec-worker.service", "carec-poll.service", "carec-build.service"),
    }
    for file in UNITS:
        settings = example_settings(file.parents[1] / "carec.env")
        service = unit(file)
        program = Path(here(shlex.split(service["ExecStart"])[0]))
        assert program.is_file() or program.name == "celery", program
        assert service["WorkingDirectory"] == INSTALLED
        assert "EnvironmentFile=/etc/carec/carec.env\n" in file.read_text(encoding="utf-8")
        wanted = {each[1:] for each in service["ExecStart"].split() if each.startswith("$")}
        assert {each.strip("{}") for each in wanted} <= settings.keys()
        for folder in service["ReadWritePaths"].split():
            assert folder == settings["CAREC_WAREHOUSE"] or Path(folder.replace(INSTALLED, str(ROOT))).is_dir()


def test_systemd_accepts_the_units_and_timers(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd on this machine")
    units = [*UNITS, *DEPLOY.glob("**/systemd/*.timer")]
    for file in units:  # this checkout's paths; another program in place of one that is not installed
        text = here(file.read_text(encoding="utf-8"))
        lines = (
            line.replace(line[10:].split(" ")[0], "/bin/true") if "/celery " in line else line
            for line in text.splitlines()
        )
        (tmp_path / file.name).write_text("\n".join(lines) + "\n")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / file.name) for file in units)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in checked.stderr.splitlines() if "carec" in line]
    assert checked.returncode == 0 and not ours, checked.stderr
