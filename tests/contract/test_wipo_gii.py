"""The WIPO adapter against files on loopback, and published workbooks of WIPO."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.catalogue import load_catalogue
from sources.http.conditional import RunHttp
from sources.observation import Areas
from sources.parsing.responses import UnusableResponse
from sources.provider import RECORD, SERIES_REJECT, Answer, Fetched, Outcome, SeriesRequest, Window
from sources.providers.wipo_gii import PUBLIC_BASE, RECORDS, fetch
from sources.providers.wipo_gii_files import parse_panel, parse_results, parse_workbook, workbook_observations
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import (
    AREAS,
    NOT_NUMBERS,
    NOT_YEARS,
    STATUSES,
    only,
    provider,
    reasons,
    requests_to,
    serve,
    values,
)
from tests.contract.workbooks import NOT_WORKBOOKS, XLSX, Formula, workbook
from tests.running import further

WINDOW = Window(2010, 2026)
SITE, BOOKS = "/gii-ranking/data", "/edocs/pubdocs/en"
SCORE = SeriesRequest("Index", (("column", "SCORE"), ("file", "model_pageone")))
RANK = SeriesRequest("Index", (("column", "RANK"), ("file", "model_pageone")))
RESULTS_SCORE = SeriesRequest("GII", (("column", "score"), ("file", "bc_results")))
RESULTS_RANK = SeriesRequest("GII", (("column", "rank"), ("file", "bc_results")))
HIGHTECH = SeriesRequest(
    "OUT.6.3.3", (("column", "value"), ("file", "workbook"), ("name", "High-tech exports, % total trade"))
)
BOOK_SCORE = SeriesRequest("GII", (("column", "score"), ("file", "workbook"), ("name", "Global Innovation Index")))
BOOK_RANK = SeriesRequest("GII", (("column", "rank"), ("file", "workbook"), ("name", "Global Innovation Index")))
Visit = Callable[..., Fetched]


def panel(*rows: str, header: str = "GIIYR,ISO3,CODE,SCORE,RANK") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


PANEL = panel("2025,UZB,Index,25.5,79", "2024,UZB,Index,24.5,83", "2025,KAZ,Index,25,81", "2025,UZB,P1,40,60")
RANKS = panel("UZB,83,79", "KAZ,,81", header="ISO3,GII24,GII25")


def results(*rows: str) -> bytes:
    return "\n".join(["v1,iso3,economy_name,income,score,rank,giiyr", *rows, ""]).encode()


RESULTS = results(
    '1,UZB,Uzbekistan,LM,"25,5",79,2025', '2,KAZ,Kazakhstan,UM,"25,25",81,2025', "3,KGZ,Kyrgyzstan,LM,20,99,NA"
)


def book(edition: int, *rows: tuple[str, str, float | None, Any, Any, Any], sheet: str = "Data") -> bytes:
    """Return a workbook in the format since 2022. Rows: iso3, name, data year, value, score, rank."""
    head = ["ISO3", "ECONOMY_NAME", "NUM", "NAME", "DATAYR", "VALUE_SCREEN", "SCORE", "RANK"]
    filler = ("KAZ", "Something, %", edition, 1, 1, 1)
    lines = [[iso3, "made up", "X", name, *rest] for iso3, name, *rest in (*rows, filler)]
    return workbook({"Index Structure": [["NUM", "NAME"]], sheet: [head, *lines]})


def hightech(iso3: str, year: Any, value: Any) -> tuple[str, str, Any, Any, Any, Any]:
    return (iso3, "High-tech exports, % total trade", year, value, 1.0, 1)


BOOK = book(2025, hightech("UZB", 2023, 1.25), ("UZB", "Global Innovation Index", None, None, 25.5, 79))


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    """Return a function that serves these bodies at these paths and requests series. Other paths give 404."""

    def ask(routes: dict[str, Any], *requests: SeriesRequest, content_type: str = "text/csv") -> Fetched:
        serve(httpserver, {path: body for path, body in routes.items() if ".csv" in path}, content_type=content_type)
        serve(httpserver, {path: body for path, body in routes.items() if ".xlsx" in path}, content_type=XLSX)
        base = httpserver.url_for("")
        return fetch(list(requests or (SCORE,)), provider("wipo_gii", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def panels(body: Any = PANEL, ranks: Any = RANKS) -> dict[str, Any]:
    return {f"{SITE}/model_pageone_2025.csv": body, f"{SITE}/economy_id_2025.csv": ranks}


# The panel


def test_the_search_for_the_newest_edition_begins_at_the_current_year(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(panels(), SCORE, RANK)
    assert values(fetched.answers[SCORE]) == [("KAZ", 2025, 25.0), ("UZB", 2024, 24.5), ("UZB", 2025, 25.5)]
    assert values(fetched.answers[RANK]) == [("KAZ", 2025, 81.0), ("UZB", 2024, 83.0), ("UZB", 2025, 79.0)]
    paths = [request.path for request, _ in httpserver.log if "model_pageone" in request.path]
    assert paths == [f"{SITE}/model_pageone_2026.csv", f"{SITE}/model_pageone_2025.csv"]
    assert (fetched.answers[SCORE].source_url, fetched.answers[SCORE].release) == (
        f"{PUBLIC_BASE}{SITE}/model_pageone_2025.csv",
        "GII 2025",
    )


def test_an_html_page_means_that_the_edition_does_not_exist(visit: Visit) -> None:
    shell = Response("<!DOCTYPE html><div id=app>", content_type="text/html")
    fetched = visit({**panels(), f"{SITE}/model_pageone_2026.csv": shell})
    assert only(fetched).outcome is Outcome.OK
    assert [body.refused for body in fetched.bodies if b"DOCTYPE" in body.content] == ["there is no such edition"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failing_edition_is_not_replaced_by_an_older_one(status: int, visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit({**panels(), f"{SITE}/model_pageone_2026.csv": Response("no", status=status)})
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert requests_to(httpserver, f"{SITE}/model_pageone_2025.csv") == []


def test_the_file_of_last_year_under_this_years_name_is_refused(visit: Visit) -> None:
    fetched = visit({f"{SITE}/model_pageone_2026.csv": PANEL})
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "of 2025, not of 2026" in (only(fetched).reason or "")
    assert "of 2025, not of 2026" in (fetched.bodies[0].refused or "")


def test_without_any_edition_the_series_is_unavailable(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit({})
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert "model_pageone_2026.csv" in (only(fetched).reason or "")
    assert len([1 for request, _ in httpserver.log if "model_pageone" in request.path]) == 4


@pytest.mark.parametrize("name", ["GIIYR", "ISO3", "CODE", "SCORE", "RANK"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    answer = only(visit(panels(PANEL.replace(name.encode(), b"RENAMED", 1))))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


def test_columns_are_found_by_name_and_added_ones_ignored(visit: Visit) -> None:
    body = panel("79,9,Index,UZB,25.5,2025", header="\ufeffRank,TOP,Code,iso3,score,GIIYR")
    assert values(only(visit(panels(body)))) == [("UZB", 2025, 25.5)]


def test_a_rank_that_differs_from_the_list_of_ranks_is_rejected_with_its_score(visit: Visit) -> None:
    fetched = visit(panels(panel("2025,UZB,Index,25.5,48", "2025,KAZ,Index,25,81")), SCORE, RANK)
    for request in (SCORE, RANK):
        answer = fetched.answers[request]
        assert [iso3 for iso3, _, _ in values(answer)] == ["KAZ"]
        assert reasons(answer) == ["the rank 48 is not that of WIPO's own list, 79"]


@pytest.mark.parametrize("ranks", [Response("no", status=500), b"<html>", b"a,b\n1,2\n"])
def test_figures_are_read_without_the_list_of_ranks(ranks: Any, visit: Visit) -> None:
    assert only(visit(panels(ranks=ranks))).records.height == 3


def test_the_list_of_ranks_does_not_affect_pillars(visit: Visit) -> None:
    pillar = SeriesRequest("P1", SCORE.options)
    assert values(only(visit(panels(), pillar))) == [("UZB", 2025, 40.0)]


def test_a_code_outside_the_panel_is_an_unknown_id(visit: Visit) -> None:
    fetched = visit(panels(), SCORE, SeriesRequest("Indexx", SCORE.options))
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.UNKNOWN_ID]


@pytest.mark.parametrize("sent", [f'"{each}"' for each in NOT_NUMBERS])
def test_a_score_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    answer = only(visit(panels(panel(f"2025,UZB,Index,{sent},79", "2025,KAZ,Index,25,81"))))
    assert values(answer) == [("KAZ", 2025, 25.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"]) == ("UZB", 2025)
    assert json.loads(reject["raw_record"])["SCORE"] == sent.strip('"')


@pytest.mark.parametrize("year", NOT_YEARS)
def test_an_edition_that_is_not_a_year_is_rejected(year: str, visit: Visit) -> None:
    answer = only(visit(panels(panel(f"{year},UZB,Index,25,79", "2025,KAZ,Index,25,81"))))
    assert values(answer) == [("KAZ", 2025, 25.0)]
    assert "is not a year" in reasons(answer)[0]


def test_unknown_economies_are_rejected_and_empty_cells_make_no_record(visit: Visit) -> None:
    answer = only(visit(panels(panel("2025,NRN,Index,25,79", "2025,UZB,Index,,", "2025,KAZ,Index,25,81"))))
    assert (values(answer), reasons(answer)) == ([("KAZ", 2025, 25.0)], ["unknown area NRN"])


def test_an_unknown_file_or_column_is_an_unknown_id(visit: Visit) -> None:
    file = SeriesRequest("Index", (("column", "SCORE"), ("file", "model_pagetwo")))
    column = SeriesRequest("Index", (("column", "VALUE"), ("file", "model_pageone")))
    fetched = visit(panels(), file, column)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNKNOWN_ID}


# Results of one edition


def test_results_may_have_a_decimal_comma_and_rows_without_an_edition(visit: Visit) -> None:
    fetched = visit({f"{SITE}/bc_results_gii_2025.csv": RESULTS}, RESULTS_SCORE, RESULTS_RANK)
    assert values(fetched.answers[RESULTS_SCORE]) == [("KAZ", 2025, 25.25), ("KGZ", 2025, 20.0), ("UZB", 2025, 25.5)]
    assert values(fetched.answers[RESULTS_RANK]) == [("KAZ", 2025, 81.0), ("KGZ", 2025, 99.0), ("UZB", 2025, 79.0)]
    assert fetched.answers[RESULTS_SCORE].rejects.is_empty()


def test_results_of_all_editions_form_one_series(visit: Visit, httpserver: HTTPServer) -> None:
    older = results('1,UZB,Uzbekistan,LM,"24,5",83,2024')
    fetched = visit(
        {f"{SITE}/bc_results_gii_2025.csv": RESULTS, f"{SITE}/bc_results_gii_2024.csv": older},
        RESULTS_SCORE,
        RESULTS_RANK,
    )
    assert ("UZB", 2024, 24.5) in values(fetched.answers[RESULTS_SCORE])
    assert fetched.answers[RESULTS_SCORE].records.height == 4
    paths = [request.path for request, _ in httpserver.log]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize("sent", ['"1.234,5"', '"12,5,1"', "-", "NaN", "<5"])
def test_a_score_with_more_than_one_comma_is_rejected(sent: str, visit: Visit) -> None:
    body = results(f"1,UZB,Uzbekistan,LM,{sent},79,2025", '2,KAZ,Kazakhstan,UM,"25,25",81,2025')
    answer = only(visit({f"{SITE}/bc_results_gii_2025.csv": body}, RESULTS_SCORE))
    assert values(answer) == [("KAZ", 2025, 25.25)]
    assert "is not a number" in reasons(answer)[0]


def test_a_row_of_another_edition_is_rejected_and_a_file_of_such_rows_is_refused(visit: Visit) -> None:
    mixed = RESULTS.replace(b"81,2025", b"81,2024")
    with pytest.raises(UnusableResponse, match="of 2024, not of 2025"):
        parse_results(mixed.replace(b"79,2025", b"79,2024"), 2025)
    more = mixed + b'4,AFG,Afghanistan,L,"10,5",130,2025\n5,XKX,Kosovo,UM,"10,5",131,2025\n'
    answer = only(visit({f"{SITE}/bc_results_gii_2025.csv": more}, RESULTS_SCORE))
    assert reasons(answer) == ["a row of the edition 2024 in the file of 2025"]


def test_an_edition_that_differs_from_its_name_makes_the_series_unavailable(visit: Visit) -> None:
    fetched = visit(
        {f"{SITE}/bc_results_gii_2025.csv": RESULTS, f"{SITE}/bc_results_gii_2024.csv": RESULTS}, RESULTS_SCORE
    )
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert "GII 2024" in (only(fetched).reason or "")
    assert all(body.refused for body in fetched.bodies)


# Workbooks


OLD, NEW = f"{BOOKS}/wipo-pub-2000-{{}}-tech1.xlsx", "wipo-pub-2000-{}-gii-tech1.xlsx"
RECORD_2025 = f"/record/{RECORDS[2025]}/files/{NEW.format(2025)}"
CHALLENGE = Response("", status=202)


@pytest.mark.parametrize("old", [None, Response("no", status=403), CHALLENGE, Response("no", status=503)])
def test_a_workbook_is_found_in_its_record_if_the_old_address_fails(old: Any, visit: Visit) -> None:
    routes = {RECORD_2025: BOOK} | ({OLD.format(2025): old} if old else {})
    assert values(only(visit(routes, BOOK_SCORE))) == [("UZB", 2025, 25.5)]


def test_a_workbook_may_have_its_newer_name_in_the_old_folder(visit: Visit) -> None:
    books = {f"{BOOKS}/{NEW.format(year)}": book(year, hightech("UZB", year, 1.25)) for year in (2026, 2024)}
    assert values(only(visit(books, HIGHTECH))) == [("UZB", 2024, 1.25), ("UZB", 2026, 1.25)]


def test_no_other_address_is_requested_if_the_old_one_has_the_workbook(visit: Visit, httpserver: HTTPServer) -> None:
    visit({OLD.format(2025): BOOK}, BOOK_SCORE)
    assert not requests_to(httpserver, RECORD_2025) and not requests_to(httpserver, f"{BOOKS}/{NEW.format(2025)}")


def test_records_are_requested_at_the_alternative_address(httpserver: HTTPServer) -> None:
    serve(httpserver, {f"/tind{RECORD_2025}": BOOK}, content_type=XLSX)
    both = provider("wipo_gii", httpserver.url_for("/www")).model_copy(
        update={"alternative_url": HttpUrl(httpserver.url_for("/tind"))}
    )
    assert values(only(fetch([BOOK_SCORE], both, AREAS, WINDOW, PatientHttp(tries=1)))) == [("UZB", 2025, 25.5)]


def test_a_workbook_that_is_blocked_at_all_addresses_is_blocked(visit: Visit) -> None:
    answer = only(visit({OLD.format(2025): CHALLENGE, RECORD_2025: CHALLENGE}, BOOK_SCORE))
    assert answer.outcome is Outcome.BLOCKED
    assert re.search(r"fetch \S+ with a browser and put it as wipo-pub-2000-2025-tech1.xlsx into", answer.reason or "")


def test_if_all_editions_are_refused_the_newest_is_named(visit: Visit) -> None:
    no = Response("no", status=403)
    answer = only(visit({f"{SITE}/model_pageone_{year}.csv": no for year in range(2020, 2027)}, SCORE))
    assert answer.outcome is Outcome.BLOCKED
    assert "put it as model_pageone_2026.csv into the local folder (CAREC_LOCAL_FILES)" in (answer.reason or "")


def test_a_refused_newest_edition_counts_as_not_yet_published(visit: Visit) -> None:
    answer = only(visit(panels() | {f"{SITE}/model_pageone_2026.csv": Response("no", status=403)}, SCORE))
    assert (answer.outcome, answer.release) == (Outcome.OK, "GII 2025")


@pytest.mark.parametrize("year", [2021, 2022, 2025])
@pytest.mark.parametrize("new", [False, True])
def test_an_operator_may_put_a_workbook_in_place_under_either_name(
    year: int, new: bool, httpserver: HTTPServer, tmp_path: Path
) -> None:
    serve(httpserver, {})
    old = "wipo_pub_2000-tech1.xlsx" if year == 2021 else f"wipo-pub-2000-{year}-tech1.xlsx"
    sheet = "GII 2021 Data" if year == 2021 else "Data"
    (tmp_path / (NEW.format(year) if new else old)).write_bytes(book(year, hightech("UZB", year, 1.5), sheet=sheet))
    with RunHttp(cache=Nothing(), local_files=tmp_path, tries=1) as http:
        answer = only(fetch([HIGHTECH], provider("wipo_gii", httpserver.url_for("")), AREAS, WINDOW, http))
    assert values(answer) == [("UZB", year, 1.5)]
    assert (answer.release or "").startswith(f"GII {year}, file of ")
    assert (answer.release or "").endswith(", put in place by the operator")


class Nothing:
    """A warehouse without stored responses."""

    def last(self, url: str) -> None:
        return None


def test_a_workbook_is_requested_once_for_scores_ranks_and_values(visit: Visit, httpserver: HTTPServer) -> None:
    path = f"{BOOKS}/wipo-pub-2000-2025-tech1.xlsx"
    fetched = visit({path: BOOK}, HIGHTECH, BOOK_SCORE, BOOK_RANK)
    assert values(fetched.answers[HIGHTECH]) == [("UZB", 2023, 1.25)]
    assert values(fetched.answers[BOOK_SCORE]) == [("UZB", 2025, 25.5)]
    assert values(fetched.answers[BOOK_RANK]) == [("UZB", 2025, 79.0)]
    assert len(requests_to(httpserver, path)) == 1
    assert (fetched.answers[HIGHTECH].source_url, fetched.answers[HIGHTECH].release) == (PUBLIC_BASE + path, "GII 2025")
    assert set(fetched.answers[HIGHTECH].records["raw_sha256"]) == {
        kept.sha256 for kept in fetched.bodies if not kept.refused
    }


def books(**editions: bytes) -> dict[str, Any]:
    return {f"{BOOKS}/wipo-pub-2000-{edition[1:]}-tech1.xlsx": body for edition, body in editions.items()}


def test_a_data_year_is_read_from_the_newest_edition_that_has_it(visit: Visit) -> None:
    old = book(2024, hightech("UZB", 2023, 9.0), hightech("UZB", 2022, 8.0), hightech("KAZ", 2023, 7.0))
    fetched = visit(books(_2025=BOOK, _2024=old), HIGHTECH)
    assert values(only(fetched)) == [("KAZ", 2023, 7.0), ("UZB", 2022, 8.0), ("UZB", 2023, 1.25)]
    shas = dict(only(fetched).records.select(pl.struct("iso3", "year").struct.json_encode(), "raw_sha256").rows())
    assert len(set(shas.values())) == 2


def test_two_figures_of_one_edition_both_reach_the_contract(visit: Visit) -> None:
    twice = book(2025, hightech("UZB", 2023, 1.0), hightech("UZB", 2023, 2.0))
    assert values(only(visit(books(_2025=twice), HIGHTECH))) == [("UZB", 2023, 1.0), ("UZB", 2023, 2.0)]


def test_editions_and_data_years_of_another_definition_are_left_out(visit: Visit) -> None:
    old = book(2023, hightech("KAZ", 2022, 7.0))
    options = dict(HIGHTECH.options)
    newer = SeriesRequest("X", tuple(sorted({**options, "first_edition": 2024}.items())))
    later = SeriesRequest("X", tuple(sorted({**options, "first_year": 2023}.items())))
    never = SeriesRequest("X", tuple(sorted({**options, "first_edition": 2026}.items())))
    fetched = visit(books(_2025=BOOK, _2023=old), HIGHTECH, newer, later, never)
    assert values(fetched.answers[HIGHTECH]) == [("KAZ", 2022, 7.0), ("UZB", 2023, 1.25)]
    assert values(fetched.answers[newer]) == values(fetched.answers[later]) == [("UZB", 2023, 1.25)]
    assert fetched.answers[never].outcome is Outcome.UNAVAILABLE


def test_a_row_is_found_by_name_with_any_dash_or_mark(visit: Visit) -> None:
    request = SeriesRequest("X", (("column", "value"), ("file", "workbook"), ("name", "Domains/th pop. 15-69")))
    body = book(2025, ("UZB", "Domains/th  pop. 15\u201369*", 2023, 1.5, 1, 1))
    assert values(only(visit(books(_2025=body), request))) == [("UZB", 2023, 1.5)]


def test_a_row_name_that_one_edition_lacks_makes_the_series_unavailable(visit: Visit) -> None:
    fetched = visit(books(_2025=book(2025), _2024=book(2024, hightech("UZB", 2023, 1.0))), HIGHTECH)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert "2025 has no row named High-tech exports, % total trade" in (only(fetched).reason or "")


def test_the_edition_of_2021_is_read_with_other_headers_and_iso3_codes_under_iso2(visit: Visit) -> None:
    head = ["ISO2", "Economy", "IndCode", "IndNum", "IndName", "Rank", "Score", "Value", "DataYear"]
    rows = [["UZB", "Uzbekistan", "I633", "6.3.3", "High-tech exports, % total trade", 5, 50, 1.5, 2019]]
    body = workbook({"GII 2021 Data": [head, *rows]})
    assert values(only(visit({f"{BOOKS}/wipo_pub_2000-tech1.xlsx": body}, HIGHTECH))) == [("UZB", 2019, 1.5)]


def test_the_workbook_of_last_year_under_this_years_name_is_refused(visit: Visit) -> None:
    answer = only(visit(books(_2026=BOOK), HIGHTECH))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "of 2025, not of 2026" in (answer.reason or "")


@pytest.mark.parametrize("sent", [*(each for each in NOT_NUMBERS if each not in ("1e999",)), "n/a"])
def test_a_cell_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    body = book(2025, hightech("UZB", 2023, sent), hightech("KAZ", 2023, 7.0))
    answer = only(visit(books(_2025=body), HIGHTECH))
    assert values(answer) == [("KAZ", 2023, 7.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"]) == ("UZB", 2023)


def test_empty_cells_make_no_record_and_formulas_without_a_result_are_rejected(visit: Visit) -> None:
    body = book(2025, hightech("UZB", 2023, None), hightech("KGZ", 2023, Formula("=A1")), hightech("KAZ", 2023, 7.0))
    answer = only(visit(books(_2025=body), HIGHTECH))
    assert values(answer) == [("KAZ", 2023, 7.0)]
    assert answer.rejects.select("iso3", "year").rows() == [("KGZ", 2023)]


@pytest.mark.parametrize("year", ["2023Q4", None, "2019-2021"])
def test_an_invalid_data_year_is_rejected(year: Any, visit: Visit) -> None:
    body = book(2025, hightech("UZB", year, 1.0), hightech("KAZ", 2023, 7.0))
    answer = only(visit(books(_2025=body), HIGHTECH))
    assert values(answer) == [("KAZ", 2023, 7.0)]
    assert "is not a year" in reasons(answer)[0]


def test_a_missing_sheet_and_a_missing_column_are_named(visit: Visit, httpserver: HTTPServer) -> None:
    assert "the sheet Data is missing" in (
        only(visit(books(_2025=workbook({"Cover": [["a"]]})), HIGHTECH)).reason or ""
    )
    httpserver.clear()
    without = workbook({"Data": [["ISO3", "NAME", "DATAYR", "SCORE", "RANK"], ["UZB", "x", 2025, 1, 1]]})
    assert "the columns value are missing" in (only(visit(books(_2025=without), HIGHTECH)).reason or "")


@pytest.mark.parametrize(("body", "reason"), [each for each in NOT_WORKBOOKS if each[0]])
def test_a_body_that_is_not_a_workbook_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(books(_2025=body), HIGHTECH)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.status == 200 and kept.refused] == [body]


# The provider as a whole


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/gii-ranking/data/economy_id_2026.csv").respond_with_data("no", status=404)
    routes = {
        f"{folder}/{name}": Response("no", status=status)
        for folder, names in (
            (SITE, ("model_pageone_{}.csv", "bc_results_gii_{}.csv")),
            (BOOKS, ("wipo-pub-2000-{}-tech1.xlsx",)),
        )
        for name in (each.format(year) for each in names for year in range(2021, 2027))
    }
    fetched = visit(routes, SCORE, RESULTS_SCORE, HIGHTECH)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    requests = [SCORE, RESULTS_SCORE, HIGHTECH]
    fetched = fetch(requests, provider("wipo_gii", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 3
    assert fetched.bodies == []


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    body = book(2025, hightech("UZB", 2023, 1.0), hightech("KAZ", 2023, "-"))
    fetched = visit(
        {**panels(panel("2025,UZB,Index,25,79", "2025,KAZ,Index,-,81")), **books(_2025=body)}, SCORE, HIGHTECH
    )

    def schemas(answer: Answer) -> Any:
        return answer.records.schema, answer.rejects.schema

    assert {request: schemas(answer) for request, answer in fetched.answers.items()} == {
        SCORE: (RECORD, SERIES_REJECT),
        HIGHTECH: (RECORD, SERIES_REJECT),
    }


@pytest.mark.parametrize("body", [b"", b"{}", b"GIIYR", b"<html>", b"PK\x03\x04\xff"])
def test_a_body_that_is_not_a_panel_is_refused(body: bytes) -> None:
    with pytest.raises(UnusableResponse):
        parse_panel(body, 2025)


# Published workbooks of WIPO


RAW = {2021: "wipo_pub_2000-tech1.xlsx", **{year: f"wipo-pub-2000-{year}-tech1.xlsx" for year in (2022, 2024, 2025)}}


@pytest.mark.parametrize("edition", [min(RAW), max(RAW), *further(*sorted(RAW)[1:-1])])
def test_a_real_workbook_has_exactly_the_tidy_figures(edition: int, reference: Path) -> None:
    folder = reference / "gii"
    numbers = dict.fromkeys(("score", "rank", "value", "datayear"), pl.Float64)
    tidy = pl.read_csv(folder / "gii_indicators_2021_2025.csv", schema_overrides={"code": pl.String, **numbers})
    names = pl.read_csv(folder / "gii_indicator_names.csv", schema_overrides={"code": pl.String})
    tidy = tidy.filter(pl.col("year") == edition)
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    rows = parse_workbook((folder / "raw" / RAW[edition]).read_bytes(), edition)
    for code, name in names.filter(pl.col("year") == edition).select("code", "name").rows():
        for column in ("score", "rank", "value"):
            request = SeriesRequest(code, (("column", column), ("file", "workbook"), ("name", name)))
            figures = workbook_observations(rows, request, edition, "0" * 64, areas, Window(1960, 2026))
            year = pl.col("datayear" if column == "value" else "year").cast(pl.Int32).alias("year")
            own = tidy.filter((pl.col("code") == code) & pl.col(column).is_not_null())
            expected = own.select("iso3", year, pl.col(column).alias("value"))
            assert figures["reason"].null_count() == figures.height, (name, column)
            key = ["iso3", "year"]
            assert figures.select(*key, "value").sort(key).equals(expected.sort(key)), (name, column)


@pytest.mark.parametrize("edition", [max(RAW), *further(*sorted(RAW)[:-1])])
def test_a_real_workbook_is_not_accepted_for_another_edition(edition: int, reference: Path) -> None:
    body = (reference / "gii" / "raw" / RAW[edition]).read_bytes()
    for other in (edition - 1, edition + 1):
        with pytest.raises(UnusableResponse, match=f"of {edition}, not of {other}"):
            parse_workbook(body, other)


def test_every_link_of_the_catalogue_names_a_row_of_the_editions_that_it_reads(reference: Path) -> None:
    names = pl.read_csv(reference / "gii" / "gii_indicator_names.csv")
    plain = pl.col("name").str.replace_all("\u2013", "-").str.strip_chars(" *")
    for link in _links():
        if link.options["file"] == "workbook":
            editions = range(int(link.options.get("first_edition", 2021)), 2026)
            of_name = names.filter(plain == link.options["name"])["year"]
            assert set(editions) <= set(of_name), link


def test_the_adapter_supports_every_link_of_the_catalogue() -> None:
    columns = {
        "model_pageone": {"SCORE", "RANK"},
        "bc_results": {"score", "rank"},
        "workbook": {"score", "rank", "value"},
    }
    for link in _links():
        assert link.options["column"] in columns[str(link.options["file"])], link
        assert link.options.keys() <= {"file", "column", "name", "first_edition", "first_year"}, link
        assert (link.options["file"] == "workbook") == ("name" in link.options), link


def _links() -> list[Any]:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "wipo_gii"]
    assert links
    return links
