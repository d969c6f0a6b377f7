"""The deploy example as it stands: its units' commands, its instance, its workspace, on a real PostgreSQL."""

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

from tests.conftest import ROOT
from tests.postgres import free_port, postgres

DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/carec-digital-scorecard"
"""Where the units expect the checkout."""
STARTED_S, RUN_S = 90, 180
LAUNCH = """
mutation ($job: String!, $config: RunConfigData) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "carec", repositoryName: "__repository__", jobName: $job}
    runConfigData: $config
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
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
            "CAREC_AUTOMATION": "0",  # nothing may start beside the run that is launched
            "CAREC_OFFLINE": "1",
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": database,
            "DAGSTER_CODE_PORT": str(free_port()),
            "DAGSTER_UI_PORT": str(page),
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
        processes = {}
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
    """Until the code location is there: the webserver starts before the definitions are loaded, as under systemd."""
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


def test_a_run_succeeds_in_a_worker_process_of_its_own_and_publishes(deployment: Deployment) -> None:
    config = {"ops": {"dbt_build": {"config": {"as_of": "2025-06-26", "column_lineage": False}}}}
    launched = deployment.ask(LAUNCH, job="rebuild", config=config)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    query = """query ($id: ID!) {runOrError(runId: $id) {... on Run {
        status eventConnection {events {... on EngineEvent {
            message metadataEntries {label ... on TextMetadataEntry {text} ... on IntMetadataEntry {intRepr}}
        }}}}}}"""
    deadline, run = time.monotonic() + RUN_S, {"status": ""}
    while run["status"] not in {"SUCCESS", "FAILURE", "CANCELED"} and time.monotonic() < deadline:
        time.sleep(1)
        run = deployment.ask(query, id=launched["run"]["runId"])["runOrError"]
    assert run["status"] == "SUCCESS", f"{run}\n{deployment.logs()}"
    entries = [entry for event in run["eventConnection"]["events"] for entry in event.get("metadataEntries", [])]
    workers = {entry.get("text") or entry.get("intRepr") for entry in entries if entry["label"] == "pid"}
    assert len(workers) == 1 and not workers & {str(process.pid) for process in deployment.processes.values()}
    with duckdb.connect(str(deployment.warehouse / "carec.duckdb"), read_only=True) as connection:
        assert connection.execute("select as_of::varchar from publication").fetchone() == ("2025-06-26",)


def test_its_record_is_in_postgresql_and_nowhere_else(deployment: Deployment) -> None:
    connection = psycopg2.connect(deployment.database.replace("+psycopg2", ""))
    try:
        cursor = connection.cursor()
        cursor.execute("select count(*) from runs where status = 'SUCCESS'")
        assert cursor.fetchone() == (1,)
        cursor.execute("select count(*) from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION'")
        assert (cursor.fetchone() or (0,))[0] > 50
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
