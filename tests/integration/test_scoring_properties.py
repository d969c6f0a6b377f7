"""Properties of every scorecard, for any figures: the compiled models on generated tables.

Belongs here: properties, and the defined result of every odd series. Does not belong here: real figures
(``test_scoring_independent``), single steps (dbt's unit tests).
"""

from __future__ import annotations

import json
import math
import os
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.engine import AS_OF_YEAR, RESULTS, Engine, Rows, Scores
from tests.reference_scoring import Framework, Rules, overall, pillar, read_parameters, score

World = dict[str, Rows]
"""Input tables by name."""

ECONOMIES = ("AAA", "BBB", "CCC", "DDD")
PARAMETERS = read_parameters(ROOT / "dbt_project" / "seeds")
FULL = os.environ.get("HYPOTHESIS_PROFILE", "repeatable") != "repeatable"
EVERY = settings(derandomize=True, deadline=None, max_examples=15 if FULL else 5)


@pytest.fixture(scope="module")
def engine(published_warehouse: Path) -> Engine:
    return Engine(published_warehouse)


def indicator(indicator_id: str, **facts: Any) -> dict[str, Any]:
    return {
        "indicator_id": indicator_id,
        "direction": "higher_is_better",
        "shape": "linear",
        "valid_min": -1e6,
        "valid_max": 1e6,
        "edition_index": False,
        "max_age_years": 4,
        **facts,
    }


def benchmark(indicator_id: str, floor: float, target: float, **facts: Any) -> dict[str, Any]:
    return {
        "framework_id": "f",
        "indicator_id": indicator_id,
        "transform": "none",
        "baseline_year": 2021,
        "floor_value": floor,
        "target_value": target,
        "met_value": target,
        "target_year": 2030,
        "pace_target_value": target,
        **facts,
    }


def place(indicator_id: str, subtheme: str = "s", pillar_id: str = "p", weight: float = 1.0) -> dict[str, Any]:
    return {
        "framework_id": "f",
        "indicator_id": indicator_id,
        "pillar_id": pillar_id,
        "subtheme_id": subtheme,
        "weight": weight,
    }


def economies(*codes: str) -> Rows:
    return [{"iso3": code, "name": code, "is_aggregate": False} for code in codes]


def observations(indicator_id: str, iso3: str, series: Mapping[int, float | None]) -> Rows:
    return [
        {"iso3": iso3, "indicator_id": indicator_id, "year": year, "value": value} for year, value in series.items()
    ]


