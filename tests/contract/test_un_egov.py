"""The e-government adapter against tables and pages on loopback, and published tables of the UN."""

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
from sources.providers.un_egov import COLUMNS, LABELS, PUBLIC_BASE, fetch, observations_of, parse, parse_page, surveys
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import (
    AREAS,
    NOT_NUMBERS,
    STATUSES,
    only,
    provider,
    reasons,
    requests_to,
    serve,
    values,
)

WINDOW = Window(2022, 2026)
KNOWN = Areas(AREAS.economies | {"TUR", "CIV"}, AREAS.aggregates, {}, {}, members=frozenset({"KAZ", "UZB"}))
HEADER = (
    "Survey Year,Country Name,E-Government Rank,E-Government Index,E-Participation Rank,E-Participation Index,"
    "Online Service Index,Human Capital Index,Telecommunication Infrastructure Index"
)
OSI = SeriesRequest("OSI", (("column", "Online Service Index"),))
EGDI = SeriesRequest("EGDI", (("column", "E-Government Index"),))
RANK = SeriesRequest("rank", (("column", "E-Government Rank"),))
Visit = Callable[..., Fetched]


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def row(name: str = '"Uzbekistan "', survey: Any = 2024, osi: Any = 0.7) -> str:
    return f"{survey},{name},63,0.8,40,0.5,{osi},0.6,0.9"


GOOD = table(row(), row("Kazakhstan", osi=0.9))


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(routes: dict[int, Any] | Any, *requests: SeriesRequest, content_type: str = "text/csv") -> Fetched:
        files = routes if isinstance(routes, dict) else {2024: routes}
        serve(httpserver, {f"/EGOV_DATA_{survey}.csv": body for survey, body in files.items()}, content_type)
        base = httpserver.url_for("")
        return fetch(list(requests or (OSI,)), provider("un_egov", base), KNOWN, WINDOW, PatientHttp(tries=2))

    return ask


# The surveys' tables


