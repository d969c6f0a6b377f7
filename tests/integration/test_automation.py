"""Schedules and sensors: the runs that they start, with loopback providers and Dagster's evaluation of conditions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines.orchestration.automation import release_sensor, schedules, sensors, watched
from pipelines.orchestration.release_cursor import ReleaseCursor
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.observation import utc_now
from sources.provider import SeriesRequest
from sources.providers import RELEASE_PROBES
from sources.releases import releases

STOPPED = dg.DefaultSensorStatus.STOPPED
TODAY = date(2026, 11, 23)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> Workspace:
    """A workspace with all providers on the loopback server."""
    for provider in RELEASE_PROBES:
        monkeypatch.setenv(f"CAREC_{provider.upper()}_URL", httpserver.url_for(f"/{provider}"))
    return open_workspace(load_settings(warehouse=tmp_path, http_tries=1))


def world_bank(server: HTTPServer, updated: Mapping[str, str]) -> None:
    """Serve the day of the last update for each database."""
    server.clear()
    for source, day in updated.items():
        server.expect_request(f"/world_bank/sources/{source}").respond_with_json(
            [{"page": 1, "pages": 1, "total": 1}, [{"id": source, "lastupdated": day}]]
        )


def tick(
    workspace: Workspace, provider: str, cursor: str | None, instance: dg.DagsterInstance | None = None
) -> tuple[dg.SensorResult | dg.SkipReason, str]:
    sensor = release_sensor(workspace, workspace.catalogue.providers[provider], STOPPED)
    result = sensor(dg.build_sensor_context(instance or dg.DagsterInstance.ephemeral(), cursor))
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result, (result.cursor or "") if isinstance(result, dg.SensorResult) else ""


def requested(result: dg.SensorResult | dg.SkipReason) -> set[str]:
    assert isinstance(result, dg.SensorResult) and result.run_requests
    (run,) = result.run_requests
    return {key.path[-1] for key in run.asset_selection or []}


def seen(cursor: str) -> set[str]:
    return set(json.loads(cursor)["seen"])


def run(instance: dg.DagsterInstance, result: dg.SensorResult | dg.SkipReason, **metadata: str) -> None:
    """Record the run of a request, with a materialisation of its indicators if there is metadata; else it fails."""
    assert isinstance(result, dg.SensorResult) and result.run_requests
    (request,) = result.run_requests

    @dg.op(out=dg.Out(dg.Nothing))
    def land() -> Iterator[dg.AssetMaterialization]:
        if not metadata:
            raise dg.Failure("the disk is full")
        for key in request.asset_selection or []:
            yield dg.AssetMaterialization(key, metadata=metadata)

    @dg.job
    def landing() -> None:
        land()

    tags = {"dagster/run_key": str(request.run_key)}
    landing.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def test_a_release_counts_as_seen_only_when_its_figures_have_landed(
    workspace: Workspace, httpserver: HTTPServer
) -> None:
    instance, days = dg.DagsterInstance.ephemeral(), {"2": "2026-07-01", "3": "2026-09-25"}
    keys: list[str | None] = []

    def ask(day: str, cursor: str | None) -> tuple[dg.SensorResult, str]:
        world_bank(httpserver, days | {"28": day})
        result, cursor = tick(workspace, "world_bank", cursor, instance)
        assert isinstance(result, dg.SensorResult)
        keys.extend(request.run_key for request in result.run_requests or [])
        return result, cursor

    _, cursor = ask("2025-10-06", None)
    asked, cursor = ask("2026-11-20", cursor)
    run(instance, asked)  # fails
    asked, cursor = ask("2026-11-20", cursor)
    run(instance, asked, outcome="unavailable")  # the last figures were kept
    asked, cursor = ask("2026-11-20", cursor)
    run(instance, asked, outcome="ok", provider_used="data360_files")  # a mirror has an earlier release
    asked, cursor = ask("2026-11-20", cursor)
    run(instance, asked, outcome="ok", provider_used="world_bank")
    assert not ask("2026-11-20", cursor)[0].run_requests
    for day in ("2025-10-06", "2026-11-20"):  # the release changes back, and again
        asked, cursor = ask(day, cursor)
        run(instance, asked, outcome="ok", provider_used="world_bank")
    assert not ask("2026-11-20", cursor)[0].run_requests
    assert len(keys) == len(set(keys)) == 6, "Dagster skips a request with the key of an earlier one"


def test_a_release_is_not_asked_for_while_its_run_is_not_finished(workspace: Workspace, httpserver: HTTPServer) -> None:
    instance = dg.DagsterInstance.ephemeral()
    cursor = ReleaseCursor({"a": "1"})
    key = cursor.ask(instance, "world_bank", {"a": "2"})
    started = dg.DagsterRun("refresh", tags={"dagster/run_key": key}, status=dg.DagsterRunStatus.STARTED)
    instance.add_run(started)
    cursor = ReleaseCursor.read(cursor.text())
    cursor.settle(instance, {"a": {"world_bank"}})
    assert cursor.changed({"a": "2"}) == []


def test_the_cursor_of_an_earlier_version_has_the_releases_that_were_seen() -> None:
    cursor = ReleaseCursor.read('{"a": "1", "b": "1"}')
    assert cursor.changed({"a": "1", "b": "2"}) == ["b"]


def test_a_provider_without_a_new_release_starts_no_run(workspace: Workspace, httpserver: HTTPServer) -> None:
    world_bank(httpserver, {"2": "2026-07-01", "3": "2026-09-25", "28": "2025-10-06"})
    first, cursor = tick(workspace, "world_bank", None)
    second, again = tick(workspace, "world_bank", cursor)
    assert isinstance(first, dg.SensorResult) and not first.run_requests
    assert isinstance(second, dg.SensorResult) and not second.run_requests
    assert "nothing new" in str(second.skip_reason)
    assert cursor == again
    assert seen(cursor) == set(watched(workspace.catalogue)["world_bank"])


def test_a_new_release_refreshes_only_the_indicators_of_that_database(
    workspace: Workspace, httpserver: HTTPServer
) -> None:
    world_bank(httpserver, {"2": "2026-07-01", "3": "2026-09-25", "28": "2025-10-06"})
    _, cursor = tick(workspace, "world_bank", None)
    world_bank(httpserver, {"2": "2026-07-01", "3": "2026-09-25", "28": "2026-11-20"})
    instance = dg.DagsterInstance.ephemeral()
    result, cursor = tick(workspace, "world_bank", cursor, instance)
    findex = {
        indicator
        for indicator, requests in watched(workspace.catalogue)["world_bank"].items()
        if requests[0].option("source") == 28
    }
    assert findex and requested(result) == findex
    run(instance, result, outcome="ok", provider_used="world_bank")
    after, _ = tick(workspace, "world_bank", cursor, instance)
    assert isinstance(after, dg.SensorResult) and not after.run_requests


def test_an_unavailable_provider_starts_no_run_and_keeps_the_cursor(
    workspace: Workspace, httpserver: HTTPServer
) -> None:
    world_bank(httpserver, {"2": "2026-07-01", "3": "2026-09-25", "28": "2025-10-06"})
    _, cursor = tick(workspace, "world_bank", None)
    httpserver.clear()
    httpserver.expect_request(re.compile("/world_bank/.*")).respond_with_data("", status=503)
    result, after = tick(workspace, "world_bank", cursor)
    assert isinstance(result, dg.SensorResult) and not result.run_requests
    assert "HTTP 503" in str(result.skip_reason)
    assert after == cursor


def test_offline_no_provider_is_requested(workspace: Workspace, httpserver: HTTPServer) -> None:
    offline = replace(workspace, settings=replace(workspace.settings, offline=True))
    result, _ = tick(offline, "world_bank", None)
    assert isinstance(result, dg.SkipReason)
    assert not httpserver.log


def serve_files(server: HTTPServer, provider: str, files: Mapping[str, str]) -> None:
    """Serve the first byte of each file with the date of its last change."""

    def answer(request: Request) -> Response:
        name = request.path.removeprefix(f"/{provider}/")
        if name not in files:
            return Response("<html>not here</html>", 404, content_type="text/html")
        assert request.headers["Range"] == "bytes=0-0"
        return Response("x", 206, headers={"Last-Modified": files[name], "Content-Range": "bytes 0-0/1000000"})

    server.expect_request(re.compile(f"/{provider}/.*")).respond_with_handler(answer)


OLD, NEW = "Tue, 16 Sep 2025 08:00:00 GMT", "Wed, 18 Nov 2026 08:00:00 GMT"
YEAR = utc_now().year


def serve_releases(server: HTTPServer, provider: str, state: Any) -> None:
    """Serve a provider's probe: a version, the releases of its series, or its files with their dates."""
    server.clear()
    if provider == "unesco_uis":
        server.expect_request("/unesco_uis/versions/default").respond_with_json({"version": state})
    elif provider == "un_sdg":
        listed = [{"code": code, "release": release} for code, release in state.items()]
        server.expect_request("/un_sdg/Series/List").respond_with_json(listed)
    else:
        serve_files(server, provider, state)


