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

from tests.benchmarks.results import ROOT, Row, Spent, alternating, compared, environment, measured, run
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
DAYS = ("2026-11-26", "2026-11-27")
"""As-of days on which the same figures of the bundled archive are known."""
TIMES = 10
MEMORY_MIB = 450.0


def _as_of(day: str) -> tuple[str, ...]:
    return (*REFRESH, "--as-of", day)


def _other_day(warehouse: Path) -> str:
    """Return the other one of two days: the same work again, with the same figures known."""
    return DAYS[_day(warehouse) == DAYS[0]]


def _day(warehouse: Path) -> str:
    """Return the day of the newest build."""
    return str(pl.read_parquet(Layout(warehouse).run)["as_of"].item())


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

        def full(_: int = 0) -> Spent:
            return run(_as_of(_other_day(ours)), environment(ours))

        full()  # at another path, dbt reads its project again
        run(_bare_dbt(theirs), environment(theirs))
        fully, unchanged, bare = alternating(
            full,
            lambda _: run(_as_of(_day(ours)), environment(ours)),
            lambda _: run(_bare_dbt(theirs), environment(theirs)),
        )
        _multiply(ours, TIMES)
        full()
        larger = [full() for _ in range(2)]
    return [
        _wall("offline refresh, run recorded / bare dbt build", 0.8, fully, bare),
        _wall("refresh, nothing changed / full refresh", 0.05, unchanged, fully),
        measured("peak memory of a refresh, MiB", MEMORY_MIB, [one.peak_mib for one in fully], "mib"),
        measured(
            f"peak memory of a refresh with {TIMES} vintages of each series, MiB",
            MEMORY_MIB,
            [one.peak_mib for one in larger],
            "mib",
        ),
    ]


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
