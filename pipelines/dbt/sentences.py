"""The SQL function ``sentence(code, operands)``, which returns English texts.

``pipelines.dbt.functions`` registers it. Models call the function through the macro ``sentence``. The texts and
their formats do not belong here: see ``pipelines.texts``.
"""

from __future__ import annotations

import contextlib
import json

import duckdb
from duckdb.func import FunctionNullHandling
from duckdb.sqltypes import VARCHAR

from pipelines.texts.words import Words


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create ``sentence(code VARCHAR, operands VARCHAR) -> VARCHAR`` in a connection's database.

    ``code`` and ``operands`` (a JSON object) are those of ``Words.sentence``. The result is NULL if ``code`` is NULL.
    DuckDB needs about 50 µs for each call: see the macro ``sentence``.
    """
    words = Words("en")

    def sentence(code: str | None, operands: str | None) -> str | None:
        return None if code is None else words.sentence(code, json.loads(operands or "{}"))

    # all connections of a process to one file share its functions: another connection may have created this one
    with contextlib.suppress(duckdb.CatalogException):
        connection.create_function(
            "sentence", sentence, [VARCHAR, VARCHAR], VARCHAR, null_handling=FunctionNullHandling.SPECIAL
        )