def calibration(indicator_id: str, kept: float, unit: float) -> Rows:
    """Return errors that grow with the horizon, from -1 to 0.75 units in ten years."""
    return [
        {
            "framework_id": "f",
            "indicator_id": indicator_id,
            "horizon": horizon,
            "trend_kept": kept,
            "error_low": -unit * horizon / 10,
            "error_high": unit * horizon * 0.075,
            "error_percentiles": json.dumps([unit * horizon / 10 * step for step in (-1, -0.5, 0, 0.25, 0.5, 0.75)]),
        }
        for horizon in range(1, PARAMETERS.longest_horizon + 1)
    ]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Four economies, up to four indicators of every kind in up to two pillars, with gaps and future years."""
    names = [f"i{n}" for n in range(draw(st.integers(1, 4)))]
    number = st.floats(1, 99).map(lambda x: round(x, 2))
    figure = st.one_of(st.just(0.0), number, number, number)  # 0 has no logarithm
    world: dict[str, list[dict[str, Any]]] = defaultdict(list)
    world["economies"] = list(economies(*ECONOMIES))
    for name in names:
        transform = draw(st.sampled_from(["none", "none", "log"]))
        shape = draw(st.sampled_from(["linear", "saturating", "parity"])) if transform == "none" else "linear"
        edition = draw(st.integers(0, 4)) == 0
        floor, middle, target = draw(st.lists(number, min_size=3, max_size=3, unique=True).map(sorted))
        if shape == "parity":
            floor, middle, target = floor / 100, middle / 100, target / 100
        elif draw(st.booleans()):
            floor, target = target, floor
        limit = draw(st.sampled_from([None, 80.0]))
        world["indicators"].append(
            indicator(
                name,
                direction="higher_is_better" if target > floor else "lower_is_better",
                shape=shape,
                valid_min=0.0,
                valid_max=100.0,
                natural_limit={"parity": 1.0, "saturating": None}.get(shape, limit),
                edition_index=edition,
            )
        )
        world["benchmarks"].append(
            benchmark(
                name,
                floor,
                target,
                transform=transform,
                baseline_year=draw(st.sampled_from([None, 2024])) if edition else draw(st.sampled_from([2019, 2021])),
                pace_target_value=draw(st.sampled_from([target, middle])),
            )
        )
        world["framework_indicators"].append(
            place(
                name, draw(st.sampled_from("st")), draw(st.sampled_from("pq")), draw(st.sampled_from([0.5, 1.0, 3.0]))
            )
        )
        if draw(st.booleans()):  # errors on the own scale: logits, logarithms, or a share of the range
            unit = 1.0 if shape == "saturating" or transform == "log" else abs(target - floor)
            world["noise_bands"].append(
                {"framework_id": "f", "indicator_id": name, "error": unit * draw(st.sampled_from([0.01, 0.1]))}
            )
            world["projection_calibration"] += calibration(name, draw(st.sampled_from([0.0, 0.5, 1.0])), unit)
        if draw(st.integers(0, 3)) == 0:
            world["series_breaks"].append(
                {"indicator_id": name, "iso3": draw(st.sampled_from([None, "AAA"])), "from_year": 2022}
            )
        for iso3 in ECONOMIES:
            ratio = figure.map(lambda x: x / 50)  # from 0 to 2, on both sides of parity
            series = draw(st.dictionaries(st.integers(2016, 2028), ratio if shape == "parity" else figure, max_size=9))
            world["observations"] += observations(name, iso3, series)
    for row in world["framework_indicators"]:  # a sub-theme belongs to one pillar
        row["subtheme_id"] = row["pillar_id"] + row["subtheme_id"]
    how = st.sampled_from(["arithmetic", "geometric"])
    world["frameworks"] = [
        {
            "framework_id": "f",
            "aggregation": draw(how),
            "pillar_aggregation": draw(how),
            "subtheme_aggregation": draw(how),
            "geometric_floor": draw(st.sampled_from([None, 0.0, 1.0])),
            "coverage_gate": draw(st.sampled_from([None, 0.25, 0.75])),
            "subtheme_gate": draw(st.sampled_from([None, None, 0.5, 1.0])),
            "pillar_gate": draw(st.sampled_from([None, None, 0.5, 1.0])),
            "overall_gate": draw(st.sampled_from([None, None, 0.5])),
            "indicators_gate": draw(st.sampled_from([None, None, 0.6])),
            "history_from": 2023,
        }
    ]
    if draw(st.integers(0, 3)) == 0:
        world["pillar_fills"] = [
            {"framework_id": "f", "pillar_id": "p", "iso3": None, "fill_score": draw(st.floats(0, 100))},
            {"framework_id": "f", "pillar_id": "p", "iso3": "BBB", "fill_score": draw(st.floats(0, 100))},
        ]
    return dict(world)


def everything(scores: Scores) -> list[dict[str, Any]]:
    """Return every row about one economy, in a fixed order."""
    tables = ("indicator_scores", "subtheme_scores", "pillar_scores", "pillar_history", "scorecard_history")
    return [
        {"table": table, **{key: value for key, value in row.items() if key != "rank"}}
        for table in tables
        for row in scores.query(f"from {table} order by all")
    ]


def not_finite(scores: Scores, table: str) -> list[dict[str, Any]]:
    """Return the rows of a result with a number that is not finite."""
    return [
        row
        for row in scores.query(f"from {table}")
        if not all(math.isfinite(value) for value in row.values() if isinstance(value, float))
    ]


def without(rows: list[dict[str, Any]], iso3: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["iso3"] != iso3]


@EVERY
@given(world=worlds(), seed=st.integers(0, 99))
def test_the_order_of_rows_and_the_number_of_threads_change_no_bit(engine: Engine, world: World, seed: int) -> None:
    shuffled = {table: random.Random(seed).sample(list(rows), len(rows)) for table, rows in world.items()}
    assert everything(engine.score(**shuffled, threads=4)) == everything(engine.score(**world))


@EVERY
@given(world=worlds())
def test_adding_or_removing_an_economy_changes_no_other_score(engine: Engine, world: World) -> None:
    fewer = {
        table: [row for row in rows if table == "series_breaks" or row.get("iso3") != "DDD"]
        for table, rows in world.items()
    }
    left, right = everything(engine.score(**world)), everything(engine.score(**fewer))
    # an indicator depends on others in one way only: whether any economy has a figure
    for row in left + right:
        if row.get("status_reason") in {"no_data", "not_covered"}:
            row["status_reason"] = "none"
    assert without(left, "DDD") == right


def ratios(world: World) -> set[str]:
    return {row["indicator_id"] for row in world["indicators"] if row["shape"] == "parity"}


@EVERY
@given(world=worlds(), step=st.floats(0.01, 50))
def test_a_better_value_never_scores_lower(engine: Engine, world: World, step: float) -> None:
    downwards = {row["indicator_id"] for row in world["benchmarks"] if row["target_value"] < row["floor_value"]}
    newest = {
        (row["iso3"], row["indicator_id"]): row["latest_year"]
        for row in engine.score(**world).query("from indicator_scores")
    }
    at_parity = ratios(world)

    def improved(row: Mapping[str, Any]) -> float:
        if row["indicator_id"] in at_parity:  # nearer to 1, from its side
            return float(1 + (row["value"] - 1) / (1 + step))
        return float(row["value"] + step * (-1 if row["indicator_id"] in downwards else 1))

    better = [
        {**row, "value": improved(row) if newest[row["iso3"], row["indicator_id"]] == row["year"] else row["value"]}
        for row in world["observations"]
    ]
    before, after = engine.score(**world), engine.score(**{**world, "observations": better})
    for table in (Scores.indicators, Scores.pillars, Scores.overall):
        old, new = table(before), table(after)
        assert old.keys() == new.keys()
        for key, row in old.items():
            column = next(c for c in ("level_score", "score", "overall_score") if c in row)
            if row[column] is None:
                assert new[key][column] is None
            else:
                assert new[key][column] >= row[column] - 1e-9, key


@EVERY
@given(world=worlds(), factor=st.sampled_from([0.001, 0.5, 3.7, 1e6]))
def test_the_unit_of_an_indicator_changes_nothing(engine: Engine, world: World, factor: float) -> None:
    sized = {
        "observations": ("value",),
        "benchmarks": ("floor_value", "target_value", "met_value", "pace_target_value"),
        "indicators": ("valid_min", "valid_max", "natural_limit"),
        "noise_bands": ("error",),
        "projection_calibration": ("error_low", "error_high"),
    }
    at_parity = ratios(world)  # 1 is parity in every unit
    own = {row["indicator_id"] for row in world["indicators"] if row["shape"] == "saturating"}
    own |= {row["indicator_id"] for row in world["benchmarks"] if row["transform"] == "log"}

    def scale(row: Mapping[str, Any], columns: Sequence[str]) -> Mapping[str, Any]:
        if row.get("indicator_id") in at_parity or ("error" in str(columns) and row["indicator_id"] in own):
            return row
        return {**row, **{c: None if row[c] is None else row[c] * factor for c in columns}}

    scaled = {table: [scale(row, sized.get(table, ())) for row in rows] for table, rows in world.items()}
    before, after = engine.score(**world).indicators(), engine.score(**scaled).indicators()
    for key, row in before.items():
        assert after[key]["latest_year"] == row["latest_year"]
        for column in ("level_score", "attainment", "due", "ahead_behind", "pace_ratio"):
            assert after[key][column] == close(row[column]), (key, column)
        for column in ("projection", "projection_low", "projection_high"):
            unit = 1 if key[2] in at_parity else factor
            scaled_back = after[key][column]  # compared in the first unit, because a tolerance has a unit
            assert (None if scaled_back is None else scaled_back / unit) == close(row[column]), (key, column)


@EVERY
@given(world=worlds())
def test_scores_are_in_their_range_and_coverage_never_exceeds_one(engine: Engine, world: World) -> None:
    scores = engine.score(**world)
    for table, columns in {
        "indicator_scores": {"level_score": 100},
        "subtheme_scores": {"score": 100, "coverage": 1},
        "pillar_scores": {"score": 100, "coverage": 1},
        "scorecard_history": {"overall_score": 100, "coverage": 1},
    }.items():
        for row in scores.query(f"from {table}"):
            for column, high in columns.items():
                assert row[column] is None or 0 <= row[column] <= high
    for table in RESULTS:
        assert not_finite(scores, table) == []
    for row in scores.query("from indicator_scores"):
        assert (row["projection"] is None) == (row["slope_basis"] != "theil_sen")
        assert row["projection_low"] is None or row["projection"] is not None
        if row["projection_low"] is not None:
            assert row["projection_low"] <= row["projection"] + 1e-9
            assert row["projection"] <= row["projection_high"] + 1e-9


@EVERY
@given(world=worlds())
def test_no_status_contradicts_its_projection(engine: Engine, world: World) -> None:
    posts = {row["indicator_id"]: row for row in world["benchmarks"]}
    for row in engine.score(**world).query("from indicator_scores where status_reason in ('pace', 'within_noise')"):
        if row["projection"] is not None:
            contradictions(row, posts[row["indicator_id"]], row["indicator_id"] in ratios(world))


def contradictions(row: Mapping[str, Any], post: Mapping[str, Any], parity: bool) -> None:
    """Assert that the status of a row says what its projection does."""
    upwards = post["target_value"] > post["floor_value"]

    def better(value: float) -> float:
        judged = min(value, 1 / value) if parity and value > 0 else value
        return judged if upwards else -judged

    at_target = post["pace_target_value"] == post["target_value"]
    mark = post["met_value"] if at_target else post["pace_target_value"]
    arrives = better(row["projection"]) >= (mark if upwards else -mark)
    assert (row["status"] == "on_track") == arrives, row
    step = better(row["projection"]) - better(row["latest_value"])
    if row["status"] == "decreasing":
        assert step <= 1e-9, row
    elif row["status_reason"] == "within_noise":
        assert abs(step) <= 1e-9, row
    else:
        assert step >= -1e-9, row


@EVERY
@given(world=worlds())
def test_the_newest_year_of_the_history_is_the_scorecard(engine: Engine, world: World) -> None:
    scores = engine.score(**world)
    now = {
        (row["iso3"], row["pillar_id"]): (row["score"], row["coverage"], row["score_reason"])
        for row in scores.query("from pillar_scores")
    }
    then = {
        (row["iso3"], row["pillar_id"]): (row["score"], row["coverage"], row["score_reason"])
        for row in scores.query(f"from pillar_history where as_of_year = {AS_OF_YEAR}")
    }
    assert now == then


@EVERY
@given(world=worlds(), year=st.integers(2023, 2025))
def test_a_year_of_the_history_uses_no_later_figures(engine: Engine, world: World, year: int) -> None:
    """Figures of later years change nothing: the history of a year is the run at its end."""
    then = engine.score(**world, as_of_year=year).query("from pillar_scores order by all")
    history = engine.score(**world).query(f"from pillar_history where as_of_year = {year} order by all")
    assert len(history) == len(then) > 0
    for now, row in zip(history, then, strict=True):
        assert {c: now[c] for c in ("iso3", "pillar_id", "score", "coverage", "score_reason")} == {
            c: row[c] for c in ("iso3", "pillar_id", "score", "coverage", "score_reason")
        }


def close(value: float | None) -> object:
    return value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


@settings(EVERY, max_examples=40 if FULL else 15)
@given(world=worlds())
def test_the_compiled_sql_equals_the_second_implementation(engine: Engine, world: World) -> None:
    scores = engine.score(**world)
    series: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in world["observations"]:
        series[row["iso3"], row["indicator_id"]][row["year"]] = row["value"]
    catalogue = {row["indicator_id"]: row for row in world["indicators"]}
    posts = {row["indicator_id"]: row for row in world["benchmarks"]}
    places = {row["indicator_id"]: row for row in world["framework_indicators"]}
    anyone = {indicator_id for (_, indicator_id), figures in series.items() if min(figures) <= AS_OF_YEAR}
    expected = {
        (iso3, name): score(
            series.get((iso3, name), {}), name in anyone, _rules(catalogue[name], posts[name], world, iso3), AS_OF_YEAR,
            PARAMETERS,
        )
        for iso3 in ECONOMIES
        for name in catalogue
    }  # fmt: skip
    rows = scores.indicators()
    assert len(rows) == len(expected)
    for (iso3, name), again in expected.items():
        row = rows["f", iso3, name]
        for column, value in vars(again).items():
            wanted = close(value) if isinstance(value, float) else value
            assert row[column] == wanted, (iso3, name, column)

    row = world["frameworks"][0]
    rule = Framework(
        row["aggregation"],
        row["pillar_aggregation"],
        row["subtheme_aggregation"],
        PARAMETERS.geometric_floor if row["geometric_floor"] is None else row["geometric_floor"],
        PARAMETERS.gate if row["coverage_gate"] is None else row["coverage_gate"],
        row["subtheme_gate"] or 0.0,
        row["pillar_gate"] or 0.0,
        1.0 if row["overall_gate"] is None else row["overall_gate"],
        row["indicators_gate"] or 0.0,
    )
    fills = {(row["pillar_id"], row["iso3"]): row["fill_score"] for row in world.get("pillar_fills", ())}
    pillars, totals = scores.pillars(), scores.overall()
    for iso3 in ECONOMIES:
        share = sum(expected[iso3, name].level_score is not None for name in places) / len(places)
        counted = []
        for pillar_id in sorted({row["pillar_id"] for row in places.values()}):
            levels = defaultdict(list)
            for name, row in places.items():
                if row["pillar_id"] == pillar_id:
                    levels[row["subtheme_id"]].append((row["weight"], expected[iso3, name].level_score))
            under = [{"subtheme_id": subtheme, "weight": 1.0, "register_only": False} for subtheme in sorted(levels)]
            value, coverage, reason = pillar(under, levels, rule, PARAMETERS.tolerance)
            if is_filled := value is None and (pillar_id, None) in fills:
                value = fills.get((pillar_id, iso3), fills[pillar_id, None])
            found = pillars["f", iso3, pillar_id]
            assert (found["score"], found["coverage"], found["score_reason"]) == (close(value), close(coverage), reason)
            assert found["is_filled"] is is_filled
            counted.append((1.0, value, coverage))
        total, coverage = overall(counted, rule, share)
        found = totals["f", iso3]
        assert (found["overall_score"], found["coverage"]) == (close(total), close(coverage))


def _rules(entry: Mapping[str, Any], row: Mapping[str, Any], world: World, iso3: str) -> Rules:
    name = entry["indicator_id"]
    noise = {one["indicator_id"]: one["error"] for one in world.get("noise_bands", ())}
    calibrated = [one for one in world.get("projection_calibration", ()) if one["indicator_id"] == name]
    return Rules(
        noise_error=noise.get(name),
        trend_kept=calibrated[0]["trend_kept"] if calibrated else None,
        errors={
            one["horizon"]: (one["error_low"], one["error_high"], json.loads(one["error_percentiles"]))
            for one in calibrated
        },
        transform=row["transform"],
        baseline_year=row["baseline_year"],
        floor=row["floor_value"],
        target=row["target_value"],
        met=row["met_value"],
        target_year=row["target_year"],
        pace_target=row["pace_target_value"],
        edition_index=entry["edition_index"],
        saturating=entry["shape"] == "saturating",
        parity=entry["shape"] == "parity",
        natural_limit=entry.get("natural_limit"),
        max_age=entry["max_age_years"],
        valid=(entry["valid_min"], entry["valid_max"]),
        breaks=[
            broken["from_year"]
            for broken in world.get("series_breaks", ())
            if broken["indicator_id"] == entry["indicator_id"] and broken["iso3"] in (None, iso3)
        ],
    )


def steady(first: float, change: float, years: range = range(2019, 2026)) -> dict[int, float | None]:
    return {year: first + change * (year - years.start) for year in years}


UP, DOWN, LOG = ("up", 0.0, 100.0), ("down", 100.0, 0.0), ("log", 1.0, 100.0)
NAN, INFINITY = float("nan"), float("inf")
Cell = tuple[tuple[str, float, float], dict[int, float | None], dict[str, Any]]

ODD_SERIES: dict[str, Cell] = {
    "no figure at all": (UP, {}, {"level_score": None, "status_reason": "no_data"}),
    "NULL is no figure": (UP, {2025: None}, {"level_score": None, "status_reason": "no_data"}),
    "NaN is no figure": (UP, {2024: 50.0, 2025: NAN}, {"latest_year": 2024, "level_score": 50.0}),
    "infinity is no figure": (UP, {2024: 50.0, 2025: INFINITY}, {"latest_year": 2024, "level_score": 50.0}),
    "minus infinity is no figure": (UP, {2024: 50.0, 2025: -INFINITY}, {"latest_year": 2024, "level_score": 50.0}),
    "only a NaN": (UP, {2025: NAN}, {"level_score": None, "status_reason": "no_data"}),
    "a range of zero": (("zero", 7.0, 7.0), {2025: 5.0}, {"level_score": None, "status_reason": "no_baseline"}),
    "a single point": (
        UP,
        {2022: 40.0},
        {"level_score": 40.0, "status_reason": "one_point_only", "observed_annual_change": None, "projection": None},
    ),
    "two points": (
        UP,
        {2021: 40.0, 2025: 60.0},
        {
            "observed_annual_change": 5.0,
            "slope_basis": "two_points",
            "projection": None,
            "pace_ratio": None,
            "status": "insufficient_data",
            "status_reason": "two_points",
        },
    ),
    "all values equal": (
        UP,
        steady(40.0, 0.0),
        {
            "observed_annual_change": 0.0,
            "pace_ratio": 0.0,
            "status": "stagnating",
            "status_reason": "within_noise",
            "projection": 40.0,
            "projection_low": None,
            "projected_target_year": None,
        },
    ),
    "a target already met": (
        UP,
        {2021: 90.0, 2025: 100.0},
        {
            "level_score": 100.0,
            "status": "achieved",
            "projected_target_year": 2025,
            "required_annual_change_from_now": None,
        },
    ),
    "a target below the baseline": (
        UP,
        {2021: 120.0, 2025: 110.0},
        {"level_score": 100.0, "status": "achieved", "attainment": None, "required_annual_change": None},
    ),
    "a target below the baseline and lost again": (
        UP,
        {2021: 120.0, 2025: 90.0},
        {"level_score": 90.0, "status": "decreasing", "status_reason": "baseline_met", "attainment": None},
    ),
    "lower is better": (
        DOWN,
        steady(80.0, -5.0),
        {"level_score": 50.0, "status": "moderately_improving", "attainment": 20 / 70, "observed_annual_change": -5.0},
    ),
    "lower is better and rising": (DOWN, steady(50.0, 5.0), {"level_score": 20.0, "status": "decreasing"}),
    "negative values": (
        ("below", -2.0, 2.0),
        steady(-1.5, 0.25),
        {"level_score": 50.0, "observed_annual_change": 0.25, "attainment": 1 / 3},
    ),
    "a value below the floor": (UP, {2025: -30.0}, {"level_score": 0.0}),
    "a value beyond the target": (UP, {2025: 130.0}, {"level_score": 100.0}),
    "zero under a logarithm": (LOG, {2025: 0.0}, {"level_score": 0.0}),
    "zero under a logarithm at the baseline": (
        LOG,
        {2021: 0.0, 2022: 2.0, 2023: 4.0, 2025: 10.0},
        {
            "level_score": 50.0,
            "status": "insufficient_data",
            "status_reason": "no_baseline",
            "attainment": None,
            "observed_annual_change": None,
        },
    ),
    "down to zero under a logarithm": (
        LOG,
        {2021: 2.0, 2022: 4.0, 2023: 8.0, 2025: 0.0},
        {"level_score": 0.0, "status": "decreasing", "attainment": None, "observed_annual_change": None},
    ),
    "a negative value under a logarithm": (LOG, {2025: -3.0}, {"level_score": 0.0, "status_reason": "no_baseline"}),
    "a decreasing population": (
        ("people", 0.0, 5000.0),
        steady(4000.0, -100.0),
        {"observed_annual_change": -100.0, "level_score": 68.0, "status": "decreasing", "projection": 3150.0},
    ),
    "years missing in the middle": (
        UP,
        {2021: 40.0, 2025: 60.0, 2022: 45.0},
        {"observed_annual_change": 5.0, "slope_basis": "theil_sen", "due": 4 / 9},
    ),
    "a future year": (UP, {2024: 40.0, 2027: 90.0}, {"latest_year": 2024, "level_score": 40.0}),
    "nothing but a future year": (UP, {2027: 90.0}, {"level_score": None, "status_reason": "no_data"}),
    "an old figure": (UP, {2021: 40.0}, {"level_score": None, "status_reason": "stale", "latest_value": 40.0}),
    "an outlier": (UP, {**steady(40.0, 1.0), 2023: 99.0}, {"observed_annual_change": 1.0}),
}  # fmt: skip


@pytest.fixture(scope="module")
def odd_scores(engine: Engine) -> Scores:
    """Return the scores of all odd series, each in a framework of its own."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, ((kind, floor, target), series, _) in ODD_SERIES.items():
        direction = "lower_is_better" if target < floor else "higher_is_better"
        transform = "log" if kind == "log" else "none"
        tables["indicators"].append(indicator(name, direction=direction))
        tables["benchmarks"].append({**benchmark(name, floor, target, transform=transform), "framework_id": name})
        tables["framework_indicators"].append({**place(name), "framework_id": name})
        tables["observations"] += observations(name, "AAA", series)
    return engine.score(economies=economies("AAA"), **tables)


