"""What the page carries for its scripts: the specifications of the charts, and the library that draws them.

Belongs here: choosing the rows of each chart, packing. Does not belong here: what a chart shows (``indicator_charts``),
queries (``data``), drawing in the browser (``assets/scripts``). Both parts are gzip in base64, which the browser
unpacks without a network.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from operator import itemgetter
from typing import Any

import vl_convert

from pipelines.report import charts, indicator_charts
from pipelines.report.chart_style import CONFIG, Drawing, format_locale
from pipelines.report.data import Report, Row, grouped, pick
from pipelines.texts.words import Words

_FEWEST = 12
"""Number of economies from which the distribution over the world is shown."""


def context(report: Report, names: Mapping[str, str], words: Words) -> dict[str, Any]:
    """Return the template values ``drawings`` (keys of the charts), ``packed_charts`` and ``packed_library``."""
    drawings = _drawings(report, names, words)
    content = {
        "charts": {key: {"title": one.title, "spec": one.spec} for key, one in drawings.items()},
        "config": CONFIG,
        "locale": format_locale(words),
    }
    packed = _packed(json.dumps(_rounded(content), ensure_ascii=False, separators=(",", ":"), default=str))
    return {"drawings": set(drawings), "packed_charts": packed, "packed_library": _library()}


def _drawings(report: Report, names: Mapping[str, str], words: Words) -> dict[str, Drawing]:
    ordered = sorted(names, key=names.__getitem__)
    order = [names[iso3] for iso3 in ordered]
    drawn: dict[str, Drawing] = {}
    for pillar in report.pillars:
        key = pillar["pillar_id"]
        scores = sorted(pick(report.pillar_scores, pillar_id=key), key=lambda row: ordered.index(row["iso3"]))
        if any(row["score"] is not None for row in scores):
            title = f"{words.name_of('pillars', pillar)}: {words('pillars.scores')}"
            drawn[key] = charts.pillar_scores(title, scores, pick(report.regions, pillar_id=key), words)
    paths = grouped(report.trajectories, "indicator_id")
    observed = grouped(report.member_observations, "indicator_id")
    groups = grouped(report.group_figures, "indicator_id")
    values = {key: [row["value"] for row in rows] for key, rows in grouped(report.world, "indicator_id").items()}
    for one in report.indicators:
        key = one["indicator_id"]
        cells = sorted(pick(report.cells, indicator_id=key), key=lambda row: ordered.index(row["iso3"]))
        drawn[key] = indicator_charts.indicator(one, cells, groups.get(key, []), words)
        rows = path_data(paths.get(key, []), observed.get(key, []), one["unit"], names, words)
        if rows:
            drawn[f"path:{key}"] = indicator_charts.paths(one, rows, order, words)
        if len(values.get(key, [])) >= _FEWEST:
            drawn[f"world:{key}"] = indicator_charts.world(one, values[key], cells, groups.get(key, []), words)
    return drawn


def path_data(
    paths: list[Row], observed: list[Row], unit: str, names: Mapping[str, str], words: Words
) -> list[dict[str, Any]]:
    """Return one row per member and year: the observation, the path, and the projection from the latest observation on.

    Args:
        paths: Rows of ``trajectories`` of one indicator.
        observed: All its observations of the members.
        unit: The unit of the figures.
        names: Name by ISO3 code.
        words: The texts of the language.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}

    def row(iso3: str, year: int) -> dict[str, Any]:
        return rows.setdefault((iso3, year), {"iso3": iso3, "name": names[iso3], "year": year})

    projected = {path["iso3"] for path in paths if path["projection"] is not None}
    last: dict[str, dict[str, Any]] = {}
    for one in sorted(observed, key=itemgetter("iso3", "year")):
        found = row(one["iso3"], one["year"])
        found["observed"] = one["value"]
        figure = words.with_unit(one["value"], unit)
        found["label"] = words("tool.observation", name=names[one["iso3"]], year=one["year"], figure=figure)
        last[one["iso3"]] = found
    for iso3 in projected & set(last):
        last[iso3] |= dict.fromkeys(("projection", "low", "high"), last[iso3]["observed"])
    for path in paths:
        found = row(path["iso3"], path["year"])
        found["path"] = path["path_value"]
        if path["projection"] is not None and path["year"] > last.get(path["iso3"], {"year": 0})["year"]:
            ends = {"projection": path["projection"], "low": path["projection_low"], "high": path["projection_high"]}
            found |= {key: value for key, value in ends.items() if value is not None}
    return [rows[key] for key in sorted(rows)]


def _rounded(value: Any) -> Any:
    """Return the content with six significant digits; the tables of the page have the exact figures."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _packed(text: str) -> str:
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


@cache
def _library() -> str:
    """Return Vega-Lite with Vega and its embedding, as one script of the installed version."""
    return _packed(re.sub(r"</(script)", r"<\\/\1", vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")))
