"""Complete refreshes, as a process, on the bundled archive and on a loopback World Bank."""

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
from tests.running import further
from tests.templates import NEW_FIGURE, REJECTED_FIGURE, Refreshed, copy_checkout


def rows(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


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


def test_the_release_of_a_source_is_the_release_of_its_newest_figure(published_warehouse: Path) -> None:
    """Most figures of internet use are carried over from an older release. The newest year has the newest release."""
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
                   case when i.shape = 'parity' and o.value > 1 then 1 / o.value
                        when b.transform = 'log' then ln(o.value) else o.value end as x,
                   case b.transform when 'log' then ln(b.floor_value) else b.floor_value end as f,
                   case b.transform when 'log' then ln(b.target_value) else b.target_value end as t
            from indicator_scores as s
            join benchmarks as b using (framework_id, indicator_id)
            join indicators as i using (indicator_id)
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


def test_one_new_figure_changes_exactly_the_scores_that_depend_on_it(
    live_refresh: Refreshed, second_live_refresh: Refreshed
) -> None:
    before, after = live_refresh.warehouse, second_live_refresh.warehouse
    (iso3, year), new = NEW_FIGURE
    ((old,),) = rows(
        before,
        f"select value from observations where iso3 = '{iso3}' and year = {year}"
        " and indicator_id = 'internet_users_pct'",
    )
    revisions = "select iso3, indicator_id, year, previous_value, value from revisions where size = 'large'"
    assert set(rows(after, revisions)) - set(rows(before, revisions)) == {(iso3, "internet_users_pct", year, old, new)}
    for sql, expected in (
        ("select iso3, indicator_id, level_score, status from indicator_scores", {(iso3, "internet_users_pct")}),
        ("select iso3, pillar_id, score from pillar_scores", {(iso3, "p3")}),
    ):
        of_framework = f"{sql} where framework_id = 'carec_2030'"
        assert {row[:2] for row in set(rows(before, of_framework)) ^ set(rows(after, of_framework))} == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ('[{"page":1,"pages":1,"per_page":20000,"total":2', "application/json", "JSON"),
        *further(
            ("<html><body>maintenance</body></html>", "text/html", "HTML"),
            ('[{"message":[{"id":"120","key":"Invalid value","value":"not valid"}]}]', "application/json", "not valid"),
        ),
    ],
)
def test_a_corrupted_response_changes_no_figure_and_has_a_reason(
    warehouse: Path, httpserver: HTTPServer, body: str, content_type: str, expected: str
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
    printed = run_carec("sources", "--format", "csv", warehouse=warehouse).stdout
    assert expected.lower() in printed.lower()
    assert list((warehouse / "raw").rglob("*.gz")), "the refused bytes are kept"


def test_a_rejected_figure_does_not_replace_the_last_good_one(
    live_refresh: Refreshed, second_live_refresh: Refreshed
) -> None:
    (iso3, year), _ = REJECTED_FIGURE
    figure = f"from observations where iso3 = '{iso3}' and indicator_id = 'internet_users_pct' and year = {year}"
    ((good,),) = rows(live_refresh.warehouse, f"select value {figure}")
    warehouse = second_live_refresh.warehouse
    assert rows(warehouse, f"select value, obs_status, figure_origin {figure}") == [(good, None, "retained")]
    ((reason,),) = rows(
        warehouse, f"select reason from rejects where provider = 'world_bank' and raw_record like '%{iso3}%'"
    )
    assert "value outside 0..100 pct" in reason


def test_a_build_that_fails_its_checks_leaves_the_published_file_byte_identical(
    published_warehouse: Path, failed_refresh: Refreshed
) -> None:
    assert failed_refresh.returncode == 1, failed_refresh.stderr
    assert "not published" in failed_refresh.stderr and "benchmarks_are_sound" in failed_refresh.stderr
    assert "Traceback" not in failed_refresh.stderr
    published, after = (at / "carec.duckdb" for at in (published_warehouse, failed_refresh.warehouse))
    assert after.read_bytes() == published.read_bytes()


def test_two_simultaneous_refreshes_both_succeed(warehouse: Path) -> None:
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


@pytest.mark.exhaustive
def test_a_refresh_works_in_a_checkout_and_a_warehouse_with_unusual_names(tmp_path: Path) -> None:
    root = copy_checkout(tmp_path / "check out (1) ü&;!~$x")
    folder = tmp_path / "real a+b@ü,(x)^"
    folder.mkdir()
    (tmp_path / "li nk").symlink_to(folder)
    done = run_carec(
        *("refresh", "--as-of", AS_OF),
        warehouse=tmp_path / "li nk" / "w",
        root=root,
        CAREC_LOCAL_FILES=str(tmp_path / "lo[c]a?l#'{{%25 \\x"),
    )
    assert done.returncode == 0, done.stderr
    assert "will not be in the Dagster pages" not in done.stderr
    assert rows(folder / "w", "select count(overall_score) > 5 from scorecard where framework_id = 'carec_2030'")[0][0]
