"""The published scores against a second implementation of the method (``tests/reference_scoring.py``), on real figures.

All inputs are read from the published file, so that every user of the file can do the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.engine import Engine
from tests.reference_repeats import Scale, chance_share
from tests.reference_scoring import (
    Framework,
    Rules,
    Score,
    imputed,
    overall,
    pillar,
    read_parameters,
    read_seed,
    score,
    weighted,
)

FRAMEWORKS = [row["framework_id"] for row in read_seed(ROOT / "dbt_project" / "seeds", "frameworks")]
TABLES = (
    "benchmarks",
    "economies",
    "economy_groups",
    "framework_indicators",
    "frameworks",
    "indicators",
    "noise_bands",
    "pillars",
    "projection_calibration",
    "scoring_parameters",
    "series_breaks",
    "status_thresholds",
    "subthemes",
)
"""The inputs of a score other than observations."""
EXACT = [
    "status",
    "status_reason",
    "baseline_year",
    "latest_year",
    "measured_year",
    "slope_basis",
    "points",
    "projected_target_year",
    "is_on_few_points",
]
CLOSE = [
    "baseline_value",
    "latest_value",
    "level_score",
    "attainment",
    "due",
    "ahead_behind",
    "observed_annual_change",
    "required_annual_change",
    "required_annual_change_from_now",
    "trend",
    "required_trend",
    "pace_ratio",
    "noise_band",
    "projection",
    "projection_low",
    "projection_high",
    "probability_of_target",
    "probability_of_pace_target",
]

Key = tuple[str, str]
"""(iso3, indicator_id)"""


def rows(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def close(value: float | None) -> object:
    return value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def tables(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published tables as CSV."""
    folder = tmp_path_factory.mktemp("tables")
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        for table in TABLES:
            connection.execute(f"copy {table} to '{folder / table}.csv' (header)")
    return folder


def rules_of(framework: str, tables: Path, repeating: Mapping[str, Scale]) -> dict[Key, Rules]:
    """Return the rules of every indicator of a framework, for every economy ('' means all others)."""
    noise = {
        row["indicator_id"]: float(row["error"])
        for row in read_seed(tables, "noise_bands")
        if row["framework_id"] == framework and row["error"]
    }
    kept, errors = {}, defaultdict(dict)
    for row in read_seed(tables, "projection_calibration"):
        if row["framework_id"] == framework:
            kept[row["indicator_id"]] = float(row["trend_kept"])
            if row["error_low"]:
                errors[row["indicator_id"]][int(row["horizon"])] = (
                    float(row["error_low"]),
                    float(row["error_high"]),
                    json.loads(row["error_percentiles"]),
                )
    breaks: dict[Key, list[int]] = defaultdict(list)
    for row in read_seed(tables, "series_breaks"):
        breaks[row["iso3"], row["indicator_id"]].append(int(row["from_year"]))
    economies = [row["iso3"] for row in read_seed(tables, "economies")]
    indicators = {row["indicator_id"]: row for row in read_seed(tables, "indicators")}
    return {
        (iso3, row["indicator_id"]): Rules(
            transform=row["transform"],
            baseline_year=int(row["baseline_year"]) if row["baseline_year"] else None,
            floor=float(row["floor_value"]),
            target=float(row["target_value"]),
            met=float(row["met_value"]),
            target_year=int(row["target_year"]),
            pace_target=float(row["pace_target_value"]),
            edition_index=indicators[row["indicator_id"]]["edition_index"] == "true",
            saturating=indicators[row["indicator_id"]]["shape"] == "saturating",
            parity=indicators[row["indicator_id"]]["shape"] == "parity",
            natural_limit=float(indicators[row["indicator_id"]]["natural_limit"] or "inf"),
            max_age=int(indicators[row["indicator_id"]]["max_age_years"]),
            valid=(
                float(indicators[row["indicator_id"]]["valid_min"]),
                float(indicators[row["indicator_id"]]["valid_max"]),
            ),
            noise_error=noise.get(row["indicator_id"]),
            trend_kept=kept.get(row["indicator_id"]),
            errors=errors[row["indicator_id"]],
            breaks=breaks[iso3, row["indicator_id"]] + breaks["", row["indicator_id"]],
            repeating=repeating.get(row["indicator_id"]),
        )
        for row in read_seed(tables, "benchmarks")
        if row["framework_id"] == framework
        for iso3 in economies
    }


