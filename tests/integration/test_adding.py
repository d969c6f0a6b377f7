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
RECOMPUTE = re.compile(r"`carec (benchmarks recompute --write [^`]+)`")
TESTS = (
    "tests/unit",
    "tests/contract/test_archive.py",
    "tests/contract/test_example.py",
    "tests/contract/test_live_checks.py",
    "tests/integration/test_claims.py",
    "tests/integration/test_for_analysts.py",
    "tests/integration/test_goalposts.py",
    "tests/integration/test_rank_bands.py",
    "tests/integration/test_statistical_audit.py",
    "tests/e2e/test_explain.py",
    "tests/e2e/test_readme.py",
)
"""Tests of code, of the new provider, and of all pages and figures that a new indicator changes. The others, which pass
too, would take the time of a whole `make test`."""

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
    skip_unit_tests(copy / "build" / "docs", copy)
    make_docs(copy)
    (recompute,) = RECOMPUTE.findall((copy / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    python(copy, "-m", "pipelines.cli", *recompute.split(), warehouse="build/docs")
    make_docs(copy)
    return copy


def make_docs(checkout: Path) -> None:
    """Run the commands of `make docs` in a checkout, without dbt's own pages."""
    (recipe,) = re.findall(
        r"^docs: \$\(STAMP\)\n((?:\t.*\n)+)", (checkout / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    programs = {"carec": ["-m", "pipelines.cli"], "python": []}
    for program, arguments in re.findall(r"^\t\$\(BIN\)/(carec|python) (.*)$", recipe, re.MULTILINE):
        python(checkout, *programs[program], *arguments.split(), warehouse="build/docs")


def python(checkout: Path, *arguments: str, warehouse: str = "warehouse/data") -> str:
    """Run Python in a checkout and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(checkout), "CAREC_WAREHOUSE": str(checkout / warehouse)}
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


def passes(checkout: Path, *selected: str) -> None:
    """Assert that the selected tests, without further cases, pass in a checkout."""
    options = ("-p", "no:cacheprovider", "--basetemp", str(checkout.parent / "inner"), "-m", "not exhaustive")
    assert re.search(r"\d+ passed", python(checkout, "-m", "pytest", *options, *selected))


def test_the_tests_pass_with_the_new_provider_and_indicator(checkout: Path) -> None:
    passes(checkout, "-n", "2", *TESTS)


def test_the_list_of_faults_runs_through_the_new_adapter(checkout: Path) -> None:
    passes(checkout, "-n", "0", "-k", "example", "tests/contract/test_conformance.py")


def test_a_refresh_scores_the_new_indicator(checkout: Path) -> None:
    with duckdb.connect(str(checkout / "build" / "docs" / "carec.duckdb"), read_only=True) as connection:
        scores = connection.execute(
            "select iso3, round(level_score, 1), status from indicator_scores"
            " where framework_id = 'carec_2030' and indicator_id = 'connected_households_pct'"
            " and iso3 in ('KAZ', 'UZB') order by iso3"
        ).fetchall()
    assert scores == [("KAZ", 76.2, "moderately_improving"), ("UZB", 21.7, "stagnating")]
