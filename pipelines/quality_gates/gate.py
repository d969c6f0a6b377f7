"""What a gate is, what it may read, and running gates in order.

Belongs here: the types that all gates share and how their results are combined. Does not belong here: a rule (the other
modules of this package), the order of the rules (``pipelines.quality_gates``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, wraps
from typing import Literal

import polars as pl

from sources.catalogue import Indicator
from sources.corrections import Located
from sources.errors import listed
from sources.observation import OBSERVATION, PLACE, Areas, as_rejects, empty_rejects

ALL_REJECTED = "all_rejected"
"""Code that stands for the gates that rejected every record."""

NAMED = 6
"""Most economies that a reason names."""


@dataclass(frozen=True)
class RevisionSize:
    """Limits of a revision in a unit: a row of the seed ``revision_sizes``.

    ``rounding`` and ``large`` are in the unit, or shares of the earlier figure if ``relative``.
    """

    relative: bool = True
    rounding: float = 0.0005
    large: float = 0.05

    def beyond(self, limit: float) -> pl.Expr:
        """Return whether ``value`` and ``last`` differ by more than a limit (``rounding`` or ``large``)."""
        scale = pl.col("last").abs() if self.relative else pl.lit(1.0)
        return (pl.col("value") - pl.col("last")).abs() > limit * scale + 1e-9

    @property
    def moved(self) -> pl.Expr:
        """Return whether ``value`` differs from ``last`` by more than rounding."""
        return self.beyond(self.rounding)

    @property
    def revised(self) -> pl.Expr:
        """Return whether ``value`` is a large revision of ``last``."""
        return self.beyond(self.large)


@dataclass(frozen=True)
class Context:
    """What a gate may read besides the figures.

    Attributes:
        provider: The one that answered.
        why_mirrored: Why the first of the chain did not, if another answered.
        accept_shrink: Skip the gates that compare a series with the last vintage in size and scale.
        accept_revision: Skip every gate that an option skips.
        size: Limits of a revision in the indicator's unit.
        confirmed_release: The release that confirmed the last vintage, if any did.
        first_year: The first year that was requested.
        adds: Whether the answer adds figures and withdraws none.
        rejected_areas: Economies with a record that could not be read.
        unknown_areas: Codes of areas in the answer that the project does not know.
        is_sound: Whether all records are known to satisfy the contract of an observation.
        is_distinct: Whether no two records are known to be of one country and year.
        older: Returns the vintages before the last one, newest first, with their times.
        others: Returns the figures of the last vintages of other indicators, as ``places.figures_of`` has them: of
            every one with enough figures of the answer, at least.
    """

    indicator: Indicator
    areas: Areas
    last_year: int
    corrections: tuple[Located, ...] = ()
    provider: str = ""
    why_mirrored: str | None = None
    accept_shrink: bool = False
    accept_revision: bool = False
    size: RevisionSize = RevisionSize()
    confirmed_release: str | None = None
    first_year: int = 0
    adds: bool = False
    rejected_areas: frozenset[str] = frozenset()
    unknown_areas: tuple[str, ...] = ()
    is_sound: bool = False
    is_distinct: bool = False
    older: Callable[[], Sequence[tuple[datetime, pl.DataFrame]]] = lambda: ()
    others: Callable[[], pl.DataFrame] = pl.DataFrame


@cache
def _no_keys() -> pl.DataFrame:
    return pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32, "reason": pl.String})


@cache
def _no_refused() -> pl.DataFrame:
    return pl.DataFrame(schema={**OBSERVATION, "reason": pl.String})


@dataclass(frozen=True)
class Checked:
    """Result of one gate, or of several in order.

    Attributes:
        accepted: Figures that passed, columns ``OBSERVATION``.
        refused: Figures that did not, columns ``OBSERVATION`` and ``reason``.
        held_back: Why the whole series is not used, None if it may be used.
        gate: Code of the gate that held back the series (``ALL_REJECTED`` if no figure is left), else None.
        replaced: The provider's records that a correction changed or dropped, columns ``REJECT``.
        doubted: ``iso3``, ``year`` and ``reason`` of the country-years that keep the last vintage's figure because a
            part of the series is in doubt.
        warnings: What a person should know about a series that is used: a part held back, a large revision.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame = field(default_factory=_no_refused)
    held_back: str | None = None
    gate: str | None = None
    replaced: pl.DataFrame = field(default_factory=empty_rejects)
    doubted: pl.DataFrame = field(default_factory=_no_keys)
    warnings: tuple[str, ...] = ()

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

Waiver = Literal["", "shrink", "revision", "either"]


@dataclass(frozen=True)
class Gate:
    """One rule. ``check`` is None if the module ``place`` applies it.

    ``--accept-revision`` skips every gate with a ``waiver`` for one indicator, ``--accept-shrink`` those with the
    waiver ``shrink`` or ``either``. A gate ``of_changes`` does not run if the last vintage has all figures of the
    answer, one that ``compares`` does not run without a last vintage: it would find nothing. ``docs/sources.md`` prints
    ``text``, else the docstring of ``check``.
    """

    code: str
    check: Check | None = None
    waiver: Waiver = ""
    text: str = ""
    place: str = ""
    of_changes: bool = False
    compares: bool = False

    @property
    def does(self) -> str:
        """Return the sentence of the documentation."""
        return self.text or " ".join(str(self.check.__doc__).split())

    @property
    def where(self) -> str:
        """Return the module or folder that decides."""
        return self.place or str(self.check.__module__)

    def skipped(self, context: Context) -> bool:
        """Return whether an option of the run skips the gate."""
        shrunk = self.waiver in ("shrink", "either") and context.accept_shrink
        return bool(self.waiver) and (context.accept_revision or shrunk)

    def advice(self, indicator_id: str) -> str:
        """Return the clause that names the option which skips the gate; empty if none does."""
        option = "--accept-shrink" if self.waiver == "shrink" else f"--accept-revision {indicator_id}"
        return f"; if this is right: carec refresh --only {indicator_id} {option}" if self.waiver else ""


