"""The generated staging layer: complete, up to date, and checked against the catalogue."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from pipelines.dbt.staging import check_staging, write_staging
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from sources.observation import OBSERVATION
from tests.conftest import ROOT

GENERATED = Path("models") / "staging" / "generated"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the dbt project's seeds and staging that a test may change."""
    for part in ("seeds", GENERATED):
        shutil.copytree(ROOT / "dbt_project" / part, tmp_path / part)
    return tmp_path


def add_line(path: Path, line: str) -> int:
    """Append a line to a seed, and return its number."""
    lines = [*path.read_text(encoding="utf-8").splitlines(), line]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def test_the_committed_staging_matches_the_catalogue(project: Path) -> None:
    assert write_staging(load_catalogue(), project) == []
    committed = {path.name for path in (ROOT / "dbt_project" / GENERATED).iterdir()}
    shutil.rmtree(project / GENERATED)
    assert {path.name for path in write_staging(load_catalogue(), project)} == committed


def test_a_changed_file_is_the_only_one_written(project: Path) -> None:
    changed = project / GENERATED / "stg_p3.sql"
    before = changed.read_bytes()
    changed.write_text("select 1")
    assert write_staging(load_catalogue(), project) == [changed]
    assert changed.read_bytes() == before


def test_a_file_that_does_not_match_is_named_with_the_remedy_and_not_written(project: Path) -> None:
    check_staging(load_catalogue(), project)
    changed = project / GENERATED / "stg_p3.sql"
    changed.write_text("select 1")
    with pytest.raises(ConfigurationError, match=r"stg_p3\.sql: does not match .* run `make generate`"):
        check_staging(load_catalogue(), project)
    assert changed.read_text() == "select 1"


def test_the_columns_of_the_staging_equal_those_of_a_vintage() -> None:
    macro = (ROOT / "dbt_project" / "macros" / "landed.sql").read_text(encoding="utf-8")
    columns = re.findall(r"^    (\w+),?$", macro.split("select")[1], re.MULTILINE)
    assert sorted(columns) == sorted([*OBSERVATION, "vintage_at"])


def test_every_indicator_is_staged_exactly_once(project: Path) -> None:
    staged = [
        name
        for path in (project / GENERATED).glob("*.sql")
        for name in re.findall(r"^    '(\w+)',$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert sorted(staged) == sorted(load_catalogue().indicators)


@pytest.mark.parametrize(
    ("seed", "row"),
    [
        ("framework_indicators", "carec_2030,internet_usres_pct,p3,3a,1,direct"),
        ("benchmarks", "carec_2030,internet_usres_pct,none,2021,0,x,100,x,99,2030,100,x,x,x,found"),
    ],
)
def test_an_indicator_that_the_catalogue_lacks_is_reported_with_file_and_line(
    project: Path, seed: str, row: str
) -> None:
    path = project / "seeds" / f"{seed}.csv"
    line = add_line(path, row)
    with pytest.raises(ConfigurationError, match=rf"{seed}\.csv:{line}: internet_usres_pct: the catalogue has no such"):
        write_staging(load_catalogue(), project)


def test_an_unknown_pillar_is_reported_with_file_and_line(project: Path) -> None:
    line = add_line(project / "seeds" / "framework_indicators.csv", "carec_2030,egdi_rank,p6,6a,1,direct")
    with pytest.raises(
        ConfigurationError, match=rf"framework_indicators\.csv:{line}: egdi_rank: there is no pillar 'p6'"
    ):
        write_staging(load_catalogue(), project)


def test_a_missing_seed_is_named(project: Path) -> None:
    (project / "seeds" / "benchmarks.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"benchmarks\.csv: cannot be read"):
        write_staging(load_catalogue(), project)