def framework_of(framework_id: str, tables: Path) -> Framework:
    parameters = read_parameters(tables)
    row = next(row for row in read_seed(tables, "frameworks") if row["framework_id"] == framework_id)
    return Framework(
        aggregation=row["aggregation"] or "arithmetic",
        pillar_aggregation=row["pillar_aggregation"] or "arithmetic",
        subtheme_aggregation=row["subtheme_aggregation"] or "arithmetic",
        geometric_floor=float(row["geometric_floor"] or parameters.geometric_floor),
        gate=float(row["coverage_gate"] or parameters.gate),
    )


def subthemes_of(framework_id: str, tables: Path) -> list[dict[str, object]]:
    return [
        {**row, "register_only": row["register_only"] == "true"}
        for row in read_seed(tables, "subthemes")
        if row["framework_id"] == framework_id
    ]


def members_of(framework: str, tables: Path) -> list[str]:
    group = next(row["scored_group"] for row in read_seed(tables, "frameworks") if row["framework_id"] == framework)
    return [row["iso3"] for row in read_seed(tables, "economy_groups") if row["group_id"] == group]


@pytest.fixture(scope="module")
def series(published_warehouse: Path) -> Mapping[Key, Mapping[int, float]]:
    found: dict[Key, dict[int, float]] = defaultdict(dict)
    for iso3, indicator_id, year, value in rows(
        published_warehouse, "select iso3, indicator_id, year, value from observations"
    ):
        found[iso3, indicator_id][year] = value
    return found


@pytest.fixture(scope="module")
def repeating(series: Mapping[Key, Mapping[int, float]], tables: Path, published_warehouse: Path) -> dict[str, Scale]:
    """Return indicator -> scale of the series whose equal figures are repetitions; it must be the published ones."""
    parameters = {row["parameter"]: float(row["value"]) for row in read_seed(tables, "scoring_parameters")}
    economies = {row["iso3"] for row in read_seed(tables, "economies") if row["is_aggregate"] == "false"}
    every: dict[str, list[Mapping[int, float]]] = defaultdict(list)
    for (iso3, indicator_id), figures in series.items():
        if iso3 in economies:
            every[indicator_id].append(figures)
    published = dict(rows(published_warehouse, "select indicator_id, chance_share from series_repeats"))
    assert published.keys() == every.keys()
    found = {}
    for row in read_seed(tables, "indicators"):
        if not every[row["indicator_id"]]:
            continue
        scale = Scale(
            float(row["valid_min"]),
            float(row["valid_max"]),
            row["shape"] == "saturating",
            float(row["natural_limit"]) if row["natural_limit"] else None,
            parameters["scale_end_share"],
        )
        share = chance_share(every[row["indicator_id"]], scale)
        assert published[row["indicator_id"]] == close(share), row["indicator_id"]
        if share is not None and share <= parameters["max_chance_share"] and row["edition_index"] == "false":
            found[row["indicator_id"]] = scale
    detected = rows(published_warehouse, "select indicator_id from series_repeats where is_detected")
    assert found.keys() == {indicator_id for (indicator_id,) in detected}
    return found


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def expected(
    framework: str,
    series: Mapping[Key, Mapping[int, float]],
    repeating: Mapping[str, Scale],
    tables: Path,
    published_warehouse: Path,
) -> dict[Key, Score]:
    """Return the scores of the second implementation for every economy and indicator of the framework."""
    [(as_of_year,)] = rows(published_warehouse, "select year(as_of) from publication")
    economies = {row["iso3"] for row in read_seed(tables, "economies") if row["is_aggregate"] == "false"}
    seen = {indicator_id for iso3, indicator_id in series if iso3 in economies}
    parameters = read_parameters(tables)
    return {
        (iso3, indicator_id): score(
            series.get((iso3, indicator_id), {}), indicator_id in seen, rules, as_of_year, parameters
        )
        for (iso3, indicator_id), rules in rules_of(framework, tables, repeating).items()
        if iso3 in economies
    }


def test_every_indicator_score_equals_the_second_implementation(
    framework: str, expected: dict[Key, Score], tables: Path, published_warehouse: Path
) -> None:
    columns = [*EXACT, *CLOSE]
    published = {
        (iso3, indicator_id): values
        for iso3, indicator_id, *values in rows(
            published_warehouse,
            f"select iso3, indicator_id, {', '.join(columns)} from indicator_scores where framework_id = '{framework}'",
        )
    }
    members = set(members_of(framework, tables))
    assert published.keys() == {key for key in expected if key[0] in members}
    for key, values in published.items():
        again = expected[key]
        exact = [getattr(again, column) for column in EXACT]
        assert dict(zip(columns, values, strict=True)) == dict(
            zip(columns, [*exact, *(close(getattr(again, column)) for column in CLOSE)], strict=True)
        ), key


