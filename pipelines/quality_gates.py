"""Quality gates: every rule that may refuse a figure or hold back a series, in the order in which they apply.

Belongs here: the gates, their reasons, and running them. Does not belong here: reading a provider's format (adapters),
the columns of an observation (``sources.observation``), the entries of ``corrections.yml`` (``sources.corrections``).

``python -m pipelines.quality_gates docs/sources.md`` writes the list of gates into that page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path

import polars as pl

from sources import corrections
from sources.catalogue import Indicator
from sources.chain import newest
from sources.corrections import Located
from sources.observation import (
    KEY,
    OBSERVATION,
    Areas,
    as_rejects,
    empty_observations,
    empty_rejects,
    utc_now,
    with_contract_faults,
    with_rule_reasons,
)

SHRINK_LIMIT = 0.10
"""Share of the last vintage's country-years that a new series may lose."""

SCALE_LIMIT = 20.0
"""Largest factor, either way, between new and old figures in the median. A percentage sent as a share is 100 times
smaller; a series of zeros is smaller than by any factor."""

POINT_MOVED = 0.005
"""Largest distance between log10(new / old) and a whole number. Rounding causes small distances."""

ENOUGH = 5
"""Fewest figures of one year that are compared as a group."""

STALE_MIRROR = "stale_mirror"
"""Code of the gate for mirrors. The reason begins with it."""

ALL_REJECTED = "all_rejected"
"""Code that stands for the gates that rejected every record."""


@dataclass(frozen=True)
class Context:
    """What a gate may read besides the figures.

    ``provider`` is the one that answered. ``why_mirrored`` says why the first of the chain did not, if it is another.
    """

    indicator: Indicator
    areas: Areas
    last_year: int
    corrections: tuple[Located, ...] = ()
    provider: str = ""
    why_mirrored: str | None = None
    accept_shrink: bool = False


@dataclass(frozen=True)
class Checked:
    """Result of one gate, or of several in order.

    Attributes:
        accepted: Figures that passed, columns ``OBSERVATION``.
        refused: Figures that did not, columns ``OBSERVATION`` and ``reason``.
        held_back: Why the whole series is not used, None if it may be used.
        gate: Code of the gate that held back the series (``ALL_REJECTED`` if no figure is left), else None.
        replaced: The provider's records that a correction changed or dropped, columns ``REJECT``.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame = field(default_factory=lambda: empty_observations().with_columns(reason=pl.lit("")))
    held_back: str | None = None
    gate: str | None = None
    replaced: pl.DataFrame = field(default_factory=empty_rejects)

    @property
    def rejected(self) -> pl.DataFrame:
        """Return the refused figures as reject records, columns ``REJECT``."""
        return as_rejects(self.refused)

    @property
    def rejected_keys(self) -> pl.DataFrame:
        """Return ``iso3`` and ``year`` of the refused figures."""
        return self.refused.select("iso3", "year")


Check = Callable[[pl.DataFrame, pl.DataFrame, Context], Checked]
"""``(candidates, previous vintage, context) -> Checked``. The previous vintage has no rows if there is none."""


@dataclass(frozen=True)
class Gate:
    """One rule. ``check`` is None if the module ``where`` applies it; ``--accept-shrink`` skips a ``waivable`` one.

    ``docs/sources.md`` prints ``text``, else the docstring of ``check``.
    """

    code: str
    check: Check | None = None
    waivable: bool = False
    text: str = ""
    where: str = "pipelines.quality_gates"

    @property
    def does(self) -> str:
        """Return the sentence of the documentation."""
        return self.text or " ".join(str(self.check.__doc__).split())


def run_gates(gates: Sequence[Gate], candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Apply gates in order, until one holds back the series or no figure is left.

    Args:
        gates: Gates to apply.
        candidates: New figures of one indicator, columns ``OBSERVATION``. Equal rows count once.
        previous: Figures of the last vintage, without rows if there is none.
        context: The indicator and what else the gates read.
    """
    done = Checked(candidates.select(OBSERVATION.keys()).cast(OBSERVATION).unique(maintain_order=True))  # type: ignore[arg-type]
    for gate in gates:
        if gate.check is None or (gate.waivable and context.accept_shrink):
            continue
        result = gate.check(done.accepted, previous, context)
        refused, replaced = pl.concat([done.refused, result.refused]), pl.concat([done.replaced, result.replaced])
        done = replace(result, refused=refused, replaced=replaced)
        if done.accepted.is_empty():
            break
        if done.held_back:
            remedy = f"carec refresh --only {context.indicator.id} --accept-shrink"
            advice = f"; the last vintage stays; if this is right: {remedy}" if gate.waivable else ""
            return replace(done, held_back=f"{done.held_back}{advice}", gate=gate.code)
    if done.accepted.height:
        return done
    reason = done.rejected["reason"][0] if done.refused.height else "dropped by a correction"
    held_back = f"{context.provider}: every record was rejected ({reason})"
    return replace(done, held_back=held_back, gate=ALL_REJECTED)


def validate(records: pl.DataFrame, indicator: Indicator, areas: Areas, last_year: int | None = None) -> Checked:
    """Apply the gates that need no previous vintage: reject rules, contract and duplicates.

    Args:
        records: Candidate observations, columns ``OBSERVATION``.
        indicator: The indicator of all records.
        areas: The areas that the project knows.
        last_year: The newest year that is accepted; by default the year after the current one.
    """
    context = Context(indicator, areas, last_year or utc_now().year + 1)
    return run_gates(RECORD_GATES, records, empty_observations(), context)


