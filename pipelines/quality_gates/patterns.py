"""Gates for patterns that figures have after a fault and not after a revision: one factor, one value, a copied year.

Belongs here: patterns within one economy, one year or the series. Does not belong here: figures that belong to another
economy, year or indicator (``places``), revisions (``releases``).

Evidence is counted in bits: how improbable the pattern would be if figures were independent within their usual
precision. Thresholds are set so that a chance finding is expected less than once in a thousand comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.quality_gates.gate import Context, Doubt, compared
from pipelines.quality_gates.series import ENOUGH

ENOUGH_BITS = 10.0
"""Evidence that is needed: a chance of one in about a thousand, after all comparisons are counted."""

FACTOR = 1.5
"""Smallest factor, either way, between new and old figures that is not a rebased or re-estimated series."""

EXACT = 2e-3
"""Largest relative distance of a figure from its exact multiple. Printed figures have three or four digits."""

FITTING = 0.7
"""Share of figures that must have a pattern: an answer may revise others at the same time."""

REPEATED = 0.9
"""Share of economies with the figure of the year before, from which a year counts as copied."""

UNUSUAL = 0.75
"""Largest such share in any earlier year, or the last vintage, of a series that does not repeat its figures.

The largest of the bundled series is 0.70 (prices of fixed broadband, 2019)."""

USUAL_STEP = 0.47
"""Largest change of a new year that no history is needed for: the logarithm of 1.6."""

STEPS = 2.5
"""Times the largest earlier change of a year that a new year may change. The bundled series stay below 1.75."""

FIRST_STEP = 1.61
"""Largest change of a new year without three earlier ones: the logarithm of 5."""

BITS_PER_DIGIT = 3.32
"""Evidence of one figure that lost a digit: the binary logarithm of ten."""


def one_factor(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back an economy or year whose figures are those of the last vintage times one factor of 1.5 or more."""
    rows = compared(candidates, previous).filter(pl.col("last") != 0, pl.col("value") != 0)
    if rows.is_empty():
        return ()
    moved = max(1, rows.filter(context.size.moved)["iso3"].n_unique())
    years = _scaled(rows, "year", ENOUGH, rows["year"].n_unique(), context)
    rest = rows.join(years.found, on="year", how="anti")
    return years, _scaled(rest, "iso3", 1, moved, context)