def test_pillars_and_overall_equal_the_second_implementation(
    framework: str, expected: dict[Key, Score], tables: Path, published_warehouse: Path
) -> None:
    parameters = read_parameters(tables)
    published_pillars = {
        (iso3, pillar_id): values
        for iso3, pillar_id, *values in rows(
            published_warehouse,
            "select iso3, pillar_id, score, coverage, score_reason, rank from pillar_scores "
            f"where framework_id = '{framework}'",
        )
    }
    published_overall = {
        iso3: values
        for iso3, *values in rows(
            published_warehouse,
            f"select iso3, overall_score, coverage, score_reason, rank from scorecard "
            f"where framework_id = '{framework}'",
        )
    }
    pillars = [row for row in read_seed(tables, "pillars") if row["framework_id"] == framework]
    subthemes, rule = subthemes_of(framework, tables), framework_of(framework, tables)
    places = [row for row in read_seed(tables, "framework_indicators") if row["framework_id"] == framework]

    scores: dict[Key, tuple[float | None, float | None, str | None]] = {}
    totals: dict[str, float | None] = {}
    for iso3 in members_of(framework, tables):
        for row in pillars:
            levels = defaultdict(list)
            for place in places:
                if place["pillar_id"] == row["pillar_id"]:
                    level = expected[iso3, place["indicator_id"]].level_score
                    levels[place["subtheme_id"]].append((float(place["weight"]), level))
            under = [s for s in subthemes if s["pillar_id"] == row["pillar_id"]]
            scores[iso3, row["pillar_id"]] = pillar(under, levels, rule, parameters.tolerance)
        counted = [
            (float(row["weight"]), *scores[iso3, row["pillar_id"]][:2])
            for row in pillars
            if row["in_overall"] == "true"
        ]
        totals[iso3], total_coverage = overall(counted, rule)
        value, coverage, reason, _ = published_overall[iso3]
        assert value == close(totals[iso3]), iso3
        assert coverage == close(total_coverage), iso3
        assert reason == (None if totals[iso3] is not None else "pillar_missing"), iso3

    assert published_pillars.keys() == scores.keys()
    for key, (value, coverage, reason) in scores.items():
        assert published_pillars[key][:3] == [close(value), close(coverage), reason], key
    assert {iso3: values[3] for iso3, values in published_overall.items()} == ranks(totals)
    for row in pillars:
        mine = {iso3: value for (iso3, pillar_id), (value, _, _) in scores.items() if pillar_id == row["pillar_id"]}
        assert {iso3: published_pillars[iso3, row["pillar_id"]][3] for iso3 in mine} == ranks(mine)


def ranks(values: Mapping[str, float | None]) -> dict[str, int | None]:
    """Return 1 + the number of scores that are better by more than a rounding error; None without a score."""
    there = [value for value in values.values() if value is not None]
    return {
        iso3: None if value is None else 1 + sum(other > value + 1e-9 for other in there)
        for iso3, value in values.items()
    }


def test_real_figures_exist_for_every_status(published_warehouse: Path) -> None:
    """The comparison above has therefore covered every branch that real figures can reach."""
    reasons = {
        reason
        for (reason,) in rows(
            published_warehouse, "select distinct status_reason from indicator_scores where framework_id = 'carec_2030'"
        )
    }
    assert reasons >= {
        "met",
        "pace",
        "within_noise",
        "baseline_met",
        "one_point_only",
        "no_baseline",
        "stale",
        "not_covered",
        "not_comparable_edition",
        "series_break",
    }


