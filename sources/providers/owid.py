"""Our World in Data: the table of a chart as CSV, and the chart's metadata.

``code`` of a request is the short name of a column. The option ``slug`` names the chart. The option ``unit`` has words,
separated by commas; the unit in the chart's metadata must contain one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched, parse_observations
from sources.parsing.responses import (
    CSV_TYPES,
    UnusableResponse,
    get,
    group_requests,
    in_parallel,
    last_modified,
    raw_body,
    read_optional,
    require_table,
)
from sources.parsing.tables import parse_json, read_csv, require_columns
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.inspecting import inspect_observations, unreadable
from sources.smoke_check import SmokeCheck, require_name

PUBLIC_BASE = "https://ourworldindata.org/grapher"
TABLE: dict[str, str | int] = {"v": 1, "csvType": "full", "useColumnShortNames": "true"}
CHARTS = {
    "share-of-individuals-using-the-internet": "it_net_user_zs",
    "population-covered-by-mobile-network-by-network-capability": "_9_c_1__it_mob_4gntwk",
}
"""Chart -> a column that the catalogue requests from it, for the smoke checks."""
ISO3 = {"OWID_WRL": "WLD", "OWID_KOS": "XKX"}
OWN_AREA = "_"
"""Part of the codes that Our World in Data defines itself ("OWID_EUR"), and of no country's code."""


def parse(body: bytes) -> pl.DataFrame:
    """Return the table of a chart: ``entity``, ``code``, ``year`` and the chart's columns, all text.

    Raises:
        UnusableResponse: If the table cannot be read, or has no country's code.
    """
    table = read_csv(body)
    table = table.rename({name: name.lower() for name in table.columns if name in ("Entity", "Code", "Year")})
    require_columns(table, ("entity", "code", "year"))
    if not table["code"].str.contains("^[A-Z]{3}$").any():
        raise UnusableResponse("no country's code is in the table")
    return table


def parse_metadata(body: bytes) -> dict[str, dict[str, Any]]:
    """Return short name of a column -> its metadata. Raise UnusableResponse if there are none."""
    content = parse_json(body)
    columns = content.get("columns") if isinstance(content, dict) else None
    if not isinstance(columns, dict):
        raise UnusableResponse("the metadata lack the field 'columns'")
    return {str(each.get("shortName", name)): each for name, each in columns.items() if isinstance(each, dict)}


def observations_of(table: pl.DataFrame, column: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one column, without groupings of Our World in Data, see ``parse_observations``.

    Raises:
        UnusableResponse: If the column is missing.
    """
    require_columns(table, (column,))
    iso3 = pl.col("code").replace(ISO3)
    return parse_observations(
        table.select("entity", "code", "year", column).filter(~iso3.str.contains(OWN_AREA, literal=True)),
        areas,
        window,
        iso3=iso3,
        period="year",
        value=column,
        raw_sha256=raw_sha256,
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; columns of one chart share its download.

    See ``sources.provider.Adapter``.
    """
    charts = group_requests(requests, _slug)
    parts = in_parallel(provider, lambda slug: _chart(slug, charts[slug], provider, areas, window, http), charts)
    return merge_fetched(parts.values())


def _slug(request: SeriesRequest) -> str:
    return str(request.option("slug"))


def _chart(
    slug: str, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    """Answer the requests for columns of one chart."""
    columns, bodies = read_optional(get(http, provider, f"{slug}.metadata.json"), parse_metadata, provider)
    reply = get(http, provider, f"{slug}.csv", TABLE, CSV_TYPES)
    sha256 = raw_body(reply, provider).sha256

    def stated(request: SeriesRequest) -> dict[str, Any]:
        return (columns or {}).get(request.code, {})

    def origin(request: SeriesRequest) -> Origin:
        updated = stated(request).get("lastUpdated") or last_modified(reply)
        return Origin(f"{PUBLIC_BASE}/{slug}", f"Our World in Data {updated}" if updated else None)

    def read(request: SeriesRequest) -> pl.DataFrame:
        if fault := _unit_fault(request, columns or {}):
            raise UnusableResponse(fault)
        return observations_of(table, request.code, sha256, areas, window)

    try:
        table = parse(require_table(reply, unknown_id={404}).content)
    except UnusableResponse as error:
        return build_failed_answers(requests, error, origin, [reply], provider, bodies)
    return build_answers(requests, read, origin, [reply], provider, window, bodies)


def _unit_fault(request: SeriesRequest, columns: dict[str, dict[str, Any]]) -> str | None:
    """Return why the unit in a chart's metadata is wrong, None if it is right or not stated."""
    unit, words = str(columns.get(request.code, {}).get("unit") or ""), str(request.option("unit", ""))
    if not unit or any(word in unit.lower() for word in words.split(",")):
        return None
    return f"the chart gives the unit as {unit}, not as {words.replace(',', ' or ')}"


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series by its chart's metadata and some members. See ``sources.inspection.Inspects``."""
    charts = group_requests(requests, _slug)
    seen = Window(FIRST_YEAR, window.last_year)
    found = in_parallel(provider, lambda slug: _inspect(slug, charts[slug], provider, areas, seen, http), charts)
    return {request: each for chart in found.values() for request, each in chart.items()}


def _inspect(
    slug: str, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the columns of one chart, by its metadata or, if they cannot be read, by its table."""
    columns, _ = read_optional(get(http, provider, f"{slug}.metadata.json"), parse_metadata, provider)
    query: dict[str, str | int] = {**TABLE, "csvType": "filtered", "country": "~".join(MEMBERS)}
    reply = get(http, provider, f"{slug}.csv", query, CSV_TYPES)
    if fault := failed(reply):
        return dict.fromkeys(requests, fault)
    try:
        table = parse(reply.content)
    except UnusableResponse as error:
        return dict.fromkeys(requests, unreadable(error, reply.url))

    def inspect_column(request: SeriesRequest) -> Inspection:
        known = set(columns or table.columns)
        if request.code not in known:
            return missing(request.code, f"the chart {slug}", known, {each.code for each in requests})
        if fault := _unit_fault(request, columns or {}):
            return Inspection(Verdict.UNIT, fault)
        return inspect_observations(request, lambda one: observations_of(table, one.code, "", areas, window))

    return {request: replace(inspect_column(request), url=reply.url) for request in requests}


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [
        SmokeCheck(f"the columns of {chart}", f"{chart}.metadata.json", partial(_check_column, column))
        for chart, column in CHARTS.items()
    ]


def _check_column(column: str, reply: Reply) -> str:
    return require_name(parse_metadata(reply.content), column)
