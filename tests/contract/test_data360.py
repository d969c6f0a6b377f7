"""The API and the files of Data360 on loopback, and a recorded table of the API. Other figures are invented."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import load_catalogue
from sources.chain import resolve
from sources.errors import ConfigurationError
from sources.observation import Areas
from sources.parsing.observations import with_raw_record
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers import ADAPTERS, data360, data360_files, un_egov
from sources.providers.data360_rows import CUTS, observations_of
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import (
    AREAS,
    NOT_JSON,
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

LIST, DATA, FILES = "/data360/indicators", "/data360/data", "/data"
COVERAGE = SeriesRequest(
    "MOB_COV_4G", (("aliases", "ITU_DH_POP_COV_4G"), ("database", "ITU_DH"), ("unit_measure", "PT_POP"))
)
USERS = SeriesRequest("IT_NET_USER", (("database", "ITU_DH"), ("unit_measure", "PT_POP")))
WOMEN = SeriesRequest("IT_NET_USER", (("database", "ITU_DH"), ("sex", "F"), ("unit_measure", "PT_POP")))
CELLULAR = SeriesRequest("IT_CEL_SETS", (("database", "ITU_DH"),))
IDS = ["MOB_COV_4G", "IT_NET_USER", "IT_CEL_SETS"]
Visit = Callable[..., Fetched]


def row(code: str = "MOB_COV_4G", area: Any = "UZB", year: Any = "2023", value: Any = "40.5", **changes: Any) -> Any:
    return {
        "OBS_VALUE": value,
        "UNIT_MULT": 0,
        "OBS_STATUS": "A",
        "OBS_CONF": "PU",
        "LATEST_DATA": True,
        "DATABASE_ID": "ITU_DH",
        "INDICATOR": code,
        "REF_AREA": area,
        "SEX": "_T",
        "AGE": "_T",
        "URBANISATION": "_T",
        "COMP_BREAKDOWN_1": "_Z",
        "COMP_BREAKDOWN_2": "_Z",
        "COMP_BREAKDOWN_3": "_Z",
        "TIME_PERIOD": year,
        "FREQ": "A",
        "UNIT_MEASURE": "PT_POP",
        "UNIT_TYPE": None,
    } | changes


def page(rows: Sequence[Any], **changes: Any) -> dict[str, Any]:
    return {"count": len(rows), "value": list(rows)} | changes


def file(rows: Sequence[Any]) -> bytes:
    return b"\xef\xbb\xbf" + pl.DataFrame(rows, infer_schema_length=None).write_csv().encode()


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    """Return a function that requests series from the API."""

    def ask(data: Any, *requests: SeriesRequest, ids: Any = IDS, **served: Any) -> Fetched:
        serve(httpserver, {LIST: ids})
        serve(httpserver, {DATA: data}, **served)
        base = httpserver.url_for("")
        return data360.fetch(
            list(requests or (COVERAGE,)), provider("data360", base), AREAS, WINDOW, PatientHttp(tries=2)
        )

    return ask


@pytest.fixture
def open_files(httpserver: HTTPServer) -> Visit:
    """Return a function that requests series from the file store. ``files`` maps names to content; others give 404."""

    def ask(files: dict[str, Any], *requests: SeriesRequest, content_type: str = "text/csv") -> Fetched:
        serve(httpserver, {f"{FILES}/{name}": given for name, given in files.items()}, content_type)
        httpserver.no_handler_status_code = 400
        base = httpserver.url_for(FILES)
        wanted = list(requests or (COVERAGE,))
        return data360_files.fetch(wanted, provider("data360_files", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


@pytest.fixture(params=["api", "file"])
def either(request: pytest.FixtureRequest, visit: Visit, open_files: Visit) -> Visit:
    """Return a function that serves the same rows by the API or by a file."""

    def ask(rows: Sequence[Any], wanted: SeriesRequest = COVERAGE) -> Fetched:
        if request.param == "api":
            return visit(page(rows), wanted)
        text = [{k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows]
        return open_files({f"ITU_DH/{wanted.code}.csv": file(text)}, wanted)

    return ask


# Selection of rows


def test_units_of_one_indicator_are_kept_apart(either: Visit) -> None:
    rows = [
        row("IT_CEL_SETS", value="58286168", UNIT_MEASURE="SB"),
        row("IT_CEL_SETS", value="153.06", UNIT_MEASURE="SB_10P2_HB"),
    ]
    wanted = SeriesRequest("IT_CEL_SETS", (("database", "ITU_DH"), ("unit_measure", "SB_10P2_HB")))
    assert values(only(either(rows, wanted))) == [("UZB", 2023, 153.06)]


def test_several_units_without_a_choice_are_rejected(either: Visit) -> None:
    fetched = either([row("IT_CEL_SETS", UNIT_MEASURE="SB"), row("IT_CEL_SETS", UNIT_MEASURE="SB_10P2_HB")], CELLULAR)
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "SB, SB_10P2_HB" in (only(fetched).reason or "")
    assert fetched.bodies[-1].refused == only(fetched).reason


def test_a_share_instead_of_a_percentage_is_rejected(either: Visit) -> None:
    fetched = either([row(value="0.4", UNIT_MEASURE="RATIO")])
    assert (only(fetched).outcome, only(fetched).reason) == (Outcome.UNAVAILABLE, "the unit is RATIO, not PT_POP")


@pytest.mark.parametrize(("column", "code"), [(column, "X") for column in CUTS.values()] + [("SEX", "F")])
def test_a_part_is_never_used_as_the_total(column: str, code: str, either: Visit) -> None:
    whole = either([row(), row(value="70", **{column: code})])
    assert values(only(whole)) == [("UZB", 2023, 40.5)]


@pytest.mark.parametrize("column", CUTS.values())
def test_a_series_without_a_total_is_refused_and_its_codes_are_named(column: str, either: Visit) -> None:
    answer = only(either([row(**{column: "X"})]))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert f"'{column}': ['X']" in (answer.reason or "")


@pytest.mark.parametrize("total", ["_T", "_Z", None])
def test_total_and_not_applicable_both_mean_the_total(total: str | None, either: Visit) -> None:
    rows = [row(**dict.fromkeys(CUTS.values(), total)), row(area="KAZ")]
    assert [iso3 for iso3, _, _ in values(only(either(rows)))] == ["KAZ", "UZB"]


def without(*columns: str, **changes: Any) -> Any:
    """Return a row of a database without these dimensions: the fields are missing."""
    return {name: value for name, value in row(**changes).items() if name not in columns}


@pytest.mark.parametrize("columns", [*((column,) for column in CUTS.values()), tuple(CUTS.values())])
@pytest.mark.parametrize("cuts", [{}, dict.fromkeys(CUTS, "_T"), dict.fromkeys(CUTS, "_Z")])
def test_a_missing_dimension_means_the_total(columns: tuple[str, ...], cuts: dict[str, str], either: Visit) -> None:
    wanted = replace(COVERAGE, options=(*COVERAGE.options, *cuts.items()))
    assert values(only(either([without(*columns), without(*columns, area="KAZ")], wanted))) == [
        ("KAZ", 2023, 40.5),
        ("UZB", 2023, 40.5),
    ]


@pytest.mark.parametrize(("option", "column"), CUTS.items())
def test_a_requested_part_of_a_missing_dimension_is_refused(option: str, column: str, either: Visit) -> None:
    wanted = replace(COVERAGE, options=(*COVERAGE.options, (option, "F")))
    answer = only(either([without(column)], wanted))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert f"no row is of the requested cut ({column} F)" in (answer.reason or "")


@pytest.mark.parametrize("column", CUTS.values())
def test_parts_under_another_name_are_not_used_as_the_total(column: str, either: Visit) -> None:
    rows = [without(column, Renamed=code, value=value) for code, value in [("A", "40"), ("B", "50")]]
    answer = only(either([*rows, without(column, area="KAZ", Renamed="A")]))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert f"several figures, and no row has {column}" in (answer.reason or "")


def test_a_total_matches_all_its_spellings_and_never_a_part(either: Visit) -> None:
    wanted = SeriesRequest("IT_NET_USER", (("database", "ITU_DH"), ("sex", "_T")))
    areas = {"UZB": "_T", "KAZ": "_Z", "KGZ": None, "AFG": "F"}
    answer = only(either([row("IT_NET_USER", area, SEX=code) for area, code in areas.items()], wanted))
    assert [iso3 for iso3, _, _ in values(answer)] == ["KAZ", "KGZ", "UZB"]


def test_only_the_first_existing_code_of_several_is_used(either: Visit) -> None:
    wanted = SeriesRequest("IT_NET_USER", (("database", "ITU_DH"), ("sex", "F,_T"), ("unit_measure", "PT,PT_POP")))
    rows = [row("IT_NET_USER", value="45", SEX="F"), row("IT_NET_USER", area="KAZ", SEX="_T")]
    assert values(only(either([*rows, row("IT_NET_USER", value="9", SEX="F", UNIT_MEASURE="SB")], wanted))) == [
        ("UZB", 2023, 45.0)
    ]


def test_cuts_of_one_series_share_one_download(visit: Visit, httpserver: HTTPServer) -> None:
    rows = [row("IT_NET_USER", value="50"), row("IT_NET_USER", value="45", SEX="F"), row("IT_NET_USER", SEX="M")]
    fetched = visit(page(rows), USERS, WOMEN)
    assert values(fetched.answers[USERS]) == [("UZB", 2023, 50.0)]
    assert values(fetched.answers[WOMEN]) == [("UZB", 2023, 45.0)]
    assert len(requests_to(httpserver, DATA)) == len(requests_to(httpserver, LIST)) == 1


def test_several_codes_may_name_one_cut(either: Visit) -> None:
    wanted = SeriesRequest("IT_NET_USER", (("database", "ITU_DH"), ("sex", "F,_T")))
    for code in ("F", "_T"):
        assert only(either([row("IT_NET_USER", SEX=code)], wanted)).outcome is Outcome.OK


def test_figures_that_are_not_public_are_rejected(either: Visit) -> None:
    answer = only(either([row(OBS_CONF="C"), row(area="KAZ")]))
    assert reasons(answer) == ["not public (OBS_CONF C)"]
    assert values(answer) == [("KAZ", 2023, 40.5)]


@pytest.mark.parametrize(
    ("multiplier", "value"), [(0, 40.5), ("0", 40.5), (3, 40_500.0), ("6", 40_500_000.0), (-2, 0.405)]
)
def test_the_multiplier_is_applied(multiplier: Any, value: float, either: Visit) -> None:
    assert values(only(either([row(UNIT_MULT=multiplier)]))) == [("UZB", 2023, value)]


@pytest.mark.parametrize("multiplier", ["thousands", "1.5", None, 400, "-400"])
def test_a_row_with_an_unreadable_multiplier_is_rejected(multiplier: Any, either: Visit) -> None:
    answer = only(either([row(UNIT_MULT=multiplier), row(area="KAZ")]))
    assert "multiplier" in reasons(answer)[0]
    assert values(answer) == [("KAZ", 2023, 40.5)]


# Values, periods, areas


@pytest.mark.parametrize("sent", NOT_NUMBERS)
def test_a_value_that_is_not_a_number_is_rejected_with_its_reason(sent: str, either: Visit) -> None:
    fetched = either([row(value=sent), row(area="KAZ", value="3")])
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2023, 3.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], reject["raw_sha256"]) == ("UZB", 2023, fetched.bodies[-1].sha256)
    assert "is not a number" in reject["reason"]
    assert json.loads(reject["raw_record"])["OBS_VALUE"] == sent


@pytest.mark.parametrize("year", NOT_YEARS)
def test_a_period_that_is_not_a_year_is_rejected(year: str, either: Visit) -> None:
    answer = only(either([row(year=year), row(area="KAZ")]))
    assert "is not a year" in reasons(answer)[0]
    assert (answer.rejects["year"].to_list(), answer.records.height) == ([None], 1)


def test_an_unknown_area_is_rejected_by_name_and_a_known_aggregate_is_kept(either: Visit) -> None:
    answer = only(either([row(), row(area="WLD"), row(area="ZZZ"), row(area=None)]))
    assert reasons(answer) == ["unknown area ZZZ", "unknown area (none)"]
    assert [iso3 for iso3, _, _ in values(answer)] == ["UZB", "WLD"]


def test_rows_without_a_value_and_years_outside_the_window_make_no_record(either: Visit) -> None:
    answer = only(either([row(value=None), row(area="KAZ", value=""), row(year="1999"), row(year="2027")]))
    assert (answer.outcome, answer.records.height, answer.rejects.height) == (Outcome.NO_DATA, 0, 0)


def test_frames_have_exactly_the_specified_columns(either: Visit) -> None:
    answer = only(either([row(), row(area="KAZ", value="-")]))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


# Another series, other fields


@pytest.mark.parametrize("changes", [{"INDICATOR": "MOB_COV_3G"}, {"DATABASE_ID": "UN_EGDI"}])
def test_another_series_under_the_requested_name_is_rejected(changes: dict[str, str], either: Visit) -> None:
    fetched = either([row(**changes)])
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert next(iter(changes.values())) in (only(fetched).reason or "")
    assert fetched.bodies[-1].refused == only(fetched).reason


@pytest.mark.parametrize("field", ["OBS_VALUE", "UNIT_MULT", "INDICATOR", "REF_AREA", "TIME_PERIOD", "UNIT_MEASURE"])
def test_a_renamed_field_is_named(field: str, either: Visit) -> None:
    renamed = row()
    renamed["renamed"] = renamed.pop(field)
    answer = only(either([renamed]))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert field in (answer.reason or "")


def test_added_fields_are_ignored(either: Visit) -> None:
    assert only(either([row(VINTAGE="2026", REF_AREA_LABEL="Türkiye")])).outcome is Outcome.OK


# The API: names


@pytest.mark.parametrize(
    ("ids", "name"),
    [
        (["MOB_COV_4G", "ITU_DH_POP_COV_4G"], "MOB_COV_4G"),
        (["ITU_DH_POP_COV_4G"], "ITU_DH_POP_COV_4G"),
        ({"value": ["ITU_DH_POP_COV_4G"]}, "ITU_DH_POP_COV_4G"),
    ],
)
def test_the_name_in_the_database_is_requested(ids: Any, name: str, visit: Visit, httpserver: HTTPServer) -> None:
    answer = only(visit(lambda request: page([row(request.args["INDICATOR"])]), ids=ids))
    assert values(answer) == [("UZB", 2023, 40.5)]
    assert [request.args["INDICATOR"] for request in requests_to(httpserver, DATA)] == [name]
    assert f"INDICATOR={name}" in answer.source_url
    assert [request.args["datasetId"] for request in requests_to(httpserver, LIST)] == ["ITU_DH"]


def test_a_code_that_is_in_no_list_is_unknown_and_not_requested(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(page([row("IT_NET_USER")]), COVERAGE, USERS, ids=["IT_NET_USER"])
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNKNOWN_ID, Outcome.OK]
    assert "MOB_COV_4G or ITU_DH_POP_COV_4G" in (fetched.answers[COVERAGE].reason or "")
    assert [request.args["INDICATOR"] for request in requests_to(httpserver, DATA)] == ["IT_NET_USER"]


@pytest.mark.parametrize(
    "ids", [Response("down", status=500), b"<html>", [], {}, [{"id": "MOB_COV_4G"}], {"value": None}]
)
def test_without_a_list_the_code_itself_is_requested(ids: Any, visit: Visit) -> None:
    assert only(visit(page([row()]), ids=ids)).outcome is Outcome.OK


def test_only_parameters_of_the_api_are_sent(visit: Visit, httpserver: HTTPServer) -> None:
    visit(page([row()]))
    (request,) = requests_to(httpserver, DATA)
    assert dict(request.args) == {
        "DATABASE_ID": "ITU_DH",
        "INDICATOR": "MOB_COV_4G",
        "timePeriodFrom": "2000",
        "timePeriodTo": "2026",
        "skip": "0",
    }


def test_a_listed_indicator_without_rows_has_no_data(visit: Visit) -> None:
    answer = only(visit(page([])))
    assert (answer.outcome, answer.records.height) == (Outcome.NO_DATA, 0)
    assert answer.source_url.startswith(f"{data360.PUBLIC_BASE}/data360/data?DATABASE_ID=ITU_DH&INDICATOR=MOB_COV_4G")


# The API: pages

YEARLY = [row(year=str(year), value=str(year / 10)) for year in range(2000, 2011)]


def paged(size: int, count: Callable[[int], int] = lambda _: len(YEARLY)) -> Callable[[Request], Any]:
    def answer(request: Request) -> Any:
        skip = int(request.args["skip"])
        return page(YEARLY[skip : skip + size], count=count(skip))

    return answer


def test_each_page_is_read_once_and_every_record_names_its_page(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(paged(4))
    assert values(only(fetched)) == [("UZB", year, year / 10) for year in range(2000, 2011)]
    assert [request.args["skip"] for request in requests_to(httpserver, DATA)] == ["0", "4", "8"]
    pages = {body.sha256: {r["TIME_PERIOD"] for r in json.loads(body.content)["value"]} for body in fetched.bodies[1:]}
    assert len(pages) == 3
    for year, raw_sha256 in only(fetched).records.select("year", "raw_sha256").rows():
        assert str(year) in pages[raw_sha256]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (paged(4, lambda skip: 11 + skip), "not of one release"),
        (paged(4, lambda _: 12), "11 rows came instead of 12"),
        (page(YEARLY, count=3), "11 rows came instead of 3"),
        (page(YEARLY, count="many"), "not a number"),
        (page([], count=5), "0 rows came instead of 5"),
    ],
)
def test_inconsistent_pages_are_refused(answer: Any, reason: str, visit: Visit) -> None:
    fetched = visit(answer)
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert reason in (only(fetched).reason or "")
    assert all(body.refused for body in fetched.bodies[1:])


def test_one_failing_page_makes_the_series_unavailable(visit: Visit) -> None:
    whole = paged(4)
    answer = only(visit(lambda r: Response("busy", status=503) if r.args["skip"] == "8" else whole(r)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)


def test_the_number_of_pages_is_limited(visit: Visit, httpserver: HTTPServer) -> None:
    assert only(visit(lambda _: page([row()], count=1_000_000))).outcome is Outcome.UNAVAILABLE
    assert len(requests_to(httpserver, DATA)) <= data360.MAX_PAGES + 1


# The API: unusable bodies, and transport


@pytest.mark.parametrize(
    ("body", "reason"), [*NOT_JSON, (b"[]", "not an answer"), (b"7", "not an answer"), (b'{"count": 1}', "'value'")]
)
def test_an_unusable_body_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.refused] == ([body] if body else [])


@pytest.mark.parametrize("status", [*STATUSES, 400])
def test_a_failing_api_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), COVERAGE, USERS)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert all(str(status) in (answer.reason or "") for answer in fetched.answers.values())


@pytest.mark.parametrize("adapter", [data360, data360_files])
def test_every_request_to_an_unreachable_provider_has_a_result(adapter: Any) -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = adapter.fetch([COVERAGE, USERS, WOMEN], provider("data360", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 3
    assert fetched.bodies == []


@pytest.mark.parametrize("adapter", [data360, data360_files])
def test_without_requests_there_are_no_results(adapter: Any) -> None:
    fetched = adapter.fetch([], provider("data360", "http://127.0.0.1:9"), AREAS, WINDOW, PatientHttp())
    assert (fetched.answers, fetched.bodies) == ({}, [])


# The files


def test_one_file_serves_every_cut_and_has_the_date_of_the_server(open_files: Visit, httpserver: HTTPServer) -> None:
    body = file([row("IT_NET_USER", value="50"), row("IT_NET_USER", value="45", SEX="F")])
    dated = Response(
        body, content_type="application/octet-stream", headers={"Last-Modified": "Wed, 06 May 2026 10:00:00 GMT"}
    )
    fetched = open_files({"ITU_DH/IT_NET_USER.csv": dated}, USERS, WOMEN)
    assert values(fetched.answers[USERS]) == [("UZB", 2023, 50.0)]
    assert values(fetched.answers[WOMEN]) == [("UZB", 2023, 45.0)]
    assert {answer.release for answer in fetched.answers.values()} == {"2026-05-06"}
    assert fetched.answers[USERS].source_url == f"{data360_files.PUBLIC_BASE}/ITU_DH/IT_NET_USER.csv"
    assert len(httpserver.log) == 1


def test_every_name_and_layout_of_a_file_is_tried(open_files: Visit, httpserver: HTTPServer) -> None:
    fetched = open_files({"ITU_DH/ITU_DH_POP_COV_4G.csv": file([row("ITU_DH_POP_COV_4G")])})
    assert values(only(fetched)) == [("UZB", 2023, 40.5)]
    assert only(fetched).source_url.endswith("/ITU_DH/ITU_DH_POP_COV_4G.csv")
    assert [request.path.removeprefix(f"{FILES}/ITU_DH/") for request, _ in httpserver.log] == [
        "MOB_COV_4G.csv",
        "MOB_COV_4G_WIDEF.csv",
        "ITU_DH_POP_COV_4G.csv",
    ]


def test_a_wide_file_is_read_with_one_column_per_year(open_files: Visit) -> None:
    wide = [
        {name: value for name, value in row(area=area).items() if name not in ("TIME_PERIOD", "OBS_VALUE")}
        | {"1999": "1", "2022": one, "2023": two}
        for area, one, two in [("UZB", "4", "5"), ("KAZ", None, "6"), ("KGZ", "-", None)]
    ]
    answer = only(open_files({"ITU_DH/MOB_COV_4G_WIDEF.csv": file(wide)}))
    assert values(answer) == [("KAZ", 2023, 6.0), ("UZB", 2022, 4.0), ("UZB", 2023, 5.0)]
    assert reasons(answer) == ["the value - is not a number"]


def test_the_older_spelling_of_columns_is_accepted(open_files: Visit) -> None:
    older = row()
    for name in ("INDICATOR", "REF_AREA", "SEX"):
        older[f"{name}_ID"] = older.pop(name)
    assert values(only(open_files({"ITU_DH/MOB_COV_4G.csv": file([older])}))) == [("UZB", 2023, 40.5)]


@pytest.mark.parametrize("status", [400, 404])
def test_a_file_that_does_not_exist_is_an_unknown_id(status: int, open_files: Visit, httpserver: HTTPServer) -> None:
    gone = Response("<Error>OutOfRangeInput</Error>", status=status, content_type="application/xml")
    fetched = open_files({"ITU_DH/MOB_COV_4G.csv": gone})
    assert only(fetched).outcome is Outcome.UNKNOWN_ID
    assert fetched.bodies[0].refused == "there is no such file"
    assert len(httpserver.log) == 4


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_store_makes_every_series_unavailable(status: int, open_files: Visit, httpserver: HTTPServer) -> None:
    answer = only(open_files({"ITU_DH/MOB_COV_4G.csv": Response("no", status=status)}))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert str(status) in (answer.reason or "")
    assert {request.path for request, _ in httpserver.log} == {f"{FILES}/ITU_DH/MOB_COV_4G.csv"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>", "markup"),
        (b'{"count": 0, "value": []}', "are missing"),
        (b"OBS_VALUE,REF_AREA\n1,UZB,3\n", "not a readable CSV"),
        (b"PK\x03\x04\xff\xfe", "are missing"),
    ],
)
def test_a_body_that_is_not_a_data_file_is_refused_and_kept(body: bytes, reason: str, open_files: Visit) -> None:
    fetched = open_files({"ITU_DH/MOB_COV_4G.csv": body})
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.refused] == ([body] if body else [])


def test_a_page_declared_as_html_is_refused(open_files: Visit) -> None:
    fetched = open_files({"ITU_DH/MOB_COV_4G.csv": file([row()])}, content_type="text/html")
    assert only(fetched).outcome is Outcome.UNAVAILABLE


# The catalogue


def test_every_link_of_the_catalogue_names_a_database_and_known_options() -> None:
    links = [link for one in load_catalogue() for link in one.chain if link.provider in ("data360", "data360_files")]
    assert len(links) > 60
    for link in links:
        assert link.options.get("database"), link
        assert set(link.options) <= {"database", "unit_measure", "aliases", *CUTS}, link
        assert link.options["database"] != "ITU_DH" or "unit_measure" in link.options, link


def test_the_files_follow_the_api_in_every_chain_and_precede_it_for_cybersecurity() -> None:
    catalogue = load_catalogue()
    for indicator in catalogue:
        providers = [link.provider for link in indicator.chain]
        assert providers.count("data360") == providers.count("data360_files") <= 1, indicator.id
        if "data360" in providers:
            step = providers.index("data360_files") - providers.index("data360")
            assert step == (-1 if indicator.id.startswith("gci_") else 1), indicator.id


@pytest.mark.parametrize("silence", [Response("busy", status=503), b"<html>", page([row(UNIT_MEASURE="RATIO")])])
def test_the_files_are_used_if_the_api_fails(silence: Any, httpserver: HTTPServer) -> None:
    serve(httpserver, {LIST: IDS, DATA: silence})
    serve(httpserver, {f"{FILES}/ITU_DH/MOB_COV_4G.csv": file([row()])}, "text/csv")
    catalogue = load_catalogue()
    one = catalogue.indicators["coverage_4g_pct"]
    here = {"data360": httpserver.url_for(""), "data360_files": httpserver.url_for(FILES)}
    local = catalogue.model_copy(update={"providers": {name: provider(name, url) for name, url in here.items()}})
    alone = one.model_copy(update={"chain": tuple(link for link in one.chain if link.provider in here)})
    (resolution,), _ = resolve([alone], local, ADAPTERS, AREAS, WINDOW, PatientHttp(tries=2))
    assert [(a.provider, a.outcome) for a in resolution.attempts] == [
        ("data360", Outcome.UNAVAILABLE),
        ("data360_files", Outcome.OK),
    ]
    assert resolution.candidates.select("iso3", "year", "value").rows() == [("UZB", 2023, 40.5)]
    assert set(resolution.candidates["provider"]) == {"data360_files"}


@pytest.mark.parametrize(("api", "files", "taken"), [(2020, 2024, "data360_files"), (2024, 2022, "data360")])
def test_api_and_files_of_the_e_government_index_are_compared_and_the_one_with_the_latest_year_is_used(
    api: int, files: int, taken: str, httpserver: HTTPServer
) -> None:
    def index(year: int) -> Any:
        return without(*CUTS.values(), code="UN_EGDI_TTI", year=str(year), DATABASE_ID="UN_EGDI", UNIT_MEASURE="SCORE")

    serve(httpserver, {LIST: ["UN_EGDI_EGDI", "UN_EGDI_TTI"], DATA: page([index(api) | {"OBS_VALUE": "0.5"}])})
    serve(httpserver, {f"{FILES}/UN_EGDI/UN_EGDI_TII.csv": file([index(files) | {"OBS_VALUE": "0.6"}])}, "text/csv")
    one = load_catalogue().indicators["egdi_tii_index"]
    here = {"data360": httpserver.url_for(""), "data360_files": httpserver.url_for(FILES)}
    local = load_catalogue().model_copy(update={"providers": {name: provider(name, url) for name, url in here.items()}})
    alone = one.model_copy(update={"chain": tuple(link for link in one.chain if link.provider in here)})
    (resolution,), _ = resolve([alone], local, ADAPTERS, AREAS, WINDOW, PatientHttp(tries=2))
    assert [(a.provider, a.reason) for a in resolution.attempts] == [
        (name, f"reaches {year}, {'taken' if name == taken else 'not taken'}")
        for name, year in (("data360", api), ("data360_files", files))
    ]
    assert resolution.candidates.select("iso3", "year", "provider").rows() == [("UZB", max(api, files), taken)]


def test_an_unknown_mirror_is_a_fault_of_the_catalogue(tmp_path: Path) -> None:
    entry = "{id: one, title: One, mirror: two, licence: x, citation: x, cadence: x}"
    (tmp_path / "providers.yml").write_text(f"- {entry}\n", encoding="utf-8")
    (tmp_path / "indicators.yml").write_text("[]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="one: mirror: there is no provider 'two'"):
        load_catalogue(tmp_path)


# A recorded table of the API


def test_a_recorded_table_holds_the_figures_of_the_tidy_copy(reference: Path) -> None:
    body = (reference / "gci" / "raw" / "data360_ITU_GCI_OVRL_SCRE_2020_2024.csv").read_bytes()
    tidy = pl.read_csv(
        reference / "gci" / "gci.csv",
        schema_overrides={"year": pl.Int32, "score": pl.Float64},
        infer_schema_length=None,
    ).filter(pl.col("year") >= 2020, pl.col("score").is_not_null())
    request = SeriesRequest("ITU_GCI_GCI_OVRL_SCRE", (("database", "ITU_GCI"), ("unit_measure", "0_TO_100")))
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    figures = observations_of(with_raw_record(data360_files.parse(body), "0" * 64), request, areas, Window(1960, 2026))
    assert figures["reason"].null_count() == figures.height == tidy.height > 380
    key = ["iso3", "year"]
    assert figures.select(*key, score="value").sort(key).equals(tidy.select(*key, "score").sort(key))


def test_a_recorded_table_is_not_accepted_for_another_indicator(reference: Path, open_files: Visit) -> None:
    body = (reference / "gci" / "raw" / "data360_ITU_GCI_OVRL_SCRE_2020_2024.csv").read_bytes()
    legal = SeriesRequest("ITU_GCI_LEGL_SCRE", (("database", "ITU_GCI"),))
    fetched = open_files({"ITU_GCI/ITU_GCI_LEGL_SCRE.csv": body}, legal)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert "ITU_GCI_GCI_OVRL_SCRE" in (only(fetched).reason or "")


# Recorded files of the store, and the cases of the first live run

EVERYWHERE = Window(1960, 2026)
NO_CUTS = {"UN_EGDI_EGDI_WIDEF.csv": "egdi_index", "UN_EGDI_TII_WIDEF.csv": "egdi_tii_index"}


def linked(indicator_id: str) -> SeriesRequest:
    """Return the request of an indicator's link to Data360."""
    (link,) = (each for each in load_catalogue().indicators[indicator_id].chain if each.provider == "data360")
    return SeriesRequest(str(link.code), tuple(sorted(link.options.items())))


