"""A provider and a scored indicator are added to a copy of the checkout by the steps of ``CONTRIBUTING.md``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.running import skip_unit_tests

STEP = re.compile(r"(Append to|Create)\s+`([^`]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)
TESTS = ("tests/unit", "tests/contract/test_example.py", "tests/contract/test_conformance.py")

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the files under version control, after the steps of the guide."""
    copy = tmp_path_factory.mktemp("checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    for action, name, block in STEP.findall((copy / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        path = copy / name
        assert path.exists() == (action == "Append to"), name
        with path.open("a", encoding="utf-8") as handle:
            handle.write(block)
    python(copy, "-m", "pipelines.dbt.staging")  # make generate
    return copy


def python(checkout: Path, *arguments: str) -> str:
    """Run Python in a checkout and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "CAREC_WAREHOUSE": str(checkout / "warehouse" / "data")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    return done.stdout


def test_the_guide_has_every_file_of_the_example() -> None:
    steps = [name for _, name, _ in STEP.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))]
    assert steps == [
        "sources/catalog/providers.yml",
        "sources/providers/example.py",
        "tests/contract/payloads/example.py",
        "tests/contract/test_example.py",
        "sources/catalog/indicators.yml",
        "dbt_project/seeds/framework_indicators.csv",
        "dbt_project/seeds/benchmarks.csv",
        "sources/archive/connected_households_pct.csv",
        "sources/archive/series.yml",
    ]


def test_the_unit_and_contract_tests_pass_with_the_new_provider_and_indicator(checkout: Path) -> None:
    selected = ["-p", "no:cacheprovider", "-n", "0", "-m", "not exhaustive", "-k", "unit or example", *TESTS]
    summary = python(checkout, "-m", "pytest", *selected).splitlines()[-1]
    assert re.search(r"\d+ passed", summary)


def test_a_refresh_scores_the_new_indicator(checkout: Path) -> None:
    skip_unit_tests(checkout / "warehouse" / "data", checkout)
    python(checkout, "-m", "pipelines.cli", "refresh", "--offline", "--as-of", "2026-11-27")
    with duckdb.connect(str(checkout / "warehouse" / "data" / "carec.duckdb"), read_only=True) as connection:
        scores = connection.execute(
            "select iso3, round(level_score, 1), status from indicator_scores"
            " where framework_id = 'carec_2030' and indicator_id = 'connected_households_pct'"
            " and level_score is not null"
            " order by iso3"
        ).fetchall()
    assert scores == [("KAZ", 76.3, "moderately_improving"), ("UZB", 22.2, "stagnating")]
    for command in ("dictionary", "queries", "claims"):  # make docs
        python(checkout, "-m", "pipelines.cli", command, "--write-docs", f"docs/{command}.md")
