"""The edition watch: the status of an index on a given day, from the calendar and the available editions."""

from __future__ import annotations

from datetime import date

import pytest

from sources.catalogue import load_catalogue
from sources.checks.edition_watch import INDICES, EditionFinding, HeldEditions, Standing, watch

GII = {2023: date(2023, 9, 27), 2024: date(2024, 9, 26), 2025: date(2025, 9, 16)}
SURVEY = {2020: date(2020, 7, 10), 2022: date(2022, 9, 28), 2024: date(2024, 9, 17)}
CALENDAR = {"gii_score": GII, "egdi_index": SURVEY}


def of(name: str, years: list[int], today: date) -> EditionFinding:
    found = {one.index: one for one in watch(CALENDAR, {name: HeldEditions(years, f"{name} {years[-1:]}")}, today)}
    return found[name]


@pytest.mark.parametrize(
    ("today", "status", "expected"),
    [
        (date(2026, 9, 10), Standing.CURRENT, "GII 2026 is expected about 2026-09-11"),
        (date(2026, 9, 11), Standing.DUE, "GII 2026 could be out since 2026-09-11"),
        (date(2027, 1, 1), Standing.DUE, "GII 2026 could be out since 2026-09-11"),
    ],
)
def test_the_next_edition_is_expected_after_the_usual_interval(today: date, status: Standing, expected: str) -> None:
    one = of("GII", [2024, 2025], today)
    assert (one.held_edition, one.next_edition, one.expected_on) == (2025, 2026, date(2026, 9, 11))
    assert (one.status, one.detail) == (status, expected)


def test_a_biennial_index_is_expected_in_two_years() -> None:
    one = of("UN E-Government Survey", [2022, 2024], date(2026, 11, 27))
    assert (one.next_edition, one.status) == (2026, Standing.DUE)
    assert one.expected_on and one.expected_on.year == 2026


def test_an_edition_of_the_calendar_without_figures_here_is_out() -> None:
    one = of("GII", [2023, 2024], date(2025, 10, 1))
    assert (one.next_edition, one.status) == (2025, Standing.OUT)
    assert one.detail == "GII 2025 is out since 2025-09-16: run `carec refresh`"
    assert of("GII", [2023, 2024], date(2025, 9, 1)).status is Standing.CURRENT


def test_an_edition_beyond_the_calendar_counts() -> None:
    one = of("GII", [2025, 2026], date(2026, 11, 27))
    assert (one.next_edition, one.status) == (2027, Standing.CURRENT)
    assert one.expected_on and one.expected_on.year == 2027


@pytest.mark.parametrize(
    ("name", "years", "following", "status"),
    [
        ("GCI", [2020, 2024], 2028, Standing.CURRENT),
        ("ICT prices", [2023, 2024, 2025], 2026, Standing.DUE),
        ("LPI", [2014, 2016, 2018, 2022], 2024, Standing.DUE),
        ("Global Findex", [2011, 2014, 2017, 2021, 2024], 2027, Standing.CURRENT),
        ("IDI", [2024], 2025, Standing.DUE),
    ],
)
def test_without_release_days_the_interval_is_that_of_the_editions_held(
    name: str, years: list[int], following: int, status: Standing
) -> None:
    one = of(name, years, date(2026, 11, 27))
    assert (one.next_edition, one.expected_on, one.status) == (following, None, status)
    assert "edition_releases.csv has no release days" in one.detail


def test_an_index_without_any_edition_is_unknown() -> None:
    assert {one.status for one in watch({}, {}, date(2026, 11, 27))} == {Standing.UNKNOWN}


def test_every_index_is_watched_by_an_indicator_of_the_catalogue() -> None:
    assert {index.indicator_id for index in INDICES} <= load_catalogue().indicators.keys()
    assert [index.name for index in INDICES] == [one.index for one in watch({}, {}, date(2026, 1, 1))]
