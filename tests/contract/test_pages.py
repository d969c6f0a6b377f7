"""Answers in several pages, on a first landing: pages that repeat, overlap or are left out are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines.settings import DBT_PROJECT
from pipelines.workspace import load_areas
from sources.parsing.pages import keys_of, may_continue, require_different, require_no_further_rows, require_one_answer
from sources.parsing.responses import UnusableResponse
from sources.provider import Outcome, SeriesRequest
from sources.providers import ADAPTERS
from tests.contract.loopback import PatientHttp
from tests.contract.payloads import Row, payload
from tests.contract.visiting import WINDOW, only, provider

FIGURES = [
    Row(iso3, str(year), f"{(at * 25 + year) % 97 + 0.5}")
    for at, iso3 in enumerate(["AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB", "DEU", "FRA"])
    for year in range(2000, 2025)
]
"""300 figures."""
SIZE = 110
"""Rows of a page."""
Part = Callable[[list[Any], int, int], list[Any]]
"""Returns the rows of a page from all rows, the first row's number and the size of a page."""
PAGINGS: dict[str, tuple[Part, int]] = {
    "whole pages": (lambda rows, at, size: rows[at : at + size], len(FIGURES)),
    "every page is the first one": (lambda rows, at, size: rows[: min(size, len(rows) - at)], len(FIGURES)),
    "the second page repeats the first": (
        lambda rows, at, size: rows[:size] if at == size else rows[at : at + size],
        len(FIGURES),
    ),
    "pages overlap by ten rows": (
        lambda rows, at, size: rows[max(0, at - 10 * bool(at)) :][: min(size, len(rows) - at)],
        len(FIGURES),
    ),
    "the count is that of one page": (lambda rows, at, size: rows[at : at + size], SIZE),
}


def world_bank(rows: list[Any], request: Request, part: Part, total: int) -> Any:
    page = int(request.args["page"])
    head = {"page": page, "pages": -(-total // SIZE), "per_page": SIZE, "total": total, "sourceid": "2"}
    return [head | {"lastupdated": "2026-07-13"}, part(rows, (page - 1) * SIZE, SIZE)]


def data360(rows: list[Any], request: Request, part: Part, total: int) -> Any:
    return {"count": total, "value": part(rows, int(request.args["skip"]), SIZE)}


def un_sdg(rows: list[Any], request: Request, part: Part, total: int) -> Any:
    page, size = int(request.args["page"]), int(request.args["pageSize"])
    head = {"size": size, "totalElements": total, "totalPages": -(-total // SIZE), "pageNumber": page}
    return head | {"data": part(rows, (page - 1) * SIZE, SIZE)}


ENVELOPES: Mapping[str, tuple[Callable[..., Any], Callable[[Any], list[Any]]]] = {
    "world_bank": (world_bank, lambda body: list(body[1])),
    "data360": (data360, lambda body: list(body["value"])),
    "un_sdg": (un_sdg, lambda body: list(body["data"])),
}


@pytest.mark.parametrize("paging", PAGINGS)
@pytest.mark.parametrize("name", ENVELOPES)
def test_pages_that_are_not_one_whole_answer_are_refused_on_a_first_landing(
    name: str, paging: str, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.providers.un_sdg.PAGE_SIZES", (SIZE,))
    of, (envelope, rows_in), (part, total) = payload(name), ENVELOPES[name], PAGINGS[paging]
    bodies = of.build(FIGURES, str, {})
    rows = rows_in(json.loads(bodies[of.main].content))

    def answer(request: Request) -> Response:
        path = request.path.removeprefix("/base")
        if path == of.main:
            return Response(json.dumps(envelope(rows, request, part, total)), content_type="application/json")
        return (
            Response(bodies[path].content, content_type="application/json") if path in bodies else Response(status=404)
        )

    httpserver.expect_request(re.compile("^/base/")).respond_with_handler(answer)
    request = SeriesRequest(of.link.code or "", tuple(sorted(of.link.options.items())))
    at = provider(name, httpserver.url_for("/base"))
    found = only(ADAPTERS[name].fetch([request], at, load_areas(DBT_PROJECT), WINDOW, PatientHttp(tries=1)))
    if paging == "whole pages":
        assert (found.outcome, found.records.height) == (Outcome.OK, len(FIGURES))
    else:
        assert (found.outcome, found.records.height) == (Outcome.UNAVAILABLE, 0)
        assert "repeats rows of page" in (found.reason or "") or "more than the announced" in (found.reason or "")


def test_equal_rows_on_one_page_are_harmless_and_values_do_not_identify_a_row() -> None:
    one = keys_of([{"area": "KAZ", "value": 1}, {"area": "KAZ", "value": 2}], {"value"})
    require_one_answer([one], 2)
    with pytest.raises(UnusableResponse, match="page 2 repeats rows of page 1: 1 different rows came instead of 4"):
        require_one_answer([one, one], 4)
    with pytest.raises(UnusableResponse, match="2 rows came instead of 3"):
        require_one_answer([one], 3)


def test_a_further_page_is_requested_after_a_full_one_and_must_not_have_other_rows() -> None:
    full, rest = keys_of([{"n": n} for n in range(100)], ()), keys_of([{"n": 200}], ())
    assert may_continue([full]) and may_continue([rest], page_size=1)
    assert not may_continue([full, rest]) and not may_continue([rest])
    require_no_further_rows([full], full.head(0))
    require_no_further_rows([full], full)
    with pytest.raises(UnusableResponse, match="more than the announced 100 rows exist"):
        require_no_further_rows([full], rest)


def test_two_countries_with_the_same_page_are_named() -> None:
    rows = pl.DataFrame({"year": ["2023"], "total": ["81.7"]})
    require_different({"KAZ": rows, "UZB": rows.with_columns(total=pl.lit("70"))}, "scores")
    require_different({"KAZ": rows.head(0), "UZB": rows.head(0)}, "scores")
    with pytest.raises(UnusableResponse, match="the pages of KAZ and UZB have the same scores"):
        require_different({"KAZ": rows, "UZB": rows}, "scores")
