"""The cost of scoring 217 economies x 400 indicators x 25 years, compared with rewriting the same rows, and its growth.

Belongs here: invented figures in the format of the real ones, and the compiled models. Does not belong here:
assertions; readers compare the ratios with the aims.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from tests.benchmarks.results import PAIRS, Row, compared, seconds
from tests.engine import AS_OF_YEAR, Engine

ECONOMIES, INDICATORS, YEARS = 217, 400, 25
THREADS = 2

_OBSERVATIONS = """
insert into observations by name
select
    e.iso3,
    i.indicator_id,
    y.year,
    1 + (hash(e.iso3, i.indicator_id) % 60) + (y.year - 2000) * (hash(i.indicator_id) % 5) / 4.0
        + (hash(e.iso3, i.indicator_id, y.year) % 1000) / 500.0 as value,
    'pct' as unit,
    'provider' as provider,
    'SERIES.' || i.indicator_id as provider_code,
    'release of the year' as provider_release,
    timestamp '2026-11-01 00:00:00' as retrieved_at,
    'https://example.org/' || i.indicator_id as source_url,
    sha256(i.indicator_id) as raw_sha256,
    'CC BY 4.0' as licence,
    'provider' as retrieved_via,
    timestamp '2026-11-01 00:00:00' as vintage_at
from economies as e
cross join indicators as i
cross join (select unnest(range($1, $2))::integer as year) as y
order by indicator_id, iso3, year
"""


def world(engine: Engine, database: Path, economies: int, indicators: int = INDICATORS) -> duckdb.DuckDBPyConnection:
    """Create a database file with the inputs of one framework: indicators in five pillars, a history since 2015."""
    names = [f"i{n:03}" for n in range(indicators)]
    connection = engine.lay_down(
        threads=THREADS,
        database=str(database),
        economies=[{"iso3": f"E{n:04}", "name": f"E{n:04}", "is_aggregate": False} for n in range(economies)],
        indicators=[
            {
                "indicator_id": name,
                "direction": "higher_is_better",
                "shape": "saturating" if n % 3 == 0 else "linear",
                "valid_min": 0.0,
                "valid_max": 100.0,
                "edition_index": False,
                "max_age_years": 4,
            }
            for n, name in enumerate(names)
        ],
        benchmarks=[
            {
                "framework_id": "f",
                "indicator_id": name,
                "transform": "log" if n % 5 == 1 else "none",
                "baseline_year": 2021,
                "floor_value": 2.0,
                "target_value": 95.0,
                "met_value": 95.0,
                "target_year": 2030,
                "pace_target_value": 95.0,
            }
            for n, name in enumerate(names)
        ],
        framework_indicators=[
            {
                "framework_id": "f",
                "indicator_id": name,
                "pillar_id": f"p{n % 5}",
                "subtheme_id": f"p{n % 5}s{n % 20}",
                "weight": 1.0,
            }
            for n, name in enumerate(names)
        ],
    )
    connection.execute(_OBSERVATIONS, [AS_OF_YEAR - YEARS, AS_OF_YEAR])
    connection.execute("checkpoint build")
    return connection


def _rewrite(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create or replace table build.main.rewritten as from build.main.observations")
    connection.execute("checkpoint build")


def _score(engine: Engine, connection: duckdb.DuckDBPyConnection) -> None:
    engine.run(connection)
    connection.execute("checkpoint build")


def results(built: Path) -> list[Row]:
    """Return two comparisons, each of pairs measured alternately in this process on databases in files.

    Args:
        built: A warehouse that a refresh has built, for its compiled models.
    """
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        engine = Engine(built)
        full = world(engine, Path(folder, "full.duckdb"), ECONOMIES)
        small = world(engine, Path(folder, "small.duckdb"), ECONOMIES // 10)
        scored: list[float] = []
        rewritten: list[float] = []
        tenth: list[float] = []
        for _ in range(PAIRS):
            rewritten.append(seconds(lambda: _rewrite(full)))
            scored.append(seconds(lambda: _score(engine, full)))
            tenth.append(seconds(lambda: _score(engine, small)))
    size = f"{ECONOMIES} economies x {INDICATORS} indicators x {YEARS} years"
    return [
        compared(f"scoring {size} / rewriting them", 5.0, scored, rewritten),
        compared("scoring ten times the economies, over linear", 1.0, scored, tenth, per=ECONOMIES / (ECONOMIES // 10)),
    ]
