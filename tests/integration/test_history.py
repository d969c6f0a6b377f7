"""Scores of earlier years and of earlier days.

Belongs here: ``scorecard_history`` and ``pillar_history`` as published, the EGDI of every survey, ``--as-of``. Does not
belong here: that a year of the history equals a run at its end (``test_scoring_properties``).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.templates import Refreshed

SURVEYS = (2003, 2004, 2005, 2008, 2010, 2012, 2014, 2016, 2018, 2020, 2022, 2024)
UNEQUAL_WEIGHTS = (2008, 2010)
"""Surveys with a published index that is not the unweighted mean of the three published parts."""
PRINTED = 1e-4
"""The parts and the index are printed with four or five digits."""


def rows(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def surveys(published_warehouse: Path, reference: Path) -> pl.DataFrame:
    """year, iso3, EGDI (published), mean (of the published parts), overall (computed, 0 to 1 or null)."""
    computed = pl.DataFrame(
        rows(
            published_warehouse,
            "select iso3, as_of_year, overall_score / 100 from scorecard_history where framework_id = 'un_egdi'",
        ),
        schema={"iso3": pl.String, "year": pl.Int64, "overall": pl.Float64},
        orient="row",
    )
    published = (
        pl.read_csv(reference / "egdi" / "egdi.csv")
        .filter(pl.col("metric").is_in(["EGDI", "OSI", "TII", "HCI"]))
        .with_columns(pl.col("value").cast(pl.Float64))
        .pivot(on="metric", index=["iso3", "year"], values="value")
        .with_columns(mean=pl.mean_horizontal("OSI", "TII", "HCI"))
    )
    return published.join(computed, on=["iso3", "year"], how="left")


def test_every_survey_and_country_is_the_mean_of_its_parts(surveys: pl.DataFrame) -> None:
    assert sorted(surveys["year"].unique()) == list(SURVEYS)
    assert surveys.height == len(SURVEYS) * 193
    unscored = surveys.filter(pl.col("overall").is_null())
    # not surveyed (all parts are 0), or human capital above its scale
    assert unscored.filter((pl.col("OSI") + pl.col("TII") + pl.col("HCI") > 0) & (pl.col("HCI") <= 1)).is_empty()
    assert unscored.height == 10
    scored = surveys.filter(pl.col("overall").is_not_null())
    assert scored.select((pl.col("overall") - pl.col("mean")).abs().max()).item() < 1e-9


def test_the_computed_index_equals_the_published_one_where_that_is_the_mean(surveys: pl.DataFrame) -> None:
    scored = surveys.filter(pl.col("overall").is_not_null())
    agrees = (pl.col("overall") - pl.col("EGDI")).abs() < PRINTED
    # economies without a known portal have parts, and an index of 0
    for year, table in scored.filter(pl.col("EGDI") > 0).group_by("year"):
        if year[0] not in UNEQUAL_WEIGHTS:
            assert table.filter(~agrees).is_empty(), year
            assert table.height >= 170
        else:
            assert table.filter(~agrees).height > 90, year
    without_index = scored.filter((pl.col("EGDI") == 0) & (pl.col("mean") > 0))
    assert set(without_index["year"]) <= {2003, 2004, 2005, 2008, 2010, 2012}


def test_the_newest_year_of_the_published_history_is_the_scorecard(published_warehouse: Path) -> None:
    differences = rows(
        published_warehouse,
        """
        select count(*), count(*) filter (
            h.overall_score is distinct from s.overall_score or h.rank is distinct from s.rank
            or h.coverage is distinct from s.coverage or h.score_reason is distinct from s.score_reason
        )
        from scorecard as s
        inner join scorecard_history as h using (framework_id, iso3)
        where h.as_of_year = (select year(as_of) from publication)
        """,
    )
    assert differences == [(11 + 217, 0)]


def test_the_history_begins_in_2015_and_every_gap_has_its_reason(published_warehouse: Path) -> None:
    ((pillars,),) = rows(published_warehouse, "select count(*) from pillars where framework_id = 'carec_2030'")
    assert rows(
        published_warehouse,
        "select min(as_of_year), max(as_of_year), count(*), count(*) filter (score is null and score_reason is null)"
        " from pillar_history where framework_id = 'carec_2030'",
    ) == [(2015, 2026, 12 * 11 * pillars, 0)]
    scored = rows(
        published_warehouse,
        "select as_of_year, count(score) from pillar_history where framework_id = 'carec_2030'"
        " and pillar_id in ('p1', 'p2', 'p3', 'p4', 'p5') group by all order by all",
    )
    assert scored[-1][1] > 45 and dict(scored)[2022] > 10
    lost = rows(
        published_warehouse,
        """
        select later.score_reason, later.coverage < earlier.coverage
        from pillar_history as earlier
        inner join pillar_history as later using (framework_id, pillar_id, iso3)
        where earlier.score is not null and later.score is null and later.as_of_year = earlier.as_of_year + 1
        """,
    )
    # a score ends only because figures grow too old
    assert set(lost) <= {("coverage_below_gate", True), ("no_data", True)}


def test_an_as_of_date_uses_only_vintages_known_on_that_day(published_warehouse: Path, review_day: Refreshed) -> None:
    """The archive holds vintages of internet use of November 2024, October 2025 and May 2026."""
    of_day = (
        "select vintage_at::date, value from observations"
        " where indicator_id = 'internet_users_pct' and iso3 = 'TJK' and year = 2022"
    )
    warehouse = review_day.warehouse
    today, then = rows(published_warehouse, of_day), rows(warehouse, of_day)
    assert then[0][0] < today[0][0] and then[0][1] != today[0][1]
    # an edition of an index was public before our copy of it: those have their own dates
    assert rows(
        warehouse,
        "select max(vintage_at) < timestamp '2025-06-27' from observations"
        " anti join edition_releases using (indicator_id)",
    ) == [(True,)]
    assert rows(warehouse, "select distinct as_of_year from indicator_scores") == [(2025,)]
    assert rows(warehouse, "select max(as_of_year) from scorecard_history") == [(2025,)]
