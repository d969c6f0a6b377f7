"""Dagster's pages in a browser: ``carec ui`` as a process, and headless Chromium of the system."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from pipelines.orchestration.instance import prepare_home
from sources.catalogue import load_catalogue
from tests.conftest import ROOT
from tests.e2e.conftest import needs_chromium
from tests.templates import Refreshed
from warehouse.layout import Layout

STARTED_S, STOPPED_S, RUN_S = 90, 60, 90
GROUPS = ["p1_leadership", "p2_policy_enablers", "p3_infrastructure", "p4_skills", "p5_innovation", "sectors"]
STEPS = ["strategy", "scoring", "scorecard", "publication"]

pytestmark = needs_chromium


class Pages:
    """A running ``carec ui``."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], run_id: str, stopped: str):
        self.url = url
        self.process = process
        self.run_id = run_id
        self.stopped = stopped

    def ask(self, query: str, **variables: object) -> Any:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=30).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(warehouse: Path, port: int) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CAREC_", "DAGSTER_"))}
    environment = {**inherited, "CAREC_WAREHOUSE": str(warehouse), "CAREC_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port)],
        cwd=warehouse,
        env=environment,
        stdout=(warehouse / "ui.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{url}/server_info", timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.3)
    raise AssertionError(f"the pages did not come up:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def pages(failed_refresh: Refreshed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Return the pages of a warehouse with two runs: the first was published, a check stopped the second."""
    warehouse = failed_refresh.copy(tmp_path_factory.mktemp("ui"))
    with dg.DagsterInstance.from_config(str(prepare_home(Layout(warehouse)))) as instance:
        runs = {run.status: run.run_id for run in instance.get_runs()}
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = start(warehouse, port)
    try:
        wait_until_ready(url, process, warehouse / "ui.log")
        yield Pages(url, process, runs[dg.DagsterRunStatus.SUCCESS], runs[dg.DagsterRunStatus.FAILURE])
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def picture(page: Page, name: str) -> None:
    """Save the page in docs/ if CAREC_SCREENSHOTS is 1."""
    if os.environ.get("CAREC_SCREENSHOTS") == "1":
        # the states of assets load after the assets
        expect(page.get_by_text("fetching statuses")).to_have_count(0, timeout=60_000)
        page.wait_for_timeout(1_000)
        page.screenshot(path=ROOT / "docs" / f"{name}.png")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    opened = browser.new_page(viewport={"width": 1600, "height": 900})
    opened.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    return opened


def test_the_lineage_leads_from_the_pillars_through_scoring_to_the_publication(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/asset-groups")
    for group in GROUPS + STEPS:
        expect(page.locator("svg foreignObject").get_by_text(group, exact=True)).to_be_visible()
    picture(page, "lineage")


@pytest.mark.exhaustive  # the next test shows the same from the scorecard to the observations
def test_the_scorecard_shows_its_upstream_assets(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/assets/scorecard?view=lineage")
    for name in ("int_overall_scores", "scorecard", "publication"):
        expect(page.locator("svg foreignObject").get_by_text(name, exact=True).first).to_be_visible()


def test_the_lineage_of_the_scorecard_leads_to_the_observations_of_a_provider(pages: Pages, page: Page) -> None:
    upstream, nodes = quote('+key:"scorecard"', safe=""), page.locator("svg foreignObject")
    page.goto(f"{pages.url}/asset-groups~{upstream}")
    for group in GROUPS:
        expect(nodes.get_by_text(group, exact=True).first).to_be_attached()
    # the path between the two, and the page of the indicator
    path = quote('key:"observations/internet_users_pct"+ and +key:"scorecard"', safe="")
    page.goto(f"{pages.url}/asset-groups~{path}")
    for group in ("p3_infrastructure", "scoring", "scorecard"):
        expect(nodes.get_by_text(group, exact=True).first).to_be_visible()
    nodes.get_by_text("p3_infrastructure", exact=True).click()
    for name in ("internet_users_pct", "stg_p3"):
        expect(nodes.get_by_text(name, exact=True).first).to_be_visible()
    picture(page, "lineage-of-an-indicator")
    page.goto(f"{pages.url}/assets/observations/internet_users_pct?view=overview")
    for shown in ("provider_used", "Individuals using the internet", "provider: world_bank", "licence: CC-BY-4.0"):
        expect(page.get_by_text(shown).first).to_be_visible()


def test_the_checks_of_an_asset_are_listed_with_their_results(pages: Pages, page: Page) -> None:
    test = "scorecard_rules"
    page.goto(f"{pages.url}/assets/scorecard?view=checks&checkDetail={test}")
    expect(page.get_by_text(test).locator("visible=true").first).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    page.goto(f"{pages.url}/assets/observations/internet_users_pct?view=checks")
    for check in ("contract", "shrink", "answered", "age"):
        expect(page.get_by_text(check, exact=True).first).to_be_visible()


def test_a_failed_check_shows_its_rows_and_the_file_to_correct(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/assets/indicators?view=checks&checkDetail=indicators_rules")
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    expect(page.get_by_text("rows_with_the_key", exact=True).first).to_be_visible()
    indicators = re.compile(f"^({'|'.join(load_catalogue().indicators)})$")
    expect(page.get_by_role("cell").get_by_text(indicators).first).to_be_visible()
    expect(page.get_by_text("see dbt_project/models/marts/indicators.sql").first).to_be_visible()
    picture(page, "failed-check")


def test_the_page_of_a_run_shows_the_reason_for_a_missing_publication(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/runs/{pages.stopped}")
    expect(page.get_by_text("indicators_rules: Got 30 results").first).to_be_visible()
    expect(page.get_by_text("carec refresh").first).to_be_visible()


def test_a_run_of_the_command_line_is_listed(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/runs")
    expect(page.get_by_text(pages.run_id[:8])).to_be_visible()
    expect(page.get_by_text("carec/source: cli").first).to_be_visible()
    expect(page.get_by_text("Success").first).to_be_visible()


def test_an_indicator_can_be_refreshed_from_its_page(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/assets/observations/gii_score?view=overview")
    page.get_by_role("button", name="Materialize").first.click()
    runs = "{runsOrError {... on Runs {results {runId status assetSelection {path}}}}}"
    deadline = time.monotonic() + RUN_S
    launched: dict[str, Any] = {}
    while launched.get("status") not in {"SUCCESS", "FAILURE"} and time.monotonic() < deadline:
        time.sleep(0.5)
        found = pages.ask(runs)["runsOrError"]["results"]
        launched = next((run for run in found if run["runId"] not in {pages.run_id, pages.stopped}), {})
    assert launched["status"] == "SUCCESS"
    assert launched["assetSelection"] == [{"path": ["observations", "gii_score"]}]


def test_an_interrupt_stops_the_server_cleanly(pages: Pages) -> None:
    pages.process.send_signal(signal.SIGINT)
    assert pages.process.wait(timeout=STOPPED_S) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{pages.url}/server_info", timeout=2)


def test_a_port_in_use_gives_one_line(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = start(tmp_path, port)
        assert process.wait(timeout=STARTED_S) == 2
    (line,) = (tmp_path / "ui.log").read_text().splitlines()
    assert f"port {port}" in line and "--port" in line
