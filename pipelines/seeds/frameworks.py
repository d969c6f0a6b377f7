"""Rules of the frameworks that compare rows, tables and the catalogue.

Belongs here: rules that a declaration in ``dbt_project/seeds/_seeds.yml`` cannot express. Does not belong here: columns
and their values (``_seeds.yml``), scores (``dbt_project/models``).
"""

from __future__ import annotations

import polars as pl

from pipelines.seeds.codes import FRAMEWORK
from pipelines.seeds.table_schema import SeedTable, Tables
from sources.catalogue import Catalogue, Direction
from sources.errors import ConfigurationError

_SOURCE = ("floor_basis", "target_basis", "source_title", "source_url", "confidence")
"""Columns with the source of a benchmark of the main framework."""


def check_frameworks(tables: Tables, catalogue: Catalogue) -> None:
    """Raise ConfigurationError for the first rule that the frameworks, benchmarks, origins or revision sizes break."""
    _check_indicators(tables)
    _check_subthemes(tables)
    _check_pillars(tables)
    _check_benchmarks(tables, catalogue)
    _check_options(tables)
    _check_main_framework(tables)
    _check_variants(tables)
    _check_origins(tables, catalogue)
    _check_units(tables["revision_sizes"], catalogue)


def check_places(tables: Tables) -> None:
    """Raise ConfigurationError for a fault in the structure of frameworks outside the project.

    Tables of pillars and sub-themes may be missing. Each indicator needs a benchmark.
    """
    places = tables["framework_indicators"]
    if "pillars" in tables:
        _refuse(places, _in_pillars(tables, places.rows), "pillar_id", "'{pillar_id}' is not in pillars.csv")
        if "subthemes" in tables:
            _check_indicators(tables)
            _check_subthemes(tables)
            _check_pillars(tables)
    on = ["framework_id", "indicator_id"]
    benchmarks = tables["benchmarks"]
    others = benchmarks.rows.join(places.rows, on=on, how="anti", maintain_order="left")
    _refuse(benchmarks, others, "indicator_id", "is no indicator of '{framework_id}' in framework_indicators.csv")
    without = places.rows.join(benchmarks.rows, on=on, how="anti", maintain_order="left")
    _refuse(places, without, "indicator_id", "has no benchmark: add its row to benchmarks.csv")
    if "goalpost_variants" in tables:
        _check_variants(tables)
    _check_options(tables)


def _refuse(table: SeedTable, broken: pl.DataFrame, column: str, message: str) -> None:
    """Raise ConfigurationError for the first of the rows; ``message`` may name columns in braces."""
    for row in broken.head(1).iter_rows(named=True):
        raise table.fault(row, column, message.format(**row))


