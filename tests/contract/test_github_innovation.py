"""The files of GitHub's Innovation Graph, over HTTP on loopback, and GitHub's own files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.inspection import Verdict
from sources.observation import Areas
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.github_innovation import (
    MEASURES,
    PUBLIC_BASE,
    fetch,
    inspect,
    newest_quarter,
    observations_of,
    parse,
    release,
)
from tests.contract.loopback import PatientHttp
from tests.contract.visiting import AREAS, NOT_NUMBERS, WINDOW, only, provider, reasons, requests_to, serve, values

PUSHES, DEVELOPERS = SeriesRequest("git_pushes"), SeriesRequest("developers")
Visit = Callable[..., Fetched]


def table(measure: str, *rows: str) -> bytes:
    return "\n".join([f"{measure},iso2_code,year,quarter", *rows, ""]).encode()


def year(iso2: str, of: int, *figures: object) -> list[str]:
    return [f"{figure},{iso2},{of},{quarter}" for quarter, figure in enumerate(figures, start=1)]


def files(*rows: str) -> dict[str, Any]:
    """Return routes with the same rows for every measure."""
    return {f"/data/{measure}.csv": table(measure, *rows) for measure in MEASURES}


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(routes: dict[str, Any], *requests: SeriesRequest) -> Fetched:
        serve(httpserver, routes, content_type="text/plain; charset=utf-8")
        base = provider("github_innovation", httpserver.url_for("/data"))
        return fetch(requests, base, AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def test_a_flow_is_the_sum_of_four_quarters_and_a_stock_is_the_fourth_quarter(visit: Visit) -> None:
    routes = files(*year("UZ", 2023, 1, 2, 3, 4), *year("UZ", 2024, 10, 20, 30, 40))
    fetched = visit(routes, PUSHES, DEVELOPERS)
    assert values(fetched.answers[PUSHES]) == [("UZB", 2023, 10.0), ("UZB", 2024, 100.0)]
    assert values(fetched.answers[DEVELOPERS]) == [("UZB", 2023, 4.0), ("UZB", 2024, 40.0)]
    assert fetched.answers[PUSHES].source_url == f"{PUBLIC_BASE}/git_pushes.csv"
    assert fetched.answers[PUSHES].release == "Innovation Graph 2024Q4"


@pytest.mark.parametrize("absent", [1, 2, 3, 4])
def test_a_year_without_a_quarter_has_no_sum_and_a_year_without_the_fourth_has_no_stock(
    visit: Visit, absent: int
) -> None:
    rows = [row for row in year("KZ", 2024, 5, 6, 7, 8) if not row.endswith(f",{absent}")]
    fetched = visit(files(*year("KZ", 2023, 1, 1, 1, 1), *rows), PUSHES, DEVELOPERS)
    assert [at for _, at, _ in values(fetched.answers[PUSHES])] == [2023]
    assert [at for _, at, _ in values(fetched.answers[DEVELOPERS])] == ([2023] if absent == 4 else [2023, 2024])
    assert not any(reasons(answer) for answer in fetched.answers.values()), "an incomplete year is no fault"


def test_an_empty_cell_is_a_missing_quarter(visit: Visit) -> None:
    answer = only(visit(files(*year("KZ", 2023, 1, 1, 1, 1), *year("KZ", 2024, 5, "", 7, 8)), PUSHES))
    assert values(answer) == [("KAZ", 2023, 4.0)]


@pytest.mark.parametrize("figure", [*NOT_NUMBERS, "-5"])
def test_a_quarter_that_is_no_count_rejects_its_year_only(visit: Visit, figure: str) -> None:
    cell = f'"{figure}"'
    answer = only(visit(files(*year("UZ", 2024, 1, cell, 3, 4), *year("KZ", 2024, 1, 1, 1, 1)), PUSHES))
    assert values(answer) == [("KAZ", 2024, 4.0)]
    assert reasons(answer) == [f"the value {figure} is not a count"]
    assert answer.rejects.select("iso3", "year").rows() == [("UZB", 2024)]


@pytest.mark.parametrize("request_", [PUSHES, DEVELOPERS], ids=lambda one: one.code)
@pytest.mark.parametrize("quarter", ["Q4", "5", "0", "2024Q4"])
def test_a_quarter_in_another_form_is_rejected_and_not_taken_for_missing(
    visit: Visit, request_: SeriesRequest, quarter: str
) -> None:
    rows = [*year("UZ", 2024, 1, 2, 3), f"4,UZ,2024,{quarter}", *year("KZ", 2024, 1, 1, 1, 1)]
    answer = only(visit(files(*rows), request_))
    assert {iso3 for iso3, _, _ in values(answer)} == {"KAZ"}
    assert reasons(answer) == [f"the value {quarter} is not a quarter"]


def test_a_repeated_row_counts_once_and_two_values_of_a_quarter_are_rejected(visit: Visit) -> None:
    same = [*year("KZ", 2024, 1, 2, 3, 4), "4,KZ,2024,4"]
    answer = only(visit(files(*same, *year("UZ", 2024, 1, 2, 3, 4), "5,UZ,2024,4"), PUSHES))
    assert values(answer) == [("KAZ", 2024, 10.0)]
    assert reasons(answer) == ["a quarter has several values"]


def test_economies_have_iso2_codes_and_the_european_union_and_namibia_are_among_them(httpserver: HTTPServer) -> None:
    areas = Areas(frozenset({"NAM"}), frozenset({"EUU"}), iso2_to_iso3={"NA": "NAM", "EU": "EUU"}, m49_to_iso3={})
    serve(httpserver, files(*(row for at in ("EU", "NA", "AX") for row in year(at, 2024, 1, 1, 1, 1))), "text/plain")
    base = provider("github_innovation", httpserver.url_for("/data"))
    answer = only(fetch([PUSHES], base, areas, WINDOW, PatientHttp(tries=2)))
    assert values(answer) == [("EUU", 2024, 4.0), ("NAM", 2024, 4.0)]
    assert reasons(answer) == ["unknown area AX"]


def test_each_measure_is_one_request_and_an_unknown_one_is_none(visit: Visit, httpserver: HTTPServer) -> None:
    wrong = SeriesRequest("stars")
    fetched = visit(files(*year("UZ", 2024, 1, 1, 1, 1)), PUSHES, wrong)
    assert fetched.answers[PUSHES].outcome is Outcome.OK
    assert fetched.answers[wrong].outcome is Outcome.UNKNOWN_ID
    assert "known are git_pushes, developers" in (fetched.answers[wrong].reason or "")
    assert len(requests_to(httpserver, "/data/git_pushes.csv")) == len(httpserver.log) == 1


def test_a_moved_file_is_an_unknown_id_and_a_renamed_column_is_named(visit: Visit) -> None:
    assert only(visit({}, PUSHES)).outcome is Outcome.UNKNOWN_ID
    answer = only(visit({"/data/developers.csv": b"people,iso2_code,year,quarter\n1,UZ,2024,4\n"}, DEVELOPERS))
    assert answer.outcome is Outcome.UNAVAILABLE
    assert answer.reason == "the columns developers are missing; there are people, iso2_code, year, quarter"


def test_the_release_is_the_newest_quarter_and_the_probe_sees_a_changed_file(httpserver: HTTPServer) -> None:
    assert newest_quarter(parse(table("developers", "1,UZ,2025,3", "1,UZ,2024,4"), "developers")) == "2025Q3"
    assert newest_quarter(parse(table("developers", "1,UZ,soon,3"), "developers")) is None
    tags = iter(('"one"', '"two"'))
    serve(httpserver, {"/data/git_pushes.csv": lambda _: Response(b"g", 206, headers={"ETag": next(tags)})})
    base = provider("github_innovation", httpserver.url_for("/data"))
    first, second = (release([PUSHES], base, PatientHttp(tries=1), None)[PUSHES] for _ in range(2))  # type: ignore[arg-type]
    assert (first, second) == ('git_pushes.csv "one"', 'git_pushes.csv "two"')


def test_inspection_finds_the_newest_year_and_a_wrong_measure(httpserver: HTTPServer) -> None:
    serve(httpserver, files(*year("UZ", 2024, 1, 1, 1, 1), *year("UZ", 2025, 1, 1, 1)), content_type="text/plain")
    base, wrong = provider("github_innovation", httpserver.url_for("/data")), SeriesRequest("git_push")
    found = inspect([PUSHES, wrong], base, AREAS, WINDOW, PatientHttp(tries=1))
    assert (found[PUSHES].verdict, found[PUSHES].newest) == (Verdict.OK, 2024)
    assert found[wrong].verdict is Verdict.RENAMED and "git_pushes" in found[wrong].detail


@pytest.mark.parametrize("measure", MEASURES)
def test_githubs_own_file_is_read_without_a_fault(reference: Path, measure: str) -> None:
    rows = parse((reference / "github_innovationgraph" / f"{measure}.csv").read_bytes(), measure)
    assert newest_quarter(rows) == "2025Q3"
    codes = {iso2: iso2 * 2 for iso2 in rows["iso2_code"].unique()}
    areas = Areas(frozenset(codes.values()), frozenset(), iso2_to_iso3=codes, m49_to_iso3={})
    found = observations_of(rows, measure, "", areas, Window(2010, 2026))
    assert found["reason"].null_count() == found.height
    assert found["year"].max() == 2024, "2025 lacks its fourth quarter"
    uzbekistan = rows.filter(pl.col("iso2_code") == "UZ", pl.col("year") == "2024").sort("quarter")[measure]
    by_hand = [int(text) for text in uzbekistan]
    expected = sum(by_hand) if measure == "git_pushes" else by_hand[-1]
    assert found.filter(pl.col("iso3") == "UZUZ", pl.col("year") == 2024)["value"].item() == expected
