"""World Bank Data360, the files: every series of the API as a CSV, without pages and without a list of indicators.

Cuts and units belong in ``data360_rows``, the API in ``data360``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import Inspection, Verdict, failed
from sources.observation import Areas
from sources.parsing.editions import release_of_files
from sources.parsing.observations import (
    NO_TEXT,
    Origin,
    build_answers,
    build_failed_answers,
    merge_fetched,
    with_raw_record,
)
from sources.parsing.responses import (
    BEGINNING,
    CSV_TYPES,
    UnusableResponse,
    code_and_aliases,
    get,
    group_requests,
    in_parallel,
    last_modified,
    raw_body,
    require_table,
)
from sources.parsing.tables import read_csv, require_columns, require_unique_columns
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.data360_rows import OPTIONAL, REQUIRED, check_series, observations_of
from sources.providers.inspecting import (
    FileHead,
    head_of,
    inspect_observations,
    note_alias,
    too_large,
    unreadable,
)
from sources.smoke_check import SmokeCheck

PUBLIC_BASE = "https://data360files.worldbank.org/data360-data/data"
LAYOUTS = ("", "_WIDEF")
"""Suffixes of file names: one row per observation, or one row per country with a column per year."""
NO_SUCH_FILE = {400, 404}  # the store answers 400 OutOfRangeInput for an address without a file


def parse(body: bytes) -> pl.DataFrame:
    """Return the rows of a file of either layout, with the API's columns, all text.

    Raises:
        UnusableResponse: If the file cannot be read, or lacks a column.
    """
    table = read_csv(body)
    long = {f"{name}_ID": name for name in (*REQUIRED, *OPTIONAL) if name not in table.columns}
    table = table.rename({name: long[name] for name in table.columns if name in long})  # names in older files
    years = [name for name in table.columns if re.fullmatch(r"\d{4}", name)]
    if years and "TIME_PERIOD" not in table.columns:
        require_unique_columns(table, years)
        others = [name for name in table.columns if name not in years]
        table = table.unpivot(years, index=others, variable_name="TIME_PERIOD", value_name="OBS_VALUE")
    require_columns(table, REQUIRED)
    absent = [NO_TEXT.alias(name) for name in OPTIONAL if name not in table.columns]
    return table.with_columns(absent).select(*REQUIRED, *OPTIONAL)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; requests for cuts of one series share its file.

    See ``sources.provider.Adapter``.
    """
    series = group_requests(requests, lambda one: tuple(_paths(one)))
    parts = in_parallel(provider, lambda paths: _series(paths, series[paths], provider, areas, window, http), series)
    return merge_fetched(parts.values())


def _paths(request: SeriesRequest) -> list[str]:
    """Return the possible paths of a series: for each of its codes, in each layout."""
    folder = quote(str(request.option("database")), safe="")
    return [f"{folder}/{quote(name, safe='')}{layout}.csv" for name in code_and_aliases(request) for layout in LAYOUTS]


def _series(
    paths: Sequence[str],
    requests: Sequence[SeriesRequest],
    provider: Provider,
    areas: Areas,
    window: Window,
    http: Http,
) -> Fetched:
    """Answer the requests for one series from the first of its possible files that exists."""
    replies: list[Reply] = []
    for path in paths:
        replies.append(get(http, provider, path, accept=CSV_TYPES))
        if replies[-1].status not in NO_SUCH_FILE:
            break
    *missing, reply = replies
    absent = [raw_body(each, provider, UnusableResponse("there is no such file")) for each in missing if each.content]

    def origin(_: SeriesRequest) -> Origin:
        return Origin(f"{PUBLIC_BASE}/{paths[len(missing)]}", last_modified(reply))

    def read(request: SeriesRequest) -> pl.DataFrame:
        return observations_of(rows, request, areas, window)

    try:
        rows = with_raw_record(parse(require_table(reply, NO_SUCH_FILE).content), raw_body(reply, provider).sha256)
    except UnusableResponse as error:
        return build_failed_answers(requests, error, origin, [reply], provider, absent)
    return build_answers(requests, read, origin, [reply], provider, window, absent)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series by the beginning of its file. See ``sources.inspection.Inspects``."""
    series = group_requests(requests, lambda one: tuple(_paths(one)))
    heads = in_parallel(provider, lambda paths: _head(paths, provider, http), series)
    return {
        request: replace(_inspect(request, *heads[paths], provider, areas, window), url=heads[paths][1].reply.url)
        for paths, own in series.items()
        for request in own
    }


def _head(paths: Sequence[str], provider: Provider, http: Http) -> tuple[str, FileHead]:
    """Return the beginning of the first of a series' possible files that exists, with its path."""
    for path in paths:
        head = head_of(get(http, provider, path, accept=CSV_TYPES, headers=BEGINNING))
        if head.reply.status not in NO_SUCH_FILE:
            break
    return path, head


def _inspect(
    request: SeriesRequest, path: str, head: FileHead, provider: Provider, areas: Areas, window: Window
) -> Inspection:
    """Return the result for a link from the beginning of its file. Rows may be in another part of the file."""
    if head.reply.status in NO_SUCH_FILE:
        return Inspection(Verdict.GONE, f"there is no file {' or '.join(_paths(request))}")
    if fault := failed(head.reply) or too_large(head, provider):
        return fault
    try:
        rows = with_raw_record(parse(head.content), "")
        check_series(rows, request)
    except UnusableResponse as error:
        return unreadable(error)
    result = inspect_observations(
        request,
        lambda one: observations_of(rows, one, areas, window),
        "unit_measure",
        rows["UNIT_MEASURE"].drop_nulls().unique().sort(),
    )
    if not head.is_whole and result.verdict is Verdict.NO_ROWS:
        result = Inspection(Verdict.OK, f"the first 64 KiB of {head.size or 0:,} bytes do not show the link's rows")
    file = path.rpartition("/")[2]
    name = next(
        name
        for name in code_and_aliases(request)
        for layout in LAYOUTS
        if file == f"{quote(name, safe='')}{layout}.csv"
    )
    return note_alias(result, request, name)


def release_group(request: SeriesRequest) -> str:
    """Return a key of the series: each has a file, and so a release, of its own."""
    return repr(request)


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the file of a series and its date. See ``sources.providers.ReportsRelease``."""
    paths = [f"{requests[0].option('database')}/{code}.csv" for code in code_and_aliases(requests[0])]
    return release_of_files(requests, paths, provider, http)


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    path = "ITU_GCI/ITU_GCI_GCI_OVRL_SCRE.csv"
    return [SmokeCheck("one series", path, lambda reply: f"{parse(reply.content).height} rows", accept=CSV_TYPES)]