@pytest.mark.parametrize("name", ODD_SERIES)
def test_every_odd_series_has_its_defined_result(odd_scores: Scores, name: str) -> None:
    *_, expected = ODD_SERIES[name]
    row = odd_scores.indicators()[name, "AAA", name]
    assert {column: row[column] for column in expected} == {
        column: close(value) if isinstance(value, float) else value for column, value in expected.items()
    }


def test_odd_series_leave_no_number_that_is_not_finite_in_any_result(odd_scores: Scores) -> None:
    for table in RESULTS:
        assert not_finite(odd_scores, table) == []


def test_ranks_use_unrounded_scores_and_ties_share_one(engine: Engine) -> None:
    values = {"AAA": 50.0, "BBB": 50.0 + 1e-7, "CCC": 50.0, "DDD": 40.0, "EEE": None}
    scores = engine.score(
        economies=economies(*values),
        indicators=[indicator("up")],
        benchmarks=[benchmark("up", 0.0, 100.0)],
        framework_indicators=[place("up")],
        observations=[row for iso3, value in values.items() for row in observations("up", iso3, {2025: value})],
    )
    ranks = {iso3: row["rank"] for (_, iso3), row in scores.overall().items()}
    assert ranks == {"AAA": 2, "BBB": 1, "CCC": 2, "DDD": 4, "EEE": None}
    assert {iso3: row["rank"] for (_, iso3, _), row in scores.pillars().items()} == ranks


