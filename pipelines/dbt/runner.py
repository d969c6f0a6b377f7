"""Running dbt: one ``dbt build`` in this process, and what came of every model and test.

Belongs here: invoking dbt and reading its results. Does not belong here: SQL, Dagster.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.dbt import failures
from pipelines.dbt.staging import check_staging
from pipelines.seeds.check import check_all
from pipelines.texts.words import TEXTS
from pipelines.workspace import Workspace
from sources.errors import ConfigurationError
from sources.observation import utc_now
from warehouse import landing
from warehouse.files import write_atomically, write_table
from warehouse.layout import Layout
from warehouse.publish import Receipt, write_receipt


@dataclass(frozen=True)
class Node:
    """The result of one dbt node. ``sql`` is what a test runs, as dbt compiled it."""

    unique_id: str
    status: str
    message: str | None
    failures: int | None
    started_at: float | None
    seconds: float
    sql: str | None = None


@dataclass(frozen=True)
class Build:
    """The result of a build. ``reason`` says why it did not pass."""

    passed: bool
    nodes: list[Node]
    reason: str | None = None


def fingerprint(workspace: Workspace, as_of: date, explicit: bool) -> str:
    """A hash over everything that decides what a build gives: landed data, dbt project, texts, as-of date.

    Without an explicit date only the year matters: it decides what is stale.
    """
    digest = hashlib.sha256(landing.state(workspace.layout, workspace.catalogue.indicators).encode())
    digest.update(_code(workspace).encode())
    for path in sorted(workspace.dbt_project.rglob("*.csv")):
        digest.update(path.relative_to(workspace.dbt_project).as_posix().encode() + path.read_bytes())
    digest.update((as_of.isoformat() if explicit else str(as_of.year)).encode())
    return digest.hexdigest()


NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


def _code(workspace: Workspace) -> str:
    """Return a hash over the dbt project's code and the texts that it fills in: all that unit tests depend on."""
    digest = hashlib.sha256()
    for folder in (workspace.dbt_project, TEXTS):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".sql", ".yml", ".md"}:
                digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def dbt_arguments(workspace: Workspace, command: str) -> list[str]:
    """The command line of a dbt command: absolute paths, parse cache and logs in the warehouse."""
    project, target = str(workspace.dbt_project), str(workspace.layout.dbt_target)
    return [
        command,
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", target, "--log-path", target),
        *("--log-level-file", "info", "--threads", str(workspace.settings.dbt_threads)),
    ]


def dbt_environment(layout: Layout) -> dict[str, str]:
    """What the dbt project reads from the environment."""
    return {"CAREC_WAREHOUSE": str(layout.root), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def lay_down_run(layout: Layout, as_of: date) -> None:
    """Write the build's as-of date where dbt reads it."""
    write_table(layout.run, pl.DataFrame({"as_of": [as_of]}, schema={"as_of": pl.Date}))


def check_seeds(workspace: Workspace) -> None:
    """Raise ConfigurationError for the first fault of the seeds or of the generated staging."""
    check_all(workspace.dbt_project, workspace.catalogue)
    check_staging(workspace.catalogue, workspace.dbt_project)


def prepare(workspace: Workspace, as_of: date) -> None:
    """Lay down what dbt reads and withdraw the last build's receipt: until ``settle``, nothing can be published.

    Raises ConfigurationError where a seed that people edit has a fault.
    """
    check_seeds(workspace)
    lay_down_run(workspace.layout, as_of)
    workspace.layout.receipt.unlink(missing_ok=True)


def settle(workspace: Workspace, as_of: date, mark: str, reason: str | None) -> None:
    """Leave the receipt of a build that passed (``reason`` None), or that did not for the given reason."""
    write_receipt(workspace.layout, Receipt(mark, as_of.isoformat(), reason is None, utc_now().isoformat(), reason))


def build(workspace: Workspace, as_of: date, mark: str, progress: Callable[[str], None] = lambda node: None) -> Build:
    """Run ``dbt build`` over the landed data and leave a receipt that says whether everything passed."""
    prepare(workspace, as_of)
    arguments = dbt_arguments(workspace, "build")
    # unit tests judge code, not figures: code that passed them need not pass them again at every refresh
    tested, code = workspace.layout.dbt_target / "unit_tested.sha256", _code(workspace)
    if tested.exists() and tested.read_text() == code:
        arguments += NO_UNIT_TESTS
    result = _invoke(workspace, arguments, progress)
    if result.passed:
        write_atomically(tested, code.encode())
    settle(workspace, as_of, mark, result.reason)
    return result


def manifest(workspace: Workspace) -> Path:
    """Path of dbt's manifest, written anew where it is missing, half-written or older than the project.

    Raises ConfigurationError where dbt cannot read the project.
    """
    project, path = workspace.dbt_project, workspace.layout.dbt_target / "manifest.json"
    check_staging(workspace.catalogue, project)
    # a folder's time tells of files that were removed
    parts = [p for p in project.rglob("*") if p.is_dir() or p.suffix in {".sql", ".yml", ".md"}]
    if not _whole(path) or path.stat().st_mtime < max(part.stat().st_mtime for part in parts):
        result = _invoke(workspace, dbt_arguments(workspace, "parse"), lambda node: None)
        if not result.passed:
            raise ConfigurationError(f"{project}: {result.reason}")
    return path


def _whole(path: Path) -> bool:
    """Whether dbt wrote this file to its end: it writes in place, and may be killed meanwhile."""
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _invoke(workspace: Workspace, arguments: list[str], progress: Callable[[str], None]) -> Build:
    os.environ.update(dbt_environment(workspace.layout))
    from dbt.cli.main import dbtRunner  # 1.1 s: only where dbt really runs

    def note(event: Any) -> None:
        if event.info.name == "LogStartLine":
            progress(event.data.description)

    outcome = dbtRunner(callbacks=[note]).invoke([*arguments, "--log-level", "none"])
    if outcome.exception is not None:
        return Build(False, [], f"dbt could not run: {outcome.exception}")
    nodes = [
        Node(
            unique_id=result.node.unique_id,
            status=str(result.status),
            message=result.message,
            failures=result.failures,
            # dbt's times are UTC without zone
            started_at=result.timing[-1].started_at.replace(tzinfo=UTC).timestamp() if result.timing else None,
            seconds=result.execution_time,
            sql=getattr(result.node, "compiled_code", None),
        )
        for result in getattr(outcome.result, "results", [])
        # a hook of the project is neither a table nor a test; it counts where it failed
        if result.node.resource_type != "operation" or str(result.status) != "success"
    ]
    if outcome.success:
        return Build(True, nodes)
    return Build(False, nodes, failures.reason(workspace.layout, nodes))


def results(layout: Layout) -> list[Node]:
    """What came of every node in the newest dbt command, as dbt wrote it down."""
    written = json.loads((layout.dbt_target / "run_results.json").read_bytes())
    return [
        Node(
            unique_id=result["unique_id"],
            status=result["status"],
            message=result["message"],
            failures=result["failures"],
            started_at=None,
            seconds=result["execution_time"],
            sql=result["compiled_code"],
        )
        for result in written["results"]
    ]
