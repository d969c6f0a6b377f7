"""Project rules that a reviewer would otherwise have to check."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipelines", "sources", "warehouse")
MODULE_LINES, FUNCTION_LINES = 350, 60


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


def _modules() -> list[tuple[str, str]]:
    """Return the path and the text of every module of the packages."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]


def test_every_class_name_is_defined_once() -> None:
    places: dict[str, list[str]] = {}
    for name, text in _modules():
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(name)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_modules_and_functions_are_short() -> None:
    long = []
    for name, text in _modules():
        if (lines := len(text.splitlines())) > MODULE_LINES:
            long.append(f"{name}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{name}: {node.name}: {lines} lines")
    assert not long


def test_every_module_states_what_belongs_in_it() -> None:
    silent = []
    for package in (*PACKAGES, "tests"):
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


def test_every_path_that_a_guide_names_exists() -> None:
    guides = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = re.compile(r"`((?:pipelines|sources|warehouse|dbt_project|tests|docs|deploy)/[\w./*-]+)`")
    made = re.compile(r"example|connected_households|^warehouse/data")  # by the steps of CONTRIBUTING.md or a refresh
    missing = [
        (guide.name, path)
        for guide in guides
        if guide.name != "changes.md"  # names what has moved since
        for path in named.findall(guide.read_text(encoding="utf-8"))
        if not made.search(path) and not any(ROOT.glob(path.rstrip("/")))
    ]
    assert missing == []


def test_every_column_is_described_and_a_text_of_two_columns_is_a_docs_block() -> None:
    described: dict[str, list[str]] = {}
    for path in sorted((ROOT / "dbt_project").glob("*/**/*.yml")):
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for table in (content.get("models") or []) + (content.get("seeds") or []):
            for column in table.get("columns") or []:
                text = column.get("description") or "no description"
                if "doc(" not in text and "generated" not in path.parts:
                    described.setdefault(text, []).append(f"{table['name']}.{column['name']}")
    assert "no description" not in described
    assert {text: columns for text, columns in described.items() if len(columns) > 1} == {}
