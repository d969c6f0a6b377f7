"""The SQL functions of the models that need linear algebra. NumPy computes them.

``pipelines.dbt.functions`` registers them. Belongs here: statistics of a matrix. Does not belong here: which figures
are in the matrix (``int_audit_*.sql`` and ``imputed_scores.sql`` in ``dbt_project/models``), and what plain SQL can
compute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import duckdb
import numpy as np
from duckdb import list_type
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import DOUBLE

Matrix = Sequence[Sequence[float]]


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the functions of this module in a connection's database.

    A matrix is DOUBLE[][], one list per economy. ``first_component_share(matrix)`` and ``adjusted_r_squared(matrix)``
    return DOUBLE; ``predicted_with_errors(matrix, point)`` takes a DOUBLE[] besides and returns DOUBLE[]. They are NULL
    for a NULL matrix.
    """
    vector = list_type(DOUBLE)
    matrix = list_type(vector)
    for function, arguments, result in (
        (first_component_share, [matrix], DOUBLE),
        (adjusted_r_squared, [matrix], DOUBLE),
        (predicted_with_errors, [matrix, vector], vector),
    ):
        # all connections of a process to one file share its functions: another connection may have created this one
        with contextlib.suppress(duckdb.CatalogException):
            connection.create_function(
                function.__name__, function, [*arguments], result, null_handling=FunctionNullHandling.SPECIAL
            )


def first_component_share(matrix: Matrix | None) -> float | None:
    """Return the share of the variance of the standardised columns in their first principal component.

    Args:
        matrix: One row per economy, one column per item, without gaps.

    Returns:
        The largest eigenvalue of the correlation matrix, divided by the number of columns; None if a column is constant
        or there are fewer than two columns or rows, or no matrix.
    """
    if matrix is None:
        return None
    values = np.asarray(matrix, dtype=float)
    if min(values.shape) < 2 or not values.std(axis=0).all():
        return None
    return float(np.linalg.eigvalsh(np.corrcoef(values, rowvar=False))[-1] / values.shape[1])


def adjusted_r_squared(matrix: Matrix | None) -> float | None:
    """Return the adjusted R squared of a least-squares regression, with a constant, of the first column on the others.

    Args:
        matrix: One row per economy, without gaps.

    Returns:
        1 - (1 - R squared) (n - 1) / (n - k - 1) for k regressors; None if n - k - 1 is not positive or the first
        column is constant, or there is no matrix.
    """
    if matrix is None:
        return None
    values = np.asarray(matrix, dtype=float)
    dependent, regressors = values[:, 0], np.column_stack([np.ones(len(values)), values[:, 1:]])
    freedom = len(values) - regressors.shape[1]
    total = float(((dependent - dependent.mean()) ** 2).sum())
    if freedom < 1 or not total:
        return None
    fitted = regressors @ np.linalg.lstsq(regressors, dependent, rcond=None)[0]
    unexplained = float(((dependent - fitted) ** 2).sum())
    return float(1 - unexplained / total * (len(values) - 1) / freedom)


def predicted_with_errors(matrix: Matrix | None, point: Sequence[float] | None) -> list[float] | None:
    """Return what a least-squares regression predicts, and how wrong it is for economies that it has not seen.

    Args:
        matrix: One row per economy, without gaps: the dependent value, then the regressors.
        point: The regressors of the economy to predict.

    Returns:
        The prediction; the 5th and 95th percentile of actual less predicted value over the rows, each predicted by a
        regression without it; the root of the mean squared such error. None if the rows do not determine the regression
        without any of them.
    """
    if matrix is None or point is None:
        return None
    values = np.asarray(matrix, dtype=float)
    regressors = np.column_stack([np.ones(len(values)), values[:, 1:]])
    if len(values) <= regressors.shape[1] or np.linalg.matrix_rank(regressors) < regressors.shape[1]:
        return None
    coefficients = np.linalg.lstsq(regressors, values[:, 0], rcond=None)[0]
    # leaving a row out divides its residual by 1 less its leverage
    leverage = (np.linalg.qr(regressors)[0] ** 2).sum(axis=1)
    if (leverage > 1 - 1e-9).any():
        return None
    errors = (values[:, 0] - regressors @ coefficients) / (1 - leverage)
    low, high = np.quantile(errors, [0.05, 0.95])
    predicted = np.concatenate([[1.0], np.asarray(point, dtype=float)]) @ coefficients
    return [float(predicted), float(low), float(high), float(np.sqrt((errors**2).mean()))]
