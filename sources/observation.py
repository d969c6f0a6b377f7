"""The observation record: its columns, its pandera contract, and the reject record.

Belongs here: the observation frame, the reject frame, the contract that every observation satisfies. Does not belong
here: provider formats (``sources.providers``), the order of the checks (``pipelines.quality_gates``).

A frame of observations has one row per (iso3, indicator_id, year). A missing value has no row; NaN and infinity are
errors. Times are UTC without a zone, like DuckDB's TIMESTAMP.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from sources.catalogue import Indicator

if TYPE_CHECKING:
    import pandera.polars as pa

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
"""Column -> type. ``provider`` publishes the figure; ``retrieved_via`` is the provider or ``archive`` that sent it.

``obs_status`` is the provider's own flag. ``figure_origin`` is what the pipeline did to the figure (a
``FigureOrigin``), NULL if nothing; ``figure_note`` gives the reason of a correction or flag.
"""
NULLABLE = {"obs_status", "provider_release", "figure_origin", "figure_note"}


class FigureOrigin(StrEnum):
    """What the pipeline did to a figure. A figure that is published as the provider sent it has no origin."""

    CARRIED_OVER = "carried_over"
    """The newest answer lacks the figure; it comes from an older vintage."""
    RETAINED = "retained"
    """The newest record was rejected; the figure comes from the previous vintage."""
    CORRECTED = "corrected"
    """A correction changed the provider's value (``sources.corrections``)."""
    FLAGGED = "flagged"
    """The value is the provider's, and an entry of ``corrections.yml`` calls it doubtful."""


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
    """Return the present time as UTC without a zone, like every time in the warehouse."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Areas:
    """The areas of the seed ``economies``, by the codes that providers use. ``members`` are the CAREC members."""

    economies: frozenset[str]
    aggregates: frozenset[str]
    iso2_to_iso3: dict[str, str]
    m49_to_iso3: dict[int, str]
    members: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        return self.economies | self.aggregates


def empty_observations() -> pl.DataFrame:
    return pl.DataFrame(schema=OBSERVATION)


def empty_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECT)


def contract(indicator: Indicator, known_areas: Iterable[str], last_year: int) -> pa.DataFrameSchema:
    """Return the pandera contract of one indicator's observations.

    Args:
        indicator: Gives id, unit and valid range.
        known_areas: ISO3 codes of economies and aggregates.
        last_year: The newest year that is accepted.
    """
    import pandera.polars as pa  # imports pandas: 0.3 s, which only an answer to check needs

    low, high = indicator.valid_range.min, indicator.valid_range.max
    beyond = f"value outside {low:g}..{high:g} {indicator.unit}, or not a number"
    checks = {
        "iso3": pa.Check.isin(sorted(known_areas), error="unknown area"),
        "indicator_id": pa.Check.equal_to(indicator.id, error="another indicator"),
        "year": pa.Check.in_range(FIRST_YEAR, last_year, error=f"year outside {FIRST_YEAR}-{last_year}"),
        "value": pa.Check.in_range(low, high, error=beyond),
        "unit": pa.Check.equal_to(indicator.unit, error=f"unit is not {indicator.unit}"),
        "raw_sha256": pa.Check.str_matches(r"^[0-9a-f]{64}$"),
        "figure_origin": pa.Check.isin(list(FigureOrigin)),
    }
    columns = {
        name: pa.Column(dtype, checks.get(name), nullable=name in NULLABLE) for name, dtype in OBSERVATION.items()
    }
    return pa.DataFrameSchema(columns, strict=True, ordered=True, coerce=False)


def as_rejects(records: pl.DataFrame) -> pl.DataFrame:
    """Return reject records (columns ``REJECT``) of observations with a column ``reason``."""
    raw = pl.struct("iso3", "year", "value", "unit", "obs_status").struct.json_encode()
    return records.select(
        "provider",
        "indicator_id",
        pl.col("reason").str.replace("not_nullable", "no value"),
        raw.alias("raw_record"),
        "raw_sha256",
        "retrieved_at",
    ).cast(REJECT)  # type: ignore[arg-type]


def with_contract_faults(
    records: pl.DataFrame, indicator: Indicator, known_areas: Iterable[str], last_year: int
) -> pl.DataFrame:
    """Return the records with a column ``reason``: what breaks the contract, NULL for a record that satisfies it.

    Args:
        records: Candidate observations, columns ``OBSERVATION``.
        indicator: The indicator of all records.
        known_areas: ISO3 codes of economies and aggregates.
        last_year: The newest year that is accepted.

    Raises:
        RuntimeError: Columns or types are wrong, which is a fault of the code and not of a record.
    """
    from pandera.errors import SchemaErrors

    faults = pl.DataFrame(schema={"index": pl.UInt32, "reason": pl.String})
    try:
        contract(indicator, known_areas, last_year).validate(records, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        whole = cases.filter(pl.col("index").is_null())
        if whole.height:
            raise RuntimeError(f"{indicator.id}: observation frame broken: {whole.rows()}") from error
        faults = (
            cases.select(pl.col("index").cast(pl.UInt32), pl.col("check").cast(pl.String).alias("reason"))
            .group_by("index", maintain_order=True)
            .agg(pl.col("reason").unique(maintain_order=True).str.join("; "))
        )
    numbered = records.with_row_index("index")
    return numbered.join(faults, on="index", how="left", maintain_order="left").drop("index")


def with_rule_reasons(records: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
    """Return the records with a column ``reason``: that of the first reject rule that matches, NULL without a match."""
    reason = pl.lit(None, dtype=pl.String)
    for rule in reversed(indicator.reject_rules):
        matches = pl.lit(True)
        if rule.years:
            matches &= pl.col("year").is_in(list(rule.years))
        if rule.value is not None:
            matches &= pl.col("value") == rule.value
        if rule.below is not None:
            matches &= pl.col("value") < rule.below
        if rule.only_iso3:
            matches &= pl.col("iso3").is_in(list(rule.only_iso3))
        if rule.except_iso3:
            matches &= ~pl.col("iso3").is_in(list(rule.except_iso3))
        reason = pl.when(matches).then(pl.lit(rule.reason)).otherwise(reason)
    return records.with_columns(reason=reason)


def with_retained(fresh: pl.DataFrame, rejected_keys: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Return the figures, plus the last vintage's figure for each rejected record.

    Args:
        fresh: Accepted figures, columns ``OBSERVATION``.
        rejected_keys: ``iso3`` and ``year`` of the rejected records. A ``reason`` becomes the figure's note, unless
            the figure has one.
        last: Figures of the last vintage.
    """
    if "reason" not in rejected_keys.columns:
        rejected_keys = rejected_keys.with_columns(reason=pl.lit(None, pl.String))
    retained = (
        last.select(OBSERVATION.keys())
        .join(rejected_keys.sort("reason").unique(["iso3", "year"], keep="last"), on=["iso3", "year"])
        .join(fresh, on=KEY, how="anti")
    )
    noted = from_older_vintage(retained, FigureOrigin.RETAINED).with_columns(
        figure_note=pl.when(figure_origin=FigureOrigin.RETAINED.value).then("reason").otherwise("figure_note")
    )
    return pl.concat([fresh, noted.select(OBSERVATION.keys())])


