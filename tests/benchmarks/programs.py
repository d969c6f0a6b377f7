"""Whole programs of this project, measured from outside: refreshes, reading commands, Dagster's code location, setup.

Belongs here: what is run against what. Does not belong here: a changed answer of a provider (``change``), parts of a
refresh (``floor``, ``fetching``, ``scoring``).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import polars as pl

from tests.benchmarks.results import PAIRS, ROOT, Row, Spent, alternating, compared, environment, measured, run
from warehouse import landing
from warehouse.layout import Layout

REFRESH = ("-m", "pipelines.cli", "refresh", "--offline")
READING = (
    ("scorecard",),
    ("explain", "UZB"),
    ("claims",),
    ("indicators",),
    ("query", "from scorecard"),
)
TIMES = 10
MEMORY_MIB = 450.0


def _as_of(day: int) -> tuple[str, ...]:
    """Return an offline refresh as of another day of October: the same work again, whatever was built before."""
    return (*REFRESH, "--as-of", f"2026-10-{day:02}")


def _bare_dbt(warehouse: Path) -> tuple[str, ...]:
    project, target = str(ROOT / "dbt_project"), str(warehouse / "dbt")
    return (
        *("-m", "dbt.cli.main", "build", "--project-dir", project, "--profiles-dir", project),
        *("--target-path", target, "--log-path", target, "--threads", "2"),
    )


def refreshes(built: Path) -> list[Row]:
    """Return the rows of whole refreshes. Each side has a warehouse of its own, since dbt alone would spoil the other.

    A refresh leaves out seeds and unit tests that passed before with the same inputs. ``dbt build`` has no such proof.
    """
    with tempfile.TemporaryDirectory(prefix="carec-bench-") as folder:
        ours, theirs = (Path(shutil.copytree(built, Path(folder) / name)) for name in ("ours", "dbt"))
        run(_as_of(1), environment(ours))  # at another path, dbt reads its project again
        run(_bare_dbt(theirs), environment(theirs))
        full, unchanged, bare = alternating(
            lambda at: run(_as_of(at + 2), environment(ours)),
            lambda at: run(_as_of(int(_day(ours))), environment(ours)),
            lambda _: run(_bare_dbt(theirs), environment(theirs)),
        )
        _multiply(ours, TIMES)
        run(_as_of(PAIRS + 2), environment(ours))
        larger = [run(_as_of(PAIRS + 3 + at), environment(ours)) for at in range(2)]
    return [
        _wall("offline refresh, run recorded / bare dbt build", 0.8, full, bare),
        _wall("refresh, nothing changed / full refresh", 0.05, unchanged, full),
        measured("peak memory of a refresh, MiB", MEMORY_MIB, [one.peak_mib for one in full], "mib"),
        measured(
            f"peak memory of a refresh with {TIMES} vintages of each series, MiB",
            MEMORY_MIB,
            [one.peak_mib for one in larger],
            "mib",
        ),
    ]


def _day(warehouse: Path) -> str:
    """Return the day of the month of the newest build."""
    as_of = pl.read_parquet(Layout(warehouse).run)["as_of"].item()
    return str(as_of.day)


def _wall(name: str, aim: float, ours: list[Spent], theirs: list[Spent]) -> Row:
    return compared(name, aim, [one.seconds for one in ours], [one.seconds for one in theirs])


def _cpu(name: str, aim: float, ours: list[Spent], theirs: list[Spent]) -> Row:
    return compared(name, aim, [one.cpu_s for one in ours], [one.cpu_s for one in theirs], unit="cpu_s")


def _multiply(warehouse: Path, times: int) -> None:
    """Land earlier vintages, so that each series has ``times`` as many figures; those of the newest one stay."""
    layout = Layout(warehouse)
    for folder in sorted((layout.landing / "observations").iterdir()):
        newest = landing.latest(layout, folder.name)
        for number in range(1, times) if newest else ():
            figures = newest.read().drop("vintage_at").with_columns(pl.col("value") * (1 - number / 1000))
            landing.land_history(layout, folder.name, figures, datetime(2020, 1, number))


def reading(built: Path) -> list[Row]:
    """Return one row per reading command: CPU of the whole process, over importing what every one of them needs."""
    env = environment(built)
    rows = []
    for command in READING:
        sides = alternating(
            lambda _, c=command: run(("-m", "pipelines.cli", *c), env),
            lambda _: run(("-c", "import duckdb, rich"), env),
        )
        rows.append(_cpu(f"carec {command[0]} / python -c 'import duckdb, rich', CPU", 2.0, *sides))
    return rows


def loading(built: Path) -> list[Row]:
    """Return the cost of loading Dagster's code location, over importing what it is written with."""
    env = environment(built)
    specs = "from pipelines.definitions import defs; defs().resolve_all_asset_specs()"
    sides = alternating(
        lambda _: run(("-c", specs), env),
        lambda _: run(("-c", "import dagster, dagster_dbt"), env),
    )
    return [_cpu("loading the code location / importing dagster and dagster_dbt, CPU", 1.15, *sides)]


def first(_: Path) -> list[Row]:
    """Return the time of the first ``make scorecard`` in a new clone, over pip and a refresh. Needs a package index."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env |= {"CAREC_OFFLINE": "1"}
    by_hand = (
        f"{sys.executable} -m venv .venv"
        " && .venv/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock"
        " && .venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable ."
        " && .venv/bin/carec refresh"
    )

    def in_clone(command: str) -> Spent:
        with tempfile.TemporaryDirectory(prefix="carec-first-") as folder:
            run(("clone", "--quiet", str(ROOT), folder), env, program="git")
            return run(("-c", command), env, program="bash", cwd=Path(folder))

    sides = alternating(lambda _: in_clone(f"make PYTHON={sys.executable} scorecard"), lambda _: in_clone(by_hand))
    return [_wall("first make scorecard / pip install and first refresh", 1.1, *sides)]