SDG = dict.fromkeys(["IT_MOB_OWN", "IT_MOB_3GNTWK", "IT_MOB_4GNTWK", "IT_MOB_5GNTWK", "SE_ADT_ACTS"], "2026.Q2.G.01")
DATA360 = {
    f"{database}/{code}.csv": OLD
    for database, codes in {
        "ITU_GCI": [
            f"ITU_GCI_{part}"
            for part in ("GCI_OVRL_SCRE", "LEGL_SCRE", "TECH_SCORE", "ORG_SCORE", "CDS_SCORE", "COOP_SCORE")
        ],
        "ITU_DH": ["IT_HH_INT", "INT_BAND_PER_USR"],
    }.items()
    for code in codes
}
GTMI = "DR0095721/WBG_GovTech_Dataset_Dec2025.xlsx"
ALL = None


@pytest.mark.parametrize(
    ("provider", "before", "after", "affected"),
    [
        ("unesco_uis", "20260210-aa", "20260915-bb", ALL),
        (
            "un_sdg",
            SDG,
            SDG | {"IT_MOB_OWN": "2026.Q3.G.01"},
            {"mobile_phone_owner_pct", "mobile_phone_owner_female_pct", "mobile_phone_owner_male_pct"},
        ),
        (
            "wipo_gii",
            {f"gii-ranking/data/economy_id_{YEAR - 1}.csv": OLD},
            {f"gii-ranking/data/economy_id_{year}.csv": OLD for year in (YEAR - 1, YEAR)},
            ALL,
        ),
        (
            "itu_prices",
            {f"ITU_ICTPriceBaskets_2008-{YEAR - 1}.xlsx": OLD},
            {f"ITU_ICTPriceBaskets_2008-{YEAR - 1}.xlsx": NEW},
            ALL,
        ),
        ("un_egov", {f"EGOV_DATA_{YEAR - 2}.csv": OLD}, {f"EGOV_DATA_{YEAR}.csv": NEW}, ALL),
        ("gtmi", {GTMI: OLD}, {GTMI: NEW}, ALL),
        ("data360_files", DATA360, DATA360 | {"ITU_DH/IT_HH_INT.csv": NEW}, {"households_internet_pct"}),
    ],
)
def test_an_unchanged_release_starts_no_run_and_a_changed_one_refreshes_what_it_affects(
    workspace: Workspace, httpserver: HTTPServer, provider: str, before: Any, after: Any, affected: set[str] | None
) -> None:
    watch = watched(workspace.catalogue)[provider].keys()
    serve_releases(httpserver, provider, before)
    first, cursor = tick(workspace, provider, None)
    unchanged, same = tick(workspace, provider, cursor)
    assert isinstance(first, dg.SensorResult) and not first.run_requests
    assert isinstance(unchanged, dg.SensorResult) and not unchanged.run_requests
    assert seen(cursor) == watch and same == cursor
    serve_releases(httpserver, provider, after)
    changed, cursor = tick(workspace, provider, cursor)
    assert requested(changed) == (affected or set(watch))


