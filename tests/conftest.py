"""Fixtures of all kinds of tests: the reference data, and copies of a warehouse and of the checkout."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from pipelines.cli import collect_garbage_seldom
from tests.running import AS_OF, GOALPOSTS_OF, ROOT, run_carec, set_today
from tests.templates import (
    altered_seeds,
    copy_checkout,
    copy_warehouse,
    failed_refresh,
    live_refresh,
    published_warehouse,
    review_day,
    second_live_refresh,
)

__all__ = [
    "AS_OF",
    "GOALPOSTS_OF",
    "ROOT",
    "altered_seeds",
    "failed_refresh",
    "live_refresh",
    "published_warehouse",
    "review_day",
    "run_carec",
    "second_live_refresh",
]

# The same examples in every run, so that only a change of the code can fail. HYPOTHESIS_PROFILE=explore finds new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("exhaustive", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# pytest-xdist sets the width of the terminal for its processes; their child processes write to pipes without a width
os.environ.pop("COLUMNS", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--today", metavar="YYYY-MM-DD", help="run in-process code with its clock at this day")
    parser.addoption("--changes", type=int, default=5, help="changes of the random sequence (test_random_changes)")


def pytest_configure(config: pytest.Config) -> None:
    # a quarter of the collection is the search for garbage among tests and modules, which all stay
    gc.disable()
    # no test needs its files after a failure of the machine, and a process waits for the disk at each of them
    os.fsync = lambda descriptor: None
    if today := config.getoption("--today"):
        set_today(today)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two processes more than cores: browsers, servers and templates let two of four wait for minutes."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the file first that makes the templates for which most files wait; contract tests run meanwhile."""
    items.sort(key=lambda item: item.path.name != "test_claims.py")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Search for garbage again, as the command line does and from now on without what was collected."""
    gc.freeze()
    gc.enable()
    collect_garbage_seldom()


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder with real data of providers, next to the checkout. Tests that need it skip if it is missing."""
    path = ROOT.parent / "shared" / "reference"
    if not path.is_dir():
        pytest.skip("the providers' reference data are not next to this checkout")
    return path


@pytest.fixture
def warehouse(published_warehouse: Path, tmp_path: Path) -> Path:
    """Return a copy of the published warehouse that a test may change."""
    return copy_warehouse(published_warehouse, tmp_path / "warehouse")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the project's files that a test may break."""
    return copy_checkout(tmp_path / "checkout")
