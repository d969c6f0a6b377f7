"""The command ``what-if``: a member's score, rank and band with changed figures.

Belongs here: arguments and the printed rows. Does not belong here: scoring (``pipelines.scoring.what_if``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pipelines.cli.country import rank_with_band
from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option
from pipelines.formatting import figure, number
from pipelines.published import economy_code
from pipelines.reading import reading_layout
from pipelines.scoring.models import compiled_folder, is_published_by, load_models
from pipelines.scoring.what_if import TABLES, WhatIf
from pipelines.seeds.codes import FRAMEWORK
from sources.errors import ConfigurationError

COLUMNS = (
    *("iso3", "subject", "subject_id", "year", "value_before", "value_after", "score_before", "score_after"),
    *("rank_before", "rank_after", "rank_p05_before", "rank_p95_before", "rank_p05_after", "rank_p95_after"),
    *("value_for_rank", "reason", "tied_with_before", "tied_with_after"),
)


@click.command()
@click.argument("iso3", help="A member's ISO3 code.")
@click.argument(
    "changes", metavar="ID=VALUE...", nargs=-1, required=True, help="Changed figures; with --rank also an ID."
)
@click.option("--rank", type=click.IntRange(min=1), help="Also find the value of each ID that reaches this rank.")
@click.option("--framework", default=FRAMEWORK, help="The framework to score.")
@format_option
def what_if(iso3: str, changes: tuple[str, ...], rank: int | None, framework: str, fmt: Format) -> None:
    """A member's score, rank and band with changed figures, and the value that reaches a rank."""
    given = _parsed(changes, rank)
    iso3 = economy_code(iso3)  # refuses a missing or damaged publication before anything is compiled
    layout = reading_layout()
    compiled = compiled_folder(layout)
    models = load_models(compiled, TABLES)
    question = WhatIf(layout.published, models, framework, iso3, is_published_by(layout, compiled))
    question.check(given)
    values = {indicator_id: value for indicator_id, value in given.items() if value is not None}
    years = {indicator_id: question.year_of(indicator_id) for indicator_id in given}
    needed: dict[str, tuple[float | None, str | None]] = {}
    if rank is not None:
        overall = load_models(compiled, ["int_overall_scores"])
        for indicator_id in given:
            rest = {other: value for other, value in values.items() if other != indicator_id}
            needed[indicator_id] = question.value_for_rank(indicator_id, rank, rest, overall)
    rows = _rows(iso3, question.before, question.score(values), years, needed)
    if fmt is not Format.TABLE:
        show(COLUMNS, rows, fmt)
        return
    heads = ["", "year", "value", "then", "score", "then", "rank", "then", *([f"for rank {rank}"] if rank else [])]
    show(heads, [_line(dict(zip(COLUMNS, row, strict=True)), rank) for row in rows], fmt)


def _parsed(changes: Sequence[str], rank: int | None) -> dict[str, float | None]:
    parsed: dict[str, float | None] = {}
    for change in changes:
        indicator_id, equals, text = change.partition("=")
        if indicator_id in parsed:
            raise ConfigurationError(f"{indicator_id}: is given twice")
        if not equals and rank is None:
            raise ConfigurationError(f"{change}: expected ID=VALUE; an ID without a value needs --rank")
        try:
            parsed[indicator_id] = float(text) if equals else None
        except ValueError:
            raise ConfigurationError(f"{indicator_id}: {text!r} is no number") from None
    return parsed


def _rows(
    iso3: str, before: Any, after: Any, years: dict[str, int], needed: dict[str, tuple[float | None, str | None]]
) -> list[list[Any]]:
    """Return the overall score, the pillars that changed, and the indicators that were given."""
    old, new = before["overall"], after["overall"]
    rows = [
        [iso3, "overall", "overall", None, None, None, old["overall_score"], new["overall_score"], old["rank"],
         new["rank"], old["rank_p05"], old["rank_p95"], new["rank_p05"], new["rank_p95"], None, new["score_reason"],
         old["tied_with"], new["tied_with"]]
    ]  # fmt: skip
    for pillar, row in before["pillars"].items():
        if row["score"] != after["pillars"][pillar]["score"]:
            scores = [row["score"], after["pillars"][pillar]["score"]]
            rows.append([iso3, "pillar", pillar, None, None, None, *scores, *[None] * 10])
    for indicator_id, year in years.items():
        pair = [found["indicators"][indicator_id] for found in (before, after)]
        values, scores = ([row[column] for row in pair] for column in ("latest_value", "level_score"))
        value, reason = needed.get(indicator_id, (None, None))
        rows.append([iso3, "indicator", indicator_id, year, *values, *scores, *[None] * 6, value, reason, None, None])
    return rows


def _line(row: dict[str, Any], rank: int | None) -> list[Any]:
    ranks = ["", ""]
    if row["subject"] == "overall":
        bands = [f"{name}_{{}}" for name in ("rank", "rank_p05", "rank_p95", "tied_with")]
        ranks = [rank_with_band(*(row[name.format(when)] for name in bands)) for when in ("before", "after")]
    shown = ["" if row["year"] is None else figure(row[f"value_{when}"]) for when in ("before", "after")]
    scores = [number(row["score_before"]), number(row["score_after"])]
    line = [row["subject_id"], row["year"] or "", *shown, *scores, *ranks]
    if rank:
        line.append("" if row["year"] is None else row["reason"] or figure(row["value_for_rank"]))
    return line
