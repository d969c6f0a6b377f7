"""Corrections of wrong or doubtful figures, each with its reason and source.

Belongs here: the format of ``corrections.yml``, applying its entries, and finding entries that do not fit. Does not
belong here: figures that do not measure the indicator (``reject_rules`` of the catalogue), breaks in a series (a seed).

The provider's own figure is kept: its body stays in the raw store, and its record goes to the rejects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from sources.catalogue import Catalogue, Entry, Indicator, read_entries
from sources.errors import ConfigurationError
from sources.observation import FigureOrigin, as_rejects

CORRECTIONS = Path(__file__).parent / "corrections.yml"


class Expect(Entry):
    """Bounds of the provider's figure. A correction fits if the figure is within every bound given."""

    gt: float | None = None
    lt: float | None = None
    eq: float | None = None
    between: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _something(self) -> Expect:
        if not self.model_fields_set:
            raise ValueError("one of gt, lt, eq, between is expected")
        return self

    def holds(self) -> pl.Expr:
        """Return whether ``value`` is within the bounds, as a polars expression."""
        value, bounds = pl.col("value"), [pl.lit(True)]
        if self.gt is not None:
            bounds.append(value > self.gt)
        if self.lt is not None:
            bounds.append(value < self.lt)
        if self.eq is not None:
            bounds.append((value - self.eq).abs() <= 1e-9 * max(1.0, abs(self.eq)))
        if self.between is not None:
            bounds.append(value.is_between(*self.between))
        return pl.all_horizontal(bounds)

    def __str__(self) -> str:
        return ", ".join(f"{name} {bound}" for name, bound in self.model_dump(exclude_none=True).items())


class Correction(Entry):
    """One entry of the file: figures of an indicator, selected by country and year, and an action.

    ``drop`` removes them, ``override`` replaces them by ``value``, ``scale`` multiplies them by ``factor``, ``flag``
    adds a note. ``providers`` limits the entry to figures of these providers. A ``retired`` entry has no effect: the
    provider has corrected the figure.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    indicator: str
    iso3: tuple[str, ...] = Field(min_length=1)
    years: tuple[int, ...] = Field(min_length=1)
    action: Literal["drop", "override", "scale", "flag"]
    value: float | None = None
    factor: float | None = Field(default=None, gt=0)
    expect: Expect | None = None
    providers: tuple[str, ...] = ()
    reason: str = Field(min_length=10)
    source: str = Field(min_length=5)
    status: Literal["active", "retired"]

    @model_validator(mode="after")
    def _complete(self) -> Correction:
        for name, action in (("value", "override"), ("factor", "scale")):
            if (getattr(self, name) is not None) != (self.action == action):
                raise ValueError(f"{name} belongs to {action}, and to nothing else")
        if self.action != "flag" and self.expect is None:
            raise ValueError(f"expect: {self.action} must say which figure it is about")
        return self

    def here(self) -> pl.Expr:
        """Return whether a row is one of the entry's figures, as a polars expression."""
        place = pl.col("iso3").is_in(list(self.iso3)) & pl.col("year").is_in(list(self.years))
        return place & pl.col("provider").is_in(list(self.providers)) if self.providers else place


@dataclass(frozen=True)
class Located:
    """A correction, and its file, line and id for messages."""

    correction: Correction
    where: str


@dataclass(frozen=True)
class Corrected:
    """Result of applying corrections.

    Attributes:
        observations: The figures after the corrections, columns ``OBSERVATION``.
        originals: The provider's records that were replaced or dropped, columns ``REJECT``.
        misfits: Id of each correction that does not fit and was not applied -> reason.
    """

    observations: pl.DataFrame
    originals: pl.DataFrame
    misfits: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Corrections:
    """The active corrections of every indicator. ``text`` is the content of the file."""

    by_indicator: dict[str, tuple[Located, ...]] = field(default_factory=dict)
    text: bytes = b""

    def of(self, indicator_id: str) -> tuple[Located, ...]:
        """Return the active corrections of an indicator."""
        return self.by_indicator.get(indicator_id, ())