def run_gates(gates: Sequence[Gate], candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
    """Apply gates in order, until one holds back the series or no figure is left.

    Args:
        gates: Gates to apply.
        candidates: New figures of one indicator, columns ``OBSERVATION``. Equal rows count once.
        previous: Figures of the last vintage, without rows if there is none.
        context: The indicator and what else the gates read.
    """
    if candidates.schema != OBSERVATION:
        candidates = candidates.select(OBSERVATION.keys()).cast(OBSERVATION)  # type: ignore[arg-type]
    if not context.is_distinct and candidates.n_unique(PLACE) < candidates.height:
        candidates = candidates.unique(maintain_order=True)
    done, unchanged = Checked(candidates), False
    of_table: pl.DataFrame | None = None  # the table that ``unchanged`` is about
    for gate in gates:
        if gate.check is None or gate.skipped(context) or (gate.compares and previous.is_empty()):
            continue
        if gate.of_changes and previous.height:
            if done.accepted is not of_table:  # most gates refuse nothing and return the same table
                of_table, unchanged = done.accepted, _unchanged(done.accepted, previous)
            if unchanged:
                continue
        result, advice = gate.check(done.accepted, previous, context), gate.advice(context.indicator.id)
        part_advice = advice if result.doubted.height or result.refused.height else ""
        done = replace(
            result,
            refused=_joined(done.refused, result.refused),
            replaced=_joined(done.replaced, result.replaced),
            doubted=_joined(done.doubted, result.doubted),
            warnings=(*done.warnings, *(f"{gate.code}: {each}{part_advice}" for each in result.warnings)),
        )
        if done.accepted.is_empty():
            break
        if done.held_back:
            stays = f"; the last vintage stays{advice}" if advice else ""
            return replace(done, held_back=f"{done.held_back}{stays}", gate=gate.code)
    if done.accepted.height:
        return done
    reason = done.rejected["reason"][0] if done.refused.height else "dropped by a correction"
    held_back = f"{context.provider}: every record was rejected ({reason})"
    return replace(done, held_back=held_back, gate=ALL_REJECTED)


def _joined(before: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of two tables. Most gates find nothing, and then there is nothing to do."""
    return pl.concat([before, more]) if more.height else before


def _unchanged(candidates: pl.DataFrame, previous: pl.DataFrame) -> bool:
    """Return whether the last vintage has every figure of an answer."""
    return candidates.join(previous, on=["iso3", "year", "value"], how="anti").is_empty()


def split(judged: pl.DataFrame) -> Checked:
    """Return a result that refuses the rows with a ``reason``."""
    accepted, reason = judged.drop("reason"), judged["reason"]
    if reason.null_count() == judged.height:
        return Checked(accepted)
    return Checked(accepted.filter(reason.is_null()), judged.filter(reason.is_not_null()))


def hold(fault: Callable[[pl.DataFrame, pl.DataFrame, Context], str | None]) -> Check:
    """Return a check that accepts every figure and holds back the series if it has a fault."""

    @wraps(fault)
    def check(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
        return Checked(candidates, held_back=fault(candidates, previous, context))

    return check


@dataclass(frozen=True)
class Doubt:
    """Economies, or years, whose figures are in doubt.

    ``found`` has the column ``iso3`` or ``year``, and ``reason``. ``of`` is the number of those that were compared, or
    1 if the doubt is over the whole series.
    """

    found: pl.DataFrame
    of: int


def hold_parts(find: Callable[[pl.DataFrame, pl.DataFrame, Context], Sequence[Doubt]]) -> Check:
    """Return a check that holds back the economies or years in doubt, and the series if they are more than half."""

    @wraps(find)
    def check(candidates: pl.DataFrame, previous: pl.DataFrame, context: Context) -> Checked:
        refused, stays, warnings = [], [], []
        for doubt in find(candidates, previous, context):
            if doubt.found.is_empty():
                continue
            by, names = doubt.found.columns[0], named(doubt.found)
            if doubt.of == 1:
                return Checked(candidates, held_back=doubt.found["reason"][0])
            if 2 * doubt.found.height > doubt.of:
                kind = "economies" if by == "iso3" else "years"
                reason = f"{doubt.found.height} of {doubt.of} {kind} ({names}): {doubt.found['reason'][0]}"
                return Checked(candidates, held_back=reason)
            refused.append(candidates.join(doubt.found, on=by, how="inner", maintain_order="left"))
            candidates = candidates.join(doubt.found, on=by, how="anti", maintain_order="left")
            stays.append(previous.join(doubt.found, on=by).select("iso3", "year", "reason"))
            warnings.append(f"{names} held back, the last figures stay: {doubt.found['reason'][0]}")
        result = Checked(candidates, warnings=tuple(warnings))
        if not refused:
            return result
        requested = pl.concat(stays).filter(pl.col("year") >= context.first_year)
        return replace(result, refused=pl.concat(refused), doubted=requested)

    return check


def named(found: pl.DataFrame) -> str:
    """Return the first names of a table's first column, and the number of the others."""
    return listed([str(name) for name in found[found.columns[0]].unique().sort()], NAMED)


def compared(candidates: pl.DataFrame, previous: pl.DataFrame) -> pl.DataFrame:
    """Return ``iso3``, ``year``, ``value`` and ``last`` of the country-years that both have."""
    last = previous.select("iso3", "year", last="value")
    return candidates.select("iso3", "year", "value").join(last, on=["iso3", "year"])
