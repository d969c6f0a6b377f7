"""The register of the review's claims, checked before anything is built from it.

Belongs here: the shape of the seeds that people edit by hand for the audit (claims, evidence, kinds of test, units,
duplicates, leads, milestone types...) and the messages for their faults.
Does not belong here: verdicts (``dbt_project``), what is printed of them (``claims``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sources.catalogue import Indicator
from sources.errors import ConfigurationError

REGION = "CAREC"
PARAMETERS = frozenset({"last_year", "window_years", "stand_in_years", "base_years", "min_members_share"})

Year = Annotated[int, Field(ge=1990, le=2100)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Claims = Annotated[str, Field(pattern=r"^[a-z0-9-]+(;[a-z0-9-]+)*$")]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(_Row):
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


class Evidence(_Row):
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


class Kind(_Row):
    kind: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    question: str
    figure_unit: str | None = None
    comparator: Literal["ceiling"] | None = None
    is_level: bool


class Unit(_Row):
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    dimension: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    tolerance_basis: Literal["points", "relative"]
    note: str | None = None


class Parameter(_Row):
    parameter: str
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    note: str


class Inconsistency(_Row):
    inconsistency_id: str
    claim_ids: Claims
    finding: str


class Release(_Row):
    indicator_id: str
    edition_year: Year
    released_on: date
    source_title: str
    source_url: str | None = Field(default=None, pattern=r"^https?://")
    confidence: Literal["found", "general_knowledge"]


class Duplicate(_Row):
    claim_id: str
    duplicate_of: str
    relation: Literal["same", "other_meaning", "part_of"]
    note: str | None = None


class Lead(_Row):
    claim_id: str
    lead: str
    verdict_hint: str
    source_title: str | None = None
    source_url: str | None = Field(default=None, pattern=r"^https?://")
    seen: Literal["excerpt", "general_knowledge"]


class MilestoneType(_Row):
    claim_id: str
    kind: str
    subtheme_id: str | None = None
    theme: str | None = None


@dataclass(frozen=True)
class _Table:
    """One seed: its row, its key, and the columns whose entries stand elsewhere (column -> name of the known ids)."""

    file: str
    row: type[_Row]
    key: tuple[str, ...]
    known_as: Mapping[str, str] = field(default_factory=dict)


_UNITS = _Table("claim_units.csv", Unit, ("unit",))
_KINDS = _Table("claim_kinds.csv", Kind, ("kind",), {"figure_unit": "claim_units.csv"})
_CLAIMS = _Table("claims.csv", Claim, ("claim_id",), {"unit": "claim_units.csv", "country_iso3": "economies.csv"})
_EVIDENCE = _Table(
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
)
_PARAMETERS = _Table("claim_parameters.csv", Parameter, ("parameter",), {"parameter": "int_claim_parameters.sql"})
_OTHERS = (
    _Table("claim_duplicates.csv", Duplicate, ("claim_id",), {"claim_id": "claims.csv", "duplicate_of": "claims.csv"}),
    _Table("claim_leads.csv", Lead, ("claim_id", "lead"), {"claim_id": "claims.csv"}),
    _Table(
        "milestone_types.csv", MilestoneType, ("claim_id",), {"claim_id": "claims.csv", "subtheme_id": "subthemes.csv"}
    ),
    _Table("claim_inconsistencies.csv", Inconsistency, ("inconsistency_id",), {"claim_ids": "claims.csv"}),
    _Table("edition_releases.csv", Release, ("indicator_id", "edition_year"), {"indicator_id": "indicators.yml"}),
)


def check_register(dbt_project: Path, indicators: Mapping[str, Indicator]) -> None:
    """Read every table of the register. Raises ConfigurationError naming file, line, entry, column and remedy."""
    seeds = dbt_project / "seeds"
    known: dict[str, Collection[str]] = {
        "indicators.yml": indicators.keys(),
        "economies.csv": {REGION, *_column(seeds / "economies.csv", "iso3", lambda row: row["is_member"] == "true")},
        "subthemes.csv": _column(seeds / "subthemes.csv", "subtheme_id"),
        "region_variants.csv": _column(seeds / "region_variants.csv", "variant"),
        "int_claim_parameters.sql": PARAMETERS,
    }
    for table in (_UNITS, _KINDS, _CLAIMS, _EVIDENCE, *_OTHERS):
        keys = _check(seeds, table, known)
        known[table.file] = {key[0] for key in keys}
    if missing := PARAMETERS - {parameter for (parameter,) in _check(seeds, _PARAMETERS, known)}:
        raise ConfigurationError(f"{seeds / _PARAMETERS.file}: column parameter: {min(missing)!r} is missing")
    _check_kinds(dbt_project)
    _check_shares(seeds, indicators)


def _check_kinds(dbt_project: Path) -> None:
    """Every kind of test has its macro: without one its tests would find no figure, in silence."""
    macros = "".join(path.read_text(encoding="utf-8") for path in sorted((dbt_project / "macros").glob("*.sql")))
    made = set(re.findall(r"macro claim_figures_(\w+)\(", macros))
    path = dbt_project / "seeds" / _KINDS.file
    for line, row in _rows(path):
        if row["kind"] not in made:
            raise ConfigurationError(
                f"{path}:{line}: {row['kind']}: column kind: there is no macro claim_figures_{row['kind']} in"
                " dbt_project/macros"
            )


def _check_shares(seeds: Path, indicators: Mapping[str, Indicator]) -> None:
    """A second series that multiplies the first is a share."""
    shares = _column(seeds / _UNITS.file, "unit", lambda row: row["dimension"] == "share")
    path = seeds / _EVIDENCE.file
    for line, row in _rows(path):
        second = row["with_indicator_id"]
        if second and row["kind"] in ("product", "ceiling") and indicators[second].unit not in shares:
            raise ConfigurationError(
                f"{path}:{line}: {row['claim_id']}: column with_indicator_id: {row['kind']} takes a share, and"
                f" {second!r} is in {indicators[second].unit}"
            )


def _rows(path: Path) -> Iterator[tuple[int, dict[str | None, str]]]:
    """Line number and cells of every row. A row that is too long has the key None, one too short lacks cells."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle, restval="", strict=True)
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error})") from error
    except csv.Error as error:
        raise ConfigurationError(f"{path}:{reader.line_num}: not valid CSV: {error}") from error


