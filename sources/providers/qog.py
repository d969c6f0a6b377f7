"""Quality of Government, standard time series: a compilation that mirrors the UN's e-government surveys.

Belongs here: the compilation's file, its names of columns and countries, and the year by which it dates surveys. Does
not belong here: the surveys themselves (``un_egov``).

The compilation dates a survey by the year before it, so one year is added. ``code`` of a request is the column.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http
from sources.inspection import Inspection
from sources.observation import Areas
from sources.parsing.editions import Edition, Files, from_newest
from sources.parsing.observations import CSV_TYPES, Refusal, csv_columns, judge, kept, require, require_single
from sources.provider import Fetched, SeriesRequest, Window
from sources.providers.inspecting import Kind, inspect_file
from sources.providers.un_egov import surveys

PUBLIC_BASE = "https://www.qogdata.pol.gu.se/data"
PROBED = 3
"""Releases that are asked for, from the January of the current year down."""
SHIFT = 1
WHO = ("ccodealp", "year")


def parse(body: Body, codes: Collection[str]) -> pl.DataFrame:
    """The columns ``ccodealp`` (ISO3), ``year`` and ``codes`` of the table, all text. Raises Refusal.

    The table has some two thousand columns; of ``codes`` those are left out that are not among them. Nothing in it says
    of which January it is.
    """
    rows = csv_columns(body, [*WHO, *codes])
    require(rows, WHO)
    return rows


def figures_of(rows: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one column under the years of the surveys, see ``figures.judge``. Raises Refusal."""
    if code not in rows.columns:
        raise Refusal(f"the column {code} is missing")
    require_single(rows, [code])
    asked = surveys(Window(0, window.last_year + SHIFT))
    survey = pl.col("year").cast(pl.Int32, strict=False) + SHIFT
    fault = pl.format("{} is no year of a survey: the file no longer dates them by the year before", survey)
    return judge(
        kept(rows.select(*WHO, code).filter(pl.col(code).is_not_null()), raw_sha256).select(
            pl.col("ccodealp").alias("iso3"),
            pl.coalesce(survey.cast(pl.String), "year").alias("period"),
            pl.col(code).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.when(survey.is_not_null() & ~survey.is_in(asked)).then(fault).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request from the newest release. See ``sources.provider.Adapter``."""

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        ((rows, sha256),) = editions.values()
        return figures_of(rows, request.code, sha256, areas, window)

    return from_newest(requests, _files(requests, window), read, provider, window, http)


def _files(requests: Sequence[SeriesRequest], window: Window) -> Files:
    codes = dict.fromkeys(request.code for request in requests)
    releases = range(window.last_year, window.last_year - PROBED, -1)
    paths = {year: f"qog_std_ts_jan{year % 100:02}.csv" for year in releases}
    return Files(PUBLIC_BASE, paths, CSV_TYPES, "Quality of Government, January", lambda body, _: parse(body, codes))


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every column by the head of the newest release. See ``sources.inspection.Inspects``."""
    kind = Kind(
        files=_files(requests, window),
        figures=lambda rows, request, _: figures_of(rows, request.code, "", areas, window),
        codes=lambda rows: set(rows.columns),
        in_header=True,
        head=lambda rows: require(rows, WHO),
        dated_by_edition=lambda _: False,
    )
    return inspect_file(requests, kind, provider, http)
