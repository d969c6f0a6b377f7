"""The register of the review's claims, checked before anything is built from it.

Belongs here: the shape of the seeds that people edit by hand for the audit (claims, evidence, duplicates, leads,
milestone types) and the messages for their faults.
Does not belong here: verdicts (``dbt_project``), what is printed of them (``claims``).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.seed_tables import Number, Row, Table, Year, check_table, read_column

REGION = "CAREC"


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
        if self.kind == "product" and self.with_indicator_id is None:
            raise ValueError("with_indicator_id: a product needs the second series")
        return self


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


_CLAIMS = Table("claims.csv", Claim, ("claim_id",), {"unit": "claim_units.csv", "country_iso3": "economies.csv"})
_TABLES = (
    Table(
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
    ),
    Table("claim_duplicates.csv", Duplicate, ("claim_id",), {"claim_id": "claims.csv", "duplicate_of": "claims.csv"}),
    Table("claim_leads.csv", Lead, ("claim_id", "lead"), {"claim_id": "claims.csv"}, named_by=("claim_id",)),
    Table(
        "milestone_types.csv", MilestoneType, ("claim_id",), {"claim_id": "claims.csv", "subtheme_id": "subthemes.csv"}
    ),
)


def check_register(dbt_project: Path, indicator_ids: Collection[str]) -> None:
    """Read every table of the register. Raises ConfigurationError naming file, line, entry, column and remedy."""
    seeds = dbt_project / "seeds"
    known: dict[str, Collection[str]] = {
        "indicators.yml": indicator_ids,
        "economies.csv": {
            REGION,
            *read_column(seeds / "economies.csv", "iso3", lambda row: row["is_member"] == "true"),
        },
        "subthemes.csv": read_column(seeds / "subthemes.csv", "subtheme_id"),
        "region_variants.csv": read_column(seeds / "region_variants.csv", "variant"),
        "claim_kinds.csv": read_column(seeds / "claim_kinds.csv", "kind"),
        "claim_units.csv": read_column(seeds / "claim_units.csv", "unit"),
    }
    known["claims.csv"] = {claim for (claim,) in check_table(seeds, _CLAIMS, known)}
    for table in _TABLES:
        check_table(seeds, table, known)