def _column(path: Path, name: str, where: Callable[[dict[str | None, str]], bool] = lambda row: True) -> set[str]:
    return {row[name] for _, row in _rows(path) if where(row)}


def _check(seeds: Path, table: _Table, known: Mapping[str, Collection[str]]) -> set[tuple[str, ...]]:
    """Check one table. Returns the keys of its rows."""
    path = seeds / table.file
    keys: dict[tuple[str, ...], int] = {}
    columns = list(table.row.model_fields)
    for line, row in _rows(path):
        name = row.get(columns[0]) or f"without {columns[0]}"
        where = f"{path}:{line}: {name}"
        if None in row:
            raise ConfigurationError(
                f"{where}: more cells than the {len(columns)} columns: a cell with a comma stands between double quotes"
            )
        if missing := [column for column in columns if column not in row]:
            raise ConfigurationError(f"{path}:1: column {missing[0]}: is missing; the columns are {', '.join(columns)}")
        cells = {str(column): cell for column, cell in row.items()}
        try:
            table.row.model_validate({column: cell for column, cell in cells.items() if cell})
        except ValidationError as error:
            raise ConfigurationError(f"{where}: {_told(error)}") from error
        for column, source in table.known_as.items():
            for code in filter(None, cells[column].split(";")):
                if code not in known[source]:
                    raise ConfigurationError(
                        f"{where}: column {column}: {code!r} does not stand in {source}{_near(code, known[source])}"
                    )
        key = tuple(cells[column] for column in table.key)
        if key in keys:
            raise ConfigurationError(
                f"{where}: column {table.key[-1]}: {key[-1]!r} already stands in line {keys[key]}; remove one of them"
            )
        keys[key] = line
    if not keys:
        raise ConfigurationError(f"{path}: holds no row")
    return set(keys)


def _near(code: str, known: Collection[str]) -> str:
    near = get_close_matches(code, known, n=3, cutoff=0.5)
    return f"; near it are {', '.join(near)}" if near else ""


def _told(error: ValidationError) -> str:
    """The first fault of a row: the column, what is wrong with it, what it holds."""
    first = error.errors()[0]
    if not first["loc"]:  # a fault between columns names the one to change
        return "column " + first["msg"].removeprefix("Value error, ")
    column = first["loc"][0]
    if first["type"] == "missing":
        return f"column {column}: is empty and may not be"
    if first["type"] == "extra_forbidden":
        return f"column {column}: is not a column of this table"
    return f"column {column}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}"