def read(path: Path, request: SeriesRequest) -> pl.DataFrame:
    rows = data360_files.parse(path.read_bytes())
    areas = Areas(frozenset(rows["REF_AREA"].drop_nulls()), frozenset(), {}, {})
    return observations_of(with_raw_record(rows, "0" * 64), request, areas, EVERYWHERE)


@pytest.mark.parametrize("file", NO_CUTS)
def test_a_real_file_without_cuts_equals_the_surveys_own_tables_in_every_cell(file: str, reference: Path) -> None:
    indicator = NO_CUTS[file]
    figures = read(reference / "data360" / file, linked(indicator)).select("iso3", "year", "value").sort("iso3", "year")
    assert figures["year"].max() == 2024
    column = un_egov.OVERALL if indicator == "egdi_index" else "Telecommunication Infrastructure Index"
    areas = Areas(frozenset(figures["iso3"]), frozenset(), {}, {})
    surveys = sorted((reference / "egdi" / "raw").glob("EGOV_DATA_????.csv"))
    assert surveys
    for own in surveys:
        survey = int(own.stem[-4:])
        table = un_egov.parse(own.read_bytes(), survey)
        expected = un_egov.observations_of(table, column, survey, "0" * 64, areas, EVERYWHERE)
        expected = expected.select("iso3", "year", "value").sort("iso3", "year")
        assert expected.height == 193
        assert figures.filter(pl.col("year") == survey).equals(expected), survey


