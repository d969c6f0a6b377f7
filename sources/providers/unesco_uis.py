"""UNESCO Institute for Statistics, public data API: education, research and development.

Several series come with one call, for all geographical units. The API skips codes that it does not know and answers
HTTP 200 with a hint, so that a wrong code looks like a series without data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import FIRST_YEAR, MEMBERS, Inspection, Verdict, missing
from sources.observation import Areas
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched, parse_observations
from sources.parsing.responses import UnusableResponse, get, in_parallel, raw_body, read_optional, require_content
from sources.parsing.tables import parse_json, rows_to_table
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import inspect_observations, inspect_reply
from sources.smoke_check import ContractViolation, SmokeCheck

PUBLIC_BASE = "https://api.uis.unesco.org/api/public"
MAX_RECORDS = 100_000  # the most that the API gives
GEO_UNITS = 462  # countries and groupings that a series can have a record of
UNKNOWN_INDICATOR = "UIS::HINT::001"
GROUPING = ":"
"""Part of the codes of UNESCO's own groupings ("SDG: World"), and of no country's code."""


@dataclass(frozen=True)
class UisRecords:
    """A body of ``/data/indicators``. ``rows`` has the fields as sent, ``unknown`` the codes without an indicator."""

    unknown: frozenset[str]
    rows: pl.DataFrame = field(repr=False)


def parse(body: bytes) -> UisRecords:
    """Return the records of one call. Raise UnusableResponse if the body has none."""
    content = parse_json(body)
    if not isinstance(content, dict):
        raise UnusableResponse("not an answer of UNESCO: an object is expected")
    if "records" not in content:
        raise UnusableResponse(f"the answer lacks the field 'records'; it has {', '.join(sorted(content)) or 'none'}")
    rows = rows_to_table(content["records"], ("indicatorId", "geoUnit", "year", "value"), ("magnitude", "qualifier"))
    hints = content.get("hints")
    known = [hint for hint in hints if isinstance(hint, dict)] if isinstance(hints, list) else []
    messages = [str(hint.get("message")) for hint in known if hint.get("code") == UNKNOWN_INDICATOR]
    return UisRecords(frozenset(message.rpartition(", ")[2].strip() for message in messages), rows)


def release_of(body: bytes) -> str:
    """Return the current release from ``/versions/default``. Raise UnusableResponse if it is not named."""
    content: Any = parse_json(body)
    if not isinstance(content, dict) or not isinstance(content.get("version"), str):
        raise UnusableResponse("the current release is not named: the field 'version' is missing")
    return str(content["version"])


def observations_of(records: UisRecords, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one series, without UNESCO's own groupings, see ``parse_observations``."""
    is_grouping = pl.col("geoUnit").str.contains(GROUPING, literal=True).fill_null(False)
    return parse_observations(
        records.rows.filter(pl.col("indicatorId") == code, ~is_grouping),
        areas,
        window,
        iso3="geoUnit",
        period="year",
        obs_status=pl.coalesce("qualifier", "magnitude"),
        raw_sha256=raw_sha256,
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series, several series in one call. See ``sources.provider.Adapter``."""
    if not requests:
        return Fetched({}, [])
    current, bodies = read_optional(get(http, provider, "versions/default"), release_of, provider)
    most = max(1, MAX_RECORDS // (GEO_UNITS * (window.last_year - window.first_year + 1)))
    batches = [tuple(requests[start : start + most]) for start in range(0, len(requests), most)]
    parts = in_parallel(provider, lambda batch: _batch(batch, provider, areas, window, http, current), batches)
    return merge_fetched([Fetched({}, bodies), *parts.values()])


def _batch(
    requests: Sequence[SeriesRequest],
    provider: Provider,
    areas: Areas,
    window: Window,
    http: Http,
    current: str | None,
) -> Fetched:
    """Answer the requests of one call; ``current`` is the release, None if it is unknown."""
    span: dict[str, str | int] = {"start": window.first_year, "end": window.last_year}
    pinned: dict[str, str | int] = {"version": current} if current else {}
    codes = urlencode([("indicator", request.code) for request in requests])
    reply = get(http, provider, f"data/indicators?{codes}", {**span, **pinned})
    sha256 = raw_body(reply, provider).sha256

    def origin(request: SeriesRequest) -> Origin:
        query = urlencode({"indicator": request.code, **span})
        return Origin(f"{PUBLIC_BASE}/data/indicators?{query}", f"UIS {current}" if current else None)

    def read(request: SeriesRequest) -> pl.DataFrame:
        if request.code in records.unknown:
            raise UnusableResponse(f"UNESCO does not know the indicator {request.code}", Outcome.UNKNOWN_ID)
        return observations_of(records, request.code, sha256, areas, window)

    try:
        records = parse(require_content(reply))
        present = set(records.rows["indicatorId"].drop_nulls())
        if foreign := present - {request.code for request in requests}:
            raise UnusableResponse(f"the answer has another indicator: {', '.join(sorted(foreign))}")
        if records.rows.height >= MAX_RECORDS:
            raise UnusableResponse(f"{MAX_RECORDS} records came, the most that the API gives: some may be missing")
    except UnusableResponse as error:
        return build_failed_answers(requests, error, origin, [reply], provider)
    return build_answers(requests, read, origin, [reply], provider, window)


def parse_codes(body: bytes) -> set[str]:
    """Return the codes of ``/definitions/indicators``. Raise UnusableResponse if the list cannot be read."""
    content = parse_json(body)
    if not isinstance(content, list) or not content:
        raise UnusableResponse("not a list of indicators")
    return set(rows_to_table(content, ("indicatorCode",))["indicatorCode"].drop_nulls())


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series: the list of indicators, then some members. See ``sources.inspection.Inspects``."""
    known, _ = read_optional(get(http, provider, "definitions/indicators"), parse_codes, provider)
    seen, taken = Window(FIRST_YEAR, window.last_year), {each.code for each in requests}

    def one(request: SeriesRequest) -> Inspection:
        if known is not None and request.code not in known:
            return missing(request.code, "the list of indicators", known, taken)
        return _inspect(request, provider, areas, seen, http)

    return in_parallel(provider, one, requests)


def _inspect(request: SeriesRequest, provider: Provider, areas: Areas, window: Window, http: Http) -> Inspection:
    """Inspect one series by the rows of some members."""
    units = urlencode([("geoUnit", iso3) for iso3 in MEMBERS])
    query: dict[str, str | int] = {"indicator": request.code, "start": window.first_year, "end": window.last_year}

    def read(content: bytes) -> Inspection:
        records = parse(content)
        if request.code in records.unknown:
            return Inspection(Verdict.GONE, f"UNESCO does not know the indicator {request.code}")
        return inspect_observations(request, lambda one: observations_of(records, one.code, "", areas, window))

    return inspect_reply(get(http, provider, f"data/indicators?{units}", query), read)


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the current release, which all series share. See ``sources.providers.ReportsRelease``."""
    return dict.fromkeys(requests, release_of(require_content(get(http, provider, "versions/default"))))


def smoke_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    query: dict[str, str | int] = {"geoUnit": "KAZ", "start": year - 6, "end": year}
    return [
        SmokeCheck("the release", "versions/default", lambda reply: release_of(reply.content)),
        SmokeCheck(
            "a series of one country",
            "data/indicators",
            lambda reply: f"{parse(reply.content).rows.height} rows",
            query | {"indicator": "GER.5T8"},
        ),
        SmokeCheck(
            "an indicator that does not exist",
            "data/indicators",
            _check_unknown,
            query | {"indicator": "NO.SUCH.CODE"},
        ),
    ]


def _check_unknown(reply: Reply) -> str:
    found = parse(reply.content)
    if not found.unknown:
        raise ContractViolation("a code that does not exist gets no hint: it would be taken for a series without data")
    return f"said to be unknown: {', '.join(sorted(found.unknown))}"
