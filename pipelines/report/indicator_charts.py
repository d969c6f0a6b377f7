"""The charts of one indicator as Vega-Lite specifications, which the page draws when they come into view.

Belongs here: what a chart of an indicator shows. Does not belong here: charts that are drawn as SVG when the page is
written (``charts``), style (``chart_style``), the file they are embedded in (``embedded``). Members are in one order in
every chart. Every mark has its figures as a label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
)
from pipelines.report.data import Row
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
    is_log = one["transform"] == "log"
    rows = [_member_row(cell, one["unit"], words) for cell in cells]
    means = _group_rows(groups, one["unit"], words)
    values = [row[key] for row in rows for key in _POSITIONS if row[key] is not None]
    values += [mean["mean"] for mean in means]
    targets = [one[key] for key in ("target_value", "pace_target_value") if one[key] is not None]
    domain = [min([*values, *targets]), max([*values, *targets])]
    if not is_log and one["valid_min"] is not None and domain[0] >= 0:
        domain[0] = min(domain[0], 0)
    names = [row["name"] for row in (*rows, *means)]
    unit = words.word("units", one["unit"])
    x: Row = {
        "type": "quantitative",
        "scale": {"type": "log" if is_log else "linear", "domain": domain, "nice": True, "zero": False},
        "axis": {
            "title": unit + (f", {words('pillars.log')}" if is_log else ""),
            "tickCount": 4,
            "format": "~s" if domain[1] >= 1000 else "~f",
            "labelOverlap": True,
        },
    }
    y = _names_axis(names)
    y["axis"] = {**y["axis"], "labelPadding": 4}
    spec = {
        "data": {"values": rows},
        "layer": [*_projection_layers(x, y), *_targets(one, x), *_points(x, y), *_gaps(y), *_means(means, x, y)],
        "resolve": _SEPARATE,
        "width": WIDTH,
        "height": ROW_HEIGHT * len(names),
        "padding": 2,
    }
    return Drawing(words("pillars.chart", title=_title(one, words), unit=unit), spec)


def _where_valid(field: str, mark: Row, encoding: Row) -> Row:
    """Return the layer of the rows in which a field has a value."""
    return {"transform": [{"filter": f"isValid(datum.{field})"}], "mark": mark, "encoding": encoding}


def _projection_layers(x: Row, y: Row) -> list[Row]:
    """Return the layers below the points of the members.

    These are a band for the interval of the projection, a line from the baseline to the latest value, and a dashed line
    from there to the projection.
    """

    def rule(valid: str, start: str, end: str, **style: Any) -> Row:
        encoding = {"x": {**x, "field": start}, "x2": {"field": end}, "y": y}
        return _where_valid(valid, {"type": "rule", "aria": False, **style}, encoding)

    return [
        rule("projection_low", "projection_low", "projection_high", strokeWidth=5, color="#c9d3de", strokeCap="butt"),
        rule("baseline_value", "baseline_value", "latest_value", strokeWidth=2, color=MUTED),
        rule("projection", "latest_value", "projection", strokeWidth=1.5, strokeDash=[3, 2], color=MUTED),
    ]


def _points(x: Row, y: Row) -> list[Row]:
    """Return the marks of the members: baseline, projection, and the latest value with the symbol of its status."""

    def point(field: str, style: Row, **more: Row) -> Row:
        encoding = {"x": {**x, "field": field}, "y": y, **more}
        return _where_valid(field, {"type": "point", "aria": False, "opacity": 1, **style}, encoding)

    baseline = {"shape": "circle", "size": 26, "filled": True, "fill": "white", "stroke": MUTED}
    projection = {"shape": "stroke", "size": 60, "angle": 90, "stroke": MUTED, "strokeWidth": 2}
    return [
        point("baseline_value", baseline),
        point("projection", projection),
        point("latest_value", _MEMBER_MARK, description={"field": "label"}, **_BY_SIGN),
    ]


def status_text(cell: Row, words: Words) -> str:
    """Return the status of a cell, marked if it rests on few figures."""
    few = f" ({words('projections.few_points', count=cell['points'])})" if cell["is_on_few_points"] else ""
    return words.word("statuses", cell["sign"]) + few


def _gaps(y: Row) -> list[Row]:
    """Return the reasons of missing values as text, with a white outline where a target line crosses it."""
    outline = {"stroke": "white", "strokeWidth": 4, "strokeJoin": "round", "aria": False}
    encoding = {"x": {"value": 0}, "y": y, "text": {"field": "why"}, "description": {"field": "label"}}
    return [
        {
            "transform": [{"filter": "!isValid(datum.latest_value)"}],
            "mark": {"type": "text", "align": "left", "dx": 2, "fontSize": 9.5, "limit": WIDTH, **style},
            "encoding": encoding,
        }
        for style in (outline, {"aria": True})
    ]


def _means(means: Sequence[Row], x: Row, y: Row) -> list[Row]:
    """Return the layer with the means of groups, if there are any; ``means`` are rows of ``_group_rows``."""
    if not means:
        return []
    marks = _marks_of("group", GROUPS, GROUP_COLOURS, GROUP_SHAPES)
    encoding = {"x": {**x, "field": "mean"}, "y": y, "description": {"field": "label"}, **marks}
    mark = {"type": "point", **_MEMBER_MARK, "size": 70, "opacity": 1}
    return [{"data": {"values": list(means)}, "mark": mark, "encoding": encoding}]


def _names_axis(names: Sequence[str]) -> Row:
    """Return the axis of the members' names in their order."""
    axis = {"title": None, "ticks": False, "domain": False, "grid": True}
    return {"field": "name", "type": "nominal", "sort": names, "scale": {"domain": names}, "axis": axis}


