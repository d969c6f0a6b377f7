"""Refreshes from a loopback provider: repeated requests, stored responses, and the replay of the record."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines import run_journal as recording
from pipelines.cli import raw as raw_pages
from pipelines.replay import replay
from pipelines.workspace import Workspace
from sources.errors import ConfigurationError
from sources.http.conditional import Exchange, RunHttp
from sources.observation import utc_now
from sources.provider import Outcome, Window
from sources.providers import world_bank
from tests.integration.refreshing import BROADBAND, CODES, INTERNET, Bank, landed, refresh, rejects, workspace
from tests.world_bank_server import answer_world_bank
from warehouse import journal, landing, raw
from warehouse.errors import NotPublished
from warehouse.landing import Landing


@pytest.fixture
def bank(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Bank:
    monkeypatch.setenv("NO_PROXY", "*")
    return Bank(httpserver)


@pytest.fixture
def at(bank: Bank, tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "warehouse", bank)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("observations", "rejects")
        for path in sorted((folder / part).rglob("*.parquet"))
    }


def eventful(bank: Bank, at: Workspace) -> None:
    """Make a history: first figures, a revision, a reject, a failing server, a loss held back and then accepted."""
    refresh(at)
    bank.lastupdated = "2026-08-01"
    bank.figures[CODES[INTERNET]]["UZB", 2024] = 80.5
    refresh(at)
    bank.lastupdated = "2026-08-02"
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = "<5"
    bank.figures[CODES[BROADBAND]]["KAZ", 2024] = 1e308
    refresh(at)
    bank.answer = lambda request: Response("busy", status=503)
    refresh(at)
    bank.answer = lambda request: Response("<html>maintenance</html>", content_type="text/html")
    refresh(at, only=INTERNET)
    bank.answer = None
    bank.lastupdated = "2026-08-03"
    bank.figures[CODES[BROADBAND]] = {k: v for k, v in bank.figures[CODES[BROADBAND]].items() if k[1] > 2014}
    held = refresh(at)
    assert {one.indicator.id: one.landed.status for one in held.results}[BROADBAND] is Landing.HELD_BACK
    refresh(at, accept_shrink=True)


# The record


def test_a_replay_gives_the_same_vintages_byte_for_byte(bank: Bank, at: Workspace, tmp_path: Path) -> None:
    eventful(bank, at)
    before = files(at.layout.landing)
    assert len(before) >= 7
    bank.requested()
    replayed = replay(at, tmp_path / "copy")
    assert bank.requested() == []
    assert (replayed.runs, replayed.differences, replayed.notes) == (7, [], [])
    assert files(tmp_path / "copy" / "landing") == before


def test_a_lost_landing_is_restored_from_the_record(bank: Bank, at: Workspace) -> None:
    eventful(bank, at)
    before = files(at.layout.landing)
    for path in at.layout.vintages(INTERNET).glob("*.parquet"):
        path.unlink()
    lost = replay(at)
    assert lost.differences and all("given by the replay, not landed" in each for each in lost.differences)
    assert files(at.layout.landing) != before
    replay(at, write=True)
    assert files(at.layout.landing) == before
    assert (at.layout.landing / "source_health.parquet").exists()
    assert replay(at).differences == []


def test_a_landed_figure_without_a_recorded_source_is_named(bank: Bank, at: Workspace) -> None:
    refresh(at)
    vintage = landing.latest(at.layout, INTERNET)
    assert vintage is not None
    forged = vintage.path.with_name(f"20301231T000000000000_{'0' * 16}.parquet")
    forged.write_bytes(vintage.path.read_bytes())
    assert replay(at).differences == [f"not given by the replay: observations/{INTERNET}/{forged.name}"]


def test_a_damaged_body_stops_the_replay_and_changes_nothing(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = files(at.layout.landing)
    (body,) = {entry["sha256"] for run in journal.runs(at.layout) for entry in run["exchanges"]}
    (at.layout.raw / body[:2] / f"{body}.gz").write_bytes(gzip.compress(b"other figures"))
    with pytest.raises(NotPublished, match="damaged"):
        replay(at, write=True)
    assert files(at.layout.landing) == before


def test_a_warehouse_without_any_run_has_nothing_to_replay(at: Workspace) -> None:
    with pytest.raises(NotPublished, match="no run was recorded yet"):
        replay(at)


def test_a_replay_into_a_folder_with_files_is_refused(at: Workspace, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        replay(at, tmp_path)


def test_the_journal_names_every_exchange_with_url_status_headers_hash_and_time(bank: Bank, at: Workspace) -> None:
    bank.answer = lambda request: Response("busy", status=503, headers={"X-Told": "yes"})
    refresh(at)
    (run,) = journal.runs(at.layout)
    (entry,) = run["exchanges"]
    assert entry["asked"].startswith(bank.server.url_for("/v2/country/all/indicator/"))
    assert (entry["status"], entry["headers"]["X-Told"], entry["failure"]["kind"]) == (503, "yes", "status")
    assert raw.load(at.layout, entry["sha256"]) == b"busy"
    assert entry["retrieved_at"] and run["indicator_ids"] == list(CODES)


# Codes that are refused


def refuse_broadband(bank: Bank, at: Workspace) -> None:
    """Make the bank refuse every call with the code of broadband."""

    def answer(request: Request) -> Response:
        if CODES[BROADBAND] in unquote(request.path):
            message = [{"message": [{"id": "175", "key": "Invalid format", "value": "The indicator was not found"}]}]
            return Response(json.dumps(message), content_type="application/json")
        return answer_world_bank(request, bank.figures, bank.lastupdated)

    bank.answer = answer


def test_a_refused_code_costs_one_request_at_the_next_refresh_and_both_runs_replay(bank: Bank, at: Workspace) -> None:
    refuse_broadband(bank, at)
    results = {one.indicator.id: one for one in refresh(at).results}
    assert (results[INTERNET].outcome, results[BROADBAND].outcome) == (Outcome.OK, Outcome.UNKNOWN_ID)
    assert len(bank.requested()) == 3
    refresh(at)
    release, *figures = bank.requested()
    assert release == "/v2/sources/2"
    assert figures == [f"/v2/country/all/indicator/{CODES[BROADBAND]}"]

    bank.lastupdated, bank.figures[CODES[INTERNET]]["UZB", 2024] = "2026-08-01", 81.0
    refresh(at)
    assert f"/v2/country/all/indicator/{';'.join(CODES.values())}" in bank.requested()
    bank.answer = None
    refresh(at)
    assert landed(at.layout, BROADBAND)
    bank.requested()
    refresh(at)
    assert json.loads(at.layout.refused_codes.read_bytes()) == []

    replayed = replay(at)
    assert (replayed.runs, replayed.differences, replayed.notes) == (5, [], [])
    known = [run["refused_codes"] for run in journal.runs(at.layout)]
    first = {"provider": "world_bank", "database": "2", "code": CODES[BROADBAND], "release": "2026-07-13"}
    assert known == [[], [first], [first], [first | {"release": "2026-08-01"}], []]


def test_a_run_from_before_codes_were_remembered_replays(bank: Bank, at: Workspace) -> None:
    refuse_broadband(bank, at)
    refresh(at)
    (path,) = at.layout.journal.glob("*.json")
    run = json.loads(path.read_bytes())
    del run["refused_codes"]
    for exchange in run["exchanges"]:
        del exchange["placed"]
    path.write_text(json.dumps(run))
    replayed = replay(at)
    assert (replayed.runs, replayed.differences, replayed.notes) == (1, [], [])


def test_a_damaged_list_of_refused_codes_is_rebuilt(bank: Bank, at: Workspace) -> None:
    refuse_broadband(bank, at)
    refresh(at)
    before = at.layout.refused_codes.read_bytes()
    for damaged in (b"", b"{", b"[7]", b'[{"provider": "world_bank"}]'):
        at.layout.refused_codes.write_bytes(damaged)
        refresh(at)
        assert at.layout.refused_codes.read_bytes() == before


# Local files of the operator


def test_a_run_with_an_operators_file_replays_without_the_file(at: Workspace, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/table.csv").respond_with_data("no", status=403)
    layout = at.layout
    layout.local_files.mkdir(parents=True)
    (layout.local_files / "table.csv").write_bytes(b"placed")
    run = recording.Run(utc_now(), (), Window(2010, 2026))

    def ask() -> Exchange:
        with RunHttp(cache=raw.StoredResponses(layout), local_files=layout.local_files, tries=1) as http:
            reply = http.get(httpserver.url_for("/table.csv"))
            recording.write_run(layout, run, http.exchanges, [])
            assert (reply.content, reply.placed, reply.failure, reply.url) == (
                b"placed",
                True,
                None,
                "local_file:table.csv",
            )
            return http.exchanges[0]

    given = ask()
    (layout.local_files / "table.csv").unlink()
    (record,) = recording.records(layout)
    assert record.exchanges == [given] and record.files == {}
    with RunHttp(cache=raw.StoredResponses(layout), local_files=layout.local_files, tries=1) as http:
        assert http.get(httpserver.url_for("/table.csv")).blocked, "what was placed is no answer of the host's"


# Bodies


def test_every_body_is_kept_used_or_refused(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.lastupdated, bank.answer = "2026-09-01", lambda request: Response("<html>", content_type="text/html")
    refresh(at)
    kept = {path.stem for path in at.layout.raw.rglob("*.gz")}
    retrieved = [one for sha in kept for one in raw.retrievals(at.layout, sha)]
    assert any(one["refused"] is None and one["status"] == 200 for one in retrieved)
    assert any("markup" in (one["refused"] or "") or "html" in (one["refused"] or "") for one in retrieved)
    used = landing.latest(at.layout, INTERNET)
    assert used is not None and set(used.read()["raw_sha256"]) <= kept


def test_a_body_is_found_by_the_hash_of_a_figure(bank: Bank, at: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh(at)
    monkeypatch.setenv("CAREC_WAREHOUSE", str(at.layout.root))
    vintage = landing.latest(at.layout, INTERNET)
    assert vintage is not None
    sha = str(vintage.read()["raw_sha256"][0])
    assert json.loads(raw_pages.body(sha[:12]))[0]["lastupdated"] == "2026-07-13"
    where = "\n".join(raw_pages.retrievals(sha))
    assert "HTTP 200" in where and "/v2/country/all/indicator/" in where and "Content-Type" in where


@pytest.mark.parametrize(("sha", "reason"), [("f" * 64, "no body"), ("abc", "at least"), ("not a hash!", "at least")])
def test_a_hash_without_a_body_is_reported(
    sha: str, reason: str, at: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREC_WAREHOUSE", str(at.layout.root))
    with pytest.raises(ConfigurationError, match=reason):
        raw_pages.body(sha)


def test_the_hash_of_an_archived_figure_leads_to_the_file_of_the_archive(
    at: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hashlib

    from sources.bundled_archive import ARCHIVE_DIR

    monkeypatch.setenv("CAREC_WAREHOUSE", str(at.layout.root))
    content = (ARCHIVE_DIR / "gii_rank.csv").read_bytes()
    assert raw_pages.body(hashlib.sha256(content).hexdigest()) == content


# Requests that are saved


def test_an_unchanged_release_costs_one_small_request(bank: Bank, at: Workspace) -> None:
    refresh(at)
    assert len(bank.requested()) == 1
    again = refresh(at)
    assert bank.requested() == ["/v2/sources/2"]
    assert {one.landed.status for one in again.results} == {Landing.UNCHANGED}
    assert {one.stale_reason for one in again.results} == {None}


def test_a_new_release_is_read_in_full(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.figures[CODES[INTERNET]]["UZB", 2024], bank.lastupdated = 81.0, "2026-08-01"
    refresh(at)
    assert landed(at.layout, INTERNET)["UZB", 2024] == 81.0


def test_a_change_without_a_new_release_is_noticed_within_a_week(
    bank: Bank, at: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(at)
    bank.figures[CODES[INTERNET]]["UZB", 2024] = 81.0
    refresh(at)
    assert landed(at.layout, INTERNET)["UZB", 2024] != 81.0
    monkeypatch.setattr(world_bank, "utc_now", lambda: utc_now() + timedelta(days=7))
    refresh(at)
    assert landed(at.layout, INTERNET)["UZB", 2024] == 81.0


def test_a_kept_body_with_changed_bytes_is_requested_again(bank: Bank, at: Workspace) -> None:
    refresh(at)
    bank.requested()
    for path in at.layout.raw.rglob("*.gz"):
        path.write_bytes(gzip.compress(b"other figures"))
    refresh(at)
    assert [path for path in bank.requested() if "/country/" in path]


def test_a_refused_body_is_never_used_as_a_response(bank: Bank, at: Workspace) -> None:
    broken = '[{"page":1,"pages":1,"per_page":1,"total":9,"lastupdated":"2026-07-13"},[]]'
    bank.answer = lambda request: Response(broken, content_type="application/json")
    refresh(at)
    bank.answer = None
    bank.requested()
    refresh(at)
    assert [path for path in bank.requested() if "/country/" in path]
    assert landed(at.layout, INTERNET)


@pytest.mark.parametrize("fault", [{}, {("UZB", 2024): "<5"}], ids=["held back", "a figure rejected"])
def test_a_doubted_body_is_requested_again_even_if_the_release_is_unchanged(
    fault: dict[tuple[str, int], str], bank: Bank, at: Workspace
) -> None:
    refresh(at)
    good = dict(bank.figures[CODES[INTERNET]])
    bank.lastupdated = "2026-08-01"
    bank.figures[CODES[INTERNET]] = {**good, **fault} if fault else dict.fromkeys(good, 0)
    refresh(at)
    assert landed(at.layout, INTERNET) == good
    bank.figures[CODES[INTERNET]] = good | {("UZB", 2024): 81.5}
    refresh(at)
    assert landed(at.layout, INTERNET)["UZB", 2024] == 81.5


def test_a_failed_indicator_is_reported_with_the_reason_and_keeps_its_last_vintage(bank: Bank, at: Workspace) -> None:
    refresh(at)
    before = landed(at.layout, INTERNET)

    def fail(request: Request) -> Response:
        return Response("no", status=500)

    bank.lastupdated, bank.answer = "2026-08-01", fail
    results = refresh(at).results
    assert all("HTTP 500" in (one.stale_reason or "") for one in results)
    assert landed(at.layout, INTERNET) == before


def test_figures_name_their_provider_and_rejects_name_their_body(bank: Bank, at: Workspace) -> None:
    bank.figures[CODES[INTERNET]]["KAZ", 2024] = "<5"
    refresh(at)
    (sha,) = set(rejects(at.layout)["raw_sha256"])
    assert b"<5" in raw.load(at.layout, sha)
