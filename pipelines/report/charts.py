"""The charts, drawn as SVG when a page is written: they need no script, no network and no font of their own.

Belongs here: marks, scales, colours. Does not belong here: figures (``data``), words (``words``). Every chart has a
title for screen readers; every mark carries its figures as a label, which the page shows on hover; the figures stand in
a table beside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any, Literal

import altair as alt
import vl_convert

from pipelines.report.data import Row, pick
from pipelines.report.words import Words
from pipelines.seeds.codes import SIGNS

COLOURS = tuple(sign.fill for sign in SIGNS.values())

_SHAPES = ("square", "triangle-up", "triangle-right", "diamond", "triangle-down", "circle", "cross")

GROUPS = ("carec", "asean", "eu27", "upper_middle_income", "world")
_GROUP_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
_GROUP_COLOURS = ("#000000", "#D55E00", "#0072B2", "#CC79A7", "#009E73")

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

SIGN_MARKS = {sign: (OUTLINES[shape], colour) for sign, shape, colour in zip(SIGNS, _SHAPES, COLOURS, strict=True)}
GROUP_MARKS = {
    group: (OUTLINES[shape], colour) for group, shape, colour in zip(GROUPS, _GROUP_SHAPES, _GROUP_COLOURS, strict=True)
}
"""Outline and colour of the mark of a sign, of a group."""

INK, MUTED, GRID = "#1b1f24", "#5a6472", "#e3e6ea"
BAR, OWN_BAR = "#bcd3e6", "#5b93c0"
WIDTH = 214
"""Width of the plot in pixels; with the names of the members beside it a chart fits a telephone."""
_ROW = 19
_LOCALES: dict[str, Literal["en-US", "ru-RU"]] = {"en": "en-US", "ru": "ru-RU"}
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"

_CONFIG: dict[str, Any] = {
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


def svg(chart: alt.TopLevelMixin, title: str, words: Words) -> str:
    """The chart as an inline SVG with a title. All text in it is escaped."""
    spec = {**chart.to_dict(validate=False), "config": _CONFIG, "padding": 2}
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


def _rows(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _members_axis(names: Sequence[str]) -> alt.Y:
    axis = alt.Axis(title=None, ticks=False, domain=False, grid=True, labelPadding=4)
    return alt.Y("name:N", sort=list(names), scale=alt.Scale(domain=list(names)), axis=axis)


def indicator(one: Row, cells: Sequence[Row], words: Words) -> str:
    """Members against the target of one indicator: baseline, latest value, path projected to the target year."""
    scale_type: Literal["log", "linear"] = "log" if one["transform"] == "log" else "linear"
    rows = [_member_row(cell, one["unit"], words) for cell in cells]
    values = [row[key] for row in rows for key in _POSITIONS if row[key] is not None]
    targets = [one[key] for key in ("target_value", "pace_target_value") if one[key] is not None]
    domain = [min([*values, *targets]), max([*values, *targets])]
    if scale_type == "linear" and one["valid_min"] is not None and domain[0] >= 0:
        domain[0] = min(domain[0], 0)
    y = _members_axis([row["name"] for row in rows])
    title = words.word("units", one["unit"]) + (f", {words('pillars.log')}" if scale_type == "log" else "")
    axis = alt.Axis(title=title, tickCount=4, format="~s" if domain[1] >= 1000 else "~f", labelOverlap=True)
    scale = alt.Scale(type=scale_type, domain=domain, nice=True, zero=False)
    x = alt.X("latest_value:Q", scale=scale, axis=axis)
    words_in_plot: dict[str, Any] = {"align": "left", "dx": 2, "fontSize": 9.5, "limit": WIDTH}
    base = alt.Chart()
    layers: list[alt.Chart] = [
        base.transform_filter("isValid(datum.projection_low)")
        .mark_rule(strokeWidth=5, color="#c9d3de", strokeCap="butt", aria=False)
        .encode(x=alt.X("projection_low:Q", scale=scale, axis=axis), x2="projection_high:Q", y=y),
        base.transform_filter("isValid(datum.baseline_value)")
        .mark_rule(strokeWidth=2, color=MUTED, aria=False)
        .encode(x=alt.X("baseline_value:Q", scale=scale, axis=axis), x2="latest_value:Q", y=y),
        base.transform_filter("isValid(datum.projection)")
        .mark_rule(strokeWidth=1.5, strokeDash=[3, 2], color=MUTED, aria=False)
        .encode(x=x, x2="projection:Q", y=y),
        *_targets(one, scale, axis),
        base.transform_filter("isValid(datum.baseline_value)")
        .mark_point(shape="circle", size=26, filled=True, fill="white", stroke=MUTED, opacity=1, aria=False)
        .encode(x=alt.X("baseline_value:Q", scale=scale, axis=axis), y=y),
        base.transform_filter("isValid(datum.projection)")
        .mark_point(shape="stroke", size=60, angle=90, stroke=MUTED, strokeWidth=2, opacity=1, aria=False)
        .encode(x=alt.X("projection:Q", scale=scale, axis=axis), y=y),
        base.transform_filter("isValid(datum.latest_value)")
        .mark_point(size=80, filled=True, stroke=INK, strokeWidth=0.8, opacity=1, aria=True)
        .encode(
            x=x,
            y=y,
            fill=alt.Fill("sign:N", scale=alt.Scale(domain=list(SIGNS), range=list(COLOURS)), legend=None),
            shape=alt.Shape("sign:N", scale=alt.Scale(domain=list(SIGNS), range=list(_SHAPES)), legend=None),
            description="label:N",
        ),
        # White below the words, so that the lines of the targets do not cross them out.
        base.transform_filter("!isValid(datum.latest_value)")
        .mark_text(stroke="white", strokeWidth=4, strokeJoin="round", aria=False, **words_in_plot)
        .encode(x=alt.value(0), y=y, text="why:N"),
        base.transform_filter("!isValid(datum.latest_value)")
        .mark_text(aria=True, **words_in_plot)
        .encode(x=alt.value(0), y=y, text="why:N", description="label:N"),
    ]
    chart = alt.layer(*layers, data=_rows(rows)).properties(width=WIDTH, height=_ROW * len(rows))
    name = words.name("indicators", one["indicator_id"], one["title"])
    return svg(chart, words("pillars.chart", title=name, unit=words.word("units", one["unit"])), words)


_POSITIONS = ("baseline_value", "latest_value", "projection", "projection_low", "projection_high")


def _member_row(cell: Row, unit: str, words: Words) -> Row:
    """What the chart of an indicator needs of one member: positions, sign, and the label of its mark."""
    name = words.name("economies", cell["iso3"], cell["name"])
    reason = words.word("reasons", cell["status_reason"])
    label = words("pillars.describe_gap", name=name, reason=reason)
    if cell["latest_value"] is not None:
        label = words(
            "pillars.describe",
            name=name,
            latest=words.with_unit(cell["latest_value"], unit),
            year=words.year(cell["latest_year"]),
            baseline=words.figure(cell["baseline_value"], unit),
            projection=words.figure(cell["projection"], unit),
            status=words.word("statuses", cell["sign"]),
        )
    return {"name": name, "sign": cell["sign"], "why": reason, "label": label, **{at: cell[at] for at in _POSITIONS}}


def _targets(one: Row, scale: alt.Scale, axis: alt.Axis) -> list[alt.Chart]:
    """The target as a solid line, the pace target, where it is another, as a dashed one."""
    lines = []
    if one["target_value"] is not None:
        solid = alt.Chart().mark_rule(strokeWidth=2, color=INK, aria=False)
        lines.append(solid.encode(x=alt.XDatum(one["target_value"], scale=scale, axis=axis, type="quantitative")))
    if one["pace_target_value"] not in (None, one["target_value"]):
        dashed = alt.Chart().mark_rule(strokeWidth=1.5, strokeDash=[5, 3], color=INK, aria=False)
        lines.append(dashed.encode(x=alt.XDatum(one["pace_target_value"], scale=scale, axis=axis, type="quantitative")))
    return lines


def _group_marks(regions: Sequence[Row], words: Words, label: str) -> tuple[alt.Chart, list[str]]:
    """The simple means of the groups as marks of their own shape and colour; the pages carry the legend."""
    means = [
        {
            "group": words.name("groups", mean["group_id"], mean["group_title"]),
            "row": mean["row"],
            "score": mean["score"],
            "label": words(
                label,
                group=words.name("groups", mean["group_id"], mean["group_title"]),
                name=words.name("groups", mean["group_id"], mean["group_title"]),
                pillar=mean["row"],
                score=words.number(mean["score"]),
            ),
        }
        for mean in regions
        if mean["score"] is not None
    ]
    titles = {mean["group_id"]: words.name("groups", mean["group_id"], mean["group_title"]) for mean in regions}
    domain = [titles[group] for group in GROUPS if group in titles]
    shapes = [shape for group, shape in zip(GROUPS, _GROUP_SHAPES, strict=True) if group in titles]
    colours = [colour for group, colour in zip(GROUPS, _GROUP_COLOURS, strict=True) if group in titles]
    marks = (
        alt.Chart(_rows(means))
        .mark_point(size=62, filled=True, opacity=0.95, aria=True)
        .encode(
            shape=alt.Shape("group:N", scale=alt.Scale(domain=domain, range=shapes), legend=None),
            color=alt.Color("group:N", scale=alt.Scale(domain=domain, range=colours), legend=None),
            description="label:N",
        )
    )
    return marks, domain


_SCORE_SCALE = alt.Scale(domain=[0, 100])


def _score_axis(words: Words) -> alt.Axis:
    return alt.Axis(title=words("units.score_0_100"), values=[0, 25, 50, 75, 100])


def pillar_scores(title: str, scores: Sequence[Row], regions: Sequence[Row], words: Words) -> str:
    """The members' scores of one pillar as bars, the means of the groups below them."""
    bars = [
        {
            "name": words.name("economies", row["iso3"], row["name"]),
            "score": row["score"],
            "text": words.word("reasons", row["score_reason"]) if row["score"] is None else words.number(row["score"]),
            "label": words(
                "pillars.describe_score",
                name=words.name("economies", row["iso3"], row["name"]),
                score=words.number(row["score"]),
            ),
        }
        for row in scores
    ]
    means = pick(regions, variant="simple")
    group_rows = [{**mean, "row": words.name("groups", mean["group_id"], mean["group_title"])} for mean in means]
    marks, groups = _group_marks(group_rows, words, "pillars.describe_group")
    names = [*(bar["name"] for bar in bars), *groups]
    y = _members_axis(names)
    x = alt.X("score:Q", scale=_SCORE_SCALE, axis=_score_axis(words))
    chart = alt.layer(
        alt.Chart(_rows(bars)).mark_bar(color="#8fb4d3", height=11, aria=True).encode(x=x, y=y, description="label:N"),
        alt.Chart(_rows(bars))
        .mark_text(align="left", dx=4, color=INK, fontSize=10, aria=False)
        .encode(x=alt.X("at:Q", scale=_SCORE_SCALE, axis=_score_axis(words)), y=y, text="text:N")
        .transform_calculate(at="isValid(datum.score) ? datum.score : 0"),
        marks.transform_calculate(name="datum.row").encode(x=x, y=y),
    ).properties(width=WIDTH, height=_ROW * len(names))
    return svg(chart, title, words)


