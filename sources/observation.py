"""The observation record: its columns, its pandera contract, and the reject record.

Belongs here: the observation frame, the reject frame, the contract that every observation satisfies. Does not belong
here: provider formats (``sources.providers``), the order of the checks (``pipelines.quality_gates``).

A frame of observations has one row per (iso3, indicator_id, year). A missing value has no row; NaN and infinity are
errors. Times are UTC without a zone, like DuckDB's TIMESTAMP.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from sources.catalogue import Indicator
from sources.hidden_packages import without_hidden_packages

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

BEYOND, OTHER_UNIT = "value outside its range", "another unit"
"""Names of the checks whose limits are an indicator's own."""

FIRST_YEAR = 1960
PLACE = ["iso3", "year"]
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


@cache
def empty_observations() -> pl.DataFrame:
    return pl.DataFrame(schema=OBSERVATION)


@cache
def empty_rejects() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECT)


def contract(indicators: Sequence[Indicator], known_areas: Iterable[str], last_year: int) -> pa.DataFrameSchema:
    """Return the pandera contract of the observations of some indicators. One contract costs as much as its rows do.

    Args:
        indicators: Give id, unit and valid range.
        known_areas: ISO3 codes of economies and aggregates.
        last_year: The newest year that is accepted.
    """
    import pandera.polars as pa  # takes 0.1 s, which only an answer to check needs

    def own(values: Iterable[float | str]) -> pl.Expr:
        """Return what the indicator of a row has."""
        of = dict(zip((each.id for each in indicators), values, strict=True))
        return _indicator_of_row(indicators).replace_strict(of, default=None)

    def holds(rule: pl.Expr, error: str) -> pa.Check:
        return pa.Check(lambda data: data.lazyframe.select(rule), error=error)

    low, high = own(each.valid_range.min for each in indicators), own(each.valid_range.max for each in indicators)
    checks = {
        "iso3": pa.Check.isin(sorted(known_areas), error="unknown area"),
        "indicator_id": pa.Check.isin([each.id for each in indicators], error="another indicator"),
        "year": pa.Check.in_range(FIRST_YEAR, last_year, error=f"year outside {FIRST_YEAR}-{last_year}"),
        "value": holds(pl.col("value").is_between(low, high), BEYOND),
        "unit": holds(pl.col("unit") == own(each.unit for each in indicators), OTHER_UNIT),
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


@without_hidden_packages()
def with_contract_faults(
    records: pl.DataFrame, indicators: Sequence[Indicator], known_areas: Iterable[str], last_year: int
) -> pl.DataFrame:
    """Return the records with a column ``reason``: what breaks the contract, NULL for a record that satisfies it.

    Args:
        records: Candidate observations, columns ``OBSERVATION``.
        indicators: The indicators of all records.
        known_areas: ISO3 codes of economies and aggregates.
        last_year: The newest year that is accepted.

    Raises:
        RuntimeError: Columns or types are wrong, which is a fault of the code and not of a record.
    """
    from pandera.errors import SchemaErrors

    try:
        contract(indicators, known_areas, last_year).validate(records, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        whole = cases.filter(pl.col("index").is_null())
        if whole.height:
            names = ", ".join(each.id for each in indicators)
            raise RuntimeError(f"{names}: observation frame broken: {whole.rows()}") from error
    else:
        return records.with_columns(reason=pl.lit(None, pl.String))
    numbered = records.with_row_index("index")
    faults = (
        cases.select(pl.col("index").cast(pl.UInt32), pl.col("check").cast(pl.String).alias("reason"))
        .join(numbered.select("index", "indicator_id"), on="index", maintain_order="left")
        .with_columns(_in_words("reason", indicators))
        .group_by("index", maintain_order=True)
        .agg(pl.col("reason").unique(maintain_order=True).str.join("; "))
    )
    return numbered.join(faults, on="index", how="left", maintain_order="left").drop("index")


def _in_words(check: str, indicators: Sequence[Indicator]) -> pl.Expr:
    """Return the names of failed checks with what they expect of the row's indicator."""
    words: dict[str, str] = {}
    for each in indicators:
        low, high = each.valid_range.min, each.valid_range.max
        words[f"{each.id} {BEYOND}"] = f"value outside {low:g}..{high:g} {each.unit}, or not a number"
        words[f"{each.id} {OTHER_UNIT}"] = f"unit is not {each.unit}"
    named = pl.concat_str(_indicator_of_row(indicators), check, separator=" ")
    return pl.coalesce(named.replace_strict(words, default=None), check).alias(check)


def _indicator_of_row(indicators: Sequence[Indicator]) -> pl.Expr:
    """Return the indicator whose limits apply to a row: the only one also for a row that names another."""
    return pl.lit(indicators[0].id) if len(indicators) == 1 else pl.col("indicator_id")


def sound_indicators(
    series: Iterable[tuple[Indicator, pl.DataFrame]], known_areas: Iterable[str], last_year: int
) -> frozenset[str]:
    """Return the ids of the indicators whose records, columns ``OBSERVATION``, all satisfy the contract.

    All are checked at once, because a contract costs 30 ms whatever it has to check.
    """
    own = [(each, rows) for each, rows in series if rows["indicator_id"].unique().to_list() == [each.id]]
    if not own:
        return frozenset()
    indicators, records = [each for each, _ in own], pl.concat(rows for _, rows in own)
    judged = with_contract_faults(records, indicators, known_areas, last_year)
    return frozenset(each.id for each in indicators) - set(judged.drop_nulls("reason")["indicator_id"])


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
    if last.is_empty() or rejected_keys.is_empty():
        return fresh
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
    if last.is_empty():
        return fresh
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