def _marks_of(field: str, values: Sequence[str], colours: Sequence[str], shapes: Sequence[str]) -> Row:
    """Return the encoding of a field by colour and shape, without a legend: the page has one for all charts."""
    return {
        channel: {"field": field, "scale": {"domain": list(values), "range": list(marks)}, "legend": None}
        for channel, marks in (("fill", colours), ("shape", shapes))
    }


_BY_SIGN = _marks_of("sign", list(SIGNS), COLOURS, SHAPES)
_MEMBER_MARK: Row = {"size": 80, "filled": True, "stroke": INK, "strokeWidth": 0.8, "aria": True}
_SEPARATE: Row = {"scale": {"fill": "independent", "shape": "independent"}}


def _group_rows(groups: Sequence[Row], unit: str, words: Words) -> list[Row]:
    """Return the chart rows of the means of groups."""
    names = [words.name_of("groups", row) for row in groups]
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
    name = words.name_of("economies", cell)
    reason = words.word("reasons", cell["status_reason"])
    label = words("pillars.describe_gap", name=name, reason=reason)
    if cell["latest_value"] is not None:
        label = words(
            "pillars.describe",
            name=name,
            latest=words.with_unit(cell["latest_value"], unit),
            year=words.year_of(cell),
            baseline=words.figure(cell["baseline_value"], unit),
            projection=words.figure(cell["projection"], unit),
            status=status_text(cell, words),
        )
    return {"name": name, "sign": cell["sign"], "why": reason, "label": label, **{at: cell[at] for at in _POSITIONS}}


def _targets(one: Row, x: Row) -> list[Row]:
    """Return the target as a solid line, and a different pace target as a dashed line."""
    dashed: Row = {"strokeWidth": 1.5, "strokeDash": [5, 3]}
    lines: list[tuple[float | None, Row]] = [(one["target_value"], {"strokeWidth": 2})]
    if one["pace_target_value"] != one["target_value"]:
        lines.append((one["pace_target_value"], dashed))
    return [
        {"mark": {"type": "rule", "aria": False, "color": INK, **style}, "encoding": {"x": {**x, "datum": value}}}
        for value, style in lines
        if value is not None
    ]


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
    y = _names_axis(names)
    ticks = [{"latest_value": float(f"{value:.4g}"), "name": everyone} for value in sorted(values)]
    rules = [
        {
            "data": {"values": ticks},
            "mark": {"type": "rule", "aria": False, "color": MUTED, "strokeDash": [1, 0] if at == "median" else [2, 2]},
            "encoding": {"x": {**x, "aggregate": at}},
        }
        for at in ("q1", "median", "q3")
    ]
    points = {
        "data": {"values": members},
        "mark": {"type": "point", "opacity": 1, **_MEMBER_MARK},
        "encoding": {"x": x, "y": y, "description": {"field": "label"}, **_BY_SIGN},
    }
    strip = {
        "data": {"values": ticks},
        "mark": {"type": "tick", "opacity": 0.45, "color": INK, "aria": False},
        "encoding": {"x": x, "y": y},
    }
    spec = {
        "layer": [*rules, strip, points, *_means(means, x, y)],
        "resolve": _SEPARATE,
        "width": WIDTH,
        "height": ROW_HEIGHT * len(names),
        "padding": 2,
    }
    return Drawing(words("tool.world_chart", title=_title(one, words)), spec)


def _title(one: Row, words: Words) -> str:
    return words.name_of("indicators", one)
