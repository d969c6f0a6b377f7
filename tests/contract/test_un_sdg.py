"""The UN SDG adapter against a database on loopback. Values are invented; the format is that of the API."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import load_catalogue
from sources.observation import Areas
from sources.parsing.observations import with_raw_record
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.un_sdg import PAGE_SIZES, PUBLIC_BASE, fetch, observations_of, parse, releases_of
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

USERS, COVERAGE, BROADBAND, SKILLS = "IT_USE_ii99", "IT_MOB_4GNTWK", "IT_NET_BBND", "SE_ADT_ACTS"
DATA, LIST = "/v1/sdg/Series/Data", "/v1/sdg/Series/List"
BOTH = SeriesRequest(USERS, (("Age", "ALLAGE"), ("Sex", "BOTHSEX"), ("Units", "PERCENT")))
WOMEN = SeriesRequest(USERS, (("Age", "ALLAGE"), ("Sex", "FEMALE"), ("Units", "PERCENT")))
SERIES = [{"code": code, "release": "2026.Q2.G.02"} for code in (USERS, COVERAGE, BROADBAND, SKILLS)]
Visit = Callable[..., Fetched]


def row(series: str = COVERAGE, area: Any = "860", year: Any = 2023.0, value: Any = "40.5", **changes: Any) -> Any:
    return {
        "goal": ["9"],
        "series": series,
        "seriesDescription": "made up",
        "geoAreaCode": area,
        "geoAreaName": "made up",
        "timePeriodStart": year,
        "value": value,
        "attributes": {"Nature": "C", "Units": "PERCENT"},
        "dimensions": {"Reporting Type": "G"},
    } | changes


def by_sex(sex: str, value: str, age: str = "ALLAGE", **more: str) -> Any:
    return row(USERS, value=value, dimensions={"Reporting Type": "G", "Sex": sex, "Age": age, **more})


def page(rows: list[Any], **changes: Any) -> dict[str, Any]:
    head = {"size": 10_000, "totalElements": len(rows), "totalPages": 1, "pageNumber": 1}
    return head | {"attributes": [], "dimensions": [], "data": rows} | changes


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(data: Any, *requests: SeriesRequest | str, series: Any = SERIES, **served: Any) -> Fetched:
        serve(httpserver, {LIST: series})
        serve(httpserver, {DATA: data}, **served)
        wanted = [SeriesRequest(each) if isinstance(each, str) else each for each in requests or (COVERAGE,)]
        return fetch(wanted, provider("un_sdg", httpserver.url_for("/v1/sdg")), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


# Requests


def test_a_series_has_its_release_and_public_address(visit: Visit, httpserver: HTTPServer) -> None:
    answer = only(visit(page([row(), row(area="1", value="80")])))
    assert (answer.outcome, answer.release) == (Outcome.OK, "SDG 2026.Q2.G.02")
    assert values(answer) == [("UZB", 2023, 40.5), ("WLD", 2023, 80.0)]
    assert answer.source_url == f"{PUBLIC_BASE}/Series/Data?seriesCode={COVERAGE}"
    assert answer.records["obs_status"].to_list() == ["C", "C"]
    (request,) = requests_to(httpserver, DATA)
    assert dict(request.args) == {"seriesCode": COVERAGE, "pageSize": "1000", "page": "1"}


def test_cuts_of_one_series_share_one_download_and_stay_separate(visit: Visit, httpserver: HTTPServer) -> None:
    rows = [by_sex("BOTHSEX", "50"), by_sex("FEMALE", "45"), by_sex("MALE", "55"), by_sex("BOTHSEX", "90", "15-24")]
    fetched = visit(page(rows), BOTH, WOMEN)
    assert values(fetched.answers[BOTH]) == [("UZB", 2023, 50.0)]
    assert values(fetched.answers[WOMEN]) == [("UZB", 2023, 45.0)]
    assert len(requests_to(httpserver, DATA)) == len(requests_to(httpserver, LIST)) == 1


def test_a_dimension_without_a_requested_value_is_the_total(visit: Visit) -> None:
    speed = [
        row(BROADBAND, value=value, dimensions={"Reporting Type": kind, "Type of speed": code})
        for kind, code, value in [
            ("G", "ANYS", "30"),
            ("G", "10MBPS", "20"),
            ("G", "2MT10MBPS", "10"),
            ("N", "ANYS", "31"),
        ]
    ]
    assert values(only(visit(page(speed), BROADBAND))) == [("UZB", 2023, 30.0)]


def test_skills_are_never_merged(visit: Visit) -> None:
    rows = [
        row(SKILLS, value=value, dimensions={"Type of skill": skill, "Sex": "BOTHSEX", "Reporting Type": "G"})
        for skill, value in [("SKILL_ICTCMFL", "60"), ("SKILL_ICTPRGM", "5")]
    ]
    skill = SeriesRequest(SKILLS, (("Type of skill", "SKILL_ICTPRGM"),))
    assert values(only(visit(page(rows), skill))) == [("UZB", 2023, 5.0)]


def test_a_missing_total_is_not_computed_from_its_parts(visit: Visit) -> None:
    rows = [by_sex("BOTHSEX", "50"), row(USERS, "398", value="60", dimensions={"Sex": "FEMALE", "Age": "ALLAGE"})]
    assert [iso3 for iso3, _, _ in values(only(visit(page(rows), BOTH)))] == ["UZB"]


# Codes that changed


@pytest.mark.parametrize(
    ("dimensions", "named"),
    [
        ({"Reporting Type": "G", "Gender": "WOMEN", "Age": "ALLAGE"}, "'Gender': ['WOMEN']"),
        ({"Reporting Type": "G", "Sex": "T", "Age": "ALLAGE"}, "'Sex': ['T']"),
        ({"Reporting Type": "G", "Sex": "BOTHSEX", "Age": "ALLAGE", "Location": "URBAN"}, "'Location': ['URBAN']"),
    ],
)
def test_a_renamed_dimension_or_code_is_named(dimensions: dict[str, str], named: str, visit: Visit) -> None:
    fetched = visit(page([row(USERS, dimensions=dimensions)]), BOTH)
    answer = only(fetched)
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert named in (answer.reason or "")
    assert fetched.bodies[-1].refused == answer.reason


def test_a_part_of_a_missing_dimension_is_refused(visit: Visit) -> None:
    answer = only(visit(page([row(USERS, dimensions={"Reporting Type": "G", "Age": "ALLAGE"})]), WOMEN))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "no row has dimensions.Sex" in (answer.reason or "")


@pytest.mark.parametrize("age", [{}, {"Age": None}, {"Age": ""}, {"Age": "_T"}, {"Age": "NOTSPEC"}, {"Age": "ALLAGE"}])
def test_a_total_matches_all_its_spellings(age: dict[str, Any], visit: Visit) -> None:
    dimensions = {"Reporting Type": "G", "Sex": "BOTHSEX", **age}
    assert values(only(visit(page([row(USERS, dimensions=dimensions)]), BOTH))) == [("UZB", 2023, 40.5)]
    assert values(only(visit(page([row(USERS, dimensions=dimensions)]), USERS))) == [("UZB", 2023, 40.5)]


def test_a_part_does_not_match_an_empty_dimension(visit: Visit) -> None:
    rows = [
        by_sex("BOTHSEX", "50"),
        by_sex("FEMALE", "45"),
        by_sex("", "9"),
        row(USERS, "398", dimensions={"Age": None}),
    ]
    assert values(only(visit(page(rows), WOMEN))) == [("UZB", 2023, 45.0)]


EITHER_SKILL = SeriesRequest(SKILLS, (("Type of skill", "CMFL,SKILL_ICTCMFL"),))


@pytest.mark.parametrize(
    ("skills", "value"),
    [
        ({"CMFL": "60", "COPA": "5", "PCPR": "4"}, 60.0),
        ({"SKILL_ICTCMFL": "59", "SKILL_ICTPRGM": "5"}, 59.0),
        ({"SKILL_ICTCMFL": "59", "CMFL": "60"}, 60.0),
    ],
)
def test_the_first_existing_code_of_several_is_used_never_a_mix(
    skills: dict[str, str], value: float, visit: Visit
) -> None:
    rows = [row(SKILLS, value=sent, dimensions={"Type of skill": code}) for code, sent in skills.items()]
    assert values(only(visit(page(rows), EITHER_SKILL))) == [("UZB", 2023, value)]


def test_the_existing_codes_are_named(visit: Visit) -> None:
    answer = only(visit(page([row(SKILLS, dimensions={"Type of skill": "COPA"})]), EITHER_SKILL))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert "Type of skill CMFL or SKILL_ICTCMFL" in (answer.reason or "") and "['COPA']" in (answer.reason or "")


SCHOOLS = SeriesRequest("SE_ACS_INTNT", (("Education level", "SECOND"), ("aliases", "SE_ACC_INTN")))


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        (["SE_ACS_INTNT"], "SE_ACS_INTNT"),
        (["SE_ACC_INTN"], "SE_ACC_INTN"),
        (["SE_ACC_INTN", "SE_ACS_INTNT"], "SE_ACS_INTNT"),
        (None, "SE_ACS_INTNT"),
    ],
)
def test_the_code_in_the_release_is_requested(
    listed: list[str] | None, name: str, visit: Visit, httpserver: HTTPServer
) -> None:
    series = [{"code": code, "release": "R1"} for code in listed] if listed else b"<html>"
    rows = [
        row(name, value=value, dimensions={"Education level": code})
        for code, value in [("SECOND", "7"), ("PRIMAR", "9")]
    ]
    answer = only(visit(page(rows), SCHOOLS, series=series))
    assert values(answer) == [("UZB", 2023, 7.0)]
    assert [request.args["seriesCode"] for request in requests_to(httpserver, DATA)] == [name]
    assert answer.source_url.endswith(f"seriesCode={name}")
    assert answer.release == ("SDG R1" if listed else None)


def test_a_series_without_any_of_its_codes_is_unknown(visit: Visit) -> None:
    answer = only(visit(page([]), SCHOOLS))
    assert answer.outcome is Outcome.UNKNOWN_ID
    assert "SE_ACS_INTNT or SE_ACC_INTN" in (answer.reason or "")


def test_a_share_instead_of_a_percentage_is_rejected(visit: Visit) -> None:
    rows = [
        row(
            USERS,
            value="0.5",
            attributes={"Nature": "C", "Units": "PROPORTION"},
            dimensions={"Sex": "BOTHSEX", "Age": "ALLAGE"},
        )
    ]
    answer = only(visit(page(rows), BOTH))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert reasons(answer) == ["Units is PROPORTION, not PERCENT"]


@pytest.mark.parametrize("field", ["series", "geoAreaCode", "timePeriodStart", "value", "dimensions", "attributes"])
def test_a_renamed_field_of_a_row_is_named(field: str, visit: Visit) -> None:
    renamed = row()
    renamed["x"] = renamed.pop(field)
    answer = only(visit(page([row(), renamed])))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, f"a row lacks the field '{field}'")


@pytest.mark.parametrize("field", ["pageNumber", "totalPages", "totalElements", "data"])
def test_a_renamed_field_of_the_envelope_is_named(field: str, visit: Visit) -> None:
    body = page([row()])
    body["x"] = body.pop(field)
    answer = only(visit(body))
    assert (answer.outcome, answer.reason) == (Outcome.UNAVAILABLE, f"the answer lacks the field '{field}'")


def test_added_fields_are_ignored(visit: Visit) -> None:
    assert only(visit(page([row(confidence="high")], notice="new"))).outcome is Outcome.OK


def test_another_series_in_the_response_is_rejected(visit: Visit) -> None:
    fetched = visit(page([row("IT_MOB_2GNTWK")]))
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert "IT_MOB_2GNTWK" in (only(fetched).reason or "")
    assert "IT_MOB_2GNTWK" in (fetched.bodies[-1].refused or "")


# Codes that do not exist, series without data


def test_a_code_of_no_release_is_unknown_and_not_requested(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(page([row()]), "IT_BOGUS", COVERAGE)
    outcomes = {request.code: answer.outcome for request, answer in fetched.answers.items()}
    assert outcomes == {"IT_BOGUS": Outcome.UNKNOWN_ID, COVERAGE: Outcome.OK}
    assert [request.args["seriesCode"] for request in requests_to(httpserver, DATA)] == [COVERAGE]


def test_no_rows_means_no_data(visit: Visit) -> None:
    answer = only(visit(page([], totalPages=0)))
    assert (answer.outcome, answer.records.height) == (Outcome.NO_DATA, 0)
    assert answer.reason


def test_rows_without_values_mean_no_data(visit: Visit) -> None:
    assert only(visit(page([row(value=None), row(area="398", value="")]))).outcome is Outcome.NO_DATA


@pytest.mark.parametrize("series", [Response("down", status=500), b"<html>", b"[]", [{"code": USERS}]])
def test_figures_are_read_without_the_list_of_series(series: Any, visit: Visit) -> None:
    answer = only(visit(page([row()]), series=series))
    assert (answer.outcome, answer.release) == (Outcome.OK, None)


# Values, periods, areas


@pytest.mark.parametrize("sent", [*NOT_NUMBERS, True, {"a": "x"}])
def test_a_value_that_is_not_a_number_is_rejected_with_its_reason(sent: Any, visit: Visit) -> None:
    fetched = visit(page([row(value=sent), row(area="398", value="3")]))
    answer = only(fetched)
    assert values(answer) == [("KAZ", 2023, 3.0)]
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], reject["raw_sha256"]) == ("UZB", 2023, fetched.bodies[-1].sha256)
    assert "is not a number" in reject["reason"]
    written = sent if isinstance(sent, str) else json.dumps(sent)
    assert json.loads(reject["raw_record"])["value"] == written


def test_a_bare_nan_is_rejected(visit: Visit) -> None:
    assert reasons(only(visit(page([row(value=float("nan")), row(area="398")])))) == ["the value NaN is not a number"]


@pytest.mark.parametrize("year", [*NOT_YEARS, None, 2022.5])
def test_a_period_that_is_not_a_year_is_rejected(year: Any, visit: Visit) -> None:
    answer = only(visit(page([row(year=year), row(area="398")])))
    (reject,) = answer.rejects.to_dicts()
    assert (reject["iso3"], reject["year"], answer.records.height) == ("UZB", None, 1)
    assert "is not a year" in reject["reason"]


@pytest.mark.parametrize(("area", "iso3"), [("860", "UZB"), ("004", "AFG"), ("4", "AFG"), (4, "AFG"), ("1", "WLD")])
def test_areas_are_identified_by_their_number(area: Any, iso3: str, visit: Visit) -> None:
    assert [each for each, _, _ in values(only(visit(page([row(area=area)]))))] == [iso3]


@pytest.mark.parametrize("area", ["419", "199", "ZZZ", None])
def test_an_unknown_area_is_rejected_by_name(area: Any, visit: Visit) -> None:
    answer = only(visit(page([row(area=area), row()])))
    assert reasons(answer) == [f"unknown area {area or '(none)'}"]
    assert values(answer) == [("UZB", 2023, 40.5)]


def test_a_series_of_unknown_areas_only_is_unavailable(visit: Visit) -> None:
    answer = only(visit(page([row(area="419"), row(area="199")])))
    assert (answer.outcome, answer.rejects.height) == (Outcome.UNAVAILABLE, 2)


def test_years_outside_the_window_are_dropped(visit: Visit) -> None:
    answer = only(visit(page([row(year=year) for year in (1999.0, 2000.0, 2026, 2027.0)])))
    assert answer.records["year"].to_list() == [2000, 2026]
    assert answer.rejects.height == 0


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(page([row(), row(area="398", value="-")])))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


# Pages

YEARLY = [row(year=float(year), value=str(year / 10)) for year in range(2000, 2011)]


def paged(size: int, **changes: Callable[[int], Any]) -> Callable[[Request], Any]:
    def answer(request: Request) -> Any:
        number = int(request.args["page"])
        head = {"pageNumber": number, "totalPages": -(-len(YEARLY) // size), "totalElements": len(YEARLY)}
        part = YEARLY[(number - 1) * size : number * size]
        return page(part, **(head | {name: change(number) for name, change in changes.items()}))

    return answer


def test_each_page_is_read_once_and_every_record_names_its_page(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(paged(4))
    assert values(only(fetched)) == [("UZB", year, year / 10) for year in range(2000, 2011)]
    assert sorted(request.args["page"] for request in requests_to(httpserver, DATA)) == ["1", "2", "3"]
    pages = {
        body.sha256: {r["timePeriodStart"] for r in json.loads(body.content)["data"]} for body in fetched.bodies[1:]
    }
    assert len(pages) == 3
    for year, raw_sha256 in only(fetched).records.select("year", "raw_sha256").rows():
        assert float(year) in pages[raw_sha256]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"totalElements": lambda n: 10 + n}, "not of one release"),
        ({"totalElements": lambda _: 12}, "11 rows came instead of 12"),
        ({"pageNumber": lambda _: 1}, "page 1 came instead of page 2"),
        ({"totalPages": lambda _: 100_000}, "more than an answer can have"),
        ({"totalPages": lambda _: "many"}, "not a number"),
    ],
)
def test_inconsistent_pages_are_refused(changes: Any, reason: str, visit: Visit) -> None:
    fetched = visit(paged(6, **changes))
    assert (only(fetched).outcome, only(fetched).records.height) == (Outcome.UNAVAILABLE, 0)
    assert reason in (only(fetched).reason or "")
    assert all(body.refused for body in fetched.bodies[1:])


def test_one_failing_page_makes_the_series_unavailable(visit: Visit) -> None:
    whole = paged(4)
    answer = only(visit(lambda r: Response("busy", status=503) if r.args["page"] == "3" else whole(r)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)


def impatient(server: HTTPServer) -> Fetched:
    """Return a function like ``visit`` with a very short timeout per page."""
    entry = provider("un_sdg", server.url_for("/v1/sdg")).model_copy(update={"read_timeout_s": 0.75})
    return fetch([SeriesRequest(COVERAGE)], entry, AREAS, WINDOW, PatientHttp(tries=1))


def slow_above(
    limit: int, enough: Event, later: bool = False, came: list[tuple[int, int]] | None = None
) -> Callable[[Request], Any]:
    """A database that never sends pages of more than ``limit`` rows, all of them or from the second one on.

    The size and number of every requested page are appended to ``came``.
    """

    def answer(request: Request) -> Any:
        size, number = int(request.args["pageSize"]), int(request.args["page"])
        if came is not None:
            came.append((size, number))
        if size > limit and not (later and number == 1):
            enough.wait(30)
        return paged(4 if size > limit else 6)(request)

    return answer


@pytest.fixture
def enough() -> Iterator[Event]:
    """Return the event that a slow server waits for. It is set at the end of the test."""
    event = Event()
    yield event
    event.set()


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("limit", [500, 250])
def test_after_a_timeout_all_pages_are_requested_with_half_the_size(limit: int, later: bool, enough: Event) -> None:
    came: list[tuple[int, int]] = []
    with HTTPServer(threaded=True) as server:
        serve(server, {LIST: SERIES, DATA: slow_above(limit, enough, later, came)})
        fetched = impatient(server)
        enough.set()
    assert values(only(fetched)) == [("UZB", year, year / 10) for year in range(2000, 2011)]
    tried = [size for size in PAGE_SIZES if size > limit]
    # the first page of a size is requested alone, the others in parallel; all pages of the last size arrive
    firsts = [size for size, number in came if number == 1]
    assert firsts == [*tried, limit]
    assert [number for size, number in came if size == limit][:1] == [1]
    assert {size for size, number in came if number > 1} == {*(tried if later else ()), limit}
    used = {body.sha256 for body in fetched.bodies if not body.refused}
    assert set(only(fetched).records["raw_sha256"]) <= used
    refused = [body.refused for body in fetched.bodies if body.refused]
    assert len(refused) == (len(tried) if later else 0)
    assert all("read again in smaller pages" in str(reason) for reason in refused)


def test_a_series_is_unavailable_if_the_smallest_pages_time_out(enough: Event) -> None:
    with HTTPServer(threaded=True) as server:
        serve(server, {LIST: SERIES, DATA: slow_above(0, enough)})
        answer = only(impatient(server))
        enough.set()
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "no answer within" in (answer.reason or "")


def test_after_a_gateway_timeout_a_smaller_page_is_requested(visit: Visit, httpserver: HTTPServer) -> None:
    whole = paged(6)
    answer = only(visit(lambda r: Response("late", status=504) if r.args["pageSize"] == "1000" else whole(r)))
    assert answer.outcome is Outcome.OK
    assert {request.args["pageSize"] for request in requests_to(httpserver, DATA)} == {"1000", "500"}


# Unusable bodies, and transport


@pytest.mark.parametrize(
    ("body", "reason"), [*NOT_JSON, (b"[]", "not an answer"), (b"7", "not an answer"), (b"null", "not an answer")]
)
def test_an_unusable_body_is_refused_and_kept(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    refused = [kept.content for kept in fetched.bodies if kept.refused]
    assert refused == ([body] if body else [])


@pytest.mark.parametrize("data", [{}, [7], [None], "rows"])
def test_rows_with_another_structure_are_refused(data: Any, visit: Visit) -> None:
    assert only(visit(page([], data=data, totalElements=1))).outcome is Outcome.UNAVAILABLE


def test_dimensions_with_another_structure_are_refused(visit: Visit) -> None:
    for dimensions in (["Sex"], None, 7):
        assert only(visit(page([row(dimensions=dimensions)]))).outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), BOTH, COVERAGE)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}
    assert all(str(status) in (answer.reason or "") for answer in fetched.answers.values())


def test_a_page_declared_as_html_is_refused(visit: Visit) -> None:
    assert only(visit(json.dumps(page([row()])).encode(), content_type="text/html")).outcome is Outcome.UNAVAILABLE


def test_names_in_another_encoding_are_accepted() -> None:
    body = json.dumps(page([row(geoAreaName="Türkiye")]), ensure_ascii=False)
    for encoding in ("latin-1", "utf-8", "utf-8-sig"):
        assert parse(body.encode(encoding)).rows.height == 1


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    fetched = fetch(
        [BOTH, WOMEN, SeriesRequest(COVERAGE)],
        provider("un_sdg", f"http://127.0.0.1:{unused_port()}"),
        AREAS,
        WINDOW,
        PatientHttp(),
    )
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 3
    assert fetched.bodies == []


def test_without_requests_there_are_no_results() -> None:
    fetched = fetch([], provider("un_sdg", "http://127.0.0.1:9"), AREAS, WINDOW, PatientHttp())
    assert (fetched.answers, fetched.bodies) == ({}, [])


def test_the_list_of_series_gives_code_and_release() -> None:
    assert releases_of(json.dumps(SERIES).encode())[USERS] == "2026.Q2.G.02"


# The catalogue


def test_every_link_of_the_catalogue_names_dimensions_as_the_database_spells_them(visit: Visit) -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "un_sdg"]
    requests = list(dict.fromkeys(SeriesRequest(str(link.code), tuple(sorted(link.options.items()))) for link in links))

    def answer(http: Request) -> Any:
        own = [request for request in requests if request.code == http.args["seriesCode"]]
        return page(
            [
                row(
                    request.code,
                    attributes={"Units": request.option("Units")},
                    dimensions={
                        name: str(code).split(",")[0]
                        for name, code in request.options
                        if name not in ("Units", "aliases")
                    },
                )
                for request in own
            ]
        )

    fetched = visit(answer, *requests, series=[{"code": r.code, "release": "2026.Q2.G.02"} for r in requests])
    assert len(requests) >= 10
    assert {
        request.code: answer.reason for request, answer in fetched.answers.items() if answer.records.height != 1
    } == {}
    names = {name for request in requests for name, _ in request.options}
    assert names <= {"Sex", "Age", "Location", "Type of skill", "Education level", "Units", "aliases"}
    assert all(request.option("Units") for request in requests)


# The database of December 2023, in the format of the API

TABLES = {
    "IT_USE_ii99": "it_use_ii99.csv",
    "IT_MOB_OWN": "it_mob_own.csv",
    "IT_MOB_3GNTWK": "it_mob_3gntwk.csv",
    "IT_MOB_4GNTWK": "it_mob_4gntwk.csv",
    "IT_NET_BBND": "it_net_bbnd.csv",
    "SE_ACS_INTNT": "se_acs_intnt.csv",
    "SE_ADT_ACTS": "se_adt_acts.csv",
    "GB_XPD_RSDV": "gb_xpd_rsdv.csv",
}
NAMES = {"sex": "Sex", "age": "Age", "location": "Location", "type_of_skill": "Type of skill"}
NAMES |= {"education_level": "Education level", "type_of_speed": "Type of speed", "freq": "Freq"}
WHOLE = {"": "notspec", "Sex": "bothsex", "Age": "allage", "Location": "allarea", "Type of speed": "anys"}
BLANK = "notspec"


def table_of(folder: Path, code: str) -> list[dict[str, str]]:
    with (folder / TABLES[code]).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def as_the_api_has_it(folder: Path, code: str, blank: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a series of the reference as the API sends them. ``blank`` is the value of missing codes."""
    codes = {each.stem[4:]: dict(_pairs(each)) for each in folder.glob("ent_*.csv")}
    rows = []
    for line in table_of(folder, code):
        dimensions: dict[str, Any] = {"Reporting Type": "G"}
        for column, name in NAMES.items():
            if column in line:
                dimensions |= (
                    blank and {name: blank["value"]} if line[column] == BLANK else {name: codes[column][line[column]]}
                )
        rows.append(
            {
                "series": code,
                "geoAreaCode": line["geo_area"],
                "timePeriodStart": float(line["year"]),
                "value": line[code.lower()],
                "attributes": {"Nature": codes["nature"][line["nature"]], "Units": codes["units"][line["units"]]},
                "dimensions": dimensions,
            }
        )
    return rows


