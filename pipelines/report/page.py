"""The report: one self-contained page from the published file.

Belongs here: putting queries, words, charts and template together. Does not belong here: any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pipelines.report import (
    chart_style,
    charts,
    convergence,
    embedded,
    first_screen,
    matched_change,
    next_steps,
    origins,
    paths,
    projections,
    rank_bands,
    recommendations,
    regional_space,
    statistical_audit,
)
from pipelines.report.bases import basis_in
from pipelines.report.changed import sections
from pipelines.report.data import Report, Row, grouped, pick, read
from pipelines.report.documents import date_in, shown_documents
from pipelines.report.reasons import Reasons
from pipelines.seeds.codes import SIGNS, VERDICTS
from pipelines.texts.words import Words, digits_of
from sources.catalogue import load_catalogue
from warehouse.files import write_atomically
from warehouse.layout import Layout

HERE = Path(__file__).parent
SCRIPTS = ("tables", "claims", "charts", "fold", "find", "views", "start")
"""The scripts of ``assets/scripts`` in the order in which the page has them; they share one scope."""


def write_report(
    layout: Layout,
    out: Path,
    language: str = "en",
    note: Callable[[str], None] = lambda _: None,
    briefs: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write the page.

    Args:
        layout: The warehouse whose publication is shown.
        out: The file to write.
        language: A language that has texts.
        note: Receives one line with the names that the language lacks, if there are any.
        briefs: Addresses of the members' briefs by ISO3 code, as links from the file; no links without it.

    Returns:
        The file.

    Raises:
        NotPublished: The warehouse has no publication.
        ConfigurationError: The language has no texts.
    """
    words = Words(language)
    write_atomically(out, render("report.html.j2", words, briefs=briefs or {}, **_report(read(layout), words)).encode())
    words.warn_of_english(note)
    return out


