"""Project rules that a reviewer would otherwise have to check."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "sources": {"pipelines", "warehouse", "dagster", "dagster_dbt", "dbt", "duckdb"},
    "warehouse": {"pipelines", "sources", "dagster", "dagster_dbt", "dbt", "requests"},
}


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_have_one_direction(package: str) -> None:
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            wrong += [f"{path.name}: {n}" for n in names if n.split(".")[0] in FORBIDDEN[package]]
    assert not wrong


def test_every_module_states_what_belongs_in_it() -> None:
    silent = []
    for package in ("pipelines", "sources", "warehouse", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if text.strip() and not ast.get_docstring(ast.parse(text)):
                silent.append(str(path.relative_to(ROOT)))
    assert not silent


def test_the_lock_and_the_project_name_no_package_index() -> None:
    address = re.compile(r"index-url|--find-links|registry *= *\"|\.(whl|tar\.gz)\b")
    for name in ("requirements.lock", ".ci/installer.lock", "pyproject.toml"):
        assert not address.search((ROOT / name).read_text(encoding="utf-8")), name


def test_no_file_is_large_or_a_database() -> None:
    for path in _tracked():
        assert path.stat().st_size < 1_500_000, path
        assert path.suffix not in {".duckdb", ".parquet", ".xlsx"}, path
