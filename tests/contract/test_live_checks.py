"""Tests of ``carec sources check --contracts`` on loopback: services that keep or break their contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import Catalogue, load_catalogue
from sources.checks.contracts import ContractStatus, SmokeCheckResult, run_smoke_checks, smoke_checks
from sources.errors import ConfigurationError
from sources.observation import utc_now
from sources.providers.data360 import DATABASES
from sources.providers.github_innovation import MEASURES
from sources.providers.owid import CHARTS
from sources.providers.untf import GROUPS
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.payloads import Row, payload
from tests.contract.payloads.data360 import cells
from tests.contract.payloads.untf import page, scores
from tests.contract.workbooks import XLSX, workbook

Answer = tuple[Any, str]
HEADS = {
    "/wipo_gii/gii-ranking/data/economy_id_": "ISO3,GII24,GII25\nKAZ,78,81\n",
    "/wipo_gii/gii-ranking/data/model_pageone_": "GIIYR,ISO3,CODE,SCORE,RANK\n2025,KAZ,Index,26.3,81\n",
    "/wipo_gii/gii-ranking/data/bc_results_gii_": 'iso3,rank,score,giiyr\nKAZ,81,"26,3",2025\n',
    "/qog/qog_std_ts_jan": "ccodealp,year,egov_egov\nKAZ,2023,0.9\n",
    "/findex/GlobalFindexDatabase2025.csv": "codewb,year,group,group2,account_t_d,g20_any\nKAZ,2024,all,all,0.8,0.9\n",
    "/unctad_cyberlaw/2026-cyberlaw_tracker": "code,Electronic Transactions,Consumer Protection,"
    "Privacy and Data Protection,Cybercrime\n398,Legislation,Legislation,Legislation,Legislation\n",
    **{f"/github_innovation/{one}.csv": f"{one},iso2_code,year,quarter\n9,KZ,2024,4\n" for one in MEASURES},
}
PAGE = '<a href="/Data/Country-Information/id/87-Kazakhstan">Kazakhstan</a>'


def bank(request: Request) -> Any:
    if "/sources/" in request.path:
        return [{"page": "1", "total": "1"}, [{"id": "2", "lastupdated": "2026-07-13"}]]
    *_, areas, _, code = request.path.split("/")
    if "NO.SUCH" in code or areas == "QQQ":
        return [{"message": [{"id": "120", "key": "Invalid value", "value": "The parameter value is not valid"}]}]
    rows = [
        {
            "indicator": {"id": code, "value": "made up"},
            "country": {"id": iso3[:2], "value": iso3},
            "countryiso3code": iso3,
            "date": "2024",
            "value": 80.5,
        }
        for iso3 in areas.split(";")
    ]
    head = {"page": 1, "pages": 1, "per_page": 100, "total": 2, "lastupdated": "2026-07-13"}
    return [{**head, "sourceid": request.args["source"]}, rows]


def answer(request: Request) -> Answer:  # noqa: PLR0911, PLR0912 - one case per provider
    """Return the response of a provider that keeps its contract."""
    path = request.path
    for head, table in HEADS.items():
        if path.startswith(head):
            return table, "text/csv"
    match path.split("/")[1]:
        case "world_bank":
            return bank(request), "application/json"
        case "data360" if path.endswith("indicators"):
            return [DATABASES[request.args["datasetId"]]], "application/json"
        case "data360":
            row = cells(Row("KAZ", "2024", "0.9"), {})
            return {"count": 1, "value": [row]}, "application/json"
        case "data360_files":
            row = cells(Row("KAZ", "2024", "90"), {})
            return "\n".join([",".join(row), ",".join(row.values()), ""]), "text/csv"
        case "un_sdg":
            row = {"series": request.args["seriesCode"], "geoAreaCode": "398", "timePeriodStart": 2023.0, "value": "9"}
            row |= {"attributes": {"Units": "PERCENT"}, "dimensions": {"Reporting Type": "G"}}
            return {"totalElements": 1, "totalPages": 1, "pageNumber": 1, "data": [row]}, "application/json"
        case "unesco_uis" if path.endswith("default"):
            return {"version": "20260507-91260335"}, "application/json"
        case "unesco_uis" if request.args["indicator"] == "GER.5T8":
            row = {"indicatorId": "GER.5T8", "geoUnit": "KAZ", "year": 2024, "value": 54.1}
            return {"hints": [], "records": [row]}, "application/json"
        case "unesco_uis":
            hint = {"code": "UIS::HINT::001", "message": "indicator not found, NO.SUCH.CODE"}
            return {"hints": [hint], "records": []}, "application/json"
        case "un_egov":
            return PAGE, "text/html"
        case "untf":
            return page("Kyrgyzstan", [scores("2025", dict.fromkeys(GROUPS, "50"), "50")]), "text/html"
        case "itu_prices" | "gtmi":
            return workbook({"Data": [["a"]]}), XLSX
        case "owid":
            column = CHARTS[path.rpartition("/")[2].removesuffix(".metadata.json")]
            return {"columns": {"x": {"shortName": column, "unit": "%"}}}, "application/json"
        case "itu_datahub":
            return [{"CountryID": 6, "IsoCode": "AFG"}], "application/json"
        case provider:
            bodies = payload(provider).build([Row("KAZ", "2024", "50")], str, {})
            return bodies[path.removeprefix(f"/{provider}")]


Ask = Callable[..., dict[str, SmokeCheckResult]]


@pytest.fixture
def ask(httpserver: HTTPServer) -> Ask:
    """Run all smoke checks. ``spoil`` may replace a good response. Check -> result."""

    def run(spoil: Callable[[Request, Any], Any] = lambda request, good: good, providers: tuple[str, ...] = ()) -> Any:
        def handle(request: Request) -> Response:
            good, content_type = answer(request)
            found = spoil(request, good)
            if isinstance(found, Response):
                return found
            body = found if isinstance(found, str | bytes) else json.dumps(found)
            return Response(body, content_type=content_type)

        httpserver.expect_request(re.compile("^/")).respond_with_handler(handle)
        found = run_smoke_checks(at(httpserver.url_for("")), PatientHttp(tries=1), providers)
        return {f"{one.provider}: {one.about}": one for one in found}

    return run


def at(base: str) -> Catalogue:
    catalogue = load_catalogue()
    at_address = {
        name: one.model_copy(update={"base_url": HttpUrl(f"{base.rstrip('/')}/{name}")})
        for name, one in catalogue.providers.items()
    }
    return catalogue.model_copy(update={"providers": at_address})


def test_providers_that_keep_their_contract_are_ok_after_one_request_per_check(
    ask: Ask, httpserver: HTTPServer
) -> None:
    found = ask()
    assert {name: one.message for name, one in found.items() if one.status is not ContractStatus.OK} == {}
    assert len(httpserver.log) == len(found) == len(smoke_checks(load_catalogue(), 2026)) > 30


def test_every_provider_with_an_address_has_a_smoke_check() -> None:
    addressed = {name for name, one in load_catalogue().providers.items() if one.base_url}
    assert addressed == {provider.id for provider, _ in smoke_checks(load_catalogue(), 2026)}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (403, ContractStatus.BLOCKED),
        (401, ContractStatus.BLOCKED),
        (202, ContractStatus.BLOCKED),
        (500, ContractStatus.UNREACHABLE),
    ],
)
def test_a_blocked_request_differs_from_a_failed_one(status: int, verdict: ContractStatus, ask: Ask) -> None:
    found = ask(lambda request, good: Response(b"", status=status))
    expected = [one for name, one in found.items() if f"{utc_now().year} is there" not in name]
    assert {one.status for one in expected} == {verdict}


def test_a_missing_host_is_unreachable() -> None:
    found = run_smoke_checks(at(f"http://127.0.0.1:{unused_port()}"), PatientHttp(tries=1))
    assert {one.status for one in found} == {ContractStatus.UNREACHABLE}
    assert all("connection refused" in one.message for one in found)


def test_an_html_page_never_keeps_the_contract(ask: Ask) -> None:
    found = ask(lambda request, good: "<html>Maintenance</html>")
    assert {name: one.message for name, one in found.items() if one.status is not ContractStatus.DIFFERS} == {}


@pytest.mark.parametrize(
    ("about", "spoil", "message"),
    [
        ("world_bank: a code that does", lambda _, good: [EMPTY, []], "gives 0 rows"),
        ("world_bank: a series of Global Findex", lambda _, good: _shares(good), "shares came"),
        ("world_bank: a series of two", lambda _, good: _sourced(good, "11"), "source 11"),
        ("data360: the indicators of ITU_DH", lambda _, good: ["MOB_COV_4G_NEW"], "MOB_COV_4G is not among"),
        ("data360: whether the e-gov", lambda _, good: _dated(good, "2020"), "ends in 2020"),
        ("un_sdg: IT_USE_ii99", lambda _, good: _united(good, "NUMBER"), "no row has Units PERCENT, but NUMBER"),
        ("unesco_uis: an indicator that", lambda _, good: {"hints": [], "records": []}, "gets no hint"),
        ("owid: the columns of population", lambda _, good: {"columns": {}}, "is not among the 0"),
        ("findex: the head", lambda _, good: good.replace("g20_any", "g20_all"), "g20_any"),
        ("wipo_gii: the head of bc", lambda _, good: good.replace("giiyr", "edition"), "giiyr"),
        ("gtmi: whether", lambda _, good: b"%PDF-1.7", "does not begin as a workbook"),
    ],
)
def test_a_difference_from_the_contract_is_named(
    about: str, spoil: Callable[[Request, Any], Any], message: str, ask: Ask
) -> None:
    found = ask(spoil, (about.partition(":")[0],))
    (one,) = (one for name, one in found.items() if name.startswith(about))
    assert one.status is ContractStatus.DIFFERS
    assert re.search(message, one.message)


EMPTY = {"page": 1, "pages": 1, "per_page": 100, "total": 0, "lastupdated": "2026-07-13"}


def _shares(good: Any) -> Any:
    return [*good[:1], [row | {"value": 0.8} for row in good[-1]]] if len(good) == 2 else good


def _sourced(good: Any, source: str) -> Any:
    return [good[0] | {"sourceid": source}, *good[1:]]


def _dated(good: Any, year: str) -> Any:
    if isinstance(good, list):
        return good
    return {**good, "value": [row | {"TIME_PERIOD": year} for row in good["value"]]}


def _united(good: Any, unit: str) -> Any:
    return {**good, "data": [row | {"attributes": {"Units": unit}} for row in good["data"]]}


def test_a_file_that_is_not_published_yet_keeps_the_contract(ask: Ask) -> None:
    found = ask(lambda request, good: Response("no", status=404), ("wipo_gii", "itu_prices"))
    verdicts = {name: one.status for name, one in found.items()}
    assert list(verdicts.values()).count(ContractStatus.OK) == 2
    assert all(("is there" in name) for name, verdict in verdicts.items() if verdict is ContractStatus.OK)


def test_an_unknown_provider_is_rejected_by_name() -> None:
    with pytest.raises(ConfigurationError, match="no live check of unknown"):
        run_smoke_checks(load_catalogue(), PatientHttp(), ("unknown",))