def test_the_rounding_error_of_figures_breaks_no_tie(engine: Engine) -> None:
    """As doubles the levels of BBB add up to a little more than those of AAA, as decimal numbers to the same."""
    levels = {"AAA": (10.1, 33.3, 33.3), "BBB": (10.2, 33.2, 33.3)}
    scores = engine.score(
        economies=economies(*levels),
        indicators=[indicator(name) for name in "abc"],
        benchmarks=[benchmark(name, 0.0, 100.0) for name in "abc"],
        framework_indicators=[place(name) for name in "abc"],
        observations=[
            row
            for iso3, order in levels.items()
            for name, level in zip("abc", order, strict=True)
            for row in observations(name, iso3, {2025: level})
        ],
    )
    assert len({row["overall_score"] for row in scores.overall().values()}) == 2
    assert {row["rank"] for row in [*scores.overall().values(), *scores.pillars().values()]} == {1}


def test_a_framework_with_only_indicators_and_benchmarks_is_scored(engine: Engine) -> None:
    """Without rows in frameworks, pillars or subthemes: every economy, equal weights, the gate of the method."""
    scores = engine.score(
        economies=economies("AAA", "BBB"),
        indicators=[indicator("a"), indicator("b"), indicator("c")],
        benchmarks=[benchmark(name, 0.0, 100.0) for name in "abc"],
        framework_indicators=[place("a", "s", "p"), place("b", "t", "p", 5.0), place("c", "u", "q")],
        observations=[
            *observations("a", "AAA", {2025: 20.0}),
            *observations("b", "AAA", {2025: 40.0}),
            *observations("c", "AAA", {2025: 90.0}),
            *observations("c", "BBB", {2025: 90.0}),
        ],
    )
    assert scores.overall()["f", "AAA"]["overall_score"] == close((30 + 90) / 2)
    assert scores.overall()["f", "BBB"]["overall_score"] is None
    assert scores.pillars()["f", "BBB", "p"]["score_reason"] == "no_data"


