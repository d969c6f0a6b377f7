"""Tools for analysts: worked questions, comments in the file, the dictionary, and ``carec query``."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.cli import queries as questions
from pipelines.cli.query import LONGEST_TABLE
from pipelines.published import run_query
from sources.errors import ConfigurationError
from tests.conftest import ROOT, run_carec

QUESTIONS = [question.name for question in questions.questions()]


@pytest.fixture
def published(published_warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setenv("CAREC_WAREHOUSE", str(published_warehouse))
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        yield connection


def test_the_worked_questions_are_all_different() -> None:
    texts = {question.text for question in questions.questions()}
    assert len(texts) == len(QUESTIONS) > 0
    assert all(text.endswith("?") for text in texts)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_worked_question_gives_the_same_answer_every_time(published: duckdb.DuckDBPyConnection, name: str) -> None:
    (question,) = [one for one in questions.questions() if one.name == name]
    columns, rows = run_query(question.sql)
    assert rows and len(set(columns)) == len(columns)
    assert not all(value is None for row in rows for value in row)
    assert "order by" in question.sql or len(rows) == 1, "rows without an order"
    assert run_query(question.sql) == (columns, rows)


@pytest.mark.parametrize("document", ["queries", "dictionary"])
def test_the_generated_pages_are_up_to_date(published_warehouse: Path, tmp_path: Path, document: str) -> None:
    """`make docs` writes them again; the test names pages that differ."""
    done = run_carec(document, "--write-docs", str(tmp_path / "fresh.md"), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    fresh = (tmp_path / "fresh.md").read_text(encoding="utf-8")
    written = (ROOT / "docs" / f"{document}.md").read_text(encoding="utf-8")
    differing = [line for line in fresh.splitlines() if line not in written.splitlines()][:5]
    assert fresh == written, f"run `make docs`: docs/{document}.md lacks {differing}"


def test_every_column_of_every_table_has_a_comment_in_the_file(published: duckdb.DuckDBPyConnection) -> None:
    columns = published.execute(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'main' and not internal and length(trim(coalesce(comment, ''))) < 3"
    ).fetchall()
    tables = published.execute(
        "select table_name from duckdb_tables() where not internal and length(trim(coalesce(comment, ''))) < 3"
    ).fetchall()
    assert columns == [] and tables == []
    ((count,),) = published.execute("select count(*) from duckdb_tables() where schema_name = 'main'").fetchall()
    assert count > 40


def test_the_comments_are_the_descriptions_of_the_dbt_project(published: duckdb.DuckDBPyConnection) -> None:
    described = yaml.safe_load((ROOT / "dbt_project" / "models" / "marts" / "_marts.yml").read_text(encoding="utf-8"))
    compared = 0
    for model in described["models"]:
        comments = dict(
            published.execute(
                "select column_name, comment from duckdb_columns() where table_name = ?", [model["name"]]
            ).fetchall()
        )
        for column in model.get("columns", []):
            if "{{" not in column["description"]:
                assert comments[column["name"]].split() == column["description"].split(), (
                    model["name"],
                    column["name"],
                )
                compared += 1
    assert compared > 50


def test_questions_are_listed_and_one_is_run_by_name(published_warehouse: Path) -> None:
    listed = json.loads(run_carec("queries", "--format", "json", warehouse=published_warehouse).stdout)
    assert [one["name"] for one in listed] == QUESTIONS
    one = run_carec("queries", "league_table", "--format", "csv", warehouse=published_warehouse)
    assert len(list(csv.DictReader(io.StringIO(one.stdout)))) == 11
    unknown = run_carec("queries", "leage_table", warehouse=published_warehouse)
    assert unknown.returncode == 2 and "`carec queries` lists all" in unknown.stderr


VALUES = """
    select null as nothing, '' as empty, 'a,"b"' || chr(10) || 'c' as text, 1.5 as price, 0.1::double as share,
        date '2026-01-02' as day, timestamp '2026-01-02 03:04:05' as moment, [1, null, 3] as list,
        {'since': date '2026-01-02', 'share': 0.5::double} as pair, true as is_so, 'nan'::double as odd,
        170141183460469231731687303715884105727 as large, 'KAZ' as iso3, 'UZB' as iso3, 'Türkiye' as name