def render(template: str, words: Words, **context: Any) -> str:
    """Return a filled template; all values are escaped, except charts, styles and scripts marked as safe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=False,
    )
    # Globals, because imported macros see globals and no loop variables.
    environment.globals.update(
        w=words,
        pick=pick,
        digits_of=digits_of,
        verdicts=VERDICTS,
        sign_marks=chart_style.SIGN_MARKS,
        group_marks=chart_style.GROUP_MARKS,
    )
    return environment.get_template(template).render(context)


def asset(name: str) -> Markup:
    """Return a style sheet or script of ``assets/`` for inlining."""
    return Markup((HERE / "assets" / name).read_text(encoding="utf-8"))


def sign_styles() -> Markup:
    """Return the colours and marks of the signs as CSS. ``page.css`` comes after them and may override them."""
    rule = Markup(
        '.sign.{0} {{ background: {1.fill}; color: {1.ink}; }}\n.sign.{0}::before {{ content: "{1.mark}"; }}\n'
    )
    return Markup("").join(rule.format(name, sign) for name, sign in SIGNS.items())


def shared(report: Report, words: Words) -> dict[str, Any]:
    """Return the template values that every page needs."""
    catalogue = load_catalogue()
    names = {row["iso3"]: words.name_of("economies", row) for row in report.members}
    return {
        "r": report,
        "pillars": pick(report.pillars, in_overall=True),
        "names": names,
        "reason": Reasons(words, report.title_of, names),
        "group_titles": {row["group_id"]: words.name_of("groups", row) for row in report.regions},
        "providers": {name: provider.title for name, provider in catalogue.providers.items()},
        "cadences": {name: provider.cadence for name, provider in catalogue.providers.items()},
        "citations": list(dict.fromkeys(one.citation for one in catalogue.providers.values() if one.base_url)),
        "tests_of": grouped(report.claim_tests, "claim_id"),
        "base_years_of": grouped(report.base_years, "claim_id"),
        "basis": partial(basis_in, words),
        "date_in": date_in,
        "css": sign_styles() + asset("page.css") + asset("paths.css") + asset("tool.css"),
        **shown_documents(report.claims, report.documents),
    }


def _report(report: Report, words: Words) -> dict[str, Any]:
    common = shared(report, words)
    ranked = [row for row in report.members if row["rank"] is not None]
    measured = {row["pillar_id"] for row in report.cells}
    alphabetic = sorted(report.members, key=lambda row: common["names"][row["iso3"]])
    cells: dict[tuple[str, str], list[Row]] = {(cell["indicator_id"], cell["iso3"]): [cell] for cell in report.cells}
    beside = pick(report.pillars, in_overall=False)
    sectors = [pillar for pillar in beside if pillar["pillar_id"] in measured]
    return {
        **common,
        "sectors": sectors,
        "unmeasured": "; ".join(words.name_of("pillars", p) for p in beside if p not in sectors),
        "subthemes": {row["subtheme_id"]: words.name_of("subthemes", row) for row in report.subthemes},
        "register_only": {row["pillar_id"]: _register_only(report, row["pillar_id"], words) for row in report.pillars},
        "ranked": ranked,
        "unranked": [common["names"][row["iso3"]] for row in report.members if row["rank"] is None],
        "alphabetic": alphabetic,
        "cells_of": {
            one["indicator_id"]: [cell for member in alphabetic for cell in cells[one["indicator_id"], member["iso3"]]]
            for one in report.indicators
        },
        "years_of_figures": sorted({c["latest_year"] for c in report.cells if c["latest_year"] is not None})[:-5:-1],
        "signs_of": {
            row["pillar_id"]: [sign for sign in SIGNS if pick(report.cells, pillar_id=row["pillar_id"], sign=sign)]
            for row in report.pillars
        },
        "parts": [part for part in words.get("review_parts") if any(r["pillar"] == part for r in report.claims)],
        "changes": sections(report, common["names"], words),
        "origins": origins.by_indicator(report),
        "matched_change": matched_change.changes(report, common["names"]),
        "progress": next_steps.progress(report, common["names"], words),
        "next_steps": next_steps.recommendations(report, common["names"], common["providers"], words),
        **_means_of_groups(report, words),
        "paths": paths.by_indicator(report, common["names"]),
        "milestones": {row["pillar_id"]: _milestones(report, row["pillar_id"], words) for row in report.pillars},
        "charts": _charts(report, words, ranked),
        **regional_space.context(report),
        **convergence.context(report),
        "imputed": {
            "means": [
                row
                for row in pick(report.regions, pillar_id="overall", group_id="carec")
                if row["score_all_members_imputed"] is not None
            ],
            "members": report.imputed,
        },
        **recommendations.context(report, words),
        **rank_bands.context(report, words),
        **statistical_audit.context(report, words),
        **projections.context(report),
        **embedded.context(report, common["names"], words),
        **first_screen.context(report, common["names"], words),
        "script_texts": {**words.get("controls"), **words.get("tool.script")},
        "js": Markup("\n").join(asset(f"scripts/{name}.js") for name in SCRIPTS),
    }


def _means_of_groups(report: Report, words: Words) -> dict[str, Any]:
    """Return the template values for the means of ASEAN and the EU: by indicator, and the names of the groups."""
    return {
        "groups_of": {
            one["indicator_id"]: pick(report.group_figures, indicator_id=one["indicator_id"])
            for one in report.indicators
        },
        "compared_groups": {row["group_id"]: words.name_of("groups", row) for row in report.group_figures},
    }


def _register_only(report: Report, pillar_id: str, words: Words) -> str:
    rows = pick(report.subthemes, pillar_id=pillar_id, register_only=True)
    return "; ".join(words.name_of("subthemes", row) for row in rows)


def _milestones(report: Report, pillar_id: str, words: Words) -> list[Row]:
    """Return what the review reports on the sub-themes of a pillar that no public series measures."""
    own = {row["subtheme_id"] for row in pick(report.subthemes, pillar_id=pillar_id)}
    return [
        {**row, "subtheme": words.name("subthemes", row["subtheme_id"], row["subtheme_title"])}
        for row in report.milestones
        if row["subtheme_id"] in own
    ]


def region_chart(report: Report, words: Words) -> str | None:
    """Return the chart of group means, overall and by pillar; None if the publication has no means."""
    titles = {"overall": words("columns.overall")}
    titles |= {row["pillar_id"]: words.name_of("pillars", row) for row in pick(report.pillars, in_overall=True)}
    means = pick(report.regions, variant="simple")
    return charts.groups_by_pillar(words("regions.chart"), titles, means, words) if means else None


def _variants_chart(report: Report, words: Words) -> str | None:
    means = [row for row in pick(report.regions, pillar_id="overall") if row["score"] is not None]
    return charts.region_variants(words("regions.variants"), means, words) if means else None


def _charts(report: Report, words: Words, ranked: list[Row]) -> dict[str, str | None]:
    drawn: dict[str, str | None] = {
        "bands": charts.rank_bands(ranked, words) if any(r["rank_p05"] is not None for r in ranked) else None,
        "regions": region_chart(report, words),
        "variants": _variants_chart(report, words),
        "verdicts": charts.verdicts(verdict_totals(report), words) if report.claims else None,
    }
    return drawn


def verdict_totals(report: Report) -> list[Row]:
    """Return the number of claims per verdict, in the order of ``VERDICTS``; duplicates count once."""
    return [
        {"verdict": verdict, "claims": sum(row["claims"] for row in pick(report.verdicts, verdict=verdict))}
        for verdict in VERDICTS
    ]
