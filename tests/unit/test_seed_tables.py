"""The declarations of the seeds: complete, free of faults, and the same in Python as in dbt."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml
from jinja2 import Environment

from pipelines.seeds.codes import DECIDED, DEPENDING, FRAMEWORK, SIGNS, VARIABLES, VERDICTS, WITHOUT_FIGURE
from pipelines.seeds.csv_table import LINE
from pipelines.seeds.rules import RULES, TEXT, CellCheck, SeedRows
from pipelines.seeds.table_schema import check_tables, load_schemas
from sources.errors import ConfigurationError
from tests.conftest import ROOT
from tests.seed_copies import check_seeds, copy_seeds

PROJECT = ROOT / "dbt_project"
SEEDS = PROJECT / "seeds"


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return copy_seeds(tmp_path)


def message(seeds: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        check_seeds(seeds)
    return str(raised.value)


def test_every_seed_is_declared_and_checked() -> None:
    assert set(load_schemas(SEEDS)) == {path.stem for path in SEEDS.glob("*.csv")}


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*.csv")), ids=lambda path: path.stem)
def test_an_invalid_cell_in_any_seed_is_reported_with_its_file_and_line(seeds: Path, path: Path) -> None:
    """The fault is text in the first typed cell, or a missing key in the first row."""
    schema = load_schemas(SEEDS)[path.stem]
    rows = pl.read_csv(path, infer_schema=False)
    if rows.is_empty():
        rows = pl.DataFrame({key: [""] for key in rows.columns})
    types = [column for column, kind in schema.types.items() if kind != "varchar"]
    column = types[0] if types else schema.key[0]
    changed = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("x y" if types else "")).otherwise(column).alias(column)
    rows.with_columns(changed).write_csv(seeds / path.name)
    assert re.search(rf"{path.name}:2: .*column {column}: ", message(seeds))


def test_a_seed_without_a_declaration_is_reported(seeds: Path) -> None:
    (seeds / "notes.csv").write_text("note\nx\n", encoding="utf-8")
    assert "notes.csv: has no declaration" in message(seeds)


def test_a_column_without_a_declaration_is_reported(seeds: Path) -> None:
    path = seeds / "groups.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("note", "note,more", 1), encoding="utf-8")
    assert "groups.csv:1: column more: is not declared" in message(seeds)


def test_a_test_of_dbt_that_python_does_not_know_is_reported(seeds: Path) -> None:
    path = seeds / "_scenarios.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("- not_empty", "- not_even"), encoding="utf-8")
    assert "scenario_assumptions: test not_even has no function" in message(seeds)


DECLARATION = """\
seeds:
  - name: limits
    config: {column_types: {
      status: varchar,
      value: double}}
    data_tests:
      - rules:
          arguments:
            rules:
              - unique_key: {columns: [status]}
              - matches: {patterns: {status: '^[a-z]+$'}}
              - accepted_values: {column_name: status, values: "{{ var('statuses') }}"}
              - finite: {columns: [value]}
              - row_rules:
                  rules:
                    - {column: value, expression: value > 0, message: must be above 0}
    columns:
      - {name: status}
      - {name: value}