def test_regional_means_and_comparators_equal_the_second_implementation(
    framework: str, expected: dict[Key, Score], tables: Path, published_warehouse: Path
) -> None:
    parameters = read_parameters(tables)
    rule, under = framework_of(framework, tables), subthemes_of(framework, tables)
    pillars = [row for row in read_seed(tables, "pillars") if row["framework_id"] == framework]
    places = [row for row in read_seed(tables, "framework_indicators") if row["framework_id"] == framework]
    people = dict(
        rows(
            published_warehouse,
            "select iso3, arg_max(value, year) from observations where indicator_id = 'population_total' group by iso3",
        )
    )
    scores: dict[Key, float | None] = {}
    for iso3 in {key[0] for key in expected}:
        counted = []
        for row in pillars:
            levels = defaultdict(list)
            for place in places:
                level = expected[iso3, place["indicator_id"]].level_score
                levels[place["subtheme_id"]].append((float(place["weight"]), level))
            mine = [s for s in under if s["pillar_id"] == row["pillar_id"]]
            value, coverage, _ = pillar(mine, levels, rule, parameters.tolerance)
            scores[iso3, row["pillar_id"]] = value
            if row["in_overall"] == "true":
                counted.append((float(row["weight"]), value, coverage))
        scores[iso3, "overall"], _ = overall(counted, rule)
    groups = defaultdict(set)
    for row in read_seed(tables, "economy_groups"):
        groups[row["group_id"]].add(row["iso3"])
    found = rows(
        published_warehouse,
        "select group_id, variant, pillar_id, score, score_without_afg, members_scored, members_total"
        f" from region_scores where framework_id = '{framework}'",
    )
    assert len(found) == len(groups) * 4 * (len(pillars) + 1)
    for group, variant, pillar_id, value, value_without_afg, scored, total in found:
        members = sorted(groups[group] - ({"CHN"} if variant.endswith("ex_chn") else set()))
        weights = {iso3: people.get(iso3) if variant.startswith("weighted") else 1.0 for iso3 in members}
        there = {
            iso3: (weights[iso3], scores[iso3, pillar_id])
            for iso3 in members
            if weights[iso3] is not None and scores[iso3, pillar_id] is not None
        }
        assert (scored, total) == (len(there), len(members))
        assert value == close(weighted(there.values())[0])
        without = weighted(pair for iso3, pair in there.items() if iso3 != "AFG")[0] if "AFG" in there else None
        assert value_without_afg == close(without)

    in_overall = sorted(row["pillar_id"] for row in pillars if row["in_overall"] == "true")
    check_imputed(framework, published_warehouse, scores, in_overall, groups)


def check_imputed(
    framework: str,
    warehouse: Path,
    scores: Mapping[Key, float | None],
    pillars: list[str],
    groups: Mapping[str, set[str]],
) -> None:
    """Compare imputed scores and the means with them with a regression repeated without each economy."""
    economies = sorted({iso3 for iso3, _ in scores})
    totals = {iso3: total for iso3 in economies if (total := scores[iso3, "overall"]) is not None}
    again = {}
    for iso3 in sorted(set().union(*groups.values()) - totals.keys()):
        there = [one for one in pillars if scores[iso3, one] is not None]
        if len(there) / len(pillars) >= 0.5:
            own = [scores[iso3, one] for one in there]
            complete = [(total, [scores[other, one] for one in there]) for other, total in totals.items()]
            lowest = sum(own) / len(pillars)
            highest = lowest + 100 * (1 - len(there) / len(pillars))
            again[iso3] = [min(max(value, lowest), highest) for value in imputed(own, complete)]
    found = {
        iso3: values
        for iso3, *values in rows(
            warehouse,
            "select iso3, imputed_score, imputed_low, imputed_high from imputed_scores"
            f" where framework_id = '{framework}'",
        )
    }
    assert found == {iso3: [close(value) for value in values] for iso3, values in again.items()}
    means = rows(
        warehouse,
        "select group_id, score_all_members_imputed, score_all_members_imputed_low, score_all_members_imputed_high,"
        f" imputed_economies, imputation_reason from region_scores where framework_id = '{framework}'"
        " and variant = 'simple' and pillar_id = 'overall'",
    )
    for group, *values, named, reason in means:
        missing = sorted(groups[group] - totals.keys())
        if not missing or not again.keys() >= set(missing):
            assert (values, named) == ([None] * 3, None), group
            assert reason == ("too_few_pillars" if missing else "all_scored"), group
            continue
        ends = zip(*(again.get(iso3, [totals.get(iso3)] * 3) for iso3 in groups[group]), strict=True)
        assert values == [close(sum(end) / len(groups[group])) for end in ends], group
        assert (named, reason) == (", ".join(missing), None), group
    if framework == "carec_2030":
        assert next(named for group, *_, named, _ in means if group == "carec") == "AFG, TKM"


def test_real_figures_give_identical_scores_in_any_order_with_any_number_of_threads(published_warehouse: Path) -> None:
    """The published tables scored again: sums of doubles would differ if their order did."""
    engine, published = Engine(published_warehouse, calibrate=True), published_warehouse / "carec.duckdb"
    tables = (
        "noise_bands",
        "projection_calibration",
        "projection_backtest",
        "status_hit_rate",
        "subtheme_scores",
        "pillar_scores",
        "region_scores",
        "scorecard_history",
        "indicator_scores",
    )
    one, four = (
        engine.replay(published, threads=1, order="all"),
        engine.replay(published, threads=4, order="random()"),
    )
    for table in tables:
        columns = f"select * from {table} order by all"
        again = one.query(columns)
        assert again == four.query(columns), table
        with duckdb.connect(str(published), read_only=True) as connection:
            result = connection.execute(columns)
            names = [column[0] for column in result.description or []]
            assert [dict(zip(names, row, strict=True)) for row in result.fetchall()] == again, table
