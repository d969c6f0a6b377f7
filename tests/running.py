"""Running the command line in tests, and the constants that all tests share."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from pipelines.dbt.compiled import code_hash
from warehouse.layout import Layout

ROOT = Path(__file__).resolve().parents[1]
AS_OF = "2026-11-27"
"""The as-of date of the tests: figures and staleness do not depend on the calendar."""
GOALPOSTS_OF = "2026-11-23"
"""The seed ``benchmarks`` was computed from the archived vintages of this day: a newer archive changes no goalpost."""


def further(*cases: object) -> list[Any]:
    """Mark parameters as exhaustive that repeat a promise: ``[first, *further(others)]``."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.exhaustive) for case in cases
    ]


def clock(today: str = AS_OF) -> Callable[[], datetime]:
    """Return a replacement for ``utc_now`` that starts at noon of the given day and continues."""
    noon, started = datetime.fromisoformat(f"{today}T12:00"), time.monotonic()
    return lambda: noon + timedelta(seconds=time.monotonic() - started)


def set_today(today: str) -> None:
    """Start every ``utc_now`` of this process at noon of the given day, until the process ends."""
    from sources import observation

    now = clock(today)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return now().replace(tzinfo=tz)

    observation.datetime = Clock  # type: ignore[attr-defined]


READERS = (
    *(
        "archive",
        "benchmarks",
        "briefs",
        "claims",
        "compare",
        "diff",
        "dictionary",
        "doctor",
        "explain",
        "export",
        "indicators",
    ),
    *("publications", "queries", "query", "raw", "report", "score", "scorecard", "sources", "what-if"),
)
"""Commands without a build. They run in this process, which saves the imports of a new one."""


def skip_unit_tests(warehouse: Path, root: Path = ROOT) -> None:
    """Mark the code of a checkout as one that passed dbt's unit tests in this warehouse.

    They check code, so that only the build of ``published_warehouse`` runs them.
    """
    code = code_hash(root / "dbt_project", root / "pipelines")
    with suppress(OSError):  # for tests of folders that cannot be written to
        marker = Layout(warehouse).dbt_target / "unit_tests.sha256"
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(code)


def refresh_program(recorded: bool = False, tested: bool = True) -> list[str]:
    """Return the program and first arguments of a refresh in a process of its own; ``tests.carec_program`` has more."""
    way = "recorded" if recorded else "unrecorded" if tested else "untested"
    return [sys.executable, "-P", str(ROOT / "tests" / "carec_program.py"), way]


def run_carec(
    *arguments: str,
    warehouse: Path,
    root: Path = ROOT,
    unit_tests: bool = False,
    recorded: bool = False,
    tested: bool = True,
    mistake: bool = False,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run ``carec`` offline and return its exit code and output.

    A reading command, and one that ends at a mistake, runs through the entry point in this process. A refresh, a
    command of another checkout and a command with a setting of Python or the system run in a separate process; PATH
    is read when a program is looked for.

    Args:
        arguments: The command line after ``carec``.
        warehouse: Value of CAREC_WAREHOUSE.
        root: The checkout with the code to run.
        unit_tests: Whether a build runs dbt's unit tests.
        recorded: Whether a refresh is recorded for Dagster's pages.
        tested: Whether the build of a refresh that is not recorded runs data tests.
        mistake: Whether the command must end before it builds or serves anything.
        environment: Further variables; an empty value removes the variable.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    env |= {"CAREC_WAREHOUSE": str(warehouse), "CAREC_OFFLINE": "1", "PYTHONPATH": str(root), "NO_COLOR": "1"}
    if arguments[0] == "refresh" and not (unit_tests or mistake):
        skip_unit_tests(warehouse, root)
    env = {k: v for k, v in (env | environment).items() if v != ""}
    ours = all(name.startswith("CAREC_") or name in ("NO_COLOR", "COLUMNS", "PATH") for name in environment)
    if root == ROOT and ours and (mistake or arguments[0] in (*READERS, "--version")):
        return run_in_process(arguments, env)
    program = (
        refresh_program(recorded, tested) if arguments[0] == "refresh" else [sys.executable, "-m", "pipelines.cli"]
    )
    return subprocess.run(
        [*program, *arguments],
        capture_output=True,
        text=True,
        cwd=root,
        env=env,
        timeout=1800,  # only a limit for hanging processes; a machine may be busy
        check=False,
    )


def run_in_process(arguments: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``carec`` with these arguments in this process, with exactly this environment."""
    from pipelines.cli import main

    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(ROOT)
        patch.setattr(sys, "argv", ["carec", *arguments])
        try:
            main()
        except SystemExit as left:
            code = left.code
        except Exception:
            traceback.print_exc()
            code = 1
    return subprocess.CompletedProcess(
        arguments, code if isinstance(code, int) else int(code is not None), _written(stdout), _written(stderr)
    )


def _written(stream: io.TextIOWrapper) -> str:
    """Return the text of the stream, with the line ends of ``subprocess`` with ``text=True``."""
    stream.flush()
    return stream.detach().getvalue().decode().replace("\r\n", "\n")  # type: ignore[attr-defined]
