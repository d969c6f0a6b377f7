"""Style of the charts: colours, marks, scales and axes that several charts share, and drawing as SVG.

Belongs here: how charts look. Does not belong here: what one chart shows (``charts``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any, Literal

import altair as alt
import vl_convert

from pipelines.report.data import Row
from pipelines.seeds.codes import SIGNS
from pipelines.texts.words import Words

COLOURS = tuple(sign.fill for sign in SIGNS.values())

SHAPES = ("square", "triangle-up", "triangle-right", "diamond", "triangle-down", "circle", "cross")

GROUPS = ("carec", "asean", "eu27", "upper_middle_income", "world")
GROUP_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
GROUP_COLOURS = ("#000000", "#D55E00", "#0072B2", "#CC79A7", "#009E73")

OUTLINES = {
    "square": "M2 2H12V12H2Z",
    "triangle-up": "M7 2L12.5 11.5H1.5Z",
    "triangle-right": "M2.5 1.5L12 7L2.5 12.5Z",
    "diamond": "M7 1L12.5 7L7 13L1.5 7Z",
    "triangle-down": "M7 12L12.5 2.5H1.5Z",
    "circle": "M7 2A5 5 0 1 1 6.99 2Z",
    "cross": "M5 1.5H9V5H12.5V9H9V12.5H5V9H1.5V5H5Z",
}
"""The shapes of the marks as paths in a box of 14 by 14, for the legends."""

SIGN_MARKS = {sign: (OUTLINES[shape], colour) for sign, shape, colour in zip(SIGNS, SHAPES, COLOURS, strict=True)}
GROUP_MARKS = {
    group: (OUTLINES[shape], colour) for group, shape, colour in zip(GROUPS, GROUP_SHAPES, GROUP_COLOURS, strict=True)
}
"""Outline and colour of the mark of each sign and of each group."""

INK, MUTED, GRID = "#1b1f24", "#5a6472", "#e3e6ea"
BAR, OWN_BAR = "#bcd3e6", "#5b93c0"
WIDTH = 214
"""Width of the plot in pixels; with the names of the members a chart fits the screen of a telephone."""
ROW_HEIGHT = 19
_LOCALES: dict[str, Literal["en-US", "ru-RU"]] = {"en": "en-US", "ru": "ru-RU"}
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"

CONFIG: dict[str, Any] = {
    "font": _FONT,
    "background": "transparent",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "labelFontSize": 11,
        "labelLimit": 130,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "aria": False,
    },
    "text": {"font": _FONT, "fontSize": 11, "color": MUTED},
    "legend": {
        "orient": "bottom",
        "columns": 2,
        "title": None,
        "labelFontSize": 11,
        "labelColor": INK,
        "aria": False,
        "labelLimit": 300,
    },
}


@dataclass(frozen=True)
class Drawing:
    """A chart that the page draws itself: its title for screen readers, and its specification without ``CONFIG``."""

    title: str
    spec: dict[str, Any]


def drawing(chart: alt.TopLevelMixin, title: str) -> Drawing:
    return Drawing(title, {**chart.to_dict(validate=False), "padding": 2})


def format_locale(words: Words) -> dict[str, Any]:
    """Return the signs of numbers of a language, as the formats of Vega need them."""
    return dict(vl_convert.get_format_locale(_LOCALES[words("formats.locale")]))


def svg(chart: alt.TopLevelMixin, title: str, words: Words) -> str:
    """Return the chart as an inline SVG with a title; all text in it is escaped."""
    spec = {**drawing(chart, title).spec, "config": CONFIG}
    drawn = vl_convert.vegalite_to_svg(spec, format_locale=_LOCALES[words("formats.locale")])
    drawn = re.sub(r' (?:aria-roledescription|role)="[^"]*"', "", drawn)
    drawn = re.sub(r' (?:aria-hidden="true"|pointer-events="none"|opacity="1"|stroke-miterlimit="10")', "", drawn)
    drawn = re.sub(r'<path class="(?:background|foreground)"[^>]*/>', "", drawn)
    drawn = re.sub(r'font-family="[^"]*"', "", drawn)
    drawn = re.sub(r"(\.\d\d)\d+", r"\1", drawn)
    drawn = drawn.replace("aria-label=", "data-label=")
    size = re.search(r'width="(\d+)" height="(\d+)"', drawn)
    assert size is not None
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" class="chart" '
    return re.sub(r"^<svg ", head, re.sub(r' (?:xmlns(?::xlink)?|version|class)="[^"]*"', "", drawn, count=4), count=1)


def inline_data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def members_axis(names: Sequence[str]) -> alt.Y:
    axis = alt.Axis(title=None, ticks=False, domain=False, grid=True, labelPadding=4)
    return alt.Y("name:N", sort=list(names), scale=alt.Scale(domain=list(names)), axis=axis)


SCORE_SCALE = alt.Scale(domain=[0, 100])


def score_axis(words: Words) -> alt.Axis:
    return alt.Axis(title=words("units.score_0_100"), values=[0, 25, 50, 75, 100])


def wrapped_axis(field: str, rows: Sequence[str], *, grid: bool) -> alt.Y:
    """Return an axis with long labels, wrapped to two lines where necessary."""
    lines = {row: wrap(row, 31) for row in rows}
    axis = alt.Axis(
        title=None,
        ticks=False,
        domain=False,
        grid=grid,
        labelLimit=230,
        labelLineHeight=12,
        labelExpr=f"({json.dumps(lines, ensure_ascii=False)})[datum.value]",
    )
    return alt.Y(field, sort=list(rows), scale=alt.Scale(domain=list(rows)), axis=axis)
