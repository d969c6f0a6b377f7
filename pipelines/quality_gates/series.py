"""Gates for a whole series: stale mirrors, lost figures, another scale, and first series without a last vintage.

Belongs here: what holds back a series by its size, its scale or its newest year. Does not belong here: patterns that
point to a fault in a part of a series (``patterns``, ``places``).
"""

from __future__ import annotations

import polars as pl

from pipelines.quality_gates.gate import Context
from sources.chain import newest

SHRINK_LIMIT = 0.10
"""Share of the last vintage's country-years that a new series may lose."""

SCALE_LIMIT = 20.0
"""Largest factor, either way, between new and old figures in the median. A percentage sent as a share is 100 times
smaller; a series of zeros is smaller than by any factor."""

ENOUGH = 5
"""Fewest figures of one year that are compared as a group."""

STALE_MIRROR = "stale_mirror"
"""Code of the gate for mirrors. The reason begins with it."""


def mirror_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back a mirror's series that ends before the last vintage, for the members or for all economies."""
    if not context.why_mirrored:
        return None
    members = pl.col("iso3").is_in(sorted(context.areas.members))
    for whose, areas in (("members'", members), ("any economy's", pl.lit(True))):
        reached, known = newest(candidates.filter(areas)), newest(previous.filter(areas))
        if known is not None and (reached is None or reached < known):
            found = "there is none" if reached is None else f"is of {reached}"
            fault = f"of {whose} figures the newest {found}, the last vintage has {known}"
            return f"{STALE_MIRROR}: {context.provider}: {fault}; {context.why_mirrored}"
    return None


def loss_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back a series that lost more than 10% of its figures or the members' figures, or most of a year."""
    found = candidates.select("iso3", "year", gone=pl.lit(False))
    known = previous.select("iso3", "year").join(found, on=["iso3", "year"], how="left")
    known = known.with_columns(pl.col("gone").fill_null(True))
    members = known.filter(pl.col("iso3").is_in(list(context.areas.members)))
    for whose, figures in (("", known), (" of the members", members)):
        if (lost := figures["gone"].sum()) > SHRINK_LIMIT * figures.height:
            what = f"{lost} of {figures.height} country-years{whose} in the last vintage are gone"
            return f"{what} (more than {SHRINK_LIMIT:.0%})"
    years = known.group_by("year").agg(pl.len(), pl.col("gone").sum()).sort("year", descending=True)
    for year, count, lost in years.rows():
        if count >= ENOUGH and lost > count / 2:
            return f"{lost} of the {count} figures of {year} in the last vintage are gone"
    return None


def scale_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back a series or new year that is more than 20 times larger or smaller than before in the median."""
    last = previous.select("iso3", "year", last="value")
    series = candidates.join(last, on=["iso3", "year"], how="left").sort("iso3", "year")
    ratio = series.filter(pl.col("last") != 0).select((pl.col("value") / pl.col("last")).abs().median()).item()
    if not _same_scale(ratio):
        return f"the figures are {ratio:.3g} times those of the last vintage in the median: another unit, or no figures"
    # An added figure can only be compared with the same country's figure before it.
    added = series.with_columns(earlier=pl.col("value").shift().over("iso3")).filter(
        pl.col("last").is_null(), pl.col("earlier") != 0
    )
    ratios = (pl.col("value") / pl.col("earlier")).abs().median()
    for year, count, ratio in added.group_by("year").agg(pl.len(), ratios).sort("year").rows():
        if previous.height and count >= ENOUGH and not _same_scale(ratio):
            found = f"the new figures of {year} are {ratio:.3g} times those before them in the median"
            return f"{found}: another unit, or no figures"
    return None


def _same_scale(ratio: float | None) -> bool:
    return ratio is None or 1 / SCALE_LIMIT <= ratio <= SCALE_LIMIT


def first_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back the first series of an indicator if all figures are zero or no percentage is above 1."""
    if previous.height or candidates.height < 2 * ENOUGH:
        return None
    largest = float(candidates["value"].abs().max())  # type: ignore[arg-type]
    if largest > 1:
        return None
    if largest == 0:
        return "every figure is zero"
    if context.indicator.unit == "pct":
        return f"no figure is more than {largest:g} percent: shares, or no figures"
    return None
