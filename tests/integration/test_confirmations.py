"""Live confirmations: a response that repeats the figures in use is published with them and changes no vintage."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import polars as pl
import pytest
from pytest_httpserver import HTTPServer

from pipelines.replay import replay
from pipelines.workspace import Workspace
from tests.conftest import run_carec
from tests.integration.refreshing import CODES, INTERNET, Bank, landed, refresh, workspace
from tests.integration.test_refresh import rows
from tests.templates import Refreshed
from warehouse import landing, raw
from warehouse.layout import Layout

CODE = CODES[INTERNET]
LOCAL = "paperless_trade_pct"


@pytest.fixture
def bank(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Bank:
    monkeypatch.setenv("NO_PROXY", "*")
    return Bank(httpserver)


@pytest.fixture
def at(bank: Bank, tmp_path: Path) -> Workspace:
    return workspace(tmp_path, bank)


def confirmations(layout: Layout) -> list[pl.DataFrame]:
    return [pl.read_parquet(path) for path in sorted(layout.confirmations(INTERNET).glob("*.parquet"))]


def files(layout: Layout) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in layout.vintages(INTERNET).glob("*.parquet")}


def test_a_response_with_the_figures_in_use_confirms_them_and_writes_no_vintage(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = files(at.layout)
    bank.lastupdated = "2026-12-01"
    refresh(at)
    assert files(at.layout) == before
    first, second = confirmations(at.layout)
    assert first["confirmed_release"].unique().to_list() == ["WDI 2026-07-13"]
    assert second["confirmed_release"].unique().to_list() == ["WDI 2026-12-01"]
    assert second["confirmed_by"].unique().to_list() == ["world_bank"]
    confirmed = {(iso3, year): value for iso3, year, value in second.select("iso3", "year", "value").rows()}
    assert confirmed == landed(at.layout, INTERNET)
    (sha256,) = second["confirmed_raw_sha256"].unique()
    body = raw.load(at.layout, sha256)
    assert hashlib.sha256(body).hexdigest() == sha256 and b'"lastupdated": "2026-12-01"' in body


def test_the_same_bytes_confirm_once(bank: Bank, at: Workspace) -> None:
    refresh(at)
    refresh(at)
    assert len(confirmations(at.layout)) == 1
    assert refresh(at).results[0].data_version == refresh(at).results[0].data_version


def test_a_revised_response_confirms_the_vintage_in_use_but_no_withdrawn_figure(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODE]["KAZ", 2024] = 61.5
    del bank.figures[CODE]["UZB", 2012]
    refresh(at)
    newest = confirmations(at.layout)[-1]
    assert newest.filter(iso3="KAZ", year=2024)["value"].to_list() == [61.5]
    assert newest.filter(iso3="UZB", year=2012).is_empty()
    assert newest.height == len(landed(at.layout, INTERNET))


def test_a_retained_figure_is_not_confirmed_by_a_rejected_record(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODE]["KAZ", 2024] = 1e6
    refresh(at)
    vintage = landing.latest(at.layout, INTERNET)
    assert vintage is not None
    assert ("KAZ", 2024) in landed(at.layout, INTERNET)
    assert confirmations(at.layout)[-1].filter(iso3="KAZ", year=2024).is_empty()


def test_a_response_that_is_held_back_confirms_no_figure(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODE] = {place: value for place, value in bank.figures[CODE].items() if place[1] < 2020}
    assert refresh(at, only=INTERNET).results[0].stale_reason
    assert len(confirmations(at.layout)) == 1


def test_a_replay_gives_the_same_confirmations(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.lastupdated = "2026-12-01"
    refresh(at)
    assert replay(at).differences == []


def test_confirmed_archived_figures_keep_their_provenance_and_count_as_live(
    published_warehouse: Path, live_refresh: Refreshed, tmp_path: Path
) -> None:
    held = (
        "select iso3, indicator_id, year, value, raw_sha256, retrieved_via, vintage_at from observations order by all"
    )
    assert "0 series fetched live" in run_carec("scorecard", warehouse=published_warehouse).stdout
    warehouse = live_refresh.warehouse
    # the local file and the changed rank of the template
    other = held.replace("order by", f"where indicator_id not in ('{LOCAL}', 'gii_rank') order by")
    assert rows(warehouse, other) == rows(published_warehouse, other)
    confirmed = rows(
        warehouse,
        "select distinct indicator_id, confirmed_by, confirmed_release, confirmed_raw_sha256 from observations"
        " where confirmed_at is not null",
    )
    assert {row[1] for row in confirmed} == {"world_bank"}
    assert {row[2] for row in confirmed if row[0] == INTERNET} == {"WDI 2026-11-20"}
    untouched = "select count(*) from observations where provider = 'wipo_gii' and confirmed_at is not null"
    assert rows(warehouse, untouched) == [(0,)]
    live = len({row[0] for row in confirmed})
    ((held_series,),) = rows(warehouse, "select count(distinct indicator_id) from observations")
    archived = held_series - live
    assert live > 10
    assert rows(warehouse, "select series_live, series_archived from publication") == [(live, archived)]
    assert (
        f"{live} series fetched live, {archived} from the bundled archive"
        in run_carec("scorecard", warehouse=warehouse).stdout
    )
    page = run_carec("report", "--out", str(tmp_path / "page.html"), warehouse=warehouse)
    assert page.returncode == 0, page.stderr
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.search(rf"series obtained live: {live}, from the\s+bundled archive: {archived}", text)

    sha256 = next(row[3] for row in confirmed if row[0] == INTERNET)
    shown = run_carec("raw", "show", sha256, warehouse=warehouse).stdout
    assert '"lastupdated": "2026-11-20"' in shown and "IT.NET.USER.ZS" in shown


def test_a_confirmation_counts_only_from_its_day_on(live_refresh: Refreshed, review_day: Refreshed) -> None:
    confirmed = "select count(*) > 0 from observations where confirmed_at is not null"
    assert rows(live_refresh.warehouse, confirmed) == [(True,)]
    assert rows(review_day.warehouse, confirmed) == [(False,)]


def test_files_of_an_operator_do_not_count_as_live(live_refresh: Refreshed) -> None:
    counts = "retrieved_via, count(*), count(confirmed_at)"
    found = f"select {counts} from observations where indicator_id = '{LOCAL}' group by all"
    # the operator's table adds its two figures to those of the archive
    assert sorted(rows(live_refresh.warehouse, found)) == [("archive", 13, 0), ("local_file", 2, 0)]


def test_a_rejected_record_marks_the_retained_figure_even_if_no_figure_changed(bank: Bank, at: Workspace) -> None:
    refresh(at)
    good = bank.figures[CODE]["KAZ", 2023]
    bank.lastupdated, bank.figures[CODE]["KAZ", 2023] = "2026-12-01", 1e6
    refresh(at)
    vintage = landing.latest(at.layout, INTERNET)
    assert vintage is not None
    marked = vintage.read().filter(pl.col("figure_origin").is_not_null())
    assert marked.select("iso3", "year", "value", "figure_origin").rows() == [("KAZ", 2023, good, "retained")]
    bank.lastupdated, bank.figures[CODE]["KAZ", 2023] = "2026-12-02", good
    refresh(at)
    mended = landing.latest(at.layout, INTERNET)
    assert mended is not None and mended.read()["figure_origin"].null_count() == mended.read().height


def test_a_replay_accepts_a_vintage_of_the_former_format(bank: Bank, at: Workspace) -> None:
    refresh(at)
    (path,) = at.layout.vintages(INTERNET).glob("[2-9]*.parquet")
    former = pl.read_parquet(path).drop("figure_origin", "figure_note")
    former.write_parquet(path)
    for file in at.layout.confirmations(INTERNET).glob("*.parquet"):
        file.unlink()
    assert replay(at).differences == []
    former.with_columns(value=pl.col("value") + 1).write_parquet(path)
    assert len(replay(at).differences) == 1