def test_every_survey_is_requested_once_and_they_form_one_series(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit({2024: GOOD, 2022: table(row(survey=2022, osi=0.5))}, OSI, EGDI, RANK)
    assert values(fetched.answers[OSI]) == [("KAZ", 2024, 0.9), ("UZB", 2022, 0.5), ("UZB", 2024, 0.7)]
    assert values(fetched.answers[RANK])[-1] == ("UZB", 2024, 63.0)
    assert sorted(request.path for request, _ in httpserver.log) == [f"/EGOV_DATA_{y}.csv" for y in (2022, 2024, 2026)]
    assert fetched.answers[EGDI].source_url == f"{PUBLIC_BASE}/EGOV_DATA_2024.csv"


def test_surveys_were_yearly_first_and_are_biennial_now() -> None:
    assert surveys(Window(2003, 2013)) == [2003, 2004, 2005, 2008, 2010, 2012]
    assert surveys(Window(2010, 2014)) == [2010, 2012, 2014]


def test_the_release_is_the_date_of_the_last_change_of_the_newest_file(visit: Visit) -> None:
    reply = Response(GOOD, content_type="text/csv", headers={"Last-Modified": "Tue, 17 Sep 2024 10:00:00 GMT"})
    assert only(visit(reply)).release == "E-Government Survey 2024, file of 2024-09-17"


@pytest.mark.parametrize(
    "header",
    [
        f"\ufeff{HEADER}",
        "Survey Year,Country,Rank,E_Index,EPR,E_Participation,Online_Service,Human_Capital,Tele_Infra",
        HEADER.upper(),
        "Year,Country,EGDI Rank,EGDI,EPI Rank,EPI,OSI,HCI,TII",
        "Survey Year,Country Name,E-Government Development Rank,E-Government Development Index (EGDI),"
        "E-Participation Rank,E-Participation Index (EPI),Online Service Index (OSI),Human Capital Index (HCI),"
        "Telecommunication Infrastructure Index (TII)",
    ],
)
def test_different_spellings_of_the_header_are_accepted(header: str, visit: Visit) -> None:
    assert values(only(visit(table(row(), header=header)))) == [("UZB", 2024, 0.7)]


def test_columns_are_found_by_name_and_added_ones_ignored(visit: Visit) -> None:
    body = table(
        "Asia,0.7,Uzbekistan,0.8,2024", header="Region,Online Service Index,Country Name,E-Government Index,Survey Year"
    )
    assert values(only(visit(body))) == [("UZB", 2024, 0.7)]


@pytest.mark.parametrize("name", ["Survey Year", "Country Name", "Online Service Index"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    fetched = visit(GOOD.replace(name.encode(), b"Renamed", 1))
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (only(fetched).reason or "")


def test_a_missing_column_does_not_affect_other_columns(visit: Visit) -> None:
    fetched = visit(GOOD.replace(b"Online Service Index", b"Renamed", 1), OSI, EGDI)
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE, Outcome.OK]
    assert [body.refused for body in fetched.bodies if body.status == 200] == [None]


def test_the_file_of_the_previous_survey_under_the_name_of_this_one_is_refused(visit: Visit) -> None:
    fetched = visit({2026: GOOD, 2024: GOOD})
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "of 2024, not of 2026" in (only(fetched).reason or "")


def test_a_row_of_another_survey_is_rejected(visit: Visit) -> None:
    answer = only(visit(table(row(), row("Kyrgyzstan"), row("Kazakhstan", survey=2022))))
    assert values(answer) == [("KGZ", 2024, 0.7), ("UZB", 2024, 0.7)]
    assert reasons(answer) == ["a row of the survey of 2022 in the file of 2024"]


@pytest.mark.parametrize("survey", ["2023Q4", "", "24"])
def test_a_row_with_an_invalid_survey_year_is_rejected(survey: str, visit: Visit) -> None:
    answer = only(visit(table(row(), row("Kyrgyzstan"), row("Kazakhstan", survey=survey))))
    assert [iso3 for iso3, _, _ in values(answer)] == ["KGZ", "UZB"]
    assert answer.rejects.height == 1


def test_the_overall_index_under_the_name_of_a_part_is_refused(visit: Visit) -> None:
    fetched = visit(table(row(osi=0.8), row("Kazakhstan", osi="0.80000")), OSI, EGDI)
    assert fetched.answers[OSI].outcome is Outcome.UNAVAILABLE
    assert "repeats the E-Government Index" in (fetched.answers[OSI].reason or "")
    assert fetched.answers[EGDI].outcome is Outcome.OK


def test_an_unknown_column_is_an_unknown_id(visit: Visit) -> None:
    assert only(visit(GOOD, SeriesRequest("X", (("column", "Happiness Index"),)))).outcome is Outcome.UNKNOWN_ID


@pytest.mark.parametrize("name", ["Türkiye", "TÃ¼rkiye", "Turkiye", "Turkey", "T?rkiye", "T\ufffdrkiye"])
def test_a_country_is_recognised_by_each_of_its_names_in_any_encoding(name: str, visit: Visit) -> None:
    assert values(only(visit(table(row(name))))) == [("TUR", 2024, 0.7)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_the_encoding_of_the_file_is_recognised(encoding: str, visit: Visit) -> None:
    body = table(row("Côte d'Ivoire"), row()).decode().encode(encoding)
    assert values(only(visit(body))) == [("CIV", 2024, 0.7), ("UZB", 2024, 0.7)]


def test_an_unknown_name_is_rejected_not_guessed(visit: Visit) -> None:
    answer = only(visit(table(row("Narnia"), row())))
    assert (values(answer), reasons(answer)) == ([("UZB", 2024, 0.7)], ["unknown area Narnia"])


@pytest.mark.parametrize("sent", [f'"{each}"' for each in NOT_NUMBERS])
def test_a_value_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    answer = only(visit(table(row(osi=sent), row("Kazakhstan", osi=0.9))))
    assert values(answer) == [("KAZ", 2024, 0.9)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"]) == ("UZB", 2024)
    assert json.loads(reject["raw_record"])["Online Service Index"] == sent.strip('"')


def test_empty_cells_make_no_record(visit: Visit) -> None:
    answer = only(visit(table(row(osi=""), row("Kazakhstan", osi=0.9))))
    assert (values(answer), answer.rejects.height) == ([("KAZ", 2024, 0.9)], 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"{}", "are missing"),
        (b"PK\x03\x04\xff\xfe", "are missing"),
        (HEADER.encode(), "no stated edition"),
    ],
)
def test_a_body_that_is_not_a_table_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.status == 200] == ([body] if body else [])
    assert all(kept.refused for kept in fetched.bodies)


@pytest.mark.parametrize("status", STATUSES)
def test_one_survey_that_fails_makes_the_series_unavailable(status: int, visit: Visit) -> None:
    absent = status in (403, 404)
    answer = only(visit({2024: GOOD, 2022: Response("no", status=status)}))
    assert answer.outcome is (Outcome.OK if absent else Outcome.UNAVAILABLE)


def test_an_html_page_in_place_of_every_file_is_unavailable(visit: Visit) -> None:
    page = Response("<!DOCTYPE html><title>Data Center", content_type="text/html")
    fetched = visit({2022: page, 2024: page, 2026: page})
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert [body.refused for body in fetched.bodies] == ["there is no such edition"] * 3


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([OSI, PAGES_OSI], provider("un_egov", base), KNOWN, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2
    assert fetched.bodies == []


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(table(row(osi="-"), row("Kazakhstan"))))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


# The country pages

PAGES_OSI = SeriesRequest("OSI", (("column", "Online Service Index"), ("pages", True)))
PAGES_EGDI = SeriesRequest("EGDI", (("column", "E-Government Index"), ("pages", True)))
CENTRE = b"""<html><a href="/egovkb/en-us/Data/Country-Information/id/188-Uzbekistan">Uzbekistan</a>
<a href='/egovkb/en-us/Data/Country-Information/id/87-Kazakhstan'>K</a>
<a href="/en-us/Data/Country-Information/id/1-Narnia">"""


def history(label: str, values: str, years: str = "2024 2022", rank: str = "") -> str:
    cells = "".join(f"<th>{year}</th>" for year in years.split())
    row = "".join(f"<td> {value}</td>" for value in values.split())
    return (
        f"<p>About the {label}.</p><h3>{label}</h3><table><tr>{cells}</tr>{rank}<tr><td>(Value)</td>{row}</tr></table>"
    )


def page(osi: str = "0.7 0.5", egdi: str = "0.8 0.6") -> bytes:
    ranks = "<tr><td>(Rank)</td><td>63</td><td>69</td></tr>"
    parts = [history("E-Government Development Index", egdi, rank=ranks), history("Online Service Index", osi)]
    return f"<html><body>&nbsp;{' '.join(parts)}</body></html>".encode()


@pytest.fixture
def read_pages(httpserver: HTTPServer) -> Visit:
    def ask(uzb: Any, kaz: Any = None, *requests: SeriesRequest, centre: Any = CENTRE) -> Fetched:
        folder = "/en-us/Data/Country-Information/id"
        routes = {f"{folder}/188-Uzbekistan": uzb, f"{folder}/87-Kazakhstan": page() if kaz is None else kaz}
        serve(httpserver, {"/en-us/Data-Center": centre, **routes}, content_type="text/html; charset=utf-8")
        base = httpserver.url_for("")
        return fetch(list(requests or (PAGES_OSI,)), provider("un_egov", base), KNOWN, WINDOW, PatientHttp(tries=2))

    return ask


def test_pages_of_members_are_found_in_the_data_centre_and_requested_once(
    read_pages: Visit, httpserver: HTTPServer
) -> None:
    fetched = read_pages(page(), page(osi="0.9 0.4"), PAGES_OSI, PAGES_EGDI)
    assert values(fetched.answers[PAGES_OSI]) == [
        ("KAZ", 2022, 0.4),
        ("KAZ", 2024, 0.9),
        ("UZB", 2022, 0.5),
        ("UZB", 2024, 0.7),
    ]
    assert values(fetched.answers[PAGES_EGDI])[-1] == ("UZB", 2024, 0.8)
    assert len(httpserver.log) == 3
    assert len(requests_to(httpserver, "/en-us/Data-Center")) == 1


def test_a_history_with_fewer_values_than_years_is_refused(read_pages: Visit) -> None:
    answer = only(read_pages(page(osi="0.7")))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "Online Service Index has not as many values" in (answer.reason or "")


def test_values_of_the_next_measure_are_not_used_for_a_missing_row() -> None:
    gone = page().replace(b"(Value)", b"(Worth)", 1)
    with pytest.raises(UnusableResponse, match="E-Government Development Index has not as many values"):
        parse_page(gone, "E-Government Development Index")
    assert parse_page(gone, "Online Service Index").rows() == [("2024", "0.7"), ("2022", "0.5")]


@pytest.mark.parametrize("sent", ["-", "N/A", "<5", "0,5", "NaN"])
def test_an_invalid_value_in_a_history_does_not_affect_the_others(sent: str, read_pages: Visit) -> None:
    answer = only(read_pages(page(osi=f"{sent} 0.5".replace("<", "&lt;"))))
    assert ("UZB", 2022, 0.5) in values(answer)
    assert [reject[:2] for reject in answer.rejects.select("iso3", "year").rows()] == [("UZB", 2024)]


def test_a_page_without_the_history_is_refused_with_its_name(read_pages: Visit) -> None:
    answer = only(read_pages(b"<html><title>Please wait</title>"))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "no history of the Online Service Index" in (answer.reason or "")


def test_one_page_that_fails_makes_the_series_unavailable(read_pages: Visit) -> None:
    assert only(read_pages(page(), Response("no", status=503))).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("centre", [b"<html>nothing</html>", CENTRE.replace(b"188-Uzbekistan", b"x"), b"", b"{}"])
def test_a_data_centre_without_the_links_is_refused(centre: bytes, read_pages: Visit, httpserver: HTTPServer) -> None:
    assert only(read_pages(page(), centre=centre)).outcome is Outcome.UNAVAILABLE
    assert len(httpserver.log) == 1


def test_the_pages_provide_no_rank(read_pages: Visit) -> None:
    request = SeriesRequest("rank", (("column", "E-Government Rank"), ("pages", True)))
    assert only(read_pages(page(), page(), request)).outcome is Outcome.UNKNOWN_ID


# Published tables of the UN


METRICS = dict(zip(("rank", "EGDI", "EPI", "OSI", "HCI", "TII"), COLUMNS, strict=True))
FILES = [f"EGOV_DATA_{survey}.csv" for survey in (2003, 2004, 2005, 2008, 2010, 2012, 2014, 2016, 2020, 2022)]


@pytest.mark.parametrize("file", [*FILES, "EGOV_DATA_2024_MaryliaCruzS.csv"])
def test_a_real_table_has_exactly_the_tidy_figures(file: str, reference: Path) -> None:
    survey = int(file[10:14])
    tidy = pl.read_csv(reference / "egdi" / "egdi.csv", schema_overrides={"value": pl.Float64, "year": pl.Int32})
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    rows = parse((reference / "egdi" / "raw" / file).read_bytes(), survey)
    assert rows.height == 193
    for metric, column in METRICS.items():
        figures = observations_of(rows, column, survey, "0" * 64, areas, Window(1960, 2026))
        expected = tidy.filter((pl.col("year") == survey) & (pl.col("metric") == metric))
        assert figures["reason"].null_count() == figures.height
        assert (
            figures.select("iso3", "year", "value")
            .sort("iso3")
            .equals(expected.select("iso3", "year", "value").sort("iso3"))
        )


def test_every_link_of_the_catalogue_names_a_column() -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "un_egov"]
    assert links
    for link in links:
        assert link.options["column"] in (LABELS if link.options.get("pages") else COLUMNS), link
        assert link.options.keys() <= {"column", "pages"}, link
