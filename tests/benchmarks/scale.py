"""``make bench-scale``: time and memory at 1, 10 and 100 times the indicators, economies, vintages and claims.

Belongs here: the inputs of each size, the measurement of each model, and what grows faster than its input. Does not
belong here: ratios with other programs (``make bench``), the lake (``make bench-lake``).

    python -m tests.benchmarks.scale [--large] [--memory-limit 6GB] [--only indicators]

``--large`` adds 21.7 million figures and 100,000 vintages. CPU seconds are counted, because other processes take time
of the clock. The JSON is in ``build/bench/scale.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from pipelines.dbt.functions import register
from pipelines.scoring.models import Models, load_models
from tests.benchmarks.scoring import YEARS, world
from tests.claims_engine import DOCUMENTARY, GIVEN, METHOD
from tests.conftest import AS_OF, run_carec
from tests.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
THREADS = 2
AIM = 1.5
"""Most growth of time or memory per unit, from one size to the next."""
NOTICEABLE_S, NOTICEABLE_MIB = 0.3, 300.0
"""Below these, fixed costs decide, and growth is not judged."""
FILES_OF_INDICATOR = 100
FIGURES_OF_VINTAGE = 100

CAUSES = {
    "int_cells": "the as-of join sorts the cells of all years and the points; beyond the limit of memory it spills",
    "int_measured": "two windows sort each series that repeats figures; beyond the limit of memory they spill",
    "int_points_lost": "joins of every cell of the run with its sub-theme, pillar and overall score",
    "int_vintages": "one file per vintage: DuckDB opens each and reads its footer",
}
"""Why a model may grow faster than its input."""


@dataclass(frozen=True)
class Case:
    """Inputs of one size. ``dimension`` is what grows, ``times`` how much of the smallest size."""

    dimension: str
    times: int
    economies: int = 0
    indicators: int = 0
    vintages: int = 0
    register: int = 0

    @property
    def unit(self) -> str:
        return {"vintages": "vintage", "claims": "claim"}.get(self.dimension, "figure")


CASES = [
    Case("indicators", 1, economies=22, indicators=40),
    Case("indicators", 10, economies=22, indicators=400),
    Case("indicators", 100, economies=22, indicators=4000),
    Case("economies", 1, economies=22, indicators=40),
    Case("economies", 10, economies=217, indicators=40),
    Case("economies", 100, economies=2170, indicators=40),
    Case("both", 1, economies=22, indicators=40),
    Case("both", 100, economies=217, indicators=400),
    Case("vintages", 1, vintages=100),
    Case("vintages", 10, vintages=1_000),
    Case("vintages", 100, vintages=10_000),
    Case("claims", 1, register=1),
    Case("claims", 10, register=10),
    Case("claims", 100, register=100),
]
LARGE = [
    Case("both", 1000, economies=217, indicators=4000),
    Case("vintages", 1000, vintages=100_000),
]


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a model, peak resident memory of its process and spilled data in MiB."""

    cpu_s: float
    peak_mib: float
    spilled_mib: float
    is_out_of_memory: bool = False


def _cpu() -> float:
    times = os.times()
    return times.user + times.system


