"""Change the scoring SQL one operator at a time, and check that dbt's unit tests fail.

Belongs here: the mutants, and dbt's unit tests run without dbt, because dbt needs seconds for each mutant.
Does not belong here: the unit tests (next to the models), and faults that only Python tests can find.

To run every mutant of every macro, or of the named files, on a warehouse that a refresh has built:

    CAREC_WAREHOUSE=... python -m tests.mutations [file of the dbt project ...]
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from jinja2 import Environment

from pipelines.dbt.functions import register
from pipelines.seeds.codes import VARIABLES
from tests.conftest import ROOT

PROJECT = ROOT / "dbt_project"
MACROS = [f"macros/{name}.sql" for name in ("arithmetic", "goalposts", "trend", "projection", "scenarios")]
"""The macros of the score. Python tests cover the macros of explanations; claims have their own tests."""

SWAPS = {
    " - ": " + ",
    " + ": " - ",
    " * ": " / ",
    " / ": " * ",
    " < ": " > ",
    " > ": " < ",
    " >= ": " < ",
    " <= ": " > ",
    " = ": " <> ",
    " <> ": " = ",
    " and ": " or ",
    "is not null": "is null",
    "not is": "is",
    "isfinite(": "isnan(",
    "min(": "max(",
    "max(": "min(",
    "greatest(": "least(",
    "floor(": "ceil(",
    "ceil(": "floor(",
    "round(": "floor(",
    "ln(": "sqrt(",
    "exp(": "abs(",
    "list_median(": "list_max(",
    "list_sort(": "list_reverse_sort(",
    "left(": "right(",
    " desc": " asc",
}
"""Text in the code -> text in a mutant, one occurrence at a time."""

# comments, and Jinja tags without SQL
_PROSE = re.compile(
    r"\{#.*?#\}|--[^\n]*|\{%-?\s*(?:macro|endmacro|endset|if|else|endif|for|endfor)\b.*?%\}|\{%-?\s*set\s+\w+\s*=\s*",
    re.DOTALL,
)
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)")


@dataclass(frozen=True)
class Mutant:
    macro: str | None
    line: int
    old: str
    new: str
    text: str
    """The whole file."""


def mutants(source: str) -> Iterator[Mutant]:
    """Return every mutant of a file, from its first line to its last."""
    prose = [match.span() for match in _PROSE.finditer(source)]
    found = []
    for old, new in SWAPS.items():
        for match in re.finditer(re.escape(old), source):
            start, end = match.span()
            if not any(a < end and start < b for a, b in prose):
                names = _MACRO.findall(source, 0, start)
                text = source[:start] + new + source[end:]
                line = source.count("\n", 0, start) + 1
                found.append(Mutant(names[-1] if names else None, line, old.strip(), new.strip(), text))
    yield from sorted(found, key=lambda mutant: mutant.line)


@dataclass(frozen=True)
class UnitTest:
    """One of dbt's unit tests. Its inputs are in ``schema``."""

    name: str
    model: Path
    schema: str
    expected: Sequence[Mapping[str, Any]]


class UnitTests:
    """Every unit test of the score. Its inputs are inserted once; it can run on many changed files."""

    def __init__(self, warehouse: Path):
        self._connection = duckdb.connect(config={"threads": 1})
        register(self._connection)
        self._connection.execute(f"attach '{warehouse / 'build.duckdb'}' as built (read_only)")
        self._kinds = self._types()
        self._files = {
            path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8") for path in PROJECT.rglob("*.sql")
        }
        self._tests = list(self._laid_down())

    def red(self, file: str | None = None, text: str = "") -> str | None:
        """Return the first unit test that fails if ``file`` contains ``text``; None if all pass."""
        files = self._files if file is None else {**self._files, file: text}
        environment = Environment(extensions=["jinja2.ext.do"])
        environment.globals |= {
            "ref": '"{}"'.format,
            "source": '"{1}"'.format,
            "config": lambda **_: "",
            "var": VARIABLES.get,
        }
        # a materialization is a tag of dbt's own, and no unit test of a model depends on it
        macros = "".join(
            source
            for name, source in files.items()
            if name.startswith("macros/") and name != "macros/materializations.sql"
        )
        module = environment.from_string(macros).module
        environment.globals |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
        # objects that dbt creates before its first model; temporary, so that every schema finds them
        self._connection.execute(module.create_revision_size().replace("replace macro", "replace temp macro"))
        for test in self._tests:
            name = test.model.relative_to(PROJECT).as_posix()
            concerned = file is None or file in {name, *MACROS}
            if concerned and not self._passes(test, environment.from_string(files[name]).render()):
                return test.name
        return None

    def _passes(self, test: UnitTest, model: str) -> bool:
        columns = list(dict.fromkeys(column for row in test.expected for column in row))
        self._connection.execute(f"use memory.{test.schema}")
        try:
            self._connection.execute(f"create or replace temp table actual as {model}")
            actual = self._rows(f"select {', '.join(columns)} from actual")
            self._connection.execute("create or replace temp table expected as from actual limit 0")
            self._insert("expected", test.expected)
            return actual == self._rows(f"select {', '.join(columns)} from expected")
        except duckdb.Error:
            return False

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(f"{sql} order by all").fetchall()

    def _types(self) -> dict[str, dict[str, str]]:
        """Return table -> column -> type, as dbt built them."""
        kinds: dict[str, dict[str, str]] = {}
        for table, column, kind in self._connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where database_name = 'built'"
        ).fetchall():
            kinds.setdefault(table, {})[column] = kind
        return kinds

    def _laid_down(self) -> Iterator[UnitTest]:
        models = {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}
        apart = ("_claims", "_documents")
        for path in sorted(path for path in (PROJECT / "models").rglob("*.yml") if not path.name.startswith(apart)):
            for test in yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", []):
                schema = f"test_{test['name']}"
                self._connection.execute(f"create schema {schema}")
                for given in test["given"]:
                    name = re.findall(r"'(\w+)'", given["input"])[-1]
                    if given.get("format") == "sql":
                        self._connection.execute(f'create table {schema}."{name}" as {given["rows"]}')
                        continue
                    columns = ", ".join(f'"{column}" {kind}' for column, kind in self._kinds[name].items())
                    self._connection.execute(f'create table {schema}."{name}" ({columns})')
                    self._insert(f'{schema}."{name}"', given["rows"])
                yield UnitTest(test["name"], models[test["model"]], schema, test["expect"]["rows"])

    def _insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            columns, marks = ", ".join(f'"{column}"' for column in row), ", ".join("?" for _ in row)
            self._connection.execute(f"insert into {table} ({columns}) values ({marks})", list(row.values()))


def main(files: Sequence[str]) -> None:
    """Test every mutant of the files and print the results."""
    tests = UnitTests(Path(os.environ["CAREC_WAREHOUSE"]))
    if broken := tests.red():
        sys.exit(f"{broken} fails before anything was changed")
    survivors = 0
    for file in files:
        for mutant in mutants((PROJECT / file).read_text(encoding="utf-8")):
            noticed = tests.red(file, mutant.text)
            survivors += noticed is None
            where = f"{file}:{mutant.line}: {mutant.old} -> {mutant.new}"
            print(f"{where}: {noticed}" if noticed else f"{where}: SURVIVED", flush=True)
    print(f"{survivors} mutants survived")


if __name__ == "__main__":
    main(sys.argv[1:] or MACROS)
