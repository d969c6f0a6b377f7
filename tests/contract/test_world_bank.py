"""The World Bank adapter against a loopback server that answers and fails like the real World Bank.

Figures are invented; format and messages are those of the API. The last tests read recorded responses of the real API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import Provider
from sources.http import reachability
from sources.observation import Areas
from sources.parsing.responses import UnusableResponse
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.world_bank import PUBLIC_BASE, fetch
from sources.providers.world_bank_pages import observations_of, parse
from sources.refusals import RefusedCode, RefusedCodes
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import TURNED_AWAY
from tests.running import further

USERS, BROADBAND, SERVERS = "IT.NET.USER.ZS", "IT.NET.BBND.P2", "IT.NET.SECR.P6"
WINDOW = Window(2000, 2026)
AREAS = Areas(
    economies=frozenset({"UZB", "KAZ", "KGZ", "TUR"}),
    aggregates=frozenset({"WLD"}),
    iso2_to_iso3={"UZ": "UZB", "KZ": "KAZ", "KG": "KGZ", "TR": "TUR"},
    m49_to_iso3={860: "UZB"},
)
Handler = Callable[[Request], Response]
JSON = "application/json;charset=utf-8"


def row(code: str = USERS, area: str = "UZB", date: Any = "2024", value: Any = 40.5, **changes: Any) -> dict[str, Any]:
    return {
        "indicator": {"id": code, "value": "made up"},
        "country": {"id": area[:2], "value": "made up"},
        "countryiso3code": area,
        "date": date,
        "value": value,
        "unit": "",
        "obs_status": "",
        "decimal": 1,
    } | changes


def envelope(rows: list[Any] | None, **changes: Any) -> list[Any]:
    head = {
        "page": 1,
        "pages": 1,
        "per_page": 32500,
        "total": len(rows or []),
        "sourceid": "2",
        "lastupdated": "2026-07-13",
    }
    return [head | changes, rows]


def message(
    number: str, key: str = "Invalid value", text: str = "The provided parameter value is not valid"
) -> list[Any]:
    return [{"message": [{"id": number, "key": key, "value": text}]}]


def codes_of(request: Request) -> list[str]:
    return unquote(request.path).rsplit("/", 1)[-1].split(";")


@pytest.fixture
def visit(httpserver: HTTPServer) -> Callable[..., Fetched]:
    """Return a function that requests series from the loopback API. The body is a function, a document or bytes."""

    def ask(
        answer: Any,
        *codes: str | SeriesRequest,
        content_type: str = JSON,
        status: int = 200,
        http: PatientHttp | None = None,
    ) -> Fetched:
        def handle(request: Request) -> Response:
            if callable(answer):
                given = answer(request)
                return given if isinstance(given, Response) else Response(json.dumps(given), content_type=JSON)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            return Response(body, content_type=content_type, status=status)

        httpserver.expect_request(re.compile(r"^/v2/country/all/indicator/.+")).respond_with_handler(handle)
        requests = [code if isinstance(code, SeriesRequest) else SeriesRequest(code) for code in codes or (USERS,)]
        asking = http or PatientHttp(tries=2)
        return fetch(requests, provider(httpserver.url_for("/v2")), AREAS, WINDOW, asking)

    return ask


def provider(base_url: str) -> Provider:
    return Provider(
        id="world_bank",
        title="World Bank",
        base_url=HttpUrl(base_url),
        licence="CC BY 4.0",
        citation="World Bank",
        cadence="yearly",
        read_timeout_s=2,
    )


def only(fetched: Fetched) -> Any:
    assert len(fetched.answers) == 1
    return next(iter(fetched.answers.values()))


def values(answer: Any) -> list[tuple[str, int, float]]:
    return sorted(answer.records.select("iso3", "year", "value").rows())


# Requests


def test_several_series_are_read_with_one_call(visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    rows = [row(USERS, value=40.5), row(BROADBAND, value=7), row(BROADBAND, "WLD", "2023", 8.25)]
    fetched = visit(envelope(rows), USERS, BROADBAND)
    assert values(fetched.answers[SeriesRequest(USERS)]) == [("UZB", 2024, 40.5)]
    assert values(fetched.answers[SeriesRequest(BROADBAND)]) == [("UZB", 2024, 7.0), ("WLD", 2023, 8.25)]
    (request, _), *more = httpserver.log
    assert not more
    assert codes_of(request) == [USERS, BROADBAND]
    assert dict(request.args) == {
        "source": "2",
        "format": "json",
        "per_page": "32500",
        "date": "2000:2026",
        "page": "1",
    }


def test_a_series_of_another_unnamed_source_has_the_requested_source(
    visit: Callable[..., Fetched],
) -> None:
    findex = visit(envelope([row("g20.any")], sourceid=None), SeriesRequest("g20.any", (("source", 28),)))
    assert only(findex).release == "Global Findex 2026-07-13"


@pytest.mark.parametrize("source", [None, "absent"])
def test_series_of_an_unnamed_source_get_the_requested_source_and_its_last_update(
    source: str | None, visit: Callable[..., Fetched]
) -> None:
    document = envelope([row(USERS), row("IT.CEL.SETS.P2", value=12)], sourceid=None)
    if source == "absent":
        del document[0]["sourceid"]
    fetched = visit(document, USERS, "IT.CEL.SETS.P2")
    assert [(answer.outcome, answer.release) for answer in fetched.answers.values()] == [
        (Outcome.OK, "WDI 2026-07-13"),
        (Outcome.OK, "WDI 2026-07-13"),
    ]


def test_each_source_is_requested_separately(visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    findex = SeriesRequest("g20.any", (("source", 28),))

    def answer(request: Request) -> Any:
        return envelope([row(code) for code in codes_of(request)], sourceid=request.args["source"])

    fetched = visit(answer, USERS, findex, BROADBAND)
    assert {(tuple(codes_of(r)), r.args["source"]) for r, _ in httpserver.log} == {
        ((USERS, BROADBAND), "2"),
        (("g20.any",), "28"),
    }
    assert fetched.answers[findex].release == "Global Findex 2026-07-13"
    assert fetched.answers[SeriesRequest(USERS)].release == "WDI 2026-07-13"


@pytest.mark.parametrize(("length", "calls"), [(14, 3), (60, 7)])
def test_a_call_never_exceeds_the_limits_of_the_address(
    length: int, calls: int, visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    codes = [f"C{number:03}".ljust(length, "X") for number in range(150)]
    fetched = visit(lambda request: envelope([row(code) for code in codes_of(request)]), *codes)
    assert [request.code for request in fetched.answers] == codes
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.OK}
    assert len(httpserver.log) == calls
    for request, _ in httpserver.log:
        assert len(codes_of(request)) <= 60
        assert max(map(len, request.path.split("/"))) <= 1500
        assert len(request.url) <= 4000


def test_a_series_is_cited_by_its_public_address(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row()])))
    assert answer.source_url.startswith(f"{PUBLIC_BASE}/country/all/indicator/{USERS}?source=2&format=json")
    assert "127.0.0.1" not in answer.source_url
    assert answer.release == "WDI 2026-07-13"
    assert answer.retrieved_at is not None


# Pages


def paged(rows: list[dict[str, Any]], size: int, **changes: Any) -> Handler:
    def answer(request: Request) -> Any:
        number = int(request.args["page"])
        part = rows[(number - 1) * size : number * size]
        head = {"page": number, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
        return envelope(part, **(head | {name: change(number) for name, change in changes.items()}))

    return answer


YEARLY = [row(date=str(year), value=year / 10) for year in range(2000, 2011)]


def test_all_pages_are_read_each_once(visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    fetched = visit(paged(YEARLY, 3))
    assert values(only(fetched)) == [("UZB", year, year / 10) for year in range(2000, 2011)]
    assert sorted(request.args["page"] for request, _ in httpserver.log) == ["1", "2", "3", "4"]
    assert len(fetched.bodies) == 4


def test_all_pages_are_read_after_a_byte_order_mark(visit: Callable[..., Fetched]) -> None:
    def marked(request: Request) -> Response:
        return Response(b"\xef\xbb\xbf" + json.dumps(paged(YEARLY, 3)(request)).encode(), content_type=JSON)

    assert values(only(visit(marked))) == [("UZB", year, year / 10) for year in range(2000, 2011)]


def test_every_record_names_its_body(visit: Callable[..., Fetched]) -> None:
    fetched = visit(paged(YEARLY, 6))
    years_of = {body.sha256: {r["date"] for r in json.loads(body.content)[1]} for body in fetched.bodies}
    for year, raw_sha256 in only(fetched).records.select("year", "raw_sha256").rows():
        assert str(year) in years_of[raw_sha256]
    assert len(years_of) == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lastupdated": lambda n: f"2026-07-0{n}"}, "not of one release"),
        ({"total": lambda n: 10 + n}, "not of one release"),
        ({"total": lambda _: 12}, "11 rows came instead of 12"),
        ({"page": lambda _: 1}, "page 1 came instead of page 2"),
        ({"pages": lambda _: 100_000}, "more than an answer can have"),
    ],
)
def test_inconsistent_pages_are_all_refused(
    changes: dict[str, Any], reason: str, visit: Callable[..., Fetched]
) -> None:
    fetched = visit(paged(YEARLY, 6, **changes))
    answer = only(fetched)
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert reason in answer.reason
    assert fetched.bodies
    assert all(body.refused for body in fetched.bodies)


def test_one_failing_page_makes_the_series_unavailable(visit: Callable[..., Fetched]) -> None:
    whole = paged(YEARLY, 4)
    fetched = visit(lambda r: Response("busy", status=503) if r.args["page"] == "3" else whole(r))
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "503" in only(fetched).reason


@pytest.mark.parametrize("field", ["sourceid", "lastupdated", "page", "pages", "total", "per_page"])
@pytest.mark.parametrize("sent", [{"id": "2"}, ["2"], [], {}])
def test_an_object_or_list_in_the_envelope_is_a_refused_response(
    field: str, sent: Any, visit: Callable[..., Fetched]
) -> None:
    answer = only(visit(envelope([row()], **{field: sent})))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert field in answer.reason


def test_paging_numbers_may_be_strings(visit: Callable[..., Fetched]) -> None:
    assert only(visit(envelope([row()], page="1", pages="1", per_page="50", total="1"))).outcome is Outcome.OK


# Missing series


@pytest.mark.parametrize(
    "document", [envelope(None), envelope([]), envelope(None, page=0, pages=0)[:1], envelope(None)[:1]]
)
def test_a_response_with_total_zero_means_no_data(document: Any, visit: Callable[..., Fetched]) -> None:
    answer = only(visit(document))
    assert (answer.outcome, answer.records.height, answer.rejects.height) == (Outcome.NO_DATA, 0, 0)
    assert answer.reason


def test_a_series_of_nulls_means_no_data_and_has_no_record(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(value=None), row(area="KAZ", value=None), row(area="KGZ", value="")])))
    assert (answer.outcome, answer.records.height, answer.rejects.height) == (Outcome.NO_DATA, 0, 0)


def test_a_series_missing_in_a_batch_has_no_data(visit: Callable[..., Fetched]) -> None:
    fetched = visit(envelope([row(USERS)]), USERS, BROADBAND)
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.NO_DATA]


def test_fewer_rows_than_the_total_do_not_mean_no_data(visit: Callable[..., Fetched]) -> None:
    assert only(visit(envelope(None, total=12))).outcome is Outcome.UNAVAILABLE


# Values, periods, areas


@pytest.mark.parametrize(
    ("sent", "value"), [(89, 89.0), (89.0, 89.0), ("89.25", 89.25), (0, 0.0), (-1.5e-3, -0.0015), ("1e2", 100.0)]
)
def test_figures_may_be_numbers_or_strings(sent: Any, value: float, visit: Callable[..., Fetched]) -> None:
    assert values(only(visit(envelope([row(value=sent)])))) == [("UZB", 2024, value)]


def test_a_figure_keeps_every_digit() -> None:
    body = b'[{"page":1,"pages":1,"total":1},[%s]]' % json.dumps(row(value=0)).encode().replace(
        b'"value": 0,', b'"value": 40.840113505519001,'
    )
    figures = observations_of(parse(body).rows, "0" * 64, [USERS], AREAS, WINDOW)
    assert figures["value"][0] == float("40.840113505519001")


@pytest.mark.parametrize(
    "sent", ["NaN", "-", "<5", "12,5", "N", "null", "1 000", "Infinity", "1e999", True, {"a": "x"}, ["3"]]
)
def test_a_value_that_is_not_a_number_is_rejected_with_its_reason(sent: Any, visit: Callable[..., Fetched]) -> None:
    fetched = visit(envelope([row(value=sent), row(area="KAZ", value=3)]))
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2024, 3.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], reject["raw_sha256"]) == ("UZB", 2024, fetched.bodies[0].sha256)
    assert "is not a number" in reject["reason"]
    written = sent if isinstance(sent, str) else json.dumps(sent)
    assert json.loads(reject["raw_record"])["value"] == written


def test_a_bare_nan_in_the_body_is_rejected(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(value=float("nan")), row(area="KAZ")])))
    assert answer.rejects["reason"].to_list() == ["the value NaN is not a number"]


@pytest.mark.parametrize("date", ["2023Q4", "2023M06", "", "YTD", "20", None, 2023.5])
def test_a_period_that_is_not_a_year_is_rejected(date: Any, visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(date=date), row(area="KAZ")])))
    (reject,) = answer.rejects.to_dicts()
    assert "is not a year" in reject["reason"]
    assert (reject["iso3"], reject["year"]) == ("UZB", None)
    assert answer.records.height == 1


def test_years_outside_the_window_are_dropped(visit: Callable[..., Fetched]) -> None:
    rows = [row(date=str(year), value=1) for year in (1990, 1999, 2000, 2026, 2027)]
    answer = only(visit(envelope(rows)))
    assert answer.records["year"].sort().to_list() == [2000, 2026]
    assert answer.rejects.height == 0


def test_a_series_outside_the_window_means_no_data(visit: Callable[..., Fetched]) -> None:
    assert only(visit(envelope([row(date="1984")]))).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(
    ("stated", "country", "iso3"),
    [("UZB", "UZ", "UZB"), ("", "UZ", "UZB"), (None, "KZ", "KAZ"), ("", "TUR", "TUR"), ("WLD", "1W", "WLD")],
)
def test_the_area_is_identified_by_the_available_codes(
    stated: str | None, country: str, iso3: str, visit: Callable[..., Fetched]
) -> None:
    changes = {"countryiso3code": stated, "country": {"id": country, "value": "made up"}}
    assert only(visit(envelope([row(**changes)]))).records["iso3"].to_list() == [iso3]


@pytest.mark.parametrize(("stated", "country"), [("XKX", "XK"), ("", "ZQ"), ("", ""), (None, None)])
def test_an_unknown_area_is_rejected_by_name(
    stated: str | None, country: str | None, visit: Callable[..., Fetched]
) -> None:
    unknown = row(countryiso3code=stated, country={"id": country, "value": "made up"})
    answer = only(visit(envelope([unknown, row(area="KAZ")])))
    assert answer.rejects["reason"].to_list() == [f"unknown area {stated or country or ''}"]
    assert answer.records["iso3"].to_list() == ["KAZ"]


def test_a_series_of_unknown_areas_only_is_unavailable(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(area="ARB"), row(area="CEB")])))
    assert (answer.outcome, answer.rejects.height) == (Outcome.UNAVAILABLE, 2)
    assert "unknown area" in answer.reason


def test_the_status_of_an_observation_is_kept_and_an_empty_one_is_null(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(obs_status="E"), row(area="KAZ"), row(area="KGZ", obs_status=None)])))
    assert dict(answer.records.select("iso3", "obs_status").rows()) == {"UZB": "E", "KAZ": None, "KGZ": None}


def test_frames_have_exactly_the_specified_columns(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(), row(area="KAZ", value="-")])))
    assert answer.records.schema == RECORD
    assert answer.rejects.schema == SERIES_REJECT


def test_all_duplicates_reach_the_contract(visit: Callable[..., Fetched]) -> None:
    assert only(visit(envelope([row(value=1), row(value=1), row(value=2)]))).records.height == 3


# Data of another indicator


def test_a_response_about_another_indicator_is_refused(visit: Callable[..., Fetched]) -> None:
    fetched = visit(envelope([row(SERVERS)]), USERS, BROADBAND)
    for answer in fetched.answers.values():
        assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
        assert SERVERS in answer.reason
    assert SERVERS in (fetched.bodies[0].refused or "")


def test_rows_whose_two_codes_are_of_different_countries_are_rejected(visit: Callable[..., Fetched]) -> None:
    mixed = row(area="KAZ", value=60) | {"country": {"id": "UZ", "value": "made up"}}
    answer = only(visit(envelope([row(), mixed])))
    assert values(answer) == [("UZB", 2024, 40.5)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"]) == ("KAZ", 2024)
    assert reject["reason"] == "the codes UZ and KAZ are of different countries"


def test_rows_of_an_indicator_that_was_not_requested_are_rejected(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(envelope([row(USERS), row(SERVERS)])))
    assert values(answer) == [("UZB", 2024, 40.5)]
    assert answer.rejects["reason"].to_list() == [f"another indicator's data: {SERVERS}"]


def test_a_series_is_unavailable_if_another_is_returned_instead(visit: Callable[..., Fetched]) -> None:
    fetched = visit(envelope([row(USERS), row(SERVERS)]), USERS, BROADBAND)
    assert fetched.answers[SeriesRequest(USERS)].outcome is Outcome.OK
    taken = fetched.answers[SeriesRequest(BROADBAND)]
    assert (taken.outcome, taken.records.height) == (Outcome.UNAVAILABLE, 0)
    assert SERVERS in taken.reason


# Messages of the API


@pytest.mark.parametrize("status", [200, 400, 404])
@pytest.mark.parametrize("number", ["120", "175"])
def test_a_wrong_code_is_an_unknown_id_whatever_the_status(
    number: str, status: int, visit: Callable[..., Fetched]
) -> None:
    fetched = visit(message(number), status=status)
    answer = only(fetched)
    assert (answer.outcome, answer.records.height) == (Outcome.UNKNOWN_ID, 0)
    assert number in answer.reason
    assert [body.refused for body in fetched.bodies] == [answer.reason]


@pytest.mark.parametrize("number", ["105", "110", "111", "112", "115", "140", "150", "160", "199", "987"])
def test_other_messages_make_the_series_unavailable(number: str, visit: Callable[..., Fetched]) -> None:
    answer = only(visit(message(number, "Service currently unavailable", "Try later")))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, f"the World Bank says: {number} Try later")


@pytest.mark.parametrize(
    "document",
    [message("120")[0], [*message("120"), None], [{"message": [{"id": 120, "key": "Invalid value"}] * 2}]],
    ids=["bare object", "trailing null", "one message a segment"],
)
def test_a_message_is_read_in_every_known_form(document: Any, visit: Callable[..., Fetched]) -> None:
    assert only(visit(document)).outcome is Outcome.UNKNOWN_ID


@pytest.mark.parametrize("document", [[{"message": "down"}], [{"message": None}], [{"message": []}]])
def test_a_message_of_unknown_form_makes_the_series_unavailable(document: Any, visit: Callable[..., Fetched]) -> None:
    assert only(visit(document)).outcome is Outcome.UNAVAILABLE


XML = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?><wb:error xmlns:wb="http://www.worldbank.org">'
    '<wb:message id="{}" key="Invalid value">The provided parameter value is not valid</wb:message></wb:error>'
)


@pytest.mark.parametrize(("number", "outcome"), [("120", Outcome.UNKNOWN_ID), ("105", Outcome.UNAVAILABLE)])
def test_messages_in_xml_are_read(number: str, outcome: Outcome, visit: Callable[..., Fetched]) -> None:
    answer = only(visit(XML.format(number).encode(), content_type="text/xml"))
    assert answer.outcome is outcome
    assert f"{number} The provided parameter" in answer.reason


# One wrong code in a batch

EIGHT = [f"GOOD.{number}" for number in range(7)] + ["BAD.CODE"]


@pytest.mark.parametrize("refusal", [message("120"), message("175"), 400, 404])
@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_wrong_code_does_not_affect_the_others(
    place: int, refusal: Any, visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    codes = EIGHT[:7]
    codes.insert(place, "BAD.CODE")

    def answer(request: Request) -> Any:
        if "BAD.CODE" not in codes_of(request):
            return envelope([row(code) for code in codes_of(request)])
        return Response("<html>not found</html>", status=refusal) if isinstance(refusal, int) else refusal

    fetched = visit(answer, *codes)
    outcomes = {request.code: each.outcome for request, each in fetched.answers.items()}
    assert outcomes.pop("BAD.CODE") is Outcome.UNKNOWN_ID
    assert set(outcomes.values()) == {Outcome.OK}
    assert len(outcomes) == 7
    again = 4 if refusal == 400 else 0  # may be throttling, so each of the four refused calls is tried twice
    assert len(httpserver.log) == 7 + again
    assert len(fetched.bodies) == 7


def test_the_search_for_wrong_codes_is_limited_and_every_request_has_a_result(
    visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    fetched = visit(message("120"), *[f"BAD.{number}" for number in range(60)])
    assert len(fetched.answers) == 60
    assert {answer.outcome for answer in fetched.answers.values()} <= {Outcome.UNKNOWN_ID, Outcome.UNAVAILABLE}
    assert all(answer.reason for answer in fetched.answers.values())
    assert len(httpserver.log) == 32


def test_a_batch_is_not_split_after_a_fault_of_the_server(
    visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    fetched = visit(message("105"), *EIGHT)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert len(httpserver.log) == 1


# Refusals without a message of the API

REQUEST_ERROR = b"<html><body>Request Error</body></html>"


@pytest.mark.parametrize("status", [400, 500])
def test_a_throttled_valid_code_is_retried(status: int, visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    throttled = iter([Response(REQUEST_ERROR, status=status, content_type="text/html")] * 2)
    http = PatientHttp(tries=4)
    fetched = visit(lambda _: next(throttled, None) or Response(GOOD, content_type=JSON), http=http)
    assert values(only(fetched)) == [("KAZ", 2024, 40.5), ("UZB", 2024, 40.5)]
    assert (len(httpserver.log), len(http.waits)) == (3, 2)


@pytest.mark.parametrize("status", [400, 500])
def test_a_message_about_a_wrong_code_is_not_retried(
    status: int, visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    assert only(visit(message("120"), status=status)).outcome is Outcome.UNKNOWN_ID
    assert len(httpserver.log) == 1


def test_a_code_refused_without_a_message_at_every_try_is_unavailable(visit: Callable[..., Fetched]) -> None:
    answer = only(visit(REQUEST_ERROR, content_type="text/html", status=400))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "HTTP 400 without a message of the API, at every try" in answer.reason


def test_a_throttled_batch_is_split_into_few_parts(visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    codes = [f"GOOD.{number}" for number in range(60)]
    fetched = visit(REQUEST_ERROR, *codes, content_type="text/html", status=400)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert len(fetched.answers) == 60
    assert len(httpserver.log) == 5 * 2


# Refused codes, remembered

BAD, ALSO_BAD = "BAD.CODE", "WORSE.CODE"
FORTY = [f"GOOD.{number}" for number in range(40)]


@pytest.fixture
def refusing(httpserver: HTTPServer) -> dict[str, Any]:
    """The state of an API that refuses calls with a code in ``wrong``, and the dates of its databases."""
    state: dict[str, Any] = {"wrong": {BAD}, "updated": "2026-07-13", "refusal": message("175")}

    def source(_: Request) -> Response:
        listed = [{"page": "1", "total": "1"}, [{"id": "2", "lastupdated": state["updated"]}]]
        return Response(json.dumps(listed), content_type=JSON)

    def answer(request: Request) -> Any:
        codes = codes_of(request)
        if not state["wrong"].intersection(codes):
            return envelope([row(code) for code in codes], lastupdated=state["updated"])
        refusal = state["refusal"]
        return Response("<html>", status=refusal) if isinstance(refusal, int) else refusal

    httpserver.expect_request(re.compile("^/v2/sources/")).respond_with_handler(source)
    state["answer"] = answer
    return state


def calls(httpserver: HTTPServer) -> list[list[str]]:
    """Return the codes of each call for figures since the last call of this function."""
    calls_made = [codes_of(request) for request, _ in httpserver.log if "/indicator/" in request.path]
    httpserver.clear_log()
    return calls_made


@pytest.mark.parametrize("refusal", [message("120"), message("175"), 404, 400])
@pytest.mark.parametrize("place", [17, *further(0, 40)])
def test_a_refused_code_is_requested_alone_until_the_release_changes(
    place: int, refusal: Any, refusing: dict[str, Any], visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    codes = [*FORTY[:place], BAD, *FORTY[place:]]
    refusing["refusal"], refused = refusal, RefusedCodes()
    visit(refusing["answer"], *codes, http=PatientHttp(tries=1, refused=refused))
    assert len(calls(httpserver)) > 3
    assert refused.all() == (RefusedCode("world_bank", "2", BAD, "2026-07-13"),)

    fetched = visit(refusing["answer"], *codes, http=PatientHttp(tries=4, refused=refused))
    assert sorted(calls(httpserver), key=len) == [[BAD], FORTY]
    assert fetched.answers[SeriesRequest(BAD)].outcome is Outcome.UNKNOWN_ID
    assert [fetched.answers[SeriesRequest(code)].outcome for code in FORTY] == [Outcome.OK] * 40

    refusing["updated"] = "2026-09-01"
    visit(refusing["answer"], *codes, http=PatientHttp(tries=1, refused=refused))
    assert calls(httpserver)[0] == codes
    assert refused.all() == (RefusedCode("world_bank", "2", BAD, "2026-09-01"),)


def test_a_refused_code_is_forgotten_once_it_returns_figures(
    refusing: dict[str, Any], visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    refused = RefusedCodes([RefusedCode("world_bank", "2", BAD, "2026-07-13")])
    refusing["wrong"] = set()
    fetched = visit(refusing["answer"], *FORTY, BAD, http=PatientHttp(refused=refused))
    assert fetched.answers[SeriesRequest(BAD)].outcome is Outcome.OK
    assert refused.all() == ()
    calls(httpserver)
    visit(refusing["answer"], *FORTY, BAD, http=PatientHttp(refused=refused))
    assert calls(httpserver) == [[*FORTY, BAD]]


def test_two_refused_codes_get_one_call_each(
    refusing: dict[str, Any], visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    refusing["wrong"], refused = {BAD, ALSO_BAD}, RefusedCodes()
    for _ in range(2):
        calls(httpserver)
        visit(refusing["answer"], BAD, *FORTY, ALSO_BAD, http=PatientHttp(refused=refused))
    assert sorted(calls(httpserver), key=lambda codes: (len(codes), codes)) == [[BAD], [ALSO_BAD], FORTY]


def test_a_refused_code_stays_separate_if_the_database_has_no_date(
    visit: Callable[..., Fetched], httpserver: HTTPServer
) -> None:
    refused = RefusedCodes([RefusedCode("world_bank", "2", BAD, "2026-07-13")])
    visit(message("120"), USERS, BAD, http=PatientHttp(refused=refused))
    assert sorted(calls(httpserver)) == [[BAD], [USERS]]


@pytest.mark.parametrize("codes", [[BAD], EIGHT])
@pytest.mark.parametrize("number", ["120", "105"])
def test_a_refusal_is_not_remembered_if_no_code_succeeds(
    number: str, codes: list[str], visit: Callable[..., Fetched]
) -> None:
    http = PatientHttp(tries=1)
    visit(message(number), *codes, http=http)
    assert http.refused.all() == ()


# Unusable bodies

GOOD = json.dumps(envelope([row(), row(area="KAZ")])).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html><title>Maintenance</title></html>", "markup"),
        (b"<wb:data/>", "markup"),
        (GOOD[: len(GOOD) // 2], "not valid JSON"),
        (b"[]", "not a World Bank answer"),
        (b"{}", "not a World Bank answer"),
        (b"null", "not a World Bank answer"),
        (b"7", "not a World Bank answer"),
        (b'"ok"', "not a World Bank answer"),
        (b"[[], []]", "not a World Bank answer"),
        (b"[" * 100_000, "not valid JSON"),
        (b'[{"page": 1, "pages": 1, "total": 1}, {}]', "rows are not a list"),
        (b'[{"page": 1, "pages": 1, "total": 1}, [7]]', "another shape"),
        (b'[{"page": 1, "pages": 1, "total": 1}, [null]]', "another shape"),
        (b'[{"page": 1, "pages": 1, "total": "many"}, []]', "not a number"),
        (b'[{"page": null, "pages": 1, "total": 0}, []]', "not a number"),
        (b'[{"page": 1, "total": 0}, []]', "lacks the field 'pages'"),
        (b"PK\x03\x04\xff\xfe", "not valid JSON"),
    ],
)
def test_a_body_that_is_no_answer_is_refused_with_a_reason_and_kept(
    body: bytes, reason: str, visit: Callable[..., Fetched]
) -> None:
    fetched = visit(body)
    answer = only(fetched)
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert reason in answer.reason
    assert [(kept.content, kept.refused) for kept in fetched.bodies] == ([(body, answer.reason)] if body else [])


@pytest.mark.parametrize("field", ["indicator", "country", "date", "value"])
def test_a_renamed_field_is_named_in_the_refusal(field: str, visit: Callable[..., Fetched]) -> None:
    renamed = row()
    renamed["val"] = renamed.pop(field)
    answer = only(visit(envelope([row(), renamed])))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, f"a row lacks the field '{field}'")


def test_added_fields_are_ignored(visit: Callable[..., Fetched]) -> None:
    assert only(visit(envelope([row(footnote="new", scale={"id": "x"})], notice="new"))).outcome is Outcome.OK


@pytest.mark.parametrize("declared", ["text/html", "text/plain", "application/zip"])
def test_a_response_declared_as_another_type_is_refused(declared: str, visit: Callable[..., Fetched]) -> None:
    fetched = visit(GOOD, content_type=declared)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert declared in only(fetched).reason
    assert declared in (fetched.bodies[0].refused or "")


def test_a_byte_order_mark_is_accepted(visit: Callable[..., Fetched]) -> None:
    assert only(visit(b"\xef\xbb\xbf" + GOOD)).records.height == 2


def test_names_in_another_encoding_are_accepted(visit: Callable[..., Fetched]) -> None:
    named = row(area="TUR", country={"id": "TR", "value": "Türkiye"})
    body = json.dumps(envelope([named]), ensure_ascii=False).encode("latin-1")
    assert values(only(visit(body))) == [("TUR", 2024, 40.5)]


# Transport


@pytest.mark.parametrize("status", TURNED_AWAY)
def test_a_server_that_rejects_programs_is_blocked(status: int, visit: Callable[..., Fetched]) -> None:
    answer = only(visit(b"no", content_type="text/plain", status=status))
    assert answer.outcome is Outcome.BLOCKED
    assert f"HTTP {status}: closed to programs; name a contact address in CAREC_CONTACT" in answer.reason


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Callable[..., Fetched]) -> None:
    fetched = visit(b"no", USERS, BROADBAND, content_type="text/plain", status=status)
    for answer in fetched.answers.values():
        assert answer.outcome is Outcome.UNAVAILABLE
        assert str(status) in answer.reason
    assert (fetched.bodies[0].status, bool(fetched.bodies[0].refused)) == (status, True)


def test_a_temporary_fault_does_not_change_the_result(visit: Callable[..., Fetched], httpserver: HTTPServer) -> None:
    first = iter([Response("busy", status=502)])
    fetched = visit(lambda _: next(first, None) or Response(GOOD, content_type=JSON))
    assert only(fetched).outcome is Outcome.OK
    assert [body.refused for body in fetched.bodies] == [None]
    assert len(httpserver.log) == 2


def test_a_challenge_is_blocked(visit: Callable[..., Fetched]) -> None:
    fetched = visit(b"", status=202)
    assert only(fetched).outcome is Outcome.BLOCKED
    assert "challenge" in only(fetched).reason
    assert fetched.bodies == []


def test_an_unreachable_provider_is_tried_once_for_all_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[tuple[str, int]] = []
    dial = reachability._connect
    monkeypatch.setattr(reachability, "_connect", lambda at, *rest: dialled.append(at) or dial(at, *rest))
    base = f"http://127.0.0.1:{unused_port()}/v2"
    requests = [SeriesRequest(f"CODE.{n}", (("source", n),)) for n in range(30)]
    fetched = fetch(requests, provider(base), AREAS, WINDOW, PatientHttp())
    assert len(dialled) == 1
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert len({answer.reason for answer in fetched.answers.values()}) == 1
    assert fetched.bodies == []
    assert list(fetched.answers) == requests


def test_without_requests_there_are_no_results() -> None:
    fetched = fetch([], provider("http://127.0.0.1:9/v2"), AREAS, WINDOW, PatientHttp())
    assert (fetched.answers, fetched.bodies) == ({}, [])


# Size


def test_a_large_response_is_read_completely() -> None:
    rows = [
        row(code, area, str(year), year / 7)
        for code in (USERS, BROADBAND, SERVERS)
        for area in AREAS.known
        for year in range(2000, 2027)
    ]
    body = json.dumps(envelope(rows * 150)).encode()
    figures = observations_of(parse(body).rows, "0" * 64, [USERS, BROADBAND, SERVERS], AREAS, WINDOW)
    assert figures.height == len(rows) * 150 > 60_000
    assert figures["reason"].null_count() == figures.height


# Recorded responses of the real API


def test_a_recorded_response_has_the_observations_of_the_tidy_copy(reference: Path) -> None:
    tidy = pl.read_csv(reference / "world_bank" / f"{BROADBAND}.csv", schema_overrides={"year": pl.Int32})
    page = parse((reference / "world_bank" / "raw" / f"wb_{BROADBAND}.json").read_bytes())
    areas = Areas(frozenset(tidy["iso3"]), frozenset(), {}, {})
    figures = observations_of(page.rows, "0" * 64, [BROADBAND], areas, Window(1960, 2026))
    assert (page.last_updated, page.total) == ("2026-04-08", page.rows.height)
    assert figures.height == page.rows["value"].count() == 177
    assert figures["reason"].null_count() == 177
    both = figures.join(tidy, on=["iso3", "year"], suffix="_tidy")
    assert both.filter((pl.col("value") - pl.col("value_tidy")).abs() < 1e-9).height == 177


def test_a_recorded_response_is_not_accepted_for_another_indicator(reference: Path) -> None:
    page = parse((reference / "world_bank" / "raw" / f"wb_{BROADBAND}.json").read_bytes())
    figures = observations_of(page.rows, "0" * 64, [USERS], AREAS, WINDOW)
    assert figures["reason"].unique().to_list() == [f"another indicator's data: {BROADBAND}"]


def test_a_truncated_body_is_unusable(reference: Path) -> None:
    body = (reference / "world_bank" / "raw" / f"wb_{BROADBAND}.json").read_bytes()
    for end in range(0, len(body), 997):
        with pytest.raises(UnusableResponse):
            parse(body[:end])
