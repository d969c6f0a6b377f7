"""WIPO, Global Innovation Index: the files of the ranking site and the workbooks into observations.

Where the files are, and which of them answers a request, belongs in ``wipo_gii``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from sources.observation import Areas
from sources.parsing.column_names import rename_columns
from sources.parsing.editions import require_edition
from sources.parsing.observations import parse_observations, with_raw_record
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import read_csv
from sources.parsing.workbook import open_workbook, rows_of, table
from sources.provider import Outcome, SeriesRequest, Window

PANEL = {"GIIYR": (), "ISO3": (), "CODE": (), "SCORE": (), "RANK": ()}
RESULTS = {"iso3": (), "giiyr": (), "score": (), "rank": ()}
WORKBOOK = {
    "iso3": ("ISO2",),  # the header of 2021 has ISO2 above codes of three letters
    "name": ("IndName",),
    "datayear": ("DATAYR",),
    "value": ("VALUE_SCREEN",),
    "score": (),
    "rank": (),
}
RANKS = pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32, "official": pl.Float64})
"""An empty table of WIPO's own ranks."""
OVERALL = "Index"
NO_VALUE = "NA"


def parse_panel(body: bytes, edition: int) -> pl.DataFrame:
    """Return the panel, columns ``PANEL``, all text. Raise UnusableResponse if its newest edition is another."""
    rows = rename_columns(read_csv(body), PANEL)
    require_edition(rows.select(_year("GIIYR").max()).item(), edition)
    return rows


def parse_ranks(body: bytes) -> pl.DataFrame:
    """Return WIPO's own list of ranks, columns ``RANKS``. Raise UnusableResponse if it cannot be read."""
    rows = rename_columns(read_csv(body), {"ISO3": ()})
    editions = [name for name in rows.columns if re.fullmatch(r"GII\d\d", name)]
    if not editions:
        raise UnusableResponse("the list of ranks has no column GII<year>")
    return (
        rows.unpivot(editions, index="ISO3", variable_name="year", value_name="official")
        .select(
            pl.col("ISO3").alias("iso3"),
            (pl.col("year").str.tail(2).cast(pl.Int32) + 2000).alias("year"),
            pl.col("official").cast(pl.Float64, strict=False),
        )
        .drop_nulls()
    )


def parse_results(body: bytes, edition: int) -> pl.DataFrame:
    """Return the results of one edition, columns ``RESULTS``, all text, with decimal points.

    Raises:
        UnusableResponse: If the results cannot be read, or most rows are of another edition.
    """
    rows = rename_columns(read_csv(body), RESULTS)
    stated = rows.select(_year("giiyr"))["giiyr"].drop_nulls()  # correct files have NA in single rows
    is_majority = 2 * (stated == edition).sum() > rows.height
    require_edition(edition if is_majority else stated.filter(stated != edition).mode().max(), edition)
    with_point = pl.col("score", "rank").str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}")
    is_unstated = pl.col("giiyr") == NO_VALUE
    return rows.with_columns(with_point, giiyr=pl.when(is_unstated).then(pl.lit(str(edition))).otherwise("giiyr"))


def parse_workbook(body: bytes, edition: int) -> pl.DataFrame:
    """Return the data sheet of an edition's workbook, columns ``WORKBOOK``, all text.

    The edition is in the sheet's name (2021), or is the newest data year (since 2022).

    Raises:
        UnusableResponse: If the workbook cannot be read, or is of another edition.
    """
    workbook = open_workbook(body)
    sheet = next((name for name in workbook.sheet_names if re.fullmatch(r"(GII \d{4} )?Data", name.strip())), "Data")
    rows = table(rows_of(workbook, sheet), WORKBOOK)
    named = re.search(r"\d{4}", sheet)
    require_edition(int(named[0]) if named else rows.select(_year("datayear").max()).item(), edition)
    return rows.with_columns(name=_plain(pl.col("name")))


def _year(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).cast(pl.Int32, strict=False)


