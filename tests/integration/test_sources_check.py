"""``carec sources check`` against every provider on loopback: a catalogue without faults, and every kind of fault."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import dagster as dg
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines import source_checks
from pipelines.cli.sources import sources_check
from pipelines.cli.tables import Format
from pipelines.orchestration.automation import failure_sensor
from pipelines.orchestration.source_check_job import check_schedule, check_sources_job
from pipelines.settings import load_settings
from pipelines.source_checks import check_links, closing_line
from pipelines.workspace import Workspace, open_workspace
from sources.catalogue import ARCHIVE, Indicator
from sources.checks.links import LinkFinding, StoredData
from sources.errors import ConfigurationError
from sources.providers.local_file import LocalFiles
from tests.contract.loopback import unused_port
from tests.integration.everyone import CSV, JSON, NOTHING, Everyone, part
from tests.integration.test_everyone import HEADER

Spoil = Callable[[str, str, Request], Response | None]
Links = dict[tuple[str, str], LinkFinding]
"""Indicator and "provider code" -> finding. The last one is kept of equal keys."""


@dataclass
class World:
    """Every provider on loopback, and a warehouse without landed figures."""

    everyone: Everyone
    workspace: Workspace

    def check(self, *providers: str, spoil: Spoil = lambda *_: None, **chosen: Any) -> Links:
        self.everyone.log.clear()
        self.everyone.spoil = spoil
        found = check_links(self.workspace, providers, **chosen)
        self.everyone.spoil = lambda *_: None
        return {(one.indicator_id, f"{one.provider} {one.code}"): one for one in found}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with HTTPServer(threaded=True) as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        opened = open_workspace(load_settings(http_tries=1, warehouse=tmp_path_factory.mktemp("check")))
        everyone = Everyone(opened, server)
        yield World(everyone, on_loopback(opened, everyone.base))


@pytest.fixture(scope="module")
def whole(world: World) -> tuple[list[LinkFinding], list[tuple[str, str]]]:
    """Return the findings of a check of everything, and its requests."""
    world.everyone.log.clear()
    return check_links(world.workspace), [*world.everyone.log]


def on_loopback(workspace: Workspace, base: Callable[[str], str]) -> Workspace:
    providers = {name: provider.at(HttpUrl(base(name))) for name, provider in workspace.catalogue.providers.items()}
    return replace(workspace, catalogue=workspace.catalogue.model_copy(update={"providers": providers}))


def as_json(document: Any) -> Response:
    return Response(json.dumps(document), content_type=JSON)


def edited(at: str, edit: Callable[[Any], Any], path: str, world: World) -> Spoil:
    """Return a function that edits the normal responses of a provider at a path."""

    def spoil(provider: str, requested: str, request: Request) -> Response | None:
        if provider != at or not re.search(path, requested):
            return None
        body, _ = getattr(world.everyone, f"_{provider}")(requested, request.args)
        return as_json(edit(json.loads(body)))

    return spoil


def without(code: str, new: str, world: World, provider: str, path: str) -> Spoil:
    """Return a function that renames one code in the list of a provider."""

    def rename(document: Any) -> Any:
        return json.loads(json.dumps(document).replace(f'"{code}"', f'"{new}"'))

    return edited(provider, rename, path, world)


# Providers that match the catalogue


def test_a_check_of_one_provider_reads_the_stored_figures_of_its_indicators_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, stored = set(), source_checks._stored

    def noting(workspace: Workspace, indicator: Indicator) -> StoredData:
        read.add(indicator.id)
        return stored(workspace, indicator)

    monkeypatch.setattr(source_checks, "_stored", noting)
    found = world.check("wipo_gii")
    asked = {indicator for indicator, _ in found}
    assert asked == read and 0 < len(read) < len(world.workspace.catalogue.indicators)


def test_every_link_is_ok_if_all_providers_match_the_catalogue(
    world: World, whole: tuple[list[LinkFinding], list[tuple[str, str]]]
) -> None:
    found, _ = whole
    assert [(one.indicator_id, one.position, one.provider, one.code) for one in found] == [
        (indicator.id, position, link.provider, link.provider_code)
        for indicator in world.workspace.catalogue
        for position, link in enumerate(indicator.chain, start=1)
    ]
    assert [one for one in found if one.status not in ("ok", "no file")] == []
    assert {one.provider for one in found if one.status == "no file"} <= {ARCHIVE, "local_file"}
    assert not any(one.broken for one in found)
    for one in found:
        assert one.newest_edition is None or one.held_edition is None or one.newest_edition <= one.held_edition, one


def test_every_address_is_requested_once_and_a_link_costs_at_most_one_request_plus_lists_and_files(
    whole: tuple[list[LinkFinding], list[tuple[str, str]]],
) -> None:
    found, log = whole
    assert set(Counter(log).values()) == {1}
    links = Counter(one.provider for one in found)
    requested = Counter(provider for provider, _ in log)
    lists = {"world_bank": 4 + 2, "data360": 7, "un_sdg": 1, "unesco_uis": 1}  # six ratios have a second series
    for provider, extra in lists.items():
        assert requested[provider] <= links[provider] + extra, provider
    assert (requested["qog"], requested["findex"], requested["gtmi"], requested["itu_prices"]) == (1, 1, 1, 2)
    assert requested["data360_files"] <= links["data360_files"]


def test_providers_and_indicators_can_be_chosen_and_unknown_ones_are_named(world: World) -> None:
    assert {one.provider for one in world.check("owid", "qog").values()} == {"owid", "qog"}
    found = world.check(indicators=["coverage_4g_pct"])
    assert {one.indicator_id for one in found.values()} == {"coverage_4g_pct"}
    assert [one.position for one in found.values()] == list(range(1, len(found) + 1))
    with pytest.raises(
        ConfigurationError, match=r"no link to check at no_such_provider; these indicators are asked of .*qog"
    ):
        world.check("no_such_provider")
    with pytest.raises(ConfigurationError, match="unknown indicator nothing"):
        world.check(indicators=["nothing"])


def test_offline_no_provider_gets_a_request(world: World) -> None:
    offline = replace(world.workspace, settings=replace(world.workspace.settings, offline=True))
    with pytest.raises(ConfigurationError, match="CAREC_OFFLINE"):
        check_links(offline)


# Codes


@pytest.mark.parametrize(
    ("provider", "path", "old", "new", "indicator", "expected"),
    [
        (
            "world_bank",
            "^sources/2/indicators",
            "GE.EST",
            "CC.XYZ",
            "government_effectiveness_est",
            r"source 2 has no GE.EST; nearest is GOV_WGI_GE.EST in source 3",
        ),
        ("data360", "indicators", "MOB_COV_4G", "ITU_DH_MOBILE_COV_4G", "coverage_4g_pct", "ITU_DH_MOBILE_COV_4G"),
        ("data360", "indicators", "UN_EGDI_TTI", "UN_EGDI_TTIX", "egdi_tii_index", "nearest is UN_EGDI_TTIX"),
        ("un_sdg", "Series/List", "SE_ACS_INTNT", "SE_ACS_INTNTX", "schools_internet_pct", "nearest is SE_ACS_INTNTX"),
        ("unesco_uis", "definitions", "EXPGDP.TOT", "EXPGDP.TOTAL", "rd_expenditure_pct_gdp", "EXPGDP.TOTAL"),
        ("owid", "metadata", "it_net_user_zs", "wdi_it_net_user_zs", "internet_users_pct", "wdi_it_net_user_zs"),
    ],
)
def test_a_renamed_code_is_named_with_the_nearest_one(
    world: World, provider: str, path: str, old: str, new: str, indicator: str, expected: str
) -> None:
    found = world.check(provider, spoil=without(old, new, world, provider, path))
    one = next(one for one in found.values() if one.indicator_id == indicator and one.code == old)
    assert one.status == "renamed?" and re.search(expected, one.detail), one
    others = {each.status for each in found.values() if each is not one}
    assert others == {"ok"}


def test_a_missing_code_without_a_similar_one_is_gone(world: World) -> None:
    spoil = without("IS.RRS.GOOD.MT.K6", "XX", world, "world_bank", "^sources/2/indicators")
    found = world.check("world_bank", spoil=spoil)
    one = found["rail_freight_tonne_km", "world_bank IS.RRS.GOOD.MT.K6"]
    assert (one.status, one.broken) == ("gone", False), "no indicator of the framework"


def test_an_alias_that_exists_is_ok_and_named(world: World) -> None:
    def spoil(provider: str, path: str, request: Request) -> Response | None:
        if provider == "data360" and "indicators" in path and request.args["datasetId"] == "ITU_DH":
            return as_json(["ITU_DH_POP_COV_4G"])
        if provider == "data360" and request.args.get("INDICATOR") == "ITU_DH_POP_COV_4G":
            rows = world.everyone._rows360("ITU_DH_POP_COV_4G", *world.everyone.of("data360")["MOB_COV_4G"])
            own = [row for row in rows if row["REF_AREA"] == "KAZ"]
            return as_json({"count": len(own), "value": own})
        return None

    one = world.check("data360", indicators=["coverage_4g_pct"], spoil=spoil)["coverage_4g_pct", "data360 MOB_COV_4G"]
    assert one.status == "ok" and "alias ITU_DH_POP_COV_4G" in one.detail


def test_the_other_code_of_a_ratio_counts_as_well(world: World) -> None:
    spoil = without("account.t.d.10", "account.t.d.urban", world, "world_bank", "^sources/28/indicators")
    found = world.check("world_bank", spoil=spoil)
    one = found["rural_urban_account_ratio", "world_bank account.t.d.9 / account.t.d.10"]
    assert one.status in ("gone", "renamed?") and "account.t.d.10" in one.detail and one.broken


@pytest.mark.parametrize("answer", [NOTHING, as_json({"odd": "shape"}), as_json([])], ids=["404", "odd", "empty"])
def test_if_the_list_is_unavailable_the_link_itself_is_requested(world: World, answer: Response) -> None:
    lists = {
        "world_bank": "/indicators$",
        "data360": "indicators$",
        "un_sdg": "Series/List",
        "unesco_uis": "definitions",
    }
    lists["owid"] = "metadata"

    def spoil(provider: str, path: str, request: Request) -> Response | None:
        if provider in lists and re.search(lists[provider], path):
            return Response(answer.get_data(), answer.status_code, content_type=answer.content_type)
        return None

    assert {one.status for one in world.check(*lists, spoil=spoil).values()} == {"ok"}


def test_without_a_list_an_unknown_code_is_recognised_by_the_response(world: World) -> None:
    def spoil(provider: str, path: str, request: Request) -> Response | None:
        if path.endswith("/indicators") or path.startswith("definitions"):
            return NOTHING
        if provider == "unesco_uis" and request.args.get("indicator") == "GER.5T8":
            return as_json({"hints": [{"code": "UIS::HINT::001", "message": "not found, GER.5T8"}], "records": []})
        if provider == "world_bank" and "/SE.TER.ENRR" in path:
            return as_json([{"message": [{"id": "175", "key": "Invalid format", "value": "was not found"}]}])
        return None

    found = world.check("world_bank", "unesco_uis", indicators=["tertiary_enrolment_pct"], spoil=spoil)
    assert [one.status for one in found.values()] == ["gone", "gone"]


# Rows and units


def test_options_that_match_no_row_are_reported(world: World) -> None:
    """The code of a skill changed: the response has rows, but no row of the cut."""
    one = next(one for one in world.check("un_sdg", spoil=skills("XYZ", world)).values() if one.code == "SE_ADT_ACTS")
    assert one.status == "no rows" and "XYZ" in one.detail and "Type of skill" in one.detail


def skills(code: str, world: World) -> Spoil:
    def edit(document: Any) -> Any:
        for row in document["data"]:
            if "Type of skill" in row["dimensions"]:
                row["dimensions"]["Type of skill"] = code
        return document

    return edited("un_sdg", edit, "Series/Data", world)


def test_a_series_without_any_figure_of_the_members_has_no_rows(world: World) -> None:
    empty = [{"page": 1, "pages": 1, "per_page": 500, "total": 0, "sourceid": "2", "lastupdated": "2026-07-13"}, None]
    spoil: Spoil = lambda provider, path, _: as_json(empty) if "IT.NET.USER.ZS" in path else None  # noqa: E731
    one = world.check("world_bank", indicators=["internet_users_pct"], spoil=spoil)
    (found,) = one.values()
    assert found.status == "no rows" and "KAZ" in found.detail and found.broken


def test_a_response_without_the_name_of_the_database_is_ok(world: World) -> None:
    spoil = edited("world_bank", lambda document: [document[0] | {"sourceid": None}, document[1]], "^country", world)
    assert {one.status for one in world.check("world_bank", spoil=spoil).values()} == {"ok"}


def test_rows_of_another_database_are_unreadable(world: World) -> None:
    spoil = edited("world_bank", lambda document: [document[0] | {"sourceid": "11"}, document[1]], "^country", world)
    found = world.check("world_bank", indicators=["internet_users_pct"], spoil=spoil)
    assert [(one.status, "source 11" in one.detail) for one in found.values()] == [("unreadable", True)]


def test_absent_cut_columns_are_the_total(world: World) -> None:
    link = world.workspace.catalogue.indicators["gci_score"].chain[0]
    head = "INDICATOR,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE,UNIT_MULT,DATABASE_ID"
    row = f"{link.code},KAZ,2024,90,{link.options['unit_measure']},0,ITU_GCI"
    spoil: Spoil = lambda *_: Response(f"{head}\n{row}\n", content_type=CSV)  # noqa: E731
    found = world.check("data360_files", indicators=["gci_score"], spoil=spoil)
    assert {one.status for one in found.values()} == {"ok"}


@pytest.mark.parametrize(
    ("provider", "path", "indicator", "edit", "expected"),
    [
        (
            "un_sdg",
            "Series/Data",
            "coverage_4g_pct",
            lambda row: row | {"attributes": row["attributes"] | {"Units": "NUMBER"}},
            "the unit is NUMBER, the link expects PERCENT",
        ),
        (
            "data360",
            "data$",
            "coverage_4g_pct",
            lambda row: row | {"UNIT_MEASURE": "PT_HH"},
            "the unit is PT_HH, the link expects PT_POP",
        ),
    ],
)
def test_another_unit_is_named_with_the_expected_one(
    world: World, provider: str, path: str, indicator: str, edit: Callable[[Any], Any], expected: str
) -> None:
    field = "data" if provider == "un_sdg" else "value"
    spoil = edited(provider, lambda page: page | {field: [edit(row) for row in page[field]]}, path, world)
    (one,) = world.check(provider, indicators=[indicator], spoil=spoil).values()
    assert (one.status, one.detail, one.broken) == ("unit differs", expected, True)


def test_several_units_differ_if_the_link_names_no_unit(world: World) -> None:
    def edit(page: Any) -> Any:
        double = [row | {"UNIT_MEASURE": "Y"} for row in page["value"]]
        return {"count": 2 * page["count"], "value": [*page["value"], *double]}

    spoil = edited("data360", edit, "data$", world)
    found = world.check("data360", indicators=["internet_users_pct"], spoil=spoil)
    assert [(one.status, one.detail) for one in found.values()] == [
        ("unit differs", "the unit is X or Y, the link names none: add the option unit_measure")
    ]


def test_the_unit_of_a_chart_and_of_a_price_basket_is_compared(world: World) -> None:
    def spoil(provider: str, path: str, request: Request) -> Response | None:
        if path.endswith("metadata.json"):
            columns = world.everyone._owid(path, request.args)[0].replace(b'"%"', b'"kbit/s"')  # type: ignore[index]
            return Response(columns, content_type=JSON)
        return None

    assert {one.status for one in world.check("owid", spoil=spoil).values()} == {"unit differs"}
    other = {
        key: (replace_unit(link, "PPP"), series) for key, (link, series) in world.everyone.of("itu_prices").items()
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.everyone, "of", lambda _: other)
        world.everyone._bodies.clear()
        found = world.check("itu_prices")
    world.everyone._bodies.clear()
    assert {(one.status, one.detail) for one in found.values()} == {
        ("unit differs", "the unit is PPP, the link expects GNIpc")
    }


def replace_unit(link: Any, unit: str) -> Any:
    return link.model_copy(update={"options": {**link.options, "unit": unit}})


# Files


def test_a_file_above_the_size_limit_is_detected_from_its_first_bytes(world: World) -> None:
    limit = world.workspace.catalogue.providers["qog"].max_body_mib << 20

    def spoil(provider: str, path: str, request: Request) -> Response | None:
        body = world.everyone._qog(path, request.args) if provider == "qog" else None
        return part(*body, request, size=limit + 1) if body else None

    found = world.check("qog", spoil=spoil)
    assert {one.status for one in found.values()} == {"too large"}
    assert {one.detail.split(":")[0] for one in found.values()} == {f"{limit + 1:,} bytes, the limit is {limit:,}"}
    assert any(one.broken for one in found.values()) and {one.code for one in found.values() if not one.broken}
    exact = world.check("qog", spoil=lambda p, path, request: grown(world, path, request, limit))
    assert {one.status for one in exact.values()} == {"ok"}


def grown(world: World, path: str, request: Request, size: int) -> Response | None:
    body = world.everyone._qog(path, request.args)
    return part(*body, request, size=size) if body else None


def test_a_column_missing_in_the_header_of_a_large_file_is_reported_as_renamed(world: World) -> None:
    def spoil(provider: str, path: str, request: Request) -> Response | None:
        body = world.everyone._qog(path, request.args)
        return part(body[0].replace(b"egov_osi", b"egov_osix", 1), CSV, request, size=50 << 20) if body else None

    one = world.check("qog", spoil=spoil)["egdi_osi_index", "qog egov_osi"]
    assert one.status == "renamed?" and "nearest is egov_osix" in one.detail


def test_codes_are_checked_in_a_complete_workbook_and_only_the_size_of_a_partial_one(world: World) -> None:
    body, content_type = world.everyone._itu_prices("ITU_ICTPriceBaskets_2008-2025.xlsx", {})  # type: ignore[misc]
    found = world.check("itu_prices", spoil=lambda _, path, request: newest(path, part(body, content_type, request)))
    assert {one.detail for one in found.values()} == {""}
    large = world.check(
        "itu_prices", spoil=lambda _, path, request: newest(path, part(body, content_type, request, size=9 << 20))
    )
    assert {one.status for one in large.values()} == {"ok"}
    assert all("codes are not in a workbook's first bytes" in one.detail for one in large.values())


def newest(path: str, response: Response) -> Response | None:
    return response if "2025" in path else NOTHING


def test_a_file_that_is_not_a_workbook_is_unreadable(world: World) -> None:
    pdf = Response(b"%PDF-1.7", content_type="application/octet-stream")
    found = world.check("gtmi", spoil=lambda *_: Response(pdf.get_data(), content_type=pdf.content_type))
    assert {one.status for one in found.values()} == {"unreadable"}


def test_a_newer_edition_is_named_and_is_no_fault(world: World) -> None:
    year = 2026
    survey = world.everyone._un_egov("EGOV_DATA_2024.csv", {})[0].replace(b"2024,", f"{year},".encode())  # type: ignore[index]

    def spoil(provider: str, path: str, request: Request) -> Response | None:
        if path == f"EGOV_DATA_{year}.csv":
            return part(survey, CSV, request)
        return None

    found = world.check("un_egov", spoil=spoil)
    newer = [one for one in found.values() if one.status == "newer edition: 2026"]
    assert {(one.newest_edition, one.held_edition, one.broken) for one in newer} == {(2026, 2024, False)}
    assert "egdi_rank" in {one.indicator_id for one in newer}


def test_a_newer_year_is_named(world: World) -> None:
    def edit(document: Any) -> Any:
        return [document[0], [row | {"date": str(int(row["date"]) + 1)} for row in document[1]]]

    spoil = edited("world_bank", edit, "^country", world)
    (one,) = world.check("world_bank", indicators=["electricity_access_pct"], spoil=spoil).values()
    assert one.status == f"newer edition: {one.newest_edition}" and "carec refresh" in one.detail
    assert one.newest_edition == (one.held_edition or 0) + 1


def test_a_copy_that_ends_earlier_is_reported(world: World) -> None:
    def edit(page: Any) -> Any:
        old = [row for row in page["value"] if row["TIME_PERIOD"] <= "2020"]
        return {"count": len(old), "value": old}

    found = world.check("data360", indicators=["egdi_osi_index"], spoil=edited("data360", edit, "data$", world))
    assert [(one.status, one.detail) for one in found.values()] == [("ok", "ends in 2020, held is 2024")]


# Hosts


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda: Response("no", 403, content_type="text/plain"), "blocked"),
        (lambda: Response(b"", 202), "blocked"),
        (lambda: Response("busy", 500, content_type="text/plain"), "unreachable"),
        (lambda: Response("<html>Maintenance</html>", content_type="text/html"), None),
    ],
    ids=["403", "202", "500", "page"],
)
def test_a_host_that_refuses_differs_from_one_that_fails(
    world: World, answer: Callable[[], Response], status: str | None
) -> None:
    found = world.check(spoil=lambda *_: answer())
    requested = [one for one in found.values() if one.provider not in (ARCHIVE, "local_file")]
    if status:
        assert {one.status for one in requested} == {status}
    else:
        assert {one.status for one in requested} <= {"unreadable", "gone"}
    assert all(one.broken == one.framework for one in requested)


def test_a_missing_host_is_unreachable(world: World) -> None:
    nowhere = on_loopback(world.workspace, lambda _: f"http://127.0.0.1:{unused_port()}")
    found = check_links(nowhere, ["world_bank", "wipo_gii", "un_sdg"])
    assert {one.status for one in found} == {"unreachable"}


def test_a_request_that_is_throttled_with_400_is_retried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sources.http.sending.BACKOFF_S", 0.0)
    settings = replace(world.workspace.settings, http_tries=3)
    patient = replace(world, workspace=replace(world.workspace, settings=settings))
    refused: Counter[str] = Counter()

    def spoil(provider: str, path: str, request: Request) -> Response | None:
        refused[path] += 1
        if path.startswith("country") and refused[path] < 3:
            return Response("<html><body>Request Error</body></html>", 400, content_type="text/html")
        return None

    assert {one.status for one in patient.check("world_bank", spoil=spoil).values()} == {"ok"}


# Local files of an operator


def test_an_operators_file_is_checked_and_a_missing_one_is_no_fault(world: World, tmp_path: Path) -> None:
    local = replace(world.workspace, adapters={**world.workspace.adapters, "local_file": LocalFiles(tmp_path)})

    def check() -> LinkFinding:
        """Return the result for the one link to this file."""
        found = check_links(local, ["local_file"])
        return next(one for one in found if (one.indicator_id, one.position) == ("paperless_trade_pct", 2))

    absent = check()
    assert absent.status == "no file" and "untf_survey.csv" in absent.detail
    (tmp_path / "untf_survey.yml").write_text(HEADER)
    (tmp_path / "untf_survey.csv").write_text("iso3,year,value\nKAZ,2025,70.5\n")
    present = check()
    assert (present.status, present.newest_edition) == ("ok", 2025)
    (tmp_path / "untf_survey.yml").write_text(HEADER.replace("unit: pct", "unit: index"))
    wrong = check()
    assert wrong.status == "unreadable" and "unit" in wrong.detail


# The command and the job


@pytest.fixture
def commanded(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("pipelines.cli.sources.open_workspace", lambda: world.workspace)
    return world


def test_the_command_prints_links_then_editions_and_a_closing_line(
    commanded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    sources_check([], standalone_mode=False)
    printed = capsys.readouterr()
    assert "GOV_WGI_GE.EST" in printed.out and "could be out since 2026-09" in printed.out
    assert re.search(r"^\d+ links: \d+ ok, .*; 0 of the framework are broken$", printed.err, re.MULTILINE)


def test_json_and_csv_have_one_record_per_link_and_a_broken_link_exits_with_1(
    commanded: World, capsys: pytest.CaptureFixture[str]
) -> None:
    commanded.everyone.spoil = without("GE.EST", "XX", commanded, "world_bank", "^sources/2/indicators")
    for fmt in (Format.JSON, Format.CSV):
        assert sources_check(["--provider", "world_bank", "--format", fmt], standalone_mode=False) == 1
        out = capsys.readouterr().out
        rows = json.loads(out) if fmt is Format.JSON else list(csv.DictReader(io.StringIO(out)))
        one = next(row for row in rows if row["code"] == "GE.EST")
        assert (one["indicator_id"], str(one["position"]), one["provider"], one["status"]) == (
            "government_effectiveness_est",
            "2",
            "world_bank",
            "renamed?",
        )
    commanded.everyone.spoil = lambda *_: None


def test_the_edition_watch_sends_no_request(commanded: World, capsys: pytest.CaptureFixture[str]) -> None:
    commanded.everyone.log.clear()
    sources_check(["--editions", "--format", "json"], standalone_mode=False)
    rows = {row["index"]: row for row in json.loads(capsys.readouterr().out)}
    assert commanded.everyone.log == []
    assert rows["GII"]["held_edition"] == 2025 and rows["IDI"]["held_release"].startswith("IDI 20")
    assert rows["LPI"]["held_edition"] == 2022 and rows["Global Findex"]["held_edition"] == 2024
    for refused in (["--provider", "qog"], ["--indicator", "gii_score"]):
        with pytest.raises(click.BadParameter):
            sources_check(["--editions", *refused], standalone_mode=False)


def test_the_contract_checks_of_the_services_are_still_available(
    commanded: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREC_GTMI_URL", commanded.everyone.base("gtmi"))
    sources_check(["--provider", "gtmi", "--contracts", "--format", "json"], standalone_mode=False)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["provider"], row["verdict"]) == ("gtmi", "ok")


def run_job(workspace: Workspace, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return check_sources_job(workspace).execute_in_process(instance=instance, raise_on_error=False)


def test_the_job_fails_with_the_broken_links_and_notifies_the_webhook(world: World, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_json({})
    settings = replace(world.workspace.settings, webhook_url=httpserver.url_for("/hook"))
    workspace = replace(world.workspace, settings=settings)
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_job(workspace, instance).success
        world.everyone.spoil = without("GE.EST", "XX", world, "world_bank", "^sources/2/indicators")
        failed = run_job(workspace, instance)
        world.everyone.spoil = lambda *_: None
        assert not failed.success
        event = failed.get_run_failure_event()
        context = dg.build_run_status_sensor_context("tell_of_failed_runs", event, instance, failed.dagster_run)
        failure_sensor(workspace, dg.DefaultSensorStatus.STOPPED)(context.for_run_failure())
    ((request, _),) = httpserver.log
    body = request.get_json()
    assert body["kind"] == "run_failed" and "check_sources" in body["headline"]
    assert "government_effectiveness_est: world_bank GE.EST: renamed?" in body["text"]


def test_the_schedule_is_monthly_and_off_for_every_automation_setting(world: World) -> None:
    for automation in (False, True):
        schedule = check_schedule(replace(world.workspace.settings, automation=automation))
        assert schedule.cron_schedule == "0 4 1 * *" and schedule.job_name == "check_sources"
        assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED


def test_offline_the_job_sends_no_request(world: World) -> None:
    offline = replace(world.workspace, settings=replace(world.workspace.settings, offline=True))
    world.everyone.log.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_job(offline, instance).success
    assert world.everyone.log == []


def test_the_closing_line_counts_each_status(world: World) -> None:
    found = list(world.check("qog").values())
    assert closing_line(found) == f"{len(found)} links: {len(found)} ok; 0 of the framework are broken"