@pytest.mark.parametrize(
    ("file", "indicator", "count"),
    [
        ("INT_BAND_PER_USR.csv", "bandwidth_per_user_kbps", 4000),
        ("ITU_DH_POP_COV_4G.csv", "coverage_4g_pct", 2710),
    ],
)
def test_a_real_file_with_cuts_is_read_cell_by_cell(file: str, indicator: str, count: int, reference: Path) -> None:
    figures = read(reference / "data360" / file, linked(indicator))
    with (reference / "data360" / file).open(encoding="utf-8-sig", newline="") as lines:
        sent = {
            (line["REF_AREA"], int(line["TIME_PERIOD"]), float(line["OBS_VALUE"]))
            for line in csv.DictReader(lines)
            if line["OBS_VALUE"]
        }
    assert figures["reason"].null_count() == figures.height
    assert set(figures.select("iso3", "year", "value").rows()) == sent
    assert figures.height == count


def test_a_real_file_of_another_year_provides_the_index_of_its_database(reference: Path) -> None:
    overall = SeriesRequest("WB_GTMI_GTMI", (("database", "WB_GTMI"), ("unit_measure", "IX_0T1")))
    figures = read(reference / "data360" / "GTMI_Overall_Score_Index.csv", overall)
    tidy = pl.read_csv(reference / "gtmi" / "gtmi.csv", infer_schema=False).filter(
        pl.col("metric") == "GTMI", pl.col("year") == "2022"
    )
    both = figures.select("iso3", "value").join(tidy.select("iso3", own=pl.col("value").cast(pl.Float64)), on="iso3")
    assert both.height == figures.height == 198
    assert both.select((pl.col("value") - pl.col("own")).abs().max()).item() <= 0.005 + 1e-9  # two decimals are sent


