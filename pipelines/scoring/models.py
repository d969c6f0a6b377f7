"""The scoring models as dbt compiled them, in the order of their dependencies.

Belongs here: finding and ordering compiled SQL, running it. Does not belong here: input tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from jinja2 import Environment

from pipelines.dbt.compiled import compiled_by_build
from pipelines.settings import DBT_PROJECT
from sources.errors import ConfigurationError
from warehouse.files import write_atomically
from warehouse.layout import Layout
from warehouse.publish import published, read_receipt

RESULTS = (
    "noise_bands",
    "projection_calibration",
    "projection_backtest",
    "status_hit_rate",
    "indicator_scores",
    "subtheme_scores",
    "pillar_scores",
    "scorecard",
    "pillar_history",
    "scorecard_history",
    "region_scores",
    "imputed_scores",
    "score_explanation",
    "rank_scenarios",
    "rank_probabilities",
    "rank_sensitivity",
    "statistical_audit",
    "series_repeats",
    "series_jumps",
)
"""Tables of a scoring. One that the dbt project does not have is left out."""

LANDED = ("indicators", "observations", "run")
"""Tables that are inputs of a scoring, although a refresh makes them from landed data."""

OF_SERIES = ("series_repeats", "series_jumps")
"""Tables on whole series. They need the figures of all economies, so that a scoring of some economies is given them."""

GIVEN = (*LANDED, *OF_SERIES, "noise_bands", "projection_calibration")
"""The inputs of a scoring of some economies. The calibration of projections needs the figures of all economies too."""

_RELATION = re.compile(r'"build"\."\w+"\."(\w+)"')
_RUN = re.compile(r"read_parquet\('[^']*/run\.parquet'\)")


@dataclass(frozen=True)
class Models:
    """The models behind some tables. ``steps`` has schema, name and SQL in order; ``inputs`` the tables they read."""

    steps: tuple[tuple[str, str, str], ...]
    inputs: frozenset[str]

    def prepare(self, connection: duckdb.DuckDBPyConnection, database: str = ":memory:") -> None:
        """Make ``build`` the database of a connection, without tables and with the functions of the models."""
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach '{database}' as build")
        connection.execute("use build; create schema if not exists intermediate")
        source = (DBT_PROJECT / "macros" / "revision_size.sql").read_text(encoding="utf-8")
        connection.execute(str(Environment().from_string(source).module.create_revision_size()))  # type: ignore[attr-defined]

    def run(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Run every model on the tables of ``build``; a second run replaces the results of the first."""
        for schema, name, sql in self.steps:
            connection.execute(f"create or replace table build.{schema}.{name} as {sql}")


def load_models(compiled: Path, results: Sequence[str] = RESULTS, given: Collection[str] = GIVEN) -> Models:
    """Return the models behind the given tables.

    Args:
        compiled: Folder of the compiled models, with ``intermediate`` and ``marts``.
        results: Names of models; those that do not exist are left out.
        given: Names of models that are inputs.

    Raises:
        ConfigurationError: The folder has none of them.
    """
    files = {path.stem: path for path in compiled.glob("*/*.sql") if path.stem not in given}
    steps: dict[str, tuple[str, str, str]] = {}
    inputs = {"run"}

    def visit(name: str) -> None:
        if name in steps or name in inputs:
            return
        if name not in files:
            inputs.add(name)
            return
        sql = _RUN.sub('"build"."main"."run"', files[name].read_text(encoding="utf-8"))
        for other in dict.fromkeys(_RELATION.findall(sql)):
            visit(other)
        schema = "intermediate" if files[name].parent.name == "intermediate" else "main"
        steps[name] = (schema, name, sql)

    for result in results:
        if result in files:
            visit(result)
    if not steps:
        raise ConfigurationError(f"{compiled}: has no compiled models: run `carec refresh`")
    return Models(tuple(steps.values()), frozenset(inputs))


def compiled_folder(layout: Layout) -> Path:
    """Return the folder of the models, compiled from the present code of the dbt project.

    The SQL of the last build is used if the code has not changed since. Otherwise dbt compiles the models once, into
    the warehouse's folder of dbt.
    """
    code, built = compiled_by_build(layout, DBT_PROJECT)
    if built is not None:
        return built
    own = Layout(layout.dbt_target / "scoring")
    marker, compiled = own.root / "code.sha256", own.dbt_target / "compiled" / "carec_scorecard" / "models"
    if not marker.exists() or marker.read_text() != code:
        from pipelines.dbt.runner import compile_models  # with the workspace it takes 0.5 s, and is seldom needed
        from pipelines.workspace import open_workspace

        before = dict(os.environ)
        try:
            compile_models(replace(open_workspace(), layout=own))
        finally:
            os.environ.clear()
            os.environ.update(before)
        write_atomically(marker, code.encode())
    return compiled


def is_published_by(layout: Layout, compiled: Path) -> bool:
    """Return whether the published scores were computed by these compiled models."""
    receipt, publication = read_receipt(layout), published(layout)
    return (
        receipt is not None
        and receipt.passed
        and publication is not None
        and receipt.fingerprint == publication.fingerprint
        and compiled_by_build(layout, DBT_PROJECT)[1] == compiled
    )