def _in_pillars(tables: Tables, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a pillar that their framework does not list, if it lists pillars."""
    pillars = tables["pillars"].rows
    own = rows.join(pillars, on="framework_id", how="semi")
    return own.join(pillars, on=["framework_id", "pillar_id"], how="anti")


def _check_indicators(tables: Tables) -> None:
    """Check that each indicator is in a pillar and a sub-theme of its framework, if the framework lists them."""
    table, subthemes = tables["framework_indicators"], tables["subthemes"].rows
    _refuse(table, _in_pillars(tables, table.rows), "pillar_id", "'{pillar_id}' is not in pillars.csv")
    own = table.rows.join(subthemes, on="framework_id", how="semi", maintain_order="left")
    above = subthemes.select("framework_id", "subtheme_id", "register_only", pillar="pillar_id")
    placed = own.join(above, on=["framework_id", "subtheme_id"], how="left", maintain_order="left")
    for broken, message in (
        (pl.col("pillar").is_null(), "'{subtheme_id}' is not in subthemes.csv"),
        (pl.col("pillar") != pl.col("pillar_id"), "'{subtheme_id}' belongs to pillar '{pillar}', not to '{pillar_id}'"),
        (pl.col("register_only"), "'{subtheme_id}' is register_only: it has no indicator to score"),
    ):
        _refuse(table, placed.filter(broken), "subtheme_id", message)


def _check_subthemes(tables: Tables) -> None:
    """Check that each sub-theme is in a pillar of its framework, and has an indicator unless it is register_only."""
    table, indicators = tables["subthemes"], tables["framework_indicators"].rows
    _refuse(table, _in_pillars(tables, table.rows), "pillar_id", "'{pillar_id}' is not in pillars.csv")
    scored = table.rows.filter(~pl.col("register_only").fill_null(False))
    empty = scored.join(indicators, on=["framework_id", "subtheme_id"], how="anti", maintain_order="left")
    message = "has no indicator in framework_indicators.csv: add one there, or set register_only to true"
    _refuse(table, empty, "subtheme_id", message)


def _check_pillars(tables: Tables) -> None:
    """Check that each pillar has a sub-theme or an indicator: otherwise it would drop out of the overall score."""
    table, place = tables["pillars"], ["framework_id", "pillar_id"]
    used = pl.concat([tables[name].rows.select(place) for name in ("subthemes", "framework_indicators")])
    message = "has no sub-theme and no indicator: add one to framework_indicators.csv, or remove the pillar"
    _refuse(table, table.rows.join(used, on=place, how="anti", maintain_order="left"), "pillar_id", message)


def _check_benchmarks(tables: Tables, catalogue: Catalogue) -> None:
    """Check that each benchmark is for an indicator of its framework, with a target in the indicator's direction."""
    table, place = tables["benchmarks"], ["framework_id", "indicator_id"]
    others = table.rows.join(tables["framework_indicators"].rows, on=place, how="anti", maintain_order="left")
    _refuse(table, others, "indicator_id", "is no indicator of '{framework_id}' in framework_indicators.csv")
    directions = {indicator.id: indicator.direction.value for indicator in catalogue}
    given = table.rows.with_columns(direction=pl.col("indicator_id").replace_strict(directions, return_dtype=pl.String))
    is_upwards = pl.col("target_value") > pl.col("floor_value")
    wrong = given.filter(is_upwards != (pl.col("direction") == Direction.HIGHER.value))
    _refuse(table, wrong, "target_value", "is against the direction {direction} in the catalogue")
    parity = [indicator.id for indicator in catalogue if indicator.shape == "parity"]
    for column in ("floor_value", "target_value", "met_value", "pace_target_value"):
        beyond = table.rows.filter(pl.col("indicator_id").is_in(parity) & ~pl.col(column).is_between(0, 1))
        _refuse(table, beyond, column, "must be from 0 to 1: a ratio above parity counts as its inverse")


def _check_variants(tables: Tables) -> None:
    """Check that each variant of goalposts belongs to a benchmark, and has its direction and scale."""
    table, on = tables["goalpost_variants"], ["framework_id", "indicator_id"]
    declared = tables["benchmarks"].rows.select(*on, "transform", low="floor_value", high="target_value")
    without = table.rows.join(declared, on=on, how="anti", maintain_order="left")
    _refuse(table, without, "indicator_id", "has no row of '{framework_id}' in benchmarks.csv")
    given = table.rows.join(declared, on=on, how="left", maintain_order="left")
    is_turned = (pl.col("target_value") > pl.col("floor_value")) != (pl.col("high") > pl.col("low"))
    _refuse(table, given.filter(is_turned), "target_value", "is on the other side of the floor than in benchmarks.csv")
    for column in ("floor_value", "target_value"):
        beyond = given.filter((pl.col("transform") == "log") & (pl.col(column) <= 0))
        _refuse(table, beyond, column, "must be positive where the transform is log")


def _check_options(tables: Tables) -> None:
    """Check that fills and colours are for a part of their framework, and colours in the indicator's direction."""
    places = tables["framework_indicators"].rows
    if "pillar_fills" in tables:
        fills, place = tables["pillar_fills"], ["framework_id", "pillar_id"]
        others = fills.rows.join(places, on=place, how="anti", maintain_order="left")
        _refuse(fills, others, "pillar_id", "is no pillar of '{framework_id}' with an indicator")
    if "colour_thresholds" in tables:
        colours, place = tables["colour_thresholds"], ["framework_id", "indicator_id"]
        others = colours.rows.join(places, on=place, how="anti", maintain_order="left")
        _refuse(colours, others, "indicator_id", "is no indicator of '{framework_id}' in framework_indicators.csv")
        posts = tables["benchmarks"].rows.select(*place, "floor_value", "target_value")
        both = colours.rows.join(posts, on=place, how="left", maintain_order="left")
        is_upwards = pl.col("target_value") > pl.col("floor_value")
        against = both.filter((pl.col("green_value") > pl.col("red_value")) != is_upwards)
        _refuse(colours, against, "red_value", "is on the wrong side of green_value: the target is on the other side")


def _check_main_framework(tables: Tables) -> None:
    """Check that each indicator of the main framework has a benchmark, and each benchmark has a source."""
    places, table = tables["framework_indicators"], tables["benchmarks"]
    for column in _SOURCE:
        unsourced = table.rows.filter(pl.col(column).is_null(), framework_id=FRAMEWORK)
        _refuse(table, unsourced, column, "is empty: a benchmark needs its source")
    own = places.rows.filter(framework_id=FRAMEWORK)
    without = own.join(table.rows, on=["framework_id", "indicator_id"], how="anti", maintain_order="left")
    _refuse(places, without, "indicator_id", "has no benchmark: add its row to benchmarks.csv")


def _check_origins(tables: Tables, catalogue: Catalogue) -> None:
    """Check that two origins are comparable and independent, and that no framework scores both."""
    table = tables["origin_pairs"]
    known = {indicator.id: indicator for indicator in catalogue}
    for row in table.rows.iter_rows(named=True):
        declared, other = known[row["indicator_id"]], known[row["other_indicator_id"]]
        for column in ("unit", "direction"):
            if getattr(declared, column) != getattr(other, column):
                raise table.fault(row, "other_indicator_id", f"'{other.id}' has another {column} than {declared.id}")
        if declared.origin == other.origin:
            raise table.fault(row, "other_indicator_id", f"'{other.id}' is of the same origin, {other.origin}")
        if declared.edition_index or other.edition_index:
            raise table.fault(row, "other_indicator_id", "an index of editions has no second origin")
    scored = tables["framework_indicators"].rows.select("framework_id", "indicator_id")
    declared_in = table.rows.join(scored, on="indicator_id", maintain_order="left")
    others = scored.rename({"indicator_id": "other_indicator_id"})
    both = declared_in.join(others, on=["framework_id", "other_indicator_id"], how="semi", maintain_order="left")
    _refuse(table, both, "other_indicator_id", "'{other_indicator_id}' is scored by '{framework_id}' itself")


def _check_units(sizes: SeedTable, catalogue: Catalogue) -> None:
    """Raise ConfigurationError for a unit of the catalogue without a row in the seed ``revision_sizes``."""
    units = set(sizes.rows["unit"])
    for indicator in catalogue:
        if indicator.unit not in units:
            raise ConfigurationError(
                f"{sizes.path}: {indicator.id}: its unit {indicator.unit!r} has no row: add one with the limits of a"
                " change by rounding and of a large change"
            )
