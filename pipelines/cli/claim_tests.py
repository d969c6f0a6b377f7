"""The tables of one claim on the command line: its tests, its base years and ten years of each series.

Belongs here: columns and bars. Does not belong here: the other lines of a claim (``claims``), its verdict (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.cli.tables import Format, console, readable, show
from pipelines.formatting import figure
from pipelines.published import fetch, fetch_rows

_BARS = "▁▂▃▄▅▆▇█"


def print_tests(claim_id: str) -> None:
    """Print the tests of a claim, and the sources of their figures."""
    tests = fetch_rows(
        """
        select role as "of the", kind as test, indicator_id as series, variant as reading, iso3 as country, result,
               claimed, value as figure, evidence_year as year, tolerance, vintage_at::date as vintage
        from claim_tests where claim_id = ? order by role desc, indicator_id, variant, iso3
        """,
        [claim_id],
    )
    show(*tests, Format.TABLE, cell=readable, right=["claimed", "figure", "year", "tolerance"])
    sources = fetch(
        "select distinct indicator_id || ': ' || provider || ', ' || source_url from claim_tests"
        " where claim_id = ? and provider is not null order by 1",
        [claim_id],
    )
    for (source,) in sources:
        console().print(f"  {source}")


def print_base_years(claim_id: str) -> None:
    """Print the figures of each base year of a direction, with the outcome."""
    bases = fetch_rows(
        """
        select iso3 as country, indicator_id as series, base_year as "base year", base_value as "figure then",
               value as "tested figure", year, if(is_better, 'better', 'not better') as outcome
        from claim_base_years where claim_id = ? order by indicator_id, iso3, base_year
        """,
        [claim_id],
    )
    if bases.values:
        console().print()
        show(*bases, Format.TABLE, cell=readable, right=["base year", "figure then", "tested figure", "year"])


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
        console().print(f"{iso3}  {trend(values)}  {indicator}: {ends}")


def trend(values: Sequence[float]) -> str:
    """Return one bar per figure, scaled from the smallest to the largest; the lowest bars if all are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)
