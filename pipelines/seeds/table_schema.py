"""Check every seed against its declaration in ``dbt_project/seeds/_*.yml``, before a build.

The declaration is the one that dbt reads: ``column_types`` and ``data_tests``. A faulty cell is reported with file,
line and column, which dbt cannot do. Belongs here: reading declarations, types, and running the rules. Does not belong
here: the rules (``rules``), what a column means (``_*.yml``).
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.seeds.codes import VARIABLES
from pipelines.seeds.csv_table import LINE, cell_fault, read_cells
from pipelines.seeds.rules import RULES, TEXT, CellCheck, Rule, SeedRows, TableCheck
from sources.errors import ConfigurationError, did_you_mean
from sources.yaml_files import Document, parse_yaml, read_yaml

CATALOGUE = "indicators"
"""The dbt model with the indicators of the catalogue, which seeds may refer to."""

_parse = cache(parse_yaml)
"""``parse_yaml`` with a memory: a process that checks the seeds again parses only what has changed."""
_BOOLEANS = {"true": True, "false": False}

_TYPES: Mapping[str, tuple[Callable[[str], pl.Expr], str]] = {
    "varchar": (pl.col, "text"),
    "integer": (lambda name: pl.col(name).cast(pl.Int64, strict=False), "a whole number"),
    "double": (lambda name: pl.col(name).cast(pl.Float64, strict=False), "a number"),
    "boolean": (lambda name: pl.col(name).replace_strict(_BOOLEANS, default=None), "true or false"),
    "date": (lambda name: pl.col(name).str.to_date("%Y-%m-%d", strict=False), "a date like 2025-06-26"),
}
"""Type in ``column_types`` -> how a column of text is read as that type, and its name in a message."""


@dataclass(frozen=True)
class SeedSchema:
    """The declaration of one seed.

    ``types`` has the type of each column, in the order of the columns. ``key`` has the columns that name a row.
    """

    name: str
    types: Mapping[str, str]
    rules: tuple[Rule, ...]
    key: tuple[str, ...]

    @property
    def required(self) -> set[str]:
        """The columns in which a rule demands a value."""
        columns = set(self.key)
        for rule in self.rules:
            if rule.name == "filled":
                columns |= set(rule.arguments["columns"])
        return columns


@dataclass(frozen=True)
class SeedTable:
    """A checked seed: its file, and its rows in the declared types, NULL for an empty cell, with ``LINE``."""

    path: Path
    rows: pl.DataFrame
    key: tuple[str, ...]

    def fault(self, row: Mapping[str, Any], column: str, message: str) -> ConfigurationError:
        """Return the error for a cell of one of the rows."""
        return cell_fault(self.path, row[LINE], entry_of(row, self.key), column, message)


Tables = Mapping[str, SeedTable]
"""Name of a seed -> its table."""


def entry_of(row: Mapping[str, Any], key: Collection[str]) -> str:
    """Return the name of a row in a message: the cells of its key."""
    return (
        textwrap.shorten(" ".join(str(row[column]) for column in key if row[column] is not None), 60) or "without key"
    )


def load_schemas(seeds: Path) -> dict[str, SeedSchema]:
    """Return the declarations of all seeds by name.

    Raises:
        ConfigurationError: A CSV file has no declaration, or a test has no function in ``rules``.
    """
    schemas: dict[str, SeedSchema] = {}
    for path in sorted(seeds.glob("_*.yml")):
        schemas |= read_schemas(path)
    for path in sorted(seeds.glob("*.csv")):
        if path.stem not in schemas:
            raise ConfigurationError(f"{path}: has no declaration in {seeds.name}/_*.yml: add one with its columns")
    return schemas


def read_schemas(path: Path) -> dict[str, SeedSchema]:
    """Return the declarations of one file by name.

    Raises:
        ConfigurationError: The first fault, with file and line.
    """
    document = read_yaml(path, _parse)
    seeds = document.value.get("seeds") if isinstance(document.value, dict) else None
    if not isinstance(seeds, list):
        raise ConfigurationError(f"{path}:{document.line_of()}: must have `seeds:`, a list of declarations")
    schemas = {}
    for number, seed in enumerate(seeds):
        try:
            schemas[seed["name"]] = _schema(path, document, number)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            name = seed.get("name") if isinstance(seed, dict) else None
            raise ConfigurationError(
                f"{path}:{document.line_of('seeds', number)}: {name or 'a seed without name'}: the declaration cannot"
                f" be used ({type(error).__name__}: {error}): compare it with the one of another seed"
            ) from error
    return schemas


def _schema(path: Path, document: Document, number: int) -> SeedSchema:
    seed = document.value["seeds"][number]

    def place(*below: str | int) -> str:
        return f"{path}:{document.line_of('seeds', number, *below)}: {seed['name']}"

    types: Mapping[str, str] = seed["config"]["column_types"]
    for column, kind in types.items():
        if kind not in _TYPES:
            where = place("config", "column_types", column)
            raise ConfigurationError(f"{where}: column {column} has the type {kind!r}; there are {', '.join(_TYPES)}")
    rules = [
        rule for at, test in enumerate(seed.get("data_tests", [])) for rule in _rules(test, place, "data_tests", at)
    ]
    for position, described in enumerate(seed["columns"]):
        for at, test in enumerate(described.get("data_tests", [])):
            own = _rules(test, place, "columns", position, "data_tests", at)
            rules += [replace(rule, arguments={"column_name": described["name"], **rule.arguments}) for rule in own]
    for rule in rules:
        if rule.name not in RULES:
            fault = f"test {rule.name} has no function in pipelines/seeds/rules.py"
            raise ConfigurationError(f"{rule.place}: {fault}{did_you_mean(rule.name, RULES)}")
        for name in rule.columns:
            if name not in types:
                fault = f"{rule.name} names the column {name!r}, which `column_types` lacks"
                raise ConfigurationError(f"{rule.place}: {fault}{did_you_mean(str(name), types)}")
    keys = [rule.arguments["columns"] for rule in rules if rule.name == "unique_key"]
    return SeedSchema(seed["name"], types, tuple(rules), tuple(keys[0] if keys else list(types)[:1]))


def _rules(test: str | Mapping[str, Any], place: Callable[..., str], *path: str | int) -> Iterator[Rule]:
    """Yield the rules of a dbt test: those that the test ``rules`` lists, or the test itself."""
    if isinstance(test, str):
        yield Rule(test, {}, place(*path))
        return
    ((name, settings),) = test.items()
    at = place(*path, name)
    if name != "rules":
        given = settings.get("arguments", settings)
        yield Rule(name, {key: _resolved(value, at) for key, value in given.items()}, at)
        return
    for number, rule in enumerate(settings["arguments"]["rules"]):
        yield from _rules(rule, place, *path, name, "arguments", "rules", number)


def _resolved(value: Any, place: str) -> Any:
    """Return an argument with ``{{ var('name') }}`` replaced by that variable of the dbt project."""
    variable = re.fullmatch(r"\{\{ var\('(\w+)'\) \}\}", value) if isinstance(value, str) else None
    if variable and variable[1] not in VARIABLES:
        fault = f"there is no variable {variable[1]!r} in dbt_project.yml"
        raise ConfigurationError(f"{place}: {fault}{did_you_mean(variable[1], VARIABLES)}")
    return VARIABLES[variable[1]] if variable else value


def check_tables(dbt_project: Path, indicators: Collection[str]) -> Tables:
    """Check every seed against its declaration.

    Args:
        dbt_project: The folder of the dbt project.
        indicators: Ids of the catalogue.

    Returns:
        The tables by name, in the declared types.

    Raises:
        ConfigurationError: The first fault, with file, line, entry and column.
    """
    seeds = dbt_project / "seeds"
    schemas = load_schemas(seeds)
    cells = {name: read_cells(seeds / f"{name}.csv", list(schema.types)) for name, schema in schemas.items()}
    files = {name: (seeds / f"{name}.csv", schema) for name, schema in schemas.items()}
    return _check_all(files, cells, indicators, "indicators.yml")


def check_files(files: Mapping[str, tuple[Path, SeedSchema]], defaults: Mapping[str, Mapping[str, pl.Expr]]) -> Tables:
    """Check CSV files outside the project, which may lack columns that need no value.

    The indicators that they may name are those of the table ``indicators``, else of ``framework_indicators``.

    Args:
        files: Name of a table -> its file and its declaration.
        defaults: Name of a table -> column -> the text of an empty or missing cell.

    Raises:
        ConfigurationError: The first fault, with file, line, entry and column.
    """
    cells = {}
    for name, (path, schema) in files.items():
        own = defaults.get(name, {})
        optional = set(schema.types) - set(schema.required) | own.keys()
        frame = read_cells(path, list(schema.types), optional)
        cells[name] = frame.with_columns(pl.coalesce(column, text).alias(column) for column, text in own.items())
    listed = CATALOGUE if CATALOGUE in cells else "framework_indicators"
    return _check_all(files, cells, set(cells[listed]["indicator_id"].drop_nulls()), f"{listed}.csv")


def _check_all(
    files: Mapping[str, tuple[Path, SeedSchema]],
    cells: Mapping[str, pl.DataFrame],
    indicators: Collection[str],
    catalogue: str,
) -> Tables:
    """Check the cells of all tables; ``catalogue`` is the name of the file with the indicators."""

    @cache
    def others(table: str, field: str, flag: str | None) -> Collection[str]:
        if table == CATALOGUE:
            return indicators
        if table not in cells:
            return ()
        rows = cells[table] if flag is None else cells[table].filter(pl.col(flag) == "true")
        return set(rows[field].drop_nulls())

    def file_of(table: str) -> str:
        return catalogue if table == CATALOGUE else f"{table}.csv"

    tables = {}
    for name, (path, schema) in files.items():
        values = [_TYPES[kind][0](column) for column, kind in schema.types.items()]
        frame = cells[name].select(LINE, *values, *(pl.col(column).alias(TEXT + column) for column in schema.types))
        _check(path, schema, SeedRows(frame, others, file_of))
        tables[name] = SeedTable(path, frame.select(LINE, *schema.types), schema.key)
    return tables


def _check(path: Path, schema: SeedSchema, rows: SeedRows) -> None:
    """Raise ConfigurationError for the first fault of one table: in its first faulty line, else of the whole table."""
    checks = [check for rule in schema.rules for check in rule.checks(rows)]
    cell_checks = [*_type_checks(schema), *(check for check in checks if isinstance(check, CellCheck))]
    lines = rows.frame.select(
        pl.col(LINE).filter(check.wrong).min().alias(str(number)) for number, check in enumerate(cell_checks)
    ).row(0)
    faults = [(line, check) for line, check in zip(lines, cell_checks, strict=True) if line is not None]
    if faults:
        line, cell_check = min(faults, key=lambda fault: fault[0])
        row = rows.frame.row(by_predicate=pl.col(LINE) == line, named=True)
        entry = entry_of(row, [TEXT + column for column in schema.key])
        message = cell_check.words(line, row[TEXT + cell_check.column])
        raise cell_fault(path, line, entry, cell_check.column, message)
    for check in checks:
        if isinstance(check, TableCheck) and check.is_wrong:
            raise ConfigurationError(f"{path}: {f'column {check.column}: ' if check.column else ''}{check.message}")


def _type_checks(schema: SeedSchema) -> Iterator[CellCheck]:
    for column, kind in schema.types.items():
        unread = pl.col(TEXT + column).is_not_null() & pl.col(column).is_null()
        yield CellCheck(column, unread, f"must be {_TYPES[kind][1]}")