def groups_by_pillar(
    title: str, rows: Sequence[str], regions: Sequence[Row], words: Words, own: Sequence[Row] = ()
) -> str:
    """Means of the groups, one row a pillar, over a member's ``own`` scores as bars.

    ``regions`` and ``own`` carry the title of their row as ``row``.
    """
    marks, _ = _group_marks(regions, words, "regions.describe")
    x = alt.X("score:Q", scale=_SCORE_SCALE, axis=_score_axis(words))
    y = _wrapped_axis("row:N", rows, grid=not own)
    layers = [marks.encode(x=x, y=y)]
    if own:
        scored = [
            {
                "row": one["row"],
                "score": one["score"],
                "label": words("pillars.describe_score", name=one["row"], score=words.number(one["score"])),
            }
            for one in own
            if one["score"] is not None
        ]
        bars = alt.Chart(_rows(scored)).mark_bar(color=BAR, height=15, aria=True)
        layers.insert(0, bars.encode(x=x, y=y, description="label:N"))
    return svg(alt.layer(*layers).properties(width=WIDTH, height=28 * len(rows)), title, words)


def _wrapped_axis(field: str, rows: Sequence[str], *, grid: bool) -> alt.Y:
    """An axis of long titles, each in two lines where it needs them."""
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


def region_variants(title: str, means: Sequence[Row], words: Words) -> str:
    """The overall score of every group in every way of taking its mean, as bars with their figures."""
    bars = [
        {
            "row": words(
                "regions.row",
                group=words.name("groups", mean["group_id"], mean["group_title"]),
                variant=words.name("variants", mean["variant"], mean["variant_title"]),
            ),
            "score": mean["score"],
            "own": mean["group_id"] == "carec",
            "text": words.number(mean["score"]),
        }
        for mean in means
    ]
    for bar in bars:
        bar["label"] = words("pillars.describe_score", name=bar["row"], score=bar["text"])
    x = alt.X("score:Q", scale=_SCORE_SCALE, axis=_score_axis(words))
    y = _wrapped_axis("row:N", [bar["row"] for bar in bars], grid=False)
    base = alt.Chart(_rows(bars))
    colour = alt.Color("own:N", scale=alt.Scale(domain=[True, False], range=[OWN_BAR, BAR]), legend=None)
    chart = alt.layer(
        base.mark_bar(height=14, aria=True).encode(x=x, y=y, color=colour, description="label:N"),
        base.mark_text(align="left", dx=4, color=INK, fontSize=10, aria=False).encode(x=x, y=y, text="text:N"),
    ).properties(width=WIDTH, height=30 * len(bars))
    return svg(chart, title, words)


