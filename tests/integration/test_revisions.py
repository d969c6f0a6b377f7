"""Revisions by size: what a vintage with large, small and rounded changes prints, posts and publishes."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import run_carec
from tests.integration.test_refresh import rows
from tests.templates import Refreshed


def test_the_published_table_gives_each_revision_its_size(second_live_refresh: Refreshed) -> None:
    sizes = dict(
        rows(
            second_live_refresh.warehouse,
            "select size, count(*) from revisions where indicator_id = 'internet_users_pct'"
            " and retrieved_at = (select max(retrieved_at) from revisions) group by 1 order by 1",
        )
    )
    assert (sizes["large"], sizes["small"]) == (1, 1)
    assert sizes["rounding"] > 1000


def test_the_summary_counts_revisions_beyond_rounding_and_those_by_rounding(second_live_refresh: Refreshed) -> None:
    ((rounding,),) = rows(
        second_live_refresh.warehouse,
        "select count(*) from revisions where size = 'rounding'"
        " and retrieved_at = (select max(retrieved_at) from revisions)",
    )
    lines = second_live_refresh.stderr.splitlines()
    line = next(line for line in lines if line.startswith("revisions: "))
    assert line.startswith("revisions: 2 revised, 0 added, 0 withdrawn country-years")
    assert f"(1 large and 1 small revisions; {rounding} more by rounding only)" in line
    assert any("internet_users_pct: 2 revised, 0 added, 0 withdrawn" in line for line in lines)


def test_the_webhook_receives_the_revisions_of_members_with_large_ones_first(second_live_refresh: Refreshed) -> None:
    (notice,) = [body for body in second_live_refresh.posted if body["kind"] == "figures_revised"]
    assert "2 figures were revised" in notice["headline"] and "by rounding only" in notice["headline"]
    large, small = notice["details"]
    assert large.startswith("large: Uzbekistan, internet_users_pct 2024: ")
    assert small.startswith("small: Kyrgyz Republic, internet_users_pct 2010: ")


def test_a_unit_without_limits_gives_an_error_with_file_indicator_and_remedy(warehouse: Path, checkout: Path) -> None:
    seed = checkout / "dbt_project" / "seeds" / "revision_sizes.csv"
    lines = seed.read_text(encoding="utf-8").splitlines()
    seed.write_text("\n".join(line for line in lines if not line.startswith("rank,")) + "\n", encoding="utf-8")
    done = run_carec("refresh", warehouse=warehouse, root=checkout)
    assert done.returncode == 2, done.stderr
    assert "revision_sizes.csv" in done.stderr and "'rank'" in done.stderr and "add" in done.stderr
    assert "Traceback" not in done.stderr
