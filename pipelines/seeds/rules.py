"""The tests of the seeds in Python: one function for each dbt test that ``dbt_project/seeds/_*.yml`` uses.

Each function has the name and the arguments of its dbt test (a test of dbt, or of ``dbt_project/tests/generic``). It
finds the same rows in a CSV file, before a build. Belongs here: rules that a declaration can name. Does not belong
here: rules that compare several tables (``frameworks``, ``claims``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import polars as pl

from pipelines.seeds.csv_table import LINE
from sources.errors import ConfigurationError, printable

TEXT = "text of "
"""Start of the name of the column that has the text of a cell. The column without it has the typed value."""


@dataclass(frozen=True)
class SeedRows:
    """The rows of one seed, and access to the others.

    Args:
        frame: ``LINE``, each column in its declared type, and its text under ``TEXT``; NULL for an empty cell.
        others: Returns the values of a column of another table, by ``(table, column, flag)``; with a ``flag``, only
            from rows in which that boolean column is true.
        file_of: Returns the file name of a table.
    """

    frame: pl.DataFrame
    others: Callable[[str, str, str | None], Collection[str]]
    file_of: Callable[[str], str]


@dataclass(frozen=True)
class CellCheck:
    """One condition on a column.

    Args:
        column: The column that a message names.
        wrong: True in each faulty row of ``SeedRows.frame``.
        message: What is wrong, or a function that returns it for the line and the text of the cell.
    """

    column: str
    wrong: pl.Expr
    message: str | Callable[[int, str], str]

    def words(self, line: int, cell: str | None) -> str:
        """Return the message for a faulty cell."""
        if callable(self.message):
            return self.message(line, cell or "")
        return self.message if cell is None else f"{self.message}, not {cell!r}"


@dataclass(frozen=True)
class TableCheck:
    """One condition on the whole table; ``column`` is empty if the message is not about one column."""

    column: str
    is_wrong: bool
    message: str


Checks = Iterator[CellCheck | TableCheck]


def filled(rows: SeedRows, columns: Sequence[str]) -> Checks:
    for column in columns:
        yield CellCheck(column, pl.col(TEXT + column).is_null(), "is empty: a value is required")


def accepted_values(rows: SeedRows, column_name: str, values: Sequence[str]) -> Checks:
    wrong = ~pl.col(TEXT + column_name).is_in(list(values))
    yield CellCheck(column_name, wrong, f"must be one of {', '.join(values)}")


def one_row_each(rows: SeedRows, column_name: str, values: Sequence[str]) -> Checks:
    yield from unique_key(rows, [column_name])
    yield from accepted_values(rows, column_name, values)
    found = set(rows.frame[column_name])
    for value in values:
        yield TableCheck(column_name, value not in found, f"{value!r} is missing: add its row")


def matches(rows: SeedRows, patterns: Mapping[str, str]) -> Checks:
    for column, pattern in patterns.items():
        yield CellCheck(column, ~pl.col(column).str.contains(pattern), f"must match the pattern {pattern}")


def finite(rows: SeedRows, columns: Sequence[str]) -> Checks:
    for column in columns:
        yield CellCheck(column, ~pl.col(column).is_finite(), "must be a finite number")


def in_range(
    rows: SeedRows,
    columns: Sequence[str],
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
) -> Checks:
    for column in columns:
        if low is not None:
            yield CellCheck(column, pl.col(column) < low, f"must be at least {low:g}")
        if above is not None:
            yield CellCheck(column, pl.col(column) <= above, f"must be greater than {above:g}")
        if high is not None:
            yield CellCheck(column, pl.col(column) > high, f"must be at most {high:g}")


def unique_key(rows: SeedRows, columns: Sequence[str], nullable: Sequence[str] = ()) -> Checks:
    yield from filled(rows, [column for column in columns if column not in nullable])
    first = pl.col(LINE).min().over([TEXT + column for column in columns])

    def message(line: int, cell: str) -> str:
        (at,) = rows.frame.with_columns(first.alias("first")).filter(pl.col(LINE) == line)["first"]
        return f"line {at} has the same {' and '.join(columns)}: remove one of the two rows"

    yield CellCheck(columns[-1], pl.col(LINE) > first, message)


def not_empty(rows: SeedRows) -> Checks:
    yield TableCheck("", rows.frame.is_empty(), "has no rows")


def relationships(rows: SeedRows, column_name: str, to: str, field: str) -> Checks:
    return lists_existing(rows, column_name, to, field)


def lists_existing(
    rows: SeedRows, column_name: str, to: str, field: str, flag: str | None = None, also: Sequence[str] = ()
) -> Checks:
    table = re.sub(r"^ref\('(\w+)'\)$", r"\1", to)
    known = {*also, *rows.others(table, field, flag)}

    def message(line: int, cell: str) -> str:
        entry = next(entry for entry in cell.split(";") if entry not in known)
        near = get_close_matches(entry, known, n=3, cutoff=0.5)
        hint = f"; similar entries are {', '.join(near)}" if near else ""
        return f"{entry!r} is not in {rows.file_of(table)}{hint}"

    entries = pl.col(TEXT + column_name).str.split(";")
    yield CellCheck(column_name, entries.list.set_difference(sorted(known)).list.len() > 0, message)


def row_rules(rows: SeedRows, rules: Sequence[Mapping[str, str]]) -> Checks:
    for rule in rules:
        yield CellCheck(rule["column"], ~pl.sql_expr(rule["expression"]), rule["message"])


def has_model_in(rows: SeedRows, column_name: str, union: str) -> Checks:
    yield from ()  # only dbt knows its models; its test stops the build


RULES: Mapping[str, Callable[..., Checks]] = {
    rule.__name__: rule
    for rule in (
        filled,
        accepted_values,
        one_row_each,
        matches,
        finite,
        in_range,
        unique_key,
        not_empty,
        relationships,
        lists_existing,
        row_rules,
        has_model_in,
    )
}
"""Name of a dbt test -> its function."""


@dataclass(frozen=True)
class Rule:
    """One use of a dbt test: its name, its arguments, and ``file:line`` of its declaration."""

    name: str
    arguments: Mapping[str, Any]
    place: str

    @property
    def columns(self) -> list[str]:
        """The columns of the table that the arguments name, without those in SQL expressions."""
        given = self.arguments
        listed = [*given.get("columns", ()), *given.get("patterns", ()), *given.get("nullable", ())]
        named = [given["column_name"]] if "column_name" in given else []
        return [*listed, *named, *(rule["column"] for rule in given.get("rules", ()))]

    def checks(self, rows: SeedRows) -> list[CellCheck | TableCheck]:
        """Return the conditions of the rule on these rows.

        Raises:
            ConfigurationError: The arguments are not those of the test, or a condition cannot be computed.
        """
        try:
            checks = list(RULES[self.name](rows, **self.arguments))
            conditions = [check.wrong for check in checks if isinstance(check, CellCheck)]
            rows.frame.head(1).select(wrong.alias(str(number)) for number, wrong in enumerate(conditions))
        except (TypeError, KeyError, pl.exceptions.PolarsError) as error:
            raise ConfigurationError(
                f"{self.place}: the rule {self.name} cannot be checked ({printable(str(error))[:200]}): correct its"
                " arguments as in dbt_project/tests/generic"
            ) from error
        return checks
