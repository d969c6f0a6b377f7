"""ITU, ICT Price Baskets: the yearly workbook with every basket of every economy.

Belongs here: where the workbook lies, its sheet, and that a basket is one series whatever ITU calls official. Does not
belong here: how a workbook is opened (``workbook``), what is a figure (``figures``).

``code`` of a request is the basket's; the option ``unit`` is that of its rows (GNIpc, PPP, USD). Baskets with other
allowances have other codes and are never joined, also not where one follows the other as ITU's official basket. The
option ``aliases`` names the codes of the basket in other editions, with commas between. Some editions give the baskets
that followed each other as one series: ``first_year`` is the first year that is of this basket.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection
from sources.observation import Areas
from sources.parsing.country_names import OLDER_CODES
from sources.parsing.editions import Edition, Files, from_newest, whole
from sources.parsing.observations import Refusal, codes_of, judge, kept
from sources.parsing.workbook import XLSX_TYPES, open_workbook, rows_of, table
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.data360_rows import spellings
from sources.providers.inspecting import Kind, inspect_file

PUBLIC_BASE = "https://www.itu.int/en/ITU-D/Statistics/Documents/ICT_Prices"
PROBED = 4
"""Releases that are asked for, from the current year down."""
SHEET = re.compile(r"economies_\d{4}-(\d{4})")
ROW = {"IsoCode": (), "Code": (), "Unit": ()}
NO_VALUE = "NA"


def parse(body: bytes, release: int) -> pl.DataFrame:
    """Every cell of the sheet of economies: ``IsoCode``, ``Code``, ``Unit``, ``year``, ``value``, all text.

    Raises Refusal, also where the sheet ends in another year than the release.
    """
    workbook = open_workbook(body)
    sheets = [name for name in workbook.sheet_names if (of := SHEET.fullmatch(name)) and int(of[1]) <= release]
    sheet = max(sheets, default=f"economies_2008-{release}")
    rows = table(rows_of(workbook, sheet), ROW)
    years = [name for name in rows.columns if re.fullmatch(r"\d{4}", name)]
    if str(release) not in years or max(years) != str(release):
        raise Refusal(f"the sheet {sheet} ends in {max(years, default='no year')}, not in {release}")
    return rows.select(*ROW, *years).unpivot(years, index=list(ROW), variable_name="year", value_name="value")


def figures_of(
    rows: pl.DataFrame, request: SeriesRequest, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """The figures of one basket, see ``figures.judge``. Raises Refusal, also where the unit is not that asked for."""
    codes = [request.code, *codes_of(request.option("aliases"))]
    code = next((code for code in codes if (rows["Code"] == code).any()), None)
    if code is None:
        there = ", ".join(rows["Code"].drop_nulls().unique(maintain_order=True))
        edition = f"the workbook to {max(rows['year'], default='no year')}"
        raise Refusal(f"{edition} has no basket {' or '.join(codes)}; there are {there}", Outcome.UNKNOWN_ID)
    first_year = int(request.option("first_year") or window.first_year)
    own = rows.filter(pl.col("Code") == code, pl.col("year").cast(pl.Int32) >= first_year)
    if (units := own["Unit"].unique().to_list()) != [request.option("unit")]:
        raise Refusal(f"the unit of {code} is {' and '.join(map(str, units))}, not {request.option('unit')}")
    return judge(
        kept(own.filter(pl.col("value") != NO_VALUE), raw_sha256).select(
            pl.col("IsoCode").replace(OLDER_CODES).alias("iso3"),
            pl.col("year").alias("period"),
            "value",
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.lit(None, dtype=pl.String).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request from the newest workbook. See ``sources.provider.Adapter``."""

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        ((rows, sha256),) = editions.values()
        return figures_of(rows, request, sha256, areas, window)

    return from_newest(requests, _files(window), read, provider, window, http)


def _files(window: Window) -> Files:
    releases = range(window.last_year, window.last_year - PROBED, -1)
    paths = {release: f"ITU_ICTPriceBaskets_2008-{release}.xlsx" for release in releases}
    return Files(PUBLIC_BASE, paths, XLSX_TYPES, "ICT Price Baskets 2008 to", whole(parse))


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every basket by the beginning of the newest workbook. See ``sources.inspection.Inspects``."""
    kind = Kind(
        files=_files(window),
        figures=lambda rows, request, _: figures_of(rows, request, "", areas, window),
        codes=lambda rows: set(rows["Code"].drop_nulls()),
        unit=("unit", _units),
    )
    return inspect_file(requests, kind, provider, http)


def _units(rows: pl.DataFrame, request: SeriesRequest) -> list[str]:
    return rows.filter(pl.col("Code").is_in(spellings(request)))["Unit"].drop_nulls().unique().sort().to_list()
