"""Quality of Government, standard time series: a compilation that has the UN's e-government surveys.

``code`` of a request is the column. The compilation dates a survey by the year before it, so that one year is added.
The surveys themselves belong in ``un_egov``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from sources.http.bodies import Body
from sources.observation import Areas
from sources.parsing.editions import EditionFiles, newest_years
from sources.parsing.observations import parse_observations
from sources.parsing.responses import CSV_TYPES, UnusableResponse
from sources.parsing.tables import read_csv_columns, require_columns, require_unique_columns
from sources.provider import SeriesRequest, Window
from sources.providers.inspecting import FileInspection, NewestEdition
from sources.providers.un_egov import surveys
from sources.smoke_check import SmokeCheck, header_check

PUBLIC_BASE = "https://www.qogdata.pol.gu.se/data"
FETCHED = 3
"""Number of releases looked for, from the January of the current year down."""
SHIFT = 1
KEYS = ("ccodealp", "year")


def parse(body: Body, codes: Collection[str]) -> pl.DataFrame:
    """Return the columns ``ccodealp`` (ISO3), ``year`` and those of ``codes`` that the table has, all text.

    The table has about two thousand columns. Nothing in it states its edition.

    Raises:
        UnusableResponse: If the table cannot be read.
    """
    rows = read_csv_columns(body, [*KEYS, *codes])
    require_columns(rows, KEYS)
    return rows


def observations_of(rows: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one column, dated by the year of the survey, see ``parse_observations``.

    Raises:
        UnusableResponse: If the column is missing, or is there twice with different values.
    """
    if code not in rows.columns:
        raise UnusableResponse(f"the column {code} is missing")
    require_unique_columns(rows, [code])
    known = surveys(Window(0, window.last_year + SHIFT))
    survey = pl.col("year").cast(pl.Int32, strict=False) + SHIFT
    fault = pl.format("{} is no year of a survey: the file no longer dates them by the year before", survey)
    return parse_observations(
        rows.select(*KEYS, code).filter(pl.col(code).is_not_null()),
        areas,
        window,
        iso3="ccodealp",
        period=pl.coalesce(survey.cast(pl.String), "year"),
        value=code,
        fault=pl.when(survey.is_not_null() & ~survey.is_in(known)).then(fault),
        raw_sha256=raw_sha256,
    )


def _file(year: int) -> str:
    return f"qog_std_ts_jan{year % 100:02}.csv"


def _files(requests: Sequence[SeriesRequest], areas: Areas, window: Window) -> EditionFiles:
    codes = dict.fromkeys(request.code for request in requests)
    return EditionFiles(
        PUBLIC_BASE,
        {year: _file(year) for year in newest_years(window.last_year, FETCHED)},
        CSV_TYPES,
        "Quality of Government, January",
        lambda body, _: parse(body, codes),
        lambda rows, request, _, sha256: observations_of(rows, request.code, sha256, areas, window),
    )


_ADAPTER = NewestEdition(
    _files,
    FileInspection(
        codes=lambda rows: set(rows.columns),
        in_header=True,
        head=lambda rows: require_columns(rows, KEYS),
        dated_by_edition=lambda _: False,
    ),
)
fetch, inspect = _ADAPTER.fetch, _ADAPTER.inspect


def smoke_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [header_check(f"the head of January {year}'s table", _file(year), (*KEYS, "egov_egov"))]
