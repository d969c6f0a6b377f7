"""The compiled scoring models, run on tables of a test, in a DuckDB in memory.

Belongs here: inserting tables and running the compiled SQL in order. Does not belong here: expected results.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from pipelines.dbt.functions import register
from pipelines.scoring.models import GIVEN, LANDED, OF_SERIES, Models, load_models

RESULTS = (
    "indicator_scores",
    "subtheme_scores",
    "pillar_scores",
    "pillar_history",
    "scorecard_history",
    "matched_change",
    "region_scores",
    "imputed_scores",
)

INPUTS = (
    "benchmarks",
    "colour_thresholds",
    "economies",
    "economy_groups",
    "framework_indicators",
    "frameworks",
    "indicators",
    "noise_bands",
    "observations",
    "pillar_fills",
    "pillars",
    "projection_calibration",
    "sampling_errors",
    "series_breaks",
    "series_jumps",
    "series_repeats",
    "subthemes",
)
METHOD = ("region_variants", "scoring_parameters", "status_thresholds")
"""Tables with the parameters of the method. They are used as published unless a test gives its own."""

AS_OF_YEAR = 2026

Rows = Sequence[Mapping[str, Any]]


class Engine:
    """The models and the columns of their inputs, read once. Each call of ``score`` makes a new database.

    The calibration of projections is made from the figures of many economies: here it is an input (empty: no noise,
    the default share of the trend, no interval), unless ``calibrate`` makes it from the given figures.

    Attributes:
        models: The compiled models in their order.
        behind: Result -> the models behind it and itself, in their order.
    """

    def __init__(self, warehouse: Path, *, calibrate: bool = False):
        compiled = warehouse / "dbt" / "compiled" / "carec_scorecard" / "models"
        results, given = RESULTS, GIVEN
        if calibrate:
            results, given = (*RESULTS, "projection_backtest", "status_hit_rate"), (*LANDED, *OF_SERIES)
        self.models = load_models(compiled, results, given)
        self.behind = {result: load_models(compiled, [result], given).steps for result in results}
        with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as published:
            self._columns = {
                table: {name: kind for name, kind, *_ in published.execute(f"describe {table}").fetchall()}
                for table in (*INPUTS, *METHOD)
            }
            self._method = {table: _records(published, f"from {table}") for table in METHOD}

    def score(self, *, threads: int = 1, as_of_year: int = AS_OF_YEAR, **tables: Rows) -> Scores:
        """Return the scores of the given tables. A missing table is empty, or the published one of METHOD."""
        return Scores(self.lay_down(threads=threads, as_of_year=as_of_year, **tables), self.behind)

    def lay_down(
        self, *, threads: int = 1, as_of_year: int = AS_OF_YEAR, database: str = ":memory:", **tables: Rows
    ) -> duckdb.DuckDBPyConnection:
        """Return a database with the given tables and without scores."""
        connection = duckdb.connect(":memory:", config={"threads": threads})
        register(connection)
        self.models.prepare(connection, database)
        connection.execute(f"create table run as select make_date({as_of_year}, 12, 31) as as_of")
        for table, columns in self._columns.items():
            spelt = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f"create table {table} ({spelt})")
            insert(connection, table, tables.get(table, self._method.get(table, ())))
        return connection

    def replay(self, published: Path, *, threads: int, order: str) -> Scores:
        """Score the published tables again, with their rows inserted in the given order (an ``order by`` term)."""
        connection = self.lay_down(threads=threads)
        connection.execute(f"attach '{published}' as published (read_only)")
        connection.execute("update run set as_of = (select as_of from published.publication)")
        for table in self._columns:
            connection.execute(f"create or replace table {table} as from published.{table} order by {order}")
        return Scores(connection, self.behind)

    def run(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run every model again on the tables of the database."""
        self.models.run(connection)


class Scores:
    """Results of the models, by name. A query first runs the models behind the results that it names."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, behind: Mapping[str, Sequence[tuple[str, str, str]]]):
        self._connection, self._behind = connection, behind
        self._ran: set[str] = set()

    def query(self, sql: str) -> list[dict[str, Any]]:
        for result in self._behind.keys() & set(re.findall(r"\w+", sql)):
            missing = [step for step in self._behind[result] if step[1] not in self._ran]
            Models(tuple(missing), frozenset()).run(self._connection)
            self._ran |= {name for _, name, _ in missing}
        return _records(self._connection, sql)

    def indicators(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return (framework, economy, indicator) -> row of ``indicator_scores``."""
        return {(r["framework_id"], r["iso3"], r["indicator_id"]): r for r in self.query("from indicator_scores")}

    def pillars(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return (framework, economy, pillar) -> row of ``pillar_scores``."""
        return {(r["framework_id"], r["iso3"], r["pillar_id"]): r for r in self.query("from pillar_scores")}

    def overall(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return (framework, economy) -> row of ``scorecard_history`` for the newest year."""
        rows = self.query("from scorecard_history qualify as_of_year = max(as_of_year) over ()")
        return {(r["framework_id"], r["iso3"]): r for r in rows}


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows by column name. Columns without a value are NULL."""
    rows = list(rows)
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    values = ", ".join("(" + ", ".join(_literal(row.get(name)) for name in names) + ")" for row in rows)
    connection.execute(f"insert into {table} ({', '.join(names)}) values {values}")


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return f"'{value}'::double"
    if isinstance(value, float):
        return f"'{value!r}'::double"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