def with_carried_over(
    fresh: pl.DataFrame, last: pl.DataFrame, indicator: Indicator, first_year: int, adds: bool = False
) -> pl.DataFrame:
    """Return the figures, plus those of the last vintage that the answer cannot withdraw.

    These are the years before ``first_year``, which were not requested. For an edition index they are also the missing
    editions older than the newest one served: an edition is published once, and its file may be gone. An answer that
    ``adds`` figures withdraws none.
    """
    lasting = pl.lit(adds) | (pl.col("year") < first_year)
    if indicator.edition_index:
        lasting |= ~pl.col("year").is_in(fresh["year"].implode()) & (pl.col("year") < fresh["year"].max())
    carried_over = last.select(OBSERVATION.keys()).filter(lasting).join(fresh, on=KEY, how="anti")
    return pl.concat([fresh, from_older_vintage(carried_over, FigureOrigin.CARRIED_OVER)])


def from_older_vintage(figures: pl.DataFrame, origin: FigureOrigin) -> pl.DataFrame:
    """Return figures of an older vintage with ``figure_origin`` set.

    Corrected and flagged figures keep their origin: it is still true in the vintage that takes them over.
    """
    lasting = pl.col("figure_origin").is_in([FigureOrigin.CORRECTED, FigureOrigin.FLAGGED]).fill_null(False)
    return figures.with_columns(figure_origin=pl.when(lasting).then("figure_origin").otherwise(pl.lit(origin.value)))
