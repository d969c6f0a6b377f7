"""Rank bands on real figures: compared with NumPy (``tests/reference_ranks.py``), and their properties.

The tables come from the build file of a published warehouse. If a test changes an input, the compiled SQL of the models
runs again on a copy.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.reference_ranks import NOTHING, Composite, Floats, exchanged, rank_share, ranks, scores
from tests.reference_scoring import read_seed

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
ASSUMPTIONS = {"origin": 0, "aggregation": 1, "normalisation": 2, "weights": 3, "leave_out": 4}
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
        yield Build(connection, compiled)


def assumptions(framework: str) -> tuple[int, float]:
    """Return the number of random weight sets and their spread, from the seed."""
    [row] = [row for row in read_seed(SEEDS, "scenario_assumptions") if row["framework_id"] == framework]
    return int(row["weight_sets"]), float(row["weight_spread"])


@dataclass(frozen=True)
class Grid:
    """Scores and ranks of m members. Axes: origin, aggregation, normalisation, weights, left-out indicator, member."""

    members: list[str]
    left_out: list[str]
    scores: np.ndarray
    ranks: np.ndarray


def other_origin(
    build: Build, framework: str, economies: list[str], indicators: list[str], lower: set[str]
) -> tuple[Floats, Floats]:
    """Return levels and values of the other origin, (economies, indicators), with NaN where it has no usable figure."""
    levels = np.full((len(economies), len(indicators)), np.nan)
    values = levels.copy()
    goalposts = {r["indicator_id"]: r for r in read_seed(SEEDS, "benchmarks") if r["framework_id"] == framework}
    ages = dict(build.rows("select indicator_id, max_age_years from indicators"))
    [(as_of_year,)] = build.rows("select distinct as_of_year from int_members")
    for pair in read_seed(SEEDS, "origin_pairs"):
        declared = pair["indicator_id"]
        if declared not in indicators:
            continue
        assert goalposts[declared]["transform"] == "none"
        floor, target = (float(goalposts[declared][name]) for name in ("floor_value", "target_value"))
        newest: dict[str, tuple[int, float]] = {}
        for iso3, year, value in build.rows(
            f"select iso3, year, value from observations where indicator_id = '{pair['other_indicator_id']}'"
        ):
            if year <= as_of_year:
                newest[iso3] = max(newest.get(iso3, (0, 0.0)), (year, value))
        for iso3, (year, value) in newest.items():
            if iso3 in economies and as_of_year - year <= ages[declared]:
                at = economies.index(iso3), indicators.index(declared)
                levels[at] = 100 * np.clip((value - floor) / (target - floor), 0, 1)
                values[at] = -value if declared in lower else value
    return levels, values


def second_time(build: Build, framework: str) -> Grid:
    """Compute all scenarios of a framework in NumPy, from only levels, latest values and seeds."""
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
            case when shape = 'parity' then least(latest_value, 1 / latest_value) else latest_value end as judged,
            level_score
        from int_indicator_scores as scores
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
    indicators = sorted({i for iso3, i, _, _ in cells if i in places and iso3 in ranked})
    economies = ranked + sorted({iso3 for iso3, *_ in cells} - set(ranked))
    lower = {i for (i,) in build.rows("select indicator_id from indicators where direction = 'lower_is_better'")}
    levels = np.full((len(economies), len(indicators)), np.nan)
    values = levels.copy()
    for iso3, indicator, value, level in cells:
        if indicator in indicators:
            at = economies.index(iso3), indicators.index(indicator)
            levels[at], values[at] = level, -value if indicator in lower else value
    other_levels, other_values = other_origin(build, framework, economies, indicators, lower)
    by_origin = {"declared": (levels, values)}
    if not np.isnan(levels + other_levels)[: len(ranked)].all():
        by_origin["other"] = (exchanged(levels, other_levels), exchanged(values, other_values))
    composite = Composite(
        framework_id=framework,
        indicators=indicators,
        weights=np.array([float(places[i]["weight"]) for i in indicators]),
        subtheme=np.array([subtheme_ids.index(places[i]["subtheme_id"]) for i in indicators]),
        subtheme_weights=np.array([float(row["weight"]) for row in subthemes]),
        pillar=np.array([pillar_ids.index(row["pillar_id"]) for row in subthemes]),
        pillar_weights=np.array([float(row.get("weight") or 1) for row in pillars]),
        values={
            (origin, normalisation): normalised[: len(ranked)]
            for origin, (level, value) in by_origin.items()
            for normalisation, normalised in (("goalposts", level), ("rank_share", rank_share(value)))
        },
    )
    found = scores(composite, *assumptions(framework))
    stacked = np.array(
        [
            [[found[origin, a, n] for n in ("goalposts", "rank_share")] for a in ("declared", "geometric")]
            for origin in by_origin
        ]
    )
    return Grid(ranked, [NOTHING, *indicators], stacked, ranks(stacked))


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def grid(built: Build, framework: str) -> Grid:
    return second_time(built, framework)


def test_every_scenario_equals_the_second_implementation(built: Build, framework: str, grid: Grid) -> None:
    published = built.rows(
        f"""
        select origin, aggregation, normalisation, weight_set, left_out, iso3, score, rank
        from int_scenario_ranks inner join int_scenarios using (framework_id, scenario)
        where framework_id = '{framework}'
        """
    )
    score, rank = np.full(grid.scores.shape, np.nan), np.zeros(grid.ranks.shape, dtype=int)
    for origin, aggregation, normalisation, weight_set, left_out, iso3, *result in published:
        at = (
            ["declared", "other"].index(origin),
            ["declared", "geometric"].index(aggregation),
            ["goalposts", "rank_share"].index(normalisation),
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
        "select * exclude (rank_p05, rank_median, rank_p95, share_top3) from scorecard",
        "from rank_scenarios",
    )
    before = [build.rows(f"{table} order by all") for table in (scores, bands)]
    engine = ["int_measured", "int_points", "int_cells", "int_slopes", "int_indicator_scores", *ENGINE]
    build.change(
        "update observations set value = value / 2 where indicator_id in (select other_indicator_id from origin_pairs)",
        *(*engine, "int_second_origins", *SCENARIOS, "rank_scenarios", "scorecard"),
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


def test_sensitivities_are_shares_of_the_variance_of_ranks(built: Build, framework: str, grid: Grid) -> None:
    axes = tuple(ASSUMPTIONS.values())
    variance = grid.ranks.var(axis=axes).sum()
    base = grid.ranks[0, 0, 0, 0, 0]
    published = {
        assumption: values
        for assumption, *values in built.rows(
            "select assumption, alternatives, first_order_share, max_rank_shift "
            f"from rank_sensitivity where framework_id = '{framework}'"
        )
    }
    assert published.keys() == ASSUMPTIONS.keys()
    for assumption, axis in ASSUMPTIONS.items():
        means = grid.ranks.mean(axis=tuple(other for other in axes if other != axis))
        alone = grid.ranks[tuple(slice(None) if other == axis else 0 for other in axes)]
        alternatives, share, shift = published[assumption]
        assert alternatives == grid.ranks.shape[axis]
        assert share == pytest.approx(means.var(axis=0).sum() / variance, abs=1e-12)
        assert shift == abs(alone - base).max()


def test_an_assumption_with_identical_alternatives_explains_no_variance(build: Build) -> None:
    weights = (
        "select alternatives, first_order_share, max_rank_shift from rank_sensitivity "
        "where framework_id = 'carec_2030' and assumption = 'weights'"
    )
    [(sets, share, _)] = build.rows(weights)
    assert sets > 2 and share > 0
    build.change("update scenario_assumptions set weight_spread = 0")
    assert build.rows(weights) == [(sets, 0.0, 0)]


def test_random_weights_stay_within_their_spread_and_differ(built: Build) -> None:
    _, spread = assumptions("carec_2030")
    [(low, high, distinct, rows)] = built.rows(
        "select min(factor), max(factor), count(distinct factor), count(*) from int_scenario_weights "
        "where framework_id = 'carec_2030' and weight_set > 0"
    )
    assert 1 - spread <= low < 1 - 0.9 * spread and 1 + 0.9 * spread < high < 1 + spread
    assert distinct == rows


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
    for table in ("int_indicator_scores", "int_subthemes", "int_pillars"):
        build.connection.execute(
            f"create or replace table intermediate.{table} as "
            f"select * from intermediate.{table} as t order by hash(t::varchar)"
        )
    build.change("update scenario_assumptions set note = 'unchanged'")
    for table in tables:
        assert build.rows(f"select * from {table} order by all") == before[table], table


@pytest.mark.parametrize("floor", [1, 0])
@pytest.mark.parametrize(
    ("subtheme", "pillar", "overall"),
    [
        ("arithmetic", "arithmetic", "geometric"),
        ("geometric", "arithmetic", "geometric"),
        ("geometric", "geometric", "arithmetic"),
        ("geometric", "geometric", "geometric"),
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
