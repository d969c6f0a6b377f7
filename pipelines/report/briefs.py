"""The country briefs, one per member, from the published file.

Belongs here: the choice of parts for a member's brief, and writing the files. Does not belong here: queries (``data``),
printing to PDF (``pdf``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pipelines.report import charts, matched_change, next_steps, origins, paths
from pipelines.report.data import Report, Row, pick, read
from pipelines.report.documents import decisions_of
from pipelines.report.page import asset, render, shared
from pipelines.report.pdf import print_to_pdf
from pipelines.seeds.codes import SIGNS, VERDICTS, WITHOUT_FIGURE
from pipelines.texts.words import ENGLISH, Words
from sources.errors import ConfigurationError
from warehouse.files import write_atomically
from warehouse.layout import Layout

EACH_WAY = 4
"""Number of fastest and number of slowest indicators on the first page."""


def write_briefs(
    layout: Layout,
    out: Path,
    countries: Sequence[str] = (),
    language: str = "en",
    *,
    pdf: bool = True,
    note: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Write ``<ISO3>.html`` and, where Chromium is found, ``<ISO3>.pdf`` for some members or all.

    Args:
        layout: The warehouse with the publication.
        out: The folder for the files.
        countries: ISO3 codes of members; all members if empty.
        language: A language that has texts.
        pdf: Also print the pages to PDF.
        note: Receives one line if the PDF files are left out, and one with the names that the language lacks.

    Returns:
        The files.

    Raises:
        NotPublished: The warehouse has no publication.
        ConfigurationError: A code is not that of a member, or the language has no texts.
    """
    words, report = Words(language), read(layout)
    members = {row["iso3"]: row for row in report.members}
    chosen = [code.upper() for code in countries] or sorted(members)
    for code in chosen:
        if code not in members:
            raise ConfigurationError(
                f"{code!r} is not a member's ISO3 code; the members are {', '.join(sorted(members))}"
            )
    common = shared(report, words)
    pages = []
    for code in chosen:
        page = out / f"{code}.html"
        text = render("brief.html.j2", words, **common, **_brief(report, members[code], common, words))
        write_atomically(page, text.encode())
        pages.append(page)
    words.warn_of_english(note)
    return [*pages, *(print_to_pdf(pages, note) if pdf else [])]


def folder_of(page: Path, language: str) -> Path:
    """Return the folder next to a page for the briefs that it links; each language has its own."""
    return page.parent / ("briefs" if language == ENGLISH else f"briefs-{language}")


def links_to(files: Iterable[Path], page: Path) -> dict[str, list[str]]:
    """Return the addresses of briefs, as links from a page, by the member's code.

    Example:
        >>> links_to([Path("report/briefs/UZB.html")], Path("report/index.html"))
        {'UZB': ['briefs/UZB.html']}
    """
    links: dict[str, list[str]] = {}
    for file in sorted(files):
        links.setdefault(file.stem, []).append(file.relative_to(page.parent).as_posix())
    return links


def _brief(report: Report, member: Row, common: dict[str, Any], words: Words) -> dict[str, Any]:
    iso3 = member["iso3"]
    cells = pick(report.cells, iso3=iso3)
    titles = {row["pillar_id"]: words.name_of("pillars", row) for row in report.pillars}
    scores = [row for row in pick(report.pillar_scores, iso3=iso3) if row["indicators_total"]]
    paced = sorted((cell for cell in cells if cell["pace_ratio"] is not None), key=lambda cell: -cell["pace_ratio"])
    claims = [row for row in report.claims if iso3 in row["country_iso3"].split(";")]
    missing = _missing(cells, words)
    return {
        "m": member,
        "name": common["names"][iso3],
        "titles": titles,
        "scores": scores,
        "own_cells": {row["pillar_id"]: pick(cells, pillar_id=row["pillar_id"]) for row in scores},
        "sign_counts": {sign: len(own) for sign in SIGNS if (own := pick(cells, sign=sign))},
        "gaps": {row["pillar_id"]: row for row in pick(report.gaps, iso3=iso3)},
        "ranked": sum(row["rank"] is not None for row in report.members),
        "charts": _charts(report, member, titles, words),
        "paced": len(paced),
        "moved": paced if len(paced) <= 2 * EACH_WAY else paced[:EACH_WAY] + paced[-EACH_WAY:],
        "origins": origins.of_member(report, iso3),
        "missing": missing,
        "missing_count": sum(len(names) for names in missing.values()),
        "total": len(cells),
        "claims": claims,
        "tested": [row for row in claims if row["verdict"] not in WITHOUT_FIGURE],
        "untested": [row for row in claims if row["verdict"] in WITHOUT_FIGURE],
        "verdict_line": _verdict_line(claims, words),
        "decided": decisions_of(claims) if report.documents else None,
        "coming": pick(report.coming, iso3=iso3),
        "editions": {provider: row for row in report.editions for provider in row["providers"] or ()},
        "matched_change": matched_change.changes(report, common["names"], (iso3,)),
        "progress": next_steps.progress(report, common["names"], words, ("CAREC", iso3)),
        "next_steps": next_steps.recommendations(report, common["names"], common["providers"], words, iso3),
        "paths": paths.of_member(report, iso3, common["names"], words),
        "brief_css": asset("brief.css"),
    }


def _missing(cells: Sequence[Row], words: Words) -> dict[str, list[str]]:
    """Return the titles of indicators without a status, by reason, with the year of a stale figure."""
    missing: dict[str, list[str]] = {}
    for cell in pick(cells, sign="insufficient_data"):
        title = words.name_of("indicators", cell)
        if cell["latest_year"] is not None:
            title = words("brief.missing_item", title=title, year=words.year_of(cell))
        missing.setdefault(cell["status_reason"], []).append(title)
    return missing


def _verdict_line(claims: Sequence[Row], words: Words) -> str:
    counts = ((verdict, len(pick(claims, verdict=verdict))) for verdict in VERDICTS)
    return ", ".join(f"{words.word('verdicts', verdict)} {count}" for verdict, count in counts if count)


def _charts(report: Report, member: Row, titles: dict[str, str], words: Words) -> dict[str, str | None]:
    rows = {"overall": words("columns.overall")}
    rows |= {
        row["pillar_id"]: f"{row['pillar_id'].upper()} {titles[row['pillar_id']]}"
        for row in pick(report.pillars, in_overall=True)
    }
    means = pick(report.regions, variant="simple")
    overall = {"pillar_id": "overall", "score": member["overall_score"]}
    own = [overall, *pick(report.pillar_scores, iso3=member["iso3"])]
    shown = {key: title for key, title in rows.items() if key != "overall"}
    past = [row for row in pick(report.history, iso3=member["iso3"]) if row["pillar_id"] in shown]
    return {
        "position": charts.groups_by_pillar(words("brief.chart"), rows, means, words, own),
        "history": charts.history(past, shown, words) if past else None,
    }
