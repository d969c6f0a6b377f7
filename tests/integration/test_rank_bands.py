"""Rank bands on real figures: compared with NumPy (``tests/reference_ranks.py``), and their properties.

The tables come from the build file of a published warehouse. If a test changes an input, the compiled SQL of the models
runs again on a copy.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipelines.dbt.functions import register
from tests.conftest import ROOT
from tests.reference_ranks import (
    NOTHING,
    Composite,
    Floats,
    exchanged,
    levels_on,
    rank_share,
    ranks,
    scores,
    sobol,
    weight_sets,
)
from tests.reference_scoring import read_seed
from tests.running import further

SEEDS = ROOT / "dbt_project" / "seeds"
FRAMEWORKS = ["carec_2030", "un_egdi"]
ENGINE = ["int_subtheme_scores", "int_pillar_scores", "int_overall_scores"]
SCENARIOS = [
    "int_scenario_aggregations",
    "int_scenario_values",
    "int_scenario_weights",
    "int_scenarios",
    "int_scenario_ranks",
]
MARTS = ["rank_scenarios", "rank_probabilities", "rank_sensitivity", "scorecard"]
BANDS = MARTS[:3]
ASSUMPTIONS = {
    name: axis
    for axis, name in enumerate(
        ("origin", "aggregation", "normalisation", "goalposts", "transform", "weights", "leave_out")
    )
}
"""Assumption -> its axis in ``Grid.ranks``."""


@dataclass(frozen=True)
class Build:
    """A copy of dbt's file, its tables by name, and the compiled SQL that makes them."""

    connection: duckdb.DuckDBPyConnection
    compiled: dict[str, str]

    def rows(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()

    def change(self, sql: str, *models: str) -> None:
        """Change an input, then run the given models again. The default is all scenarios and their marts."""
        self.connection.execute(sql)
        for model in models or [*SCENARIOS, *BANDS]:
            schema = "main" if model in MARTS else "intermediate"
            self.connection.execute(f"create or replace table {schema}.{model} as {self.compiled[model]}")


@pytest.fixture(scope="module")
def built(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Read only: take ``build`` to change a table."""
    yield from _opened(published_warehouse, tmp_path_factory.mktemp("ranks"))


@pytest.fixture
def build(published_warehouse: Path, tmp_path: Path) -> Iterator[Build]:
    yield from _opened(published_warehouse, tmp_path)


def _opened(warehouse: Path, folder: Path) -> Iterator[Build]:
    models = (warehouse / "dbt" / "compiled").glob("*/models/*/*.sql")
    compiled = {path.stem: path.read_text(encoding="utf-8") for path in models}
    file = shutil.copy(warehouse / "build.duckdb", folder / "build.duckdb")
    with duckdb.connect(str(file)) as connection:
        connection.execute("set search_path = 'main,intermediate'")
        register(connection)
        yield Build(connection, compiled)


def assumptions(framework: str) -> tuple[int, float]:
    """Return the number of random weight sets and their spread, from the seed."""
    [row] = [row for row in read_seed(SEEDS, "scenario_assumptions") if row["framework_id"] == framework]
    return int(row["weight_sets"]), float(row["weight_spread"])


@dataclass(frozen=True)
class Grid:
    """Scores and ranks of m members. Axes: those of ``ASSUMPTIONS``, then the member."""

    composite: Composite
    members: list[str]
    goalposts: list[str]
    transforms: list[str]
    left_out: list[str]
    scores: np.ndarray
    ranks: np.ndarray


def other_figures(build: Build, economies: list[str], indicators: list[str]) -> Floats:
    """Return the (economies, indicators) figures of the other origin, with NaN where it has no usable one."""
    values = np.full((len(economies), len(indicators)), np.nan)
    ages = dict(build.rows("select indicator_id, max_age_years from indicators"))
    [(as_of_year,)] = build.rows("select distinct as_of_year from int_members")
    for pair in read_seed(SEEDS, "origin_pairs"):
        declared = pair["indicator_id"]
        if declared not in indicators:
            continue
        newest: dict[str, tuple[int, float]] = {}
        for iso3, year, value in build.rows(
            f"select iso3, year, value from observations where indicator_id = '{pair['other_indicator_id']}'"
        ):
            if year <= as_of_year:
                newest[iso3] = max(newest.get(iso3, (0, 0.0)), (year, value))
        for iso3, (year, value) in newest.items():
            if iso3 in economies and as_of_year - year <= ages[declared]:
                values[economies.index(iso3), indicators.index(declared)] = value
    return values


def goalposts_of(framework: str, indicators: list[str]) -> tuple[dict[str, tuple[Floats, Floats]], np.ndarray]:
    """Return name -> floors and targets of the indicators, and whether an indicator is declared on logarithms."""
    declared = {r["indicator_id"]: r for r in read_seed(SEEDS, "benchmarks") if r["framework_id"] == framework}
    variants = [r for r in read_seed(SEEDS, "goalpost_variants") if r["framework_id"] == framework]
    found = {}
    for name in ["declared", *sorted({row["goalposts"] for row in variants})]:
        rows = declared | {row["indicator_id"]: row for row in variants if row["goalposts"] == name}
        floor, target = (
            np.array([float(rows[i][column]) for i in indicators]) for column in ("floor_value", "target_value")
        )
        found[name] = (floor, target)
    return found, np.array([declared[i]["transform"] == "log" for i in indicators])


def second_time(build: Build, framework: str) -> Grid:
    """Compute all scenarios of a framework in NumPy, from only latest values and seeds."""
    pillars = [row for row in read_seed(SEEDS, "pillars") if row["framework_id"] == framework]
    pillars = [row for row in pillars if row["in_overall"] == "true"]
    pillar_ids = [row["pillar_id"] for row in pillars]
    subthemes = [
        row
        for row in read_seed(SEEDS, "subthemes")
        if row["framework_id"] == framework and row["pillar_id"] in pillar_ids and row["register_only"] == "false"
    ]
    subtheme_ids = [row["subtheme_id"] for row in subthemes]
    cells = build.rows(
        f"""
        select
            scores.iso3, indicator_id,
            case when shape = 'parity' then least(latest_value, 1 / latest_value) else latest_value end as judged
        from int_levels as scores
        inner join int_members as members using (framework_id, as_of_year)
        inner join indicators using (indicator_id)
        where framework_id = '{framework}' and level_score is not null
        group by all
        """
    )
    ranked = [
        iso3
        for (iso3,) in build.rows(
            f"select iso3 from scorecard where framework_id = '{framework}' and overall_score is not null order by 1"
        )
    ]
    places = {
        row["indicator_id"]: row
        for row in read_seed(SEEDS, "framework_indicators")
        if row["framework_id"] == framework and row["subtheme_id"] in subtheme_ids
    }
    indicators = sorted({i for iso3, i, _ in cells if i in places and iso3 in ranked})
    economies = ranked + sorted({iso3 for iso3, *_ in cells} - set(ranked))
    lower = {i for (i,) in build.rows("select indicator_id from indicators where direction = 'lower_is_better'")}
    sign = np.array([-1.0 if i in lower else 1.0 for i in indicators])
    figures = np.full((len(economies), len(indicators)), np.nan)
    for iso3, indicator, value in cells:
        if indicator in indicators:
            figures[economies.index(iso3), indicators.index(indicator)] = value
    others = other_figures(build, economies, indicators)
    by_origin = {"declared": figures}
    if not np.isnan(figures + others)[: len(ranked)].all():
        by_origin["other"] = exchanged(figures, others)
    goalposts, is_log = goalposts_of(framework, indicators)
    transforms = ["declared", "none"] if is_log.any() else ["declared"]
    m = len(ranked)
    composite = Composite(
        framework_id=framework,
        indicators=indicators,
        weights=np.array([float(places[i]["weight"]) for i in indicators]),
        subtheme=np.array([subtheme_ids.index(places[i]["subtheme_id"]) for i in indicators]),
        subthemes=subtheme_ids,
        subtheme_weights=np.array([float(row["weight"]) for row in subthemes]),
        pillar=np.array([pillar_ids.index(row["pillar_id"]) for row in subthemes]),
        pillars=pillar_ids,
        pillar_weights=np.array([float(row.get("weight") or 1) for row in pillars]),
        values={
            (origin, normalisation, name, transform): (
                levels_on(own[:m], *ends, is_log & (transform == "declared"))
                if normalisation == "goalposts"
                else rank_share(own * sign)[:m]
            )
            for origin, own in by_origin.items()
            for normalisation in ("goalposts", "rank_share")
            for name, ends in goalposts.items()
            for transform in transforms
        },
    )
    found = scores(composite, *assumptions(framework))
    shape = (len(by_origin), 2, len(goalposts), len(transforms))
    stacked = np.array([[found[one, key] for key in composite.values] for one in ("declared", "geometric")])
    stacked = np.moveaxis(stacked.reshape(2, *shape, *stacked.shape[2:]), 0, 1)
    return Grid(composite, ranked, list(goalposts), transforms, [NOTHING, *indicators], stacked, ranks(stacked))


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def grid(built: Build, framework: str) -> Grid:
    return second_time(built, framework)


def test_every_scenario_equals_the_second_implementation(built: Build, framework: str, grid: Grid) -> None:
    published = built.rows(
        f"""
        select origin, aggregation, normalisation, goalposts, transform, weight_set, left_out, iso3, score, rank
        from int_scenario_ranks inner join int_scenarios using (framework_id, scenario)
        where framework_id = '{framework}'
        """
    )
    score, rank = np.full(grid.scores.shape, np.nan), np.zeros(grid.ranks.shape, dtype=int)
    for origin, aggregation, normalisation, goalposts, transform, weight_set, left_out, iso3, *result in published:
        at = (
            ["declared", "other"].index(origin),
            ["declared", "geometric"].index(aggregation),
            ["goalposts", "rank_share"].index(normalisation),
            grid.goalposts.index(goalposts),
            grid.transforms.index(transform),
            weight_set,
            grid.left_out.index(left_out),
            grid.members.index(iso3),
        )
        score[at], rank[at] = result
    assert len(published) == score.size
    np.testing.assert_allclose(score, grid.scores, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(rank, grid.ranks)


def test_both_figures_of_a_quantity_follow_from_the_observations(built: Build) -> None:
    [(as_of_year,)] = built.rows("select distinct as_of_year from int_members where framework_id = 'carec_2030'")
    figures: dict[tuple[str, str], dict[int, float]] = {}
    for indicator, iso3, year, value in built.rows("select indicator_id, iso3, year, value from observations"):
        if year <= as_of_year:
            figures.setdefault((indicator, iso3), {})[year] = value
    published = built.rows(
        "select indicator_id, other_indicator_id, iso3, declared_year, declared_value, other_year, other_value, "
        "common_year, difference, is_exchanged, reason, declared_level_score, other_level_score from second_origins"
    )
    assert len({(indicator, iso3) for indicator, _, iso3, *_ in published}) == len(published) > 20
    for indicator, other_id, iso3, *newest, common_year, difference, is_exchanged, reason, level, other in published:
        own, others = figures.get((indicator, iso3), {}), figures.get((other_id, iso3), {})
        expected = [max(one.items(), default=(None, None)) for one in (own, others)]
        assert newest == [*expected[0], *expected[1]]
        assert common_year == max(own.keys() & others.keys(), default=None)
        assert difference == (others[common_year] - own[common_year] if common_year else None)
        assert is_exchanged == (level is not None and other is not None)
        assert is_exchanged or reason in ("only_declared", "only_other", "neither")
    reasons = {reason for *_, reason, _, _ in published}
    assert reasons >= {None, "no_common_year", "only_declared", "only_other", "neither"}


def test_the_other_origin_moves_bands_and_no_published_score(build: Build) -> None:
    scores, bands = (
        "select * exclude (rank_p05, rank_median, rank_p95, share_top3, tied_with) from scorecard",
        "from rank_scenarios",
    )
    before = [build.rows(f"{table} order by all") for table in (scores, bands)]
    engine = ["int_measured", "int_points", "int_cells", "int_levels", "int_slopes", "int_indicator_scores", *ENGINE]
    build.change(
        "update observations set value = value / 2 where indicator_id in (select other_indicator_id from origin_pairs)",
        *(*engine, "int_second_origins", *SCENARIOS, "rank_scenarios", "rank_probabilities", "scorecard"),
    )
    assert build.rows(f"{scores} order by all") == before[0]
    assert build.rows(f"{bands} order by all") != before[1]


def test_scenario_0_is_the_scorecard_as_published(built: Build, framework: str) -> None:
    pairs = built.rows(
        f"""
        select overall_score, score, scorecard.rank, ranks.rank
        from scorecard
        left join int_scenario_ranks as ranks
            on scorecard.framework_id = ranks.framework_id and scorecard.iso3 = ranks.iso3 and scenario = 0
        where scorecard.framework_id = '{framework}' and overall_score is not null
        """
    )
    assert pairs
    for overall, score, published, rank in pairs:
        assert score == pytest.approx(overall, rel=0, abs=1e-9)
        assert rank == published


def test_the_main_framework_has_at_least_a_thousand_scenarios(built: Build) -> None:
    [(scenarios,)] = built.rows("select count(*) from int_scenarios where framework_id = 'carec_2030'")
    assert scenarios >= 1000


def test_bands_are_the_percentiles_of_the_ranks_and_are_on_the_scorecard(
    built: Build, framework: str, grid: Grid
) -> None:
    flat = grid.ranks.reshape(-1, len(grid.members))
    p05, median, p95 = np.quantile(flat, [0.05, 0.5, 0.95], axis=0)
    bands = {
        iso3: tuple(values)
        for iso3, *values in built.rows(
            "select iso3, rank, rank_p05, rank_median, rank_p95, rank_mean, share_top3, scenarios "
            f"from rank_scenarios where framework_id = '{framework}' and scenarios > 0"
        )
    }
    assert bands == {
        iso3: pytest.approx(
            (flat[0, m], p05[m], median[m], p95[m], flat[:, m].mean(), (flat[:, m] <= 3).mean(), len(flat)), abs=1e-9
        )
        for m, iso3 in enumerate(grid.members)
    }
    columns = "iso3, rank_p05, rank_median, rank_p95, share_top3"
    where = f"where framework_id = '{framework}' order by iso3"
    assert built.rows(f"select {columns} from scorecard {where}") == built.rows(
        f"select {columns} from rank_scenarios {where}"
    )


def test_a_member_without_an_overall_score_has_no_band_and_is_in_no_pair(built: Build) -> None:
    without = [
        iso3
        for (iso3,) in built.rows(
            "select iso3 from scorecard where framework_id = 'carec_2030' and overall_score is null"
        )
    ]
    assert without
    for iso3 in without:
        assert built.rows(f"select * from rank_scenarios where framework_id = 'carec_2030' and iso3 = '{iso3}'") == [
            ("carec_2030", iso3, None, None, None, None, None, None, 0)
        ]
        pairs = built.rows(
            "select probability from rank_probabilities "
            f"where framework_id = 'carec_2030' and '{iso3}' in (iso3_a, iso3_b)"
        )
        assert pairs and set(pairs) == {(None,)}


def test_probabilities_are_shares_of_scenarios_and_both_orders_add_up_to_one(
    built: Build, framework: str, grid: Grid
) -> None:
    flat = grid.ranks.reshape(-1, len(grid.members))
    above = (flat[:, :, None] < flat[:, None, :]).mean(axis=0) + (flat[:, :, None] == flat[:, None, :]).mean(axis=0) / 2
    published = {
        (a, b): probability
        for a, b, probability in built.rows(
            "select iso3_a, iso3_b, probability from rank_probabilities "
            f"where framework_id = '{framework}' and probability is not null"
        )
    }
    assert len(published) == len(grid.members) * (len(grid.members) - 1)
    for (a, b), probability in published.items():
        assert probability == pytest.approx(above[grid.members.index(a), grid.members.index(b)], abs=1e-12)
        assert probability + published[b, a] == pytest.approx(1, abs=1e-12)


def test_the_members_whose_order_is_uncertain_are_tied_on_the_scorecard(
    built: Build, framework: str, grid: Grid
) -> None:
    flat = grid.ranks.reshape(-1, len(grid.members))
    ahead = np.array([np.sum(np.sign(flat - flat[:, [m]]) + 1, axis=0) / 2 for m in range(len(grid.members))])
    base = flat[0]
    holds = np.where(base[:, None] < base[None, :], ahead, np.where(base[:, None] > base[None, :], ahead.T, 0))
    expected = {}
    for own, iso3 in enumerate(grid.members):
        tied = [o for o in range(len(base)) if o != own and holds[own, o] < 0.9 * len(flat)]
        names = [grid.members[o] for o in sorted(tied, key=lambda o: (base[o], grid.members[o]))]
        expected[iso3] = ", ".join(names) or None
    published = f"select iso3, tied_with from scorecard where framework_id = '{framework}' and rank is not null"
    assert dict(built.rows(published)) == expected
    assert any(expected.values())
    [(others,)] = built.rows("select count(tied_with) from scorecard where rank is null")
    assert others == 0


def test_sensitivities_are_sobols_first_order_and_total_indices(built: Build, framework: str, grid: Grid) -> None:
    base = grid.ranks[(0,) * len(ASSUMPTIONS)]
    published = {
        assumption: values
        for assumption, *values in built.rows(
            "select assumption, alternatives, first_order_share, total_order_share, max_rank_shift, scenarios, reason "
            f"from rank_sensitivity where framework_id = '{framework}'"
        )
    }
    assert published.keys() == ASSUMPTIONS.keys()
    for assumption, axis in ASSUMPTIONS.items():
        alone = grid.ranks[tuple(slice(None) if other == axis else 0 for other in ASSUMPTIONS.values())]
        alternatives, first, total, shift, scenarios, reason = published[assumption]
        assert alternatives == grid.ranks.shape[axis]
        assert (first, total) == pytest.approx(sobol(grid.ranks, axis), abs=1e-12)
        assert shift == abs(alone - base).max()
        assert scenarios == grid.ranks[..., 0].size
        assert (reason is None) == (alternatives > 1)


def test_the_table_says_what_each_assumption_varies(built: Build) -> None:
    varied = dict(built.rows("select assumption, varied from rank_sensitivity where framework_id = 'carec_2030'"))
    assert "declared, percentile, top_five" in varied["goalposts"]
    assert re.search(r"one of \d+$", varied["leave_out"])
    assert "9 random sets" in varied["weights"] and "pillar is multiplied by 0.75 to 1.25" in varied["weights"]
    other = dict(built.rows("select assumption, varied from rank_sensitivity where framework_id = 'un_egdi'"))
    assert other["goalposts"] == other["transform"] == other["origin"] != other["weights"]


def test_an_assumption_with_identical_alternatives_explains_no_variance(build: Build) -> None:
    weights = (
        "select alternatives, first_order_share, total_order_share, max_rank_shift from rank_sensitivity "
        "where framework_id = 'carec_2030' and assumption = 'weights'"
    )
    [(sets, share, total, _)] = build.rows(weights)
    assert sets > 2 and 0 < share < total
    build.change("update scenario_assumptions set weight_spread = 0")
    assert build.rows(weights) == [(sets, 0.0, 0.0, 0)]


def test_random_weights_of_all_levels_stay_within_their_spread_and_differ(built: Build, grid: Grid) -> None:
    sets, spread = assumptions(grid.composite.framework_id)
    for kind, weights in zip(("", "subtheme_", "pillar_"), weight_sets(grid.composite, sets, spread), strict=True):
        published = built.rows(
            f"""
            select distinct weight_set, {kind or "indicator_"}id, {kind}weight from int_scenario_weights
            where framework_id = '{grid.composite.framework_id}' order by all
            """
        )
        assert sorted(weight for *_, weight in published) == pytest.approx(sorted(weights.ravel()), abs=1e-12)
        factors = (weights / weights[0])[1:]
        assert 1 - spread <= factors.min() and factors.max() < 1 + spread
        assert len(np.unique(factors)) == factors.size


def test_every_member_with_an_overall_score_is_ranked_in_every_scenario(built: Build, framework: str) -> None:
    [(fewest, most, members)] = built.rows(
        f"""
        select min(members), max(members), (
            select count(*) from scorecard where framework_id = '{framework}' and overall_score is not null
        )
        from (
            select count(score) as members from int_scenario_ranks where framework_id = '{framework}' group by scenario
        )
        """
    )
    assert fewest == most == members > 0


@pytest.mark.parametrize("threads", [1, 4])
def test_bands_are_identical_for_any_number_of_threads_and_any_order_of_rows(build: Build, threads: int) -> None:
    tables = [*SCENARIOS, *BANDS]
    before = {table: build.rows(f"select * from {table} order by all") for table in tables}
    build.connection.execute(f"set threads = {threads}")
    for table in ("int_levels", "int_subthemes", "int_pillars"):
        build.connection.execute(
            f"create or replace table intermediate.{table} as "
            f"select * from intermediate.{table} as t order by hash(t::varchar)"
        )
    build.change("update scenario_assumptions set note = 'unchanged'")
    for table in tables:
        assert build.rows(f"select * from {table} order by all") == before[table], table


@pytest.mark.parametrize(
    ("subtheme", "pillar", "overall", "floor"),
    [
        ("geometric", "geometric", "geometric", 1),
        ("geometric", "arithmetic", "geometric", 0),
        *further(
            ("geometric", "geometric", "geometric", 0),
            ("geometric", "arithmetic", "geometric", 1),
            ("arithmetic", "arithmetic", "geometric", 1),
            ("arithmetic", "arithmetic", "geometric", 0),
            ("geometric", "geometric", "arithmetic", 1),
            ("geometric", "geometric", "arithmetic", 0),
        ),
    ],
)
def test_a_framework_with_geometric_means_is_its_own_scenario_0(
    build: Build, subtheme: str, pillar: str, overall: str, floor: float
) -> None:
    build.change(
        f"update intermediate.int_frameworks set subtheme_aggregation = '{subtheme}', "
        f"pillar_aggregation = '{pillar}', aggregation = '{overall}', geometric_floor = {floor}",
        *ENGINE,
        *SCENARIOS,
    )
    pairs = build.rows(
        """
        select overall.score, ranks.score
        from int_overall_scores as overall
        inner join int_scenario_ranks as ranks using (framework_id, iso3)
        inner join int_members as members using (framework_id, iso3, as_of_year)
        where ranks.scenario = 0
        """
    )
    assert len(pairs) > 100
    for published, again in pairs:
        assert again == pytest.approx(published, rel=0, abs=1e-9)
    alternatives = build.rows("select distinct aggregation from int_scenarios order by 1")
    assert alternatives == [("arithmetic",), ("declared",)]


def test_a_framework_without_a_number_of_weight_sets_has_at_least_a_thousand_scenarios(build: Build) -> None:
    """The number follows from the general row of the seed: the smallest number of sets that is enough."""
    assert [r["weight_sets"] for r in read_seed(SEEDS, "scenario_assumptions") if not r["framework_id"]] == [""]
    build.change("delete from scenario_assumptions where framework_id = 'un_egdi'")
    [(scenarios, in_a_set)] = build.rows(
        "select count(*), count(*) filter (weight_set = 1) from int_scenarios where framework_id = 'un_egdi'"
    )
    assert 1000 <= scenarios < 1000 + in_a_set
    assert build.rows("select distinct scenarios from rank_scenarios where framework_id = 'un_egdi' order by 1") == [
        (0,),
        (scenarios,),
    ]
