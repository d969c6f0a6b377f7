"""Gates that read the release of an answer: answers older than the figures held, and revisions that none announces.

Belongs here: comparing names of releases, and what an announced release allows. Does not belong here: how a provider
names its release (adapters), the table ``revisions``.
"""

from __future__ import annotations

import re
from enum import StrEnum

import polars as pl

from pipelines.quality_gates.gate import Checked, Context, compared, named

UNANNOUNCED = 5.0
"""A revision that no release announces is held back if its median is this many times a large one.

The limit of a large revision is what a reader notices. Corrections within a release are usually of few such limits."""

REVISED = 0.5
"""Share of an economy's figures that must be revised by so much."""


class Release(StrEnum):
    """How the release of an answer compares with the one held."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    UNKNOWN = "unknown"
    """One of the two has no release."""
    OTHER = "other"
    """They are named differently, for example because another provider answered."""


def compare(held: str | None, sent: str | None) -> Release:
    """Return how two releases compare: by the numbers in their names, if the names are alike otherwise.

    Example:
        ``compare("WDI 2026-07-01", "WDI 2026-04-08")`` is ``Release.OLDER``
    """
    if not held or not sent:
        return Release.UNKNOWN
    (name, *numbers), (other, *others) = _parts(held), _parts(sent)
    if name != other:
        return Release.OTHER
    length = min(len(numbers), len(others))  # one of them may state the day of its file too
    first, second = numbers[:length], others[:length]
    return Release.SAME if first == second else Release.NEWER if second > first else Release.OLDER


def _parts(release: str) -> tuple[str | int, ...]:
    """Return the name of a release without numbers and without the day of its file, then its numbers."""
    text = release.removesuffix(", put in place by the operator")
    main = text.partition(", file of ")[0]
    return re.sub(r"\d+", "#", main), *(int(number) for number in re.findall(r"\d+", text))


def release_of(series: pl.DataFrame) -> str | None:
    """Return the release of the newest figures that a series has from a provider, None if it is not named."""
    own = series.filter(~pl.col("figure_origin").is_in(["carried_over", "retained"]).fill_null(False))
    releases = own.filter(pl.col("year") == pl.col("year").max())["provider_release"].drop_nulls().mode().sort()
    return releases[-1] if releases.len() else None


def relation(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Release:
    """Return how the release of an answer compares with the newest one that sent or confirmed the last vintage."""
    return compare(_held(previous, context), release_of(candidates))


def _held(previous: pl.DataFrame, context: Context) -> str | None:
    held, confirmed = release_of(previous), context.confirmed_release
    return confirmed if compare(held, confirmed) is Release.NEWER else held


def older_answer(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back an answer of an older release than the one held, or one that repeats a vintage before the last."""
    keys = ["iso3", "year"]
    last = previous.filter(pl.col("year") >= context.first_year).select(*keys, last="value")
    both = candidates.select(*keys, "value").join(last, on=keys, how="full", coalesce=True)
    changed = both.filter(context.size.moved.fill_null(True))
    if previous.is_empty() or changed.is_empty() or context.adds:
        return None
    how = relation(candidates, previous, context)
    if how is Release.OLDER:
        return f"the answer is of {release_of(candidates)}, the figures held are of {_held(previous, context)}"
    # another provider may have had the figures of an earlier vintage all along
    if how in (Release.NEWER, Release.OTHER) or _asked(candidates) != _asked(previous):
        return None
    for at, vintage in context.older():
        earlier = changed.join(vintage.select(*keys, earlier="value"), on=keys, how="left")
        if earlier["value"].equals(earlier["earlier"].alias("value")):
            return f"the answer has the figures of the vintage of {at:%Y-%m-%d} again, which later ones replaced"
    return None


def _asked(series: pl.DataFrame) -> str | None:
    """Return the provider that sent most of a series."""
    return series["retrieved_via"].mode().sort().first() if series.height else None  # type: ignore[return-value]


def large_revision(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Hold back economies with far larger changes than a large revision, unless a newer release announces them."""
    rows = compared(candidates, previous)
    scale = pl.col("last").abs() if context.size.relative else pl.lit(1.0)
    change = (pl.col("value") - pl.col("last")).abs() / scale / context.size.large
    economies = rows.group_by("iso3").agg(share=context.size.revised.mean(), change=change.median())
    found = economies.filter(pl.col("share") >= REVISED, pl.col("change") > UNANNOUNCED).sort("iso3")
    if found.is_empty() or context.adds:  # an operator's table, which is corrected without a new name
        return Checked(candidates)
    if relation(candidates, previous, context) in (Release.NEWER, Release.OTHER) or _brings_more(candidates, previous):
        by = release_of(candidates) or "an answer with new figures"
        return Checked(candidates, warnings=(f"{named(found)} revised by much in {by}: see the table revisions",))
    held = release_of(previous)
    reason = "large changes that no release announces" if held is None else f"large changes within {held}"
    if 2 * found.height > economies.height:
        return Checked(candidates, held_back=f"{found.height} of {economies.height} economies have {reason}")
    refused = candidates.join(found, on="iso3", how="semi", maintain_order="left").with_columns(reason=pl.lit(reason))
    return Checked(
        candidates.join(found, on="iso3", how="anti", maintain_order="left"),
        refused,
        doubted=refused.select("iso3", "year", "reason"),
        warnings=(f"{named(found)} held back, the last figures stay: {reason}",),
    )


def _brings_more(candidates: pl.DataFrame, previous: pl.DataFrame) -> bool:
    """Return whether an answer without the name of its release has figures that the last vintage lacks."""
    if release_of(candidates):
        return False
    return candidates.join(previous, on=["iso3", "year"], how="anti").height > 0
