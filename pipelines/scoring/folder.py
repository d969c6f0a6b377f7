"""Score a folder of CSV files: check them against the declarations of the seeds, run the models, write the results.

Belongs here: which files a folder may have, their defaults, and how they become the inputs of the models. Does not
belong here: the columns of a seed and their rules (``dbt_project/seeds``), columns of the other files (``tables.yml``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.dbt.functions import register
from pipelines.scoring.models import RESULTS, Models
from pipelines.seeds.csv_table import LINE
from pipelines.seeds.frameworks import check_places
from pipelines.seeds.table_schema import SeedSchema, Tables, check_files, load_schemas, read_schemas
from pipelines.settings import DBT_PROJECT
from sources.errors import ConfigurationError
from sources.yaml_files import read_mapping
from warehouse.reading import quoted

REQUIRED = ("economies", "framework_indicators", "benchmarks", "observations")
NAMED = ("framework_id", "indicator_id", "iso3", "group_id", "unit")
"""Columns that make a row of a seed part of the project's own frameworks. Other rows are parameters of the method."""

DEFAULTS: Mapping[str, Mapping[str, pl.Expr]] = {
    "economies": {
        "name": pl.col("iso3"),
        "is_member": pl.lit("false"),
        "is_aggregate": pl.lit("false"),
        "is_world_bank_economy": pl.lit("false"),
    },
    "framework_indicators": {"subtheme_id": pl.col("pillar_id"), "weight": pl.lit("1"), "role": pl.lit("direct")},
    "benchmarks": {"transform": pl.lit("none"), "target_year": pl.lit("2030")},
}
"""Table -> column -> the text of an empty or missing cell."""

MAX_AGE = 100
"""Without a limit in indicators.csv, no figure is too old."""

_INDICATORS = f"""
    insert into indicators by name
    select
        places.indicator_id,
        coalesce(given.title, places.indicator_id) as title,
        given.unit,
        coalesce(given.direction, case when goals.is_lower then 'lower_is_better' else 'higher_is_better' end)
            as direction,
        coalesce(given.max_age_years, {MAX_AGE}) as max_age_years,
        coalesce(given.shape, 'linear') as shape,
        given.valid_min,
        given.valid_max,
        case given.shape when 'parity' then 1 when 'saturating' then given.valid_max else given.natural_limit end
            as natural_limit,
        coalesce(given.edition_index, false) as edition_index
    from (select distinct indicator_id from framework_indicators) as places
    left join given_indicators as given using (indicator_id)
    left join (
        select indicator_id, bool_or(target_value < floor_value) as is_lower from benchmarks group by all
    ) as goals using (indicator_id)
"""


def read_folder(folder: Path) -> Tables:
    """Return the checked tables of a folder.

    Raises:
        ConfigurationError: The first fault, with file, line, entry and column.
    """
    schemas = load_schemas(DBT_PROJECT / "seeds") | read_schemas(Path(__file__).with_name("tables.yml"))
    if not folder.is_dir():
        raise ConfigurationError(f"{folder}: is no folder")
    for missing in [name for name in REQUIRED if not (folder / f"{name}.csv").exists()]:
        raise ConfigurationError(f"{folder / missing}.csv: is missing; a folder needs {', '.join(REQUIRED)}")
    own = {path.stem: path for path in sorted(folder.glob("*.csv"))}
    for name in own.keys() - schemas.keys():
        raise ConfigurationError(f"{own[name]}: is no table of a scoring")
    tables = check_files({name: (own[name], schemas[name]) for name in own}, DEFAULTS)
    check_places(tables)
    return tables


def check_out(folder: Path, out: Path) -> None:
    """Check that the results do not become files of the folder that ``read_folder`` reads.

    Raises:
        ConfigurationError: They would.
    """
    here, target = folder.resolve(), out.resolve()
    if target == here or (target.parent == here and target.suffix == ".csv"):
        raise ConfigurationError(
            f"{out}: has the tables: the next scoring would read the results as tables; name another folder"
        )


