"""Whole refreshes, as a process, on the bundled archive and on a loopback World Bank."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from pytest_httpserver import HTTPServer

from tests.conftest import AS_OF, run_carec
from tests.world_bank_server import serve_world_bank

INTERNET = "IT.NET.USER.ZS"


def rows(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def figures(warehouse: Path) -> dict[str, dict[tuple[str, int], float | None]]:
    """Every World Bank figure as published, by code."""
    served: dict[str, dict[tuple[str, int], float | None]] = {}
    for code, iso3, year, value in rows(
        warehouse, "select provider_code, iso3, year, value from observations where provider = 'world_bank'"
    ):
        served.setdefault(code, {})[iso3, year] = value
    return served


def refresh_live(warehouse: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_carec(
        "refresh",
        *arguments,
        warehouse=warehouse,
        CAREC_OFFLINE="",
        CAREC_WORLD_BANK_URL=url,
        CAREC_HTTP_TRIES="1",
    )


def test_every_member_has_five_pillar_scores_or_a_reason_for_each_gap(published_warehouse: Path) -> None:
    found = rows(
        published_warehouse,
        "select iso3, count(*), count(*) filter (score is null and score_reason is null) from pillar_scores"
        " where framework_id = 'carec_2030' and pillar_id in ('p1','p2','p3','p4','p5') group by 1",
    )
    assert len(found) == 11
    assert all(row[1:] == (5, 0) for row in found)


def test_known_figures_arrive_unchanged(published_warehouse: Path) -> None:
    ((internet,),) = rows(
        published_warehouse,
        "select value from observations where iso3 = 'KAZ' and indicator_id = 'internet_users_pct' and year = 2023",
    )
    ((rank, unit),) = rows(
        published_warehouse,
        "select value, unit from observations where iso3 = 'KAZ' and indicator_id = 'gii_rank' and year = 2024",
    )
    assert round(internet, 2) == 92.88
    assert (rank, unit) == (78, "rank")


def test_a_country_without_data_has_null_and_a_reason_and_never_zero(published_warehouse: Path) -> None:
    ((value, level, reason),) = rows(
        published_warehouse,
        "select latest_value, level_score, status_reason from indicator_scores"
        " where framework_id = 'carec_2030' and iso3 = 'TKM' and indicator_id = 'gii_score'",
    )
    assert (value, level) == (None, None)
    assert reason in {"no_data", "not_covered"}


def test_the_release_of_a_source_is_that_of_its_newest_figure(published_warehouse: Path) -> None:
    """Most figures of internet use are carried over from an older release; the newest year came with the newest one."""
    ((latest, release),) = rows(
        published_warehouse,
        "select max(year), arg_max(provider_release, year) from observations where indicator_id = 'internet_users_pct'",
    )
    shown = json.loads(run_carec("sources", "--format", "json", warehouse=published_warehouse).stdout)
    one = next(row for row in shown if row["indicator_id"] == "internet_users_pct")
    assert (one["latest_year"], one["provider_release"]) == (latest, release) == (2025, "WDI 2026-04-08")


KEYS = {
    "economies": "iso3",
    "economy_groups": "group_id, iso3",
    "indicators": "indicator_id",
    "framework_indicators": "framework_id, indicator_id",
    "benchmarks": "framework_id, indicator_id",
    "observations": "iso3, indicator_id, year",
    "revisions": "iso3, indicator_id, year, retrieved_at",
    "indicator_scores": "framework_id, iso3, indicator_id",
    "pillar_scores": "framework_id, iso3, pillar_id",
    "scorecard": "framework_id, iso3",
    "region_scores": "framework_id, group_id, variant, pillar_id",
    "source_health": "indicator_id",
}


@pytest.mark.parametrize("table", KEYS)
def test_the_keys_of_the_published_tables_are_unique(published_warehouse: Path, table: str) -> None:
    key = KEYS[table]
    ((total, distinct),) = rows(
        published_warehouse,
        f"select (select count(*) from {table}), (select count(*) from (select distinct {key} from {table}))",
    )
    assert total == distinct > 0


def test_every_level_score_can_be_recomputed_from_observations_and_benchmarks(published_warehouse: Path) -> None:
    found = rows(
        published_warehouse,
        """
        with hand as (
            select s.level_score,
                   case b.transform when 'log' then ln(o.value) else o.value end as x,
                   case b.transform when 'log' then ln(b.floor_value) else b.floor_value end as f,
                   case b.transform when 'log' then ln(b.target_value) else b.target_value end as t
            from indicator_scores as s
            join benchmarks as b using (framework_id, indicator_id)
            join observations as o
              on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year
            where s.level_score is not null
        )
        select count(*), max(abs(level_score - 100 * case when (x - f) / (t - f) < 0 then 0
                                                          when (x - f) / (t - f) > 1 then 1
                                                          else (x - f) / (t - f) end)) from hand
        """,
    )
    assert found[0][0] > 300
    assert found[0][1] < 1e-9


def test_a_second_refresh_rewrites_nothing(warehouse: Path) -> None:
    published = warehouse / "carec.duckdb"
    before = (published.stat().st_mtime_ns, published.stat().st_ino, published.read_bytes())
    again = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse)
    assert again.returncode == 0 and "nothing changed" in again.stderr
    assert (published.stat().st_mtime_ns, published.stat().st_ino, published.read_bytes()) == before


def test_one_new_figure_changes_exactly_the_scores_that_depend_on_it(warehouse: Path, httpserver: HTTPServer) -> None:
    served = figures(warehouse)
    old = served[INTERNET]["UZB", 2024]
    served[INTERNET]["UZB", 2024] = 80.0
    scores = "select iso3, indicator_id, level_score, status from indicator_scores where framework_id = 'carec_2030'"
    pillars = "select iso3, pillar_id, score from pillar_scores where framework_id = 'carec_2030'"
    url = serve_world_bank(httpserver, figures(warehouse))
    # a live refresh scores what is known today: take the scores of before from one too
    assert refresh_live(warehouse, url).returncode == 0
    before = {q: set(rows(warehouse, q)) for q in (scores, pillars)}
    revisions = "select iso3, indicator_id, year, previous_value, value from revisions"
    known = set(rows(warehouse, revisions))

    httpserver.clear()
    done = refresh_live(warehouse, serve_world_bank(httpserver, served))
    assert done.returncode == 0, done.stderr
    assert "internet_users_pct: 1 revised, 0 added, 0 withdrawn" in done.stderr
    assert set(rows(warehouse, revisions)) - known == {("UZB", "internet_users_pct", 2024, old, 80.0)}
    changed = {q: {row[:2] for row in before[q] ^ set(rows(warehouse, q))} for q in (scores, pillars)}
    assert changed[scores] == {("UZB", "internet_users_pct")}
    assert changed[pillars] == {("UZB", "p3")}


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        ('[{"page":1,"pages":1,"per_page":20000,"total":2', "application/json", "JSON"),
        ("<html><body>maintenance</body></html>", "text/html", "HTML"),
        ('[{"message":[{"id":"120","key":"Invalid value","value":"not valid"}]}]', "application/json", "not valid"),
    ],
)
def test_a_corrupted_answer_changes_nothing_and_says_why(
    warehouse: Path, httpserver: HTTPServer, body: str, content_type: str, told: str
) -> None:
    published = (warehouse / "carec.duckdb").read_bytes()
    httpserver.expect_request(re.compile("^/v2/.*")).respond_with_data(body, content_type=content_type)
    done = run_carec(
        "refresh",
        "--as-of",
        AS_OF,
        warehouse=warehouse,
        CAREC_OFFLINE="",
        CAREC_WORLD_BANK_URL=httpserver.url_for("/v2"),
        CAREC_HTTP_TRIES="1",
    )
    assert done.returncode == 0, done.stderr
    assert (warehouse / "carec.duckdb").read_bytes() == published
    said = run_carec("sources", "--format", "csv", warehouse=warehouse).stdout
    assert told.lower() in said.lower()
    assert list((warehouse / "raw").rglob("*.gz")), "the refused bytes are kept"


def test_a_rejected_figure_leaves_the_last_good_one_in_place(warehouse: Path, httpserver: HTTPServer) -> None:
    served = figures(warehouse)
    good = served[INTERNET]["KAZ", 2023]
    served[INTERNET]["KAZ", 2023] = 1e308
    served[INTERNET]["UZB", 2024] = 80.0
    assert refresh_live(warehouse, serve_world_bank(httpserver, served)).returncode == 0
    kept = rows(
        warehouse,
        "select value, obs_status, figure_origin from observations"
        " where iso3 = 'KAZ' and indicator_id = 'internet_users_pct' and year = 2023",
    )
    assert kept == [(good, None, "retained")]
    ((reason,),) = rows(
        warehouse, "select reason from rejects where provider = 'world_bank' and raw_record like '%KAZ%'"
    )
    assert "value outside 0..100 pct" in reason


def test_a_build_that_fails_its_checks_leaves_the_published_file_byte_identical(
    warehouse: Path, checkout: Path
) -> None:
    published = (warehouse / "carec.duckdb").read_bytes()
    check = checkout / "dbt_project" / "tests" / "benchmarks_are_sound.sql"
    check.write_text("select * from {{ ref('benchmarks') }}\n", encoding="utf-8")  # finds fault with every one
    done = run_carec("refresh", "--as-of", AS_OF, warehouse=warehouse, root=checkout)
    assert done.returncode == 1, done.stderr
    assert "not published" in done.stderr and "benchmarks_are_sound" in done.stderr
    assert "Traceback" not in done.stderr
    assert (warehouse / "carec.duckdb").read_bytes() == published


def test_two_refreshes_at_once_do_not_get_into_each_others_way(warehouse: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from warehouse.files import exclusive\n"
        f"with exclusive(Path({str(warehouse / '.refresh.lock')!r})): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        second = run_carec("refresh", warehouse=warehouse)
        holder.communicate()
    assert second.returncode == 1
    assert "another refresh of this warehouse is running" in second.stderr
