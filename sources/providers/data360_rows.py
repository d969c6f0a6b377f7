"""Rows of World Bank Data360, which its API and its files share: their columns, and which of them are asked for.

Belongs here: the columns, cuts and units of Data360. Does not belong here: how rows are fetched (``data360``,
``data360_files``), what is a figure (``figures``).

One series comes in several units and in cuts by sex, age, place and more. The options of a request name the cut by
code, or by several codes with commas between, of which the first that occurs is taken; a cut that is not named has to
be the total. Databases without cuts (UN_EGDI, WB_GTMI, EIU_DI) have no columns for them: an absent cut is the total.
"""

from __future__ import annotations

import polars as pl

from sources.observation import Areas
from sources.parsing.observations import FIGURES, Refusal, codes_of, judge, one_cut
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
"""Total, and not applicable."""
REQUIRED = ("INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE", "UNIT_MULT")
OPTIONAL = ("DATABASE_ID", "OBS_STATUS", "OBS_CONF", *CUTS.values())
PUBLIC = "PU"
MOST_POWER = 12
"""Of ten, by which figures are multiplied; beyond it something else than a multiplier came."""


def spellings(request: SeriesRequest) -> list[str]:
    """The code of a series and the names that it had before or may have by now (option ``aliases``)."""
    return [request.code, *codes_of(request.option("aliases"))]


def check_series(rows: pl.DataFrame, request: SeriesRequest) -> None:
    """Raises Refusal where rows are not of the series that was asked for."""
    others = set(rows["INDICATOR"].unique()) - set(spellings(request))
    if others:
        raise Refusal(f"the answer has another indicator: {', '.join(sorted(map(str, others)))}")
    databases = set(rows["DATABASE_ID"].drop_nulls().unique()) - {str(request.option("database"))}
    if databases:
        raise Refusal(f"the answer is of another database: {', '.join(sorted(databases))}")


def cut(rows: pl.DataFrame, request: SeriesRequest) -> pl.DataFrame:
    """The rows of the cut and unit asked for. Raises Refusal where there are none, or several units and no choice."""
    asked = {column: codes_of(request.option(option)) for option, column in CUTS.items()}
    own = rows.filter(*(one_cut(rows, column, codes, TOTALS) for column, codes in asked.items()))
    if own.is_empty():
        there = {column: sorted(rows[column].drop_nulls().unique()) for column in asked}
        wanted = ", ".join(f"{column} {' or '.join(codes)}" for column, codes in asked.items() if codes) or "totals"
        raise Refusal(f"no row is of the cut asked for ({wanted}); there are {there}")
    units = sorted(own["UNIT_MEASURE"].fill_null("(none)").unique())
    wanted_units = codes_of(request.option("unit_measure"))
    if wanted_units:
        unit = next((code for code in wanted_units if code in units), None)
        if unit is None:
            raise Refusal(f"the unit is {', '.join(units)}, not {' or '.join(wanted_units)}")
        own = own.filter(pl.col("UNIT_MEASURE") == unit)
    elif len(units) > 1:
        raise Refusal(f"figures come in several units ({', '.join(units)}), and the link names none")
    _require_whole(own)
    return own


def _require_whole(rows: pl.DataFrame) -> None:
    """Refuse rows without codes of a cut that give a country several figures a year: the cut has another name here."""
    absent = [column for column in CUTS.values() if rows[column].null_count() == rows.height]
    key = ["REF_AREA", "TIME_PERIOD"]
    figures = rows.select(*key, "OBS_VALUE").drop_nulls().unique()
    if absent and figures.select(key).is_duplicated().any():
        raise Refusal(f"one country and year has several figures, and no row has {', '.join(absent)}")


def figures_of(rows: pl.DataFrame, request: SeriesRequest, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one cut, see ``figures.judge``. ``rows`` are ``figures.kept``. Raises Refusal."""
    if rows.is_empty():
        return pl.DataFrame(schema=FIGURES)
    check_series(rows, request)
    multiplier = pl.col("UNIT_MULT").cast(pl.Int32, strict=False)
    own = cut(rows, request).with_columns(
        iso3="REF_AREA",
        period="TIME_PERIOD",
        value="OBS_VALUE",
        obs_status="OBS_STATUS",
        fault=pl.when(pl.col("OBS_CONF").fill_null(PUBLIC) != PUBLIC)
        .then(pl.format("not public (OBS_CONF {})", "OBS_CONF"))
        .when(~multiplier.is_between(-MOST_POWER, MOST_POWER).fill_null(False))
        .then(pl.format("the multiplier {} is not a power of ten up to 12", pl.col("UNIT_MULT").fill_null("(none)"))),
    )
    return judge(own, areas, window, times=pl.lit(10.0).pow(multiplier))
