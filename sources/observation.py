"""The one observation record: its columns, its contract, and what happens to records that break it.

Belongs here: the observation frame, the reject frame, the checks every value passes whoever provided it.
Does not belong here: provider formats (``providers/``), comparison with earlier vintages (``warehouse.landing``).

A frame of observations has one row per (iso3, indicator_id, year). NULL is missing and never reaches the frame; NaN and
infinity are errors. Times are UTC without zone, as DuckDB's TIMESTAMP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from sources.catalogue import Indicator

TIMESTAMP = pl.Datetime("us")

OBSERVATION: dict[str, pl.DataType] = {
    "iso3": pl.String(),
    "indicator_id": pl.String(),
    "year": pl.Int32(),
    "value": pl.Float64(),
    "unit": pl.String(),
    "obs_status": pl.String(),
    "provider": pl.String(),
    "provider_code": pl.String(),
    "provider_release": pl.String(),
    "retrieved_at": TIMESTAMP,
    "source_url": pl.String(),
    "raw_sha256": pl.String(),
    "licence": pl.String(),
    "retrieved_via": pl.String(),
    "figure_origin": pl.String(),
    "figure_note": pl.String(),
}
"""Column -> type. ``provider`` publishes the figure, ``retrieved_via`` is where we got it (itself, or ``archive``).

``obs_status`` is the provider's own flag and nothing else. ``figure_origin`` is what the pipeline did to the figure (a
``FigureOrigin``), NULL where it did nothing; ``figure_note`` gives the reason of a correction or a doubt.
"""


class FigureOrigin(StrEnum):
    """What the pipeline did to a figure. A figure that is served as the provider sent it has none."""

    CARRIED_OVER = "carried_over"
    """The newest vintage lacks it; it comes from an older one."""
    RETAINED = "retained"
    """The newest record was rejected; the figure of the previous vintage stays."""
    CORRECTED = "corrected"
    """The value is not the provider's (``sources.corrections``)."""
    FLAGGED = "flagged"
    """The value is the provider's and doubtful (``sources.corrections``)."""


def from_older_vintage(figures: pl.DataFrame, origin: FigureOrigin) -> pl.DataFrame:
    """Returns figures of an older vintage with ``figure_origin`` set, except where they are corrected or flagged.

    That a value is not the provider's, or is doubtful, stays true in every vintage that the figure is taken into.
    """
    lasting = pl.col("figure_origin").is_in([FigureOrigin.CORRECTED, FigureOrigin.FLAGGED]).fill_null(False)
    return figures.with_columns(figure_origin=pl.when(lasting).then("figure_origin").otherwise(pl.lit(origin.value)))


REJECT: dict[str, pl.DataType] = {
    "provider": pl.String(),
    "indicator_id": pl.String(),
    "reason": pl.String(),
    "raw_record": pl.String(),
    "raw_sha256": pl.String(),
    "retrieved_at": TIMESTAMP,
}

FIRST_YEAR = 1960
KEY = ["iso3", "indicator_id", "year"]


def utc_now() -> datetime:
    """The present moment, UTC without zone, as every time in the warehouse."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Areas:
    """The areas that the project knows, by the codes that providers use. Built from the seed ``economies``.

    ``members`` are the economies that the strategy is about.
    """

    economies: frozenset[str]
    aggregates: frozenset[str]
    iso2_to_iso3: dict[str, str]
    m49_to_iso3: dict[int, str]
    members: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        return self.economies | self.aggregates


@dataclass(frozen=True)
class Validated:
    """What passed and what did not. No record of the input is in neither. ``rejected_keys`` has iso3 and year."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    rejected_keys: pl.DataFrame


def empty_observations() -> pl.DataFrame:
    return pl.DataFrame(schema=OBSERVATION)


def empty_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECT)


