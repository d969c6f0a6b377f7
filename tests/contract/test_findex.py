"""The Global Findex file against tables on loopback, and a part of the published file."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
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
from sources.providers.findex import FILES, PUBLIC_BASE, fetch, observations_of, parse
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import (
    AREAS,
    NOT_NUMBERS,
    NOT_YEARS,
    STATUSES,
    WINDOW,
    only,
    provider,
    reasons,
    serve,
    values,
)

ANY, WOMEN = SeriesRequest("g20_any"), SeriesRequest("g20_any:gender:women")
HEADER = "countrynewwb,codewb,year,pop_adult,regionwb24_hi,group,group2,g20_any,account_t_d"
Visit = Callable[..., Fetched]


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def row(value: Any, code: str = "UZB", year: Any = 2024, cut: str = "all,all", region: str = "Europe") -> str:
    return f"made up,{code},{year},1,{region},{cut},{value},0.5"


GOOD = table(row(0.415), row(0.38, cut="gender,women"), row(0.44, cut="gender,men"), row(0.6, "WLD", region="NA"))


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(body: Any, *requests: SeriesRequest, content_type: str = "text/csv") -> Fetched:
        serve(httpserver, {f"/{FILES[2025]}": body}, content_type=content_type)
        base = httpserver.url_for("")
        return fetch(list(requests or (ANY,)), provider("findex", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def test_cuts_share_one_download_and_shares_become_percentages(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(GOOD, ANY, WOMEN, SeriesRequest("account_t_d"))
    assert values(fetched.answers[ANY]) == [("UZB", 2024, 41.5), ("WLD", 2024, 60.0)]
    assert values(fetched.answers[WOMEN]) == [("UZB", 2024, 38.0)]
    assert len(httpserver.log) == 1
    assert fetched.answers[ANY].source_url == f"{PUBLIC_BASE}/GlobalFindexDatabase2025.csv"


def test_the_release_is_the_date_of_the_last_change_of_the_file(visit: Visit) -> None:
    reply = Response(GOOD, content_type="text/csv", headers={"Last-Modified": "Mon, 22 Jun 2026 10:00:00 GMT"})
    assert only(visit(reply)).release == "Global Findex 2025, file of 2026-06-22"


@pytest.mark.parametrize(
    ("share", "percent"), [("0.07", 7.0), ("0.29", 29.0), ("1", 100.0), ("0", 0.0), ("5.5e-05", 0.0055), (".5", 50.0)]
)
def test_no_digit_changes_when_a_share_becomes_a_percentage(share: str, percent: float, visit: Visit) -> None:
    assert values(only(visit(table(row(share))))) == [("UZB", 2024, percent)]


def test_percentages_instead_of_shares_are_rejected(visit: Visit) -> None:
    fetched = visit(table(row(41.5), row(0.9, "KAZ")), ANY, SeriesRequest("account_t_d"))
    assert fetched.answers[ANY].outcome is Outcome.UNAVAILABLE
    assert "no longer given as a share" in (fetched.answers[ANY].reason or "")
    assert fetched.answers[SeriesRequest("account_t_d")].outcome is Outcome.OK


@pytest.mark.parametrize("name", ["codewb", "year", "group", "group2", "g20_any"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    answer = only(visit(GOOD.replace(f",{name},".encode(), b",renamed,", 1)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


@pytest.mark.parametrize("code", ["g20_any:gender:robots", "g20_any:gender", "g20_any:a:b:c"])
def test_a_missing_cut_is_an_unknown_id(code: str, visit: Visit) -> None:
    fetched = visit(GOOD, ANY, SeriesRequest(code))
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.UNKNOWN_ID]


def test_columns_are_found_by_name_in_any_encoding(visit: Visit) -> None:
    other = table("0.415,all,all,2024,UZB,Türkiye", header="g20_any,group2,group,year,codewb,name").decode()
    assert values(only(visit(other.encode("latin-1")))) == [("UZB", 2024, 41.5)]


@pytest.mark.parametrize("sent", [f'"{each}"' for each in NOT_NUMBERS if each != "NA"])
def test_a_value_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    answer = only(visit(table(row(sent), row(0.9, "KAZ"))))
    assert values(answer) == [("KAZ", 2024, 90.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"]) == ("UZB", 2024)
    assert json.loads(reject["raw_record"])["g20_any"] == sent.strip('"')


def test_questions_without_collected_answers_make_no_record(visit: Visit) -> None:
    answer = only(visit(table(row("NA"), row("", "KGZ"), row(0.9, "KAZ"))))
    assert (values(answer), answer.rejects.height) == ([("KAZ", 2024, 90.0)], 0)


def test_a_column_without_answers_means_no_data(visit: Visit) -> None:
    assert only(visit(table(row("NA")))).outcome is Outcome.NO_DATA


@pytest.mark.parametrize("year", [*NOT_YEARS, ""])
def test_a_wave_that_is_not_a_year_is_rejected(year: str, visit: Visit) -> None:
    answer = only(visit(table(row(0.5, year=year), row(0.9, "KAZ"))))
    assert values(answer) == [("KAZ", 2024, 90.0)]
    assert "is not a year" in reasons(answer)[0]


def test_groups_of_the_bank_are_left_out_and_unknown_economies_are_rejected(visit: Visit) -> None:
    answer = only(visit(table(row(0.5, "ECA", region="NA"), row(0.5, "NRN"), row(0.9, "KAZ"))))
    assert (values(answer), reasons(answer)) == ([("KAZ", 2024, 90.0)], ["unknown area NRN"])


@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html>", b"{}", b"PK\x03\x04\xff\xfe", HEADER.encode()])
def test_a_body_that_is_not_a_table_is_refused_or_has_no_data(body: bytes, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN_ID)
    assert all(kept.refused for kept in fetched.bodies)


@pytest.mark.parametrize("status", [*STATUSES, 404])
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), ANY, WOMEN)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([ANY, WOMEN], provider("findex", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(table(row("x"), row(0.9, "KAZ"))))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


@cache
def real(reference: Path) -> pl.DataFrame:
    return parse((reference / "world_bank" / "raw" / "GlobalFindexDatabase2025.csv").read_bytes(), 2025)


@pytest.mark.parametrize(
    ("column", "file"), [("account_t_d", "FX.OWN.TOTL.ZS.csv"), ("mobileaccount_t_d", "mobileaccount.t.d.csv")]
)
def test_the_real_file_has_exactly_the_tidy_figures(column: str, file: str, reference: Path) -> None:
    tidy = pl.read_csv(reference / "world_bank" / file, schema_overrides={"year": pl.Int32, "value": pl.Float64})
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    figures = observations_of(real(reference), column, "0" * 64, areas, Window(1960, 2026))
    key = ["iso3", "year"]
    assert figures.filter(pl.col("reason").is_null()).select(*key, "value").sort(key).equals(tidy.sort(key))


def test_every_link_of_the_catalogue_names_a_cut_of_the_real_file(reference: Path) -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "findex"]
    assert links
    areas = Areas(frozenset(real(reference)["codewb"]), frozenset(), {}, {})
    for code in {code for link in links for code in (link.code, link.over) if code}:
        try:
            assert observations_of(real(reference), code, "0" * 64, areas, Window(1960, 2026)).height > 100, code
        except (
            UnusableResponse
        ) as refusal:  # the copy has 35 of the columns, none on digital payments, phones or internet use
            assert code in ("g20_any", "con1", "internet") and refusal.reason == f"the column {code} is missing"
