"""The paths to the target: the rows of their tables, and for the briefs one small chart per indicator and member.

Belongs here: the drawing, and the rows for its caption and table. Does not belong here: figures (``trajectories`` in
``dbt_project``), colours (``chart_style``). The charts are drawn here and not by Vega-Lite, because a page has hundreds
of them: each takes about a kilobyte.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from markupsafe import Markup, escape

from pipelines.report.chart_style import INK, MUTED
from pipelines.report.data import Report, Row, grouped, pick
from pipelines.seeds.codes import SIGNS
from pipelines.texts.words import Words

_WIDTH, _HEIGHT, _MARGIN = 112, 56, 4
_BAND = "#c9d3de"

Place = Callable[[float, float], str]
"""Turns year and value into ``x,y`` of the drawing."""


def by_indicator(report: Report, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the indicators that have paths, in the order of the framework, each with its members' paths."""
    cells = {(cell["indicator_id"], cell["iso3"]): cell for cell in report.cells}
    found: dict[str, list[dict[str, Any]]] = {}
    for (indicator_id, iso3), group in groupby(report.trajectories, key=itemgetter("indicator_id", "iso3")):
        found.setdefault(indicator_id, []).append(_path(list(group), cells[indicator_id, iso3], names[iso3]))
    return [
        {"indicator": one, "paths": sorted(found[one["indicator_id"]], key=itemgetter("name"))}
        for one in report.indicators
        if one["indicator_id"] in found
    ]


def of_member(report: Report, iso3: str, names: Mapping[str, str], words: Words) -> list[dict[str, Any]]:
    """Return the paths of one member, in the order of the framework."""
    cells = {cell["indicator_id"]: cell for cell in pick(report.cells, iso3=iso3)}
    found = {
        indicator_id: _drawn(rows, cells[indicator_id], names[iso3], words)
        for indicator_id, rows in grouped(pick(report.trajectories, iso3=iso3), "indicator_id").items()
    }
    return [found[one["indicator_id"]] for one in report.indicators if one["indicator_id"] in found]


def _path(rows: Sequence[Row], cell: Row, name: str) -> dict[str, Any]:
    """Return one path: the rows of its latest observation and its target year."""
    observed = [row for row in rows if row["observed_value"] is not None]
    latest = observed[-1] if observed else None
    return {"name": name, "iso3": cell["iso3"], "cell": cell, "latest": latest, "last": rows[-1]}


def _drawn(rows: Sequence[Row], cell: Row, name: str, words: Words) -> dict[str, Any]:
    """Return one path with its chart."""
    path = _path(rows, cell, name)
    latest, last, unit = path["latest"], path["last"], cell["unit"]
    label = words(
        "paths.describe",
        name=name,
        observed=words.with_unit(latest["observed_value"], unit) if latest else words("paths.none"),
        year=words.year(latest["year"] if latest else None),
        path=words.figure(latest["path_value"] if latest else None, unit),
        projection=words.figure(last["projection"], unit),
        target=words.figure(cell["target_value"], unit),
        last=last["year"],
    )
    return {**path, "svg": _draw(rows, cell, label)}


def _draw(rows: Sequence[Row], cell: Row, label: str) -> Markup:
    place = _scale(rows, cell)
    first, last = rows[0]["year"], rows[-1]["year"]
    observed = [(row["year"], row["observed_value"]) for row in rows if row["observed_value"] is not None]
    projected = [row for row in rows if row["projection"] is not None]
    start = observed[-1:]
    parts = []
    if projected and projected[-1]["projection_low"] is not None:
        low = [(row["year"], row["projection_low"]) for row in projected]
        high = [(row["year"], row["projection_high"]) for row in projected]
        outline = " ".join(place(*at) for at in [*start, *high, *reversed(low)])
        parts.append(f'<polygon points="{outline}" fill="{_BAND}"/>')
    target = cell["target_value"]
    parts.append(_line([(first, target), (last, target)], place, INK, "1"))
    parts.append(_line([(row["year"], row["path_value"]) for row in rows], place, MUTED, "1", dash="4 2"))
    if projected:
        line = [*start, *((row["year"], row["projection"]) for row in projected)]
        parts.append(_line(line, place, MUTED, "1.4", dash="1.5 1.5"))
    for n, at in enumerate(observed):
        x, y = place(*at).split(",")
        fill = SIGNS[cell["sign"]].fill if n == len(observed) - 1 else INK
        size = "3.2" if n == len(observed) - 1 else "1.8"
        parts.append(f'<circle cx="{x}" cy="{y}" r="{size}" fill="{fill}" stroke="{INK}" stroke-width=".7"/>')
    return Markup(
        '<svg class="path" viewBox="0 0 {0} {1}" role="img" aria-label="{2}"><g data-label="{2}">'
        '<path d="M0 0H{0}V{1}H0Z" fill="#fff"/>{3}</g></svg>'
    ).format(_WIDTH, _HEIGHT, escape(label), Markup("".join(parts)))


def _line(points: Sequence[tuple[int, float]], place: Place, colour: str, width: str, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    drawn = " ".join(place(*at) for at in points)
    return f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _scale(rows: Sequence[Row], cell: Row) -> Place:
    """Return the scale of one chart: the years of the path, and all of its values, logarithmic where the path is."""
    columns = ("path_value", "observed_value", "projection", "projection_low", "projection_high")
    values = [row[column] for row in rows for column in columns if row[column] is not None] + [cell["target_value"]]
    positive = [value for value in values if value > 0]
    is_log = cell["transform"] == "log" and bool(positive)
    least = min(positive) if is_log else 0.0

    def height(value: float) -> float:
        return math.log(max(value, least)) if is_log else value

    low, high = min(map(height, values)), max(map(height, values))
    first, last = rows[0]["year"], rows[-1]["year"]

    def place(year: float, value: float) -> str:
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * (year - first) / (last - first)
        y = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (height(value) - low) / ((high - low) or 1)
        return f"{x:.1f},{y:.1f}"

    return place
