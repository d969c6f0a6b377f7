"""Vintages: written when figures change and never overwritten."""

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


def test_a_changed_value_writes_a_new_vintage_and_keeps_the_old_one(layout: Layout) -> None:
    old = landing.land(layout, ID, series(1, 2, 3), DAY).vintage
    new = landing.land(layout, ID, series(1, 2, 4, 5), datetime(2026, 11, 2))
    assert (new.revised, new.added, new.withdrawn) == (1, 1, 0)
    assert old is not None and old.read()["value"].to_list() == [1, 2, 3]
    latest = landing.latest(layout, ID)
    assert latest is not None and latest.read()["value"].to_list() == [1, 2, 4, 5]


def test_two_vintages_of_the_same_time_are_both_kept_in_order(layout: Layout) -> None:
    landing.land(layout, ID, series(1), DAY)
    landing.land(layout, ID, series(2), DAY)
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 2]


def test_country_years_that_a_new_vintage_lacks_are_counted_as_withdrawn(layout: Layout) -> None:
    landing.land(layout, ID, series(*range(20)), DAY)
    landed = landing.land(layout, ID, series(1, 2), datetime(2026, 11, 2))
    assert (landed.status, landed.withdrawn) == (Landing.NEW, 18)


def test_an_archived_vintage_is_sorted_by_its_own_date(layout: Layout) -> None:
    landing.land(layout, ID, series(3), DAY)
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 3]


def test_a_corrected_archive_does_not_overwrite_a_landed_vintage(layout: Layout) -> None:
    landing.land_history(layout, ID, series(1), datetime(2024, 11, 29))
    landing.land_history(layout, ID, series(2), datetime(2024, 11, 29))
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 2]


def test_a_correction_of_the_archive_that_is_taken_back_is_in_use_no_longer(layout: Layout) -> None:
    for value in (1, 2, 1, 1):
        landing.land_history(layout, ID, series(value), datetime(2024, 11, 29))
    assert [v.read()["value"][0] for v in landing.vintages(layout, ID)] == [1, 2, 1]


def test_an_indicator_without_figures_has_an_empty_table_and_no_vintage(layout: Layout) -> None:
    landing.ensure_folder(layout, ID, series())
    assert landing.latest(layout, ID) is None
    landed = landing.land(layout, ID, series(1), DAY)
    assert (landed.status, landed.added) == (Landing.NEW, 0)


def test_the_same_reject_of_the_same_body_is_written_once(layout: Layout) -> None:
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


def test_a_raw_body_is_read_byte_for_byte_with_every_retrieval(layout: Layout) -> None:
    body = b"\x00\xff not text"
    sha = raw.store(layout, body, {"url": "https://a.test", "status": 200})
    assert raw.store(layout, body, {"url": "https://b.test", "status": 200}) == sha
    assert raw.load(layout, sha) == body
    assert [r["url"] for r in raw.retrievals(layout, sha)] == ["https://a.test", "https://b.test"]


def test_a_damaged_raw_body_raises(layout: Layout) -> None:
    import gzip

    sha = raw.store(layout, b"figures", {})
    (layout.raw / sha[:2] / f"{sha}.gz").write_bytes(gzip.compress(b"other figures"))
    with pytest.raises(ValueError, match="damaged"):
        raw.load(layout, sha)


def test_a_new_flag_writes_a_vintage_and_a_providers_flag_does_not(layout: Layout) -> None:
    landing.land(layout, ID, series(1, 2), DAY)
    remarked = series(1, 2).with_columns(obs_status=pl.lit("E"))
    assert landing.land(layout, ID, remarked, datetime(2026, 11, 2)).status is Landing.UNCHANGED
    flagged = series(1, 2).with_columns(figure_origin=pl.lit("flagged"), figure_note=pl.lit("doubtful"))
    landed = landing.land(layout, ID, flagged, datetime(2026, 11, 3))
    assert (landed.status, landed.revised) == (Landing.NEW, 0)


def test_files_of_rejects_are_compared_in_any_order_of_their_rows(tmp_path: Path) -> None:
    rows = pl.DataFrame({"reason": ["a", "b"], "raw_record": ["{}", None]})
    rows.write_parquet(tmp_path / "one")
    rows.reverse().write_parquet(tmp_path / "other")
    rows.head(1).write_parquet(tmp_path / "fewer")
    assert landing.same_figures(tmp_path / "one", tmp_path / "other")
    assert not landing.same_figures(tmp_path / "one", tmp_path / "fewer")
