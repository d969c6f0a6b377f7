"""World Bank Data360, the files: every series of the API as a CSV, without pages and without a list.

Belongs here: where the files lie and their two layouts. Does not belong here: cuts and units (``data360_rows``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import Inspection, Verdict, failed
from sources.observation import Areas
from sources.parsing.observations import (
    CSV_TYPES,
    Origin,
    Refusal,
    ask,
    csv_table,
    gather,
    kept,
    last_modified,
    raw_body,
    refuse,
    require,
    require_single,
    settle,
    usable,
)
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.data360_rows import OPTIONAL, REQUIRED, check_series, figures_of, spellings
from sources.providers.inspecting import BEGINNING, Head, by_alias, head_of, judged, oversize, unreadable

PUBLIC_BASE = "https://data360files.worldbank.org/data360-data/data"
LAYOUTS = ("", "_WIDEF")
"""What the names of files end in: one row a figure, or one row a country with a column a year."""
NO_SUCH_FILE = {400, 404}  # the store says 400 OutOfRangeInput to an address that leads nowhere


def parse(body: bytes) -> pl.DataFrame:
    """The rows of a file of either layout, with the API's columns, all text. Raises Refusal."""
    table = csv_table(body)
    long = {f"{name}_ID": name for name in (*REQUIRED, *OPTIONAL) if name not in table.columns}
    table = table.rename({name: long[name] for name in table.columns if name in long})  # as older files spell it
    years = [name for name in table.columns if re.fullmatch(r"\d{4}", name)]
    if years and "TIME_PERIOD" not in table.columns:
        require_single(table, years)
        others = [name for name in table.columns if name not in years]
        table = table.unpivot(years, index=others, variable_name="TIME_PERIOD", value_name="OBS_VALUE")
    require(table, REQUIRED)
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in OPTIONAL if name not in table.columns]
    return table.with_columns(absent).select(*REQUIRED, *OPTIONAL)


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request; requests for cuts of one series share its file. See ``sources.provider.Adapter``."""
    series: dict[tuple[str, ...], list[SeriesRequest]] = {}
    for request in requests:
        series.setdefault(tuple(_paths(request)), []).append(request)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        return gather(pool.map(lambda paths: _series(paths, series[paths], provider, areas, window, http), series))


def _paths(request: SeriesRequest) -> list[str]:
    """Where the series may lie: under each of its names, in each layout."""
    folder = quote(str(request.option("database")), safe="")
    return [f"{folder}/{quote(name, safe='')}{layout}.csv" for name in spellings(request) for layout in LAYOUTS]


def _series(
    paths: Sequence[str],
    requests: Sequence[SeriesRequest],
    provider: Provider,
    areas: Areas,
    window: Window,
    http: Http,
) -> Fetched:
    """Answer the requests for one series from the first of its possible files that there is."""
    replies: list[Reply] = []
    for path in paths:
        replies.append(ask(http, provider, path, accept=CSV_TYPES))
        if replies[-1].status not in NO_SUCH_FILE:
            break
    *missing, reply = replies
    absent = [raw_body(each, provider, Refusal("there is no such file")) for each in missing if each.content]

    def origin(_: SeriesRequest) -> Origin:
        return Origin(f"{PUBLIC_BASE}/{paths[len(missing)]}", last_modified(reply))

    def read(request: SeriesRequest) -> pl.DataFrame:
        return figures_of(rows, request, areas, window)

    try:
        rows = kept(parse(usable(reply, NO_SUCH_FILE)), raw_body(reply, provider).sha256)
    except Refusal as refusal:
        return gather([Fetched({}, absent), refuse(requests, refusal, origin, [reply], provider)])
    return gather([Fetched({}, absent), settle(requests, read, origin, [reply], provider, window)])


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series by the beginning of its file. See ``sources.inspection.Inspects``."""
    series: dict[tuple[str, ...], list[SeriesRequest]] = {}
    for request in requests:
        series.setdefault(tuple(_paths(request)), []).append(request)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        heads = dict(zip(series, pool.map(lambda paths: _head(paths, provider, http), series), strict=True))
    return {
        request: replace(_inspect(request, *heads[paths], provider, areas, window), url=heads[paths][1].reply.url)
        for paths, own in series.items()
        for request in own
    }


def _head(paths: Sequence[str], provider: Provider, http: Http) -> tuple[str, Head]:
    """The beginning of the first of a series' possible files that there is, with its path."""
    for path in paths:
        url = f"{str(provider.base_url).rstrip('/')}/{path}"
        head = head_of(http.get(url, accept=CSV_TYPES, headers=BEGINNING, **provider.limits))
        if head.reply.status not in NO_SUCH_FILE:
            break
    return path, head


def _inspect(
    request: SeriesRequest, path: str, head: Head, provider: Provider, areas: Areas, window: Window
) -> Inspection:
    """What the beginning of a file says of a link. What a part does not show is no fault of the link."""
    if head.reply.status in NO_SUCH_FILE:
        return Inspection(Verdict.GONE, f"there is no file {' or '.join(_paths(request))}")
    if fault := failed(head.reply) or oversize(head, provider):
        return fault
    try:
        rows = kept(parse(head.content), "")
        check_series(rows, request)
    except Refusal as refusal:
        return unreadable(refusal)
    found = judged(
        request,
        lambda asked: figures_of(rows, asked, areas, window),
        "unit_measure",
        rows["UNIT_MEASURE"].drop_nulls().unique().sort(),
    )
    if not head.whole and found.verdict is Verdict.NO_ROWS:
        found = Inspection(Verdict.OK, f"the first 64 KiB of {head.size or 0:,} bytes do not show the link's rows")
    file = path.rpartition("/")[2]
    name = next(
        name for name in spellings(request) for layout in LAYOUTS if file == f"{quote(name, safe='')}{layout}.csv"
    )
    return by_alias(found, request, name)
