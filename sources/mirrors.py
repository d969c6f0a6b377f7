"""Whether a mirror's series may stand in for the primary's.

Belongs here: the recency check. Does not belong here: who is asked next (``chain``), what a refresh may lose
(``warehouse.landing``).

A mirror's series is taken whole or not at all: cells of two providers are never mixed into one series, except figures
that stay in the place of rejected ones, each marked as kept from the last vintage.
"""

from __future__ import annotations

import polars as pl

STALE_MIRROR = "stale_mirror"
"""What the reason begins with where a mirror answered and is older than what is known."""


def stale_mirror(provider: str, series: pl.DataFrame, last: pl.DataFrame, members: frozenset[str]) -> str | None:
    """Why a mirror's ``series`` is older than the ``last`` vintage; None where it may be used.

    Both have ``iso3`` and ``year``. Compared is the newest year of the members' figures, and of all.
    """
    for whose, areas in (("members'", pl.col("iso3").is_in(sorted(members))), ("any economy's", pl.lit(True))):
        reached, known = newest(series.filter(areas)), newest(last.filter(areas))
        if known is not None and (reached is None or reached < known):
            there = "there is none" if reached is None else f"is of {reached}"
            return f"{STALE_MIRROR}: {provider}: of {whose} figures the newest {there}, the last vintage has {known}"
    return None


def newest(series: pl.DataFrame) -> int | None:
    """The newest year of a series; None of one without figures."""
    return int(series.select(pl.col("year").max()).item()) if series.height else None
