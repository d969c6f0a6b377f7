"""Gates for single records: rules of the indicator, the observation contract, duplicates, corrections, moved points.

Belongs here: what refuses a record. Does not belong here: the columns of an observation and its contract
(``sources.observation``), the entries of ``corrections.yml`` (``sources.corrections``).
"""

from __future__ import annotations

import polars as pl

from pipelines.quality_gates.gate import Checked, Context, split
from pipelines.quality_gates.series import ENOUGH
from sources import corrections as registered
from sources.observation import KEY, PLACE, with_contract_faults, with_rule_reasons

OUTSIDE = 0.1
"""Share of figures outside the valid range from which the others are in another unit too."""

POINT_MOVED = 0.005
"""Largest distance between log10(new / old) and a whole number. Rounding causes small distances."""


def reject_rules(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse records that a rule of the indicator (`reject_rules`) matches."""
    if not context.indicator.reject_rules:
        return Checked(candidates)
    return split(with_rule_reasons(candidates, context.indicator))


def contract(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse records with another unit, an unknown area, or a year or value outside the valid range."""
    if context.is_sound:
        return Checked(candidates)
    return split(with_contract_faults(candidates, [context.indicator], context.areas.known, context.last_year))


def other_unit(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse all figures of an economy or year of which half are outside the valid range; hold back a series of which a
    tenth are."""
    if context.is_sound:
        return Checked(candidates)
    low, high = context.indicator.valid_range.min, context.indicator.valid_range.max
    outside = ~candidates["value"].is_between(low, high) & candidates["value"].is_finite()
    if not outside.any():
        return Checked(candidates)
    judged = candidates.with_columns(outside=outside)
    parts = [judged.group_by(by).agg(pl.col("outside").sum(), of=pl.len()) for by in ("iso3", "year")]
    doubted = [part.filter(pl.col("outside") >= 2, 2 * pl.col("outside") >= pl.col("of")) for part in parts]
    # a few economies or years do not make the unit of the others doubtful
    few = [found for part, found in zip(parts, doubted, strict=True) if 2 * found.height <= part.height]
    others = judged
    for found in few:
        others = others.join(found, on=found.columns[0], how="anti", maintain_order="left")
    count = others["outside"].sum()
    if count >= ENOUGH and count > OUTSIDE * others.height:
        return Checked(candidates, held_back=f"{count} of {others.height} figures are outside {low:g}..{high:g}")
    reason = pl.lit("most figures of this economy or year are outside the valid range: another unit")
    return split(
        judged.join(
            others.select("iso3", "year").unique().with_columns(kept=pl.lit(True)),
            on=["iso3", "year"],
            how="left",
            maintain_order="left",
        )
        .with_columns(reason=pl.when(pl.col("kept").is_null() & ~pl.col("outside")).then(reason))
        .drop("kept", "outside")
    )


def duplicates(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse all records of a country and year that have different values."""
    ordered = candidates.sort(KEY, maintain_order=True)
    if context.is_distinct or ordered.n_unique(PLACE) == ordered.height:
        return Checked(ordered)
    distinct = ordered.unique([*KEY, "value"], maintain_order=True)
    several = pl.when(pl.len().over(KEY) > 1).then(pl.lit("several values for one country and year"))
    return split(distinct.with_columns(reason=several))


def corrections(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Apply `corrections.yml`; hold back a series that an active entry does not fit."""
    if not context.corrections:
        return Checked(candidates)
    corrected = registered.apply(candidates, context.indicator, context.corrections)
    held_back = "; ".join(corrected.misfits.values()) or None
    return Checked(corrected.observations, held_back=held_back, replaced=corrected.originals)


def moved_points(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse figures whose decimal point moved by two or three digits, if they are less than half of the series."""
    judged = candidates.join(previous.select(*KEY, last="value"), on=KEY, how="left", maintain_order="left")
    digits = (pl.col("value") / pl.col("last")).abs().log10()
    exact = (digits - digits.round()).abs() < POINT_MOVED
    moved = digits.abs().round().is_between(2, 3) & exact & (pl.col("value") != 0) & (pl.col("last") != 0)
    few = 2 * moved.sum() < pl.col("last").count()
    said = pl.format("the value {} is the last vintage's {} with its point moved: another unit", "value", "last")
    return split(judged.with_columns(reason=pl.when(moved & few).then(said)).drop("last"))


def zero_for_missing(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse a new zero of an economy that had none, after a figure that was not in the lowest quarter of its year."""
    if previous.is_empty() or previous["value"].min() < 0:  # type: ignore[operator]
        return Checked(candidates)
    last = previous.select("iso3", "year", last="value")
    usual = previous.select("iso3", pl.col("year"), high=pl.col("value") >= pl.col("value").quantile(0.25).over("year"))
    before = usual.filter(pl.col("year") == pl.col("year").max().over("iso3")).select("iso3", "high")
    without = previous.group_by("iso3").agg(without=(pl.col("value") != 0).all())
    judged = (
        candidates.join(last, on=["iso3", "year"], how="left", maintain_order="left")
        .join(before, on="iso3", how="left", maintain_order="left")
        .join(without, on="iso3", how="left", maintain_order="left")
    )
    doubtful = (
        (pl.col("value") == 0) & (pl.col("last").is_null() | (pl.col("last") != 0)) & pl.col("high") & pl.col("without")
    )
    if (zeros := judged.filter(doubtful).height) > max(1, OUTSIDE * judged.height):
        return Checked(candidates, held_back=f"{zeros} figures are zero of economies that had no zero before")
    reason = pl.when(doubtful).then(pl.lit("zero where the economy had no zero before: a missing figure"))
    return split(judged.with_columns(reason=reason).drop("last", "high", "without"))