def _scaled(rows: pl.DataFrame, by: str, enough: int, comparisons: int, context: Context) -> Doubt:
    """Return the groups in which most figures are one multiple of the last vintage's."""
    # the median is one of the ratios, so that an even number of figures has no factor between two of them
    middle = (pl.col("value") / pl.col("last")).sort().gather(pl.len() // 2).first()
    near = pl.col("factor").round_sig_figs(1)
    is_round = ((pl.col("factor") / near - 1).abs() < EXACT) & pl.col("factor").abs().log10().is_finite()
    round_factor = is_round & (
        _whole(pl.col("factor").abs().log10()) | pl.col("factor").abs().round(3).is_in([2.0, 0.5])
    )
    multiple = pl.col("factor") * pl.col("last")
    off = (pl.col("value") - multiple).abs()
    judged = (
        rows.with_columns(factor=middle.over(by))
        .with_columns(fits=off <= EXACT * multiple.abs(), round_factor=round_factor)
        .with_columns(bits=pl.when("fits").then(-pl.lit(EXACT).log(2)).otherwise(0.0))
        .group_by(by)
        .agg(
            pl.len(),
            pl.col("fits").mean(),
            pl.col("factor").first(),
            pl.col("round_factor").first(),
            # equal figures are one piece of evidence
            bits=pl.col("bits").filter(pl.col("last").round_sig_figs(4).is_first_distinct()).sum(),
            moved=context.size.moved.any(),
        )
    )
    # a factor that is not round is itself estimated from one figure
    evidence = pl.col("bits") - pl.when("round_factor").then(2.0).otherwise(-pl.lit(EXACT).log(2))
    evidence -= pl.lit(float(comparisons)).log(2)
    needed = pl.when("round_factor").then(ENOUGH_BITS / 2).otherwise(ENOUGH_BITS)
    away = (pl.col("factor") < 0) | (pl.col("factor").abs().log().abs() > pl.lit(FACTOR * (1 - EXACT)).log())
    found = judged.filter(pl.col("len") >= enough, pl.col("fits") >= FITTING, away, evidence >= needed, pl.col("moved"))
    reason = pl.format("the figures are {} times those of the last vintage", pl.col("factor").round_sig_figs(3))
    return Doubt(found.select(by, reason=reason), judged.height)


def _whole(number: pl.Expr) -> pl.Expr:
    return (number - number.round()).abs() < 1e-3


def all_same(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back an economy, year or series with one value for every figure, where the last vintage has several."""
    values = candidates["value"]
    if values.len() >= 2 * ENOUGH and values.n_unique() == 1 and previous["value"].n_unique() != 1:
        value = values[0]
        return [Doubt(candidates.select("year", reason=pl.lit(f"every figure is {value:g}")).unique("year"), 1)]
    if previous.is_empty():
        return ()
    rows = compared(candidates, previous)
    return [_flat(rows, "year", 2 * ENOUGH, ENOUGH), _flat(rows, "iso3", 3, 3)]


def _flat(rows: pl.DataFrame, by: str, enough: int, several: int) -> Doubt:
    groups = rows.group_by(by).agg(
        pl.len(), pl.col("value").n_unique(), pl.col("last").n_unique(), first=pl.col("value").first()
    )
    found = groups.filter(pl.col("len") >= enough, pl.col("value") == 1, pl.col("last") >= several)
    return Doubt(found.select(by, reason=pl.format("every figure is {}", "first")), groups.height)


def repeated_year(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back a year with the figures of the year before, for all or the members, in a series that repeats none."""
    value, iso3 = pl.col("value"), pl.col("iso3")
    equal = (value == value.shift()) & (iso3 == iso3.shift())
    years = candidates.sort("iso3", "year").select(pl.col("year").filter(equal)).to_series()
    if years.len() < ENOUGH or years.unique_counts().max() < ENOUGH:  # type: ignore[operator]
        return ()
    doubts = []
    enough = pl.col("count") >= ENOUGH
    copied = (pl.col("share") >= REPEATED) & enough
    for areas in (pl.lit(True), iso3.is_in(sorted(context.areas.members))):
        now = _repeats(candidates, areas, context)
        if now.filter(copied).is_empty():
            continue
        before = _repeats(previous, areas, context).select("year", known="share")
        usual = now.select(pl.when(enough).then("share").shift().cum_max().forward_fill().fill_null(0.0)).to_series()
        judged = now.with_columns(usual=usual, newest=pl.col("year") == pl.col("year").max()).join(
            before, on="year", how="left"
        )
        # without an earlier pair of years or a last vintage, whole numbers may repeat in nearly all economies
        alone = pl.col("known").is_null() & (pl.col("place") == 0) & ~pl.col("fine")
        alone &= (pl.col("share") < 1) | (pl.col("count") < 4 * ENOUGH)
        unusual = pl.coalesce("known", pl.when("newest").then("usual").otherwise(1.0)) <= UNUSUAL
        found = judged.filter(copied, unusual, ~alone)
        reason = pl.format("{} of {} economies have the figure of {}", "same", "count", "year_before")
        doubts.append(Doubt(found.select("year", reason=reason), max(judged.height, 2)))
        if found.height:
            break
    return doubts


def _repeats(series: pl.DataFrame, areas: pl.Expr, context: Context) -> pl.DataFrame:
    """Return for each year the share of the ``areas`` with the figure of the year before it in the series.

    Figures at an end of the series, such as 0 or 100 percent, are left out: they repeat in any honest series.
    """
    rows = series.lazy().select("iso3", "year", "value").filter(areas)
    years = rows.select("year").unique().sort("year").with_columns(year_before=pl.col("year").shift()).drop_nulls()
    limits = [context.indicator.valid_range.min, context.indicator.valid_range.max, 0.0]
    value = pl.col("value")
    is_end = value.is_in(limits) | (value == value.min()) | (value == value.max())
    pairs = (
        rows.with_columns(is_end=is_end)
        .join(years, on="year")
        .join(rows.rename({"year": "year_before"}), on=["iso3", "year_before"], suffix="_before")
        .filter(~pl.col("is_end"))
    )
    same = pl.col("value") == pl.col("value_before")
    return (
        pairs.group_by("year", "year_before")
        .agg(
            count=pl.len(),
            same=same.sum(),
            share=same.mean(),
            fine=((pl.col("value") != pl.col("value").round()).mean() > 0.5) & (pl.len() >= 2 * ENOUGH),
        )
        .sort("year")
        .with_row_index("place")
        .collect()
    )


def fewer_decimals(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back an economy or series whose figures lost their decimals, if that changes them by more than rounding."""
    rows = compared(candidates, previous).with_columns(moved=context.size.moved)
    economies = rows["iso3"].n_unique()
    for digits in range(4):
        fine = rows.filter((pl.col("last") - pl.col("last").round(digits)).abs() > 1e-9)
        on_grid = (pl.col("value") - pl.col("value").round(digits)).abs() < 1e-9
        near = (pl.col("value") - pl.col("last")).abs() <= 1.001 * 10**-digits
        # whole numbers are a fault if any figure changes by it; fewer decimals only if many do
        harm = pl.col("moved").any() if digits == 0 else pl.col("moved").mean() >= 0.3
        lost = [pl.len() >= ENOUGH - 1, on_grid.all(), near.mean() >= FITTING, harm, pl.col("value").n_unique() > 1]
        reason = pl.lit(f"figures with more decimals came with {digits}")
        changed = max(1, fine.filter("moved")["iso3"].n_unique())
        evidence = pl.len() * BITS_PER_DIGIT - pl.lit(float(changed)).log(2) >= ENOUGH_BITS
        if fine.height and fine.select(pl.all_horizontal(*lost, pl.len() * BITS_PER_DIGIT >= 2 * ENOUGH_BITS)).item():
            return [Doubt(fine.select("iso3", reason=reason).unique("iso3"), 1)]
        found = fine.group_by("iso3").agg(lost=pl.all_horizontal(*lost, evidence)).filter("lost")
        if found.height:
            return [Doubt(found.select("iso3", reason=reason).sort("iso3"), economies)]
    return ()


def new_year(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Sequence[Doubt]:
    """Hold back a new year in which the median economy changed far more than in any year before."""
    if previous.is_empty():
        return ()
    known = pl.col("year").is_in(previous["year"].implode())
    steps = _steps(candidates)
    usual = _steps(previous).filter(pl.col("count") >= ENOUGH)
    limit = FIRST_STEP if usual.height < 3 else max(USUAL_STEP, STEPS * float(usual["step"].abs().max()))  # type: ignore[arg-type]
    found = steps.filter(~known, pl.col("count") >= ENOUGH, pl.col("step").abs() > limit)
    reason = pl.format(
        "the figures are {} times those before them in the median", pl.col("step").exp().round_sig_figs(3)
    )
    return [Doubt(found.select("year", reason=reason), max(2 * found.height, candidates["year"].n_unique()))]


def _steps(series: pl.DataFrame) -> pl.DataFrame:
    """Return for each year the median logarithm of the ratio of a figure to the economy's figure before it."""
    ordered = series.select("iso3", "year", "value").sort("iso3", "year")
    pairs = ordered.with_columns(before=pl.col("value").shift().over("iso3"))
    pairs = pairs.filter(pl.col("value") > 0, pl.col("before") > 0)
    step = (pl.col("value") / pl.col("before")).log().median()
    return pairs.group_by("year").agg(count=pl.len(), step=step).sort("year")
