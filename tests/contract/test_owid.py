"""The Our World in Data adapter against charts on loopback, and a recorded table of the site."""

from __future__ import annotations

import json
from collections.abc import Callable
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
from sources.providers.owid import PUBLIC_BASE, fetch, observations_of, parse
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
    requests_to,
    serve,
    values,
)

SLUG = "mobile-coverage"
CSV, METADATA = f"/grapher/{SLUG}.csv", f"/grapher/{SLUG}.metadata.json"
FOUR = SeriesRequest("it_mob_4gntwk", (("slug", SLUG), ("unit", "%,percent")))
THREE = SeriesRequest("it_mob_3gntwk", (("slug", SLUG), ("unit", "%,percent")))
HEADER = "entity,code,year,it_mob_4gntwk,it_mob_3gntwk"
Visit = Callable[..., Fetched]


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def metadata(unit: str = "%") -> dict[str, Any]:
    columns = {"4G": {"shortName": FOUR.code, "unit": unit, "lastUpdated": "2025-10-29"}}
    return {"chart": {"title": "made up"}, "columns": columns}


GOOD = table("Uzbekistan,UZB,2023,40.5,60", "World,OWID_WRL,2023,80,90")


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(data: Any, *requests: SeriesRequest, stated: Any = None, content_type: str = "text/csv") -> Fetched:
        serve(httpserver, {METADATA: metadata() if stated is None else stated})
        serve(httpserver, {CSV: data}, content_type=content_type)
        base = httpserver.url_for("/grapher")
        return fetch(list(requests or (FOUR,)), provider("owid", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


# Requests


def test_columns_of_one_chart_share_one_download(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(GOOD, FOUR, THREE)
    assert values(fetched.answers[FOUR]) == [("UZB", 2023, 40.5), ("WLD", 2023, 80.0)]
    assert values(fetched.answers[THREE]) == [("UZB", 2023, 60.0), ("WLD", 2023, 90.0)]
    assert len(requests_to(httpserver, METADATA)) == 1
    (request,) = requests_to(httpserver, CSV)
    assert dict(request.args) == {"v": "1", "csvType": "full", "useColumnShortNames": "true"}
    assert "carec-digital-scorecard" in request.headers["User-Agent"]


def test_a_series_is_cited_by_its_chart_and_dated(visit: Visit) -> None:
    answer = only(visit(GOOD))
    assert (answer.source_url, answer.release) == (f"{PUBLIC_BASE}/{SLUG}", "Our World in Data 2025-10-29")


@pytest.mark.parametrize("stated", [Response("no", status=500), b"<html>", [1], {"columns": 7}])
def test_figures_without_metadata_are_read_with_the_date_of_the_file(stated: Any, visit: Visit) -> None:
    reply = Response(GOOD, content_type="text/csv", headers={"Last-Modified": "Wed, 29 Oct 2025 10:00:00 GMT"})
    answer = only(visit(reply, stated=stated))
    assert (answer.outcome, answer.release) == (Outcome.OK, "Our World in Data 2025-10-29")


# Headers


@pytest.mark.parametrize(
    "header",
    [
        "Entity,Code,Year,it_mob_4gntwk,it_mob_3gntwk",
        "\ufeffentity,code,year,it_mob_4gntwk,it_mob_3gntwk",
        '"entity","code","year","it_mob_4gntwk","it_mob_3gntwk"',
    ],
)
def test_different_spellings_of_the_header_are_accepted(header: str, visit: Visit) -> None:
    assert values(only(visit(table("Uzbekistan,UZB,2023,40.5,60", header=header)))) == [("UZB", 2023, 40.5)]


def test_columns_are_found_by_name(visit: Visit) -> None:
    other = table("60,World regions,UZB,40.5,2023,Uzbekistan", header="x,region,code,it_mob_4gntwk,year,entity")
    assert values(only(visit(other))) == [("UZB", 2023, 40.5)]


@pytest.mark.parametrize("name", ["entity", "code", "year", "it_mob_4gntwk"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    answer = only(visit(GOOD.replace(name.encode(), b"renamed", 1)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


def test_a_missing_column_does_not_affect_other_columns(visit: Visit) -> None:
    gone = SeriesRequest("it_mob_5gntwk", FOUR.options)
    fetched = visit(GOOD, FOUR, gone)
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.UNAVAILABLE]
    assert fetched.bodies[-1].refused is None


def test_a_share_instead_of_a_percentage_is_rejected(visit: Visit) -> None:
    fetched = visit(GOOD, stated=metadata("proportion"))
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "proportion" in (only(fetched).reason or "")
    assert "proportion" in (fetched.bodies[-1].refused or "")


@pytest.mark.parametrize("unit", ["%", "% of population", "Percentage", ""])
def test_a_percentage_is_recognised_by_its_unit(unit: str, visit: Visit) -> None:
    assert only(visit(GOOD, stated=metadata(unit))).outcome is Outcome.OK


# Values, periods, areas


@pytest.mark.parametrize("sent", [each for each in NOT_NUMBERS if "," not in each] + ['"12,5"'])
def test_a_value_that_is_not_a_number_is_rejected_with_its_reason(sent: str, visit: Visit) -> None:
    fetched = visit(table(f"Uzbekistan,UZB,2023,{sent},1", "Kazakhstan,KAZ,2023,3,1"))
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2023, 3.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], reject["raw_sha256"]) == ("UZB", 2023, fetched.bodies[-1].sha256)
    assert "is not a number" in reject["reason"]
    assert json.loads(reject["raw_record"])["it_mob_4gntwk"] == sent.strip('"')


@pytest.mark.parametrize("year", [*NOT_YEARS, ""])
def test_a_period_that_is_not_a_year_is_rejected(year: str, visit: Visit) -> None:
    answer = only(visit(table(f"Uzbekistan,UZB,{year},4,1", "Kazakhstan,KAZ,2023,3,1")))
    assert "is not a year" in reasons(answer)[0]
    assert answer.records.height == 1


def test_empty_cells_make_no_record(visit: Visit) -> None:
    answer = only(visit(table("Uzbekistan,UZB,2023,,60", "Kazakhstan,KAZ,2023,3,1", "Kazakhstan,KAZ,1990,3,1")))
    assert (values(answer), answer.rejects.height) == ([("KAZ", 2023, 3.0)], 0)


def test_a_column_of_empty_cells_means_no_data(visit: Visit) -> None:
    assert only(visit(table("Uzbekistan,UZB,2023,,60"))).outcome is Outcome.NO_DATA


def test_groupings_of_the_site_are_left_out_and_unknown_countries_are_rejected(visit: Visit) -> None:
    rows = ["Europe (UN),,2023,9,9", "Europe,OWID_EUR,2023,9,9", "East Asia,WB_EAP,2023,9,9", "Narnia,NRN,2023,9,9"]
    answer = only(visit(table(*rows, "Kosovo,OWID_KOS,2023,8,8", "Uzbekistan,UZB,2023,4,1")))
    assert values(answer) == [("UZB", 2023, 4.0), ("XKX", 2023, 8.0)]
    assert reasons(answer) == ["unknown area NRN"]


def test_a_table_without_any_country_is_refused(visit: Visit) -> None:
    answer = only(visit(table("Uzbekistan,,2023,4,1", "Kazakhstan,,2023,4,1")))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, "no country's code is in the table")


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(table("Uzbekistan,UZB,2023,4,1", "Kazakhstan,KAZ,2023,-,1")))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


# Unusable bodies


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>", "markup"),
        (b'{"error": "no"}', "are missing"),
        (b"entity,code,year\na,b,c,d,e\n", "not a readable CSV"),
        (b"PK\x03\x04\xff\xfe", "are missing"),
        (HEADER.encode(), "no country"),
    ],
)
def test_a_body_that_is_not_a_table_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.refused] == ([body] if body else [])


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), FOUR, THREE)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert all(str(status) in (answer.reason or "") for answer in fetched.answers.values())


