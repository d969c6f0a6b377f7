"""Quality gates: their order, the gates that compare a series with the last vintage, and the list in the docs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.quality_gates import GATES, SCALE_LIMIT, SERIES_GATES, SHRINK_LIMIT, Context, run_gates
from pipelines.quality_gates.__main__ import with_gate_list
from tests.unit.test_observation import AREAS, indicator, records

ROOT = Path(__file__).parents[2]
WORLD = ("AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "DEU", "FRA", "ITA", "ESP")
LONG = range(2005, 2025)
NOTHING = records()


def series(*values: float) -> pl.DataFrame:
    return records(*(("KAZ", 2010 + i, value) for i, value in enumerate(values)))


def world(*years: int, without: tuple[tuple[str, int], ...] = (), **values: float) -> pl.DataFrame:
    """Return a figure for every country and year; ``y2024`` sets all figures of that year."""
    return records(
        *(
            (iso3, year, values.get(f"y{year}", 40.0 + place + year % 10))
            for place, iso3 in enumerate(WORLD)
            for year in years
            if (iso3, year) not in without
        )
    )


def held_back(fresh: pl.DataFrame, last: pl.DataFrame, *, accept_shrink: bool = False, members: str = "") -> str:
    """Return the reason why the gates for a series hold it back, or an empty text."""
    areas = replace(AREAS, members=frozenset(members.split()))
    context = Context(indicator(), areas, 2026, accept_shrink=accept_shrink)
    checked = run_gates(SERIES_GATES, fresh, last, context)
    assert checked.accepted.height == fresh.height and checked.refused.is_empty()
    return checked.held_back or ""


@pytest.mark.parametrize(("kept", "stops"), [(17, True), (18, False)])
def test_a_series_without_more_than_a_tenth_of_its_figures_is_held_back(kept: int, stops: bool) -> None:
    reason = held_back(series(*range(kept)), series(*range(20)))
    assert bool(reason) is stops
    assert not stops or ("3 of 20" in reason and "--accept-shrink" in reason)


def test_an_operator_can_accept_a_loss() -> None:
    assert held_back(series(1, 2), series(*range(20)))
    assert not held_back(series(1, 2), series(*range(20)), accept_shrink=True)


@pytest.mark.parametrize(("factor", "stops"), [(0.01, True), (0.0, True), (100, True), (0.1, False)])
def test_figures_of_another_scale_are_held_back(factor: float, stops: bool) -> None:
    reason = held_back(series(*(factor * n for n in range(1, 21))), series(*range(1, 21)))
    assert bool(reason) is stops
    assert not stops or ("in the median" in reason and "--accept-shrink" in reason)


@pytest.mark.parametrize(("gone", "stops"), [(6, True), (5, False)])
def test_a_series_without_most_figures_of_one_year_is_held_back(gone: int, stops: bool) -> None:
    reason = held_back(world(*LONG, without=tuple((iso3, 2024) for iso3 in WORLD[:gone])), world(*LONG))
    assert ("6 of the 10 figures of 2024" in reason) is stops and bool(reason) is stops


def test_a_series_without_its_last_year_is_held_back() -> None:
    assert "of 2024" in held_back(world(*LONG[:-1]), world(*LONG))


@pytest.mark.parametrize(("gone", "stops"), [(3, True), (2, False)])
def test_lost_figures_of_members_are_counted_separately_from_other_economies(gone: int, stops: bool) -> None:
    fresh = world(*LONG, without=tuple(("KAZ", year) for year in LONG[:gone]))
    reason = held_back(fresh, world(*LONG), members="KAZ")
    assert ("3 of 20 country-years of the members" in reason) is stops and bool(reason) is stops


@pytest.mark.parametrize(("value", "stops"), [(0.0, True), (0.45, True), (45.5, False)])
def test_a_new_year_of_another_scale_is_held_back(value: float, stops: bool) -> None:
    reason = held_back(world(*LONG, 2025, y2025=value), world(*LONG))
    assert ("new figures of 2025" in reason) is stops and bool(reason) is stops


@pytest.mark.parametrize(
    ("value", "reason"), [(0.0, "every figure is zero"), (0.87, "shares"), (1.5, None), (40.0, None)]
)
def test_a_first_series_of_zeros_or_shares_is_held_back(value: float, reason: str | None) -> None:
    found = held_back(world(2024, y2024=value), NOTHING)
    assert bool(found) is bool(reason) and (reason or "") in found
    assert not held_back(world(2024, y2024=value), NOTHING, accept_shrink=True)


def test_an_operator_can_accept_another_scale() -> None:
    assert held_back(series(0.01, 0.02, 0.03), series(1, 2, 3))
    assert not held_back(series(0.01, 0.02, 0.03), series(1, 2, 3), accept_shrink=True)


def test_single_figures_may_change_by_any_factor() -> None:
    assert not held_back(series(40, 1.5, 60, 70), series(0, 50, 60, 70))


@pytest.mark.parametrize("factor", [0.01, 100, 0.001, 0.00998])
def test_a_figure_with_a_moved_decimal_point_is_refused_and_a_revision_is_not(factor: float) -> None:
    gate = next(gate for gate in GATES if gate.code == "moved_point")

    def refused(fresh: pl.DataFrame, last: pl.DataFrame, accept_shrink: bool = False) -> list[tuple[str, int]]:
        context = Context(indicator(), AREAS, 2026, accept_shrink=accept_shrink)
        return run_gates([gate], fresh, last, context).rejected_keys.rows()

    last = world(2023, 2024)
    fresh = last.with_columns(value=pl.when(pl.col("iso3") == "KAZ").then(pl.col("value") * factor).otherwise("value"))
    assert refused(fresh, last) == [("KAZ", 2023), ("KAZ", 2024)]
    assert refused(fresh, last, accept_shrink=True) == refused(fresh, NOTHING) == []
    revised = last.with_columns(value=pl.when(pl.col("iso3") == "KAZ").then(2.5).otherwise("value"))
    assert refused(revised, last) == []
    assert refused(last.with_columns(pl.col("value") * factor), last) == []


def test_no_gate_runs_after_one_that_holds_back_the_series() -> None:
    codes = [gate.code for gate in SERIES_GATES]
    zeros = run_gates(SERIES_GATES, series(*[0] * 17), series(*range(1, 21)), Context(indicator(), AREAS, 2026))
    assert codes.index("loss") < codes.index("scale") and zeros.gate == "loss"


def test_the_list_of_gates_in_the_docs_is_current() -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    assert all(f"| `{gate.code}` | {gate.does}" in page for gate in GATES)
    assert with_gate_list(page) == page, "run `make docs`"


def test_the_list_of_gates_names_the_limits_in_use() -> None:
    does = {gate.code: gate.does for gate in GATES}
    assert f"more than {SHRINK_LIMIT:.0%} " in does["loss"] and f"more than {SCALE_LIMIT:g} times" in does["scale"]


def test_every_gate_has_its_own_code_and_every_test_of_dbt_in_the_list_exists() -> None:
    assert len({gate.code for gate in GATES}) == len(GATES)
    assert all((ROOT / gate.where / f"{gate.code}.sql").exists() for gate in GATES if gate.where.startswith("dbt"))