def _pairs(file: Path) -> list[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [(key, name) for key, name in list(csv.reader(lines))[1:]]


@pytest.mark.parametrize("blank", [{}, {"value": None}, {"value": ""}], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("code", TABLES)
def test_a_real_series_gives_the_figures_of_every_link_cell_by_cell(
    code: str, blank: dict[str, Any], reference: Path
) -> None:
    folder = reference / "un_sdg"
    lines = table_of(folder, code)
    numbers = {int(line["geo_area"]) for line in lines}
    areas = Areas(frozenset(map(str, numbers)), frozenset(), {}, {number: str(number) for number in numbers})
    rows = with_raw_record(parse(json.dumps(page(as_the_api_has_it(folder, code, blank))).encode()).rows, "0" * 64)
    links = [link for one in load_catalogue() for link in one.chain if link.provider == "un_sdg" and link.code == code]
    assert links
    for link in links:
        figures = observations_of(
            rows, SeriesRequest(code, tuple(sorted(link.options.items()))), areas, Window(1960, 2026)
        )
        requested = {name: str(link.options.get(name, "")).split(",")[0].lower() for name in NAMES.values()}
        expected = [
            (line["geo_area"], int(line["year"]), float(line[code.lower()]))
            for line in lines
            if all(
                line.get(column, BLANK) in {requested[name] or WHOLE.get(name, BLANK), BLANK}
                for column, name in NAMES.items()
            )
        ]
        assert figures["reason"].null_count() == figures.height > 100, link
        assert sorted(figures.select("iso3", "year", "value").rows()) == sorted(expected), link
        assert figures.select("iso3", "year").is_unique().all(), link