def test_the_interval_of_a_sensor_is_in_the_catalogue(workspace: Workspace) -> None:
    provider = workspace.catalogue.providers["un_sdg"].model_copy(update={"probe_hours": 6})
    assert release_sensor(workspace, provider, STOPPED).minimum_interval_seconds == 6 * 3600
    for sensor in sensors(workspace):
        if sensor.name.endswith("_release"):
            listed = workspace.catalogue.providers[sensor.name.removesuffix("_release")]
            assert listed.probe_hours and sensor.minimum_interval_seconds == listed.probe_hours * 3600


def test_a_file_with_a_new_name_or_date_is_new(workspace: Workspace, httpserver: HTTPServer) -> None:
    old = {"gii-ranking/data/economy_id_2025.csv": "Tue, 16 Sep 2025 08:00:00 GMT"}
    seen = []
    for files in (
        old,
        {**old, "gii-ranking/data/economy_id_2025.csv": "Wed, 17 Sep 2025 08:00:00 GMT"},
        {**old, "gii-ranking/data/economy_id_2026.csv": "Tue, 29 Sep 2026 08:00:00 GMT"},
    ):
        httpserver.clear()
        serve_files(httpserver, "wipo_gii", files)
        provider = workspace.catalogue.providers["wipo_gii"]
        with Http(tries=1) as http:
            found = releases([SeriesRequest("Index")], provider, http, TODAY)
        seen.append(found.of[SeriesRequest("Index")])
    assert len(set(seen)) == 3
    assert len(httpserver.log) == 1, "the newest edition is requested first"