def rank_bands(members: Sequence[Row], words: Words) -> str:
    """Rank of each ranked member as a point on its band."""
    shown = [
        {
            "name": words.name("economies", row["iso3"], row["name"]),
            **{key: row[key] for key in ("rank", "rank_p05", "rank_p95")},
            "label": words(
                "bands.describe",
                name=words.name("economies", row["iso3"], row["name"]),
                rank=row["rank"],
                low=words.number(row["rank_p05"], 0),
                high=words.number(row["rank_p95"], 0),
            ),
        }
        for row in members
        if row["rank"] is not None
    ]
    last = max(max(row["rank"], row["rank_p95"] or 0) for row in shown)
    scale = alt.Scale(domain=[0.6, last + 0.4], nice=False)
    axis = alt.Axis(title=words("columns.rank"), values=list(range(1, int(last) + 1)), format="d")
    y = _members_axis([row["name"] for row in shown])
    base = alt.Chart(_rows(shown))
    band = base.mark_rule(strokeWidth=7, color="#8fb4d3", strokeCap="round", aria=True)
    point = base.mark_point(size=70, filled=True, color=INK, opacity=1, aria=True)
    chart = alt.layer(
        band.encode(x=alt.X("rank_p05:Q", scale=scale, axis=axis), x2="rank_p95:Q", y=y, description="label:N"),
        point.encode(x=alt.X("rank:Q", scale=scale, axis=axis), y=y, description="label:N"),
    ).properties(width=WIDTH + 60, height=24 * len(shown))
    return svg(chart, words("bands.chart"), words)


