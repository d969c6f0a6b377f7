"""Vintages: written when content changed, never overwritten, held back when they shrink."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from tests.unit.test_observation import records
from warehouse import landing, raw
from warehouse.landing import Landing
from warehouse.layout import Layout

DAY = datetime(2026, 11, 1, 12)
ID = "internet_users_pct"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def series(*values: float) -> pl.DataFrame:
    return records(*(("KAZ", 2010 + i, value) for i, value in enumerate(values)))


def test_unchanged_content_writes_nothing(layout: Layout) -> None:
    first = landing.land(layout, ID, series(1, 2, 3), DAY)
    files = {p: p.stat().st_mtime_ns for p in layout.landing.rglob("*.parquet")}
    again = landing.land(layout, ID, series(1, 2, 3).sort("year", descending=True), datetime(2026, 11, 2))
    assert (first.status, again.status) == (Landing.NEW, Landing.UNCHANGED)
    assert {p: p.stat().st_mtime_ns for p in layout.landing.rglob("*.parquet")} == files


def test_a_changed_value_is_a_new_vintage_and_the_old_one_stays(layout: Layout) -> None:
    old = landing.land(layout, ID, series(1, 2, 3), DAY).vintage
    new = landing.land(layout, ID, series(1, 2, 4, 5), datetime(2026, 11, 2))
    assert (new.revised, new.added, new.withdrawn) == (1, 1, 0)
    assert old is not None and old.read()["value"].to_list() == [1, 2, 3]
    latest = landing.latest(layout, ID)
    assert latest is not None and latest.read()["value"].to_list() == [1, 2, 4, 5]


def test_two_vintages_of_one_moment_are_both_kept_in_order(layout: Layout) -> None:
    landing.land(layout, ID, series(1), DAY)
    landing.land(layout, ID, series(2), DAY)
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 2]


@pytest.mark.parametrize(("kept", "status"), [(17, Landing.HELD_BACK), (18, Landing.NEW)])
def test_a_series_that_lost_more_than_a_tenth_is_held_back(layout: Layout, kept: int, status: Landing) -> None:
    landing.land(layout, ID, series(*range(20)), DAY)
    landed = landing.land(layout, ID, series(*range(kept)), datetime(2026, 11, 2))
    assert landed.status is status
    if status is Landing.HELD_BACK:
        assert landed.reason is not None and "3 of 20" in landed.reason and "--accept-shrink" in landed.reason
        latest = landing.latest(layout, ID)
        assert latest is not None and latest.read().height == 20


def test_a_person_can_accept_a_loss(layout: Layout) -> None:
    landing.land(layout, ID, series(*range(20)), DAY)
    landed = landing.land(layout, ID, series(1, 2), datetime(2026, 11, 2), accept_shrink=True)
    assert (landed.status, landed.withdrawn) == (Landing.NEW, 18)


def test_a_vintage_known_from_before_takes_its_own_place_in_time(layout: Layout) -> None:
    landing.land(layout, ID, series(3), DAY)
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 3]


def test_a_corrected_archive_does_not_overwrite_what_was_landed(layout: Layout) -> None:
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    landing.land_history(layout, ID, series(2), datetime(2024, 11, 29))
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 2]


def test_an_indicator_without_figures_has_an_empty_table_that_is_no_vintage(layout: Layout) -> None:
    landing.ensure_folder(layout, ID, series())
    assert landing.latest(layout, ID) is None
    landed = landing.land(layout, ID, series(1), DAY)
    assert (landed.status, landed.added) == (Landing.NEW, 0)


def test_the_same_reject_of_the_same_body_is_kept_once(layout: Layout) -> None:
    reject = pl.DataFrame(
        {
            "provider": ["world_bank"],
            "indicator_id": [ID],
            "reason": ["r"],
            "raw_record": ["{}"],
            "raw_sha256": ["a" * 64],
            "retrieved_at": [DAY],
        }
    )
    landing.log_rejects(layout, ID, reject)
    landing.log_rejects(layout, ID, reject.with_columns(retrieved_at=pl.lit(datetime(2026, 12, 1))))
    assert len(list(layout.rejects.glob("*.parquet"))) == 1


def test_a_raw_body_comes_back_byte_for_byte_with_every_retrieval(layout: Layout) -> None:
    body = b"\x00\xff not text"
    sha = raw.store(layout, body, {"url": "https://a.test", "status": 200})
    assert raw.store(layout, body, {"url": "https://b.test", "status": 200}) == sha
    assert raw.load(layout, sha) == body
    assert [r["url"] for r in raw.retrievals(layout, sha)] == ["https://a.test", "https://b.test"]


def test_a_damaged_raw_body_is_noticed(layout: Layout) -> None:
    import gzip

    sha = raw.store(layout, b"figures", {})
    (layout.raw / sha[:2] / f"{sha}.gz").write_bytes(gzip.compress(b"other figures"))
    with pytest.raises(ValueError, match="damaged"):
        raw.load(layout, sha)


# Guards against another scale


@pytest.mark.parametrize(
    ("factor", "status"),
    [(0.01, Landing.HELD_BACK), (0.0, Landing.HELD_BACK), (100, Landing.HELD_BACK), (0.1, Landing.NEW)],
)
def test_figures_of_another_scale_are_held_back(layout: Layout, factor: float, status: Landing) -> None:
    landing.land(layout, ID, series(*range(1, 21)), DAY)
    landed = landing.land(layout, ID, series(*(factor * n for n in range(1, 21))), datetime(2026, 11, 2))
    assert landed.status is status
    if status is Landing.HELD_BACK:
        assert landed.reason is not None and "in the median" in landed.reason and "--accept-shrink" in landed.reason


WORLD = ("AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "DEU", "FRA", "ITA", "ESP")


def world(*years: int, without: tuple[tuple[str, int], ...] = (), **values: float) -> pl.DataFrame:
    """A figure of every country and year, or of a year (``y2024``) the one given."""
    return records(
        *(
            (iso3, year, values.get(f"y{year}", 40.0 + place + year % 10))
            for place, iso3 in enumerate(WORLD)
            for year in years
            if (iso3, year) not in without
        )
    )


LONG = range(2005, 2025)


@pytest.mark.parametrize(("gone", "status"), [(6, Landing.HELD_BACK), (5, Landing.NEW)])
def test_a_year_that_lost_most_of_its_figures_is_held_back_although_it_is_a_small_part(
    layout: Layout, gone: int, status: Landing
) -> None:
    landing.land(layout, ID, world(*LONG), DAY)
    without = tuple((iso3, 2024) for iso3 in WORLD[:gone])
    landed = landing.land(layout, ID, world(*LONG, without=without), datetime(2026, 11, 2))
    assert landed.status is status
    assert landed.status is Landing.NEW or "6 of the 10 figures of 2024" in (landed.reason or "")


def test_last_years_file_is_held_back_although_it_lost_but_one_year(layout: Layout) -> None:
    landing.land(layout, ID, world(*LONG), DAY)
    landed = landing.land(layout, ID, world(*LONG[:-1]), datetime(2026, 11, 2))
    assert landed.status is Landing.HELD_BACK and "of 2024" in (landed.reason or "")


@pytest.mark.parametrize(("gone", "status"), [(3, Landing.HELD_BACK), (2, Landing.NEW)])
def test_members_that_lose_figures_are_noticed_among_many_others(layout: Layout, gone: int, status: Landing) -> None:
    landing.land(layout, ID, world(*LONG), DAY)
    without = tuple(("KAZ", year) for year in LONG[:gone])
    landed = landing.land(layout, ID, world(*LONG, without=without), datetime(2026, 11, 2), members={"KAZ"})
    assert landed.status is status
    assert landed.status is Landing.NEW or "3 of 20 country-years of the members" in (landed.reason or "")


@pytest.mark.parametrize(
    ("value", "status"), [(0.0, Landing.HELD_BACK), (0.45, Landing.HELD_BACK), (45.5, Landing.NEW)]
)
def test_a_new_year_of_another_scale_is_held_back(layout: Layout, value: float, status: Landing) -> None:
    landing.land(layout, ID, world(*LONG), DAY)
    landed = landing.land(layout, ID, world(*LONG, 2025, y2025=value), datetime(2026, 11, 2))
    assert landed.status is status
    assert landed.status is Landing.NEW or "new figures of 2025" in (landed.reason or "")


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, "every figure is zero"), (0.87, "shares"), (1.5, None), (40.0, None)]
)
def test_a_first_series_of_zeros_or_shares_is_held_back(layout: Layout, value: float, told: str | None) -> None:
    landed = landing.land(layout, ID, world(2024, y2024=value), DAY)
    assert landed.status is (Landing.HELD_BACK if told else Landing.NEW)
    assert (told or "") in (landed.reason or "")
    assert (landing.latest(layout, ID) is None) is bool(told)
    assert landing.land(layout, ID, world(2024, y2024=value), DAY, accept_shrink=True).vintage is not None


@pytest.mark.parametrize("factor", [0.01, 100, 0.001, 0.00998])
def test_a_figure_whose_point_moved_is_told_from_a_revision(factor: float) -> None:
    last = world(2023, 2024)
    fresh = last.with_columns(value=pl.when(pl.col("iso3") == "KAZ").then(pl.col("value") * factor).otherwise("value"))
    assert landing.moved_points(fresh, last).select("iso3", "year").rows() == [("KAZ", 2023), ("KAZ", 2024)]
    revised = last.with_columns(value=pl.when(pl.col("iso3") == "KAZ").then(2.5).otherwise("value"))
    assert landing.moved_points(revised, last).is_empty()
    assert landing.moved_points(last.with_columns(pl.col("value") * factor), last).is_empty()


def test_a_person_can_accept_another_scale(layout: Layout) -> None:
    landing.land(layout, ID, series(1, 2, 3), DAY)
    landed = landing.land(layout, ID, series(0.01, 0.02, 0.03), datetime(2026, 11, 2), accept_shrink=True)
    assert landed.status is Landing.NEW


def test_single_figures_may_change_as_they_like(layout: Layout) -> None:
    landing.land(layout, ID, series(0, 50, 60, 70), DAY)
    assert landing.land(layout, ID, series(40, 1.5, 60, 70), datetime(2026, 11, 2)).status is Landing.NEW


def test_a_new_flag_is_a_new_vintage_and_other_remarks_are_not(layout: Layout) -> None:
    landing.land(layout, ID, series(1, 2), DAY)
    remarked = series(1, 2).with_columns(obs_status=pl.lit("E"))
    assert landing.land(layout, ID, remarked, datetime(2026, 11, 2)).status is Landing.UNCHANGED
    flagged = series(1, 2).with_columns(figure_origin=pl.lit("flagged"), figure_note=pl.lit("doubtful"))
    landed = landing.land(layout, ID, flagged, datetime(2026, 11, 3))
    assert (landed.status, landed.revised) == (Landing.NEW, 0)
