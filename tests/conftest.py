"""Fixtures that every kind of test uses: the reference data, a published warehouse, the command line as a process."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# The same examples in every run: a failure is then a change of ours. HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# pytest-xdist tells its processes the width of the terminal; what they start writes to pipes, which have none
os.environ.pop("COLUMNS", None)

ROOT = Path(__file__).resolve().parents[1]
AS_OF = "2026-11-27"
"""The day that tests score: figures and staleness then do not move with the calendar."""
GOALPOSTS_OF = "2026-11-23"
"""The day whose archived vintages the seed ``benchmarks`` was computed from: a newer archive moves no goalpost."""

Carec = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def reference() -> Path:
    """Providers' real data beside the checkout; tests that read it skip where it is absent."""
    path = ROOT.parent / "shared" / "reference"
    if not path.is_dir():
        pytest.skip("the providers' reference data are not beside this checkout")
    return path


READERS = (
    *("archive", "benchmarks", "briefs", "claims", "diff", "dictionary", "doctor", "explain", "export", "indicators"),
    *("queries", "query", "raw", "report", "scorecard", "sources"),
)
"""Commands that build nothing: they run in this process, which saves the imports of a new one."""


def run_carec(
    *arguments: str, warehouse: Path, root: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``carec`` offline and return its exit code and output.

    A reader runs through the entry point in this process. A refresh, a command of another checkout and a command with
    a setting of Python or the system get a process of their own.

    Args:
        arguments: The command line after ``carec``.
        warehouse: Value of CAREC_WAREHOUSE.
        root: The checkout whose code runs.
        environment: Further variables; an empty value removes the variable.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    env |= {"CAREC_WAREHOUSE": str(warehouse), "CAREC_OFFLINE": "1", "PYTHONPATH": str(root), "NO_COLOR": "1"}
    env = {k: v for k, v in (env | environment).items() if v != ""}
    ours = all(name.startswith("CAREC_") or name in ("NO_COLOR", "COLUMNS") for name in environment)
    if root == ROOT and ours and arguments[0] in READERS:
        return _in_process(arguments, env)
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=root,
        env=env,
        timeout=300,
        check=False,
    )


def _in_process(arguments: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
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
    """What was written to the stream, its line ends as ``subprocess`` with ``text=True`` gives them."""
    stream.flush()
    return stream.detach().getvalue().decode().replace("\r\n", "\n")  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def published_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse published from the bundled archive, one for all processes of this run of the tests.

    Read only: take ``warehouse`` to change one.
    """
    workers = "PYTEST_XDIST_WORKER" in os.environ
    folder = (tmp_path_factory.getbasetemp().parent if workers else tmp_path_factory.getbasetemp()) / "published"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "carec.duckdb").exists():
            done = run_carec("refresh", "--as-of", AS_OF, warehouse=folder)
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def warehouse(published_warehouse: Path, tmp_path: Path) -> Path:
    """A copy of the published warehouse that a test may change."""
    return Path(shutil.copytree(published_warehouse, tmp_path / "warehouse"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project's files that a test may break."""
    target = tmp_path / "checkout"
    for part in ("pipelines", "sources", "dbt_project"):
        shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    (target / "warehouse").mkdir()
    for file in (ROOT / "warehouse").glob("*.py"):
        shutil.copy(file, target / "warehouse")
    return target
