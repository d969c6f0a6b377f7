"""The progress summary and the recommendations on one member's page.

Belongs here: their queries and lines. Does not belong here: the rule and its sentences (``member_recommendations``).
"""

from __future__ import annotations

from textwrap import fill

import duckdb

from pipelines.cli.tables import console
from pipelines.published import fetch
from pipelines.seeds.codes import PROGRESS
from pipelines.texts.words import ENGLISH, Words


def print_next_steps(iso3: str, framework: str) -> None:
    """Print how many indicators are in each class of progress, and the recommendations for the member.

    A publication of an earlier version lacks these tables, and another framework their rows: nothing is printed then.
    """
    try:
        counts = fetch(
            "select progress, indicators, change from progress_summary where framework_id = ? and iso3 = ?"
            " order by list_position(?, progress)",
            [framework, iso3, list(PROGRESS)],
        )
        steps = fetch(
            "select kind, recommendation, source_url from member_recommendations where framework_id = ? and iso3 = ?"
            " order by list_position(['pace', 'peer', 'report'], kind), place",
            [framework, iso3],
        )
    except duckdb.CatalogException:
        return
    if not counts and not steps:
        return
    words, out = Words(ENGLISH), console()
    labels = words.get("progress.classes")
    counted = [
        f"{labels[progress]} {number}" + (f" ({change:+d})" if change else "") for progress, number, change in counts
    ]
    out.print()
    out.print(f"{words('sections.progress')}: {', '.join(counted)}")
    out.print()
    out.print(f"{words('next_steps.of_member')} (rule: docs/method.md)")
    for kind, text, url in steps:
        line = f"{words('next_steps.kinds.' + kind)}: {text}" + (f"; {url}" if url else "")
        wrapped = fill(line, out.width, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
        out.print(wrapped, soft_wrap=True)
