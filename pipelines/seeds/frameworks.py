"""The frameworks that the engine scores, checked before anything is built from them.

Belongs here: the shape of the seeds that make up a framework (frameworks, pillars, subthemes, framework_indicators,
benchmarks), of the target sets beside it and of what is known of its series (breaks, noise, repeated values), and the
messages for their faults.
Does not belong here: what the columns mean (``seeds/_seeds.yml``), scores (``dbt_project``).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.seeds.table_schema import Checked, Number, Row, Table, Year, check_table, fault, read_column
from sources.catalogue import Catalogue, Direction
from sources.errors import ConfigurationError

MAIN = "carec_2030"
"""The framework whose every benchmark has to say where it comes from."""

Weight = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Mean = Literal["arithmetic", "geometric"]
Flag = Literal["true", "false"]


class Framework(Row):
    framework_id: str = Field(pattern=r"^\S+$")
    title: str | None = None
    scored_group: str | None = None
    aggregation: Mean | None = None
    pillar_aggregation: Mean | None = None
    subtheme_aggregation: Mean | None = None
    geometric_floor: Annotated[float, Field(ge=0, le=100)] | None = None
    coverage_gate: Annotated[float, Field(ge=0, le=1)] | None = None
    history_from: Year | None = None
    note: str | None = None


class Pillar(Row):
    framework_id: str
    pillar_id: str
    title: str | None = None
    in_overall: Flag | None = None
    weight: Weight | None = None


class Subtheme(Row):
    framework_id: str
    pillar_id: str
    subtheme_id: str
    title: str | None = None
    weight: Weight | None = None
    register_only: Flag | None = None
    note: str | None = None


class Place(Row):
    framework_id: str = Field(pattern=r"^\S+$")
    indicator_id: str
    pillar_id: str
    subtheme_id: str
    weight: Weight | None = None
    role: Literal["direct", "proxy"] | None = None


class Benchmark(Row):
    framework_id: str
    indicator_id: str
    transform: Literal["none", "log"]
    baseline_year: Year | None = None
    floor_value: Number
    floor_basis: str | None = None
    target_value: Number
    target_basis: str | None = None
    met_value: Number | None = None
    target_year: Year
    pace_target_value: Number | None = None
    pace_target_basis: str | None = None
    source_title: str | None = None
    source_url: str | None = None
    confidence: Literal["found", "partly", "general_knowledge", "computed"] | None = None

    @property
    def direction(self) -> Direction:
        return Direction.HIGHER if self.target_value > self.floor_value else Direction.LOWER

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Benchmark:
        if self.target_value == self.floor_value:
            raise ValueError("target_value: equals floor_value, so that there is no range to score on")
        for column in ("floor_value", "target_value", "met_value", "pace_target_value"):
            value = getattr(self, column)
            if self.transform == "log" and value is not None and value <= 0:
                raise ValueError(f"{column}: transform log needs positive values, not {value:g}")
        for column in ("met_value", "pace_target_value"):
            value = getattr(self, column)
            if value is not None and (value > self.floor_value) != (self.target_value > self.floor_value):
                raise ValueError(f"{column}: lies on the wrong side of floor_value, at {value:g}")
        if self.baseline_year is not None and self.baseline_year >= self.target_year:
            raise ValueError(f"baseline_year: is not before target_year, at {self.baseline_year}")
        return self


class TargetSet(Row):
    target_set: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    note: str | None = None


class AlternativeTarget(Row):
    target_set: str
    indicator_id: str
    iso3: str | None = None
    target_value: Number
    met_value: Number | None = None
    target_year: Year | None = None
    source_title: str
    source_url: str = Field(pattern=r"^https?://")
    confidence: Literal["found", "partly", "general_knowledge"]
    note: str | None = None


class SeriesBreak(Row):
    indicator_id: str
    iso3: str | None = None
    from_year: Year
    note: str | None = None


class NoiseBand(Row):
    indicator_id: str
    min_change_per_year: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    note: str | None = None


class RevisionSize(Row):
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    basis: Literal["absolute", "relative"]
    rounding: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    large: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    note: str | None = None

    @model_validator(mode="after")
    def _ordered(self) -> RevisionSize:
        if self.large <= self.rounding:
            raise ValueError(f"large: must be above rounding ({self.rounding:g}), not {self.large:g}")
        return self


class CarriedForward(Row):
    indicator_id: str
    iso3: str
    measured_year: Year
    note: str | None = None


PLACES = "framework_indicators.csv"
_PLACES = Table(PLACES, Place, ("framework_id", "indicator_id"), {"indicator_id": "indicators.yml"})
_FRAMEWORKS = Table(
    "frameworks.csv", Framework, ("framework_id",), {"framework_id": PLACES, "scored_group": "groups.csv"}
)
_PILLARS = Table("pillars.csv", Pillar, ("framework_id", "pillar_id"), {"framework_id": PLACES})
_SUBTHEMES = Table("subthemes.csv", Subtheme, ("framework_id", "subtheme_id"), {"framework_id": PLACES})
_BENCHMARKS = Table(
    "benchmarks.csv",
    Benchmark,
    ("framework_id", "indicator_id"),
    {"framework_id": PLACES, "indicator_id": "indicators.yml"},
)
_IN_CATALOGUE = {"indicator_id": "indicators.yml"}
_OF_ECONOMY = {**_IN_CATALOGUE, "iso3": "economies.csv"}
_BESIDE = (
    Table("target_sets.csv", TargetSet, ("target_set",)),
    Table(
        "alternative_targets.csv",
        AlternativeTarget,
        ("target_set", "indicator_id", "iso3"),
        {"target_set": "target_sets.csv", **_OF_ECONOMY},
    ),
    Table("series_breaks.csv", SeriesBreak, ("indicator_id", "iso3", "from_year"), _OF_ECONOMY),
    Table("noise_bands.csv", NoiseBand, ("indicator_id",), _IN_CATALOGUE),
    Table("carried_forward.csv", CarriedForward, ("indicator_id", "iso3", "measured_year"), _OF_ECONOMY),
)

_REVISION_SIZES = Table("revision_sizes.csv", RevisionSize, ("unit",))


def check_frameworks(dbt_project: Path, catalogue: Catalogue) -> None:
    """Read every table of the frameworks. Raises ConfigurationError naming file, line, entry, column and remedy."""
    seeds = dbt_project / "seeds"
    known: dict[str, Collection[str]] = {
        "indicators.yml": catalogue.indicators.keys(),
        "groups.csv": read_column(seeds / "groups.csv", "group_id"),
        "economies.csv": read_column(seeds / "economies.csv", "iso3"),
    }
    places = check_table(seeds, _PLACES, known)
    known[PLACES] = {framework for framework, _ in places}
    check_table(seeds, _FRAMEWORKS, known)
    pillars = check_table(seeds, _PILLARS, known)
    subthemes = check_table(seeds, _SUBTHEMES, known)
    _check_structure(seeds, places, pillars, subthemes)
    _check_benchmarks(seeds, places, check_table(seeds, _BENCHMARKS, known), catalogue)
    for table in _BESIDE:
        known[table.file] = {key[0] for key in check_table(seeds, table, known)}
    _check_units(seeds, check_table(seeds, _REVISION_SIZES, known), catalogue)


def _check_units(seeds: Path, sizes: Checked, catalogue: Catalogue) -> None:
    """Raises ConfigurationError where a unit of the catalogue has no limits for the size of a revision."""
    for indicator in catalogue:
        if (indicator.unit,) not in sizes:
            raise ConfigurationError(
                f"{seeds / _REVISION_SIZES.file}: {indicator.id}: its unit {indicator.unit!r} has no row: add one with"
                " the limits of a change by rounding and of a large change"
            )


def _check_structure(seeds: Path, places: Checked, pillars: Checked, subthemes: Checked) -> None:
    """Indicators hang under sub-themes under pillars, and none of these is without the other.

    A framework without pillars, or without sub-themes, has those that its indicators name.
    """
    with_pillars = {framework for framework, _ in pillars}
    with_subthemes = {framework for framework, _ in subthemes}
    path = seeds / _PLACES.file
    used: set[tuple[str, str]] = set()
    filled: set[tuple[str, str]] = set()
    for (framework, indicator), (line, row) in places.items():
        assert isinstance(row, Place)
        entry = f"{framework} {indicator}"
        if framework in with_pillars and (framework, row.pillar_id) not in pillars:
            raise fault(path, line, entry, "pillar_id", f"{row.pillar_id!r} does not stand in {_PILLARS.file}")
        if framework in with_subthemes:
            _, under = subthemes.get((framework, row.subtheme_id), (0, None))
            if under is None:
                told = f"{row.subtheme_id!r} does not stand in {_SUBTHEMES.file}"
                raise fault(path, line, entry, "subtheme_id", told)
            assert isinstance(under, Subtheme)
            if under.pillar_id != row.pillar_id:
                told = f"{row.subtheme_id!r} belongs to pillar {under.pillar_id!r}, not to {row.pillar_id!r}"
                raise fault(path, line, entry, "subtheme_id", told)
            if under.register_only == "true":
                told = f"{row.subtheme_id!r} is register_only: it has no indicator to score"
                raise fault(path, line, entry, "subtheme_id", told)
        filled.add((framework, row.subtheme_id))
        used.add((framework, row.pillar_id))
    path = seeds / _SUBTHEMES.file
    for (framework, subtheme), (line, row) in subthemes.items():
        assert isinstance(row, Subtheme)
        entry = f"{framework} {subtheme}"
        if framework in with_pillars and (framework, row.pillar_id) not in pillars:
            raise fault(path, line, entry, "pillar_id", f"{row.pillar_id!r} does not stand in {_PILLARS.file}")
        if row.register_only != "true" and (framework, subtheme) not in filled:
            told = f"has no indicator in {PLACES}: name one there, or set register_only to true"
            raise fault(path, line, entry, "subtheme_id", told)
        used.add((framework, row.pillar_id))
    for (framework, pillar), (line, _) in pillars.items():
        if (framework, pillar) not in used:
            # it would drop out of the overall score without a word
            told = f"has no sub-theme and no indicator: name one in {PLACES}, or take the pillar out"
            raise fault(seeds / _PILLARS.file, line, f"{framework} {pillar}", "pillar_id", told)


def _check_benchmarks(seeds: Path, places: Checked, benchmarks: Checked, catalogue: Catalogue) -> None:
    """A benchmark belongs to an indicator of its framework and follows its direction; the main one's have a source."""
    path = seeds / _BENCHMARKS.file
    for (framework, indicator), (line, row) in benchmarks.items():
        assert isinstance(row, Benchmark)
        entry = f"{framework} {indicator}"
        if (framework, indicator) not in places:
            raise fault(path, line, entry, "indicator_id", f"is no indicator of {framework!r} in {PLACES}")
        direction = catalogue.indicators[indicator].direction
        if row.direction is not direction:
            told = f"stands against the direction {direction.value} that the catalogue gives the indicator"
            raise fault(path, line, entry, "target_value", told)
        if framework == MAIN:
            for column in ("floor_basis", "target_basis", "source_title", "source_url", "confidence"):
                if getattr(row, column) is None:
                    raise fault(path, line, entry, column, "is empty: a benchmark says where it comes from")
    for (framework, indicator), (line, _) in places.items():
        if framework == MAIN and (framework, indicator) not in benchmarks:
            told = f"has no benchmark: add its row to {_BENCHMARKS.file}"
            raise fault(seeds / _PLACES.file, line, f"{framework} {indicator}", "indicator_id", told)
