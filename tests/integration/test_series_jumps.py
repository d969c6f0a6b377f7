"""Repeated figures and jumps of series as published, computed again with NumPy from the observations.

Belongs here: staleness of repeated figures, which changes are jumps, what a mark rests on. Does not belong here: which
series repeat figures (``test_scoring_independent``).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.reference_scoring import read_seed
from tests.running import ROOT, run_carec

FRAMEWORK = "carec_2030"


def records(warehouse: Path, sql: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        result = connection.execute(sql)
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def test_no_score_rests_on_a_figure_measured_longer_ago_than_its_maximum_age(published_warehouse: Path) -> None:
    cells = records(
        published_warehouse,
        "select s.*, i.max_age_years from indicator_scores as s join indicators as i using (indicator_id)"
        " where latest_year is not null",
    )
    for row in cells:
        assert row["measured_year"] <= row["latest_year"]
        is_old = row["as_of_year"] - row["measured_year"] > row["max_age_years"]
        assert not is_old or row["level_score"] is None, row
    repeated = {(row["iso3"], row["indicator_id"]): row for row in cells if row["measured_year"] < row["latest_year"]}
    for iso3 in ("TJK", "TKM"):
        row = repeated[iso3, "coverage_4g_pct"]
        assert (row["measured_year"], row["status_reason"]) == (2017, "stale")


def test_jumps_are_the_changes_beyond_the_99th_percentile_of_the_world(published_warehouse: Path) -> None:
    figures = records(
        published_warehouse,
        f"""
        select o.indicator_id, o.iso3, o.year, o.value, b.transform, i.shape, r.is_detected,
               o.value > 0.01 * i.valid_max and o.value < 0.99 * i.valid_max as is_inside
        from observations as o
        join benchmarks as b on o.indicator_id = b.indicator_id and b.framework_id = '{FRAMEWORK}'
        join indicators as i on o.indicator_id = i.indicator_id and not i.edition_index
        join economies as e on o.iso3 = e.iso3 and not e.is_aggregate
        join series_repeats as r on o.indicator_id = r.indicator_id
        where isfinite(o.value)
        order by o.indicator_id, o.iso3, o.year
        """,
    )
    changes: dict[str, list[tuple[str, int, float]]] = defaultdict(list)
    last: dict[str, Any] = {}
    for row in figures:
        value = row["value"]
        same = last and (last["indicator_id"], last["iso3"]) == (row["indicator_id"], row["iso3"])
        if same and row["is_detected"] and row["is_inside"] and last["value"] == value:
            continue  # measured in the year of the figure before
        if row["transform"] == "log" and value <= 0:
            continue
        g = np.log(value) if row["transform"] == "log" else value
        g = min(g, 1 / g) if row["shape"] == "parity" and g > 0 else g
        if same:
            speed = (g - last["g"]) / (row["year"] - last["year"])
            changes[row["indicator_id"]].append((row["iso3"], row["year"], speed))
        last = {**row, "g": g}
    members = {row["iso3"] for row in records(published_warehouse, "from economies where is_member")}
    expected = {}
    for indicator_id, every in changes.items():
        if len(every) >= 100:
            limit = np.percentile(np.abs([speed for _, _, speed in every]), 99)
            expected |= {
                (indicator_id, iso3, year): speed
                for iso3, year, speed in every
                if iso3 in members and abs(speed) > limit
            }
    published = records(published_warehouse, f"from series_jumps where framework_id = '{FRAMEWORK}'")
    found = {
        (row["indicator_id"], row["iso3"], row["to_year"]): row["change_per_year"]
        for row in published
        if row["is_beyond"]
    }
    assert found == pytest.approx(expected) and found
    assert {row["decision"] for row in published if not row["is_beyond"]} == {"declared_break"}


def test_every_declared_break_of_a_member_is_listed_and_every_real_change_has_its_source(
    published_warehouse: Path,
) -> None:
    jumps = records(published_warehouse, f"from series_jumps where framework_id = '{FRAMEWORK}'")
    declared = {(row["indicator_id"], row["iso3"]) for row in jumps if row["decision"] == "declared_break"}
    seeds = ROOT / "dbt_project" / "seeds"
    assert declared == {(row["indicator_id"], row["iso3"]) for row in read_seed(seeds, "series_breaks") if row["iso3"]}
    assert all(row["source_url"] for row in jumps if row["decision"] == "real_change")
    decided = {
        (row["indicator_id"], row["iso3"], int(row["to_year"])) for row in read_seed(seeds, "series_jump_decisions")
    }
    undecided = {(row["indicator_id"], row["iso3"], row["to_year"]) for row in jumps if row["decision"] == "undecided"}
    assert undecided <= decided, "a jump of the bundled archive that no one looked at"


def test_a_pace_across_an_undecided_jump_is_marked_in_tables_and_explanation(published_warehouse: Path) -> None:
    jumps = records(published_warehouse, "from series_jumps where decision = 'undecided'")
    for row in records(published_warehouse, "from indicator_scores where baseline_year is not null"):
        own = [
            jump["to_year"]
            for jump in jumps
            if all(jump[key] == row[key] for key in ("framework_id", "iso3", "indicator_id"))
            and row["baseline_year"] <= jump["from_year"]
            and jump["to_year"] <= row["measured_year"]
        ]
        assert row["undecided_jump_year"] == max(own, default=None), row
    (marked, *_) = records(published_warehouse, "from indicator_scores where undecided_jump_year is not null")
    printed = run_carec("explain", marked["iso3"], marked["indicator_id"], warehouse=published_warehouse).stdout
    assert f"in {marked['undecided_jump_year']}" in printed and "undecided jump" in printed
    assert "‡" in run_carec("scorecard", marked["iso3"], warehouse=published_warehouse).stdout
