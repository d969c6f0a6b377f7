"""The SQL functions of the statistical audit that need linear algebra. NumPy computes them.

``pipelines.dbt.functions`` registers them. Belongs here: statistics of a matrix. Does not belong here: which figures
are in the matrix (``dbt_project/models/intermediate/int_audit_*.sql``), and what plain SQL can compute.
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
    """Create ``first_component_share(matrix)`` and ``adjusted_r_squared(matrix)`` in a connection's database.

    Both take DOUBLE[][], one list per economy, and return DOUBLE. They are NULL for a NULL matrix.
    """
    matrix = list_type(list_type(DOUBLE))
    for function in (first_component_share, adjusted_r_squared):
        # all connections of a process to one file share its functions: another connection may have created this one
        with contextlib.suppress(duckdb.CatalogException):
            connection.create_function(
                function.__name__, function, [matrix], DOUBLE, null_handling=FunctionNullHandling.SPECIAL
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
