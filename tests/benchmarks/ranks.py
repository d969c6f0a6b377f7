"""The cost of rank scenarios: the compiled models on generated tables, compared with NumPy over the same scenarios.

Belongs here: the tables, the timing of both sides, and the CPU time of a grid like that of the main framework. Does not
belong here: the second implementation (tests/reference_ranks.py) and the comparison on real figures
(tests/integration/test_rank_bands.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import duckdb
import numpy as np

from pipelines.dbt.functions import register
from tests.benchmarks.results import PAIRS, ROOT, Row, alternating, compared, seconds
from tests.reference_ranks import (
    Composite,
    Floats,
    _scores,
    exchanged,
    levels_on,
    rank_share,
    ranks,
    scores,
    weight_sets,
)

MODELS = [
    "intermediate.int_scenario_aggregations",
    "intermediate.int_scenario_values",
    "intermediate.int_scenario_weights",
    "intermediate.int_scenarios",
    "intermediate.int_scenario_ranks",
    "main.rank_scenarios",
]
ALL_MODELS = [*MODELS, "main.rank_probabilities", "main.rank_sensitivity"]
SPREAD = 0.25
AIM = 5.0
CPU_AIM = 1.0
"""Seconds of CPU time for all models of the grid of the main framework."""
VARIANTS = {"declared": (2.0, 90.0), "percentile": (5.0, 95.0), "top_five": (2.0, 99.0)}
"""Goalposts -> floor and target, in the grids that have all assumptions. The other grids have only 0 and 100."""


@dataclass(frozen=True)
class Size:
    """Number of units, indicators and random sets of weights. One figure in twenty is missing.

    With all assumptions, the indicators have three sets of goalposts, every fifth is on a scale of logarithms, and the
    first two have a second origin.
    """

    name: str
    units: int
    indicators: int
    sets: int
    has_all: bool = False

    @property
    def scenarios(self) -> int:
        return (4 * len(VARIANTS) * 2 * 2 if self.has_all else 4) * (self.sets + 1) * (self.indicators + 1)

    @property
    def is_log(self) -> np.ndarray:
        return self.has_all & (np.arange(self.indicators) % 5 == 0)


SIZES = [
    Size("11 members x 34 indicators", 11, 34, 7),
    Size("11 members x 34 indicators", 11, 34, 71),
    Size("51 units x 49 indicators", 51, 49, 4),
    Size("51 units x 49 indicators", 51, 49, 49),
]
LARGE = Size("51 units x 49 indicators", 51, 49, 1, has_all=True)
"""The size of COINr's example data. With all assumptions, the smallest grid has more than 1,000 scenarios."""
SAMPLE = 1000
GRIDS = [Size("9 members x 38 indicators", 9, 38, sets, has_all=True) for sets in (2, 9)]


def compiled_models() -> dict[str, str]:
    """Return schema-qualified name -> SQL as dbt sends it."""
    with tempfile.TemporaryDirectory(prefix="carec-ranks-") as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", "compile", "--quiet", "--no-introspect"),
                *("--select", *(name.partition(".")[2] for name in ALL_MODELS)),
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
    return {name: found[name.partition(".")[2]] for name in ALL_MODELS}


def figures(size: Size) -> tuple[Floats, Floats]:
    """Return random figures of both origins with a fixed seed; without a second origin the other ones are missing."""
    drawn = np.random.default_rng(7)
    declared, other = drawn.uniform(0, 100, (2, size.units, size.indicators))
    declared[drawn.random(declared.shape) < 0.05] = np.nan
    other[:, 2 if size.has_all else 0 :] = np.nan
    return declared, other


def goalposts(size: Size) -> dict[str, tuple[float, float]]:
    return VARIANTS if size.has_all else {"declared": (0.0, 100.0)}


def composite(size: Size) -> Composite:
    """Return five pillars of three sub-themes with equal weights, and the random figures under every alternative."""
    declared, other = figures(size)
    by_origin = {"declared": declared} | ({"other": exchanged(declared, other)} if size.has_all else {})
    return Composite(
        framework_id="bench",
        indicators=[f"indicator_{number:03}" for number in range(size.indicators)],
        weights=np.ones(size.indicators),
        subtheme=np.arange(size.indicators) % 15,
        subthemes=[f"s{number:02}" for number in range(15)],
        subtheme_weights=np.ones(15),
        pillar=np.arange(15) % 5,
        pillars=[f"p{number}" for number in range(5)],
        pillar_weights=np.ones(5),
        values={
            (origin, normalisation, name, transform): (
                levels_on(own, np.full(size.indicators, floor), np.full(size.indicators, target), is_log)
                if normalisation == "goalposts"
                else rank_share(own)
            )
            for origin, own in by_origin.items()
            for normalisation in ("goalposts", "rank_share")
            for name, (floor, target) in goalposts(size).items()
            for transform, is_log in (("declared", size.is_log), ("none", size.is_log & False))
            if size.has_all or transform == "declared"
        },
    )


