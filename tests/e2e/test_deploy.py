"""The deploy example with the commands of its units, its instance and its workspace, on a real PostgreSQL."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import signal
import string
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
import requests

from tests.conftest import AS_OF, ROOT
from tests.postgres import free_port, postgres

DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/carec-digital-scorecard"
"""The checkout's path in the units."""
STARTED_S, RUN_S = 120, 180
LAUNCH = """
mutation ($assets: [AssetKeyInput!]!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "carec", repositoryName: "__repository__", jobName: "__ASSET_JOB", assetSelection: $assets
    }
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
RUN = """
query ($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status startTime endTime
      eventConnection {events {... on EngineEvent {
        message metadataEntries {label ... on TextMetadataEntry {text} ... on IntMetadataEntry {intRepr}}
      }}}
    }
  }
}
"""


def unit(name: str) -> configparser.SectionProxy:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(DEPLOY / "systemd" / f"{name}.service")
    return parsed["Service"]


def example_settings() -> dict[str, str]:
    lines = (DEPLOY / "carec.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@dataclass(frozen=True)
class Deployment:
    url: str
    database: str
    warehouse: Path
    processes: dict[str, subprocess.Popen[bytes]]

    def ask(self, query: str, **variables: object) -> Any:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def logs(self) -> str:
        return "\n".join(path.read_text()[-1500:] for path in sorted(self.warehouse.parent.glob("*.log")))


@pytest.fixture(scope="module")
def deployment(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with postgres() as database:
        folder = tmp_path_factory.mktemp("deployed")
        warehouse = Path(shutil.copytree(published_warehouse, folder / "warehouse"))
        home = warehouse / "dagster"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copy(DEPLOY / "dagster.yaml", home)
        page = free_port()
        settings = example_settings() | {
            "CAREC_WAREHOUSE": str(warehouse),
            "CAREC_AUTOMATION": "0",  # no runs except those of the tests
            "CAREC_OFFLINE": "1",
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": database,
            "DAGSTER_CODE_PORT": str(free_port()),
            "DAGSTER_UI_PORT": str(page),
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
        processes = {}
        prepare = unit("carec-code")["ExecStartPre"].replace(INSTALLED, str(ROOT))
        subprocess.run(shlex.split(prepare), cwd=ROOT, env=inherited | settings, check=True, timeout=STARTED_S)
        try:
            for name in ("carec-code", "carec-webserver", "carec-daemon"):
                command = string.Template(unit(name)["ExecStart"]).substitute(settings).replace(INSTALLED, str(ROOT))
                processes[name] = subprocess.Popen(
                    shlex.split(command),
                    cwd=ROOT,
                    env=inherited | settings,
                    stdout=(folder / f"{name}.log").open("wb"),
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            deployed = Deployment(f"http://127.0.0.1:{page}", database, warehouse, processes)
            wait_until_loaded(deployed)
            yield deployed
        finally:
            for process in processes.values():
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)
            for process in processes.values():
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def wait_until_loaded(deployed: Deployment) -> None:
    """Wait for the code location: as with systemd, the webserver starts before the definitions are loaded."""
    deadline = time.monotonic() + STARTED_S
    query = "{workspaceOrError {... on Workspace {locationEntries {locationOrLoadError {__typename}}}}}"
    reload = 'mutation {reloadRepositoryLocation(repositoryLocationName: "carec") {__typename}}'
    while time.monotonic() < deadline:
        assert all(process.poll() is None for process in deployed.processes.values()), deployed.logs()
        try:
            (entry,) = deployed.ask(query)["workspaceOrError"]["locationEntries"]
            if (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation":
                return
            deployed.ask(reload)
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"the definitions were not loaded:\n{deployed.logs()}")


def launch(deployment: Deployment, *assets: str) -> str:
    launched = deployment.ask(LAUNCH, assets=[{"path": asset.split("/")} for asset in assets])["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def finished(deployment: Deployment, run_id: str) -> dict[str, Any]:
    deadline, run = time.monotonic() + RUN_S, {"status": ""}
    while run["status"] not in {"SUCCESS", "FAILURE", "CANCELED"} and time.monotonic() < deadline:
        time.sleep(0.5)
        run = deployment.ask(RUN, id=run_id)["runOrError"]
    assert run["status"] == "SUCCESS", f"{run}\n{deployment.logs()}"
    return run


def worker(run: dict[str, Any]) -> str:
    entries = [entry for event in run["eventConnection"]["events"] for entry in event.get("metadataEntries", [])]
    (pid,) = {entry.get("text") or entry.get("intRepr") for entry in entries if entry["label"] == "pid"}
    return str(pid)


@pytest.mark.exhaustive
def test_runs_succeed_in_separate_worker_processes_one_after_another_and_publish(deployment: Deployment) -> None:
    published = deployment.warehouse / "carec.duckdb"
    published.unlink()  # the build next to it is kept
    started = [launch(deployment, "observations/gii_score"), launch(deployment, "publication")]
    runs = sorted((finished(deployment, run_id) for run_id in started), key=lambda run: run["startTime"])
    assert runs[0]["endTime"] <= runs[1]["startTime"], "both lock the warehouse: one at a time"
    workers = {worker(run) for run in runs}
    assert len(workers) == 2 and not workers & {str(process.pid) for process in deployment.processes.values()}
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("select as_of::varchar from publication").fetchone() == (AS_OF,)


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
    names = {path.stem for path in (DEPLOY / "systemd").glob("*.service")}
    assert names == {"carec-code", "carec-webserver", "carec-daemon"}
    for name in names:
        service = unit(name)
        program = shlex.split(service["ExecStart"])[0]
        assert Path(program.replace(INSTALLED, str(ROOT))).is_file(), program
        assert service["WorkingDirectory"] == INSTALLED
        assert service["EnvironmentFile"] == "/etc/carec/carec.env"
        wanted = {each[1:] for each in service["ExecStart"].split() if each.startswith("$")}
        assert {each.strip("{}") for each in wanted} <= example_settings().keys()
        for folder in service["ReadWritePaths"].split():
            assert (
                folder == example_settings()["CAREC_WAREHOUSE"] or Path(folder.replace(INSTALLED, str(ROOT))).is_dir()
            )
