"""``carec compare``: members side by side have their published figures, and a group its published means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import run_carec


@pytest.fixture(scope="module")
def published(published_warehouse: Path) -> Any:
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        yield connection


def compared(warehouse: Path, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    done = run_carec("compare", *arguments, "--format", "json", warehouse=warehouse)
    assert done.returncode == 0, done.stderr
    return {(row["subject_type"], row["subject_id"]): row for row in json.loads(done.stdout)}


def test_every_pillar_and_indicator_has_the_published_figures_of_each_member(
    published_warehouse: Path, published: duckdb.DuckDBPyConnection
) -> None:
    found = compared(published_warehouse, "UZB", "kaz", "TKM")
    for iso3 in ("UZB", "KAZ", "TKM"):
        expected = published.execute(
            """
            select 'overall', 'overall', overall_score, rank, null, null, null from scorecard
            where framework_id = 'carec_2030' and iso3 = $1
            union all
            select 'pillar', pillar_id, score, rank, null, null, null from pillar_scores
            where framework_id = 'carec_2030' and iso3 = $1
            union all
            select 'indicator', indicator_id, level_score, null, latest_value, latest_year, status
            from indicator_scores where framework_id = 'carec_2030' and iso3 = $1
            """,
            [iso3],
        ).fetchall()
        assert len(expected) == len(found)
        for kind, subject, *values in expected:
            row = found[kind, subject]
            assert [row[f"{iso3}_{name}"] for name in ("score", "rank", "value", "year", "status")] == values
            assert values[0] is not None or row[f"{iso3}_reason"]


def test_a_group_has_its_published_means_and_the_mean_of_usable_newest_figures(
    published_warehouse: Path, published: duckdb.DuckDBPyConnection
) -> None:
    found = compared(published_warehouse, "UZB", "--with", "asean")
    means = published.execute(
        "select pillar_id, score, members_scored from region_scores"
        " where framework_id = 'carec_2030' and group_id = 'asean' and variant = 'simple'"
    ).fetchall()
    for subject, score, members in means:
        row = found["overall" if subject == "overall" else "pillar", subject]
        assert (row["asean_score"], row["asean_members"]) == (score, members)
    # by hand, in Python: the newest figure of each member that is not older than the indicator allows
    rows = published.execute(
        """
        select o.iso3, o.year, o.value, i.max_age_years, year(p.as_of)
        from observations as o join indicators as i using (indicator_id) cross join publication as p
        where indicator_id = 'internet_users_pct' and iso3 in (select iso3 from economy_groups where group_id = 'asean')
        order by o.year
        """
    ).fetchall()
    newest = {iso3: value for iso3, year, value, age, today in rows if today - age <= year <= today}
    row = found["indicator", "internet_users_pct"]
    assert row["asean_members"] == len(newest) > 5
    assert row["asean_value"] == pytest.approx(sum(newest.values()) / len(newest))


def test_the_table_has_words_for_reasons_and_no_codes(published_warehouse: Path) -> None:
    done = run_carec("compare", "AFG", "TKM", "--with", "carec", warehouse=published_warehouse)
    assert done.returncode == 0 and "Afghanistan" in done.stdout and "CAREC members" in done.stdout
    assert "coverage_below_gate" not in done.stdout and "too few figures for this pillar" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("UZB",), "name 2 to 4 members"),
        (("UZB", "KAZ", "TJK", "KGZ", "MNG"), "2 to 4 members, or 1 to 4 and a group, not 5"),
        (("UZB", "uzb"), "named twice"),
        (("UZB", "KZK"), "it covers AFG, AZE, CHN"),
        (("UZB", "KAZ", "--with", "'; drop table x"), "the groups are asean"),
        (("UZB", "KAZ", "--framework", "x"), "the frameworks are"),
    ],
)
def test_wrong_arguments_give_one_line_with_what_is_allowed(
    published_warehouse: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run_carec("compare", *arguments, warehouse=published_warehouse)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("carec: ") and done.stderr.count("\n") == 1 and message in done.stderr