def score_folder(models: Models, tables: Tables, as_of: date | None) -> duckdb.DuckDBPyConnection:
    """Return a database with the tables and their scores.

    Args:
        models: The compiled models.
        tables: The checked tables.
        as_of: Day of the scores; the end of the newest year with a figure if None.
    """
    connection = duckdb.connect(":memory:")
    register(connection)
    models.prepare(connection)
    seeds = DBT_PROJECT / "seeds"
    schemas = load_schemas(seeds)
    for name in sorted((models.inputs | tables.keys()) & schemas.keys()):
        _create(connection, name, schemas[name])
        if name in tables:
            _insert(connection, name, tables[name].rows)
        else:
            _insert_parameters(connection, schemas[name], seeds / f"{name}.csv")
    for name in ("observations", "indicators"):
        columns = ", ".join(f'"{column}" {kind}' for column, kind in _contract(name).items())
        connection.execute(f"create table {name} ({columns})")
    _insert(connection, "observations", tables["observations"].rows.filter(pl.col("value").is_not_null()))
    own = read_schemas(Path(__file__).with_name("tables.yml"))["indicators"]
    _create(connection, "given_indicators", own)
    if "indicators" in tables:
        _insert(connection, "given_indicators", tables["indicators"].rows)
    connection.execute(_INDICATORS)
    connection.execute("drop table given_indicators")
    newest = connection.execute("select max(year) from observations").fetchone()
    if newest is None or newest[0] is None:
        raise ConfigurationError(f"{tables['observations'].path}:1: column value: no row has a figure")
    connection.execute("create table run as select ?::date as as_of", [as_of or date(newest[0], 12, 31)])
    models.run(connection)
    return connection


def write_results(connection: duckdb.DuckDBPyConnection, out: Path) -> list[Path]:
    """Write inputs and results to a DuckDB file (suffix .duckdb), or the results to a folder of CSV files.

    Returns:
        The files.

    Raises:
        ConfigurationError: The DuckDB file exists.
    """
    if out.suffix == ".duckdb":
        if out.exists():
            raise ConfigurationError(f"{out}: exists; remove it or name another file")
        out.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f"attach '{quoted(out)}' as results")
        for name in _tables(connection):
            connection.execute(f"create table results.{name} as from build.main.{name}")
        connection.execute("detach results")
        return [out]
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in [name for name in _tables(connection) if name in RESULTS]:
        path = out / f"{name}.csv"
        connection.execute(f"copy (from build.main.{name} order by all) to '{quoted(path)}' (header)")
        written.append(path)
    return written


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'build' and schema_name = 'main' order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _create(connection: duckdb.DuckDBPyConnection, name: str, schema: SeedSchema) -> None:
    columns = ", ".join(f'"{column}" {kind}' for column, kind in schema.types.items())
    connection.execute(f"create table {name} ({columns})")


def _insert(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        rows.drop(LINE).write_parquet(path)
        connection.execute(f"insert into {name} by name from read_parquet('{quoted(path)}')")


def _insert_parameters(connection: duckdb.DuckDBPyConnection, schema: SeedSchema, path: Path) -> None:
    """Insert the rows of a seed of the project that name no framework, indicator, economy, group or unit."""
    named: Collection[str] = [column for column in NAMED if column in schema.types]
    where = " and ".join(f"{column} is null" for column in named) or "true"
    connection.execute(
        f"insert into {schema.name} by name from read_csv('{quoted(path)}', header = true, all_varchar = true,"
        f" delim = ',', quote = '\"', escape = '\"', nullstr = '') where {where}"
    )


def _contract(model: str) -> dict[str, Any]:
    """Return the columns and types of a mart, from its description."""
    for path in sorted((DBT_PROJECT / "models" / "marts").glob("_*.yml")):
        for entry in read_mapping(path).get("models", []):
            if entry["name"] == model:
                return {column["name"]: column["data_type"] for column in entry["columns"]}
    raise ConfigurationError(f"{DBT_PROJECT}: the model {model} has no description")
