"""Which of dbt's tests a build runs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.dbt import runner
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from tests.running import AS_OF, ROOT

UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
SEED_TESTS = ["--exclude", "path:seeds,resource_type:test"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with its own copy of the dbt project."""
    project = shutil.copytree(ROOT / "dbt_project", tmp_path / "dbt_project")
    return replace(open_workspace(load_settings(warehouse=tmp_path / "data")), dbt_project=project)


def skipped(workspace: Workspace, reason: str | None = None, seed_tests: bool = False) -> list[str]:
    """Start and finish a build; return the part of its command line that leaves out tests."""
    started = runner.start_build(workspace, date.fromisoformat(AS_OF), "fingerprint", seed_tests)
    runner.finish_build(workspace, started, reason)
    return started.arguments[len(runner.dbt_arguments(workspace, "build")) :]


def test_tests_of_code_and_seeds_run_again_only_after_a_change_of_what_they_test(workspace: Workspace) -> None:
    assert skipped(workspace) == []
    assert skipped(workspace) == UNIT_TESTS + SEED_TESTS
    assert skipped(workspace, seed_tests=True) == UNIT_TESTS

    seed = workspace.dbt_project / "seeds" / "economies.csv"
    seed.write_text(seed.read_text(encoding="utf-8").replace("Kyrgyz Republic", "Kyrgyzstan"), encoding="utf-8")
    assert skipped(workspace) == UNIT_TESTS
    assert skipped(workspace) == UNIT_TESTS + SEED_TESTS

    (workspace.dbt_project / "macros" / "added.sql").write_text("{# another macro #}", encoding="utf-8")
    assert skipped(workspace) == []


def test_a_failed_build_proves_nothing_about_seeds_or_code(workspace: Workspace) -> None:
    assert skipped(workspace, reason="a test failed") == []
    assert skipped(workspace) == []