def test_each_series_of_the_sdg_database_has_its_own_release(workspace: Workspace, httpserver: HTTPServer) -> None:
    listed = [{"code": "IT_MOB_OWN", "release": "2026.Q3.G.01"}, {"code": "IT_MOB_4GNTWK", "release": "2026.Q2.G.01"}]
    httpserver.expect_request("/un_sdg/Series/List").respond_with_json(listed)
    requests = [SeriesRequest(each["code"]) for each in listed]
    with Http(tries=1) as http:
        found = releases(requests, workspace.catalogue.providers["un_sdg"], http, TODAY)
    assert list(found.of.values()) == ["2026.Q3.G.01", "2026.Q2.G.01"]


def test_a_response_without_a_release_has_no_release(workspace: Workspace, httpserver: HTTPServer) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_json([{"message": [{"id": "120"}]}])
    with Http(tries=1) as http:
        for provider in ("world_bank", "unesco_uis", "un_sdg"):
            found = releases([SeriesRequest("A")], workspace.catalogue.providers[provider], http, TODAY)
            assert found.of == {} and len(found.silent) == 1, provider


def test_every_provider_with_probe_hours_has_a_probe(workspace: Workspace) -> None:
    assert {each.id for each in workspace.catalogue.providers.values() if each.probe_hours} == set(RELEASE_PROBES)


@pytest.mark.parametrize(
    ("automation", "running"), [(False, dg.DefaultSensorStatus.STOPPED), (True, dg.DefaultSensorStatus.RUNNING)]
)
def test_one_setting_switches_everything_on(
    workspace: Workspace, automation: bool, running: dg.DefaultSensorStatus
) -> None:
    settings = replace(workspace.settings, automation=automation, timezone="Asia/Almaty")
    found = sensors(replace(workspace, settings=settings))
    assert len(found) == len(watched(workspace.catalogue)) + 2
    assert {sensor.default_status for sensor in found} == {running}
    (weekly,) = schedules(settings)
    assert weekly.default_status.value == running.value
    assert weekly.execution_timezone == "Asia/Almaty"


def test_an_unknown_time_zone_is_refused_with_the_name_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CAREC_TIMEZONE='Mars/Olympus'"):
        load_settings(warehouse=tmp_path, timezone="Mars/Olympus")


@pytest.fixture(scope="module")
def defs(published_warehouse: Path) -> Iterator[dg.Definitions]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CAREC_WAREHOUSE", str(published_warehouse))
        environment.setenv("CAREC_OFFLINE", "1")
        from pipelines.definitions import build_defs

        yield build_defs()


def test_marts_and_publication_run_only_after_changed_figures(defs: dg.Definitions) -> None:
    instance = dg.DagsterInstance.ephemeral()
    indicator = dg.AssetKey(["observations", "internet_users_pct"])
    graph = defs.resolve_asset_graph()
    built = [key for key in graph.materializable_asset_keys if key.path[0] != "observations"]

    def materialize(key: dg.AssetKey, version: str) -> None:
        tags = {"dagster/data_version": version}
        instance.report_runless_asset_event(dg.AssetMaterialization(key, tags=tags))

    def evaluate(cursor: object = None) -> tuple[set[dg.AssetKey], object]:
        result = dg.evaluate_automation_conditions(defs=defs, instance=instance, cursor=cursor)
        return {key for key in built if result.get_num_requested(key)}, result.cursor

    materialize(indicator, "a")
    nothing, cursor = evaluate()
    materialize(indicator, "a")
    unchanged, cursor = evaluate(cursor)
    materialize(indicator, "b")
    changed, cursor = evaluate(cursor)
    for key in built:
        materialize(key, "built")
    after, cursor = evaluate(cursor)
    assert nothing == unchanged == after == set()
    assert changed == set(built)
    # a refresh of the command line runs all of it at once
    materialize(indicator, "c")
    for key in built:
        materialize(key, "built again")
    by_hand, _ = evaluate(cursor)
    assert by_hand == set()
