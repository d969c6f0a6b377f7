"""The functions of the statistical audit that use linear algebra, on matrices with known results."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.dbt.statistics import adjusted_r_squared, first_component_share, register

UNCORRELATED = [[1, 1], [1, -1], [-1, 1], [-1, -1]]


@pytest.mark.parametrize(
    ("matrix", "share"),
    [
        ([[1, 10], [2, 20], [4, 40]], 1),
        ([[1, -10], [2, -20], [4, -40]], 1),
        (UNCORRELATED, 0.5),
        ([[1, 5], [2, 5], [4, 5]], None),
        ([[1], [2], [4]], None),
        ([[1, 2]], None),
    ],
)
def test_the_first_component_has_the_largest_share_of_the_standardised_variance(
    matrix: list[list[float]], share: float | None
) -> None:
    assert first_component_share(matrix) == (None if share is None else pytest.approx(share))


def test_adjusted_r_squared_pays_for_each_regressor() -> None:
    # y = x + e with e orthogonal to x and to the constant: R squared is 4 / 8, of n = 4 and k = 1
    matrix = [[2, 1], [0, 1], [0, -1], [-2, -1]]
    assert adjusted_r_squared(matrix) == pytest.approx(1 - (1 - 0.5) * 3 / 2)
    assert adjusted_r_squared([[2 * x + 1, x] for x in range(4)]) == pytest.approx(1)
    assert adjusted_r_squared(matrix[:2]) is None  # no degree of freedom is left
    assert adjusted_r_squared([[7, x] for x in range(4)]) is None


def test_connections_to_one_database_can_both_register_the_functions() -> None:
    with duckdb.connect() as connection:
        register(connection)
        register(connection.cursor())
        for matrix, share in (
            ("[[1, 10], [2, 20], [4, 40]]", pytest.approx(1)),
            ("[[1, 1], [1, 2]]", None),
            ("null", None),
        ):
            assert connection.execute(f"select first_component_share({matrix})").fetchone() == (share,)
        assert connection.execute("select adjusted_r_squared(null)").fetchone() == (None,)