def verdicts(counts: Sequence[Row], words: Words) -> str:
    """How many claims got each verdict."""
    rows = [
        {
            "verdict": words.word("verdicts", row["verdict"]),
            "claims": row["claims"],
            "label": f"{words.word('verdicts', row['verdict'])}: {row['claims']}",
        }
        for row in counts
    ]
    axis = alt.Axis(title=None, ticks=False, domain=False, grid=False, labelLimit=200)
    y = alt.Y("verdict:N", sort=[row["verdict"] for row in rows], axis=axis)
    x = alt.X("claims:Q", axis=None)
    base = alt.Chart(_rows(rows))
    chart = alt.layer(
        base.mark_bar(color="#8fb4d3", height=13, aria=True).encode(x=x, y=y, description="label:N"),
        base.mark_text(align="left", dx=4, color=INK, aria=False).encode(x=x, y=y, text="claims:Q"),
    ).properties(width=170, height=22 * len(rows))
    return svg(chart, words("claims.chart"), words)


def history(rows: Sequence[Row], titles: dict[str, str], words: Words) -> str:
    """Pillar scores of one member by year, a line a pillar, named by its id as in the table beside."""
    points = [
        {
            "pillar": row["pillar_id"].upper(),
            "year": row["as_of_year"],
            "score": row["score"],
            "label": words(
                "brief.describe_history",
                pillar=titles[row["pillar_id"]],
                year=row["as_of_year"],
                score=words.number(row["score"]),
            ),
        }
        for row in rows
    ]
    domain = [pillar_id.upper() for pillar_id in titles]
    colours = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"]
    shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down"]
    first, last = min(row["as_of_year"] for row in rows), max(row["as_of_year"] for row in rows)
    x = alt.X(
        "year:Q",
        scale=alt.Scale(domain=[first, max(last, first + 1)], nice=False),
        axis=alt.Axis(title=None, format="d", tickMinStep=1, grid=False),
    )
    y = alt.Y("score:Q", scale=_SCORE_SCALE, axis=alt.Axis(title=None, values=[0, 25, 50, 75, 100]))
    legend = alt.Legend(columns=len(domain))
    colour = alt.Color("pillar:N", scale=alt.Scale(domain=domain, range=colours[: len(domain)]), legend=legend)
    shape = alt.Shape("pillar:N", scale=alt.Scale(domain=domain, range=shapes[: len(domain)]), legend=legend)
    base = alt.Chart(_rows(points))
    chart = alt.layer(
        base.mark_line(strokeWidth=1.5, aria=False).encode(x=x, y=y, color=colour),
        base.mark_point(size=34, filled=True, opacity=1, aria=True).encode(
            x=x, y=y, color=colour, shape=shape, description="label:N"
        ),
    ).properties(width=320, height=170)
    return svg(chart, words("brief.history"), words)
