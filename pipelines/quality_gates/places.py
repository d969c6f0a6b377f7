"""Gates for figures in a wrong place: those of another economy, another year or another indicator.

Belongs here: comparing figures with those that the last vintages have elsewhere. Does not belong here: patterns within
one economy or year (``patterns``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from pipelines.quality_gates.gate import Context, Doubt, compared
from pipelines.quality_gates.patterns import ENOUGH_BITS, FITTING
from pipelines.quality_gates.series import ENOUGH
from sources.observation import PLACE

CLEAR_BITS = 4 * ENOUGH_BITS
"""Evidence that is enough although the figures differ by less than a large revision."""

MOST_BITS = 16.0
"""Most evidence of one equal figure: no indicator is known to more than five digits."""

SAME_ORDER = 0.75
"""Smallest rank correlation between the economies' figures of one year in two vintages."""

SAME_LEVEL = 0.5
"""Largest median change of one year's figures, as a share of the range of the middle half of the economies."""

SAME_SERIES = 0.9
"""Share of equal figures from which a series counts as another indicator's."""

_FEWEST = 2 * ENOUGH
"""Fewest equal figures of a series that counts as another indicator's."""

_DIGITS = 5
"""Significant digits of equal figures: vintages of one provider differ in later ones."""


def other_economy(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back economies whose figures are those of another economy in the last vintage, such as exchanged ones."""
    last = previous.select("iso3", "year", last="value")
    rows = candidates.select("iso3", "year", "value").join(last, on=["iso3", "year"], how="left")
    moved = rows.filter(context.size.moved.fill_null(True))
    economies = moved["iso3"].n_unique()
    if not economies or previous.is_empty():
        return ()
    owners = _owners(previous)
    equal = moved.with_columns(_key("value")).join(owners, on=["year", "key"]).filter(pl.col("iso3") != pl.col("owner"))
    changes = moved.group_by("iso3").agg(large=context.size.revised.mean().fill_null(1.0))
    links = (
        equal.group_by("iso3", "owner")
        .agg(equal=pl.len(), replaced=pl.col("last").count(), bits=pl.col("bits").sum())
        .filter(pl.col("replaced") > 0)
    )
    # a figure can only be another economy's in the years of which that economy has one
    changed = moved.select("iso3", "year", changed=pl.lit(1))
    shared = (
        links.select("iso3", "owner")
        .join(rows.select("iso3", "year"), on="iso3")
        .join(owners.select("owner", "year"), on=["owner", "year"])
        .join(changed, on=["iso3", "year"], how="left")
        .group_by("iso3", "owner")
        .agg(changed=pl.col("changed").count(), still=pl.col("changed").null_count())
    )
    links = (
        links.join(shared, on=["iso3", "owner"])
        .join(changes, on="iso3")
        .filter(2 * pl.col("equal") > pl.col("changed"), pl.col("equal") > pl.col("still"))
    )
    back = links.select(iso3="owner", owner="iso3", back="bits")
    links = links.join(back, on=["iso3", "owner"], how="left")
    choices = max(1, previous["iso3"].n_unique() - 1)
    alone = pl.col("bits") - pl.lit(float(economies * choices)).log(2)
    swapped = pl.col("bits") + pl.col("back") - pl.lit(max(1.0, economies * (economies - 1) / 2)).log(2)
    evidence = pl.max_horizontal(alone, swapped)
    matters = (pl.col("large") >= 0.5) | (evidence >= CLEAR_BITS)
    sure = links.filter(evidence >= ENOUGH_BITS, matters)
    # less evidence is enough for an economy that exchanges its figures with one of these
    involved = pl.col("iso3").is_in(sure["owner"].implode()) | pl.col("owner").is_in(sure["iso3"].implode())
    found = links.filter(((evidence >= ENOUGH_BITS) & matters) | (involved & (evidence >= 0)))
    found = pl.concat([found.select("iso3", "owner", "bits"), _among(equal, moved.drop_nulls("last"), rows, context)])
    found = found.sort("iso3", "bits").unique("iso3", keep="last")
    reason = pl.format("the figures are those of {} in the last vintage", "owner")
    return [Doubt(found.select("iso3", reason=reason).sort("iso3"), rows["iso3"].n_unique())]


def _among(equal: pl.DataFrame, moved: pl.DataFrame, rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return the economies that changed places among each other, if a few have nearly all changes of the answer."""
    revised = moved.filter(context.size.revised)
    few, all_economies = revised["iso3"].n_unique(), rows["iso3"].n_unique()
    among = equal.join(revised, on=["iso3", "year"], how="semi").filter(
        pl.col("owner").is_in(revised["iso3"].implode())
    )
    among = among.sort("bits").unique(["iso3", "year"], keep="last")
    evidence = (among["bits"] - math.log2(max(few, 1))).clip(0).sum()
    sure = 4 * few <= all_economies and among.height >= SAME_ORDER * revised.height and evidence >= ENOUGH_BITS
    return among.select("iso3", "owner", "bits").head(among.height if sure else 0)


def _key(column: str) -> pl.Expr:
    return pl.col(column).round_sig_figs(_DIGITS).alias("key")


def _owners(series: pl.DataFrame) -> pl.DataFrame:
    """Return ``owner``, ``year``, ``key`` and ``bits`` of every figure.

    ``bits`` is the evidence of an equal figure: the number of values that the figures of its year could have, or the
    share of economies that have this one.
    """
    decimals = next(
        (
            digits
            for digits in range(6)
            if ((series["value"] - series["value"].round(digits)).abs() < 1e-9).mean() > 0.95  # type: ignore[operator]
        ),
        6,
    )
    spread = (pl.col("value").quantile(0.95) - pl.col("value").quantile(0.05)) * 10**decimals
    possible = spread.clip(1.0).log(2).clip(0.0, MOST_BITS).over("year")
    keyed = series.select(pl.col("iso3").alias("owner"), "year", _key("value"), possible=possible)
    shared, alike = (pl.len().over("year") / pl.len().over("year", "key")).log(2), pl.len().over("year", "key") > 1
    bits = pl.when(alike).then(pl.min_horizontal(shared, "possible")).otherwise("possible")
    return keyed.select("owner", "year", "key", bits=bits)


def other_year(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back economies whose figures are those of the last vintage, dated one year earlier or later."""
    last = previous.select("iso3", "year", _key("value"))
    rows = candidates.select("iso3", "year", _key("value"))
    same = rows.join(last, on=["iso3", "year", "key"], how="semi").select("iso3", "year", same=pl.lit(True))
    for shift in (-1, 1):
        there = last.with_columns(pl.col("year") + shift).rename({"key": "there"})
        judged = rows.join(there, on=["iso3", "year"]).join(same, on=["iso3", "year"], how="left")
        judged = judged.with_columns(shifted=pl.col("key") == pl.col("there"))
        counts = [
            pl.len().alias("all"),
            pl.col("same").sum(),
            pl.col("shifted").sum(),
            pl.col("key").filter(pl.col("shifted")).n_unique().alias("distinct"),
        ]
        dated = (pl.col("shifted") >= FITTING * pl.col("all")) & (pl.col("shifted") > 2 * pl.col("same"))
        reason = pl.lit(
            f"every figure is dated one year {'after' if shift == 1 else 'before'} that of the last vintage"
        )
        if judged.select(*counts).select(dated & (pl.col("distinct") >= 2 * ENOUGH)).item():
            return [Doubt(judged.select("iso3", reason=reason).unique("iso3"), 1)]
        found = judged.group_by("iso3").agg(*counts).filter(dated, pl.col("distinct") >= 3)
        if found.height:
            return [Doubt(found.select("iso3", reason=reason).sort("iso3"), candidates["iso3"].n_unique())]
    return ()


def other_order(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back years in which the economies have another order, or another level, than in the last vintage."""
    value, last = pl.col("value"), pl.col("last")
    middle = last.quantile(0.75) - last.quantile(0.25)
    years = (
        compared(candidates, previous)
        .group_by("year")
        .agg(
            pl.len(),
            order=pl.corr(value.rank(), last.rank()),
            level=(value - last).abs().median() / middle,
            moved=context.size.moved.mean(),
            large=context.size.revised.mean(),
        )
        .filter(pl.col("len") >= ENOUGH + 3)
        .sort("year")
    )
    # corr is NaN for equal figures
    mixed = (pl.col("order").fill_nan(None) < SAME_ORDER) & (pl.col("moved") > 0.5)
    level = (pl.col("level").fill_nan(None) > SAME_LEVEL) & (pl.col("large") > 0.5)
    found = years.filter(mixed | level)
    reason = (
        pl.when(pl.col("order").fill_nan(None) < SAME_ORDER)
        .then(pl.format("the rank correlation with the last vintage is {}", pl.col("order").round(2)))
        .otherwise(pl.format("the median change is {} of the range of the middle half", pl.col("level").round(2)))
    )
    return [Doubt(found.select("year", reason=reason), years.height)]


def other_indicator(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back a series with the figures of another indicator's last vintage."""
    if previous.height:
        rows = compared(candidates, previous)
        if rows.is_empty() or 2 * rows.filter(context.size.moved).height <= rows.height:
            return None
    others = context.others()
    if others.is_empty():
        return None
    found = _matches(candidates, others)
    usual = set(_matches(previous, others)["indicator"]) if found.height and previous.height else set()
    for name, equal, both in found.rows():
        if name not in usual:
            return f"{equal} of {both} figures are those of {name}"
    return None


def figures_of(series: pl.DataFrame) -> pl.DataFrame:
    """Return figures in the form of ``Context.others``."""
    return series.select(pl.col("indicator_id").alias("indicator"), *PLACE, _key("value"))


def repeated(figures: pl.DataFrame) -> pl.DataFrame:
    """Return ``indicator`` and ``hash`` of the figures, as ``figures_of`` has them, that several indicators have."""
    place = pl.struct(*PLACE, "key").hash()  # two figures may have one hash
    of_all = figures.lazy().filter(pl.col("key") != 0).select("indicator", hash=place).unique()
    return of_all.filter(pl.col("hash").is_duplicated()).collect()


def akin(indicator_id: str, figures: pl.DataFrame) -> set[str]:
    """Return the other indicators with enough figures of one for ``other_indicator``, given what is ``repeated``."""
    is_own = pl.col("indicator") == indicator_id
    own = figures.filter(is_own)
    if own.height < _FEWEST:
        return set()
    equal = figures.filter(~is_own).join(own, on="hash", how="semi").group_by("indicator").len()
    return set(equal.filter(pl.col("len") >= _FEWEST)["indicator"])


def _matches(series: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return ``indicator``, ``equal`` and ``both`` of the indicators with nearly the same figures."""
    rows = series.select(*PLACE, _key("value")).filter(pl.col("key") != 0)
    equal = (
        others.join(rows, on=[*PLACE, "key"], how="semi")
        .group_by("indicator")
        .agg(equal=pl.len(), distinct=pl.col("key").n_unique())
        .filter(pl.col("distinct") >= _FEWEST)
    )
    if equal.is_empty():
        return equal.select("indicator", "equal", both="equal")
    return (
        others.join(equal, on="indicator")
        .join(rows, on=PLACE, how="semi")
        .group_by("indicator", "equal")
        .agg(both=pl.len())
        .filter(pl.col("equal") >= SAME_SERIES * pl.col("both"), 2 * pl.col("both") > series.height)
        .sort("indicator")
    )
