"""The Quality of Government mirror against tables on loopback, and the real surveys with its years."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.catalogue import load_catalogue
from sources.http.bodies import Body
from sources.observation import Areas
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.qog import PUBLIC_BASE, fetch, observations_of, parse
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import AREAS, NOT_NUMBERS, STATUSES, WINDOW, only, provider, reasons, serve, values

OSI, EGDI = SeriesRequest("egov_osi"), SeriesRequest("egov_egov")
HEADER = "ccode,cname,ccodealp,year,egov_egov,egov_osi,wdi_pop"
Visit = Callable[..., Fetched]


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


GOOD = table("860,Uzbekistan,UZB,2023,0.8,0.7,1", "860,Uzbekistan,UZB,2022,,,1", "860,Uzbekistan,UZB,2021,0.6,0.5,1")


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(body: Any, *requests: SeriesRequest, release: str = "jan26", content_type: str = "text/csv") -> Fetched:
        serve(httpserver, {f"/qog_std_ts_{release}.csv": body}, content_type=content_type)
        base = httpserver.url_for("")
        return fetch(list(requests or (OSI,)), provider("qog", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def test_a_survey_is_dated_with_its_own_year(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(GOOD, OSI, EGDI)
    assert values(fetched.answers[OSI]) == [("UZB", 2022, 0.5), ("UZB", 2024, 0.7)]
    assert values(fetched.answers[EGDI]) == [("UZB", 2022, 0.6), ("UZB", 2024, 0.8)]
    assert len(httpserver.log) == 1
    assert fetched.answers[OSI].source_url == f"{PUBLIC_BASE}/qog_std_ts_jan26.csv"


def test_an_older_release_is_used_if_no_newer_one_exists(visit: Visit) -> None:
    assert only(visit(GOOD, release="jan25")).release == "Quality of Government, January 2025"


def test_a_figure_in_a_year_without_a_survey_is_rejected(visit: Visit) -> None:
    answer = only(visit(table("860,Uzbekistan,UZB,2024,0.8,0.7,1", "398,Kazakhstan,KAZ,2023,0.9,0.8,1")))
    assert values(answer) == [("KAZ", 2024, 0.8)]
    assert "2025 is no year of a survey" in reasons(answer)[0]


@pytest.mark.parametrize("name", ["ccodealp", "year", "egov_osi"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    answer = only(visit(GOOD.replace(name.encode(), b"renamed", 1)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


@pytest.mark.parametrize("sent", [f'"{each}"' for each in NOT_NUMBERS])
def test_a_value_that_is_not_a_number_is_rejected_under_the_surveys_year(sent: str, visit: Visit) -> None:
    answer = only(visit(table(f"860,Uzbekistan,UZB,2023,0.8,{sent},1", "398,Kazakhstan,KAZ,2023,0.9,0.8,1")))
    assert values(answer) == [("KAZ", 2024, 0.8)]
    assert answer.rejects.select("iso3", "year").rows() == [("UZB", 2024)]


def test_unknown_economies_and_invalid_years_are_rejected(visit: Visit) -> None:
    answer = only(visit(table("1,Narnia,NRN,2023,0.8,0.7,1", "2,X,UZB,2023Q4,0.8,0.7,1", "398,K,KAZ,2023,0.9,0.8,1")))
    assert values(answer) == [("KAZ", 2024, 0.8)]
    assert reasons(answer) == ["unknown area NRN", "the period 2023Q4 is not a year"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), OSI, EGDI)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        b"PK\x03\x04\xff\xfe",
        GOOD[:-20],
        GOOD + b"1,X,UZB,2019,0.1,0.2,1,1,1\n",
        GOOD + b'"open,1\n',
    ],
)
def test_a_body_that_is_not_a_table_is_refused(body: bytes, visit: Visit) -> None:
    fetched = visit(body)
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert all(kept.refused for kept in fetched.bodies)


def test_names_with_bytes_of_another_encoding_are_accepted(visit: Visit) -> None:
    fetched = visit(table("384,C\u00f4te,CIV,2023,0.1,0.1,1", "398,K,KAZ,2023,0.9,0.8,1").decode().encode("latin-1"))
    assert values(only(fetched)) == [("KAZ", 2024, 0.8)]


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([OSI, EGDI], provider("qog", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2


def test_the_real_surveys_are_read_from_the_column_of_the_year_before(reference: Path) -> None:
    tidy = pl.read_csv(reference / "egdi" / "egdi.csv", schema_overrides={"value": pl.Float64, "year": pl.Int32})
    surveyed = tidy.filter((pl.col("metric") == "OSI") & (pl.col("year") >= 2010))
    mirrored = surveyed.select(pl.col("iso3").alias("ccodealp"), pl.col("year") - 1, pl.col("value").alias("egov_osi"))
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    figures = observations_of(
        parse(Body(mirrored.write_csv().encode()), ["egov_osi"]), "egov_osi", "0" * 64, areas, Window(2010, 2026)
    )
    key = ["iso3", "year"]
    assert figures.select(*key, "value").sort(key).equals(surveyed.select(*key, "value").sort(key))


def test_every_link_of_the_catalogue_requests_a_series_of_the_survey() -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "qog"]
    series = {"egov_egov", "egov_osi", "egov_hci", "egov_tii", "egov_epar"}
    assert {link.code for link in links} == series
    assert all(not link.options for link in links)
