"""Sums and means in the scoring SQL: the same in any order, in a stated range, never NaN.

Belongs here: the macros of arithmetic.sql, run by themselves. Does not belong here: models that use them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import duckdb
import pytest
from jinja2 import Environment

from tests.conftest import ROOT

MACROS = Environment().from_string((ROOT / "dbt_project/macros/arithmetic.sql").read_text(encoding="utf-8")).module
EXACT_SUM = MACROS.exact_sum("value")  # type: ignore[attr-defined]
EXACT_MEAN = MACROS.exact_mean("value")  # type: ignore[attr-defined]
WEIGHTED_MEAN = MACROS.weighted_mean("value", "weight")  # type: ignore[attr-defined]

POPULATIONS = [1.4e9, 3.6e7, 1.0e7, 3.9e6, 2.0e7, 6.4e6, 3.4e6, 2.4e8, 1.0e7, 6.5e6, 3.5e7]


def aggregated(
    aggregate: str, values: Sequence[float | None], weights: Sequence[float | None] | None = None
) -> float | None:
    """Return the aggregate over rows in the given order."""
    weights = weights or [1.0] * len(values)
    rows = "select unnest($1::double[]) as value, unnest($2::double[]) as weight"
    with duckdb.connect(config={"threads": 1}) as connection:
        row = connection.execute(f"select {aggregate} from ({rows})", [values, weights]).fetchone()
    assert row
    return None if row[0] is None else float(row[0])


@pytest.mark.parametrize("magnitude", [1e-13, 1e-6, 1.0, 1e9, 1e18, 1e35])
def test_a_sum_is_the_same_in_any_order_and_keeps_its_digits_from_1e_minus_13_to_1e38(magnitude: float) -> None:
    chance = random.Random(18)
    values = [magnitude * chance.uniform(1, 10) * chance.choice([1, 1, -1]) for _ in range(200)]
    sums = set()
    for _ in range(5):
        chance.shuffle(values)
        sums.add(aggregated(EXACT_SUM, values))
    assert len(sums) == 1
    assert sums.pop() == pytest.approx(math.fsum(values), rel=1e-15, abs=0)


def test_a_sum_of_small_and_large_values_loses_neither() -> None:
    assert aggregated(EXACT_SUM, [1e17, 1.0, -1e17, 2.0**-50]) == 1 + 2.0**-50


def test_missing_values_are_left_out_and_without_values_there_is_no_sum() -> None:
    assert aggregated(EXACT_SUM, [0.1, None, 0.2]) == 0.1 + 0.2
    assert aggregated(EXACT_MEAN, [1.0, None, 2.0]) == 1.5
    assert aggregated(EXACT_SUM, [None, None]) is None
    assert aggregated(EXACT_MEAN, [None]) is None
    assert aggregated(WEIGHTED_MEAN, [None], [1.0]) is None


def test_a_mean_weighted_by_population_keeps_its_digits_for_amounts_of_money_in_any_currency() -> None:
    amounts = [2e16 / (number + 1) for number in range(len(POPULATIONS))]
    expected = math.fsum(w * v for w, v in zip(POPULATIONS, amounts, strict=True)) / math.fsum(POPULATIONS)
    assert aggregated(WEIGHTED_MEAN, amounts, POPULATIONS) == pytest.approx(expected, rel=4e-16, abs=0)


def test_a_weight_counts_only_with_its_value_and_a_value_only_with_its_weight() -> None:
    assert aggregated(WEIGHTED_MEAN, [10.0, None, 40.0, 99.0], [2.0, 5.0, 1.0, None]) == 20


def test_one_score_of_0_makes_a_geometric_mean_0_whose_floor_is_0_and_never_nan() -> None:
    mean = aggregated(WEIGHTED_MEAN, [math.log(0.5), -math.inf, math.log(0.9)], [1.0, 1e-6, 1000.0])
    assert mean == -math.inf and math.exp(mean) == 0


@pytest.mark.parametrize("values", ["'1', 'nan'", "'1', 'infinity'", "'1.7e38', '1.7e38'", "'1e39'"])
def test_a_sum_that_is_no_number_is_an_error(values: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error, match=r"[Oo]verflow|can't be cast"):
        connection.execute(f"select {EXACT_SUM} from (select unnest([{values}]::double[]) as value)")
