"""UN Trade and Development, Global Cyberlaw Tracker: one CSV per edition, a row per country, a column per area of law.

``code`` of a request names one or more columns, joined by " + ". The figure is the number of these areas with a law in
force; a draft counts half. A country without information on one of the areas has no figure, because a count of the
others would pass for a low one. The file has no date: its figures are of the year of the edition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.observation import Areas
from sources.parsing.editions import EditionFiles, in_memory, release_of_files
from sources.parsing.observations import parse_observations
from sources.parsing.responses import CSV_TYPES
from sources.parsing.tables import read_csv, require_columns, require_unique_columns
from sources.provider import SeriesRequest, Window
from sources.providers.inspecting import FileInspection, NewestEdition
from sources.smoke_check import SmokeCheck, header_check

PUBLIC_BASE = "https://storage.unctad.org"
FILES = {2026: "2026-cyberlaw_tracker/assets/data/data.csv"}
KEY = "code"
"""Column with the UN's numeric code (M49) of the country, three digits."""
SEPARATOR = " + "
AREAS_OF_LAW = ("Electronic Transactions", "Consumer Protection", "Privacy and Data Protection", "Cybercrime")
IN_FORCE = {"Legislation": 1.0, "Draft Legislation": 0.5, "No Legislation": 0.0}
"""Status of an area of law -> what it counts."""
NO_INFORMATION = "No Data"


def parse(body: bytes, _: int) -> pl.DataFrame:
    """Return the table, all text. Raise UnusableResponse if it cannot be read."""
    rows = read_csv(body)
    require_columns(rows, (KEY,))
    return rows


def observations_of(
    rows: pl.DataFrame, code: str, edition: int, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return one count per country, see ``parse_observations``.

    Raises:
        UnusableResponse: If a column of ``code`` is missing.
    """
    columns = code.split(SEPARATOR)
    require_columns(rows, columns)
    require_unique_columns(rows, columns)
    table = rows.select(KEY, *(pl.col(column).str.strip_chars() for column in columns))
    m49 = pl.col(KEY).str.strip_chars()
    number = pl.when(m49.str.contains(r"^\d{1,3}$")).then(m49).cast(pl.Int32, strict=False)
    iso3 = number.replace_strict(areas.m49_to_iso3, default=None, return_dtype=pl.String())
    stated = table.filter(~pl.all_horizontal(pl.col(column).is_null() | (pl.col(column) == "") for column in columns))
    counts = [pl.col(each).replace_strict(IN_FORCE, default=None, return_dtype=pl.Float64()) for each in columns]
    return parse_observations(
        stated,
        areas,
        window,
        iso3=pl.coalesce(iso3, m49),
        period=pl.lit(str(edition)),
        value=pl.sum_horizontal(counts, ignore_nulls=False).cast(pl.String).fill_null(NO_INFORMATION),
        fault=pl.coalesce(_fault(column) for column in columns),
        raw_sha256=raw_sha256,
    )


def _fault(column: str) -> pl.Expr:
    """Return why the status of one area of law cannot be counted, NULL if it can."""
    status = pl.col(column).fill_null("")
    return (
        pl.when(status.is_in(["", NO_INFORMATION]))
        .then(pl.lit(f"no information on {column}"))
        .when(~status.is_in(list(IN_FORCE)))
        .then(pl.format(f"unknown status {{}} of {column}", status))
    )


def _files(_: Sequence[SeriesRequest], areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        FILES,
        CSV_TYPES,
        "Cyberlaw Tracker",
        in_memory(parse),
        lambda rows, request, edition, sha256: observations_of(rows, request.code, edition, sha256, areas, window),
    )


_ADAPTER = NewestEdition(
    _files,
    FileInspection(
        codes=lambda rows: set(rows.columns),
        named=lambda _, code: code.partition(SEPARATOR)[0],
        in_header=True,
        head=lambda rows: require_columns(rows, (KEY, *AREAS_OF_LAW)),
    ),
)
fetch, inspect = _ADAPTER.fetch, _ADAPTER.inspect


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the newest known file and its date. See ``sources.providers.ReportsRelease``."""
    return release_of_files(requests, list(FILES.values()), provider, http)


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [header_check("the head of the table", next(iter(FILES.values())), (KEY, *AREAS_OF_LAW))]
