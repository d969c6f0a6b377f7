"""The charts of one indicator as Vega-Lite specifications, which the page draws when they come into view.

Belongs here: what a chart of an indicator shows. Does not belong here: charts that are drawn as SVG when the page is
written (``charts``), style (``chart_style``), the file they are embedded in (``embedded``). Members are in one order in
every chart. Every mark has its figures as a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from pipelines.report.chart_style import (
    COLOURS,
    GRID,
    GROUP_COLOURS,
    GROUP_SHAPES,
    GROUPS,
    INK,
    MUTED,
    ROW_HEIGHT,
    SHAPES,
    WIDTH,
    Drawing,
    drawing,
    inline_data,
    members_axis,
)
from pipelines.report.data import Row
from pipelines.report.measured import year_of
from pipelines.seeds.codes import SIGNS
from pipelines.texts.words import Words


def indicator(one: Row, cells: Sequence[Row], groups: Sequence[Row], words: Words) -> Drawing:
    """Return the chart of one indicator: baseline, latest value and projection per member, targets, means of groups.

    Args:
        one: The indicator.
        cells: Rows of the members, in their order.
        groups: Rows of ``group_figures`` of this indicator.
        words: The texts of the language.
    """
    scale_type: Literal["log", "linear"] = "log" if one["transform"] == "log" else "linear"
    rows = [_member_row(cell, one["unit"], words) for cell in cells]
    means = _group_rows(groups, one["unit"], words)
    values = [row[key] for row in rows for key in _POSITIONS if row[key] is not None]
    values += [mean["mean"] for mean in means]
    targets = [one[key] for key in ("target_value", "pace_target_value") if one[key] is not None]
    domain = [min([*values, *targets]), max([*values, *targets])]
    if scale_type == "linear" and one["valid_min"] is not None and domain[0] >= 0:
        domain[0] = min(domain[0], 0)
    names = [row["name"] for row in (*rows, *means)]
    y = members_axis(names)
    title = words.word("units", one["unit"]) + (f", {words('pillars.log')}" if scale_type == "log" else "")
    axis = alt.Axis(title=title, tickCount=4, format="~s" if domain[1] >= 1000 else "~f", labelOverlap=True)
    scale = alt.Scale(type=scale_type, domain=domain, nice=True, zero=False)
    x = alt.X("latest_value:Q", scale=scale, axis=axis)
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
            shape=alt.Shape("sign:N", scale=alt.Scale(domain=list(SIGNS), range=list(SHAPES)), legend=None),
            description="label:N",
        ),
        *_gaps(base, y),
        _means(means, alt.X("mean:Q", scale=scale, axis=axis), y),
    ]
    chart = alt.layer(*layers, data=inline_data(rows)).properties(width=WIDTH, height=ROW_HEIGHT * len(names))
    chart = chart.resolve_scale(fill="independent", shape="independent")
    name = words.name("indicators", one["indicator_id"], one["title"])
    return drawing(chart, words("pillars.chart", title=name, unit=words.word("units", one["unit"])))


def status_text(cell: Row, words: Words) -> str:
    """Return the status of a cell, marked if it rests on few figures."""
    few = f" ({words('projections.few_points', count=cell['points'])})" if cell["is_on_few_points"] else ""
    return words.word("statuses", cell["sign"]) + few


def _gaps(base: alt.Chart, y: alt.Y) -> list[alt.Chart]:
    """Return the reasons of missing values as text, with a white outline where a target line crosses it."""
    words_in_plot: dict[str, Any] = {"align": "left", "dx": 2, "fontSize": 9.5, "limit": WIDTH}
    missing = base.transform_filter("!isValid(datum.latest_value)")
    return [
        missing.mark_text(stroke="white", strokeWidth=4, strokeJoin="round", aria=False, **words_in_plot).encode(
            x=alt.value(0), y=y, text="why:N"
        ),
        missing.mark_text(aria=True, **words_in_plot).encode(x=alt.value(0), y=y, text="why:N", description="label:N"),
    ]


def _means(means: Sequence[Row], x: alt.X, y: alt.Y) -> alt.Chart:
    """Return the means of groups as marks; ``means`` are rows of ``_group_rows``."""
    chart: alt.Chart = (
        alt.Chart(inline_data(means))
        .mark_point(**_GROUP_MARK)
        .encode(
            x=x,
            y=y,
            fill=alt.Fill("group:N", scale=_group_scale(GROUP_COLOURS), legend=None),
            shape=alt.Shape("group:N", scale=_group_scale(GROUP_SHAPES), legend=None),
            description="label:N",
        )
    )
    return chart


_GROUP_MARK: dict[str, Any] = {
    "size": 70,
    "filled": True,
    "stroke": INK,
    "strokeWidth": 0.8,
    "opacity": 1,
    "aria": True,
}


def _group_scale(marks: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(GROUPS), range=list(marks))


def _group_rows(groups: Sequence[Row], unit: str, words: Words) -> list[Row]:
    """Return the chart rows of the means of groups."""
    names = [words.name("groups", row["group_id"], row["group_title"]) for row in groups]
    return [
        {
            "name": name,
            "group": row["group_id"],
            "mean": row["value"],
            "label": words(
                "pillars.describe_mean", name=name, figure=words.with_unit(row["value"], unit), count=row["members"]
            ),
        }
        for name, row in zip(names, groups, strict=True)
    ]


_POSITIONS = ("baseline_value", "latest_value", "projection", "projection_low", "projection_high")


def _member_row(cell: Row, unit: str, words: Words) -> Row:
    """Return the chart row of one member: its values on the axis, the symbol of its status, and its label."""
    name = words.name("economies", cell["iso3"], cell["name"])
    reason = words.word("reasons", cell["status_reason"])
    label = words("pillars.describe_gap", name=name, reason=reason)
    if cell["latest_value"] is not None:
        label = words(
            "pillars.describe",
            name=name,
            latest=words.with_unit(cell["latest_value"], unit),
            year=year_of(cell, words),
            baseline=words.figure(cell["baseline_value"], unit),
            projection=words.figure(cell["projection"], unit),
            status=status_text(cell, words),
        )
    return {"name": name, "sign": cell["sign"], "why": reason, "label": label, **{at: cell[at] for at in _POSITIONS}}


def _targets(one: Row, scale: alt.Scale, axis: alt.Axis) -> list[alt.Chart]:
    """Return the target as a solid line, and a different pace target as a dashed line."""
    lines = []
    if one["target_value"] is not None:
        solid = alt.Chart().mark_rule(strokeWidth=2, color=INK, aria=False)
        lines.append(solid.encode(x=alt.XDatum(one["target_value"], scale=scale, axis=axis, type="quantitative")))
    if one["pace_target_value"] not in (None, one["target_value"]):
        dashed = alt.Chart().mark_rule(strokeWidth=1.5, strokeDash=[5, 3], color=INK, aria=False)
        lines.append(dashed.encode(x=alt.XDatum(one["pace_target_value"], scale=scale, axis=axis, type="quantitative")))
    return lines


def paths(one: Row, rows: Sequence[Row], names: Sequence[str], words: Words) -> Drawing:
    """Return one small chart per member: observations, path to the target, projection with its band; one scale for all.

    Args:
        one: The indicator.
        rows: Rows of ``path_data``.
        names: Names of the members in their order.
        words: The texts of the language.
    """
    scale: Row = {"zero": False, "type": "log" if one["transform"] == "log" else "linear"}
    y: Row = {"field": "value", "type": "quantitative", "scale": scale, "axis": {"title": None, "tickCount": 3}}
    x: Row = {
        "field": "year",
        "type": "quantitative",
        "scale": {"nice": False, "zero": False},
        "axis": {"title": None, "format": "d", "tickCount": 3, "grid": False, "labelOverlap": True, "labelFontSize": 9},
    }

    def at(field: str, **more: Any) -> Row:
        return {"x": x, "y": {**y, "field": field}, **more}

    def mark(kind: str, field: str, **style: Any) -> Row:
        valid = {"filter": f"isValid(datum.{field})"}
        return {"mark": {"type": kind, "aria": False, **style}, "encoding": at(field), "transform": [valid]}

    dots = mark("point", "observed", filled=True, size=16, color=INK, opacity=1)
    dots["mark"]["aria"] = True
    dots["encoding"] = at("observed", description={"field": "label"})
    band = mark("area", "low", color="#c9d3de")
    band["encoding"]["y2"] = {"field": "high"}
    layers = [
        band,
        mark("line", "path", color=MUTED, strokeWidth=1, strokeDash=[4, 2]),
        mark("line", "projection", color=MUTED, strokeWidth=1.4, strokeDash=[1.5, 1.5]),
        dots,
    ]
    if one["target_value"] is not None:
        target = {"datum": one["target_value"], "type": "quantitative", "scale": scale}
        layers.insert(1, {"mark": {"type": "rule", "color": INK, "aria": False}, "encoding": {"y": target}})
    head = {"title": None, "labelFontSize": 10.5, "labelPadding": 2, "labelFontWeight": "bold", "labelColor": INK}
    spec: Row = {
        "data": {"values": list(rows)},
        "facet": {"field": "name", "type": "nominal", "sort": list(names), "header": head},
        "columns": 3,
        "spacing": 10,
        "spec": {"width": 84, "height": 62, "layer": layers, "view": {"stroke": GRID}},
        "padding": 2,
    }
    return Drawing(words("paths.caption", title=_title(one, words)), spec)


def world(one: Row, values: Sequence[float], cells: Sequence[Row], groups: Sequence[Row], words: Words) -> Drawing:
    """Return where the members' latest values and the means of groups are among those of all economies.

    Args:
        one: The indicator.
        values: Latest value of every economy.
        cells: Rows of the members, in their order.
        groups: Rows of ``group_figures`` of this indicator.
        words: The texts of the language.
    """
    everyone = words("tool.economies", count=len(values))
    members = [_member_row(cell, one["unit"], words) for cell in cells if cell["latest_value"] is not None]
    means = _group_rows(groups, one["unit"], words)
    names = [everyone, *(row["name"] for row in (*members, *means))]
    is_log = one["transform"] == "log" and min(values) > 0
    axis = {"title": words.word("units", one["unit"]), "tickCount": 4, "labelOverlap": True}
    axis["format"] = "~s" if max(values) >= 1000 else "~f"
    scale = {"zero": False, "type": "log" if is_log else "linear"}
    x: Row = {"field": "latest_value", "type": "quantitative", "scale": scale, "axis": axis}
    rows = {"title": None, "ticks": False, "domain": False, "grid": True}
    y = {"field": "name", "type": "nominal", "sort": names, "scale": {"domain": names}, "axis": rows}
    ticks = [{"latest_value": float(f"{value:.4g}"), "name": everyone} for value in sorted(values)]
    rules = [
        {
            "data": {"values": ticks},
            "mark": {"type": "rule", "aria": False, "color": MUTED, "strokeDash": [1, 0] if at == "median" else [2, 2]},
            "encoding": {"x": {**x, "aggregate": at}},
        }
        for at in ("q1", "median", "q3")
    ]
    fill = {"field": "sign", "scale": {"domain": list(SIGNS), "range": list(COLOURS)}, "legend": None}
    shape = {"field": "sign", "scale": {"domain": list(SIGNS), "range": list(SHAPES)}, "legend": None}
    points = {
        "data": {"values": members},
        "mark": {
            "type": "point",
            "filled": True,
            "size": 80,
            "stroke": INK,
            "strokeWidth": 0.8,
            "opacity": 1,
            "aria": True,
        },
        "encoding": {"x": x, "y": y, "fill": fill, "shape": shape, "description": {"field": "label"}},
    }
    strip = {
        "data": {"values": ticks},
        "mark": {"type": "tick", "opacity": 0.45, "color": INK, "aria": False},
        "encoding": {"x": x, "y": y},
    }
    spec = {
        "layer": [*rules, strip, points, *_means_of_world(means, x, y)],
        "resolve": {"scale": {"fill": "independent", "shape": "independent"}},
        "width": WIDTH,
        "height": ROW_HEIGHT * len(names),
        "padding": 2,
    }
    return Drawing(words("tool.world_chart", title=_title(one, words)), spec)


def _means_of_world(means: Sequence[Row], x: Row, y: Row) -> list[Row]:
    """Return the layer with the means of groups, if there are any."""
    if not means:
        return []
    encoding = _means(means, alt.X("mean:Q"), alt.Y("name:N")).to_dict(validate=False)["encoding"]
    layer = {"data": {"values": list(means)}, "mark": {"type": "point", **_GROUP_MARK}}
    return [{**layer, "encoding": {**encoding, "x": {**x, "field": "mean"}, "y": y}}]


def _title(one: Row, words: Words) -> str:
    return words.name("indicators", one["indicator_id"], one["title"])
