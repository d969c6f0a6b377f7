"""Fixtures that every kind of test uses: the reference data, a published warehouse, the command line as a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
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


def run_carec(
    *arguments: str, warehouse: Path, root: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``carec`` as a process of its own, offline unless told otherwise."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CAREC_", "DAGSTER_", "DBT_"))}
    env = {
        **inherited,
        "CAREC_WAREHOUSE": str(warehouse),
        "CAREC_OFFLINE": "1",
        "PYTHONPATH": str(root),
        "NO_COLOR": "1",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=root,
        env={k: v for k, v in env.items() if v != ""},
        timeout=300,
        check=False,
    )


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