def test_a_chart_that_does_not_exist_is_an_unknown_id(visit: Visit) -> None:
    assert only(visit(Response("no", status=404))).outcome is Outcome.UNKNOWN_ID


def test_a_page_declared_as_html_is_refused(visit: Visit) -> None:
    assert only(visit(GOOD, content_type="text/html")).outcome is Outcome.UNAVAILABLE


def test_names_in_another_encoding_are_accepted() -> None:
    for encoding in ("latin-1", "utf-8", "utf-8-sig"):
        assert parse(table("Türkiye,TUR,2023,1,2").decode().encode(encoding)).height == 1


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([FOUR, THREE], provider("owid", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2
    assert fetched.bodies == []


def test_every_link_of_the_catalogue_names_a_chart_and_a_unit() -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "owid"]
    assert links
    for link in links:
        assert set(link.options) == {"slug", "unit"}, link
        assert "," not in str(link.options["slug"])
        assert str(link.options["unit"]) == str(link.options["unit"]).lower()


# A recorded table of the site


@pytest.mark.parametrize("generation", ["2g", "3g", "4g"])
def test_a_recorded_table_holds_the_figures_of_the_tidy_copy(generation: str, reference: Path) -> None:
    raw = reference / "itu" / "raw" / "population-covered-by-mobile-network-by-network-capability.csv"
    tidy = pl.read_csv(
        reference / "itu" / f"IT_MOB_{generation.upper()}NTWK.csv",
        schema_overrides={"year": pl.Int32, "value": pl.Float64},
    )
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    figures = observations_of(
        parse(raw.read_bytes()), f"_9_c_1__it_mob_{generation}ntwk", "0" * 64, areas, Window(1960, 2026)
    )
    assert figures["reason"].null_count() == figures.height == tidy.height > 1800
    key = ["iso3", "year"]
    assert figures.select(*key, "value").sort(key).equals(tidy.sort(key))


def test_a_recorded_table_that_ends_in_its_header_is_refused(reference: Path) -> None:
    raw = reference / "itu" / "raw" / "population-covered-by-mobile-network-by-network-capability.csv"
    body = raw.read_bytes()
    for end in range(0, 80, 7):
        with pytest.raises(UnusableResponse):
            parse(body[:end])