def _peak_mib(*, reset: bool = False) -> float:
    """Return the peak resident memory of this process since the last reset (Linux only)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _measured(database: Path, memory_limit: str, models: Models) -> Iterator[tuple[str, Cost]]:
    """Run each model in a connection of its own. One that runs out of memory is the last.

    ``int_landed`` is a view: what it costs is in the models that read it.
    """
    profile = database.with_suffix(".json")
    for schema, name, sql in models.steps:
        with duckdb.connect(config={"threads": THREADS, "memory_limit": memory_limit}) as connection:
            connection.execute(f"set temp_directory = '{database}.tmp'; set enable_external_file_cache = false")
            register(connection)
            models.prepare(connection, str(database))
            connection.execute(f"set enable_profiling = 'json'; set profiling_output = '{profile}'")
            if name == "int_landed":
                connection.execute(f"create view build.{schema}.{name} as {sql}")
                continue
            _peak_mib(reset=True)
            started = _cpu()
            try:
                connection.execute(f"create table build.{schema}.{name} as {sql}")
            except duckdb.OutOfMemoryException:
                yield name, Cost(round(_cpu() - started, 3), round(_peak_mib(), 1), 0.0, is_out_of_memory=True)
                return
            spent = _cpu() - started
            connection.execute("pragma disable_profiling")
        spilled = json.loads(profile.read_text(encoding="utf-8"))["system_peak_temp_dir_size"]
        yield name, Cost(round(spent, 3), round(_peak_mib(), 1), round(spilled / 2**20, 1))


def _scoring(case: Case, built: Path, database: Path) -> tuple[int, Models]:
    engine = Engine(built)
    world(engine, database, case.economies, case.indicators).close()
    return case.economies * case.indicators * YEARS, engine.models


def _landed(case: Case, built: Path, database: Path) -> tuple[int, Models]:
    """Create a landing folder with one file per vintage, and a staging table for all of its indicators."""
    models = load_models(built / "dbt/compiled/carec_scorecard/models", ("revisions",), ("indicators",))
    with duckdb.connect() as connection:
        models.prepare(connection, str(database))
        connection.execute(f"attach '{built / 'carec.duckdb'}' as published (read_only)")
        connection.execute("create schema staging; create table main.run as select date '2026-12-31' as as_of")
        for table in ("edition_releases", "revision_sizes"):
            connection.execute(f"create table main.{table} as from published.{table} limit 0")
        columns = f"read_parquet('{built}/landing/observation_columns.parquet')"
        folders = [database.parent / "landing" / f"i{n:04}" for n in range(-(-case.vintages // FILES_OF_INDICATOR))]
        for at, folder in enumerate(folders):
            folder.mkdir(parents=True)
            first = folder / "0.parquet"
            connection.execute(
                f"copy (select * replace ('{folder.name}' as indicator_id, 'E' || (r % 20) as iso3,"
                f" (2020 + r // 20)::integer as year, (hash(r) % 1000)::double as value,"
                f" timestamp '2026-01-01' as vintage_at) from range({FIGURES_OF_VINTAGE}) as r (r)"
                f" left join {columns} on false) to '{first}' (format parquet, compression zstd)"
            )
            for number in range(1, min(FILES_OF_INDICATOR, case.vintages - at * FILES_OF_INDICATOR)):
                os.link(first, folder / f"{number}.parquet")  # the bytes are the same: opening and reading them count
        read = " union all by name ".join(
            f"select * from read_parquet('{folder}/*.parquet', union_by_name = true)" for folder in folders
        )
        connection.execute(f"create view staging.stg_p1 as {read}")
        for staging in models.inputs - {"run", "stg_p1", "edition_releases", "revision_sizes"}:
            connection.execute(f"create view staging.{staging} as from {columns} limit 0")
    return case.vintages, models


def _claims(case: Case, built: Path, database: Path) -> tuple[int, Models]:
    """Create copies of the register with its evidence and terms, on the published figures."""
    models = load_models(
        built / "dbt/compiled/carec_scorecard/models",
        ("claims_audit",),
        ("indicators", "observations", "int_claim_unknown", "int_documentary_verdicts"),
    )
    with duckdb.connect() as connection:
        models.prepare(connection, str(database))
        connection.execute(f"attach '{built / 'carec.duckdb'}' as published (read_only)")
        for table in (*METHOD, *GIVEN, "indicators"):
            connection.execute(f"create table main.{table} as from published.{table}")
        for table in ("claims", "claim_evidence", "claim_terms"):
            connection.execute(
                f"create or replace table main.{table} as select t.* replace (claim_id || '~' || n as claim_id)"
                f" from published.{table} as t cross join range({case.register}) as r (n)"
            )
        connection.execute("create table intermediate.int_claim_unknown (indicator_id varchar, first_known_on date)")
        connection.execute(DOCUMENTARY)
        ((claims,),) = connection.execute("select count(*) from main.claims").fetchall()
    return claims, models


INPUTS: dict[str, Callable[[Case, Path, Path], tuple[int, Models]]] = {"vintages": _landed, "claims": _claims}


def measure(case: Case, built: Path, memory_limit: str) -> dict[str, Any]:
    """Return the units of a case and the cost of each model."""
    with tempfile.TemporaryDirectory(prefix="carec-scale-") as folder:
        database = Path(folder, "world.duckdb")
        units, models = INPUTS.get(case.dimension, _scoring)(case, built, database)
        costs = dict(_measured(database, memory_limit, models))
    return {
        **asdict(case),
        "unit": case.unit,
        "units": units,
        "cpu_s": round(sum(cost.cpu_s for cost in costs.values()), 2),
        "peak_mib": max(cost.peak_mib for cost in costs.values()),
        "spilled_mib": max(cost.spilled_mib for cost in costs.values()),
        "out_of_memory": [name for name, cost in costs.items() if cost.is_out_of_memory],
        "models": {name: asdict(cost) for name, cost in costs.items()},
    }


def _cause(model: str) -> str:
    return CAUSES.get(model, "cause not known")


def faster_than_linear(results: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each model whose time or memory per unit grows by more than ``AIM`` between two sizes."""
    found = []
    for small, large in pairwise(results):
        if small["dimension"] != large["dimension"]:
            continue
        more = large["units"] / small["units"]
        for name, after in large["models"].items():
            before = small["models"][name]
            if after["is_out_of_memory"]:
                found.append(f"{large['dimension']} x {large['times']}: {name} runs out of memory: {_cause(name)}")
                continue
            for key, noticeable, what in (
                ("cpu_s", NOTICEABLE_S, "time"),
                ("peak_mib", NOTICEABLE_MIB, "memory"),
            ):
                if before[key] >= noticeable and (growth := after[key] / before[key] / more) > AIM:
                    found.append(
                        f"{large['dimension']} x {large['times']}: {name} needs {growth:.1f} times the {what} per"
                        f" {large['unit']}: {_cause(name)}"
                    )
    return found