def test_only_the_total_of_a_real_file_with_parts_is_read(reference: Path) -> None:
    daily = SeriesRequest("ITU_DH_INT_USR_DAY", (("database", "ITU_DH"), ("unit_measure", "PT_POP")))
    figures = read(reference / "data360" / "ITU_DH_INT_USR_DAY.csv", daily)
    assert 0 < figures.height == figures.select("iso3", "year").n_unique()
    women = replace(daily, options=(*daily.options, ("sex", "F")))
    assert 0 < read(reference / "data360" / "ITU_DH_INT_USR_DAY.csv", women).height < figures.height


@pytest.mark.parametrize(
    ("case", "path", "request_", "expected"),
    [
        (
            "d1_wide_without_cuts.csv",
            "UN_EGDI/UN_EGDI_EGDI_WIDEF.csv",
            SeriesRequest("UN_EGDI_EGDI", (("database", "UN_EGDI"),)),
            [("KAZ", 2022, 0.5), ("KAZ", 2024, 0.6), ("UZB", 2022, 0.4), ("UZB", 2024, 0.5)],
        ),
        (
            "d1_wide_old_spelling.csv",
            "EIU_DI/EIU_DI_INDEX_WIDEF.csv",
            SeriesRequest("EIU_DI_INDEX", (("database", "EIU_DI"),)),
            [("KAZ", 2022, 3.5), ("KAZ", 2023, 3.6)],
        ),
        *(
            (
                "d2_tti.csv",
                f"UN_EGDI/{name}.csv",
                linked("egdi_tii_index"),
                [("KAZ", 2022, 0.5), ("KAZ", 2024, 0.6), ("UZB", 2022, 0.4), ("UZB", 2024, 0.5)],
            )
            for name in ("UN_EGDI_TTI", "UN_EGDI_TTI_WIDEF", "UN_EGDI_TII", "UN_EGDI_TII_WIDEF")
        ),
    ],
)
def test_the_files_of_the_first_live_run_are_read(
    case: str, path: str, request_: SeriesRequest, expected: Any, reference: Path, open_files: Visit
) -> None:
    body = (reference.parent / "cases" / "first-live-run" / case).read_bytes()
    assert values(only(open_files({path: body}, request_))) == expected


@pytest.mark.parametrize("name", ["UN_EGDI_TTI", "UN_EGDI_TII"])
def test_the_telecommunication_index_is_requested_by_its_name_in_the_list(
    name: str, visit: Visit, httpserver: HTTPServer
) -> None:
    rows = [without(*CUTS.values(), code=name, value="0.5", DATABASE_ID="UN_EGDI", UNIT_MEASURE="SCORE")]
    answer = only(visit(page(rows), linked("egdi_tii_index"), ids=["UN_EGDI_EGDI", name]))
    assert values(answer) == [("UZB", 2023, 0.5)]
    assert [request.args["INDICATOR"] for request in requests_to(httpserver, DATA)] == [name]
