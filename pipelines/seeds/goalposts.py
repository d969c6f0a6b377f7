"""Recompute the goalposts that come from the distribution over the world.

Belongs here: floors, distance targets and pace targets from the published observations, or from the vintages known on
an earlier day, compared with the seeds ``benchmarks`` and ``goalpost_variants``. Does not belong here: policy targets,
which are read from documents; scores, which use the seeds alone.

Each economy that the World Bank lists has its value of the year nearest to the baseline year, at most the baseline
window away, and of two equally near years the earlier one. For an edition index it is the value of that edition. The
floor is the 2.5th percentile (97.5th if lower is better), with linear interpolation. The distance target is the mean of
the best five economies with at least one million people, or the 97.5th percentile (2.5th) if its basis in the seed is a
percentile. The pace target is the 75th percentile (25th). All have four significant digits (rules of the SDG Index;
OECD/JRC Handbook on Constructing Composite Indicators). A ratio above parity counts as its inverse.

An indicator whose floor is a percentile also has both distance targets as variants, for the scenarios of the ranks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sources.errors import ConfigurationError
from warehouse.files import write_atomically

Fetch = Callable[[str, list[Any]], list[tuple[Any, ...]]]
"""Runs a query with parameters on the published file."""

LARGE = 1_000_000
"""Population that an economy needs to be among the best five. Without this rule, city states would set the goal."""

VARIANTS = ("percentile", "top_five")
"""Names of the goalposts in the seed ``goalpost_variants``."""

_KEYS = ("framework_id", "indicator_id", "goalposts")
_COMPUTED = (
    *("has_floor", "has_target", "floor_value", "floor_basis", "percentile", "percentile_basis", "top_five"),
    *("top_five_basis", "target_value", "target_basis", "pace_target_value", "pace_target_basis"),
)
"""Columns of the query after framework and indicator."""


@dataclass(frozen=True)
class Cell:
    """One computed cell of a seed, with its present text and its recomputed text.

    ``goalposts`` names the variant in ``goalpost_variants``; a cell of ``benchmarks`` has none.
    """

    framework_id: str
    indicator_id: str
    column: str
    seed: str
    recomputed: str
    goalposts: str = ""

    @property
    def name(self) -> str:
        """Column of ``benchmarks``, or variant and column of ``goalpost_variants``."""
        return f"{self.goalposts}.{self.column}" if self.goalposts else self.column

    @property
    def is_number(self) -> bool:
        return self.column.endswith("_value")

    @property
    def differs(self) -> bool:
        if self.is_number and self.seed and self.recomputed:
            return float(self.seed) != float(self.recomputed)
        return self.seed != self.recomputed


_LANDED = "observations as (select indicator_id, iso3, year, value from read_parquet($3)),"
"""SQL that replaces the published observations by landed vintages."""

_SQL = """
with /*landed*/ seed as (
    select
        seed.* replace (seed.baseline_year::integer as baseline_year),
        indicators.edition_index,
        indicators.shape,
        indicators.direction = 'lower_is_better' as is_lower_better,
        case when indicators.edition_index then 0 else parameters.value end as reach
    from read_csv($1, header = true, all_varchar = true) as seed
    inner join indicators using (indicator_id)
    inner join scoring_parameters as parameters on parameters.parameter = 'baseline_window_years'
    where seed.floor_basis like '%percentile of%'
        or seed.target_basis like 'mean of the top five of%' or seed.target_basis like '%percentile of the%'
),
-- one value per economy: the nearest to the baseline year; of two equally near values, the earlier one
nearest as (
    select
        seed.framework_id, seed.indicator_id, observations.iso3,
        min_by(
            case when seed.shape = 'parity' and observations.value > 1 then 1 / observations.value
                else observations.value end,
            [abs(observations.year - seed.baseline_year), observations.year]
        ) as value,
        min_by(observations.year, [abs(observations.year - seed.baseline_year), observations.year]) as year
    from seed
    inner join observations
        on seed.indicator_id = observations.indicator_id
        and abs(observations.year - seed.baseline_year) <= seed.reach
    semi join (select iso3 from economies where is_world_bank_economy) using (iso3)
    group by all
),
people as (
    select
        seed.framework_id, seed.indicator_id, observations.iso3,
        min_by(observations.value, [abs(observations.year - seed.baseline_year), observations.year]) as people
    from seed
    inner join scoring_parameters as parameters on parameters.parameter = 'baseline_window_years'
    inner join observations
        on observations.indicator_id = 'population_total'
        and abs(observations.year - seed.baseline_year) <= parameters.value
    group by all
),
world as (
    select
        framework_id, indicator_id,
        count(*) as economies,
        min(year) as first_year,
        max(year) as last_year,
        quantile_cont(value, 0.025) as lowest,
        quantile_cont(value, 0.975) as highest,
        quantile_cont(value, 0.25) as lower_quartile,
        quantile_cont(value, 0.75) as upper_quartile
    from nearest
    group by all
),
large as (
    select
        nearest.*,
        count(*) over (partition by framework_id, indicator_id) as economies,
        row_number() over (
            partition by framework_id, indicator_id
            order by case when seed.is_lower_better then -value else value end desc, iso3
        ) as place
    from nearest
    inner join people using (framework_id, indicator_id, iso3)
    inner join seed using (framework_id, indicator_id)
    where people.people >= $2
),
best as (
    select
        framework_id, indicator_id,
        any_value(economies) as economies,
        avg(value order by place) as mean,
        string_agg(iso3, ' ' order by place) as names
    from large
    where place <= 5
    group by all
)
select
    seed.framework_id,
    seed.indicator_id,
    seed.floor_basis like '%percentile of%' as has_floor,
    seed.target_basis like 'mean of the top five of%' or seed.target_basis like '%percentile of the%' as has_target,
    format('{:.4g}', case when seed.is_lower_better then highest else lowest end)::double as floor_value,
    format(
        '{} percentile of {} economies, {}',
        case when seed.is_lower_better then '97.5th' else '2.5th' end,
        world.economies,
        case
            when seed.edition_index then format('edition of {}', seed.baseline_year)
            else format(
                'values nearest to {} within {} years (years used {})',
                seed.baseline_year, seed.reach::integer,
                case when first_year = last_year then first_year::varchar else first_year || '-' || last_year end
            )
        end
    ) as floor_basis,
    format('{:.4g}', case when seed.is_lower_better then lowest else highest end)::double as percentile,
    format(
        '{} percentile of the {} economies behind the floor',
        case when seed.is_lower_better then '2.5th' else '97.5th' end,
        world.economies
    ) as percentile_basis,
    format('{:.4g}', best.mean)::double as top_five,
    format(
        'mean of the top five of {} economies of at least one million people, {} ({})',
        best.economies,
        case
            when seed.edition_index then format('{} edition', seed.baseline_year)
            else format('nearest to {}', seed.baseline_year)
        end,
        best.names
    ) as top_five_basis,
    case when seed.target_basis like 'mean%' then top_five else percentile end as target_value,
    case when seed.target_basis like 'mean%' then top_five_basis else percentile_basis end as target_basis,
    format('{:.4g}', case when seed.is_lower_better then lower_quartile else upper_quartile end)::double as pace_value,
    format(
        '{} percentile of the {} economies behind the floor',
        case when seed.is_lower_better then '25th' else '75th' end,
        world.economies
    ) as pace_basis
