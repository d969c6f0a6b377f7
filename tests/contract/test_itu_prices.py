"""The price basket adapter against workbooks on loopback, and the published workbook of ITU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.catalogue import load_catalogue
from sources.observation import Areas
from sources.parsing.country_names import OLDER_CODES
from sources.provider import RECORD, SERIES_REJECT, Fetched, Outcome, SeriesRequest, Window
from sources.providers.itu_prices import PUBLIC_BASE, fetch, observations_of, parse
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import AREAS, NOT_NUMBERS, STATUSES, WINDOW, only, provider, reasons, serve, values
from tests.contract.workbooks import NOT_WORKBOOKS, XLSX, Formula, workbook, zip_bomb

TWO = SeriesRequest("i271mb_2GB_GNI", (("unit", "GNIpc"),))
FIVE = SeriesRequest("i271mb_5GB_GNI", (("unit", "GNIpc"),))
HEAD = ["IsoCode", "Economy", "Code", "Basket name", "Unit", "ITURegion", 2023, 2024, 2025]
Visit = Callable[..., Fetched]


def line(iso3: str, code: str, *cells: Any, unit: str = "GNIpc") -> list[Any]:
    return [iso3, "made up", code, "basket", unit, "region", *cells]


def book(*lines: list[Any], release: int = 2025, head: list[Any] | None = None, sheet: str | None = None) -> bytes:
    name = sheet or f"economies_2008-{release}"
    return workbook({"Overview": [["ITU ICT Price Baskets"]], name: [head or HEAD, *lines], "medians": [["Code"]]})


GOOD = book(
    line("UZB", "i271mb_2GB_GNI", 1.5, 1.25, "NA"),
    line("UZB", "i271mb_5GB_GNI", "NA", "NA", 3.5),
    line("UZB", "i271mb_2GB_PPP", 9, 9, 9, unit="PPP"),
)


@pytest.fixture
def visit(httpserver: HTTPServer) -> Visit:
    def ask(body: Any, *requests: SeriesRequest, release: int = 2025) -> Fetched:
        serve(httpserver, {f"/ITU_ICTPriceBaskets_2008-{release}.xlsx": body}, content_type=XLSX)
        base = httpserver.url_for("")
        return fetch(list(requests or (TWO,)), provider("itu_prices", base), AREAS, WINDOW, PatientHttp(tries=2))

    return ask


def test_baskets_share_one_download_and_are_never_chained(visit: Visit, httpserver: HTTPServer) -> None:
    fetched = visit(GOOD, TWO, FIVE)
    assert values(fetched.answers[TWO]) == [("UZB", 2023, 1.5), ("UZB", 2024, 1.25)]
    assert values(fetched.answers[FIVE]) == [("UZB", 2025, 3.5)]
    assert [request.path[-9:] for request, _ in httpserver.log] == ["2026.xlsx", "2025.xlsx"]
    answer = fetched.answers[TWO]
    assert answer.source_url == f"{PUBLIC_BASE}/ITU_ICTPriceBaskets_2008-2025.xlsx"
    assert answer.release == "ICT Price Baskets 2008 to 2025"


def test_the_release_is_the_date_of_the_last_change_of_the_file(visit: Visit) -> None:
    reply = Response(GOOD, content_type=XLSX, headers={"Last-Modified": "Wed, 10 Dec 2025 10:00:00 GMT"})
    assert only(visit(reply)).release == "ICT Price Baskets 2008 to 2025, file of 2025-12-10"


def test_a_value_marked_as_not_available_makes_no_record(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, "NA", None, "NA"))))
    assert (answer.outcome, answer.rejects.height) == (Outcome.NO_DATA, 0)


def test_a_formula_without_a_result_is_rejected_never_missing(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, 1.5, Formula("=1"), "NA"))))
    assert (values(answer), answer.rejects.height) == ([("UZB", 2023, 1.5)], 1)
    assert "formula without a result" in reasons(answer)[0]


@pytest.mark.parametrize("sent", [each for each in NOT_NUMBERS if each != "NA"])
def test_a_cell_that_is_not_a_number_is_rejected_never_zero(sent: str, visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, 1.5, sent, "NA"))))
    assert values(answer) == [("UZB", 2023, 1.5)]
    assert answer.rejects.select("iso3", "year").rows() == [("UZB", 2024)]


def test_a_value_in_another_unit_than_requested_is_rejected(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, 1.5, 1, 1, unit="PPP"))))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "is PPP, not GNIpc" in (answer.reason or "")


def test_a_missing_basket_is_an_unknown_id_and_other_baskets_are_read(visit: Visit) -> None:
    fetched = visit(GOOD, TWO, SeriesRequest("i271mb_3GB_GNI", TWO.options))
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.OK, Outcome.UNKNOWN_ID]


def test_a_code_of_no_edition_is_unknown_and_the_codes_of_this_edition_are_named(visit: Visit) -> None:
    answer = only(visit(GOOD, SeriesRequest("i271mb_new_GNI", (*TWO.options, ("aliases", "i271mb_old_GNI")))))
    assert answer.outcome is Outcome.UNKNOWN_ID
    assert answer.reason == (
        "the workbook to 2025 has no basket i271mb_new_GNI or i271mb_old_GNI;"
        " there are i271mb_2GB_GNI, i271mb_5GB_GNI, i271mb_2GB_PPP"
    )


CHAINED = SeriesRequest("i271mb_2GB_GNI", (("aliases", "i271mb_ts_GNI"), ("first_year", 2024), ("unit", "GNIpc")))


def test_an_edition_with_another_code_provides_the_years_of_the_basket(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", "i271mb_ts_GNI", 7, 1.25, 1.5)), CHAINED))
    assert values(answer) == [("UZB", 2024, 1.25), ("UZB", 2025, 1.5)]


def test_the_code_of_this_edition_takes_precedence_over_codes_of_others(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", "i271mb_ts_GNI", 9, 9, 9), line("UZB", TWO.code, 7, 1.25, 1.5)), CHAINED))
    assert values(answer) == [("UZB", 2024, 1.25), ("UZB", 2025, 1.5)]


def test_an_older_code_of_an_economy_becomes_its_iso_code() -> None:
    rows = parse(book(*(line(code, TWO.code, 1, "NA", "NA") for code in (*OLDER_CODES, "UZB"))), 2025)
    areas = replace(AREAS, economies=AREAS.economies | set(OLDER_CODES.values()))
    figures = observations_of(rows, TWO, "0" * 64, areas, WINDOW)
    assert figures["reason"].null_count() == figures.height
    assert figures["iso3"].to_list() == ["AND", "XKX", "ROU", "TLS", "PSE", "COD", "UZB"]


def test_unknown_economies_are_rejected(visit: Visit) -> None:
    answer = only(visit(book(line("NRN", TWO.code, 1, "NA", "NA"), line("UZB", TWO.code, 1.5, "NA", "NA"))))
    assert (values(answer), reasons(answer)) == ([("UZB", 2023, 1.5)], ["unknown area NRN"])


def test_columns_are_found_by_name_below_a_preamble(visit: Visit) -> None:
    sheet = [["ITU"], [], [2025, "UNIT", "Iso Code", 2024, "Note", "Code"], [3.5, "GNIpc", "UZB", 2.5, "x", TWO.code]]
    body = workbook({"economies_2008-2025": sheet})
    assert values(only(visit(body))) == [("UZB", 2024, 2.5), ("UZB", 2025, 3.5)]


@pytest.mark.parametrize("name", ["IsoCode", "Code", "Unit"])
def test_a_renamed_column_is_named(name: str, visit: Visit) -> None:
    head = ["Renamed" if cell == name else cell for cell in HEAD]
    answer = only(visit(book(line("UZB", TWO.code, 1, 1, 1), head=head)))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert name in (answer.reason or "")


def test_a_missing_sheet_is_named(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, 1, 1, 1), sheet="economies")))
    assert "the sheet economies_2008-2025 is missing" in (answer.reason or "")


def test_a_leftover_sheet_of_an_earlier_release_is_ignored(visit: Visit) -> None:
    old = [["IsoCode", "Code", "Unit", 2023, 2024], ["UZB", TWO.code, "GNIpc", 9, 9]]
    new = [["IsoCode", "Code", "Unit", 2024, 2025], ["UZB", TWO.code, "GNIpc", 1.25, 1.5]]
    answer = only(visit(workbook({"economies_2008-2024": old, "economies_2008-2025": new})))
    assert values(answer) == [("UZB", 2024, 1.25), ("UZB", 2025, 1.5)]


def test_the_workbook_of_last_year_under_this_years_name_is_refused(visit: Visit) -> None:
    answer = only(visit(GOOD, release=2026))
    assert (answer.outcome, answer.records.height) == (Outcome.UNAVAILABLE, 0)
    assert "ends in 2025, not in 2026" in (answer.reason or "")


@pytest.mark.parametrize(("body", "reason"), [*NOT_WORKBOOKS, (zip_bomb(32 << 20), "would unpack to")])
def test_a_body_that_is_not_a_workbook_is_refused(body: bytes, reason: str, visit: Visit) -> None:
    fetched = visit(body)
    assert only(fetched).outcome is Outcome.UNAVAILABLE
    assert reason in (only(fetched).reason or "")
    assert all(kept.refused for kept in fetched.bodies)


@pytest.mark.parametrize("status", STATUSES)
def test_a_failing_server_makes_every_series_unavailable(status: int, visit: Visit) -> None:
    fetched = visit(Response("no", status=status), TWO, FIVE)
    assert {answer.outcome for answer in fetched.answers.values()} == {Outcome.UNAVAILABLE}


def test_every_request_to_an_unreachable_provider_has_a_result() -> None:
    base = f"http://127.0.0.1:{unused_port()}"
    fetched = fetch([TWO, FIVE], provider("itu_prices", base), AREAS, WINDOW, PatientHttp())
    assert [answer.outcome for answer in fetched.answers.values()] == [Outcome.UNAVAILABLE] * 2
    assert fetched.bodies == []


def test_frames_have_exactly_the_specified_columns(visit: Visit) -> None:
    answer = only(visit(book(line("UZB", TWO.code, 1.5, "-", "NA"))))
    assert (answer.records.schema, answer.rejects.schema) == (RECORD, SERIES_REJECT)


@cache
def real(reference: Path) -> pl.DataFrame:
    return parse((reference / "itu" / "raw" / "ITU_ICTPriceBaskets_2008-2025.xlsx").read_bytes(), 2025)


def test_the_real_workbook_has_exactly_the_tidy_figures(reference: Path) -> None:
    rows = real(reference)
    areas = Areas(frozenset(rows["IsoCode"]), frozenset(), {}, {})
    files = sorted((reference / "itu" / "price_baskets").glob("*.csv"))
    assert len(files) == 18
    for file in files:
        tidy = pl.read_csv(file, schema_overrides={"year": pl.Int32, "value": pl.Float64})
        dollars = file.stem.endswith("_USD")
        code = f"{file.stem.removesuffix('_USD')}$" if dollars else file.stem
        request = SeriesRequest(code, (("unit", "USD" if dollars else "GNIpc"),))
        figures = observations_of(rows, request, "0" * 64, areas, Window(1960, 2026))
        key = ["iso3", "year"]
        assert figures["reason"].null_count() == figures.height
        assert figures.select(*key, "value").sort(key).equals(tidy.sort(key)), file.stem


def test_every_link_of_the_catalogue_names_a_basket_of_the_real_workbook_in_its_unit(reference: Path) -> None:
    links = [link for indicator in load_catalogue() for link in indicator.chain if link.provider == "itu_prices"]
    assert links
    known = set(real(reference).select("Code", "Unit").unique().rows())
    for link in links:
        assert "unit" in link.options and link.options.keys() <= {"unit", "aliases", "first_year"}, link
        assert (link.code, link.options["unit"]) in known, link


def test_the_first_year_of_a_link_removes_no_figure_of_the_real_basket(reference: Path) -> None:
    rows = real(reference)
    areas = Areas(frozenset(rows["IsoCode"]), frozenset(), {}, {})
    links = [link for one in load_catalogue() for link in one.chain if link.provider == "itu_prices"]
    for link in links:
        request = SeriesRequest(str(link.code), tuple(sorted(link.options.items())))
        whole = SeriesRequest(request.code, (("unit", "GNIpc"),))
        years = observations_of(rows, whole, "0" * 64, areas, Window(1960, 2026))["year"]
        assert years.min() == observations_of(rows, request, "0" * 64, areas, Window(1960, 2026))["year"].min(), link
        assert request.option("first_year", years.min()) == years.min(), link