"""
DECLARATION_FAULTS = [
    ("seeds:\n", "seeds: {a: [\n", 2, "not valid YAML: "),
    ("seeds:\n", "seeds: []\nseeds:\n", 2, "not valid YAML: the field 'seeds' is repeated in one entry"),
    ("seeds:\n", "seed:\n", 1, "must have `seeds:`, a list of declarations"),
    ("    config: ", "    configuration: ", 2, "limits: the declaration cannot be used .*config"),
    ("status: varchar", "status: text", 4, "limits: column status has the type 'text'; there are varchar, "),
    ("columns: [value]", "columns: [valeu]", 13, "limits: finite names the column 'valeu', .*; did you mean value?"),
    ("{column: value,", "{column: valeu,", 14, "limits: row_rules names the column 'valeu', "),
    ("expression: value >", "expression: valeu >", 14, "limits: the rule row_rules cannot be checked .*valeu"),
    ("expression: value >", "expression: value > >", 14, "limits: the rule row_rules cannot be checked "),
    ("columns: [value]", "column: [value]", 13, "limits: the rule finite cannot be checked .*column"),
    ("status: '^[a-z]", "status: '^[a-z", 11, "limits: the rule matches cannot be checked "),
    ("('statuses')", "('statusses')", 12, "limits: there is no variable 'statusses' .*; did you mean statuses?"),
    ("- finite", "- finit", 13, "limits: test finit has no function"),
]


def check_declaration(folder: Path, declaration: str) -> None:
    """Check a table of one row against a declaration."""
    (folder / "seeds").mkdir()
    (folder / "seeds" / "limits.csv").write_text("status,value\nachieved,3\n", encoding="utf-8")
    (folder / "seeds" / "_limits.yml").write_text(declaration, encoding="utf-8")
    check_tables(folder, [])


def test_the_example_declaration_of_these_tests_is_valid(tmp_path: Path) -> None:
    check_declaration(tmp_path, DECLARATION)


@pytest.mark.parametrize(("old", "new", "line", "expected"), DECLARATION_FAULTS)
def test_a_faulty_declaration_is_reported_with_its_file_and_line(
    tmp_path: Path, old: str, new: str, line: int, expected: str
) -> None:
    assert DECLARATION.count(old) == 1
    with pytest.raises(ConfigurationError, match=rf"_limits\.yml:{line}: {expected}") as raised:
        check_declaration(tmp_path, DECLARATION.replace(old, new))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "scoring_parameters",
            "coverage_gate,0.5",
            "coverage_gate,50",
            ":6: coverage_gate: column value: must be from",
        ),
        (
            "scoring_parameters",
            "min_trend_points,3",
            "min_trend_points,2.5",
            "must be a whole number from 2, not '2.5'",
        ),
        ("scoring_parameters", "history_from,2015", "history_from,15", "must be a year from 1990 to 2100, not '15'"),
        ("scoring_parameters", "noise_z", "noise", "column parameter: must be one of "),
        ("scoring_parameters", "noise_z,1.645", "noise_z,", "column value: is empty: a value is required"),
        (
            "status_thresholds",
            "moderately_improving,0.5",
            "moderately_improving,fast",
            ":4: moderately_improving: column min_pace_ratio: must be a number",
        ),
        (
            "status_thresholds",
            "on_track,",
            "on_course,",
            ":3: on_course: column status: must be one of achieved, on_tr",
        ),
        (
            "status_thresholds",
            "\ndecreasing,,",
            "\nstagnating,0,",
            "line 5 has the same status: remove",
        ),
        ("status_thresholds", "on_track,,On track", "on_track,,", "column title: is empty: a value is required"),
    ],
)
def test_faults_of_parameters_and_thresholds_are_reported(
    seeds: Path, file: str, old: str, new: str, expected: str
) -> None:
    path = seeds / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert expected in message(seeds)


@pytest.mark.parametrize(
    ("line", "new", "expected"),
    [
        ("achieved,,", "achieved,3,", ":2: achieved: column min_pace_ratio: must be empty: this status is decided"),
        ("on_track,,", "on_track,9,", ":3: on_track: column min_pace_ratio: must be empty: this status is decided"),
        ("stagnating,0,", "stagnating,,", ":5: stagnating: column min_pace_ratio: is empty: the trend decides"),
    ],
)
def test_only_a_status_that_the_pace_decides_has_a_threshold(seeds: Path, line: str, new: str, expected: str) -> None:
    path = seeds / "status_thresholds.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(line, new), encoding="utf-8")
    assert f"status_thresholds.csv{expected}" in message(seeds)


def test_every_address_in_a_seed_has_the_form_of_one() -> None:
    for name, schema in load_schemas(SEEDS).items():
        checked = {column for rule in schema.rules if rule.name == "matches" for column in rule.arguments["patterns"]}
        assert {column for column in schema.types if column.endswith("url")} <= checked, name


def test_a_source_that_is_no_address_is_reported(seeds: Path) -> None:
    path = seeds / "benchmarks.csv"
    first = next(csv.DictReader(path.open(encoding="utf-8")))
    path.write_text(path.read_text(encoding="utf-8").replace(first["source_url"], "not a url", 1), encoding="utf-8")
    assert re.search(
        r"benchmarks\.csv:2: .*column source_url: must match the pattern .*, not 'not a url'", message(seeds)
    )


def test_a_missing_row_of_a_fixed_list_is_reported(seeds: Path) -> None:
    path = seeds / "status_thresholds.csv"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines(True) if not line.startswith("on_track")]
    path.write_text("".join(kept), encoding="utf-8")
    assert "status_thresholds.csv: column status: 'on_track' is missing: add its row" in message(seeds)


def test_statuses_verdicts_and_signs_are_in_the_order_in_which_they_are_declared() -> None:
    assert FRAMEWORK in (SEEDS / "frameworks.csv").read_text(encoding="utf-8")
    statuses = VARIABLES["statuses"]
    assert list(pl.read_csv(SEEDS / "status_thresholds.csv")["status"]) == statuses
    assert [sign for sign in SIGNS if sign in statuses] == statuses
    assert "no_data" not in DECIDED and set(DECIDED) < set(VERDICTS)
    assert DEPENDING == ("depends_on_reading", "depends_on_base_year")
    assert WITHOUT_FIGURE == ("no_suitable_series", "document_only", "no_data")


GENERIC = PROJECT / "tests" / "generic"
OTHER = ["a", "b"]
FAULTY = pl.DataFrame(
    {
        "name": ["a", "b", "a", None, "c", "A b"],
        "part": ["1", "1", "1", "2", None, "2"],
        "codes": ["a;b", "c", "a;c", None, "b", ""],
        "number": [0.0, 1.5, float("inf"), None, -2.0, 7.0],
    }
)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("filled", {"columns": ["name", "number"]}),
    ("finite", {"columns": ["number"]}),
    ("in_range", {"columns": ["number"], "low": 0}),
    ("in_range", {"columns": ["number"], "above": 0, "high": 5}),
    ("matches", {"patterns": {"name": "^[a-z]$", "part": r"^\d$"}}),
    ("unique_key", {"columns": ["name", "part"]}),
    ("unique_key", {"columns": ["part", "name"], "nullable": ["name"]}),
    ("one_row_each", {"column_name": "name", "values": ["a", "b", "z"]}),
    ("lists_existing", {"column_name": "codes", "to": "ref('other')", "field": "name"}),
    ("lists_existing", {"column_name": "codes", "to": "ref('other')", "field": "name", "flag": "used", "also": ["c"]}),
    ("row_rules", {"rules": [{"column": "number", "expression": "number > 1 or part = '2'", "message": "is small"}]}),
    ("not_empty", {}),
]


@cache
def generic_tests() -> Any:
    """Return the generic tests of dbt as macros ``test_NAME``."""
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(GENERIC.glob("*.sql")))
    macros = re.sub(r"\{% endtest", "{% endmacro", re.sub(r"\{% test ", "{% macro test_", sources))
    return Environment(autoescape=False, extensions=["jinja2.ext.do"]).from_string(macros).module


def sql_of(test: str, arguments: Mapping[str, Any]) -> str:
    """Return the SQL of a generic test of dbt on the table ``faulty``."""
    return str(getattr(generic_tests(), f"test_{test}")("faulty", **arguments))


def found_by_dbt(rows: pl.DataFrame, test: str, arguments: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows that a generic test of dbt finds in a table ``faulty`` with these rows."""
    given = {name: "other" if name == "to" else value for name, value in arguments.items()}
    with duckdb.connect() as connection:
        connection.execute("create table faulty (name varchar, part varchar, codes varchar, number double)")
        if rows.height:
            connection.executemany("insert into faulty values (?, ?, ?, ?)", rows.rows())
        connection.execute("create table other as select unnest(['a', 'b']) as name, name = 'a' as used")
        found = connection.execute(sql_of(test, given))
        return pl.DataFrame(
            found.fetchall(), [name for name, *_ in found.description or []], orient="row", strict=False
        )


