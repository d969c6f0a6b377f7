"""Rows of World Bank Data360, which its API and its files share: their columns, and which of them a link selects.

A series comes in several units and in cuts by sex, age, place and more. The options of a link name the cut by code, or
by several codes separated by commas. The first code that occurs is used. A cut that is not named is the total.
Databases without cuts (UN_EGDI, WB_GTMI, EIU_DI) have no columns for them: a missing cut is the total. How rows are
fetched belongs in ``data360`` and ``data360_files``.
"""

from __future__ import annotations

import polars as pl

from sources.observation import Areas
from sources.parsing.observations import PARSED, matches_cut, parse_observations
from sources.parsing.responses import UnusableResponse, code_and_aliases, split_codes
from sources.provider import SeriesRequest, Window

CUTS = {
    "sex": "SEX",
    "age": "AGE",
    "urbanisation": "URBANISATION",
    "breakdown_1": "COMP_BREAKDOWN_1",
    "breakdown_2": "COMP_BREAKDOWN_2",
    "breakdown_3": "COMP_BREAKDOWN_3",
}
"""Option of a link -> column."""
TOTALS = ("_T", "_Z")
"""Codes of the total: total, and not applicable."""
REQUIRED = ("INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "UNIT_MULT")
OPTIONAL = ("DATABASE_ID", "OBS_STATUS", "OBS_CONF", *CUTS.values())
PUBLIC = "PU"
MOST_POWER = 12
"""Largest power of ten of a multiplier."""


def check_series(rows: pl.DataFrame, request: SeriesRequest) -> None:
    """Raise UnusableResponse if rows are of another series or database than requested."""
    others = set(rows["INDICATOR"].unique()) - set(code_and_aliases(request))
    if others:
        raise UnusableResponse(f"the answer has another indicator: {', '.join(sorted(map(str, others)))}")
    databases = set(rows["DATABASE_ID"].drop_nulls().unique()) - {str(request.option("database"))}
    if databases:
        raise UnusableResponse(f"the answer is of another database: {', '.join(sorted(databases))}")


def cut(rows: pl.DataFrame, request: SeriesRequest) -> pl.DataFrame:
    """Return the rows of the requested cut and unit.

    Raises:
        UnusableResponse: If no row is of the cut or unit, or the link names no unit and there are several.
    """
    asked = {column: split_codes(request.option(option)) for option, column in CUTS.items()}
    own = rows.filter(*(matches_cut(rows, column, codes, TOTALS) for column, codes in asked.items()))
    if own.is_empty():
        present = {column: sorted(rows[column].drop_nulls().unique()) for column in asked}
        wanted = ", ".join(f"{column} {' or '.join(codes)}" for column, codes in asked.items() if codes) or "totals"
        raise UnusableResponse(f"no row is of the requested cut ({wanted}); there are {present}")
    units = sorted(own["UNIT_MEASURE"].fill_null("(none)").unique())
    wanted_units = split_codes(request.option("unit_measure"))
    if wanted_units:
        unit = next((code for code in wanted_units if code in units), None)
        if unit is None:
            raise UnusableResponse(f"the unit is {', '.join(units)}, not {' or '.join(wanted_units)}")
        own = own.filter(pl.col("UNIT_MEASURE") == unit)
    elif len(units) > 1:
        raise UnusableResponse(f"figures come in several units ({', '.join(units)}), and the link names none")
    _require_whole(own)
    return own


def _require_whole(rows: pl.DataFrame) -> None:
    """Raise UnusableResponse if a country has several values per year and no row has codes of some cut.

    The cut then has another name in this database.
    """
    absent = [column for column in CUTS.values() if rows[column].null_count() == rows.height]
    key = ["REF_AREA", "TIME_PERIOD"]
    values = rows.select(*key, "OBS_VALUE").drop_nulls().unique()
    if absent and values.select(key).is_duplicated().any():
        raise UnusableResponse(f"one country and year has several figures, and no row has {', '.join(absent)}")


def observations_of(rows: pl.DataFrame, request: SeriesRequest, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one cut, see ``parse_observations``.

    Args:
        rows: Rows of the series with the columns of ``with_raw_record``.
        request: The series with the options of the cut.
        areas: The known areas.
        window: The requested years.

    Raises:
        UnusableResponse: If the rows are of another series, or none is of the cut.
    """
    if rows.is_empty():
        return pl.DataFrame(schema=PARSED)
    check_series(rows, request)
    power = pl.col("UNIT_MULT").cast(pl.Int32, strict=False)
    fault = (
        pl.when(pl.col("OBS_CONF").fill_null(PUBLIC) != PUBLIC)
        .then(pl.format("not public (OBS_CONF {})", "OBS_CONF"))
        .when(~power.is_between(-MOST_POWER, MOST_POWER).fill_null(False))
        .then(pl.format("the multiplier {} is not a power of ten up to 12", pl.col("UNIT_MULT").fill_null("(none)")))
    )
    return parse_observations(
        cut(rows, request),
        areas,
        window,
        iso3="REF_AREA",
        period="TIME_PERIOD",
        value="OBS_VALUE",
        obs_status="OBS_STATUS",
        fault=fault,
        multiplier=pl.lit(10.0).pow(power),
    )
