"""Tools for analysts: worked questions, comments in the file, the dictionary, and ``carec query``."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
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
        " union all"
        " select view_name from duckdb_views() where not internal and length(trim(coalesce(comment, ''))) < 3"
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


VIEWS = ("v_compare", "v_history", "v_indicators_latest", "v_members")


def test_the_views_read_the_file_that_they_are_in_whatever_its_name(
    published: duckdb.DuckDBPyConnection, published_warehouse: Path, tmp_path: Path
) -> None:
    found = published.execute("select view_name, sql from duckdb_views() where not internal order by 1").fetchall()
    assert [name for name, _ in found] == list(VIEWS)
    renamed = shutil.copy(published_warehouse / "carec.duckdb", tmp_path / "taken along.duckdb")
    with duckdb.connect() as other:
        other.execute(f"attach '{renamed}' as \"my copy\" (read_only)")
        other.execute("create table scorecard as select 'nothing' as iso3; create table observations as select 1 as x")
        for view in VIEWS:
            here, there = (
                connection.execute(f"select count(*), count(distinct iso3) from {place}").fetchone()
                for connection, place in ((published, view), (other, f'"my copy".main.{view}'))
            )
            assert here == there and here is not None and here[1] == 11, view


def test_the_view_of_latest_values_is_the_join_of_the_tables(published: duckdb.DuckDBPyConnection) -> None:
    """Value, target, status, source and unit as an analyst would join them, with the words of the pages."""
    words = yaml.safe_load((ROOT / "pipelines" / "texts" / "en.yml").read_text(encoding="utf-8"))
    ours = published.execute(
        "select iso3, indicator_id, member, indicator, value, year, target_value, status_code, reason_code, level,"
        " source, source_url, status, status_because, unit from v_indicators_latest order by all"
    ).fetchall()
    theirs = published.execute(
        """
        select s.iso3, s.indicator_id, e.name, i.title, s.latest_value, s.latest_year, s.target_value, s.status,
            s.status_reason, s.level_score, o.provider, o.source_url, i.unit
        from indicator_scores as s
        join economies as e using (iso3)
        join indicators as i using (indicator_id)
        left join observations as o
            on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year
        where s.framework_id = 'carec_2030' order by all
        """
    ).fetchall()
    ((indicators,),) = published.execute(
        "select count(*) from framework_indicators where framework_id = 'carec_2030'"
    ).fetchall()
    assert len(ours) == len(theirs) == 11 * indicators
    for (*row, status, because, unit), (*expected, unit_code) in zip(ours, theirs, strict=True):
        code, reason = expected[7], expected[8]
        sign = "level_only" if reason == "not_comparable_edition" else code
        assert row == expected
        assert (status, because) == (words["statuses"][sign], words["reasons"][reason])
        assert unit == words["units"][unit_code]


def test_the_points_lost_of_a_member_add_up_to_100_less_its_overall_score(
    published: duckdb.DuckDBPyConnection,
) -> None:
    rows = published.execute(
        """
        select framework_id, iso3, any_value(overall_score), sum(points_lost),
            count(*) filter (points_lost is not null and level_score is null)
        from scorecard join indicator_scores using (framework_id, iso3) group by all
        """
    ).fetchall()
    assert len(rows) > 200
    for framework, iso3, score, lost, without_level in rows:
        assert without_level == 0
        assert (score is None) == (lost is None), (framework, iso3)
        assert score is None or lost == pytest.approx(100 - score, abs=1e-9), (framework, iso3)


def test_the_points_lost_are_what_the_overall_score_gains_if_the_indicator_meets_its_target(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """The score again with one level at 100, from the published levels and weights: three weighted means."""
    levels: dict[str, dict[str, dict[str, dict[str, tuple[float, float]]]]] = {}
    lost = {}
    rows = published.execute(
        """
        select s.iso3, s.pillar_id, s.subtheme_id, s.indicator_id, coalesce(f.weight, 1), t.weight, s.level_score,
            s.points_lost
        from indicator_scores as s
        join framework_indicators as f using (framework_id, indicator_id)
        join subthemes as t on (s.framework_id, s.pillar_id, s.subtheme_id)
            = (t.framework_id, t.pillar_id, t.subtheme_id)
        join pillars as p on s.framework_id = p.framework_id and s.pillar_id = p.pillar_id and p.in_overall
        where s.framework_id = 'carec_2030' and s.level_score is not null
        """
    ).fetchall()
    weights = {}
    for iso3, pillar, subtheme, indicator, weight, subtheme_weight, level, points in rows:
        levels.setdefault(iso3, {}).setdefault(pillar, {}).setdefault(subtheme, {})[indicator] = (weight, level)
        weights[subtheme] = subtheme_weight
        lost[iso3, indicator] = points

    def mean(parts: list[tuple[float, float]]) -> float:
        return sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)

    def overall(iso3: str, met: str | None = None) -> float:
        pillars = []
        for subthemes in levels[iso3].values():
            means = [
                (weights[subtheme], mean([(w, 100 if name == met else level) for name, (w, level) in own.items()]))
                for subtheme, own in subthemes.items()
            ]
            pillars.append((1.0, mean(means)))
        return mean(pillars)

    scores = dict(published.execute("select iso3, score from v_members where score is not null").fetchall())
    assert len(scores) == 9
    for (iso3, indicator), points in lost.items():
        if iso3 not in scores:
            assert points is None
            continue
        assert overall(iso3) == pytest.approx(scores[iso3], abs=1e-9)
        assert points == pytest.approx(overall(iso3, indicator) - overall(iso3), abs=1e-9), (iso3, indicator)


def test_the_comparison_is_the_same_from_both_sides_and_a_group_is_the_mean_of_its_members(
    published: duckdb.DuckDBPyConnection,
) -> None:
    ((pairs, unlike),) = published.execute(
        """
        select count(*), count(*) filter (
            a.score_difference is distinct from -b.score_difference or a.value is distinct from b.other_value
        )
        from v_compare as a join v_compare as b
            on a.kind = b.kind and a.id = b.id and a.iso3 = b.other_id and a.other_id = b.iso3
        """
    ).fetchall()
    ((parts,),) = published.execute("select count(distinct (kind, id)) from v_compare").fetchall()
    assert pairs == 11 * 10 * parts and unlike == 0
    (mean, members, difference), *_ = published.execute(
        "select other_value, other_members, value_difference - (value - other_value) from v_compare"
        " where iso3 = 'KAZ' and other_id = 'carec' and id = 'internet_users_pct'"
    ).fetchall()
    by_hand = published.execute(
        """
        select max_by(o.value, o.year) from observations as o join economies as e using (iso3)
        cross join publication as p join indicators as i using (indicator_id)
        where e.is_member and o.indicator_id = 'internet_users_pct'
            and o.year between year(p.as_of) - i.max_age_years and year(p.as_of)
        group by o.iso3
        """
    ).fetchall()
    assert members == len(by_hand) and difference == 0
    assert mean == pytest.approx(sum(value for (value,) in by_hand) / len(by_hand))


def test_a_question_about_members_needs_no_join() -> None:
    """What is left joins tables of another subject: documents of claims, and revisions."""
    joined = {question.name for question in questions.questions() if " join " in question.sql.lower()}
    assert joined == {"claims_that_documents_decide", "revised_figures"}


def test_the_sql_of_a_question_is_printed_and_runs_as_it_is(published_warehouse: Path) -> None:
    printed = run_carec("queries", "points_lost", "--sql", warehouse=published_warehouse).stdout
    assert printed.startswith("select ") and "from v_indicators_latest" in printed
    done = run_carec("query", printed, "--format", "json", warehouse=published_warehouse)
    assert done.returncode == 0 and json.loads(done.stdout)
    assert run_carec("queries", "--sql", warehouse=published_warehouse).stdout.count("-- ") >= len(QUESTIONS)


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
        ("from nowhere", "`carec dictionary` lists views and tables"),
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