@pytest.mark.parametrize(("test", "arguments"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_python_and_dbt_refuse_the_same_tables(test: str, arguments: dict[str, Any]) -> None:
    """Both check the complete table, the table without rows, and each row alone."""
    for rows in (FAULTY, FAULTY.clear(), *(FAULTY[at : at + 1] for at in range(FAULTY.height))):
        by_dbt = not found_by_dbt(rows, test, arguments).is_empty()
        text = rows.with_row_index(LINE, 2).with_columns(pl.col(LINE).cast(pl.Int64))
        cells = [pl.col(column).cast(pl.String).alias(TEXT + column) for column in rows.columns]
        seed = SeedRows(text.with_columns(cells), lambda _, __, flag: OTHER[:1] if flag else OTHER, str)
        by_python = False
        for check in RULES[test](seed, **arguments):
            if isinstance(check, CellCheck):
                by_python |= seed.frame.filter(check.wrong).height > 0
            else:
                by_python |= check.is_wrong
        assert by_python == by_dbt, rows


@pytest.mark.parametrize("rows", [FAULTY, FAULTY.clear()], ids=["faulty", "empty"])
def test_the_rules_of_a_table_find_what_each_rule_finds_and_name_it(rows: pl.DataFrame) -> None:
    cases = [(test, arguments) for test, arguments in CASES if "to" not in arguments]
    alone = {test: 0 for test, _ in cases}
    for test, arguments in cases:
        alone[test] += found_by_dbt(rows, test, arguments).height
    together = found_by_dbt(
        rows, "rules", {"rules": [{test: arguments} if arguments else test for test, arguments in cases]}
    )
    named = together["broken_rule"].str.split(" ").list.first().value_counts()
    assert dict(named.rows()) == {test: found for test, found in alone.items() if found}
    if rows.height:
        assert {"unique_key part, name", "in_range number", "matches name, part"} <= set(together["broken_rule"])


def test_every_generic_test_of_the_project_is_compared_with_dbt() -> None:
    compared = {path.stem for path in GENERIC.glob("*.sql")} - {"has_model_in", "rules"}
    assert {test for test, _ in CASES} == compared
    assert compared | {"accepted_values"} == set(re.findall("name == '(\\w+)'", (GENERIC / "rules.sql").read_text()))


def test_numbers_are_declared_finite() -> None:
    """DuckDB reads ``nan`` and ``inf`` as numbers."""
    for path in SEEDS.glob("_*.yml"):
        for seed in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]:
            rules = seed["data_tests"][0]["rules"]["arguments"]["rules"]
            finite = {column for rule in rules if "finite" in rule for column in rule["finite"]["columns"]}
            assert finite == {name for name, kind in seed["config"]["column_types"].items() if kind == "double"}