def contract(indicator: Indicator, known_areas: Iterable[str], last_year: int) -> pa.DataFrameSchema:
    """The pandera contract of one indicator's observations. ``last_year`` is the newest year a figure can be of."""
    return pa.DataFrameSchema(
        {
            "iso3": pa.Column(pl.String, pa.Check.isin(sorted(known_areas), error="unknown area")),
            "indicator_id": pa.Column(pl.String, pa.Check.equal_to(indicator.id, error="another indicator")),
            "year": pa.Column(
                pl.Int32,
                pa.Check.in_range(FIRST_YEAR, last_year, error=f"year outside {FIRST_YEAR}-{last_year}"),
            ),
            "value": pa.Column(
                pl.Float64,
                pa.Check.in_range(
                    indicator.valid_range.min,
                    indicator.valid_range.max,
                    error=f"value outside {indicator.valid_range.min:g}..{indicator.valid_range.max:g}"
                    f" {indicator.unit}, or not a number",
                ),
            ),
            "unit": pa.Column(
                pl.String,
                pa.Check.equal_to(indicator.unit, error=f"unit is not {indicator.unit}"),
            ),
            "obs_status": pa.Column(pl.String, nullable=True),
            "provider": pa.Column(pl.String),
            "provider_code": pa.Column(pl.String),
            "provider_release": pa.Column(pl.String, nullable=True),
            "retrieved_at": pa.Column(TIMESTAMP, nullable=False),
            "source_url": pa.Column(pl.String),
            "raw_sha256": pa.Column(pl.String, pa.Check.str_matches(r"^[0-9a-f]{64}$")),
            "licence": pa.Column(pl.String),
            "retrieved_via": pa.Column(pl.String),
            "figure_origin": pa.Column(pl.String, pa.Check.isin(list(FigureOrigin)), nullable=True),
            "figure_note": pa.Column(pl.String, nullable=True),
        },
        strict=True,
        ordered=True,
        coerce=False,
    )


def as_rejects(records: pl.DataFrame) -> pl.DataFrame:
    """Observations with a ``reason`` each -> reject records (columns ``REJECT``)."""
    raw = pl.struct("iso3", "year", "value", "unit", "obs_status").struct.json_encode()
    return records.select(
        "provider",
        "indicator_id",
        pl.col("reason").str.replace("not_nullable", "no value"),
        raw.alias("raw_record"),
        "raw_sha256",
        "retrieved_at",
    ).cast(REJECT)  # type: ignore[arg-type]


def _rule_reason(indicator: Indicator) -> pl.Expr:
    """The reason of the first of the indicator's reject rules that a record meets, else NULL."""
    reason = pl.lit(None, dtype=pl.String)
    for rule in reversed(indicator.reject_rules):
        meets = pl.lit(True)
        if rule.years:
            meets &= pl.col("year").is_in(list(rule.years))
        if rule.value is not None:
            meets &= pl.col("value") == rule.value
        if rule.below is not None:
            meets &= pl.col("value") < rule.below
        if rule.only_iso3:
            meets &= pl.col("iso3").is_in(list(rule.only_iso3))
        if rule.except_iso3:
            meets &= ~pl.col("iso3").is_in(list(rule.except_iso3))
        reason = pl.when(meets).then(pl.lit(rule.reason)).otherwise(reason)
    return reason


def validate(records: pl.DataFrame, indicator: Indicator, areas: Areas, last_year: int | None = None) -> Validated:
    """Split candidate observations (columns ``OBSERVATION``) into accepted and rejected, each reject with its reason.

    Equal duplicates of a key collapse into one; unequal ones are all rejected, since nobody can say which is right.
    """
    last_year = last_year or utc_now().year + 1
    schema = contract(indicator, areas.known, last_year)
    rest = records.select(OBSERVATION.keys()).cast(OBSERVATION).unique(maintain_order=True)  # type: ignore[arg-type]

    faults = pl.DataFrame(schema={"index": pl.Int64, "reason": pl.String})
    try:
        schema.validate(rest, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        whole = cases.filter(pl.col("index").is_null())
        if whole.height:  # a fault of the frame, hence of our code, not of a record
            raise RuntimeError(f"{indicator.id}: observation frame broken: {whole.rows()}") from error
        faults = (
            cases.select(pl.col("index").cast(pl.Int64), pl.col("check").cast(pl.String).alias("reason"))
            .group_by("index", maintain_order=True)
            .agg(pl.col("reason").unique(maintain_order=True).str.join("; "))
        )
    numbered = rest.with_row_index("index").with_columns(pl.col("index").cast(pl.Int64))
    judged = numbered.join(faults, on="index", how="left").with_columns(
        # a rule says why the figure is no figure, which a valid range does not
        pl.coalesce(_rule_reason(indicator), "reason").alias("reason")
    )
    broken = judged.filter(pl.col("reason").is_not_null()).drop("index")

    rest = judged.filter(pl.col("reason").is_null()).drop("index").unique([*KEY, "value"], maintain_order=True)
    twice = rest.filter(pl.len().over(KEY) > 1).with_columns(reason=pl.lit("several values for one country and year"))
    accepted = rest.filter(pl.len().over(KEY) == 1).drop("reason").sort(KEY)
    rejected = pl.concat([broken, twice])
    return Validated(accepted, as_rejects(rejected), rejected.select("iso3", "year"))
