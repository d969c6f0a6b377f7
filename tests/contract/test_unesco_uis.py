"""The UNESCO adapter against an API on loopback. Values are invented; format and hints are those of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import load_catalogue
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.unesco_uis import PUBLIC_BASE, fetch, parse
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

TERTIARY, RESEARCH = "GER.5T8", "EXPGDP.TOT"
DATA, VERSION = "/api/public/data/indicators", "/api/public/versions/default"
RELEASE = "20260507-91260335"
Visit = Callable[..., Fetched]


def record(code: str = TERTIARY, area: Any = "UZB", year: Any = 2023, value: Any = 40.5, **changes: Any) -> Any:
    return {
        "indicatorId": code,
        "geoUnit": area,
        "year": year,
        "value": value,
        "magnitude": None,
        "qualifier": None,
    } | changes


def found(*records: Any, hints: Any = (), **changes: Any) -> dict[str, Any]:
    return {"hints": list(hints), "records": list(records), "indicatorMetadata": []} | changes


def hint(number: str, message: str) -> dict[str, str]:
    return {"code": f"UIS::HINT::{number}", "message": message}


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(data: Any, *codes: str, version: Any = None, window: Window = WINDOW, **served: Any) -> Fetched:
        serve(httpserver, {VERSION: version or {"version": RELEASE, "themeDataStatus": []}})
        serve(httpserver, {DATA: data}, **served)
        requests = [SeriesRequest(code) for code in codes or (TERTIARY,)]
        base = httpserver.url_for("/api/public")
        return fetch(requests, provider("unesco_uis", base), AREAS, window, PatientHttp(tries=2))

    return ask


# Requests


def test_several_series_are_read_with_one_call_of_a_pinned_release(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(found(record(), record(RESEARCH, "KAZ", value=0.25)), TERTIARY, RESEARCH)
    tertiary, research = fetched.answers.values()
    assert (values(tertiary), values(research)) == ([("UZB", 2023, 40.5)], [("KAZ", 2023, 0.25)])
    assert tertiary.release == f"UIS {RELEASE}"
    assert tertiary.source_url == f"{PUBLIC_BASE}/data/indicators?indicator={TERTIARY}&start=2000&end=2026"
    (request,) = requests_to(httpserver, DATA)
    assert request.args.getlist("indicator") == [TERTIARY, RESEARCH]
    assert {name: request.args[name] for name in ("start", "end", "version")} == {
        "start": "2000",
        "end": "2026",
        "version": RELEASE,
    }


def test_only_parameters_of_the_api_are_sent(visit: Visit, httpserver: HTTPServer) -> None:
    visit(found(record()))
    (request,) = requests_to(httpserver, DATA)
    assert set(request.args) <= {"indicator", "geoUnit", "start", "end", "version", "footnotes", "indicatorMetadata"}


def test_a_call_never_exceeds_the_limits_of_the_api(visit: Visit, httpserver: HTTPServer) -> None:
    codes = [f"CODE.{number}" for number in range(20)]

    def answer(request: Request) -> Any:
        return found(*(record(code) for code in request.args.getlist("indicator")))

    fetched = visit(answer, *codes)
    assert [request.code for request in fetched.answers] == codes
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.OK}
    for request in requests_to(httpserver, DATA):
        assert len(request.args.getlist("indicator")) * 27 * 462 <= 100_000


@pytest.mark.parametrize("version", [Response("down", status=500), b"<html>", {"v": 1}, [7], {"version": None}])
def test_figures_are_read_without_the_name_of_the_release(version: Any, visit: Visit, httpserver: HTTPServer) -> None:
    answer = only(visit(found(record()), version=version))
    assert (answer.outcome, answer.release) == (Outcome.OK, None)
    assert "version" not in requests_to(httpserver, DATA)[0].args


# Missing series


def test_an_unknown_code_is_recognised_by_the_hint(visit: Visit) -> None:
    no_indicator = hint("001", "The indicator could not be found, GER.BOGUS")
    fetched = visit(found(record(), hints=[no_indicator]), TERTIARY, "GER.BOGUS", RESEARCH)
    outcomes = [answer.outcome for answer in fetched.answers.values()]
    assert outcomes == [Outcome.OK, Outcome.UNKNOWN_ID, Outcome.NO_DATA]


@pytest.mark.parametrize(
    "hints", [[], [hint("004", "No data for the given time range, available time range ...")], None, ["odd"], 7]
)
def test_no_records_without_a_hint_of_a_wrong_code_mean_no_data(hints: Any, visit: Visit) -> None:
    answer = only(visit(found() | {"hints": hints}))
    assert (answer.outcome, answer.records.height) == (Outcome.NO_DATA, 0)
    assert answer.reason


def test_records_without_values_mean_no_data(visit: Visit) -> None:
    assert only(visit(found(record(value=None, magnitude="NA")))).outcome is Outcome.NO_DATA


def test_years_outside_the_window_are_dropped_if_the_api_ignores_it(visit: Visit) -> None:
    answer = only(visit(found(*(record(year=year) for year in (1970, 1999, 2000, 2026, 2027)))))
    assert answer.records["year"].to_list() == [2000, 2026]


# Values, periods, areas


@pytest.mark.parametrize("sent", [*NOT_NUMBERS, True, {"a": "x"}])
def test_a_value_that_is_not_a_number_is_rejected_with_its_reason(sent: Any, visit: Visit) -> None:
    fetched = visit(found(record(value=sent), record(area="KAZ", value=3)))
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2023, 3.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], reject["raw_sha256"]) == ("UZB", 2023, fetched.bodies[-1].sha256)
    assert "is not a number" in reject["reason"]
    assert json.loads(reject["raw_record"])["geoUnit"] == "UZB"


@pytest.mark.parametrize("year", [*NOT_YEARS, None])
def test_a_period_that_is_not_a_year_is_rejected(year: Any, visit: Visit) -> None:
    answer = only(visit(found(record(year=year), record(area="KAZ"))))
    assert "is not a year" in reasons(answer)[0]
    assert answer.rejects["year"].to_list() == [None]


def test_an_unknown_area_is_rejected_by_name_and_a_grouping_is_left_out(visit: Visit) -> None:
    answer = only(visit(found(record(), record(area="ZZZ"), record(area=None), record(area="SDG: World"))))
    assert reasons(answer) == ["unknown area ZZZ", "unknown area (none)"]
    assert values(answer) == [("UZB", 2023, 40.5)]


def test_an_estimate_keeps_its_mark(visit: Visit) -> None:
    records = [record(qualifier="UIS_EST"), record(area="KAZ"), record(area="KGZ", value=0, magnitude="NIL")]
    answer = only(visit(found(*records)))
    marks = {"UZB": "UIS_EST", "KAZ": None, "KGZ": "NIL"}
    assert dict(answer.records.select("iso3", "obs_status").rows()) == marks


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(found(record(), record(area="KAZ", value="-"))))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


# Unusable bodies


def test_records_of_another_indicator_are_refused(visit: Visit) -> None:
    fetched = visit(found(record("GER.3")))
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert "GER.3" in (only(fetched).reason or "")
    assert "GER.3" in (fetched.bodies[-1].refused or "")


@pytest.mark.parametrize("field", ["indicatorId", "geoUnit", "year", "value"])
def test_a_renamed_field_of_a_record_is_named(field: str, visit: Visit) -> None:
    renamed = record()
    renamed["x"] = renamed.pop(field)
    answer = only(visit(found(record(), renamed)))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, f"a row lacks the field '{field}'")


def test_a_renamed_list_of_records_is_named(visit: Visit) -> None:
    assert "lacks the field 'records'" in (only(visit({"hints": [], "data": [record()]})).reason or "")


def test_added_fields_are_ignored(visit: Visit) -> None:
    assert only(visit(found(record(footnotes=[{"type": "Source"}]), paging=None))).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("body", "reason"),
    [*NOT_JSON, (b"[]", "not an answer"), (b"7", "not an answer"), (b'{"records": 7}', "not a list")],
)
def test_an_unusable_body_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert [kept.content for kept in fetched.bodies if kept.refused] == ([body] if body else [])


@pytest.mark.parametrize("status", [*STATUSES, 400])
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("too many records", status=status), TERTIARY, RESEARCH)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert all(str(status) in (answer.reason or "") for answer in fetched.answers.values())


def test_a_page_declared_as_html_is_refused(visit: Visit) -> None:
    assert only(visit(json.dumps(found(record())).encode(), content_type="text/html")).outcome is Outcome.UNAVAILABLE


def test_a_figure_keeps_every_digit_and_a_byte_order_mark_is_accepted() -> None:
    body = (
        b'\xef\xbb\xbf{"records": [{"indicatorId": "A", "geoUnit": "UZB", "year": 2023, "value": 54.10340118408203}]}'
    )
    assert parse(body).rows["value"].to_list() == ["54.10340118408203"]


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    requests = [SeriesRequest(TERTIARY), SeriesRequest(RESEARCH)]
    fetched = fetch(requests, provider("unesco_uis", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2
    assert fetched.bodies == []


def test_every_link_of_the_catalogue_is_a_code_without_options() -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "unesco_uis"]
    assert {str(link.code) for link in links} >= {TERTIARY, RESEARCH}
    assert all(link.code and not link.options for link in links)