def load_corrections(catalogue: Catalogue, path: Path = CORRECTIONS) -> Corrections:
    """Read and check the file.

    Raises:
        ConfigurationError: An entry has a fault; the message names file, line, entry and field.
    """
    found: dict[str, list[Located]] = {}
    for line, entry in read_entries(path, Correction).values():
        if entry.indicator not in catalogue.indicators:
            fault = f"{entry.id}: indicator: there is no {entry.indicator!r} in the catalogue"
            raise ConfigurationError(f"{path}:{line}: {fault}")
        if entry.status == "active":
            found.setdefault(entry.indicator, []).append(Located(entry, f"{path.name}:{line}: {entry.id}"))
    return Corrections({name: tuple(entries) for name, entries in found.items()}, path.read_bytes())


def apply(observations: pl.DataFrame, indicator: Indicator, corrections: Iterable[Located]) -> Corrected:
    """Apply corrections to the figures of one indicator.

    Args:
        observations: Accepted figures, columns ``OBSERVATION``.
        indicator: Gives the valid range of corrected values.
        corrections: Entries to apply, in order. Each is compared with the provider's figures, not with figures that
            another entry has changed.
    """
    result, misfits = observations, {}
    originals = [as_rejects(observations.clear().with_columns(reason=pl.lit("")))]
    for located in corrections:
        correction, here = located.correction, located.correction.here()
        if correction.providers and not set(correction.providers) & set(observations["provider"]):
            continue
        found = observations.filter(here)
        if misfit := _misfit(correction, found, indicator):
            misfits[correction.id] = (
                f"{located.where}: {misfit}; if the provider has mended it, give the entry `status: retired`, "
                "else put its iso3, years or expect right"
            )
            continue
        if correction.action == "flag":
            result = _marked(result, correction, FigureOrigin.FLAGGED)
            continue
        originals.append(as_rejects(found.with_columns(reason=pl.lit(f"correction: {correction.reason}"))))
        if correction.action == "drop":
            result = result.filter(~here)
        else:
            result = _marked(result, correction, FigureOrigin.CORRECTED).with_columns(
                value=pl.when(here).then(_corrected(correction)).otherwise("value")
            )
    return Corrected(result, pl.concat(originals), misfits)


def _marked(observations: pl.DataFrame, correction: Correction, origin: FigureOrigin) -> pl.DataFrame:
    """Return the observations with ``figure_origin`` and ``figure_note`` set for the correction's figures.

    A figure that another entry has changed stays ``corrected`` if this one flags it.
    """
    here = correction.here()
    changed = pl.col("figure_origin").eq_missing(FigureOrigin.CORRECTED.value)
    note = pl.concat_str(pl.col("figure_note"), pl.lit(correction.reason), separator="; ", ignore_nulls=True)
    return observations.with_columns(
        figure_origin=pl.when(here & ~changed).then(pl.lit(origin.value)).otherwise("figure_origin"),
        figure_note=pl.when(here).then(note).otherwise("figure_note"),
    )


def _corrected(correction: Correction) -> pl.Expr:
    return pl.lit(correction.value) if correction.action == "override" else pl.col("value") * correction.factor


def _misfit(correction: Correction, found: pl.DataFrame, indicator: Indicator) -> str | None:
    if found.is_empty():
        return "there is no such figure (any more)"
    if correction.expect is not None:
        others = found.filter(~correction.expect.holds())
        if others.height:
            iso3, year, value = others.select("iso3", "year", "value").row(0)
            return f"a figure is expected that is {correction.expect}; {iso3} {year} is {value:g}"
    if correction.action in ("override", "scale"):
        low, high = indicator.valid_range.min, indicator.valid_range.max
        made = found.select(_corrected(correction).alias("value")).filter(~pl.col("value").is_between(low, high))
        if made.height:
            return f"it makes {made['value'][0]:g}, outside {low:g}..{high:g} {indicator.unit}"
    return None