def test_missing_cells_of_a_benchmark_have_defaults(engine: Engine) -> None:
    """Without baseline year, value that counts as reached, pace target and weight: a level without pace."""
    left_open = {"baseline_year": None, "met_value": None, "pace_target_value": None}
    scores = engine.score(
        economies=economies("AAA", "BBB"),
        indicators=[indicator("a")],
        benchmarks=[benchmark("a", 0.0, 80.0, **left_open)],
        framework_indicators=[{**place("a"), "weight": None}],
        observations=[*observations("a", "AAA", steady(10.0, 5.0)), *observations("a", "BBB", {2025: 80.0})],
    )
    row = scores.indicators()["f", "AAA", "a"]
    assert (row["level_score"], row["status_reason"], row["pace_target_value"]) == (50.0, "no_baseline", 80.0)
    assert scores.indicators()["f", "BBB", "a"]["status"] == "achieved"
    assert scores.overall()["f", "AAA"]["overall_score"] == 50.0


def test_each_framework_has_its_own_pillar_weights_and_gate(engine: Engine) -> None:
    world: World = {
        "economies": economies("AAA", "BBB"),
        "indicators": [indicator("a"), indicator("b"), indicator("c")],
        "benchmarks": [benchmark(name, 0.0, 100.0) for name in "abc"],
        "framework_indicators": [place("a", "s", "p", 1.0), place("b", "s", "p", 3.0), place("c", "t", "q")],
        "pillars": [
            {"framework_id": "f", "pillar_id": "p", "in_overall": True, "weight": 3.0},
            {"framework_id": "f", "pillar_id": "q", "in_overall": True, "weight": 1.0},
        ],
        "observations": [
            *observations("a", "AAA", {2025: 20.0}),
            *observations("b", "AAA", {2025: 60.0}),
            *observations("c", "AAA", {2025: 90.0}),
            *observations("a", "BBB", {2025: 20.0}),
            *observations("c", "BBB", {2025: 90.0}),
        ],
    }
    low = engine.score(**world, frameworks=[{"framework_id": "f", "coverage_gate": 0.25}]).overall()
    assert low["f", "AAA"]["overall_score"] == close((3 * 50 + 90) / 4)
    assert low["f", "BBB"]["overall_score"] == close((3 * 20 + 90) / 4)
    high = engine.score(**world, frameworks=[{"framework_id": "f", "coverage_gate": 0.26}]).overall()
    assert high["f", "AAA"]["overall_score"] == close((3 * 50 + 90) / 4)
    assert high["f", "BBB"]["overall_score"] is None
