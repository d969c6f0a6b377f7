"""``carec what-if``: the same result as a scoring of everything with the figure changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.scoring.models import Models, compiled_folder, is_published_by, load_models
from pipelines.scoring.what_if import TABLES, WhatIf
from tests.conftest import AS_OF, copy_checkout, run_carec
from tests.templates import copy_warehouse
from warehouse.layout import Layout

CHANGE = ("KAZ", "internet_users_pct", 70.0)


def asked(warehouse: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    done = run_carec("what-if", *arguments, "--format", "json", warehouse=warehouse)
    assert done.returncode == 0, done.stderr
    return {row["subject_id"]: row for row in json.loads(done.stdout)}


def models_of(warehouse: Path) -> Models:
    return load_models(warehouse / "dbt" / "compiled" / "carec_scorecard" / "models", TABLES)


def records(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = connection.execute(sql)
    return [dict(zip([column[0] for column in result.description], row, strict=True)) for row in result.fetchall()]


def test_the_published_scores_are_those_before_only_if_the_present_models_computed_them(
    published_warehouse: Path,
) -> None:
    layout = Layout(published_warehouse)
    assert is_published_by(layout, compiled_folder(layout))
    assert not is_published_by(layout, layout.root / "elsewhere")
    published, once_more = (
        WhatIf(layout.published, models_of(published_warehouse), "carec_2030", "UZB", is_current=current).before
        for current in (True, False)
    )
    assert published == once_more


def test_what_if_equals_a_full_scoring_with_the_figure_changed(published_warehouse: Path) -> None:
    iso3, indicator_id, value = CHANGE
    rows = asked(published_warehouse, iso3, f"{indicator_id}={value}")
    models = load_models(
        published_warehouse / "dbt" / "compiled" / "carec_scorecard" / "models", ["scorecard", "pillar_scores"]
    )
    published = str(published_warehouse / "carec.duckdb")
    with duckdb.connect(":memory:") as connection:
        models.prepare(connection)
        connection.execute(f"attach '{published}' as published (read_only)")
        for name in models.inputs - {"run"}:
            connection.execute(f"create table {name} as from published.{name}")
        connection.execute("create table run as select as_of from published.publication")
        year = rows[indicator_id]["year"]
        place = [iso3, indicator_id, year]
        before = connection.execute(
            "select value from observations where iso3 = ? and indicator_id = ? and year = ?", place
        ).fetchone()
        assert before == (rows[indicator_id]["value_before"],)
        connection.execute(
            "update observations set value = ? where iso3 = ? and indicator_id = ? and year = ?", [value, *place]
        )
        models.run(connection)
        where = "framework_id = 'carec_2030' and iso3 = ?"
        columns = "overall_score, rank, rank_p05, rank_p95"
        after = connection.execute(f"select {columns} from scorecard where {where}", [iso3]).fetchone()
        old = connection.execute(f"select {columns} from published.scorecard where {where}", [iso3]).fetchone()
        scenarios = "from rank_scenarios where framework_id = 'carec_2030' order by iso3"
        # a figure of one member moves the share of the world that does worse, and so the bands of the others
        question = WhatIf(Path(published), models_of(published_warehouse), "carec_2030", iso3, is_current=True)
        question.score({indicator_id: value})
        assert question.rows(scenarios) == records(connection, scenarios)
    for found, when in ((after, "after"), (old, "before")):
        assert found is not None
        names = ("score", "rank", "rank_p05", "rank_p95")
        names = tuple(f"{name}_{when}" for name in names)
        assert [rows["overall"][name] for name in names] == pytest.approx(list(found), abs=1e-9)
    assert rows["overall"]["score_after"] < rows["overall"]["score_before"]


@pytest.mark.exhaustive
def test_the_value_for_a_rank_reaches_it_and_a_little_less_does_not(published_warehouse: Path) -> None:
    first = asked(published_warehouse, "GEO", "articles_per_million=1")["overall"]
    target = first["rank_before"]
    assert first["rank_after"] > target
    asked_for = asked(published_warehouse, "GEO", "articles_per_million", "--rank", str(target))
    value = asked_for["articles_per_million"]["value_for_rank"]
    for factor, reached in ((1.0, True), (0.99, False)):
        after = asked(published_warehouse, "GEO", f"articles_per_million={value * factor!r}")["overall"]["rank_after"]
        assert (after <= target) is reached


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["KAZ", "internet_user_pct=7"], "is no indicator of carec_2030; similar are internet_users_pct"),
        (["KAZ", "zzz=1"], "`carec indicators` lists them"),
        (["KAZ", "internet_users_pct=120"], "is not from 0 to 100"),
        (["KAZ", "internet_users_pct=x"], "is no number"),
        (["KAZ", "internet_users_pct"], "needs --rank"),
        (["FRA", "internet_users_pct=7"], "is not scored by carec_2030"),
    ],
)
def test_a_question_without_an_answer_is_refused(published_warehouse: Path, arguments: list[str], message: str) -> None:
    done = run_carec("what-if", *arguments, warehouse=published_warehouse)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.exhaustive
def test_what_if_equals_a_refresh_with_the_figure_changed(published_warehouse: Path, tmp_path: Path) -> None:
    iso3, indicator_id, value = CHANGE
    rows = asked(published_warehouse, iso3, f"{indicator_id}={value}")
    root = copy_checkout(tmp_path / "checkout")
    archive = root / "sources" / "archive" / f"{indicator_id}.csv"
    start = f"{iso3},{rows[indicator_id]['year']},"
    lines = archive.read_text(encoding="utf-8").splitlines(keepends=True)
    (old,) = [line for line in lines if line.startswith(start)]
    rest = old.removeprefix(start).partition(",")
    end = "\n" if not rest[1] else rest[1] + rest[2]
    archive.write_text("".join(f"{start}{value}{end}" if line == old else line for line in lines), encoding="utf-8")
    warehouse = copy_warehouse(published_warehouse, tmp_path / "warehouse")
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, root=root)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select overall_score, rank, rank_p05, rank_p95 from scorecard"
            " where framework_id = 'carec_2030' and iso3 = ?",
            [iso3],
        ).fetchone()
    assert found is not None
    names = ("score_after", "rank_after", "rank_p05_after", "rank_p95_after")
    assert [rows["overall"][name] for name in names] == pytest.approx(list(found), abs=1e-9)
