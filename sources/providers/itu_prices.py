"""ITU, ICT Price Baskets: the yearly workbook with every basket of every economy.

``code`` of a request is the code of the basket; the option ``unit`` is the unit of its rows (GNIpc, PPP, USD). Baskets
with other allowances have other codes. They are never joined, not even where one follows the other as ITU's official
basket. The option ``aliases`` has the codes of the basket in other editions, separated by commas. Some editions give
baskets that followed each other as one series; ``first_year`` is then the first year of this basket.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from sources.observation import Areas
from sources.parsing.country_names import OLDER_CODES
from sources.parsing.editions import EditionFiles, in_memory, newest_years, yearly_release
from sources.parsing.observations import parse_observations
from sources.parsing.responses import UnusableResponse, code_and_aliases
from sources.parsing.workbook import XLSX_TYPES, open_workbook, rows_of, table
from sources.provider import Outcome, SeriesRequest, Window
from sources.providers.inspecting import FileInspection, NewestEdition
from sources.smoke_check import SmokeCheck, workbook_check

PUBLIC_BASE = "https://www.itu.int/en/ITU-D/Statistics/Documents/ICT_Prices"
FILE = "ITU_ICTPriceBaskets_2008-{}.xlsx"
FETCHED, PROBED = 4, 3
"""Number of releases looked for, from the current year down: by a refresh, and by a check for a new release."""
SHEET = re.compile(r"economies_\d{4}-(\d{4})")
KEYS = {"IsoCode": (), "Code": (), "Unit": ()}
NO_VALUE = "NA"


def parse(body: bytes, release: int) -> pl.DataFrame:
    """Return every cell of the sheet of economies: ``IsoCode``, ``Code``, ``Unit``, ``year``, ``value``, all text.

    Raises:
        UnusableResponse: If the sheet cannot be read, or does not end in the year of the release.
    """
    workbook = open_workbook(body)
    sheets = [name for name in workbook.sheet_names if (of := SHEET.fullmatch(name)) and int(of[1]) <= release]
    sheet = max(sheets, default=f"economies_2008-{release}")
    rows = table(rows_of(workbook, sheet), KEYS)
    years = [name for name in rows.columns if re.fullmatch(r"\d{4}", name)]
    if str(release) not in years or max(years) != str(release):
        raise UnusableResponse(f"the sheet {sheet} ends in {max(years, default='no year')}, not in {release}")
    return rows.select(*KEYS, *years).unpivot(years, index=list(KEYS), variable_name="year", value_name="value")


def observations_of(
    rows: pl.DataFrame, request: SeriesRequest, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations of one basket, see ``parse_observations``.

    Raises:
        UnusableResponse: If the workbook has no such basket, or has it in another unit.
    """
    codes = code_and_aliases(request)
    code = next((code for code in codes if (rows["Code"] == code).any()), None)
    if code is None:
        present = ", ".join(rows["Code"].drop_nulls().unique(maintain_order=True))
        edition = f"the workbook to {max(rows['year'], default='no year')}"
        raise UnusableResponse(f"{edition} has no basket {' or '.join(codes)}; there are {present}", Outcome.UNKNOWN_ID)
    first_year = int(request.option("first_year") or window.first_year)
    own = rows.filter(pl.col("Code") == code, pl.col("year").cast(pl.Int32) >= first_year)
    if (units := own["Unit"].unique().to_list()) != [request.option("unit")]:
        raise UnusableResponse(f"the unit of {code} is {' and '.join(map(str, units))}, not {request.option('unit')}")
    return parse_observations(
        own.filter(pl.col("value") != NO_VALUE),
        areas,
        window,
        iso3=pl.col("IsoCode").replace(OLDER_CODES),
        period="year",
        raw_sha256=raw_sha256,
    )


def _files(_: Sequence[SeriesRequest], areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        {year: FILE.format(year) for year in newest_years(window.last_year, FETCHED)},
        XLSX_TYPES,
        "ICT Price Baskets 2008 to",
        in_memory(parse),
        lambda rows, request, _, sha256: observations_of(rows, request, sha256, areas, window),
    )


def _units(rows: pl.DataFrame, request: SeriesRequest) -> list[str]:
    return rows.filter(pl.col("Code").is_in(code_and_aliases(request)))["Unit"].drop_nulls().unique().sort().to_list()


_ADAPTER = NewestEdition(
    _files, FileInspection(codes=lambda rows: set(rows["Code"].drop_nulls()), unit=("unit", _units))
)
fetch, inspect = _ADAPTER.fetch, _ADAPTER.inspect


release = yearly_release(FILE, PROBED)


def smoke_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider; the workbook of the current year may not be out yet."""
    return [
        workbook_check(f"whether the workbook to {edition} is there", FILE.format(edition), edition == year)
        for edition in (year - 1, year)
    ]
