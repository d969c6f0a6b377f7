"""The cost of rank bands: the compiled models on generated tables, compared with NumPy over the same scenarios.

Belongs here: the tables, and the timing of both sides. Does not belong here: the second implementation
(tests/reference_ranks.py) and the comparison on real figures (tests/integration/test_rank_bands.py).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from tests.reference_ranks import Composite, rank_share, ranks, scores

ROOT = Path(__file__).resolve().parents[2]
MODELS = [
    "intermediate.int_scenario_aggregations",
    "intermediate.int_scenario_values",
    "intermediate.int_scenario_weights",
    "intermediate.int_scenarios",
    "intermediate.int_scenario_ranks",
    "main.rank_scenarios",
]
SPREAD = 0.25
PAIRS = 5
AIM = 5.0


@dataclass(frozen=True)
class Size:
    """Number of units, indicators and random sets of weights. One figure in twenty is missing."""

    name: str
    units: int
    indicators: int
    sets: int

    @property
    def scenarios(self) -> int:
        return 4 * (self.sets + 1) * (self.indicators + 1)


SIZES = [
    Size("11 members x 34 indicators", 11, 34, 7),
    Size("11 members x 34 indicators", 11, 34, 71),
    Size("51 units x 49 indicators", 51, 49, 4),
    Size("51 units x 49 indicators", 51, 49, 49),
]


def compiled_models() -> dict[str, str]:
    """Return schema-qualified name -> SQL as dbt sends it."""
    with tempfile.TemporaryDirectory(prefix="carec-ranks-") as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", "compile", "--quiet", "--no-introspect"),
                *("--select", *(name.partition(".")[2] for name in MODELS)),
                *("--project-dir", str(ROOT / "dbt_project"), "--profiles-dir", str(ROOT / "dbt_project")),
                *("--target-path", folder, "--log-path", folder),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"CAREC_WAREHOUSE": folder, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        )
        if done.returncode:
            sys.exit(f"dbt compile failed:\n{done.stdout}{done.stderr}")
        found = {path.stem: path.read_text(encoding="utf-8") for path in Path(folder).rglob("compiled/**/*.sql")}
    return {name: found[name.partition(".")[2]] for name in MODELS}


def composite(size: Size) -> Composite:
    """Return five pillars of three sub-themes with equal weights, and random levels with a fixed seed."""
    drawn = np.random.default_rng(7)
    levels = drawn.uniform(0, 100, (size.units, size.indicators))
    levels[drawn.random(levels.shape) < 0.05] = np.nan
    return Composite(
        framework_id="bench",
        indicators=[f"indicator_{number:03}" for number in range(size.indicators)],
        weights=np.ones(size.indicators),
        subtheme=np.arange(size.indicators) % 15,
        subtheme_weights=np.ones(15),
        pillar=np.arange(15) % 5,
        pillar_weights=np.ones(5),
        values={("declared", "goalposts"): levels, ("declared", "rank_share"): rank_share(levels)},
    )


def build(connection: duckdb.DuckDBPyConnection, given: Composite, sets: int) -> None:
    """Create the tables that the models read."""
    levels = given.values["declared", "goalposts"]
    cells = [
        (
            f"U{unit:02}",
            indicator,
            f"p{given.pillar[subtheme]}",
            f"s{subtheme:02}",
            None if np.isnan(level) else float(level),
        )
        for unit, row in enumerate(levels)
        for indicator, subtheme, level in zip(given.indicators, given.subtheme, row, strict=True)
    ]
    connection.execute("attach ':memory:' as build; create schema build.intermediate")
    connection.execute(
        "create table build.intermediate.int_indicator_scores (framework_id varchar, as_of_year integer, iso3 varchar, "
        "indicator_id varchar, pillar_id varchar, subtheme_id varchar, weight double, level_score double, "
        "latest_value double)"
    )
    connection.executemany(
        "insert into build.intermediate.int_indicator_scores values ('bench', 2026, $1, $2, $3, $4, 1, $5, $5)", cells
    )
    for name, sql in {
        "intermediate.int_members": "distinct framework_id, as_of_year, iso3 "
        "from build.intermediate.int_indicator_scores",
        "intermediate.int_overall_scores": "*, 50.0::double as score from build.intermediate.int_members",
        "intermediate.int_frameworks": "'bench' as framework_id, 'arithmetic' as aggregation, 'arithmetic' as "
        "pillar_aggregation, 'arithmetic' as subtheme_aggregation, 1.0::double as geometric_floor",
        "intermediate.int_pillars": "distinct framework_id, pillar_id, true as in_overall, 1.0::double as weight "
        "from build.intermediate.int_indicator_scores",
        "intermediate.int_subthemes": "distinct framework_id, pillar_id, subtheme_id, 1.0::double as weight "
        "from build.intermediate.int_indicator_scores",
        "main.indicators": "distinct indicator_id, 'higher_is_better' as direction "
        "from build.intermediate.int_indicator_scores",
        "intermediate.int_parameters": "1000 as min_scenarios",
        "intermediate.int_second_origins": "*, null::double as other_value, null::double as other_level_score, "
        "false as is_exchanged from build.intermediate.int_indicator_scores limit 0",
        "main.scenario_assumptions": f"'bench' as framework_id, {sets} as weight_sets, "
        f"{SPREAD}::double as weight_spread",
    }.items():
        connection.execute(f"create table build.{name} as select {sql}")


def in_duckdb(connection: duckdb.DuckDBPyConnection, models: dict[str, str]) -> None:
    for name, sql in models.items():
        connection.execute(f"create or replace table build.{name} as {sql}")


def in_numpy(given: Composite, sets: int) -> np.ndarray:
    """Return a (4, members) array: 5th percentile, median and 95th percentile of the rank, share in the top three."""
    ranked = np.concatenate(
        [ranks(block.reshape(-1, block.shape[-1])) for block in scores(given, sets, SPREAD).values()]
    )
    return np.vstack([np.quantile(ranked, [0.05, 0.5, 0.95], axis=0), (ranked <= 3).mean(axis=0)])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _row(name: str, aim: float, mine: list[float], theirs: list[float], per: float = 1.0) -> dict[str, object]:
    ratios = [a / b / per for a, b in zip(mine, theirs, strict=True)]
    return {
        "name": name,
        "ratio": round(statistics.median(ratios), 3),
        "aim": aim,
        "range": [round(min(ratios), 3), round(max(ratios), 3)],
        "median_s": round(statistics.median(mine), 3),
        "against_median_s": round(statistics.median(theirs), 3),
        "pairs": len(mine),
    }


def results() -> list[dict[str, object]]:
    """Compare SQL with NumPy at every size, in alternating order, then the growth per scenario with the size.

    Raises SystemExit if both sides disagree, because their times would not be comparable.
    """
    models = compiled_models()
    rows, times = [], {}
    for size in SIZES:
        given = composite(size)
        with duckdb.connect() as connection:
            build(connection, given, size.sets)
            sides: tuple[Callable[[], object], ...] = (
                lambda c=connection: in_duckdb(c, models),
                lambda g=given, n=size.sets: in_numpy(g, n),
            )
            spent: tuple[list[float], list[float]] = ([], [])
            for pair in range(PAIRS + 1):
                for side in (0, 1) if pair % 2 else (1, 0):
                    seconds = _seconds(sides[side])
                    if pair:  # the first run warms up both sides
                        spent[side].append(seconds)
            columns = "rank_p05, rank_median, rank_p95, share_top3"
            bands = connection.execute(f"select {columns} from build.main.rank_scenarios order by iso3").fetchall()
        if not np.allclose(np.array(bands).T, in_numpy(given, size.sets), atol=1e-9):
            sys.exit(f"the two sides disagree: {size}")
        times[size] = spent
        rows.append(_row(f"rank bands, {size.name}, {size.scenarios:,} scenarios / NumPy", AIM, *spent))
    for small, large in (SIZES[:2], SIZES[2:]):
        growth = large.scenarios / small.scenarios
        name = f"rank bands, {small.name}: time a scenario, {large.scenarios:,} / {small.scenarios:,}"
        rows.append(_row(name, 1.0, times[large][0], times[small][0], growth))
    return rows


if __name__ == "__main__":
    for result in results():
        print("{name:<72} {ratio:>6} (aim {aim}, range {range}, {median_s} / {against_median_s} s)".format_map(result))
