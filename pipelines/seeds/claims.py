"""The register of the review's claims, checked before anything is built from it.

Belongs here: the shape of the seeds that people edit by hand for the audit (claims, evidence, kinds of test, units,
duplicates, leads, milestone types...) and the messages for their faults.
Does not belong here: verdicts (``dbt_project``), what is printed of them (``claims``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.seeds.table_schema import Checked, Number, Row, Table, Year, check_table, fault, read_column, read_rows
from sources.catalogue import Indicator
from sources.errors import ConfigurationError

REGION = "CAREC"
PARAMETERS = frozenset({"last_year", "window_years", "stand_in_years", "base_years", "min_members_share"})

Claims = Annotated[str, Field(pattern=r"^[a-z0-9-]+(;[a-z0-9-]+)*$")]


class Claim(Row):
    """One statement of the document. What the columns mean stands in ``seeds/_claims.yml``."""

    claim_id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    document_line: str | None = Field(default=None, pattern=r"^\d+(-\d+)?(;\d+(-\d+)?)*$")
    section: str
    pillar: Literal["1", "2", "3", "4", "5", "sector", "cross_border", "emerging", "region"]
    country_iso3: str = Field(pattern=r"^(CAREC|[A-Z]{3}(;[A-Z]{3})*)$")
    statement: str
    measure: str = Field(pattern=r"^[a-z0-9_]+$")
    unit: str | None = None
    baseline_value: Number | None = None
    baseline_year: Year | None = None
    baseline_comparator: Literal["eq", "approx", "gt", "gte", "lt", "lte"] | None = None
    value: Number | None = None
    value_year: Year | None = None
    comparator: Literal["eq", "approx", "gt", "gte", "lt", "lte", "range"] | None = None
    direction: Literal["higher_is_better", "lower_is_better"] | None = None
    status_word: Literal["achieved", "in_progress", "pilot", "pledged", "proposed"] | None = None
    checkable_with: str = Field(pattern=r"^(direct|proxy|document|none)\b")
    note: str | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Claim:
        if self.value is not None and self.unit is None:
            raise ValueError("unit: a value needs its unit")
        for column, rank in {"value": self.value, "baseline_value": self.baseline_value}.items():
            if self.unit == "rank" and rank is not None and (rank < 1 or rank % 1):
                raise ValueError(f"{column}: a rank is a whole number from 1, not {rank:g}")
        if self.comparator == "range":
            bounds = (self.baseline_value, self.value)
            years = (self.baseline_year, self.value_year)
            for column, (low, high) in {"baseline_value": bounds, "baseline_year": years}.items():
                if low is not None and high is not None and low > high:
                    raise ValueError(f"{column}: a range begins below its end, this one at {low:g} for {high:g}")
            if None in bounds and None in years:
                raise ValueError(
                    "comparator: a range needs baseline_value and value, or baseline_year and value_year, as its ends"
                )
        return self


class Evidence(Row):
    claim_id: str
    indicator_id: str
    with_indicator_id: str | None = None
    kind: str | None = None
    variant: str | None = None
    window_year: Year | None = None
    base_year: Year | None = None
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    definition_match: Literal["same", "similar", "different"]
    definition_note: str

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Evidence:
        if self.kind in ("product", "ceiling_of_sum") and self.with_indicator_id is None:
            raise ValueError(f"with_indicator_id: {self.kind} needs the second series")
        return self


class Kind(Row):
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    question: str
    figure_unit: str | None = None
    comparator: Literal["ceiling"] | None = None
    is_level: bool


class Unit(Row):
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    dimension: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    tolerance_basis: Literal["points", "relative"]
    note: str | None = None


class Parameter(Row):
    parameter: str
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    note: str


class Inconsistency(Row):
    inconsistency_id: str
    claim_ids: Claims
    finding: str


class Release(Row):
    indicator_id: str
    edition_year: Year
    released_on: date
    source_title: str
    source_url: str | None = Field(default=None, pattern=r"^https?://")
    confidence: Literal["found", "general_knowledge"]


class Duplicate(Row):
    claim_id: str
    duplicate_of: str
    relation: Literal["same", "other_meaning", "part_of"]
    note: str | None = None


class Lead(Row):
    claim_id: str
    lead: str
    verdict_hint: str
    source_title: str | None = None
    source_url: str | None = Field(default=None, pattern=r"^https?://")
    seen: Literal["excerpt", "general_knowledge"]


class MilestoneType(Row):
    claim_id: str
    kind: str
    subtheme_id: str | None = None
    theme: str | None = None


_UNITS = Table("claim_units.csv", Unit, ("unit",))
_KINDS = Table("claim_kinds.csv", Kind, ("kind",), {"figure_unit": "claim_units.csv"})
_CLAIMS = Table("claims.csv", Claim, ("claim_id",), {"unit": "claim_units.csv", "country_iso3": "economies.csv"})
_EVIDENCE = Table(
    "claim_evidence.csv",
    Evidence,
    ("claim_id", "indicator_id"),
    {
        "claim_id": "claims.csv",
        "indicator_id": "indicators.yml",
        "with_indicator_id": "indicators.yml",
        "kind": "claim_kinds.csv",
        "variant": "region_variants.csv",
    },
    named_by=("claim_id",),
)
_PARAMETERS = Table("claim_parameters.csv", Parameter, ("parameter",), {"parameter": "int_claim_parameters.sql"})
_OTHERS = (
    Table("claim_duplicates.csv", Duplicate, ("claim_id",), {"claim_id": "claims.csv", "duplicate_of": "claims.csv"}),
    Table("claim_leads.csv", Lead, ("claim_id", "lead"), {"claim_id": "claims.csv"}, named_by=("claim_id",)),
    Table(
        "milestone_types.csv", MilestoneType, ("claim_id",), {"claim_id": "claims.csv", "subtheme_id": "subthemes.csv"}
    ),
    Table("claim_inconsistencies.csv", Inconsistency, ("inconsistency_id",), {"claim_ids": "claims.csv"}),
    Table("edition_releases.csv", Release, ("indicator_id", "edition_year"), {"indicator_id": "indicators.yml"}),
)


def check_register(dbt_project: Path, indicators: Mapping[str, Indicator]) -> None:
    """Read every table of the register. Raises ConfigurationError naming file, line, entry, column and remedy."""
    seeds = dbt_project / "seeds"
    known: dict[str, Collection[str]] = {
        "indicators.yml": indicators.keys(),
        "economies.csv": {
            REGION,
            *read_column(seeds / "economies.csv", "iso3", lambda row: row["is_member"] == "true"),
        },
        "subthemes.csv": read_column(seeds / "subthemes.csv", "subtheme_id"),
        "region_variants.csv": read_column(seeds / "region_variants.csv", "variant"),
        "int_claim_parameters.sql": PARAMETERS,
    }
    for table in (_UNITS, _KINDS, _CLAIMS, _EVIDENCE, *_OTHERS):
        keys = _check(seeds, table, known)
        known[table.file] = {key[0] for key in keys}
    if missing := PARAMETERS - {parameter for (parameter,) in _check(seeds, _PARAMETERS, known)}:
        raise ConfigurationError(f"{seeds / _PARAMETERS.file}: column parameter: {min(missing)!r} is missing")
    _check_shares(seeds, indicators)


def _check_shares(seeds: Path, indicators: Mapping[str, Indicator]) -> None:
    """A second series that multiplies the first is a share."""
    shares = read_column(seeds / _UNITS.file, "unit", lambda row: row["dimension"] == "share")
    path = seeds / _EVIDENCE.file
    for line, row in read_rows(path):
        second = row["with_indicator_id"]
        if second and row["kind"] in ("product", "ceiling") and indicators[second].unit not in shares:
            told = f"{row['kind']} takes a share, and {second!r} is in {indicators[second].unit}"
            raise fault(path, line, row["claim_id"], "with_indicator_id", told)


def _check(seeds: Path, table: Table, known: Mapping[str, Collection[str]]) -> Checked:
    """Check one table, which may not be empty: without its rows the audit would say nothing, in silence."""
    if rows := check_table(seeds, table, known):
        return rows
    raise ConfigurationError(f"{seeds / table.file}: holds no row")
