"""The programs of a deploy example, started with the commands of its systemd units, and GraphQL to its pages.

Belongs here: what the tests of both examples share. Does not belong here: assertions about runs.
"""

from __future__ import annotations

import configparser
import os
import shlex
import signal
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.running import ROOT

DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/carec-digital-scorecard"
"""The checkout's path in the units."""
PROGRAMS = Path(sys.executable).parent
STARTED_S, RUN_S = 120, 180
LAUNCH = """
mutation ($job: String!, $assets: [AssetKeyInput!], $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    executionMetadata: {tags: $tags}
    selector: {
      repositoryLocationName: "carec", repositoryName: "__repository__", jobName: $job, assetSelection: $assets
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
      status startTime stepStats {startTime endTime}
      eventConnection {events {... on EngineEvent {
        message metadataEntries {label ... on TextMetadataEntry {text} ... on IntMetadataEntry {intRepr}}
      }}}
    }
  }
}
"""


def unit(file: Path) -> configparser.SectionProxy:
    """Return the service of a unit; of a key with several lines, the last one."""
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(file)
    return parsed["Service"]


def example_settings(file: Path) -> dict[str, str]:
    """Return the variables of an environment file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def here(command: str) -> str:
    """Return a unit's command with the paths of this checkout and its environment."""
    return command.replace(f"{INSTALLED}/.venv/bin", str(PROGRAMS)).replace(INSTALLED, str(ROOT))


@dataclass
class Programs:
    """Started units by name, each with a log in the folder."""

    folder: Path
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, file: Path, settings: dict[str, str]) -> None:
        """Start a unit as ``name`` with the variables of its environment files."""
        command = string.Template(unit(file)["ExecStart"]).substitute(settings)
        self.started[name] = subprocess.Popen(
            shlex.split(here(command)),
            cwd=ROOT,
            env=_inherited() | settings,
            stdout=(self.folder / f"{name}.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def logs(self) -> str:
        return "\n".join(self.log(name)[-1500:] for name in self.started)

    def wait(self, name: str, text: str) -> None:
        """Wait until a text is in a program's log."""
        deadline = time.monotonic() + STARTED_S
        while text not in self.log(name):
            assert self.started[name].poll() is None and time.monotonic() < deadline, self.logs()
            time.sleep(0.1)


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Yield a holder of programs, and end them with their processes."""
    held = Programs(folder)
    try:
        yield held
    finally:
        for process in held.started.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in held.started.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def prepare(file: Path, settings: dict[str, str]) -> None:
    """Run what a unit runs before it starts."""
    command = here(unit(file)["ExecStartPre"])
    subprocess.run(shlex.split(command), cwd=ROOT, env=_inherited() | settings, check=True, timeout=STARTED_S)


@dataclass(frozen=True)
class Deployment:
    """A running example.

    Attributes:
        url: Address of Dagster's pages.
        database: Address of PostgreSQL, with the password.
        warehouse: Folder of the host that has the pages.
        programs: Its programs.
    """

    url: str
    database: str
    warehouse: Path
    programs: Programs

    def ask(self, query: str, **variables: object) -> Any:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def launch(self, *assets: str, job: str = "__ASSET_JOB", partition: str | None = None) -> str:
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        selected = [{"path": asset.split("/")} for asset in assets] or None
        launched = self.ask(LAUNCH, job=job, assets=selected, tags=tags)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def finished(self, run_id: str) -> dict[str, Any]:
        deadline, run = time.monotonic() + RUN_S, {"status": ""}
        while run["status"] not in {"SUCCESS", "FAILURE", "CANCELED"} and time.monotonic() < deadline:
            time.sleep(0.5)
            run = self.ask(RUN, id=run_id)["runOrError"]
        assert run["status"] == "SUCCESS", f"{run}\n{self.programs.logs()}"
        return run

    def wait_until_loaded(self) -> None:
        """Wait for the code location: as with systemd, the pages start before the definitions are loaded."""
        deadline = time.monotonic() + STARTED_S
        query = "{workspaceOrError {... on Workspace {locationEntries {locationOrLoadError {__typename}}}}}"
        reload = 'mutation {reloadRepositoryLocation(repositoryLocationName: "carec") {__typename}}'
        while time.monotonic() < deadline:
            assert all(process.poll() is None for process in self.programs.started.values()), self.programs.logs()
            try:
                (entry,) = self.ask(query)["workspaceOrError"]["locationEntries"]
                if (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation":
                    return
                self.ask(reload)
            except requests.ConnectionError:
                pass
            time.sleep(0.5)
        raise AssertionError(f"the definitions were not loaded:\n{self.programs.logs()}")


def worker(run: dict[str, Any]) -> str:
    """Return the process that executed a run."""
    entries = [entry for event in run["eventConnection"]["events"] for entry in event.get("metadataEntries", [])]
    (pid,) = {entry.get("text") or entry.get("intRepr") for entry in entries if entry["label"] == "pid"}
    return str(pid)


def _inherited() -> dict[str, str]:
    own = ("CAREC_", "DAGSTER_", "DBT_", "CELERY_", "PG")
    return {k: v for k, v in os.environ.items() if not k.startswith(own)}
