"""The gate for economies that an answer no longer has: they keep their last figures.

Belongs here: finding them, and naming unknown codes that may be theirs. Does not belong here: lost figures of economies
that are still there (``series``).
"""

from __future__ import annotations

from difflib import get_close_matches

import polars as pl

from pipelines.quality_gates.gate import Checked, Context, named
from sources.observation import with_carried_over

MOST_VANISHED = 0.10
"""Share of the economies that may be missing from an answer that is used. Without more, it is a part of the series."""


def vanished(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Keep the last figures of an economy whose whole series is missing, unless more than a tenth of them are."""
    assembled = with_carried_over(candidates, previous, context.indicator, context.first_year, context.adds)
    there = context.rejected_areas | set(candidates["iso3"])
    lost = (
        previous.select("iso3", "year")
        .join(assembled.select("iso3", "year"), on=["iso3", "year"], how="anti")
        .filter(~pl.col("iso3").is_in(sorted(there)))
    )
    economies = previous["iso3"].n_unique()
    if lost.is_empty() or lost["iso3"].n_unique() > max(1, MOST_VANISHED * economies):
        return Checked(candidates)
    reason = "the answer has no figure of this economy"
    warning = f"{named(lost)} missing from the answer, the last figures stay{_codes(lost, context)}"
    return Checked(candidates, doubted=lost.with_columns(reason=pl.lit(reason)), warnings=(warning,))


def _codes(lost: pl.DataFrame, context: Context) -> str:
    """Return the unknown codes of the answer with the missing ones that they resemble."""
    gone = lost["iso3"].unique().sort().to_list()
    pairs = []
    for code in context.unknown_areas:
        near = get_close_matches(code, gone, n=1, cutoff=0.6)
        if not near and len(gone) == len(context.unknown_areas) == 1:
            near = gone
        pairs += [f"{code} instead of {each}?" for each in near]
    return f" ({'; '.join(pairs)})" if pairs else ""
