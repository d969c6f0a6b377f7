"""The report in headless Chromium: wide and narrow, in both languages, with and without scripts."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from pipelines.report.page import write_report
from pipelines.seeds.codes import VERDICTS
from tests.conftest import ROOT, run_carec
from tests.e2e.conftest import (
    DECIMAL,
    FRAMEWORK,
    Pages,
    assert_accessible,
    assert_published,
    assert_sound,
    assert_text_stays_text,
    figures,
)
from tests.running import further
from tests.templates import Refreshed
from warehouse.layout import Layout
from warehouse.standing import standing

LANGUAGES = ("en", "ru")
LIMIT_BYTES = 3_000_000
FIRST_PAINT_MS = 1_000
PILLARS = ("p1", "p2", "p3", "p4", "p5")
UZBEKISTAN = {"en": "Uzbekistan", "ru": "Узбекистан"}


def rows_of(chart: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of all marks of a chart."""
    spec = chart["spec"]
    parts = [part.get("data", {}).get("values", []) for part in (spec, *spec["layer"])]
    return [row for rows in (*spec.get("datasets", {}).values(), *parts) for row in rows]


WIDE = """() => [...document.querySelectorAll(".scroll")]
    .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1).map((one) => one.ariaLabel)"""
"""Names of the tables that are wider than their frame."""


@pytest.fixture
def report(pages: Pages, reports: dict[str, Path]) -> Page:
    return whole(pages.open(reports["en"]).page)


@pytest.fixture(scope="module")
def shown(browser: Browser, reports: dict[str, Path]) -> Iterator[Callable[[str], Page]]:
    """Return the page of a language, which is loaded once for the tests that only read it: a load takes a second."""
    pages = Pages(browser)
    yield cache(lambda language: pages.open(reports[language]).page)
    pages.close()


@pytest.fixture(scope="module")
def unfolded(browser: Browser, reports: dict[str, Path]) -> Iterator[Page]:
    """Return the page with all sections open, for the tests that only read it."""
    pages = Pages(browser)
    yield whole(pages.open(reports["en"]).page)
    pages.close()


def whole(page: Page) -> Page:
    """Open all folded sections of the page."""
    page.locator("#open-all").click()
    return page


def drawn(page: Page) -> None:
    """Scroll to the first chart of a page within the page and wait until it is drawn."""
    page.locator("#view .holder").first.scroll_into_view_if_needed()
    expect(page.locator("#view svg.chart").first).to_be_attached(timeout=60_000)


def packed(file: Path, name: str) -> str:
    """Return what the page carries for its scripts, unpacked."""
    found = re.search(rf'id="packed-{name}">([^<]*)<', file.read_text(encoding="utf-8"))
    assert found is not None
    return gzip.decompress(b64decode(found[1])).decode()


def charts_of(file: Path) -> dict[str, dict[str, Any]]:
    """Return title and specification of every chart that the page draws."""
    return dict(json.loads(packed(file, "charts"))["charts"])


