"""The wording of changes between publications. ``tests/integration/test_changes.py`` tests that they are found."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from pipelines.cli.diff import sections
from warehouse.publications import COLUMNS, Comparison


def shown_line(**row: Any) -> list[str]:
    """Return the line of a comparison with this one change."""
    row = {"kind": "revised", "iso3": "AFG", "subject": "internet_users_pct", "year": 2018, "name": "Afghanistan"} | row
    day, moment = date(2026, 11, 23), datetime(2026, 11, 23)
    (section,) = sections(Comparison(moment, day, moment, day, [tuple(row.get(column) for column in COLUMNS)]))
    return section.lines[0]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (17.0485, 18.4, ["17.05", "18.4"]),
        (16.79999924, 16.8, ["16.79999924", "16.8"]),  # a difference that is invisible with four digits
        (None, 1234567.0, ["–", "1,234,567"]),
    ],
)
def test_a_changed_figure_never_looks_like_the_previous_one(
    before: float | None, after: float | None, shown: list[str]
) -> None:
    assert shown_line(previous_value=before, value=after)[-2:] == shown


def test_an_entry_without_a_name_is_shown_by_its_code() -> None:
    assert shown_line(name=None, value=1.0)[0] == "AFG"
    assert shown_line(
        kind="verdict", subject="c-1", iso3=None, name=None, year=None, previous="no_data", present="supported"
    ) == [
        "c-1",
        "no_data",
        "supported",
    ]


def test_figures_of_one_indicator_are_summarised() -> None:
    assert shown_line(kind="new_year", value=1.0, title="Internet") == ["Internet", "2018", "1", "AFG"]