def _in_own_process(case: Case, built: Path, memory_limit: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.benchmarks.scale", "--case", json.dumps(asdict(case))),
            *("--built", str(built), "--memory-limit", memory_limit),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{case}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    print(
        f"{case.dimension:<10} x {case.times:<5} {found['units']:>11,} {case.unit}s {found['cpu_s']:>8.2f} s of CPU"
        f" {found['cpu_s'] / found['units'] * 1e6:>9.1f} µs each {found['peak_mib']:>8.0f} MiB"
        f" {found['spilled_mib']:>6.0f} MiB spilled",
        flush=True,
    )
    return found


def main() -> None:
    """Measure every case in a process of its own, print the table and what grows too fast, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--memory-limit", default="6GB")
    parser.add_argument("--only", choices=sorted({case.dimension for case in CASES}))
    parser.add_argument("--built", type=Path, help="a warehouse that a refresh has built; without it, one is built")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        print(json.dumps(measure(Case(**json.loads(chosen.case)), chosen.built, chosen.memory_limit)))
        return
    with tempfile.TemporaryDirectory(prefix="carec-scale-") as folder:
        built = chosen.built or Path(folder)
        if not chosen.built and (done := run_carec("refresh", "--as-of", AS_OF, warehouse=built)).returncode:
            sys.exit(done.stderr)
        cases = [case for case in [*CASES, *(LARGE if chosen.large else [])] if chosen.only in (None, case.dimension)]
        cases.sort(key=lambda case: [each.dimension for each in CASES].index(case.dimension))
        results = [_in_own_process(case, built, chosen.memory_limit) for case in cases]
    for line in faster_than_linear(results) or ["nothing grows faster than its input"]:
        print(line)
    path = ROOT / "build" / "bench" / "scale.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
