"""Gates for figures that changed together: random panels with a fault are held back, honest revisions pass."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality_gates import FIGURE_GATES, SERIES_GATES, Checked, Context, RevisionSize, run_gates
from pipelines.quality_gates.places import figures_of
from pipelines.quality_gates.releases import Release, compare
from sources.observation import Areas
from tests.unit.test_observation import indicator, records

MEMBERS = ("AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")
OTHERS = tuple(f"X{letter}{digit}" for letter in "ABC" for digit in "0123456789")
AREAS = Areas(frozenset({*MEMBERS, *OTHERS}), frozenset(), {}, {}, frozenset(MEMBERS))
SIZE = RevisionSize(relative=False, rounding=0.05, large=1)
HELD, NEWER = "WDI 2026-04-08", "WDI 2026-07-01"
Key = tuple[str, int]


@dataclass(frozen=True)
class Panel:
    """Figures of a percentage: each economy has a level, a trend and noise, printed with some decimals."""

    figures: dict[Key, float]
    rng: random.Random

    @property
    def years(self) -> list[int]:
        return sorted({year for _, year in self.figures})

    def changed(self, change: Callable[[str, int, float], float]) -> Panel:
        return replace(self, figures={(i, y): round(change(i, y, value), 6) for (i, y), value in self.figures.items()})

    def relabelled(self, places: dict[str, str]) -> Panel:
        return replace(self, figures={(places.get(i, i), y): value for (i, y), value in self.figures.items()})

    def frame(self, release: str = NEWER) -> pl.DataFrame:
        rows = ((iso3, year, value) for (iso3, year), value in self.figures.items())
        return records(*rows, provider_release=release)


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    rng = random.Random(draw(st.integers(0, 10**6)))
    economies = (*MEMBERS, *OTHERS[: draw(st.sampled_from([5, 12, 30]))])
    last, decimals = 2025, draw(st.sampled_from([1, 2, 4]))
    figures = {}
    for iso3 in economies:
        level, trend = rng.uniform(5, 40), rng.uniform(0.5, 2)
        for step in range(draw(st.sampled_from([4, 8]))):
            figures[iso3, last - step] = round(level + trend * (10 - step) + rng.gauss(0, 0.3), decimals)
    return Panel(figures, rng)


def context(**changes: object) -> Context:
    return replace(Context(indicator(), AREAS, 2027, size=SIZE, first_year=2010), **changes)  # type: ignore[arg-type]


def check(sent: Panel | pl.DataFrame, held: Panel, release: str = NEWER, **changes: object) -> Checked:
    answer = sent.frame(release) if isinstance(sent, Panel) else sent
    return run_gates(FIGURE_GATES, answer, held.frame(HELD), context(**changes))


def wrong(checked: Checked, truth: Panel) -> list[Key]:
    """Return the accepted figures that are not the true ones."""
    if checked.held_back:
        return []
    rows = checked.accepted.select("iso3", "year", "value").rows()
    return [(i, y) for i, y, value in rows if abs(value - truth.figures.get((i, y), value + 1)) > SIZE.rounding + 1e-9]


def copied(panel: Panel) -> Panel:
    before, newest = panel.years[-2:]
    return replace(panel, figures={(i, y): panel.figures[i, before if y == newest else y] for i, y in panel.figures})


def rotated(panel: Panel) -> Panel:
    names = sorted({iso3 for iso3, _ in panel.figures})
    return panel.relabelled(dict(zip(names, names[2:] + names[:2], strict=True)))


def later(panel: Panel) -> Panel:
    return replace(panel, figures={(i, y + 1): value for (i, y), value in panel.figures.items()})


FAULTS: dict[str, Callable[[Panel], Panel]] = {
    **{
        f"a member times {factor:g}": lambda p, k=factor: p.changed(lambda i, y, v: v * (k if i == "KAZ" else 1))  # type: ignore[misc]
        for factor in (10, 0.1, 2, 0.5, -1)
    },
    "the newest year times 10": lambda p: p.changed(lambda i, y, v: v * (0.1 if y == p.years[-1] else 1)),
    "the series times 2": lambda p: p.changed(lambda i, y, v: v / 2),
    "two members exchanged": lambda p: p.relabelled({"KAZ": "UZB", "UZB": "KAZ"}),
    "three members exchanged": lambda p: p.relabelled({"KAZ": "UZB", "UZB": "GEO", "GEO": "KAZ"}),
    "one member's figures for another": lambda p: p.changed(
        lambda i, y, v: p.figures.get(("KAZ", y), v) if i == "UZB" else v
    ),
    "countries permuted": rotated,
    "every figure the same": lambda p: p.changed(lambda i, y, v: 40.0),
    "a member with one figure": lambda p: p.changed(lambda i, y, v: 40.0 if i == "KAZ" else v),
    "the newest year copied": copied,
    "whole numbers": lambda p: p.changed(lambda i, y, v: float(round(v))),
    "dated a year later": later,
    "reversed": lambda p: p.changed(lambda i, y, v: 100 - v),
    "a zero for a missing figure": lambda p: p.changed(
        lambda i, y, v: 0.0 if (i, y) == (max(p.figures, key=lambda key: p.figures[key])[0], p.years[-1]) else v
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@settings(max_examples=5)
@given(panel=panels())
def test_no_figure_with_a_fault_is_accepted_although_the_release_is_newer(
    panel: Panel, fault: Callable[[Panel], Panel]
) -> None:
    checked = check(fault(panel), panel)
    assert wrong(checked, panel) == []
    assert checked.held_back or checked.warnings or checked.refused.height


@settings(max_examples=25)
@given(panel=panels(), share=st.sampled_from([0.05, 0.3, 1.0]), change=st.sampled_from([0.2, 1.5, 4.0]))
def test_an_honest_revision_with_a_new_year_passes(panel: Panel, share: float, change: float) -> None:
    rng, newest = panel.rng, panel.years[-1]
    revised = {
        key: value + (rng.gauss(0, change) if rng.random() < share else 0) for key, value in panel.figures.items()
    }
    revised |= {(i, newest + 1): value + rng.uniform(0, 3) for (i, y), value in revised.items() if y == newest}
    checked = check(Panel({key: round(value, 2) for key, value in revised.items()}, rng), panel)
    assert (checked.held_back, checked.refused.height, checked.accepted.height) == (None, 0, len(revised))


def revised_by_much(panel: Panel) -> Panel:
    return panel.changed(lambda i, y, v: v + 12 + 0.37 * (y % 3) if i == "KAZ" else v)


@settings(max_examples=5)
@given(panel=panels())
def test_a_large_revision_passes_with_a_warning_if_a_newer_release_announces_it(panel: Panel) -> None:
    announced = check(revised_by_much(panel), panel)
    assert announced.accepted.height == len(panel.figures) and "KAZ revised by much" in announced.warnings[0]
    silent = check(revised_by_much(panel), panel, HELD)
    assert wrong(silent, panel) == [] and set(silent.refused["iso3"]) == {"KAZ"}
    assert "--accept-revision internet_users_pct" in silent.warnings[0]
    confirmed = check(revised_by_much(panel), panel, confirmed_release=NEWER)
    assert set(confirmed.refused["iso3"]) == {"KAZ"}


@pytest.mark.parametrize("fault", [FAULTS["a member times 0.5"], FAULTS["countries permuted"], FAULTS["whole numbers"]])
@settings(max_examples=3)
@given(panel=panels())
def test_an_operator_can_accept_what_was_held_back(panel: Panel, fault: Callable[[Panel], Panel]) -> None:
    accepted = check(fault(panel), panel, accept_revision=True)
    assert (accepted.held_back, accepted.accepted.height) == (None, len(panel.figures))
    again = run_gates(FIGURE_GATES, fault(panel).frame(), fault(panel).frame(), context())
    assert (again.held_back, again.warnings) == (None, ())


@settings(max_examples=5)
@given(panel=panels())
def test_an_older_answer_is_held_back_and_an_equal_one_is_not(panel: Panel) -> None:
    revised = panel.changed(lambda i, y, v: v + 0.3)
    older = check(revised, panel, "WDI 2025-12-01")
    assert older.gate == "older_answer" and "the figures held are of WDI 2026-04-08" in (older.held_back or "")
    assert check(panel, panel, "WDI 2025-12-01").held_back is None
    vintages = [(datetime(2026, 1, 5), revised.frame(HELD))]
    returned = check(revised, panel, HELD, older=lambda: vintages)
    assert "vintage of 2026-01-05 again" in (returned.held_back or "")
    assert check(revised, panel, NEWER, older=lambda: vintages).held_back is None


@settings(max_examples=5)
@given(panel=panels())
def test_a_gate_that_compares_would_find_nothing_without_a_last_vintage(panel: Panel) -> None:
    sent, none = panel.changed(lambda i, y, v: 0.0 if y % 3 else 100 * v).frame(), records()
    for gate in (*FIGURE_GATES, *SERIES_GATES):
        if gate.compares and gate.check:
            found = gate.check(sent, none, context())
            assert found.accepted.equals(sent) and not found.held_back and not found.warnings, gate.code
            assert found.refused.is_empty() and found.doubted.is_empty(), gate.code


@settings(max_examples=5)
@given(panel=panels())
def test_another_indicators_figures_are_named(panel: Panel) -> None:
    other = panel.changed(lambda i, y, v: v + 1 + 0.01 * (y % 7))
    sent = other.frame()
    others = figures_of(sent.with_columns(indicator_id=pl.lit("internet_users_male_pct")))
    checked = check(sent, panel, others=lambda: others)
    assert checked.gate == "other_indicator" and "are those of internet_users_male_pct" in (checked.held_back or "")
    first = run_gates(FIGURE_GATES, sent, records(), context(others=lambda: others))
    assert first.gate == "other_indicator"


@settings(max_examples=5)
@given(panel=panels())
def test_an_economy_that_vanishes_keeps_its_figures_and_its_new_code_is_named(panel: Panel) -> None:
    without = replace(panel, figures={key: value for key, value in panel.figures.items() if key[0] != "KAZ"})
    checked = check(without, panel, unknown_areas=("KZK",))
    assert set(checked.doubted["iso3"]) == {"KAZ"} and checked.held_back is None
    assert "KAZ missing from the answer, the last figures stay (KZK instead of KAZ?)" in checked.warnings[0]
    assert check(without, panel, accept_shrink=True).doubted.is_empty()
    many = replace(panel, figures={key: value for key, value in panel.figures.items() if key[0] not in MEMBERS})
    assert check(many, panel).doubted.is_empty(), "a part of a series is for the gate `loss`"


def test_figures_inside_the_range_do_not_pass_if_the_others_are_outside() -> None:
    rows = [(iso3, year, 0.4 * 100 + 30 * place) for place, iso3 in enumerate(MEMBERS) for year in (2023, 2024)]
    whole = run_gates(FIGURE_GATES, records(*rows), records(), context())
    assert whole.gate == "other_unit" and "outside 0..100" in (whole.held_back or "")
    one = [(iso3, year, 30.0 + year % 9) for iso3 in MEMBERS for year in range(2015, 2025) if iso3 != "KAZ"]
    part = run_gates(
        FIGURE_GATES, records(*one, *(("KAZ", y, 60.0 * (y - 2014)) for y in range(2015, 2025))), records(), context()
    )
    assert part.held_back is None and set(part.refused["iso3"]) == {"KAZ"} and part.refused.height == 10


def test_a_new_year_of_another_level_is_held_back_alone() -> None:
    held = [
        (iso3, year, 20.0 + place + year - 2015) for place, iso3 in enumerate(MEMBERS) for year in range(2015, 2025)
    ]
    new = [(iso3, 2025, 2.5 * value) for iso3, year, value in held if year == 2024]
    checked = run_gates(FIGURE_GATES, records(*held, *new), records(*held), context())
    assert checked.accepted.height == len(held) and "new_year: 2025 held back" in checked.warnings[0]


@pytest.mark.parametrize(
    ("held", "sent", "expected"),
    [
        ("WDI 2026-04-08", "WDI 2026-07-01", Release.NEWER),
        ("WDI 2026-07-01", "WDI 2026-04-08", Release.OLDER),
        ("SDG 2025.Q2.G.01", "SDG 2025.Q2.G.01", Release.SAME),
        ("GII 2025", "GII 2025, file of 2026-01-27", Release.SAME),
        ("GII 2025, file of 2026-01-27", "GII 2025, file of 2026-02-03", Release.NEWER),
        ("GII 2025, file of 2026-01-27", "GII 2024, file of 2026-02-03", Release.OLDER),
        ("WDI (undated)", "WDI 2026-04-08", Release.OTHER),
        ("WDI 2026-04-08", None, Release.UNKNOWN),
    ],
)
def test_releases_are_compared_by_their_numbers(held: str, sent: str | None, expected: Release) -> None:
    assert compare(held, sent) is expected
