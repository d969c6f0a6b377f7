"""Goalposts recomputed from figures that are easy to check by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.seeds.goalposts import Cell, Fetch, apply, recompute
from sources.errors import ConfigurationError

HEADER = (
    "framework_id,indicator_id,transform,baseline_year,floor_value,floor_basis,target_value,target_basis,met_value,"
    "target_year,pace_target_value,pace_target_basis,source_title\n"
)
UP = (
    'f,up,none,2021,1,"2.5th percentile of 3 economies, values nearest to 2021 within 2 years (years used 2021)",9,'
    '"mean of the top five of 3 economies of at least one million people, nearest to 2021 (X)",9,2030,5,'
    "75th percentile of the 3 economies behind the floor,World Bank\n"
)
DOWN = (
    'f,down,none,2021,9,"97.5th percentile of 3 economies, values nearest to 2021 within 2 years (years used 2021)",2,'
    "policy target,2,2030,2,as the target,A document\n"
)
POLICY = "f,policy,none,2021,0,natural limit 0,100,policy target,99,2030,100,as the target,A document\n"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.csv"
    path.write_text(HEADER + UP + DOWN + POLICY, encoding="utf-8")
    return path


@pytest.fixture
def fetch() -> Iterator[Fetch]:
    """Return forty-one large economies with the values 0 to 40, a small one with 1000, and an aggregate with 2000."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table scoring_parameters as select 'baseline_window_years' as parameter, 2.0::double as value;
            create table indicators as
            select * from (values
                ('up', 'higher_is_better', false, 'linear'),
                ('down', 'lower_is_better', false, 'linear'),
                ('policy', 'higher_is_better', false, 'linear')
            ) as t (indicator_id, direction, edition_index, shape);
            create table economies as
            select format('E{:02d}', n::integer) as iso3, n < 42 as is_world_bank_economy from range(43) as t (n);
            create table observations as
            select iso3, 'population_total' as indicator_id, 2021 as year,
                   case when iso3 = 'E41' then 999999.0 else 1000000.0 end as value
            from economies
            union all
            select format('E{:02d}', n::integer), i, 2021,
                   (case when n = 41 then 1000 when n = 42 then 2000 else n end)::double
            from range(43) as t (n), (select unnest(['up', 'down', 'policy']) as i)
            """
        )

        def run(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
            return connection.execute(sql, parameters).fetchall()

        run.connection = connection  # type: ignore[attr-defined]
        yield run


def computed(seed: Path, fetch: Fetch) -> dict[tuple[str, str], str]:
    return {(cell.indicator_id, cell.column): cell.recomputed for cell in recompute(seed, fetch)}


def test_floor_target_and_pace_target_come_from_the_worlds_figures(seed: Path, fetch: Fetch) -> None:
    cells = computed(seed, fetch)
    # 42 values, 0 to 40 and 1000: the 2.5th percentile is at rank 1 + 41 * 0.025
    assert cells["up", "floor_value"] == "1.025"
    assert cells["up", "target_value"] == "38"
    assert cells["up", "met_value"] == "38"
    assert cells["up", "pace_target_value"] == "30.75"
    assert cells["up", "floor_basis"] == (
        "2.5th percentile of 42 economies, values nearest to 2021 within 2 years (years used 2021)"
    )
    assert "top five of 41 economies" in cells["up", "target_basis"]
    assert cells["up", "target_basis"].endswith("(E40 E39 E38 E37 E36)")


def test_if_lower_is_better_the_other_end_is_used(seed: Path, fetch: Fetch) -> None:
    cells = computed(seed, fetch)
    assert cells["down", "floor_value"] == "39.98"
    assert cells["down", "floor_basis"].startswith("97.5th percentile of 42 economies")


def test_policy_targets_and_natural_limits_are_never_recomputed(seed: Path, fetch: Fetch) -> None:
    columns = {key for key in computed(seed, fetch) if key[0] in {"down", "policy"}}
    assert columns == {("down", "floor_value"), ("down", "floor_basis")}


def test_the_value_nearest_to_the_baseline_year_counts_ties_to_the_earlier(seed: Path, fetch: Fetch) -> None:
    fetch.connection.execute(  # type: ignore[attr-defined]
        "update observations set year = 2020 where iso3 = 'E00' and indicator_id = 'up';"
        "insert into observations values"
        " ('E00', 'up', 2022, 500.0), ('E01', 'up', 2018, 500.0), ('E02', 'up', 2024, 500.0)"
    )
    cells = computed(seed, fetch)
    assert cells["up", "floor_value"] == "1.025"
    assert "years used 2020-2021" in cells["up", "floor_basis"]


def test_landed_vintages_are_used_instead_of_the_published_figures(seed: Path, fetch: Fetch, tmp_path: Path) -> None:
    old = tmp_path / "old.parquet"
    fetch.connection.execute(  # type: ignore[attr-defined]
        f"copy (select * replace (value / 2 as value) from observations where indicator_id = 'up') to '{old}'"
    )
    cells = {(cell.indicator_id, cell.column): cell.recomputed for cell in recompute(seed, fetch, [old])}
    assert cells["up", "floor_value"] == "0.5125"
    assert cells["down", "floor_value"] == "", "what has no vintage there has no goalpost"


def test_only_the_requested_cells_of_the_seed_change(seed: Path) -> None:
    before = seed.read_text(encoding="utf-8")
    apply(seed, [])
    assert seed.read_text(encoding="utf-8") == before
    apply(seed, [Cell("f", "down", "floor_value", "9", "40")])
    assert seed.read_text(encoding="utf-8") == before.replace("f,down,none,2021,9,", "f,down,none,2021,40,")


def test_a_goalpost_without_figures_is_not_changed(seed: Path, fetch: Fetch) -> None:
    fetch.connection.execute("delete from observations where indicator_id = 'up'")  # type: ignore[attr-defined]
    before = seed.read_bytes()
    with pytest.raises(ConfigurationError, match="no figures to compute"):
        apply(seed, recompute(seed, fetch))
    assert seed.read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "differs"),
    [
        (Cell("f", "i", "floor_value", "2.0", "2"), False),
        (Cell("f", "i", "floor_value", "2.0", "2.001"), True),
        (Cell("f", "i", "floor_value", "2", ""), True),
        (Cell("f", "i", "floor_basis", "a", "b"), True),
    ],
)
def test_numbers_are_compared_as_numbers(cell: Cell, differs: bool) -> None:
    assert cell.differs is differs
