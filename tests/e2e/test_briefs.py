"""The country briefs in headless Chromium, at most four printed pages per member, and the run without Chromium."""

from __future__ import annotations

import os
import re
from pathlib import Path

import duckdb
import pytest
from pypdf import PdfReader

from tests.conftest import ROOT, run_carec
from tests.e2e.conftest import (
    FRAMEWORK,
    WIDTHS,
    Pages,
    assert_accessible,
    assert_published,
    assert_sound,
    assert_text_stays_text,
    figures,
    needs_chromium,
)
from tests.running import further

MEMBERS = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")
LONGEST = ("KAZ", "TKM")
"""The members with the longest briefs: most claims, longest titles, most gaps."""

SOME = ("UZB", "KAZ")


@pytest.fixture(scope="module")
def briefs(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the pages of all members, and print some, the longest too: a print takes seconds."""
    folder = tmp_path_factory.mktemp("briefs")
    for arguments in (["--no-pdf"], SOME):
        done = run_carec("briefs", *arguments, "--out", str(folder), warehouse=published_warehouse)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def russian(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("russian")
    done = run_carec("briefs", *LONGEST, "--language", "ru", "--out", str(folder), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    return folder


def text_of(pdf: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(pdf).pages).split())


def one(warehouse: Path, sql: str) -> object:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return row[0]


def printed(briefs: Path) -> dict[str, int]:
    """Return the number of printed pages by member."""
    return {path.stem: len(PdfReader(path).pages) for path in briefs.glob("*.pdf")}


@needs_chromium
def test_a_printed_brief_has_at_most_four_pages(briefs: Path) -> None:
    assert sorted(path.name for path in briefs.glob("*.html")) == [f"{iso3}.html" for iso3 in MEMBERS]
    pages = printed(briefs)
    assert pages.keys() == set(SOME)
    assert max(pages.values()) <= 4


@needs_chromium
@pytest.mark.exhaustive
def test_one_command_writes_at_most_four_pages_for_every_member(published_warehouse: Path, tmp_path: Path) -> None:
    done = run_carec("briefs", "--out", str(tmp_path), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{iso3}.{kind}" for iso3 in MEMBERS for kind in ("html", "pdf")
    )
    assert max(printed(tmp_path).values()) <= 4


@needs_chromium
def test_the_longest_briefs_have_at_most_four_pages_in_russian(russian: Path) -> None:
    assert max(len(PdfReader(russian / f"{iso3}.pdf").pages) for iso3 in LONGEST) <= 4
    assert "Казахстан" in text_of(russian / "KAZ.pdf")


@needs_chromium
def test_the_print_is_a4_and_has_the_figures_of_the_page(briefs: Path, published_warehouse: Path) -> None:
    page = PdfReader(briefs / "UZB.pdf").pages[0]
    assert [round(float(side)) for side in page.mediabox[2:]] == pytest.approx([595, 842], abs=1)
    score = one(
        published_warehouse, f"select overall_score from scorecard where iso3 = 'UZB' and framework_id = '{FRAMEWORK}'"
    )
    text = text_of(briefs / "UZB.pdf")
    assert "Uzbekistan" in text and f"{score:.1f}" in text
    for part in (
        "Position",
        "Pace",
        "What moved",
        "What is missing",
        "Statements of the mid-term review",
        "Next data releases",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("iso3", "width"),
    [("AFG", 390), ("UZB", 1280), *further(("AFG", 1280), ("UZB", 390), ("TKM", 390), ("TKM", 1280))],
)
def test_a_brief_opens_without_an_error_a_request_or_an_overflow(
    pages: Pages, briefs: Path, iso3: str, width: int
) -> None:
    opened = pages.open(briefs / f"{iso3}.html", width=width)
    assert_sound(opened)
    if iso3 == "UZB" and width == WIDTHS[0] and os.environ.get("CAREC_SCREENSHOTS") == "1":
        opened.page.set_viewport_size({"width": 1060, "height": 1600})
        opened.page.screenshot(path=ROOT / "docs" / "brief-uzb.png")


def test_a_russian_brief_opens_and_is_accessible(pages: Pages, russian: Path) -> None:
    opened = pages.open(russian / "KAZ.html", width=390)
    assert_sound(opened)
    assert_accessible(opened.page)


@pytest.mark.parametrize("iso3", ["UZB", *further("AFG")])
def test_axe_finds_no_fault_in_a_brief(pages: Pages, briefs: Path, iso3: str) -> None:
    assert_accessible(pages.open(briefs / f"{iso3}.html").page)


@pytest.mark.parametrize("iso3", [*MEMBERS[-2:], *further(*MEMBERS[:-2])])
def test_every_figure_of_a_brief_equals_the_published_one(
    pages: Pages, briefs: Path, published_warehouse: Path, iso3: str
) -> None:
    shown = figures(pages.open(briefs / f"{iso3}.html", scripts=True).page)
    assert_published(shown, published_warehouse)
    columns = {column for _, column, _, _ in shown}
    assert columns >= {"overall_score", "rank", "coverage", "score", "gap_to_best_member", "target_value", "projection"}


def test_a_russian_brief_has_the_same_figures_in_russian_format(
    pages: Pages, russian: Path, published_warehouse: Path
) -> None:
    shown = figures(pages.open(russian / "KAZ.html").page)
    assert_published(shown, published_warehouse, "ru")
    assert any("," in text for _, column, _, text in shown if column == "score")


@pytest.mark.parametrize("iso3", ["TKM", *further("AFG")])
def test_a_brief_of_a_member_with_few_figures_is_readable(
    pages: Pages, briefs: Path, published_warehouse: Path, iso3: str
) -> None:
    page = pages.open(briefs / f"{iso3}.html").page
    text = page.locator("main").inner_text()
    assert "has no overall score: not every pillar has a score" in text
    assert "they are unknown" in text
    missing = one(
        published_warehouse,
        f"""select count(*) from indicator_scores where framework_id = '{FRAMEWORK}' and iso3 = '{iso3}'
            and status = 'insufficient_data' and status_reason <> 'not_comparable_edition'""",
    )
    declared = one(published_warehouse, f"select count(*) from framework_indicators where framework_id = '{FRAMEWORK}'")
    assert f"{missing} of {declared} indicators have no usable figure" in text
    listed = page.locator(".reasons dd").all_inner_texts()
    assert sum(len(titles.split("; ")) for titles in listed) == missing
    for heading in page.locator("main h2").all():
        section = heading.locator("xpath=..").inner_text()
        assert len(section) > len(heading.inner_text()) + 40, "a section has more than its title"
    assert not re.search(r"\b(None(?! of)|nan|null|Undefined)\b|\{\w*\}", text)


def test_the_statements_about_a_country_are_shown_with_their_verdicts(
    pages: Pages, briefs: Path, published_warehouse: Path
) -> None:
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        claims = connection.execute(
            "select statement, verdict from claims_audit where list_contains(string_split(country_iso3, ';'), 'KAZ')"
        ).fetchall()
    page = pages.open(briefs / "KAZ.html").page
    text = page.locator("main").inner_text()
    assert len(claims) > 10
    for statement, _ in claims:
        assert statement in text
    row = page.locator("tr", has_text="Internet penetration in Kazakhstan reached 96 percent")
    assert row.locator(".verdict").inner_text() == "depends on the reading"
    assert "The review makes no statement about this country" in pages.open(briefs / "AFG.html").page.inner_text("main")


def test_text_from_the_data_stays_text_in_a_brief(pages: Pages, hostile_warehouse: Path, tmp_path: Path) -> None:
    done = run_carec("briefs", "UZB", "--no-pdf", "--out", str(tmp_path), warehouse=hostile_warehouse)
    assert done.returncode == 0, done.stderr
    opened = pages.open(tmp_path / "UZB.html")
    assert_sound(opened)
    assert_text_stays_text(opened.page, scripts=0)
    assert opened.page.locator("h1").inner_text().startswith("<script>")


def test_without_a_browser_the_pages_are_written_and_one_line_is_printed(
    published_warehouse: Path, briefs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run_carec("briefs", "uzb", "--out", str(out), warehouse=published_warehouse, PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in out.iterdir()] == ["UZB.html"]
    assert (out / "UZB.html").read_bytes() == (briefs / "UZB.html").read_bytes(), "same publication, same bytes"
    (line,) = [line for line in done.stderr.splitlines() if "no PDF" in line]
    assert "chromium" in line and "print from any browser" in line


def test_a_failing_browser_prevents_only_the_pdf(published_warehouse: Path, tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "chromium"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()
    (out / "KAZ.pdf").write_text("of last month")
    done = run_carec("briefs", "UZB", "KAZ", "--out", str(out), warehouse=published_warehouse, PATH=str(broken.parent))
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["KAZ.html", "KAZ.pdf", "UZB.html"]
    printed = " ".join(done.stderr.split())
    assert "no PDF of UZB.html" in printed and "Traceback" not in printed
    assert "of an earlier run and not of this publication: KAZ.pdf" in printed


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["DEU"], "'DEU' is not a member's ISO3 code; the members are AFG"),
        (["UZB", "nowhere"], "'NOWHERE' is not a member's ISO3 code"),
        (["UZB", "--language", "de"], "'de' is no language of the pages; there are en, ru"),
    ],
)
def test_an_unknown_country_or_language_gives_one_clear_line(
    published_warehouse: Path, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    done = run_carec("briefs", *arguments, "--out", str(tmp_path / "out"), warehouse=published_warehouse)
    assert done.returncode == 2
    assert expected in " ".join(done.stderr.split()) and len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