"""


def test_json_has_every_type_of_value_and_keeps_columns_of_the_same_name(published: duckdb.DuckDBPyConnection) -> None:
    del published
    done = run_carec("query", VALUES, "--format", "json", warehouse=Path(os.environ["CAREC_WAREHOUSE"]))
    (record,) = json.loads(done.stdout, parse_constant=pytest.fail)
    assert record == {
        "nothing": None,
        "empty": "",
        "text": 'a,"b"\nc',
        "price": 1.5,
        "share": 0.1,
        "day": "2026-01-02",
        "moment": "2026-01-02T03:04:05",
        "list": [1, None, 3],
        "pair": {"since": "2026-01-02", "share": 0.5},
        "is_so": True,
        "odd": None,
        "large": 2**127 - 1,
        "iso3": "KAZ",
        "iso3_1": "UZB",
        "name": "Türkiye",
    }


def test_csv_has_empty_cells_for_missing_values_and_json_for_lists(published_warehouse: Path) -> None:
    done = run_carec("query", VALUES, "--format", "csv", warehouse=published_warehouse)
    (record,) = csv.DictReader(io.StringIO(done.stdout))
    assert record["nothing"] == record["empty"] == record["odd"] == ""
    assert record["text"] == 'a,"b"\nc' and record["price"] == "1.5" and record["is_so"] == "true"
    assert record["moment"] == "2026-01-02T03:04:05" and json.loads(record["list"]) == [1, None, 3]
    assert json.loads(record["pair"]) == {"since": "2026-01-02", "share": 0.5}
    assert record["large"] == str(2**127 - 1) and record["iso3_1"] == "UZB" and record["name"] == "Türkiye"


def test_a_table_has_dashes_for_missing_values_and_one_block_per_row_if_it_is_too_wide(
    published_warehouse: Path,
) -> None:
    narrow = run_carec("query", "select null as a, 1234.5678 as b, true as c", warehouse=published_warehouse)
    assert [line.split() for line in narrow.stdout.splitlines()] == [["a", "b", "c"], ["–", "1234.5678", "true"]]
    wide = run_carec("query", "from indicator_scores limit 2", warehouse=published_warehouse, COLUMNS="80")
    lines = wide.stdout.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert [line.split()[0] for line in lines if line.startswith("iso3")] == ["iso3", "iso3"]
    none = run_carec("query", "select iso3, name from economies where false", warehouse=published_warehouse)
    assert none.stdout == "iso3  name\n"


def test_control_sequences_in_a_text_are_printed_as_text(published_warehouse: Path) -> None:
    done = run_carec("query", "select chr(27) || '[2J' || '[bold]' as x", warehouse=published_warehouse)
    assert done.stdout == "x\n?[2J[bold]\n"


def test_a_long_table_is_cut_with_a_note_and_csv_is_complete(published_warehouse: Path) -> None:
    sql = "select range as n from range(1500)"
    table = run_carec("query", sql, warehouse=published_warehouse)
    assert len(table.stdout.splitlines()) == LONGEST_TABLE + 1
    assert "500 more rows: --format csv or json prints all" in table.stderr
    whole = run_carec("query", sql, "--format", "csv", warehouse=published_warehouse)
    assert len(whole.stdout.splitlines()) == 1501 and whole.stderr == ""


@pytest.mark.parametrize(
    "sql",
    [
        "from scorecard",
        "with best as (from scorecard where rank = 1) select name from best;",
        "pivot (from pillar_scores) on pillar_id using any_value(score) group by iso3",
        "describe scorecard",
        "summarize scorecard",
        "show tables",
        "explain from scorecard",
        "values (1), (2)",
        "-- a remark\nselect 1 /* another */",
    ],
)
def test_every_query_that_only_reads_is_run(published: duckdb.DuckDBPyConnection, sql: str) -> None:
    columns, rows = run_query(sql)
    assert columns and rows


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", "it is empty"),
        (" ; ", "it is empty"),
        ("-- nothing", "it is empty"),
        ("selec 1", "syntax error"),
        ("select 'open", "unterminated quoted string"),
        ("select nothing from scorecard", "nothing"),
        ("from nowhere", "nowhere does not exist"),
        ("select 1; select 2", "only one statement is allowed, 2 were given"),
        ("select 1; drop table scorecard", "only one statement"),
        ("create table t as select 1", "CREATE does more than read"),
        ("create temp table t as select 1", "CREATE does more than read"),
        ("insert into scorecard from scorecard", "INSERT does more than read"),
        ("update scorecard set rank = 1", "UPDATE does more than read"),
        ("delete from scorecard", "DELETE does more than read"),
        ("drop table scorecard", "DROP does more than read"),
        ("alter table scorecard add column x int", "ALTER does more than read"),
        ("copy scorecard to 'stolen.csv'", "COPY does more than read"),
        ("export database 'stolen'", "EXPORT does more than read"),
        ("attach 'other.duckdb' as other", "ATTACH does more than read"),
        ("install httpfs", "LOAD does more than read"),
        ("set enable_external_access = true", "SET does more than read"),
        ("call pragma_version()", "CALL does more than read"),
        ("pragma enable_profiling", "does more than read"),
        ("begin transaction", "TRANSACTION does more than read"),
        ("select * from read_text('{file}')", "file system operations are disabled"),
        ("select * from read_csv('{file}')", "file system operations are disabled"),
        ("from '{file}'", "file system operations are disabled"),
        ("select * from glob('{folder}/*')", "file system operations are disabled"),
        ("select * from read_csv('https://example.org/a.csv')", "disabled"),
        ("explain analyze create table t as select 1", "read-only mode"),
        ("from connection", "connection does not exist"),  # a variable of the program
        ("select getenv('HOME')", "getenv does not exist"),
    ],
)
def test_every_query_that_does_more_than_read_is_refused_with_the_reason(
    published: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, expected: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        run_query(sql.format(file=secret, folder=tmp_path))
    assert str(refused.value).startswith("the query failed: ") and expected in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_a_refused_query_prints_to_standard_error_and_exits_with_2(published_warehouse: Path) -> None:
    done = run_carec("query", "selec 1", "--format", "json", warehouse=published_warehouse)
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr.startswith("carec: the query failed: Parser Error: syntax error") and "Traceback" not in done.stderr
    )
