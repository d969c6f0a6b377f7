"""World Bank Data360, the files: every series of the API as a CSV, without pages and without a list.

Belongs here: where the files lie and their two layouts. Does not belong here: cuts and units (``data360_rows``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import polars as pl

from sources.catalogue import Provider
from sources.http import Http, Reply
from sources.observation import Areas
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.data360_rows import OPTIONAL, REQUIRED, figures_of, spellings
from sources.providers.figures import (
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