def _split(judged: pl.DataFrame) -> Checked:
    """Return a result that refuses the rows with a ``reason``."""
    refused = pl.col("reason").is_not_null()
    return Checked(judged.filter(~refused).drop("reason"), judged.filter(refused))


def _reject_rules(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse records that a rule of the indicator (`reject_rules`) matches."""
    return _split(with_rule_reasons(candidates, context.indicator))


def _contract(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse records with another unit, an unknown area, or a year or value outside the valid range."""
    return _split(with_contract_faults(candidates, context.indicator, context.areas.known, context.last_year))


def _duplicates(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse all records of a country and year that have different values."""
    distinct = candidates.unique([*KEY, "value"], maintain_order=True).sort(KEY, maintain_order=True)
    several = pl.when(pl.len().over(KEY) > 1).then(pl.lit("several values for one country and year"))
    return _split(distinct.with_columns(reason=several))


def _corrections(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Apply `corrections.yml`; hold back a series that an active entry does not fit."""
    corrected = corrections.apply(candidates, context.indicator, context.corrections)
    held_back = "; ".join(corrected.misfits.values()) or None
    return Checked(corrected.observations, held_back=held_back, replaced=corrected.originals)


def _moved_points(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Refuse figures whose decimal point moved by two or three digits, if they are less than half of the series."""
    judged = candidates.join(previous.select(*KEY, last="value"), on=KEY, how="left", maintain_order="left")
    digits = (pl.col("value") / pl.col("last")).abs().log10()
    exact = (digits - digits.round()).abs() < POINT_MOVED
    moved = digits.abs().round().is_between(2, 3) & exact & (pl.col("value") != 0) & (pl.col("last") != 0)
    few = 2 * moved.sum() < pl.col("last").count()
    said = pl.format("the value {} is the last vintage's {} with its point moved: another unit", "value", "last")
    return _split(judged.with_columns(reason=pl.when(moved & few).then(said)).drop("last"))


def _hold(fault: Callable[[pl.DataFrame, pl.DataFrame, Context], str | None]) -> Check:
    """Return a check that accepts every figure and holds back the series if it has a fault."""

    @wraps(fault)
    def check(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
        return Checked(candidates, held_back=fault(candidates, previous, context))

    return check


def _mirror_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back a mirror's series that ends before the last vintage, for the members or for all economies."""
    members = pl.col("iso3").is_in(sorted(context.areas.members))
    for whose, areas in (("members'", members), ("any economy's", pl.lit(True))):
        reached, known = newest(candidates.filter(areas)), newest(previous.filter(areas))
        if context.why_mirrored and known is not None and (reached is None or reached < known):
            found = "there is none" if reached is None else f"is of {reached}"
            fault = f"of {whose} figures the newest {found}, the last vintage has {known}"
            return f"{STALE_MIRROR}: {context.provider}: {fault}; {context.why_mirrored}"
    return None


def _loss_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
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


def _scale_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
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


def _first_fault(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> str | None:
    """Hold back the first series of an indicator if all figures are zero or no percentage is above 1."""
    largest = float(candidates["value"].abs().max())  # type: ignore[arg-type]
    if previous.height or candidates.height < 2 * ENOUGH or largest > 1:
        return None
    if largest == 0:
        return "every figure is zero"
    if context.indicator.unit == "pct":
        return f"no figure is more than {largest:g} percent: shares, or no figures"
    return None


ANSWER_GATES = (
    Gate(
        "adapter_fault",
        text="Ask the next provider if an answer is an error, cannot be read, or lacks the requested series.",
        where="sources.chain",
    ),
    Gate(
        "unreadable_record",
        text="Refuse records whose value is not a number, or whose area or year is not known.",
        where="sources.parsing",
    ),
)
RECORD_GATES = (
    Gate("reject_rule", _reject_rules, where="sources.observation"),
    Gate("contract", _contract, where="sources.observation"),
    Gate("duplicate", _duplicates),
)
FIGURE_GATES = (
    *RECORD_GATES,
    Gate("correction", _corrections, where="sources.corrections"),
    Gate(STALE_MIRROR, _hold(_mirror_fault)),
    Gate("moved_point", _moved_points, waivable=True),
)
SERIES_GATES = (
    Gate("loss", _hold(_loss_fault), waivable=True),
    Gate("scale", _hold(_scale_fault), waivable=True),
    Gate("first_series", _hold(_first_fault), waivable=True),
)
"""Gates for the series after the figures that stay from the last vintage were added."""

PUBLICATION_GATES = (
    Gate(
        "observations_are_in_range",
        text="Do not publish a build with a figure outside the valid range of its indicator.",
        where="dbt_project/tests",
    ),
    Gate(
        "independent_origins_agree",
        text="Warn if figures of independent origins contradict each other; the build is published.",
        where="dbt_project/tests",
    ),
)
GATES = (*ANSWER_GATES, *FIGURE_GATES, *SERIES_GATES, *PUBLICATION_GATES)
"""All gates, in order."""

_BEGIN, _END = "<!-- gates: begin (written by `make docs`) -->", "<!-- gates: end -->"


def with_gate_list(page: str) -> str:
    """Return a page with the list of gates between its two marks."""
    lines = [_BEGIN, "| | gate | what it does | decided in |", "| ---: | --- | --- | --- |"]
    for number, gate in enumerate(GATES, 1):
        waiver = " `--accept-shrink` skips it." if gate.waivable else ""
        lines.append(f"| {number} | `{gate.code}` | {gate.does}{waiver} | `{gate.where}` |")
    block = "\n".join([*lines, _END])
    return re.sub(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", lambda _: block, page, flags=re.DOTALL)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_gate_list(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
