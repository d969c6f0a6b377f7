"""Our World in Data: the table behind a chart, as CSV, and the chart's metadata.

Belongs here: how a chart is asked for and which of its columns a request means. Does not belong here: what is a figure
(``figures``), retries and limits (``http``).

``code`` of a request is the short name of a column; the option ``slug`` names the chart, ``unit`` the words, with
commas between, of which the unit in the chart's metadata has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing.observations import (
    CSV_TYPES,
    Origin,
    Refusal,
    ask,
    csv_table,
    document,
    gather,
    judge,
    kept,
    last_modified,
    look_up,
    raw_body,
    refuse,
    require,
    settle,
    usable,
)
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.inspecting import judged, unreadable

PUBLIC_BASE = "https://ourworldindata.org/grapher"
TABLE: dict[str, str | int] = {"v": 1, "csvType": "full", "useColumnShortNames": "true"}
ISO3 = {"OWID_WRL": "WLD", "OWID_KOS": "XKX"}
OWN_AREA = "_"
"""Stands in every code that Our World in Data made for itself ("OWID_EUR") and in no country's."""


def parse(body: bytes) -> pl.DataFrame:
    """The table of a chart: ``entity``, ``code``, ``year`` and the chart's columns, all text. Raises Refusal."""
    table = csv_table(body)
    table = table.rename({name: name.lower() for name in table.columns if name in ("Entity", "Code", "Year")})
    require(table, ("entity", "code", "year"))
    if not table["code"].str.contains("^[A-Z]{3}$").any():
        raise Refusal("no country's code stands in the table")
    return table


def parse_metadata(body: bytes) -> dict[str, dict[str, Any]]:
    """Short name of a column -> what the chart's metadata say of it. Raises Refusal."""
    content = document(body)
    columns = content.get("columns") if isinstance(content, dict) else None
    if not isinstance(columns, dict):
        raise Refusal("the metadata lack the field 'columns'")
    return {str(each.get("shortName", name)): each for name, each in columns.items() if isinstance(each, dict)}


def figures_of(table: pl.DataFrame, column: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one column, see ``figures.judge``. Groupings of Our World in Data are left out. Raises Refusal."""
    require(table, (column,))
    code = pl.col("code")
    rows = kept(table.select("entity", "code", "year", column), raw_sha256).select(
        code.replace(ISO3).alias("iso3"),
        pl.col("year").alias("period"),
        pl.col(column).alias("value"),
        pl.lit(None, dtype=pl.String).alias("obs_status"),
        pl.lit(None, dtype=pl.String).alias("fault"),
        "raw_record",
        "raw_sha256",
    )
    return judge(rows.filter(~pl.col("iso3").str.contains(OWN_AREA, literal=True)), areas, window)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request; columns of one chart share its download. See ``sources.provider.Adapter``."""
    charts: dict[str, list[SeriesRequest]] = {}
    for request in requests:
        charts.setdefault(str(request.option("slug")), []).append(request)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return gather(pool.map(lambda slug: _chart(slug, charts[slug], provider, areas, window, http), charts))


def _chart(
    slug: str, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    """Answer the requests for columns of one chart."""
    columns, bodies = look_up(ask(http, provider, f"{slug}.metadata.json"), parse_metadata, provider)
    reply = ask(http, provider, f"{slug}.csv", TABLE, CSV_TYPES)
    sha256 = raw_body(reply, provider).sha256

    def stated(request: SeriesRequest) -> dict[str, Any]:
        return (columns or {}).get(request.code, {})

    def origin(request: SeriesRequest) -> Origin:
        updated = stated(request).get("lastUpdated") or last_modified(reply)
        return Origin(f"{PUBLIC_BASE}/{slug}", f"Our World in Data {updated}" if updated else None)

    def read(request: SeriesRequest) -> pl.DataFrame:
        if fault := _unit_fault(request, columns or {}):
            raise Refusal(fault)
        return figures_of(table, request.code, sha256, areas, window)

    try:
        table = parse(usable(reply, wrong_id={404}))
    except Refusal as refusal:
        return gather([Fetched({}, bodies), refuse(requests, refusal, origin, [reply], provider)])
    return gather([Fetched({}, bodies), settle(requests, read, origin, [reply], provider, window)])


def _unit_fault(request: SeriesRequest, columns: dict[str, dict[str, Any]]) -> str | None:
    """Why the unit in a chart's metadata is not the one asked for; None where it is, or is not stated."""
    unit, words = str(columns.get(request.code, {}).get("unit") or ""), str(request.option("unit", ""))
    if not unit or any(word in unit.lower() for word in words.split(",")):
        return None
    return f"the chart gives the unit as {unit}, not as {words.replace(',', ' or ')}"


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series by its chart's metadata and some members. See ``sources.inspection.Inspects``."""
    charts: dict[str, list[SeriesRequest]] = {}
    for request in requests:
        charts.setdefault(str(request.option("slug")), []).append(request)
    seen = Window(FIRST_YEAR, window.last_year)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        found = pool.map(lambda slug: _inspect(slug, charts[slug], provider, areas, seen, http), charts)
        return {request: each for chart in found for request, each in chart.items()}


def _inspect(
    slug: str, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the columns of one chart; the table has them where the metadata cannot be had."""
    columns, _ = look_up(ask(http, provider, f"{slug}.metadata.json"), parse_metadata, provider)
    query: dict[str, str | int] = {**TABLE, "csvType": "filtered", "country": "~".join(MEMBERS)}
    reply = ask(http, provider, f"{slug}.csv", query, CSV_TYPES)
    if fault := failed(reply):
        return dict.fromkeys(requests, fault)
    try:
        table = parse(reply.content)
    except Refusal as refusal:
        return dict.fromkeys(requests, unreadable(refusal, reply.url))

    def one(request: SeriesRequest) -> Inspection:
        known = set(columns or table.columns)
        if request.code not in known:
            return missing(request.code, f"the chart {slug}", known, {each.code for each in requests})
        if fault := _unit_fault(request, columns or {}):
            return Inspection(Verdict.UNIT, fault)
        return judged(request, lambda asked: figures_of(table, asked.code, "", areas, window))

    return {request: replace(one(request), url=reply.url) for request in requests}
