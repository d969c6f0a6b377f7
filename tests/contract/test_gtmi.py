"""The GovTech adapter against workbooks on loopback, with the documented structure of each release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.catalogue import load_catalogue
from sources.observation import Areas
from sources.parsing.responses import UnusableResponse
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.gtmi import METRICS, PUBLIC_BASE, RELEASES, fetch, observations_of, parse
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import AREAS, NOT_NUMBERS, STATUSES, WINDOW, only, provider, reasons, serve, values
from tests.contract.workbooks import NOT_WORKBOOKS, XLSX, workbook, zip_bomb

CGSI, DCEI = SeriesRequest("CGSI"), SeriesRequest("DCEI")
SCORES = ["GTMI", "CGSI", "PSDI", "DCEI", "GTEI"]
Visit = Callable[..., Fetched]


def long(*rows: list[Any], head: list[Any] | None = None, sheet: str = "GTMI_Data") -> bytes:
    """All waves, as the sheet of 2025: year, code, economy, group, scores, questions."""
    return workbook({"Metadata": [["x"]], sheet: [head or ["Year", "Code", "Economy", "Grp", *SCORES, "I-1"], *rows]})


def wave(year: Any, code: Any, cgsi: Any = 0.5, dcei: Any = 0.3) -> list[Any]:
    return [year, code, "made up", "A", 0.6, cgsi, 0.4, dcei, 0.2, 2]


GOOD = long(wave(2025, "UZB"), wave(2022, "UZB", 0.45), wave(2020, "UZB", 0.35))


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(body: Any, *requests: SeriesRequest, release: int = 2025) -> Fetched:
        serve(httpserver, {f"/{RELEASES[release]}".replace("%20", " "): body}, content_type=XLSX)
        base = httpserver.url_for("")
        return fetch(list(requests or (CGSI,)), provider("gtmi", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def test_every_wave_and_metric_comes_from_one_download(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(GOOD, CGSI, DCEI)
    assert values(fetched.answers[CGSI]) == [("UZB", 2020, 0.35), ("UZB", 2022, 0.45), ("UZB", 2025, 0.5)]
    assert values(fetched.answers[DCEI])[-1] == ("UZB", 2025, 0.3)
    assert len(httpserver.log) == 1
    answer = fetched.answers[CGSI]
    assert (answer.source_url, answer.release) == (f"{PUBLIC_BASE}/{RELEASES[2025]}", "GovTech Dataset 2025")


def test_an_older_release_is_used_if_the_newest_is_missing(visit: Visit) -> None:
    body = long(wave(2022, "UZB", 0.45), wave(2020, "UZB", 0.35), sheet="CG_GTMI_Data")
    answer = only(visit(body, release=2022))
    assert (values(answer), answer.release) == ([("UZB", 2020, 0.35), ("UZB", 2022, 0.45)], "GovTech Dataset 2022")


# Sheets of the releases


def test_the_sheet_of_2025_with_repeated_columns_gives_the_scores_of_the_first_block() -> None:
    head = ["No", "Code", "Economy", "Grp", *SCORES, "I-1", *["Q"] * 30, "Code", "Economy", "GTMI", "GTMI"]
    row = [1, "UZB", "made up", "A", 0.6, 0.5, 0.4, 0.3, 0.2, 2, *[0] * 30, "KAZ", "other", 9, 9]
    threshold = [None, 3, "Group A above", None, 0.75, 0.75, 0.75, 0.75, 0.75]
    scores = parse(workbook({"GTMI_Groups": [head, row, threshold, [2025, 2025, *threshold[2:]]]}), 2025)
    assert scores.rows() == [("UZB", "2025", "0.6", "0.5", "0.4", "0.3", "0.2")]


def test_the_sheet_of_2022_is_one_wave_without_a_year() -> None:
    head = ["Code", "Economy", "Population", "Level", "Reg", "Grp", *SCORES]
    row = ["UZB", "made up", 1, "LM", "ECA", "A", 0.6, 0.5, 0.4, 0.3, 0.2]
    assert parse(workbook({"CG_GTMI_Groups": [head, row]}), 2022).rows() == [
        ("UZB", "2022", "0.6", "0.5", "0.4", "0.3", "0.2")
    ]


def test_the_sheet_of_2020_gives_the_second_block_and_names_dcei_cei() -> None:
    block = ["Economy", "Code", "Grp", "GTMI", "CGSI", "PSDI", "CEI", "GTEI"]
    ranks = ["made up", "KAZ", "B", 1, 2, 3, 4, 5]
    row = ["made up", "UZB", "A", 0.6, 0.5, 0.4, 0.3, 0.2]
    scores = parse(workbook({"GTMI": [[*block, *["-"] * 7, *block], [*ranks, *[None] * 7, *row]]}), 2020)
    assert scores.rows() == [("UZB", "2020", "0.6", "0.5", "0.4", "0.3", "0.2")]


def test_scores_of_one_wave_are_read_if_the_long_sheet_has_no_scores() -> None:
    sheets = {
        "GTMI_Data": [["Year", "Code", "Economy", "I-1"], [2025, "UZB", "made up", 2]],
        "GTMI_Groups": [["Code", "Economy", "Grp", *SCORES], ["UZB", "made up", "A", 0.6, 0.5, 0.4, 0.3, 0.2]],
    }
    assert parse(workbook(sheets), 2025)["CGSI"].to_list() == ["0.5"]


def test_a_missing_sheet_is_named() -> None:
    with pytest.raises(UnusableResponse, match="the sheet GTMI_Data is missing; there are Cover"):
        parse(workbook({"Cover": [["a"]]}), 2025)


@pytest.mark.parametrize("name", ["Code", "GTMI", "CGSI", "PSDI", "DCEI"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    head = ["Renamed" if cell == name else cell for cell in ["Year", "Code", "Economy", "Grp", *SCORES, "I-1"]]
    answer = only(visit(long(wave(2025, "UZB"), head=head)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert f"the columns {name} are missing" in (answer.reason or "")


def test_the_previous_release_under_the_name_of_this_one_is_refused(visit: Visit) -> None:
    answer = only(visit(long(wave(2022, "UZB"))))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "of 2022, not of 2025" in (answer.reason or "")


# Values and countries


@pytest.mark.parametrize("sent", ["-", "..", "New", None])
def test_a_question_without_an_answer_makes_no_record(sent: Any, visit: Visit) -> None:
    answer = only(visit(long(wave(2025, "UZB", sent), wave(2025, "KAZ"))))
    assert (values(answer), answer.rejects.height) == ([("KAZ", 2025, 0.5)], 0)


@pytest.mark.parametrize("sent", [each for each in NOT_NUMBERS if each not in ("-", "..")])
def test_a_cell_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    answer = only(visit(long(wave(2025, "UZB", sent), wave(2025, "KAZ"))))
    assert values(answer) == [("KAZ", 2025, 0.5)]
    assert answer.rejects.select("iso3", "year").rows() == [("UZB", 2025)]


def test_the_banks_older_codes_are_the_same_economies(visit: Visit) -> None:
    assert values(only(visit(long(wave(2025, "KSV"))))) == [("XKX", 2025, 0.5)]


def test_rows_of_thresholds_are_left_out_and_unknown_economies_are_rejected(visit: Visit) -> None:
    thresholds = [wave(None, code) for code in ("3", None, 0.25, 0.5, 0.75, "0,75", "0.5 - 0.75", "25%")]
    rows = [wave(2025, 2025), *thresholds, wave(2025, "NRN"), wave(2025, "UZB")]
    answer = only(visit(long(*rows)))
    assert (values(answer), reasons(answer)) == ([("UZB", 2025, 0.5)], ["unknown area NRN"])


def test_thresholds_below_the_scores_of_one_wave_are_neither_records_nor_rejects() -> None:
    rows = [[code, "made up", "A", 0.6, 0.5, 0.4, 0.3, 0.2] for code in ("UZB", "WBG", 0.25, 0.5, 0.75)]
    body = workbook({"GTMI_Groups": [["Code", "Economy", "Grp", *SCORES], *rows]})
    scores = parse(body, 2025)
    assert scores["Code"].to_list() == ["UZB", "WBG"]
    areas = replace(AREAS, economies=AREAS.economies | {"PSE"})
    figures = observations_of(scores, "CGSI", "0" * 64, areas, WINDOW)
    assert figures.select("iso3", "reason").rows() == [("UZB", None), ("PSE", None)]


@pytest.mark.parametrize("year", ["2023Q4", None])
def test_a_wave_that_is_not_a_year_is_rejected(year: Any, visit: Visit) -> None:
    answer = only(visit(long(wave(year, "UZB"), wave(2025, "KAZ"))))
    assert values(answer) == [("KAZ", 2025, 0.5)]
    assert "is not a year" in reasons(answer)[0]


# The provider as a whole


def test_an_unknown_metric_is_an_unknown_id(visit: Visit) -> None:
    fetched = visit(GOOD, CGSI, SeriesRequest("GTXX"))
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.UNKNOWN_ID]


@pytest.mark.parametrize(("body", "reason"), [*NOT_WORKBOOKS, (zip_bomb(32 << 20), "would unpack to")])
def test_a_body_that_is_not_a_workbook_is_refused(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert all(kept.refused for kept in fetched.bodies)


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), CGSI, DCEI)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([CGSI, DCEI], provider("gtmi", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(long(wave(2025, "UZB", "x"), wave(2025, "KAZ"))))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


def test_the_real_scores_are_the_same_after_writing_and_reading_a_workbook(reference: Path) -> None:
    real = pl.read_csv(reference / "gtmi" / "gtmi.csv", schema_overrides={"year": pl.Int32})
    scores = real.filter(pl.col("metric") != "group").with_columns(pl.col("value").cast(pl.Float64))
    wide = scores.pivot("metric", index=["year", "iso3"], values="value")
    rows = [
        [year, iso3, "made up", "A", *figures, 1]
        for year, iso3, *figures in wide.select("year", "iso3", *SCORES).rows()
    ]
    parsed = parse(long(*rows), 2025)
    areas = Areas(frozenset(real["iso3"]), frozenset(), {}, {})
    for metric in METRICS:
        figures = observations_of(parsed, metric, "0" * 64, areas, Window(1960, 2026))
        expected = scores.filter(pl.col("metric") == metric).select("iso3", "year", "value").sort("iso3", "year")
        got = figures.select("iso3", "year", "value").sort("iso3", "year")
        assert got.select("iso3", "year").equals(expected.select("iso3", "year"))
        assert (got["value"] - expected["value"]).abs().max() < 1e-15  # 16 digits are written


def test_every_link_of_the_catalogue_names_a_metric() -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "gtmi"]
    assert links
    for link in links:
        assert link.code in METRICS, link
        assert not link.options, link
