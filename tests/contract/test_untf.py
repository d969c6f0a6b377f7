"""The country pages of the Trade Facilitation Survey, over HTTP on loopback, and its printed totals."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.bundled_archive import load_archive
from sources.catalogue import load_catalogue
from sources.inspection import Verdict
from sources.provider import Answer, Outcome, SeriesRequest
from sources.providers.untf import CODES, GROUPS, ROUNDING, TOTAL, fetch, inspect, parse_page, total_of
from tests.contract.loopback import PatientHttp
from tests.contract.payloads.untf import page, scores
from tests.contract.visiting import AREAS, WINDOW, only, provider, reasons, values

MEMBERS = replace(AREAS, members=frozenset({"AFG", "KGZ"}))
PAPERLESS = SeriesRequest("paperless_trade")
KGZ_2025 = ("100", "79.17", "88.89", "81.48", "83.33", "84.95")
"""The five groups of Kyrgyzstan in 2025 and the total printed with them."""
AFG_2025 = ("60", "66.67", "66.67", "18.52", "16.67", "41.94")
INDICATORS = {
    "trade_facilitation_pct": TOTAL,
    "trade_transparency_pct": "transparency",
    "trade_formalities_pct": "formalities",
    "trade_institutions_pct": "institutional_cooperation",
    "paperless_trade_pct": "paperless_trade",
    "cross_border_paperless_trade_pct": "cross_border_paperless_trade",
}


def survey(year: str, printed: tuple[str, ...]) -> str:
    return scores(year, dict(zip(GROUPS, printed[:5], strict=True)), printed[5])


GOOD = {"AFG": page("Afghanistan", [survey("2025", AFG_2025)]), "KGZ": page("KGZ", [survey("2025", KGZ_2025)])}
Ask = Callable[..., Answer]


@pytest.fixture
def ask(httpserver: HTTPServer) -> Ask:
    """Serve pages by the ``id`` of the request and return the answer to one request."""

    def run(pages: Mapping[str, str], request: SeriesRequest = PAPERLESS) -> Answer:
        def handle(asked: Request) -> Response:
            return Response(pages.get(asked.args["id"], "no such page"), content_type="text/html")

        httpserver.expect_request("/economy").respond_with_handler(handle)
        at = provider("untf", httpserver.url_for(""))
        return only(fetch([request], at, MEMBERS, WINDOW, PatientHttp(tries=1)))

    return run


def test_every_survey_of_every_member_has_its_scores(ask: Ask, httpserver: HTTPServer) -> None:
    earlier = survey("2019", ("73.33", "33.33", "44.44", "33.33", "11.11", "36.56"))
    pages = {**GOOD, "KGZ": page("KGZ", [survey("2025", KGZ_2025), earlier])}
    assert values(ask(pages)) == [("AFG", 2025, 18.52), ("KGZ", 2019, 33.33), ("KGZ", 2025, 81.48)]
    assert sorted(request.args["id"] for request, _ in httpserver.log) == ["AFG", "KGZ"]


def test_a_member_without_a_survey_has_no_figures_and_is_no_fault(ask: Ask) -> None:
    answer = ask({**GOOD, "AFG": page("Afghanistan", [])})
    assert (answer.outcome, values(answer)) == (Outcome.OK, [("KGZ", 2025, 81.48)])


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"AFG": "<html><body>Service unavailable</body></html>"}, "none of the survey's headings on the page of AFG"),
        ({"AFG": GOOD["AFG"].replace("Formalities:", "Procedures:")}, "a score on the page of AFG cannot be read"),
        ({"AFG": GOOD["AFG"].removesuffix("</body></html>")}, "the page of AFG is incomplete"),
        ({"AFG": page("AFG", []), "KGZ": page("KGZ", [])}, "none of the survey's scores on any page"),
    ],
    ids=["another page", "a renamed group", "a part of a page", "no score anywhere"],
)
def test_a_page_that_cannot_be_read_makes_the_answer_unavailable(spoilt: dict[str, str], reason: str, ask: Ask) -> None:
    answer = ask({**GOOD, **spoilt})
    assert answer.outcome is Outcome.UNAVAILABLE
    assert reason in (answer.reason or "")


def test_a_survey_whose_total_does_not_follow_from_its_groups_is_rejected(ask: Ask) -> None:
    answer = ask({**GOOD, "AFG": page("AFG", [survey("2025", (*AFG_2025[:5], "49.41"))])})
    assert values(answer) == [("KGZ", 2025, 81.48)]
    assert reasons(answer) == ["the total 49.41 does not follow from its groups, which give 41.94"]


def test_an_unknown_code_is_an_error_of_the_catalogue(ask: Ask) -> None:
    assert ask(GOOD, SeriesRequest("sustainable_trade")).outcome is Outcome.UNKNOWN_ID


def test_a_check_of_the_links_reads_one_page(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/economy").respond_with_data(GOOD["KGZ"], content_type="text/html")
    at = provider("untf", httpserver.url_for(""))
    requests = [PAPERLESS, SeriesRequest("paperless_trades")]
    found = inspect(requests, at, MEMBERS, WINDOW, PatientHttp(tries=1))
    assert (found[PAPERLESS].verdict, found[PAPERLESS].newest) == (Verdict.OK, 2025)
    assert found[requests[1]].verdict is Verdict.RENAMED
    assert len(httpserver.log) == 1


@cache
def archived() -> dict[tuple[str, int], dict[str, float]]:
    """Return the archived surveys: economy and year -> code -> score."""
    catalogue, archive = load_catalogue(), load_archive()
    surveys: dict[tuple[str, int], dict[str, float]] = {}
    for indicator_id, code in INDICATORS.items():
        (vintage,) = archive.vintages(catalogue.indicators[indicator_id])
        for iso3, year, value in vintage.records.select("iso3", "year", "value").rows():
            surveys.setdefault((iso3, year), {})[code] = value
    return surveys


def test_the_formula_gives_all_thirteen_printed_totals() -> None:
    surveys = archived()
    assert len(surveys) == 13 and {iso3 for iso3, _ in surveys} == {"AFG", "KGZ", "PAK"}
    for place, scores_of in surveys.items():
        assert set(scores_of) == set(CODES), place
        assert abs(total_of(scores_of) - scores_of[TOTAL]) <= ROUNDING, place


def test_no_other_whole_weight_of_a_group_gives_the_printed_totals() -> None:
    """The formula is not stated by the publisher; another number of measures in any group misses a printed total."""
    for name, (_, number) in GROUPS.items():
        for other in {*range(1, 13)} - {number}:
            weights = {group: n for group, (_, n) in GROUPS.items()} | {name: other}
            misses = [
                place
                for place, scores_of in archived().items()
                if abs(sum(weights[g] * scores_of[g] for g in GROUPS) / sum(weights.values()) - scores_of[TOTAL])
                > ROUNDING
            ]
            assert misses, (name, other)


@given(st.tuples(*[st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)] * len(GROUPS)))
def test_a_page_made_by_the_formula_is_accepted_and_one_off_by_a_tenth_is_not(groups: tuple[float, ...]) -> None:
    total = total_of(dict(zip(GROUPS, groups, strict=True)))
    assert min(groups) - 1e-9 <= total <= max(groups) + 1e-9
    printed = tuple(f"{value:.2f}" for value in groups)
    for said, is_good in ((total, True), (total + 0.1, False)):
        (fault,) = parse_page(page("KGZ", [survey("2025", (*printed, f"{said:.2f}"))]).encode(), "KGZ")["fault"]
        assert (fault is None) is is_good


def test_the_archive_has_the_figures_that_were_typed_from_the_pages(reference: Path) -> None:
    columns = {"total": TOTAL, "institutional": "institutional_cooperation"}
    columns |= {"cross_border_paperless": "cross_border_paperless_trade"}
    with (reference / "untf" / "untf_economy_pages.csv").open(encoding="utf-8", newline="") as lines:
        typed = {
            (row["iso3"], int(row["survey"])): {
                code: float(row[column]) for column in row if (code := columns.get(column, column)) in CODES
            }
            for row in csv.DictReader(lines)
        }
    assert archived() == typed