from seed
left join world using (framework_id, indicator_id)
left join best using (framework_id, indicator_id)
order by all
"""


def recompute(seed: Path, fetch: Fetch, vintages: Sequence[Path] = ()) -> list[Cell]:
    """Return every computed cell of the seed ``benchmarks``, whether or not it differs.

    Args:
        seed: ``benchmarks.csv``.
        fetch: Runs the query on the published file.
        vintages: Landed vintages (Parquet files, one per indicator) to compute from; if empty, the published figures.
    """
    rows = {(row["framework_id"], row["indicator_id"]): row for row in _read(seed)[1]}
    cells = []
    for key, new in _computed(seed, fetch, vintages):
        columns: dict[str, str] = {}
        if new["has_floor"]:
            columns |= {"floor_value": new["floor_value"], "floor_basis": new["floor_basis"]}
        if new["has_target"]:
            columns |= {name: new[name] for name in ("target_value", "target_basis")}
            columns |= {"met_value": new["target_value"]}
            columns |= {name: new[name] for name in ("pace_target_value", "pace_target_basis")}
        cells += [Cell(*key, column, rows[key][column], value) for column, value in columns.items()]
    return cells


def recompute_variants(seed: Path, variants: Path, fetch: Fetch, vintages: Sequence[Path] = ()) -> list[Cell]:
    """Return every cell of the seed ``goalpost_variants``, see ``recompute``.

    Args:
        seed: ``benchmarks.csv``; its indicators with a percentile as floor have variants.
        variants: ``goalpost_variants.csv``.
        fetch: Runs the query on the published file.
        vintages: As in ``recompute``.
    """
    rows = {(row["framework_id"], row["indicator_id"], row["goalposts"]): row for row in _read(variants)[1]}
    cells = []
    for key, new in _computed(seed, fetch, vintages):
        for name in VARIANTS if new["has_floor"] else ():
            row = rows.get((*key, name), {})
            columns = {"floor_value": new["floor_value"], "target_value": new[name], "basis": new[f"{name}_basis"]}
            cells += [Cell(*key, column, row.get(column, ""), value, name) for column, value in columns.items()]
    return cells


def _computed(seed: Path, fetch: Fetch, vintages: Sequence[Path]) -> list[tuple[tuple[str, str], dict[str, str]]]:
    """Return framework and indicator of each computed row, with its cells as text; a false condition is empty."""
    sql = _SQL
    parameters: list[Any] = [str(seed), LARGE]
    if vintages:
        sql = _SQL.replace("/*landed*/", _LANDED)
        parameters.append([str(path) for path in vintages])
    return [
        ((row[0], row[1]), {name: _text(value) for name, value in zip(_COMPUTED, row[2:], strict=True)})
        for row in fetch(sql, parameters)
    ]


def apply(seed: Path, cells: Iterable[Cell]) -> None:
    """Write the recomputed cells into their seed, without a change of other cells; a new variant becomes a new row.

    Raises:
        ConfigurationError: A cell has no recomputed value.
    """
    header, rows = _read(seed)
    changes: dict[tuple[str, ...], dict[str, str]] = {}
    for cell in cells:
        if cell.recomputed == "":
            raise ConfigurationError(
                f"{seed}: there are no figures to compute {cell.framework_id}.{cell.indicator_id}.{cell.column}"
            )
        key = (cell.framework_id, cell.indicator_id, *([cell.goalposts] if cell.goalposts else []))
        changes.setdefault(key, {})[cell.column] = cell.recomputed
    names = [name for name in _KEYS if name in header]
    written = [row | changes.pop(tuple(row[name] for name in names), {}) for row in rows]
    written += [dict(zip(names, key, strict=True)) | new for key, new in changes.items()]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(written)
    write_atomically(seed, text.getvalue().encode())


def _read(seed: Path) -> tuple[list[str], list[dict[str, str]]]:
    with seed.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        return list(reader.fieldnames or []), list(reader)


def _text(value: float | str | bool | None) -> str:
    """Return a cell as the seed has it: whole numbers without a decimal point."""
    if value is None or value is False:
        return ""
    return f"{value:.15g}" if isinstance(value, float) else str(value)