def _plain(name: pl.Expr) -> pl.Expr:
    """Return a row's name without what changes between editions: dashes, the mark of a survey question, blanks."""
    return name.str.replace_all("[\u2010-\u2015]", "-").str.replace_all(r"\s+", " ").str.strip_chars(" *")


def panel_observations(
    rows: pl.DataFrame, official: pl.DataFrame, request: SeriesRequest, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations of one code in the panel, see ``parse_observations``.

    Args:
        rows: The panel, columns ``PANEL``.
        official: WIPO's own ranks, columns ``RANKS``. A record whose overall rank differs from
            WIPO's rank is rejected.
        request: The series.
        raw_sha256: Hash of the panel's body.
        areas: The known areas.
        window: The requested years.

    Raises:
        UnusableResponse: If there is no such code or column.
    """
    own = rows.filter(pl.col("CODE") == request.code)
    if own.is_empty():
        present = ", ".join(rows["CODE"].drop_nulls().unique(maintain_order=True).head(20))
        raise UnusableResponse(f"no row has the code {request.code}; there are {present}", Outcome.UNKNOWN_ID)
    column = _column(request, ("SCORE", "RANK"))
    ranked = (
        with_raw_record(own.select(*PANEL), raw_sha256)
        .with_columns(iso3=pl.col("ISO3"), year=_year("GIIYR"))
        .join(official if request.code == OVERALL else RANKS, on=["iso3", "year"], how="left")
    )
    differs = pl.col("RANK").cast(pl.Float64, strict=False) != pl.col("official")
    fault = pl.format("the rank {} is not that of WIPO's own list, {}", "RANK", pl.col("official").cast(pl.Int64))
    return parse_observations(ranked, areas, window, period="GIIYR", value=column, fault=pl.when(differs).then(fault))


def results_observations(
    rows: pl.DataFrame, request: SeriesRequest, edition: int, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations of one column of an edition's results, see ``parse_observations``.

    Raises:
        UnusableResponse: If there is no such column.
    """
    fault = pl.format("a row of the edition {} in the file of " + str(edition), "giiyr")
    return parse_observations(
        rows.select(*RESULTS),
        areas,
        window,
        period=pl.lit(str(edition)),
        value=_column(request, ("score", "rank")),
        fault=pl.when(pl.col("giiyr").ne_missing(str(edition))).then(fault),
        raw_sha256=raw_sha256,
    )


def workbook_observations(
    rows: pl.DataFrame, request: SeriesRequest, edition: int, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations of one row name in an edition's workbook, see ``parse_observations``.

    Raises:
        UnusableResponse: If there is no such name or column.
    """
    column = _column(request, ("value", "score", "rank"))
    name = row_name(request)
    own = rows.filter(pl.col("name") == name)
    if own.is_empty():
        raise UnusableResponse(f"the edition of {edition} has no row named {name}")
    first_year = max(window.first_year, number_option(request, "first_year"))
    return parse_observations(
        own.select(*WORKBOOK),
        areas,
        Window(first_year, window.last_year),
        period="datayear" if column == "value" else pl.lit(str(edition)),
        value=column,
        raw_sha256=raw_sha256,
    )


def row_name(request: SeriesRequest) -> str:
    """Return the row name of a request as ``parse_workbook`` spells it."""
    return str(pl.select(_plain(pl.lit(str(request.option("name"))))).item())


def number_option(request: SeriesRequest, option: str) -> int:
    """Return a whole number of a link's options, 0 by default."""
    return int(request.option(option) or 0)


def _column(request: SeriesRequest, known: Sequence[str]) -> str:
    column = str(request.option("column"))
    if column not in known:
        raise UnusableResponse(f"there is no column {column} to ask for, only {', '.join(known)}", Outcome.UNKNOWN_ID)
    return column


def newest_first(observations: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the observations of several editions, newest first: for each country and year those of the newest."""
    editions = pl.concat(each.with_columns(order=pl.lit(order)) for order, each in enumerate(observations))
    newest = pl.col("order").filter(pl.col("reason").is_null()).min().over("iso3", "year")
    return editions.filter(pl.col("reason").is_not_null() | (pl.col("order") == newest)).drop("order")