def build(connection: duckdb.DuckDBPyConnection, given: Composite, size: Size) -> None:
    """Create the tables that the models read."""

    def number(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    levels = [
        given.values.get((origin, "goalposts", "declared", "declared"), np.full((size.units, size.indicators), np.nan))
        for origin in ("declared", "other")
    ]
    declared, other = figures(size)
    cells = [
        (
            f"U{unit:02}",
            indicator,
            f"p{given.pillar[subtheme]}",
            f"s{subtheme:02}",
            number(levels[0][unit, column]),
            number(declared[unit, column]),
            number(other[unit, column]),
            number(levels[1][unit, column]),
            bool(np.isfinite(declared[unit, column]) and np.isfinite(other[unit, column])),
        )
        for unit in range(size.units)
        for column, (indicator, subtheme) in enumerate(zip(given.indicators, given.subtheme, strict=True))
    ]
    connection.execute("attach ':memory:' as build; create schema build.intermediate")
    connection.execute(
        "create table build.intermediate.int_levels (framework_id varchar, as_of_year integer, iso3 varchar, "
        "indicator_id varchar, pillar_id varchar, subtheme_id varchar, weight double, level_score double, "
        "latest_value double, other_value double, other_level_score double, is_exchanged boolean)"
    )
    connection.executemany(
        "insert into build.intermediate.int_levels values ('bench', 2026, $1, $2, $3, $4, 1, $5, $6, $7, $8, $9)",
        cells,
    )
    scored = "from build.intermediate.int_levels"
    logs = [name for name, is_log in zip(given.indicators, size.is_log, strict=True) if is_log]
    floor, target = goalposts(size)["declared"]
    others = [(name, *ends) for name, ends in goalposts(size).items() if name != "declared"]
    variants = ", ".join(f"('{name}', {low}::double, {high}::double)" for name, low, high in others or [("", 0, 1)])
    for name, sql in {
        "intermediate.int_members": f"distinct framework_id, as_of_year, iso3 {scored}",
        "intermediate.int_overall_scores": "*, 50.0::double as score from build.intermediate.int_members",
        "intermediate.int_frameworks": "'bench' as framework_id, 'arithmetic' as aggregation, 'arithmetic' as "
        "pillar_aggregation, 'arithmetic' as subtheme_aggregation, 1.0::double as geometric_floor",
        "intermediate.int_pillars": "distinct framework_id, pillar_id, true as in_overall, 1.0::double as weight "
        + scored,
        "intermediate.int_subthemes": f"distinct framework_id, pillar_id, subtheme_id, 1.0::double as weight {scored}",
        "intermediate.int_pillar_scores": "distinct framework_id, as_of_year, iso3, pillar_id, 50.0::double as score, "
        f"false as is_filled {scored}",
        "intermediate.int_subtheme_scores": "distinct framework_id, as_of_year, iso3, pillar_id, subtheme_id, "
        f"50.0::double as score {scored}",
        "main.indicators": "distinct indicator_id, 'higher_is_better' as direction, 'linear' as shape " + scored,
        "main.benchmarks": "distinct framework_id, indicator_id, if(list_contains("
        f"{logs}::varchar[], indicator_id), 'log', 'none') as transform, {floor}::double as floor_value, "
        f"{target}::double as target_value {scored}",
        "main.goalpost_variants": "b.framework_id, b.indicator_id, v.* from build.main.benchmarks as b, "
        f"(values {variants}) as v(goalposts, floor_value, target_value) where {bool(others)}",
        "intermediate.int_parameters": "1000 as min_scenarios, 0.9::double as min_order_share",
        "intermediate.int_second_origins": f"* {scored} where is_exchanged",
        "main.scenario_assumptions": f"'bench' as framework_id, {size.sets} as weight_sets, "
        f"{SPREAD}::double as weight_spread",
    }.items():
        connection.execute(f"create table build.{name} as select {sql}")
    # in the models, only the second origins have these columns
    for column in ("other_value", "other_level_score", "is_exchanged"):
        connection.execute(f"alter table build.intermediate.int_levels drop column {column}")


def in_duckdb(connection: duckdb.DuckDBPyConnection, models: dict[str, str]) -> None:
    for name, sql in models.items():
        connection.execute(f"create or replace table build.{name} as {sql}")


def in_numpy(given: Composite, sets: int) -> np.ndarray:
    """Return a (4, members) array: 5th percentile, median and 95th percentile of the rank, share in the top three."""
    ranked = np.concatenate(
        [ranks(block.reshape(-1, block.shape[-1])) for block in scores(given, sets, SPREAD).values()]
    )
    return np.vstack([np.quantile(ranked, [0.05, 0.5, 0.95], axis=0), (ranked <= 3).mean(axis=0)])


def one_at_a_time(size: Size, sample: int) -> list[np.ndarray]:
    """Return the ranks of a sample of the scenarios, each computed completely from the figures, one after the other.

    It has the place of COINr, which is written in R and not installed here, and which also computes one scenario after
    the other: normalised figures, three levels of means, ranks. A sensitivity analysis in R takes longer than this.
    """
    given = composite(size)
    declared, other = figures(size)
    weights = weight_sets(given, size.sets, SPREAD)
    every = list(product(given.values, ("declared", "geometric"), range(size.sets + 1), range(size.indicators + 1)))
    found = []
    for at in np.linspace(0, len(every) - 1, sample).astype(int):
        (origin, normalisation, name, transform), aggregation, number, left_out = every[at]
        own = declared if origin == "declared" else exchanged(declared, other)
        ends = [np.full(size.indicators, end) for end in goalposts(size)[name]]
        is_log = size.is_log & (transform == "declared")
        y = levels_on(own, *ends, is_log) if normalisation == "goalposts" else rank_share(own)
        kept = np.ones(size.indicators)
        kept[left_out - 1 :][: left_out > 0] = 0
        first, *above = (one[number : number + 1] for one in weights)
        mean = _scores(given, y if aggregation == "declared" else np.log(1 + 0.99 * y), (first * kept, *above))
        found.append(ranks(mean))
    return found


def _large(models: dict[str, str]) -> Row:
    """Return the time per 1,000 scenarios with all assumptions varied, over one scenario after the other in NumPy."""
    given = composite(LARGE)
    with duckdb.connect() as connection:
        register(connection)
        build(connection, given, LARGE)
        sides = alternating(
            lambda _: seconds(lambda: in_duckdb(connection, models)),
            lambda _: seconds(lambda: one_at_a_time(LARGE, SAMPLE)),
        )
    name = f"rank scenarios, {LARGE.name}, all assumptions varied, 1,000 / one after the other in NumPy"
    return compared(name, None, *sides, per=LARGE.scenarios / SAMPLE, scenarios=LARGE.scenarios)


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of all threads."""
    started = time.process_time()
    work()
    return time.process_time() - started


def results() -> list[Row]:
    """Compare SQL with NumPy at every size, in alternating order, then the growth per scenario with the size.

    Raises SystemExit if both sides disagree, because their times would not be comparable.
    """
    every = compiled_models()
    models = {name: every[name] for name in MODELS}
    rows, times = [], {}
    for size in SIZES:
        given = composite(size)
        with duckdb.connect() as connection:
            build(connection, given, size)
            sides: tuple[Callable[[], object], ...] = (
                lambda c=connection: in_duckdb(c, models),
                lambda g=given, n=size.sets: in_numpy(g, n),
            )
            spent: tuple[list[float], list[float]] = ([], [])
            for pair in range(PAIRS + 1):
                for side in (0, 1) if pair % 2 else (1, 0):
                    spent_s = seconds(sides[side])
                    if pair:  # the first run warms up both sides
                        spent[side].append(spent_s)
            columns = "rank_p05, rank_median, rank_p95, share_top3"
            bands = connection.execute(f"select {columns} from build.main.rank_scenarios order by iso3").fetchall()
        if not np.allclose(np.array(bands).T, in_numpy(given, size.sets), atol=1e-9):
            sys.exit(f"the two sides disagree: {size}")
        times[size] = spent
        rows.append(compared(f"rank bands, {size.name}, {size.scenarios:,} scenarios / NumPy", AIM, *spent))
    for small, large in (SIZES[:2], SIZES[2:]):
        growth = large.scenarios / small.scenarios
        name = f"rank bands, {small.name}: time a scenario, {large.scenarios:,} / {small.scenarios:,}"
        rows.append(compared(name, 1.0, times[large][0], times[small][0], per=growth))
    return [*rows, *_grids(every), _large(every)]


def _grids(models: dict[str, str]) -> list[Row]:
    """Return the CPU time of all models of the ranks with all assumptions, and its growth per scenario."""
    rows, spent = [], []
    for size in GRIDS:
        given = composite(size)
        with duckdb.connect() as connection:
            register(connection)
            build(connection, given, size)
            in_duckdb(connection, models)  # warms up
            spent.append([_cpu_seconds(lambda c=connection: in_duckdb(c, models)) for _ in range(PAIRS)])
            columns = "rank_p05, rank_median, rank_p95, share_top3"
            bands = connection.execute(f"select {columns} from build.main.rank_scenarios order by iso3").fetchall()
            counted = connection.execute("select any_value(scenarios) from build.main.rank_sensitivity").fetchall()
        if not np.allclose(np.array(bands).T, in_numpy(given, size.sets), atol=1e-9) or counted != [(size.scenarios,)]:
            sys.exit(f"the two sides disagree: {size}")
        name = f"rank scenarios, {size.name}, {size.scenarios:,}: seconds of CPU time"
        rows.append(compared(name, CPU_AIM, spent[-1], [1.0] * PAIRS))
    small, large = GRIDS
    name = f"rank scenarios: CPU time a scenario, {large.scenarios:,} / {small.scenarios:,}"
    rows.append(compared(name, 1.0, spent[1], spent[0], per=large.scenarios / small.scenarios))
    return rows


if __name__ == "__main__":
    for result in results():
        print("{name:<72} {ratio:>6} (aim {aim}, range {range}, {median_s} / {against_median_s} s)".format_map(result))
