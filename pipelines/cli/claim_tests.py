"""The tables of one claim on the command line: its tests, its base years and ten years of each series.

Belongs here: columns and bars. Does not belong here: the other lines of a claim (``claims``), its verdict (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.cli.tables import Format, console, show
from pipelines.formatting import GAP, figure
from pipelines.published import fetch

_BARS = "▁▂▃▄▅▆▇█"


def shown(value: object) -> str:
    """Return a value as text; a dash for None."""
    return GAP if value is None else str(value)


def print_tests(tests: list[dict[str, Any]]) -> None:
    """Print the tests of a claim, and the sources of their figures."""
    heads = [
        "of the",
        "test",
        "series",
        "reading",
        "country",
        "result",
        "claimed",
        "figure",
        "year",
        "tolerance",
        "vintage",
    ]
    rows = [
        [
            one["role"],
            one["kind"],
            one["indicator_id"],
            one["variant"],
            one["iso3"],
            one["result"],
            figure(one["claimed"]),
            figure(one["value"]),
            shown(one["evidence_year"]),
            figure(one["tolerance"]),
            f"{one['vintage_at']:%Y-%m-%d}" if one["vintage_at"] else GAP,
        ]
        for one in tests
    ]
    show(heads, rows, Format.TABLE, right=heads[6:10])
    for source in sorted(
        {f"{one['indicator_id']}: {one['provider']}, {one['source_url']}" for one in tests if one["provider"]}
    ):
        console().print(f"  {source}", markup=False)


def print_base_years(bases: list[dict[str, Any]]) -> None:
    """Print the figures of each base year of a direction, with the outcome."""
    if not bases:
        return
    heads = ["country", "series", "base year", "figure then", "tested figure", "year", "outcome"]
    rows = [
        [
            one["iso3"],
            one["indicator_id"],
            shown(one["base_year"]),
            figure(one["base_value"]),
            figure(one["value"]),
            shown(one["year"]),
            "better" if one["is_better"] else "not better",
        ]
        for one in bases
    ]
    console().print()
    show(heads, rows, Format.TABLE, right=heads[2:6])


def print_trends(claim_id: str) -> None:
    """Print ten years of each tested series as bars. A regional series is printed per member."""
    series = fetch(
        """
        select indicator_id, iso3, list(year order by year), list(value order by year)
        from observations
        where exists (
            from claim_tests as tests
            where claim_id = ? and tests.indicator_id = observations.indicator_id
              and (tests.iso3 = observations.iso3 or tests.iso3 = 'CAREC' and observations.iso3 in (
                select iso3 from economies where is_member
              ))
          )
          and year > (select year(as_of) from publication) - 11
        group by all having count(*) > 1 order by all
        """,
        [claim_id],
    )
    if series:
        console().print()
    for indicator, iso3, years, values in series:
        ends = f"{figure(values[0])} in {years[0]}, {figure(values[-1])} in {years[-1]}"
        console().print(f"{iso3}  {trend(values)}  {indicator}: {ends}", markup=False)


def trend(values: Sequence[float]) -> str:
    """Return one bar per figure, scaled from the smallest to the largest; the lowest bars if all are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)
