"""Fixtures of the page tests: one browser per module, reports written once, and the checks of every page."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipelines.report.pdf import find_browser
from tests.conftest import run_carec

CHROMIUM = find_browser()
NO_CHROMIUM = "no Chromium on this machine (apt-get install chromium-headless-shell)"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
FRAMEWORK = "carec_2030"
WIDTHS = (1280, 390)

HOSTILE = """<script>window.hacked = true</script><img src=x onerror="window.hacked = true"> & 'it"s'"""
"""A name that must be shown as text: markup, an ampersand, both quotes."""


@dataclass
class Opened:
    """A page in the browser, with its console errors and requests."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Pages:
    """A browser that opens each file in its own context."""

    def __init__(self, browser: Browser):
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(self, file: Path, query: str = "", *, width: int = 1280, scripts: bool = True) -> Opened:
        context = self._browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
        self._contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.set_default_timeout(20_000)
        opened.page.on(
            "console", lambda message: opened.errors.append(message.text) if message.type == "error" else None
        )
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(file.as_uri() + query)
        return opened

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser per module: an open Playwright session does not allow the event loops of other tests."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    opener = Pages(browser)
    yield opener
    opener.close()


@pytest.fixture(scope="session")
def reports(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the report in every language."""
    folder = tmp_path_factory.mktemp("report")
    written = {"en": folder / "index.html", "ru": folder / "ru.html"}
    for language, file in written.items():
        done = run_carec("report", "--out", str(file), "--language", language, warehouse=published_warehouse)
        assert done.returncode == 0, done.stderr
    return written


@pytest.fixture(scope="session")
def hostile_warehouse(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a publication with markup in the names of a country, an indicator, a pillar and a claim."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copy(published_warehouse / "carec.duckdb", folder)
    with duckdb.connect(str(folder / "carec.duckdb")) as connection:
        for table, column, key in (
            ("economies", "name", "iso3 = 'UZB'"),
            ("scorecard", "name", "iso3 = 'UZB'"),
            ("indicators", "title", "indicator_id = 'internet_users_pct'"),
            ("indicators", "licence", "indicator_id = 'internet_users_pct'"),
            ("pillars", "title", "pillar_id = 'p3'"),
            ("claims_audit", "statement", "claim_id = 'p1-uzb-internet-coverage'"),
            ("claims_audit", "note", "claim_id = 'p1-uzb-internet-coverage'"),
            ("claim_tests", "definition_note", "claim_id = 'p1-uzb-internet-coverage'"),
            ("benchmarks", "target_basis", "indicator_id = 'internet_users_pct'"),
        ):
            changed = connection.execute(f"update {table} set {column} = ? where {key}", [HOSTILE]).fetchone()
            assert changed and changed[0], f"{table} has no row where {key}"
        hostile_reason = [{"code": "claim_test", "operands": {"members": [HOSTILE], "findings": [HOSTILE]}}]
        connection.execute(
            "update claim_tests set reason_operands = ? where claim_id = 'p1-uzb-internet-coverage'",
            [json.dumps(hostile_reason)],
        )
        connection.execute(
            "update claim_tests set source_url = 'javascript:window.hacked = true'"
            " where claim_id = 'p1-uzb-internet-coverage'"
        )
    return folder


def assert_sound(opened: Opened) -> None:
    """Assert that there is no console error, no request except for the page, and no element wider than the window."""
    assert opened.errors == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [opened.requests[0]]
    wide = opened.page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.querySelectorAll("body *")]
                .filter((one) => one.getBoundingClientRect().right > width + 1 && !one.closest(".scroll"))
                .map((one) => one.outerHTML.slice(0, 120));
        }"""
    )
    assert wide == []
    assert opened.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def assert_accessible(page: Page) -> None:
    """Assert that axe-core reports no violation of any grade."""
    # rules that pass are not described in full, which halves the time
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    faults = [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found["violations"]]
    assert faults == []


def assert_text_stays_text(page: Page, scripts: int) -> None:
    """Assert that the hostile name is shown as text and created no element."""
    assert HOSTILE in page.locator("body").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == scripts
    assert page.locator("a[href^='javascript']").count() == 0


_FIGURES = """() => [...document.querySelectorAll("[data-column]")].map((cell) => [
    cell.dataset.row ?? cell.closest("[data-row]").dataset.row, cell.dataset.column, cell.dataset.value ?? null,
    cell.textContent.trim(),
])"""

SHARES = ("probability_of_target", "share_reached", "share_target_reached", "indicator_coverage")
"""Columns with shares of 1, which the page shows in per cent."""

DECIMAL = {"en": (",", "."), "ru": ("\u00a0", ",")}
"""Language -> separators of thousands and decimals."""


def figures(page: Page) -> list[tuple[str, str, str | None, str]]:
    """Return every figure of the page: row of the published file, column, exact value and text."""
    return [tuple(found) for found in page.evaluate(_FIGURES)]


def assert_published(shown: list[tuple[str, str, str | None, str]], warehouse: Path, language: str = "en") -> None:
    """Assert that each figure equals the one in the published file and that its text is that figure, rounded."""
    thousands, point = DECIMAL[language]
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        held: dict[tuple[str, ...], dict[tuple[Any, ...], dict[str, Any]]] = {}
        for row, column, value, text in shown:
            table, _, query = row.partition("?")
            key = dict(parse_qsl(query, strict_parsing=True))
            kind = (table, *key)
            if kind not in held:
                held[kind] = _table(connection, table, tuple(key))
            published = held[kind].get(tuple(key.values()), {}).get(column)
            where = f"{row} {column}"
            if published is None:
                assert value is None and text.startswith("–"), where
                continue
            assert value is not None and float(value) == float(published), where
            number = re.match(r"[+−]?\d[\d.,\u00a0]*", text)
            if number and column not in ("observed_annual_change", "required_annual_change_from_now", "value"):
                shown_digits = number[0].replace(thousands, "").replace(point, ".").replace("−", "-")
                digits = len(shown_digits.partition(".")[2])
                scale = 100 if column in SHARES else 1
                assert abs(float(shown_digits) - scale * float(published)) <= 0.5000001 * 10**-digits, (
                    f"{where}: {text}"
                )


def _table(
    connection: duckdb.DuckDBPyConnection, table: str, keys: tuple[str, ...]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of a published table by the columns of a unique key."""
    columns = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    where = f"where framework_id = '{FRAMEWORK}'" if "framework_id" in columns else ""
    rows = [dict(zip(columns, row, strict=True)) for row in connection.execute(f"from {table} {where}").fetchall()]
    found = {tuple(str(row[key]) for key in keys): row for row in rows}
    assert len(found) == len(rows), f"{table}: {keys} is no key"
    return found
