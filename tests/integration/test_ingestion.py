"""Ingestion: stale mirrors, corrections, the gates that hold back a series, and figures of older vintages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines.ingested import Ingested
from pipelines.ingestion import budget_lines, ingest, with_carried_over
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import Link, Provider
from sources.corrections import Corrections
from sources.http.client import Http
from sources.observation import Areas
from sources.provider import RECORD, Answer, Fetched, Outcome, SeriesRequest, Window
from sources.providers.local_file import LocalFiles
from tests.integration.refreshing import BROADBAND, CODES, INTERNET, Bank, landed, refresh, rejects, workspace
from tests.unit.test_corrections import correction
from tests.unit.test_observation import indicator, records
from warehouse import landing
from warehouse.landing import Landing, latest
from warehouse.layout import Layout

SHA = "c" * 64


@dataclass
class Mirror:
    """A mirror of the bank. A test sets the figures of its first series; those of each further one are higher by 1."""

    figures: dict[tuple[str, int], float] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        rows = [(iso3, year, value, None, SHA) for (iso3, year), value in self.figures.items()]
        frame = pl.DataFrame(rows, schema=RECORD, orient="row")
        answers = {}
        for request in requests:
            self.codes += [] if request.code in self.codes else [request.code]
            records = frame.with_columns(pl.col("value") + self.codes.index(request.code))
            answers[request] = Answer(Outcome.OK, records=records, release="M1", source_url="https://mirror.test/x")
        return Fetched(answers, [])


@pytest.fixture
def bank(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Bank:
    monkeypatch.setenv("NO_PROXY", "*")
    return Bank(httpserver)


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


@pytest.fixture
def at(bank: Bank, mirror: Mirror, tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "warehouse", bank, data360=mirror)


def one(at: Workspace, **options: bool) -> Ingested:
    (result,) = refresh(at, only=INTERNET, **options).results
    return result


def fail(bank: Bank) -> None:
    bank.lastupdated, bank.answer = "2026-12-01", lambda request: Response("no", status=500)


def provider_of(at: Workspace) -> set[str]:
    vintage = latest(at.layout, INTERNET)
    assert vintage is not None
    return set(vintage.read()["provider"])


# Mirrors


def test_a_mirror_as_recent_as_the_last_vintage_replaces_the_whole_series(
    bank: Bank, mirror: Mirror, at: Workspace
) -> None:
    refresh(at)
    fail(bank)
    mirror.figures = {key: value + 0.7 for key, value in bank.figures[CODES[INTERNET]].items()}
    result = one(at)
    assert (result.landed.status, result.provider_used, result.stale_reason) == (Landing.NEW, "data360", None)
    assert (landed(at.layout, INTERNET), provider_of(at)) == (mirror.figures, {"data360"})


def test_a_silent_host_uses_up_only_its_share_and_figures_of_others_land_or_the_last_ones_stay(
    bank: Bank, mirror: Mirror, at: Workspace
) -> None:
    refresh(at)
    ended = Event()

    def silent(request: Request) -> Response:
        ended.wait(30)
        return Response("[]", content_type="application/json")

    bank.lastupdated, bank.answer = "2026-12-01", silent
    mirror.figures = {key: value + 0.7 for key, value in bank.figures[CODES[INTERNET]].items()}
    short = replace(at, settings=replace(at.settings, refresh_budget_s=1.0))
    alone = replace(short, adapters={"world_bank": short.adapters["world_bank"]})
    try:
        with_mirror, without = refresh(short), refresh(alone)
    finally:
        ended.set()
    assert [one.stale_reason for one in with_mirror.results] == [None, None]
    assert landed(at.layout, INTERNET) == mirror.figures
    for one in without.results:
        assert "no complete headers within" in str(one.stale_reason) or "used up" in str(one.stale_reason)
    assert landed(at.layout, INTERNET) == mirror.figures
    for ingestion in (with_mirror, without):
        late, shares = budget_lines(ingestion, short.settings)
        assert bank.server.host in late and "of the budget of 1 s" in shares


@pytest.mark.parametrize(
    ("cut", "expected"),
    [(lambda iso3, year: year < 2024, "members'"), (lambda iso3, year: year < 2024 or iso3 == "DEU", "members'")],
)
def test_an_older_mirror_is_not_landed_and_the_reason_says_stale_mirror(
    cut: object, expected: str, bank: Bank, mirror: Mirror, at: Workspace
) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    fail(bank)
    assert callable(cut)
    mirror.figures = {key: value for key, value in bank.figures[CODES[INTERNET]].items() if cut(*key)}
    result = one(at)
    assert result.stale_reason is not None
    assert result.stale_reason.startswith("stale_mirror: data360") and expected in result.stale_reason
    assert "world_bank" in result.stale_reason and "HTTP 500" in result.stale_reason
    assert (landed(at.layout, INTERNET), provider_of(at)) == (before, {"world_bank"})


def test_a_mirror_with_older_figures_of_other_economies_is_also_stale(
    bank: Bank, mirror: Mirror, at: Workspace
) -> None:
    bank.figures[CODES[INTERNET]]["DEU", 2025] = 50.0
    refresh(at)
    fail(bank)
    mirror.figures = {key: value for key, value in bank.figures[CODES[INTERNET]].items() if key[1] < 2025}
    assert "any economy's" in (one(at).stale_reason or "")


def test_a_mirror_without_some_country_years_is_held_back(bank: Bank, mirror: Mirror, at: Workspace) -> None:
    refresh(at)
    fail(bank)
    mirror.figures = {key: value for key, value in bank.figures[CODES[INTERNET]].items() if key[1] > 2014}
    assert one(at).landed.status is Landing.HELD_BACK
    assert provider_of(at) == {"world_bank"}


def test_the_first_figures_may_come_from_a_mirror(bank: Bank, mirror: Mirror, at: Workspace) -> None:
    fail(bank)
    mirror.figures = dict(bank.figures[CODES[INTERNET]])
    assert one(at).provider_used == "data360"
    bank.answer = None
    assert one(at).provider_used == "world_bank"


# Gates that compare a series with the last vintage


def test_percentages_that_arrive_as_shares_are_held_back(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODES[INTERNET]] = {key: value / 100 for key, value in before.items()}
    result = one(at)
    assert result.landed.status is Landing.HELD_BACK and "0.01 times" in (result.landed.reason or "")
    assert landed(at.layout, INTERNET) == before
    assert one(at, accept_shrink=True).landed.status is Landing.NEW


def test_one_share_among_percentages_is_rejected_and_the_last_figure_is_retained(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    bank.figures[CODES[INTERNET]]["KAZ", 2024] /= 100
    bank.lastupdated = "2026-08-01"
    (result, _) = refresh(at).results
    assert landed(at.layout, INTERNET) == before
    assert result.rejected == 1 and "point moved" in result.reject_reasons[0]
    refresh(at, accept_shrink=True)
    assert landed(at.layout, INTERNET)["KAZ", 2024] == before["KAZ", 2024] / 100


def test_a_series_of_zeros_is_held_back(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODES[INTERNET]] = dict.fromkeys(before, 0)
    assert one(at).landed.status is Landing.HELD_BACK
    assert landed(at.layout, INTERNET) == before


def test_a_first_series_of_zeros_is_held_back_and_leaves_no_vintage(bank: Bank, at: Workspace) -> None:
    bank.figures[CODES[INTERNET]] = dict.fromkeys(bank.figures[CODES[INTERNET]], 0)
    assert one(at).landed.status is Landing.HELD_BACK
    assert latest(at.layout, INTERNET) is None
    assert one(at, accept_shrink=True).landed.status is Landing.NEW


def test_a_member_in_doubt_keeps_its_figures_and_the_others_are_landed(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    bank.lastupdated = "2026-12-01"
    doubled = {key: 2 * value for key, value in before.items() if key[0] == "KAZ"}
    bank.figures[CODES[INTERNET]] |= doubled | {("DEU", 2024): 99.0}
    result = one(at)
    assert result.landed.status is Landing.NEW and result.stale_reason is None
    assert landed(at.layout, INTERNET) == before | {("DEU", 2024): 99.0}
    assert result.warnings[0].startswith("one_factor: KAZ held back, the last figures stay")
    assert result.health["warnings"] == result.warnings[0]
    assert rejects(at.layout).height == len(doubled)
    vintage = latest(at.layout, INTERNET)
    assert vintage is not None
    kept = vintage.read().filter(iso3="KAZ").select("figure_origin", "figure_note").unique().rows()
    assert kept == [("retained", "the figures are 2.0 times those of the last vintage")]
    assert one(at).warnings == result.warnings, "the same answer is judged again"
    (accepted,) = refresh(at, only=INTERNET, accept_revisions=[INTERNET]).results
    assert accepted.warnings == ()
    assert landed(at.layout, INTERNET) == before | doubled | {("DEU", 2024): 99.0}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_figures_that_another_indicator_has_are_not_landed(
    known: bool, factor: float, bank: Bank, at: Workspace
) -> None:
    """The other one has them from the same run or from an earlier one, as they were sent or by a correction."""
    first = at.catalogue.indicators[INTERNET].model_copy(
        update={"id": "first", "chain": (Link(provider="world_bank", code="FIRST"),)}
    )
    indicators = {"first": first, **at.catalogue.indicators}
    at = replace(at, catalogue=at.catalogue.model_copy(update={"indicators": indicators}))
    sent = bank.figures[CODES[INTERNET]]
    bank.figures["FIRST"] = {place: value + 3.03 for place, value in sent.items()}
    bank.figures[CODES[BROADBAND]] = {place: factor * value for place, value in sent.items()}
    if factor != 1:
        everywhere = {
            "iso3": {iso3 for iso3, _ in sent},
            "years": range(2012, 2025),
            "action": "scale",
            "factor": factor,
        }
        at = corrected(at, **everywhere, expect={"lt": 50})
    if known:
        one(at)
    results = {result.indicator.id: result for result in refresh(at).results}
    assert {name for name, result in results.items() if not result.stale_reason} == {"first", INTERNET}
    assert f"169 of 169 figures are those of {INTERNET}" in (results[BROADBAND].landed.reason or "")
    assert latest(at.layout, BROADBAND) is None


def test_a_member_that_the_answer_lacks_keeps_its_figures(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)
    bank.lastupdated = "2026-12-01"
    renamed = {("KZK", year): value for (iso3, year), value in before.items() if iso3 == "KAZ"}
    others = {key: value for key, value in before.items() if key[0] != "KAZ"}
    bank.figures[CODES[INTERNET]] = others | renamed | {("DEU", 2024): 99.0}  # type: ignore[assignment]
    result = one(at)
    assert landed(at.layout, INTERNET) == before | {("DEU", 2024): 99.0}
    assert "KAZ missing from the answer, the last figures stay (KZK instead of KAZ?)" in result.warnings[0]


# Corrections


def corrected(at: Workspace, **changes: object) -> Workspace:
    return replace(at, corrections=Corrections({INTERNET: (correction(**changes),)}, b"changed"))


def test_a_corrected_figure_is_landed_and_the_record_of_the_provider_is_a_reject(bank: Bank, at: Workspace) -> None:
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = 9.3
    refresh(corrected(at, action="override", value=93.0, expect={"eq": 9.3}))
    assert landed(at.layout, INTERNET)["KAZ", 2024] == 93.0
    (original,) = rejects(at.layout).to_dicts()
    assert original["reason"].startswith("correction: ") and '"value":9.3' in original["raw_record"]


def test_a_correction_that_does_not_fit_holds_back_only_its_indicator(bank: Bank, at: Workspace) -> None:
    fitting = corrected(at, action="override", value=93.0, expect={"eq": 9.3})
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = 9.3
    refresh(fitting)
    before = landed(at.layout, INTERNET)
    bank.lastupdated = "2026-12-01"
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = 93.2
    bank.figures[CODES[BROADBAND]]["KAZ", 2024] = 15.25
    results = {result.indicator.id: result for result in refresh(fitting).results}
    assert results[INTERNET].landed.status is Landing.HELD_BACK
    assert "corrections.yml:7: kaz_2024" in (results[INTERNET].landed.reason or "")
    assert landed(at.layout, INTERNET) == before
    assert landed(at.layout, BROADBAND)["KAZ", 2024] == 15.25


def test_a_dropped_figure_is_not_retained_from_the_last_vintage(bank: Bank, at: Workspace) -> None:
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = 9.3
    refresh(at)
    bank.lastupdated = "2026-12-01"
    refresh(corrected(at, action="drop", expect={"eq": 9.3}))
    assert ("KAZ", 2024) not in landed(at.layout, INTERNET)


def test_a_new_correction_takes_effect_without_a_change_at_the_provider(bank: Bank, at: Workspace) -> None:
    refresh(at)
    result = next(r for r in refresh(corrected(at)).results if r.indicator.id == INTERNET)
    vintage = result.vintage
    assert vintage is not None
    flags = vintage.read().filter(pl.col("figure_origin") == "flagged")
    assert flags.select("iso3", "year").rows() == [("KAZ", 2024)]


def test_an_archived_figure_is_corrected_if_the_correction_fits(at: Workspace, tmp_path: Path) -> None:
    from pipelines.workspace import open_workspace

    archive = open_workspace().archive
    shipped = replace(at, archive=archive, layout=type(at.layout)(tmp_path / "archived"))
    newest = archive.vintages(at.catalogue.indicators[INTERNET])[-1]
    ((value,),) = newest.records.filter(iso3="KAZ", year=2023).select("value").rows()
    changes = {"years": [2023], "action": "override", "value": 50.0, "expect": {"eq": value}}
    from pipelines.archive_landing import land_archive

    land_archive(corrected(shipped, **changes))
    assert landed(shipped.layout, INTERNET)["KAZ", 2023] == 50.0


def test_years_that_were_not_requested_are_carried_over(bank: Bank, at: Workspace) -> None:
    """The archive begins before the first requested year. A response without those years withdraws no figure."""
    refresh(at)
    vintage = latest(at.layout, INTERNET)
    assert vintage is not None
    early = vintage.read().drop("vintage_at").with_columns(year=pl.col("year") - 10)
    known = pl.concat([early.filter(pl.col("year") < 2010), vintage.read().drop("vintage_at")])
    landing.land_history(at.layout, INTERNET, known, vintage.vintage_at + timedelta(hours=1))
    bank.lastupdated = "2026-12-01"
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = 61.5
    result = next(r for r in refresh(at).results if r.indicator.id == INTERNET)
    assert (result.landed.status, result.landed.revised, result.landed.withdrawn) == (Landing.NEW, 1, 0)
    newest = latest(at.layout, INTERNET)
    assert newest is not None
    before = newest.read().filter(pl.col("year") < 2010)
    assert before.height == known.filter(pl.col("year") < 2010).height > 0
    assert set(before["figure_origin"]) == {"carried_over"}


def test_a_missing_edition_is_carried_over_unless_it_is_the_newest() -> None:
    known = records(*(("KAZ", year, 50.0 + year - 2020) for year in (2020, 2022, 2023, 2024, 2025)))
    served = known.filter(pl.col("year").is_in([2022, 2024]))
    index = indicator(edition_index=True)
    complete = with_carried_over(served, known, index, 2010).sort("year")
    assert complete.select("year", "figure_origin").rows() == [
        (2020, "carried_over"),
        (2022, None),
        (2023, "carried_over"),
        (2024, None),
    ]
    assert with_carried_over(served, known, indicator(), 2010)["year"].to_list() == [2022, 2024]


def test_a_table_of_some_economies_adds_its_figures_and_withdraws_none() -> None:
    known = records(("KGZ", 2025, 81.5), ("PAK", 2025, 88.9))
    table = records(("UZB", 2025, 70.0), ("PAK", 2025, 90.0))
    added = with_carried_over(table, known, indicator(), 2010, adds=True).sort("iso3")
    assert added.select("iso3", "value", "figure_origin").rows() == [
        ("KGZ", 81.5, "carried_over"),
        ("PAK", 90.0, None),
        ("UZB", 70.0, None),
    ]


def test_an_operator_adds_members_to_the_survey_without_copying_those_already_held(tmp_path: Path) -> None:
    """The table is older than the archive and has one economy: neither gate for losses and mirrors holds it back."""
    opened = open_workspace(load_settings(http_tries=1))
    name, folder = "cross_border_paperless_trade_pct", tmp_path / "local"
    at = replace(opened, layout=Layout(tmp_path / "warehouse"), adapters={"local_file": LocalFiles(folder)})
    folder.mkdir()
    header = {"indicator": "untf_economies", "unit": "pct", "source_title": "survey", "licence": "as published"}
    header |= {"source_url": "https://provider.test/economy", "vintage": "2023", "retrieved_by": "a person"}
    header |= {"retrieved_at": "2026-11-20T09:00:00Z"}
    (folder / "untf_economies.yml").write_text(json.dumps(header))
    (folder / "untf_economies.csv").write_text(
        "iso3,year,transparency,cross_border_paperless_trade\nUZB,2023,90,61.11\nKAZ,2023,80,\n"
    )
    (result,) = ingest(at, [at.catalogue.indicators[name]], offline=False).results
    assert (result.outcome, result.landed.status, result.landed.withdrawn) == (Outcome.OK, Landing.NEW, 0)
    assert result.vintage is not None
    figures = result.vintage.read()
    assert figures.height == 14
    assert figures.filter(iso3="UZB").select("year", "value", "retrieved_via").rows() == [(2023, 61.11, "local_file")]
    assert set(figures.filter(pl.col("iso3") != "UZB")["retrieved_via"]) == {"archive"}
