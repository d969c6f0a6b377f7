"""One dbt command in this process.

Belongs here: dbt's command line, its runner, and reading the project before it is needed. Does not belong here: what a
build runs and what it proves (``pipelines.dbt.runner``).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.dbt.compiled import code_hash
from pipelines.dbt.environment import set_environment
from pipelines.workspace import Workspace

if TYPE_CHECKING:  # dbt takes 1.1 s to import, and most refreshes do not need it
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

WITHOUT_FILES = "--no-write-json"
"""dbt's option to write neither the manifest nor the results."""


@dataclass(frozen=True)
class ReadProject:
    """A project that dbt has read.

    Attributes:
        code: Hash of the code that was read.
        manifest: dbt's objects of the project; None if dbt could not read it.
    """

    code: str
    manifest: Manifest | None


def dbt_arguments(workspace: Workspace, command: str) -> list[str]:
    """Return the command line of a dbt command: absolute paths, with parse cache and logs in the warehouse."""
    project, target = str(workspace.dbt_project), str(workspace.layout.dbt_target)
    return [
        command,
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", target, "--log-path", target),
        *("--log-level-file", "info", "--threads", str(workspace.settings.dbt_threads)),
    ]


def read_ahead(workspace: Workspace, executor: Executor) -> Future[ReadProject]:
    """Let dbt be imported and read the project in another thread: a refresh waits for providers at first."""
    # not in the other thread: the environment must not lose a variable while requests looks for a proxy in it
    set_environment(workspace.layout, workspace.settings.memory_limit)
    return executor.submit(_read, workspace)


def _read(workspace: Workspace) -> ReadProject:
    code = code_hash(workspace.dbt_project)
    outcome = run(workspace, [*dbt_arguments(workspace, "parse"), WITHOUT_FILES])
    from dbt.contracts.graph.manifest import Manifest

    return ReadProject(code, outcome.result if isinstance(outcome.result, Manifest) else None)


def invoke(
    workspace: Workspace, arguments: list[str], progress: Callable[[str], None], manifest: Manifest | None = None
) -> tuple[bool, str | None]:
    """Run a dbt command. Return whether it passed, and an error if dbt could not run at all.

    Args:
        workspace: Paths and settings.
        arguments: The command line, see ``dbt_arguments``.
        progress: Called with a description of each node when it starts.
        manifest: The project as dbt has read it; without it, dbt reads it first.

    Raises:
        KeyboardInterrupt: The user interrupted dbt.
    """

    def report_start(event: Any) -> None:
        # not a documented name: tests/unit/test_dbt_events.py fails if it changes
        if event.info.name == "LogStartLine":
            progress(f"building {event.data.index} of {event.data.total}: {event.data.description}")

    outcome = run(workspace, arguments, report_start, manifest=manifest)
    if isinstance(outcome.exception, KeyboardInterrupt):  # dbt returns it as a result, without a text
        raise outcome.exception
    from dbt.artifacts.schemas.run import RunExecutionResult

    if WITHOUT_FILES in arguments and isinstance(outcome.result, RunExecutionResult):
        outcome.result.write(str(workspace.layout.dbt_target / "run_results.json"))
    error = f"dbt could not run: {outcome.exception}" if outcome.exception is not None else None
    return outcome.success, error


def run(
    workspace: Workspace, arguments: list[str], *callbacks: Any, manifest: Manifest | None = None
) -> dbtRunnerResult:
    """Run a dbt command without its lines on the terminal, and return dbt's own result."""
    set_environment(workspace.layout, workspace.settings.memory_limit)
    from dbt.cli.main import dbtRunner

    workspace.layout.dbt_target.mkdir(parents=True, exist_ok=True)
    return dbtRunner(manifest, list(callbacks)).invoke([*arguments, "--log-level", "none"])
