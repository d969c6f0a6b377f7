"""GitHub, Innovation Graph: one CSV file per measure, with one row per economy and quarter.

``code`` of a request is the measure, which is also the name of its file and column. Economies have ISO2 codes, and the
European Union is one of them. Quarterly figures become yearly ones by the rule of ``yearly``. What the figures are
divided by belongs in the catalogue; pairs of economies (``economy_collaborators``) are no series of an economy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection, missing
from sources.observation import Areas
from sources.parsing.editions import release_of_files
from sources.parsing.observations import (
    Origin,
    build_answers,
    build_failed_answers,
    merge_fetched,
    parse_observations,
)
from sources.parsing.responses import (
    CSV_TYPES,
    UnusableResponse,
    get,
    in_parallel,
    last_modified,
    raw_body,
    require_table,
)
from sources.parsing.tables import read_csv, require_columns
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import inspect_observations, inspect_reply
from sources.smoke_check import SmokeCheck, header_check

PUBLIC_BASE = "https://github.com/github/innovationgraph/blob/main/data"
FLOWS = ("git_pushes",)
"""Measures that count what happened in a quarter: a year is the sum of its four quarters."""
STOCKS = ("developers", "organizations", "repositories")
"""Measures that count what there is at the end of a quarter: a year is its fourth quarter."""
MEASURES = FLOWS + STOCKS
AREA, YEAR, QUARTER = KEYS = ("iso2_code", "year", "quarter")
QUARTERS = ("1", "2", "3", "4")


def parse(body: bytes, code: str) -> pl.DataFrame:
    """Return the file of a measure, all text. Raise UnusableResponse if it cannot be read."""
    rows = read_csv(body)
    require_columns(rows, (code, *KEYS))
    return rows


def yearly(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    """Return yearly figures of a quarterly measure.

    A flow is the sum of four quarters; a year that lacks one of them has no figure. A stock is that of the fourth
    quarter; a year without it has no figure. Equal rows count once.

    Args:
        rows: The file of a measure, all text.
        code: The measure.

    Returns:
        One row per economy and year of a flow, and per row of a fourth quarter of a stock: ``KEYS`` without the
        quarter, ``value`` as text, ``quarters`` (the figures used) and ``fault`` (why it cannot be used, else NULL).
    """
    quarterly = (
        rows.select(*KEYS, figure=pl.col(code).str.strip_chars())
        .filter(pl.col("figure").is_not_null() & (pl.col("figure") != ""))
        .unique(maintain_order=True)
        .with_columns(fault=_quarter_fault())
    )
    if code in STOCKS:
        return quarterly.filter(~pl.col(QUARTER).is_in(QUARTERS[:3]).fill_null(False)).select(
            AREA, YEAR, "fault", value="figure", quarters="figure"
        )
    number = pl.col("figure").cast(pl.Float64, strict=False)
    is_number = number.is_finite().fill_null(False) & (number >= 0)
    return (
        quarterly.with_columns(
            number=number, fault=pl.coalesce("fault", pl.when(~is_number).then(_message("figure", "is not a count")))
        )
        .group_by(AREA, YEAR, maintain_order=True)
        .agg(
            quarters=pl.col("figure").str.join(" + "),
            value=pl.col("number").sum().cast(pl.String),
            fault=pl.col("fault").drop_nulls().first(),
            rows=pl.len(),
            distinct=pl.col(QUARTER).n_unique(),
        )
        .with_columns(
            fault=pl.coalesce(
                "fault", pl.when(pl.col("rows") > pl.col("distinct")).then(pl.lit("a quarter has several values"))
            )
        )
        .filter(pl.col("fault").is_not_null() | (pl.col("distinct") == len(QUARTERS)))
        .select(AREA, YEAR, "fault", "value", "quarters")
    )


def _quarter_fault() -> pl.Expr:
    """Return why a row's quarter cannot be used, NULL if it can."""
    return pl.when(~pl.col(QUARTER).is_in(QUARTERS).fill_null(False)).then(_message(QUARTER, "is not a quarter"))


def _message(column: str, fault: str) -> pl.Expr:
    return pl.format("the value {} " + fault, pl.col(column).fill_null("(none)"))


def observations_of(rows: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the yearly observations of a measure, see ``yearly`` and ``parse_observations``."""
    return parse_observations(
        yearly(rows, code),
        areas,
        window,
        iso3=pl.col(AREA).replace(areas.iso2_to_iso3),
        period=YEAR,
        value="value",
        fault="fault",
        raw_sha256=raw_sha256,
    )


def newest_quarter(rows: pl.DataFrame) -> str | None:
    """Return the newest quarter of a file, such as "2025Q3"; None if it has none."""
    valid = rows.filter(pl.col(YEAR).str.contains(r"^\d{4}$") & pl.col(QUARTER).is_in(QUARTERS))
    return valid.select(pl.concat_str(YEAR, pl.lit("Q"), QUARTER).max()).item() if valid.height else None


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested measure, each from its own file. See ``sources.provider.Adapter``."""
    parts = in_parallel(provider, lambda request: _measure(request, provider, areas, window, http), requests)
    return merge_fetched(parts.values())


def _file(code: str) -> str:
    return f"{code}.csv"


def _measure(request: SeriesRequest, provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    code, origin = request.code, Origin(f"{PUBLIC_BASE}/{_file(request.code)}")
    if code not in MEASURES:
        error = UnusableResponse(f"there is no measure {code}; known are {', '.join(MEASURES)}", Outcome.UNKNOWN_ID)
        return build_failed_answers([request], error, lambda _: Origin(PUBLIC_BASE), [], provider)
    reply = get(http, provider, _file(code), accept=CSV_TYPES)
    try:
        rows = parse(require_table(reply, unknown_id={404}).content, code)
    except UnusableResponse as error:
        return build_failed_answers([request], error, lambda _: origin, [reply], provider)
    changed, quarter = last_modified(reply), newest_quarter(rows)
    release = f"Innovation Graph {quarter}" if quarter else "Innovation Graph"
    origin = origin._replace(release=f"{release}, file of {changed}" if changed else release)
    sha256 = raw_body(reply, provider).sha256
    return build_answers(
        [request],
        lambda _: observations_of(rows, code, sha256, areas, window),
        lambda _: origin,
        [reply],
        provider,
        window,
    )


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every measure by its file, which is small. See ``sources.inspection.Inspects``."""
    return in_parallel(provider, lambda request: _inspect(request, provider, areas, window, http), requests)


def _inspect(request: SeriesRequest, provider: Provider, areas: Areas, window: Window, http: Http) -> Inspection:
    if request.code not in MEASURES:
        return missing(request.code, "the Innovation Graph", MEASURES)

    def read(content: bytes) -> Inspection:
        rows = parse(content, request.code)
        return inspect_observations(request, lambda one: observations_of(rows, one.code, "", areas, window))

    return inspect_reply(get(http, provider, _file(request.code), accept=CSV_TYPES), read)


def release_group(request: SeriesRequest) -> str:
    """Return the measure: each has a file of its own."""
    return request.code


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the state of the file of one measure. See ``sources.providers.ReportsRelease``."""
    return release_of_files(requests, [_file(requests[0].code)], provider, http)


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [header_check(f"the head of {code}", _file(code), (code, *KEYS)) for code in MEASURES]
