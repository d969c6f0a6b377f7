"""Projections: their calibration, intervals, probabilities, and the statuses that follow from them.

Belongs here: the published tables against a second implementation, and promises about every economy. Does not belong
here: single cells (``test_scoring_independent``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT
from tests.integration.test_scoring_independent import TABLES, rows, rules_of
from tests.reference_projection import Calibration, calibrate, windows_of
from tests.reference_scoring import read_seed

FRAMEWORK = "carec_2030"


@pytest.fixture(scope="module")
def calibrated(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Calibration]:
    """Return the calibration of every indicator, computed from the published observations of all economies."""
    folder = tmp_path_factory.mktemp("tables")
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        for table in TABLES:
            connection.execute(f"copy {table} to '{folder / table}.csv' (header)")
    given = {row["parameter"]: float(row["value"]) for row in read_seed(folder, "scoring_parameters")}
    real = {row["iso3"] for row in read_seed(folder, "economies") if row["is_aggregate"] == "false"}
    rules = {
        key: rule
        for key, rule in rules_of(FRAMEWORK, folder, {}).items()
        if not rule.edition_index and rule.baseline_year is not None
    }
    names = {name for _, name in rules}
    series: dict[tuple[str, str], dict[int, tuple[float, int]]] = defaultdict(dict)
    with duckdb.connect(str(published_warehouse / "build.duckdb"), read_only=True) as connection:
        points = connection.execute(
            f"select iso3, indicator_id, year, value, measured_year from intermediate.int_points"
            f" where framework_id = '{FRAMEWORK}'"
        ).fetchall()
    for iso3, name, year, value, measured in points:
        if name in names and iso3 in real:
            series[iso3, name][year] = (value, measured)
    windows = defaultdict(list)
    for (iso3, name), figures in sorted(series.items()):
        windows[name] += windows_of(iso3, figures, rules[iso3, name], given)
    kinds = {}
    for (_, name), rule in rules.items():
        kind = (
            "logit" if rule.saturating else "log" if rule.transform == "log" else "parity" if rule.parity else "linear"
        )
        kinds[name] = kind, 1.0 if kind in ("logit", "log") else abs(rule.target - rule.floor)
    errors = ROOT / "dbt_project" / "seeds"
    sampling = {row["indicator_id"]: float(row["error"]) for row in read_seed(errors, "sampling_errors")}
    return calibrate(windows, kinds, sampling, given)


def test_the_calibration_equals_the_second_implementation(
    published_warehouse: Path, calibrated: dict[str, Calibration]
) -> None:
    bands = dict(
        rows(published_warehouse, f"select indicator_id, error from noise_bands where framework_id = '{FRAMEWORK}'")
    )
    assert bands == {name: one.error and pytest.approx(one.error, rel=1e-9) for name, one in calibrated.items()}
    published = rows(
        published_warehouse,
        "select indicator_id, horizon, trend_kept, method_basis, error_percentiles from projection_calibration"
        f" where framework_id = '{FRAMEWORK}'",
    )
    assert {name for name, *_ in published} == calibrated.keys()
    for name, horizon, kept, basis, percentiles in published:
        one = calibrated[name]
        assert (kept, basis) == (one.kept, one.basis), name
        if percentiles is None:
            assert horizon not in one.percentiles, (name, horizon)
        else:
            assert json.loads(percentiles) == pytest.approx(one.percentiles[horizon], rel=1e-9, abs=1e-9), name


def test_the_reached_coverage_equals_the_second_implementation_and_misses_are_named(
    published_warehouse: Path, calibrated: dict[str, Calibration]
) -> None:
    tested = rows(
        published_warehouse,
        "select indicator_id, horizon, test_windows, reached_coverage, nominal_coverage, is_missed"
        f" from projection_backtest where framework_id = '{FRAMEWORK}' and test_windows > 0",
    )
    assert len(tested) > 90
    for name, horizon, windows, reached, nominal, missed in tested:
        count, inside = calibrated[name].tested[horizon]
        assert (windows, reached) == (count, pytest.approx(inside / count)), (name, horizon)
        assert missed == (None if count < 50 else abs(inside / count - nominal) > 0.05 + 1e-9), (name, horizon)
    by_indicator = rows(
        published_warehouse,
        "select distinct indicator_id, indicator_coverage, is_indicator_missed from projection_backtest"
        " where is_indicator_missed is not null",
    )
    for name, coverage, missed in by_indicator:
        assert missed == (abs(coverage - 0.9) > 0.05), name
        assert coverage > 0.75, name


def test_no_status_of_any_economy_contradicts_its_projection(published_warehouse: Path) -> None:
    """The refresh runs the same comparison; here it must have had something to compare."""
    test = (
        published_warehouse
        / "dbt"
        / "compiled"
        / "carec_scorecard"
        / "tests"
        / "no_status_contradicts_its_projection.sql"
    )
    with duckdb.connect(str(published_warehouse / "build.duckdb"), read_only=True) as build:
        sql = test.read_text(encoding="utf-8")
        assert build.execute(sql).fetchall() == []
        ((judged, on_track),) = build.execute(
            "select count(*), count(*) filter (status = 'on_track') from intermediate.int_indicator_scores"
            " where status_reason = 'pace' and projection is not null"
        ).fetchall()
    assert judged > 500 and on_track > 50


def test_an_interval_never_ends_at_a_bound_that_only_catches_typing_errors(published_warehouse: Path) -> None:
    cells = rows(
        published_warehouse,
        "select s.indicator_id, s.projection_low, s.projection_high, s.latest_value, i.valid_min, i.valid_max,"
        " i.natural_limit from indicator_scores as s join indicators as i using (indicator_id)"
        " where s.projection_low is not null",
    )
    assert len(cells) > 100
    for name, low, high, latest, bottom, top, limit in cells:
        if limit is None:
            assert high < top, name
        else:
            assert high <= max(limit, latest) + 1e-9 or limit == 1, name
        assert low > bottom or bottom >= 0, name


def test_two_points_give_neither_projection_nor_pace(published_warehouse: Path) -> None:
    cells = rows(
        published_warehouse,
        "select status_reason, projection, pace_ratio, probability_of_target, observed_annual_change"
        " from indicator_scores where points = 2",
    )
    assert len(cells) > 50
    for reason, projection, ratio, probability, change in cells:
        assert (projection, ratio, probability) == (None, None, None) and change is not None
        assert reason in {"met", "two_points", "baseline_met"}


def test_the_hit_rate_of_a_status_counts_windows_and_orders_the_statuses(published_warehouse: Path) -> None:
    rates = {
        (status, reason): (windows, reached, share)
        for status, reason, windows, reached, share in rows(
            published_warehouse,
            "select status, status_reason, windows, reached, share_reached from status_hit_rate"
            " where framework_id = 'carec_2030' and indicator_id = 'all'",
        )
    }
    for windows, reached, share in rates.values():
        assert share == pytest.approx(reached / windows)
    better = [("on_track", "met"), ("on_track", "pace"), ("moderately_improving", "pace"), ("stagnating", "pace")]
    shares = [rates[status][2] for status in better]
    assert shares == sorted(shares, reverse=True)
    parts = rows(
        published_warehouse,
        "select indicator_id = 'all', sum(windows), sum(reached) from status_hit_rate group by 1 order by 1",
    )
    assert parts[0][1:] == parts[1][1:]
