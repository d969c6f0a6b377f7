"""UNESCO Institute for Statistics, public data API: education, research and development.

Belongs here: how this API is asked, its release, its hints. Does not belong here: what is a figure (``figures``),
retries and limits (``http``).

Several series come with one call, of all geographical units. What the API does not know it passes over with HTTP 200
and a hint, so that a wrong code looks like a series without data.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, failed, missing
from sources.observation import Areas
from sources.parsing.observations import (
    Origin,
    Refusal,
    ask,
    document,
    gather,
    json_table,
    judge,
    kept,
    look_up,
    raw_body,
    refuse,
    settle,
    usable,
)
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import judged, unreadable

PUBLIC_BASE = "https://api.uis.unesco.org/api/public"
MAX_RECORDS = 100_000  # the API refuses to give more at once
GEO_UNITS = 462  # countries and groupings that a series can have a record of
UNKNOWN_INDICATOR = "UIS::HINT::001"
GROUPING = ":"
"""Stands in the name of UNESCO's own groupings ("SDG: World") and in no country's code."""


@dataclass(frozen=True)
class Records:
    """A body of ``/data/indicators``. ``rows`` has the fields as sent; ``unknown`` are codes the API does not know."""

    unknown: frozenset[str]
    rows: pl.DataFrame = field(repr=False)


def parse(body: bytes) -> Records:
    """Read the records of one call. Raises Refusal."""
    content = document(body)
    if not isinstance(content, dict):
        raise Refusal("not an answer of UNESCO: an object is expected")
    if "records" not in content:
        raise Refusal(f"the answer lacks the field 'records'; it has {', '.join(sorted(content)) or 'none'}")
    rows = json_table(content["records"], ("indicatorId", "geoUnit", "year", "value"), ("magnitude", "qualifier"))
    hints = content.get("hints")
    known = [hint for hint in hints if isinstance(hint, dict)] if isinstance(hints, list) else []
    said = [str(hint.get("message")) for hint in known if hint.get("code") == UNKNOWN_INDICATOR]
    return Records(frozenset(message.rpartition(", ")[2].strip() for message in said), rows)


def release_of(body: bytes) -> str:
    """The release that is current, as ``/versions/default`` names it. Raises Refusal."""
    content: Any = document(body)
    if not isinstance(content, dict) or not isinstance(content.get("version"), str):
        raise Refusal("the current release is not named: the field 'version' is missing")
    return str(content["version"])


def figures_of(records: Records, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one series, see ``figures.judge``. UNESCO's own groupings are left out."""
    own = records.rows.filter(pl.col("indicatorId") == code)
    rows = kept(own, raw_sha256).select(
        pl.col("geoUnit").alias("iso3"),
        pl.col("year").alias("period"),
        "value",
        pl.coalesce("qualifier", "magnitude").alias("obs_status"),
        pl.lit(None, dtype=pl.String).alias("fault"),
        "raw_record",
        "raw_sha256",
    )
    countries = rows.filter(~pl.col("iso3").str.contains(GROUPING, literal=True).fill_null(False))
    return judge(countries, areas, window)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request, several series in one call. See ``sources.provider.Adapter``."""
    if not requests:
        return Fetched({}, [])
    release, bodies = look_up(ask(http, provider, "versions/default"), release_of, provider)
    most = max(1, MAX_RECORDS // (GEO_UNITS * (window.last_year - window.first_year + 1)))
    batches = [requests[start : start + most] for start in range(0, len(requests), most)]
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        parts = pool.map(lambda batch: _batch(batch, provider, areas, window, http, release), batches)
        return gather([Fetched({}, bodies), *parts])


def _batch(
    requests: Sequence[SeriesRequest],
    provider: Provider,
    areas: Areas,
    window: Window,
    http: Http,
    release: str | None,
) -> Fetched:
    """Answer the requests of one call."""
    span: dict[str, str | int] = {"start": window.first_year, "end": window.last_year}
    pinned: dict[str, str | int] = {"version": release} if release else {}
    codes = urlencode([("indicator", request.code) for request in requests])
    reply = ask(http, provider, f"data/indicators?{codes}", {**span, **pinned})
    sha256 = raw_body(reply, provider).sha256

    def origin(request: SeriesRequest) -> Origin:
        query = urlencode({"indicator": request.code, **span})
        return Origin(f"{PUBLIC_BASE}/data/indicators?{query}", f"UIS {release}" if release else None)

    def read(request: SeriesRequest) -> pl.DataFrame:
        if request.code in records.unknown:
            raise Refusal(f"UNESCO does not know the indicator {request.code}", Outcome.UNKNOWN_ID)
        return figures_of(records, request.code, sha256, areas, window)

    try:
        records = parse(usable(reply))
        present = set(records.rows["indicatorId"].drop_nulls())
        if foreign := present - {request.code for request in requests}:
            raise Refusal(f"the answer has another indicator: {', '.join(sorted(foreign))}")
    except Refusal as refusal:
        return refuse(requests, refusal, origin, [reply], provider)
    return settle(requests, read, origin, [reply], provider, window)


def parse_codes(body: bytes) -> set[str]:
    """The codes of ``/definitions/indicators``, a list of objects. Raises Refusal."""
    content = document(body)
    if not isinstance(content, list) or not content:
        raise Refusal("not a list of indicators")
    return set(json_table(content, ("indicatorCode",))["indicatorCode"].drop_nulls())


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of indicators, then some members. See ``sources.inspection.Inspects``."""
    known, _ = look_up(ask(http, provider, "definitions/indicators"), parse_codes, provider)
    seen, taken = Window(FIRST_YEAR, window.last_year), {each.code for each in requests}

    def one(request: SeriesRequest) -> Inspection:
        if known is not None and request.code not in known:
            return missing(request.code, "the list of indicators", known, taken)
        return _inspect(request, provider, areas, seen, http)

    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return dict(zip(requests, pool.map(one, requests), strict=True))


def _inspect(request: SeriesRequest, provider: Provider, areas: Areas, window: Window, http: Http) -> Inspection:
    """One series of some members."""
    units = urlencode([("geoUnit", iso3) for iso3 in MEMBERS])
    query: dict[str, str | int] = {"indicator": request.code, "start": window.first_year, "end": window.last_year}
    reply = ask(http, provider, f"data/indicators?{units}", query)
    if fault := failed(reply):
        return fault
    try:
        records = parse(reply.content)
    except Refusal as refusal:
        return unreadable(refusal, reply.url)
    if request.code in records.unknown:
        return Inspection(Verdict.GONE, f"UNESCO does not know the indicator {request.code}", url=reply.url)
    found = judged(request, lambda asked: figures_of(records, asked.code, "", areas, window))
    return replace(found, url=reply.url)