def published(warehouse: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(("width", "language"), [(1280, "ru"), (390, "en"), *further((1280, "en"), (390, "ru"))])
def test_the_report_opens_without_an_error_a_request_or_an_overflow(
    pages: Pages, reports: dict[str, Path], width: int, language: str
) -> None:
    for query in ("", "?country=AFG"):
        opened = pages.open(reports[language], query, width=width)
        whole(opened.page)
        for details in opened.page.locator("#pillars details").all()[:3]:
            details.locator("> summary").click()
        assert_sound(opened)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_one_file_below_three_megabytes_in_its_language(reports: dict[str, Path], language: str) -> None:
    text = reports[language].read_text(encoding="utf-8")
    assert len(text.encode()) < LIMIT_BYTES
    assert f'<html lang="{language}"' in text
    assert UZBEKISTAN[language] in text
    for embedded in (r"<script[^>]+src=", r"<link[^>]+stylesheet", r"@import", r"url\(\s*['\"]?http", r"<iframe"):
        assert not re.search(embedded, text), embedded


def test_the_same_publication_gives_the_same_bytes(
    published_warehouse: Path, reports: dict[str, Path], tmp_path: Path
) -> None:
    again = tmp_path / "again.html"
    done = run_carec("report", "--out", str(again), warehouse=published_warehouse, PYTHONHASHSEED="7", TZ="Asia/Almaty")
    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == reports["en"].read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_of_the_report_equals_the_published_one(
    shown: Callable[[str], Page], published_warehouse: Path, language: str
) -> None:
    found = figures(shown(language))
    assert_published(found, published_warehouse, language)
    seen = {(row.partition("?")[0], column) for row, column, _, _ in found}
    for table, column in (
        ("scorecard", "overall_score"),
        ("scorecard", "rank_p05"),
        ("pillar_scores", "score"),
        ("indicator_scores", "baseline_value"),
        ("indicator_scores", "latest_value"),
        ("indicator_scores", "projection"),
        ("region_scores", "score"),
        ("claims_audit", "evidence_value"),
        ("benchmarks", "target_value"),
        ("source_health", "latest_year"),
        ("rank_probabilities", "probability"),
        ("rank_sensitivity", "total_order_share"),
        ("second_origins", "declared_value"),
        ("second_origins", "other_value"),
        ("statistical_audit", "value"),
        ("regional_space", "value"),
        ("recommendations", "region_level"),
        ("recommendation_measures", "region_value"),
    ):
        assert (table, column) in seen
    cells = published(
        published_warehouse,
        f"select count(*) from indicator_scores where framework_id = '{FRAMEWORK}' and latest_value is not null"
        " and iso3 in (select iso3 from economies where is_member)",
    )
    latest = [one for one in found if one[1] == "latest_value" and one[2] is not None]
    assert len(latest) == cells[0][0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_headline_table_has_every_score_rank_and_reason(
    shown: Callable[[str], Page], published_warehouse: Path, language: str
) -> None:
    page = shown(language)
    _, point = DECIMAL[language]
    rows = page.locator("table.headline tbody tr").all()
    if language == "en" and os.environ.get("CAREC_SCREENSHOTS") == "1":
        page.set_viewport_size({"width": 1280, "height": 1600})
        page.screenshot(path=ROOT / "docs" / "report.png")
    members = published(
        published_warehouse,
        f"select iso3, overall_score, rank || if(tied_with is null, '', '=') from scorecard"
        f" where framework_id = '{FRAMEWORK}'"
        " and iso3 in (select iso3 from economies where is_member)"
        " order by overall_score desc nulls last, coverage desc, name",
    )
    assert [row.get_attribute("data-iso3") for row in rows] == [member[0] for member in members]
    scores = {
        (iso3, pillar): score
        for iso3, pillar, score in published(
            published_warehouse,
            f"select iso3, pillar_id, score from pillar_scores where framework_id = '{FRAMEWORK}'",
        )
    }
    for row, (iso3, overall, rank) in zip(rows, members, strict=True):
        wanted = [overall, *(scores[iso3, pillar] for pillar in PILLARS)]
        cells = row.locator("td.score").all_inner_texts()
        assert len(cells) == len(wanted)
        for text, score in zip(cells, wanted, strict=True):
            if score is None:
                assert text.startswith("–") and len(text) > 5, f"{iso3}: a missing score needs its reason"
            else:
                assert text.split()[0] == f"{score:.1f}".replace(".", point)
        assert row.locator("[data-column=rank]").inner_text() == (rank or "–")


@pytest.mark.parametrize(("language", "width"), [("en", 390), *further(("en", 1280), ("ru", 1280))])
def test_axe_finds_no_fault(pages: Pages, reports: dict[str, Path], language: str, width: int) -> None:
    page = whole(pages.open(reports[language], "?country=UZB", width=width).page)
    for details in (page.locator("nav details"), page.locator("#internet_users_pct details")):
        details.locator("> summary").click()
    assert_accessible(page)


@pytest.mark.parametrize(
    ("address", "width"), [("#UZB", 390), *further(("#compare=UZB,KAZ", 1280), ("#internet_users_pct", 1280))]
)
def test_axe_finds_no_fault_in_the_pages_within_the_page(
    pages: Pages, reports: dict[str, Path], address: str, width: int
) -> None:
    opened = pages.open(reports["en"], address, width=width)
    drawn(opened.page)
    assert_accessible(opened.page)
    assert_sound(opened)


def test_every_status_has_a_sign_and_a_word_in_addition_to_its_colour(unfolded: Page) -> None:
    signs = unfolded.evaluate(
        """() => [...document.querySelectorAll("#members .legend li:has(i)")].map((one) => [
            getComputedStyle(one.querySelector("i"), "::before").content, one.querySelector("b").textContent])"""
    )
    assert len(signs) == len({sign for sign, _ in signs}) == len({word for _, word in signs}) == 7
    legends = unfolded.evaluate(
        """() => [...document.querySelectorAll("#pillars section:has(.card[id])")].map((section) => [
            [...section.querySelectorAll(":scope > .fold-body > .legend path")].map((one) => one.getAttribute("d")),
            new Set([...section.querySelectorAll(".status .sign")].map((one) => one.className)).size])"""
    )
    assert len(legends) > 5
    for shapes, used in legends:
        assert len(set(shapes)) == len(shapes) == used, "a legend has the statuses of its pillar, each with its shape"
    described = unfolded.locator("table.headline .squares").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert len(described) == 55 and all("too little data" in text or re.search(r"\d", text) for text in described)


def test_the_print_has_the_figures_without_the_controls(pages: Pages, reports: dict[str, Path]) -> None:
    page = pages.open(reports["en"]).page
    page.emulate_media(media="print")
    for gone in (".chooser", "#filters", "nav"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator("table.headline")).to_be_visible()
    expect(page.locator("#claim-list")).to_be_visible()
    assert page.locator(".scroll.tall").first.evaluate("one => one.scrollHeight <= one.clientHeight + 1")


def test_without_scripts_all_content_is_visible_and_controls_are_hidden(pages: Pages, reports: dict[str, Path]) -> None:
    opened = pages.open(reports["en"], "?country=UZB", scripts=False)
    page = opened.page
    for dead in (".chooser", "#filters"):
        expect(page.locator(dead)).to_be_hidden()
    assert page.locator("thead button").count() == 0
    assert page.locator("tr.claim:visible").count() == page.locator("tr.claim").count() > 100
    assert page.locator("svg.chart:visible").count() == page.locator("svg.chart").count() == 4
    assert page.locator("section:visible").count() == page.locator("section").count() > 20
    expect(page.locator(".headlines")).to_be_visible()
    page.locator("#internet_users_pct summary").click()
    expect(page.locator("#internet_users_pct table.two-origins")).to_be_visible()
    assert len(opened.requests) == 1


def test_a_country_in_the_address_is_selected_and_the_selection_is_kept_there(
    pages: Pages, reports: dict[str, Path]
) -> None:
    page = whole(pages.open(reports["en"], "?country=uzb").page)
    expect(page.locator("#country")).to_have_value("UZB")
    expect(page.locator("table.headline tr.picked th")).to_have_text("Uzbekistan")
    claims = page.locator("tr.claim:visible").evaluate_all("all => all.map(one => one.dataset.countries)")
    assert claims and all("UZB" in countries.split(";") for countries in claims)
    page.locator("#country").select_option("KAZ")
    assert page.url.endswith("?country=KAZ")
    expect(page.locator("table.headline tr.picked th")).to_have_text("Kazakhstan")
    page.locator("#country").select_option("")
    assert "country" not in page.url
    assert page.locator(".picked").count() == 0


def test_an_unknown_country_in_the_address_changes_nothing(pages: Pages, reports: dict[str, Path]) -> None:
    opened = pages.open(reports["en"], "?country=%3Cscript%3E")
    whole(opened.page)
    assert opened.page.locator("#country").input_value() == ""
    assert opened.page.locator("tr.claim:visible").count() == opened.page.locator("tr.claim").count()
    assert opened.errors == []


def test_the_claims_are_filtered_by_verdict_part_and_words(report: Page, published_warehouse: Path) -> None:
    counts = dict(published(published_warehouse, "select verdict, count(*) from claims_audit group by all"))
    total = sum(counts.values())
    shown, count = report.locator("#shown"), report.locator("tr.claim:visible").count
    expect(shown).to_have_text(f"{total} of {total} claims shown")
    for verdict in VERDICTS:
        report.locator("#verdict").select_option(verdict)
        assert count() == counts.get(verdict, 0)
        expect(shown).to_have_text(f"{counts.get(verdict, 0)} of {total} claims shown")
    report.locator("#filters button[type=reset]").click()
    expect(shown).to_have_text(f"{total} of {total} claims shown")
    report.locator("#part").select_option("5")
    ((fifth,),) = published(published_warehouse, "select count(*) from claims_audit where pillar = '5'")
    assert count() == fifth
    report.locator("#words").fill("KAZAKHSTAN rose")
    assert report.locator("tr.claim:visible").evaluate_all("all => all.map(one => one.id)") == ["p5-gii-kaz"]
    report.locator("#words").fill("no claim says this")
    expect(shown).to_have_text(f"0 of {total} claims shown")


def test_each_claim_shows_its_verdict_and_its_evidence(report: Page, published_warehouse: Path) -> None:
    ((reason, url),) = published(
        published_warehouse,
        "select reason, source_url from claim_tests where claim_id = 'p5-gii-kaz' and role = 'value'",
    )
    reason_text = str(reason).replace("KAZ:", "Kazakhstan:").replace("gii_rank", "“Global Innovation Index, rank”")
    claim = report.locator("#p5-gii-kaz")
    expect(claim.locator(".verdict")).to_have_text("contradicted")
    evidence = claim.locator(".evidence")
    expect(evidence).to_be_hidden()
    claim.locator("summary").press("Enter")
    expect(evidence).to_be_visible()
    expect(evidence).to_contain_text(reason_text)
    assert str(url) in evidence.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    without = report.evaluate(
        """() => [...document.querySelectorAll("tr.claim")].filter((one) =>
            one.querySelector(".evidence").textContent.trim().length < 20).map((one) => one.id)"""
    )
    assert without == []


def test_the_counts_of_verdicts_leave_out_repeated_claims(unfolded: Page, published_warehouse: Path) -> None:
    wanted = published(
        published_warehouse,
        "select verdict, count(*) from claims_audit where duplicate_of is null group by all order by all",
    )
    cells = unfolded.locator("td.count:not([data-part])")
    counts = cells.evaluate_all("all => all.map(one => [one.dataset.verdict, Number(one.textContent)])")
    assert sorted(tuple(one) for one in counts if one[1]) == wanted


def test_a_link_to_a_claim_opens_its_evidence(pages: Pages, reports: dict[str, Path]) -> None:
    page = pages.open(reports["en"], "#p1-kaz-internet-use").page
    expect(page.locator("#p1-kaz-internet-use .evidence")).to_be_visible()


def test_tables_are_sorted_by_mouse_and_by_key_with_missing_values_last(report: Page) -> None:
    table = report.locator("table.headline")
    heading = table.locator("thead th").nth(1)
    values = "all => all.map(one => one.querySelectorAll('td')[0].dataset.value ?? null)"
    heading.locator("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    rising = table.locator("tbody tr").evaluate_all(values)
    known = [float(value) for value in rising if value is not None]
    assert known == sorted(known) and rising[len(known) :] == [None] * (11 - len(known)) and len(known) < 11
    heading.locator("button").press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    falling = table.locator("tbody tr").evaluate_all(values)
    assert falling == [*reversed(rising[: len(known)]), *rising[len(known) :]]
    table.locator("thead th").first.locator("button").click()
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names) and names[0] == "Afghanistan"
    assert heading.get_attribute("aria-sort") is None


def test_the_keyboard_reaches_the_content_every_control_and_every_scrolling_table(
    pages: Pages, reports: dict[str, Path]
) -> None:
    report = pages.open(reports["en"]).page
    report.keyboard.press("Tab")
    expect(report.locator(".skip")).to_be_focused()
    report.keyboard.press("Enter")
    assert report.url.endswith("#members")
    whole(report)
    unreachable = report.evaluate(
        """() => [...document.querySelectorAll(".scroll")].filter((one) =>
            one.scrollWidth > one.clientWidth && (one.tabIndex !== 0 || !one.ariaLabel)).length"""
    )
    assert unreachable == 0


def test_a_mark_of_a_chart_shows_its_figures_on_hover(report: Page) -> None:
    report.locator("#internet_users_pct").scroll_into_view_if_needed()
    mark = report.locator("#internet_users_pct svg [data-label^='Uzbekistan:']").first
    expect(mark).to_be_attached(timeout=60_000)
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    tip = report.locator("#tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(re.compile(r"Uzbekistan: [\d.]+ % in 20\d\d; baseline"))
    report.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_every_indicator_has_a_chart_with_its_target_and_the_members_without_figures(
    unfolded: Page, reports: dict[str, Path], published_warehouse: Path
) -> None:
    charts = charts_of(reports["en"])
    members = sorted(unfolded.locator("#country option").all_inner_texts()[1:])
    ids = [
        row[0]
        for row in published(
            published_warehouse, f"select indicator_id from framework_indicators where framework_id = '{FRAMEWORK}'"
        )
    ]
    assert ids
    for indicator_id in ids:
        card = unfolded.locator(f"figure#{indicator_id}")
        assert card.locator(f".holder[data-chart={indicator_id}]").count() == 1
        rows = [row for row in rows_of(charts[indicator_id]) if "group" not in row]
        assert [row["name"] for row in rows] == members, f"{indicator_id}: the members are in one order"
        assert all(row["label"] and (row["latest_value"] is not None or row["why"]) for row in rows)
        assert card.locator("table:not(.two-origins) tbody tr").count() == 11


def test_rank_bands_are_drawn_as_intervals(unfolded: Page, published_warehouse: Path) -> None:
    ranked = published(
        published_warehouse,
        f"""select name, rank || if(tied_with is null, '', ', tied'), rank_p05, rank_p95 from scorecard
            where framework_id = '{FRAMEWORK}' and rank is not null
            and iso3 in (select iso3 from economies where is_member)""",
    )
    labels = unfolded.locator("#bands svg [data-label]").evaluate_all("all => all.map(one => one.dataset.label)")
    for name, rank, low, high in ranked:
        assert labels.count(f"{name}: rank {rank}, band {low:.0f} to {high:.0f}") == 2, "a line and a point"


def test_a_copied_table_pastes_as_numbers(report: Page) -> None:
    report.evaluate(
        """() => {
            document.addEventListener("copy", (event) => {
                window.copied = event.clipboardData.getData("text/plain");
            });
            document.querySelector("#government_effectiveness_est details").open = true;
            getSelection().selectAllChildren(document.querySelector("#government_effectiveness_est tbody"));
        }"""
    )
    report.keyboard.press("Control+C")
    lines = report.evaluate("window.copied").splitlines()
    row = next(line for line in lines if line.startswith("Afghanistan")).split("\t")
    assert float(row[1]) < 0 and float(row[3]) < 0 and row[2].isdigit()
    assert "−" not in "".join(lines)


def test_text_from_the_data_stays_text(pages: Pages, hostile_warehouse: Path, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    write_report(Layout(hostile_warehouse), file)
    opened = pages.open(file, "?country=UZB")
    whole(opened.page)
    for details in ("#internet_users_pct", "#p1-uzb-internet-coverage"):
        opened.page.locator(f"{details} summary").click()
    assert_sound(opened)
    assert_text_stays_text(opened.page, scripts=3)
    for address in ("#UZB", "#compare=UZB,KAZ", "#internet_users_pct"):
        within = pages.open(file, address)
        drawn(within.page)
        assert_sound(within)
        assert_text_stays_text(within.page, scripts=3)
    assert opened.page.locator("table.headline tr.picked th").inner_text().startswith("<script>")


def test_the_first_publication_has_a_note_that_there_is_no_earlier_one(unfolded: Page) -> None:
    expect(unfolded.locator("#changes")).to_contain_text("first publication that is kept")


def test_the_report_of_an_earlier_day_has_the_indicators_that_had_no_figure_then(
    review_day: Refreshed, tmp_path: Path
) -> None:
    ((missing,),) = published(
        review_day.warehouse,
        f"select indicator_id from indicator_scores where framework_id = '{FRAMEWORK}' group by 1"
        " having count(latest_year) = 0 order by 1 limit 1",
    )
    write_report(Layout(review_day.warehouse), tmp_path / "report.html")
    assert f'id="{missing}"' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_changes_since_the_last_publication_have_a_section(
    pages: Pages, published_warehouse: Path, tmp_path: Path
) -> None:
    shutil.copy(published_warehouse / "carec.duckdb", tmp_path)
    standing(Layout(tmp_path))  # keeps the file
    ((low, high),) = published(
        tmp_path,
        f"select rank_p05, rank_p95 from scorecard where iso3 = 'KAZ' and framework_id = '{FRAMEWORK}'",
    )
    band = f"{low:.0f}–{high:.0f}"
    with duckdb.connect(str(tmp_path / "carec.duckdb")) as connection:
        connection.execute(
            """
            update publication set published_at = published_at + interval 1 day, as_of = as_of + interval 1 day;
            update observations set value = 12.3
            where iso3 = 'TJK' and indicator_id = 'internet_users_pct' and year = 2020;
            insert into observations by name
            select * replace (2026 as year, 99.5 as value) from observations
            where iso3 = 'UZB' and indicator_id = 'internet_users_pct' and year = 2023;
            update indicator_scores set status = 'decreasing', status_reason = 'pace'
            where framework_id = 'carec_2030' and iso3 = 'UZB' and indicator_id = 'internet_users_pct';
            update scorecard set rank = 9, overall_score = overall_score - 20
            where framework_id = 'carec_2030' and iso3 = 'KAZ';
            update claims_audit set verdict = 'contradicted' where claim_id = 'p5-gii-uzb';
            """
        )
    for language, texts in (
        (
            "en",
            (
                "New data years",
                "Revised figures",
                "12.3",
                "Changed statuses",
                "moving away",
                "contradicted",
                f"band {band}",
            ),
        ),
        ("ru", ("Новые годы данных", "12,3", "ухудшение", "опровергнуто", f"диапазон {band}", "Узбекистан")),
    ):
        file = tmp_path / f"{language}.html"
        write_report(Layout(tmp_path), file, language)
        opened = pages.open(file)
        whole(opened.page)
        section = opened.page.locator("#changes").inner_text()
        for text in texts:
            assert text in section, text
        assert texts[0] in opened.page.locator(".headlines").inner_text()
        opened.page.locator("#by-change").select_option("publication")
        assert opened.page.locator(".card[id]:visible").evaluate_all("all => all.map(one => one.id)") == [
            "internet_users_pct"
        ]
        assert_sound(opened)


def test_an_unknown_language_gives_one_clear_line(published_warehouse: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    done = run_carec("report", "--language", "fr", "--out", str(file), warehouse=published_warehouse)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "'fr'" in line and "en, ru" in line
    assert not file.exists()


@pytest.mark.parametrize("command", ["report", "briefs"])
def test_before_the_first_refresh_the_remedy_is_printed(tmp_path: Path, command: str) -> None:
    done = run_carec(command, warehouse=tmp_path / "nothing")
    assert done.returncode == 1
    assert "run `carec refresh` first" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_the_report_names_the_origin_of_the_benchmarks_and_all_sources_and_licences(
    unfolded: Page, published_warehouse: Path
) -> None:
    expect(unfolded.locator("header .caveat")).to_contain_text("this project's own choice, not CAREC's")
    licences = {
        str(row[0])
        for row in published(
            published_warehouse,
            f"""select distinct licence from observations where indicator_id in
                (select indicator_id from framework_indicators where framework_id = '{FRAMEWORK}')""",
        )
    }
    text = unfolded.locator("#sources").inner_text()
    for licence in licences:
        assert licence in text
    ((goalposts,),) = published(
        published_warehouse, f"select count(*) from benchmarks where framework_id = '{FRAMEWORK}'"
    )
    assert unfolded.locator("#benchmarks tbody tr").count() == goalposts > 0
    assert unfolded.locator("#method li").count() >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_has_progress_changes_ties_and_the_age_of_the_figures(
    shown: Callable[[str], Page], published_warehouse: Path, language: str
) -> None:
    page = shown(language)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < FIRST_PAINT_MS
    headlines = page.locator(".headlines").inner_text()
    ties = published(
        published_warehouse,
        f"select rank from scorecard where framework_id = '{FRAMEWORK}' and tied_with is not null",
    )
    assert ties and all(f"{rank}= " in headlines for (rank,) in ties)
    counts = dict(
        published(published_warehouse, "select progress, indicators from progress_summary where iso3 = 'CAREC'")
    )
    for progress in ("achieved", "on_track", "behind", "moving_away"):
        assert re.search(rf"\b{counts[progress]}\b", headlines)
    archive = {"en": "nothing was obtained live", "ru": "ничего не получено напрямую"}
    ((live,),) = published(published_warehouse, "select series_live from publication")
    assert (archive[language] in headlines) == (live == 0)
    without = page.evaluate(
        """() => {
            const copy = document.querySelector("main").cloneNode(true);
            copy.querySelectorAll("[lang=en], #sources").forEach((one) => one.remove());
            return copy.textContent;
        }"""
    )
    assert re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", headlines + without) == []


@pytest.mark.parametrize("width", [390, 1440, *further(768)])
def test_no_column_is_out_of_sight_without_a_cue(pages: Pages, reports: dict[str, Path], width: int) -> None:
    page = whole(pages.open(reports["ru"], width=width).page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.wait_for_timeout(300)
    if width == 1440:
        assert page.evaluate(WIDE) == [], "on a wide screen no table scrolls sideways"
    missing = page.evaluate(
        """() => [...document.querySelectorAll(".scroll")].filter((one) => one.checkVisibility()
            && one.scrollWidth > one.clientWidth + 1
            && !one.previousElementSibling.checkVisibility()).map((one) => one.ariaLabel)"""
    )
    assert missing == []
    for table in ("table.headline", "table.progress"):
        fits = "one => one.closest('.scroll').scrollWidth <= one.closest('.scroll').clientWidth + 1"
        assert page.locator(table).first.evaluate(fits), table


@pytest.mark.parametrize("language", ["ru", *further("en")])
def test_the_print_has_a_summary_of_at_most_four_pages_before_the_annex(
    pages: Pages, reports: dict[str, Path], tmp_path: Path, language: str
) -> None:
    file = tmp_path / "report.pdf"
    pages.open(reports[language]).page.pdf(path=file, prefer_css_page_size=True)
    annex = {"en": "Annex", "ru": "Приложение"}[language]
    texts = [page.extract_text() for page in PdfReader(file).pages]
    first = next(number for number, text in enumerate(texts) if text.strip().startswith(annex))
    assert 2 <= first <= 4
    assert len(texts) > first + 10


def test_a_member_has_a_page_with_every_indicator(
    pages: Pages, reports: dict[str, Path], published_warehouse: Path
) -> None:
    page = pages.open(reports["en"], "#UZB").page
    view = page.locator("#view")
    expect(view.locator("h1")).to_have_text("Uzbekistan")
    expect(view.locator("h1")).to_be_focused()
    expect(page.locator("table.headline")).to_be_hidden()
    shown = [one for one in figures(page) if one[0].startswith("indicator_scores?iso3=UZB&")]
    assert_published(shown, published_warehouse)
    rows = view.locator("tr[data-row]").evaluate_all("all => all.map(one => one.dataset.row)")
    ((total,),) = published(
        published_warehouse, f"select count(*) from framework_indicators where framework_id = '{FRAMEWORK}'"
    )
    assert len(set(rows)) == len(rows) == total
    drawn(page)
    view.get_by_role("link", name="Back to the report").click()
    expect(page.locator("table.headline")).to_be_visible()
    expect(view).to_be_hidden()


def test_two_to_four_members_are_compared_side_by_side(pages: Pages, reports: dict[str, Path]) -> None:
    page = pages.open(reports["en"], "#compare=UZB,KAZ").page
    view = page.locator("#view")
    heads = view.locator("#compared table").first.locator("thead th")
    assert heads.all_inner_texts()[1:] == ["Kazakhstan ", "Uzbekistan "] or len(heads.all()) == 3
    for iso3 in ("GEO", "CHN"):
        view.locator(f"input[value={iso3}]").check()
    assert heads.count() == 5
    expect(view.locator("input[value=MNG]")).to_be_disabled()
    assert page.url.endswith("#compare=CHN,GEO,KAZ,UZB")
    one = view.locator("#compared tr", has_text="Individuals using the internet").first
    latest = page.locator("#internet_users_pct tr[data-iso3=GEO] [data-column=latest_value]").get_attribute(
        "data-value"
    )
    assert latest in one.locator("td").evaluate_all("all => all.map(cell => cell.dataset.value)")


def test_an_indicator_has_a_page_with_path_observations_world_and_sources(
    pages: Pages, reports: dict[str, Path], published_warehouse: Path
) -> None:
    page = pages.open(reports["en"], "#internet_users_pct").page
    view = page.locator("#view")
    expect(view.locator("h1")).to_have_text("Individuals using the internet")
    expect(view.locator("svg.chart")).to_have_count(3, timeout=60_000)
    ((value, url),) = published(
        published_warehouse,
        "select value, source_url from observations"
        " where iso3 = 'UZB' and indicator_id = 'internet_users_pct' order by year desc limit 1",
    )
    values = view.locator("td").evaluate_all("all => all.map(one => one.dataset.value)")
    assert any(one is not None and abs(float(one) - float(str(value))) < 0.001 for one in values)
    assert url in view.locator("a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    charts = charts_of(reports["en"])
    path = [row for row in charts["path:internet_users_pct"]["spec"]["data"]["values"] if row["iso3"] == "UZB"]
    assert path[-1]["year"] == 2030 and path[-1]["low"] < path[-1]["projection"] < path[-1]["high"]
    assert len(charts["world:internet_users_pct"]["spec"]["layer"][0]["data"]["values"]) > 150


@pytest.mark.parametrize("address", ["#UZB", "#compare=CHN,GEO,KAZ,UZB", "#fixed_broadband_per_100"])
def test_no_table_of_the_pages_within_the_page_scrolls_sideways_on_a_wide_screen(
    pages: Pages, reports: dict[str, Path], address: str
) -> None:
    page = pages.open(reports["ru"], address, width=1440).page
    expect(page.locator("#view table").first).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate(WIDE) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_indicator_shows_the_means_of_asean_and_the_eu(
    reports: dict[str, Path], published_warehouse: Path, language: str
) -> None:
    means = published(
        published_warehouse,
        """select distinct other_id, other_members, other_value from v_compare
           where kind = 'indicator' and id = 'internet_users_pct' and other_id in ('asean', 'eu27') order by 1""",
    )
    assert len(means) == 2
    drawn_charts = charts_of(reports[language])
    for key in ("internet_users_pct", "world:internet_users_pct"):
        shown = [(row["group"], row["mean"]) for row in rows_of(drawn_charts[key]) if "group" in row]
        assert shown == [(group, pytest.approx(value, rel=1e-5)) for group, _, value in means], key
    text = reports[language].read_text(encoding="utf-8")
    sentence = {"en": "Means of the newest figures:", "ru": "Среднее последних значений:"}[language]
    assert text.count(sentence) > 40
    for _, count, _ in means:
        assert {"en": f"({count} economies)", "ru": f"(экономик: {count})"}[language] in text


def test_the_page_links_the_briefs_that_are_written_with_it(
    pages: Pages, shown: Callable[[str], Page], published_warehouse: Path, tmp_path: Path
) -> None:
    assert shown("en").locator(".briefs").count() == 0
    file = tmp_path / "out" / "ru.html"
    done = run_carec(
        *("report", "--briefs", "--language", "ru", "--out", str(file)),
        warehouse=published_warehouse,
        PATH=str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    page = pages.open(file, "#UZB").page
    links = page.locator(".briefs a").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert len(links) == 11 and all((file.parent / link).is_file() for link in links)
    page.locator("#view").get_by_role("link", name="Узбекистан, HTML").click()
    expect(page.locator("h1")).to_contain_text("Узбекистан")
    assert page.url.endswith("/briefs-ru/UZB.html")


def test_search_finds_members_indicators_sections_and_claims(report: Page) -> None:
    for words, hash_ in (("uzbek", "UZB"), ("using the internet", "internet_users_pct"), ("audit", "audit")):
        report.locator("#find").fill(words)
        hits = report.locator("#found a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        assert f"#{hash_}" in hits
    report.locator("#find").fill("nothing is called so")
    expect(report.locator("#found-count")).to_have_text("0 found")
    report.locator("#find").fill("uzbek")
    report.locator("#find").press("Enter")
    expect(report.locator("#view h1")).to_have_text("Uzbekistan")


def test_indicators_are_filtered_by_pillar_status_and_change(report: Page, published_warehouse: Path) -> None:
    shown = report.locator(".card[id]:visible")
    rows = published(
        published_warehouse,
        f"""select distinct s.indicator_id from indicator_scores as s join economies using (iso3)
            where framework_id = '{FRAMEWORK}' and is_member and status = 'on_track'""",
    )
    report.locator("#by-status").select_option("on_track")
    assert sorted(shown.evaluate_all("all => all.map(one => one.id)")) == sorted(row[0] for row in rows)
    report.locator("#by-pillar").select_option("p3")
    assert 0 < shown.count() < len(rows)
    expect(report.locator("#p4")).to_be_hidden()
    report.locator("#indicator-filters button[type=reset]").click()
    report.locator("#by-change").select_option(index=1)
    newest = report.locator("#by-change").input_value()
    years = shown.evaluate_all("all => all.map(one => one.dataset.newest)")
    assert years and set(years) == {newest}


def test_tables_and_charts_can_be_saved(report: Page) -> None:
    table = report.locator("table.headline")
    with report.expect_download() as saved:
        report.locator(".scroll:has(table.headline) + button.get").click()
    rows = list(csv.reader(io.StringIO(saved.value.path().read_text(encoding="utf-8-sig"))))
    assert len(rows) == 12 and rows[1][1] == table.locator("tbody td").first.get_attribute("data-value")
    report.locator("#internet_users_pct").scroll_into_view_if_needed()
    downloads = report.locator("#internet_users_pct .downloads button")
    expect(downloads).to_have_count(2, timeout=60_000)
    for number, head in ((0, b"<svg"), (1, b"\x89PNG")):
        with report.expect_download() as saved:
            downloads.nth(number).click()
        assert saved.value.path().read_bytes().startswith(head)
