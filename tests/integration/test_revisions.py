"""Revisions by size: what a vintage with large, small and rounded changes prints, posts and publishes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.conftest import run_carec
from tests.integration.test_refresh import rows
from tests.templates import INTERNET, refresh_live, world_bank_figures
from tests.world_bank_server import serve_world_bank

LARGE, SMALL = ("UZB", 2024), ("KAZ", 2023)


@pytest.fixture(scope="module")
def revised(
    published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer
) -> tuple[Path, str, list[dict]]:
    """A refresh from a provider that moved one figure by 9 points and one by half a point, and rounds all others.

    Returns the warehouse, what the refresh printed, and what the webhook received.
    """
    warehouse = Path(shutil.copytree(published_warehouse, tmp_path_factory.mktemp("revised") / "warehouse"))
    served = world_bank_figures(warehouse)
    own = served[INTERNET]
    for place, value in own.items():
        assert value is not None
        own[place] = value + {LARGE: -9.0, SMALL: 0.5}.get(place, 0.000001)
    make_httpserver.clear()
    make_httpserver.expect_request("/hook").respond_with_json({})
    url = serve_world_bank(make_httpserver, served)
    done = refresh_live(warehouse, url, CAREC_WEBHOOK_URL=make_httpserver.url_for("/hook"))
    assert done.returncode == 0, done.stderr
    posted = [request.get_json() for request, _ in make_httpserver.log if request.path == "/hook"]
    return warehouse, done.stderr, posted


def test_the_published_table_gives_each_revision_its_size(revised: tuple[Path, str, list[dict]]) -> None:
    found = rows(
        revised[0],
        "select size, count(*) from revisions where indicator_id = 'internet_users_pct'"
        " and retrieved_at = (select max(retrieved_at) from revisions) group by 1 order by 1",
    )
    sizes = dict(found)
    assert (sizes["large"], sizes["small"]) == (1, 1)
    assert sizes["rounding"] > 1000


def test_the_summary_counts_what_is_more_than_rounding_and_says_how_many_were_rounding(
    revised: tuple[Path, str, list[dict]],
) -> None:
    ((rounding,),) = rows(
        revised[0], "select count(*) from revisions where size = 'rounding' and retrieved_at > '2026-11-24'"
    )
    line = next(line for line in revised[1].splitlines() if line.startswith("revisions: "))
    assert line.startswith("revisions: 2 revised, 0 added, 0 withdrawn country-years")
    assert f"(1 large and 1 small revisions; {rounding} more by rounding only)" in line


def test_the_webhook_receives_the_members_revisions_large_ones_first(revised: tuple[Path, str, list[dict]]) -> None:
    (notice,) = [body for body in revised[2] if body["kind"] == "figures_revised"]
    assert "2 figures were revised" in notice["headline"] and "by rounding only" in notice["headline"]
    large, small = notice["details"]
    assert large.startswith("large: Uzbekistan, internet_users_pct 2024: ")
    assert small.startswith("small: Kazakhstan, internet_users_pct 2023: ")


def test_a_unit_without_limits_is_a_clear_error_that_names_file_indicator_and_remedy(
    warehouse: Path, checkout: Path
) -> None:
    seed = checkout / "dbt_project" / "seeds" / "revision_sizes.csv"
    lines = seed.read_text(encoding="utf-8").splitlines()
    seed.write_text("\n".join(line for line in lines if not line.startswith("rank,")) + "\n", encoding="utf-8")
    done = run_carec("refresh", warehouse=warehouse, root=checkout)
    assert done.returncode == 2, done.stderr
    assert "revision_sizes.csv" in done.stderr and "'rank'" in done.stderr and "add" in done.stderr
    assert "Traceback" not in done.stderr
