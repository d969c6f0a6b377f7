"""The rate at which the quality gates hold back real figures, over archived vintages and provider files.

``docs/sources.md`` states the rate.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tests.false_alarms import alarms, archived_pairs, context, first_landings, new_years, opened, reference_pairs
from tests.running import ROOT


def test_no_gate_holds_back_a_part_of_an_archived_vintage() -> None:
    assert [alarm for case in archived_pairs() for alarm in alarms(case)] == []


@pytest.mark.exhaustive
def test_fewer_than_one_series_in_a_hundred_is_held_back_in_vain_and_none_of_a_member(reference: Path) -> None:
    cases = [*archived_pairs(), *first_landings(), *new_years(), *reference_pairs()]
    found = [alarm for case in cases for alarm in alarms(case)]
    assert len({(alarm.kind, alarm.indicator_id) for alarm in found}) < 0.01 * len(cases)
    assert not [alarm for alarm in found for member in opened().areas.members if member in alarm.text]
    stated = re.search(r"(\d+) of (\d+) series-vintages", (ROOT / "docs" / "sources.md").read_text(encoding="utf-8"))
    assert stated and (int(stated[1]), int(stated[2])) == (len(found), len(cases))


@pytest.mark.exhaustive
def test_the_reference_vintages_have_large_revisions_of_members(reference: Path) -> None:
    """The rate is of vintages that were revised, not of copies."""
    revised = 0
    for case in reference_pairs():
        both = case.answer.join(case.previous.select("iso3", "year", last="value"), on=["iso3", "year"])
        read = context(case.indicator_id)
        revised += both.filter(read.size.revised, pl.col("iso3").is_in(sorted(read.areas.members))).height
    assert revised > 50
