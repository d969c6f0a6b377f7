"""The matched change as published, computed again in plain Python from the levels of the build.

Belongs here: which indicators compare, the change, the common weight and the chains of the main framework. Does not
belong here: the levels themselves (``test_scoring_independent``).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

import duckdb
import pytest

from tests.reference_scoring import read_seed
from tests.running import ROOT, run_carec

FRAMEWORK = "carec_2030"
MINIMUM = 0.5
CLOSE = 1e-9


def records(database: Path, sql: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        result = connection.execute(sql)
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="module")
def published(published_warehouse: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    rows = records(published_warehouse / "carec.duckdb", f"from matched_change where framework_id = '{FRAMEWORK}'")
    return {(row["iso3"], row["pillar_id"], row["year"]): row for row in rows}


def _compares(before: dict[str, Any], now: dict[str, Any], breaks: list[dict[str, str]]) -> bool:
    """Return whether two levels of one indicator and member measure alike. All weights of the framework are equal."""
    if before["level"] is None or now["level"] is None or now["edition_index"]:
        return False
    return not any(
        row["indicator_id"] == now["indicator_id"]
        and row["iso3"] in ("", now["iso3"])
        and before["measured_year"] < int(row["from_year"]) <= now["measured_year"]
        for row in breaks
    )


@pytest.fixture(scope="module")
def computed(published_warehouse: Path) -> dict[tuple[str, str, int], tuple[float | None, float]]:
    """(member, pillar or overall, year) -> (change or None, common weight)."""
    breaks = read_seed(ROOT / "dbt_project" / "seeds", "series_breaks")
    cells = records(
        published_warehouse / "build.duckdb",
        f"""
        select s.iso3, s.as_of_year, s.pillar_id, s.subtheme_id, s.indicator_id, s.measured_year,
               s.level_score as level, i.edition_index
        from intermediate.int_indicator_scores as s
        inner join indicators as i using (indicator_id)
        inner join economy_groups as g on s.iso3 = g.iso3 and g.group_id = 'carec'
        where s.framework_id = '{FRAMEWORK}'
        """,
    )
    cell_of = {(c["iso3"], c["indicator_id"], c["as_of_year"]): c for c in cells}
    moves: dict[tuple[str, str, int], dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    for now in cells:
        before = cell_of.get((now["iso3"], now["indicator_id"], now["as_of_year"] - 1))
        if before:
            move = now["level"] - before["level"] if _compares(before, now, breaks) else None
            moves[now["iso3"], now["pillar_id"], now["as_of_year"]][now["subtheme_id"]].append(move)
    result: dict[tuple[str, str, int], tuple[float | None, float]] = {}
    for key, subthemes in moves.items():
        known = [[move for move in own if move is not None] for own in subthemes.values()]
        share = fmean(len(some) / len(own) for some, own in zip(known, subthemes.values(), strict=True))
        means = [fmean(some) for some in known if some]
        result[key] = (fmean(means) if share >= MINIMUM - CLOSE else None, share)
    for iso3, year in {(iso3, year) for iso3, _, year in moves}:
        pillars = [result[iso3, f"p{number}", year] for number in range(1, 6)]
        matched = [(change, share) for change, share in pillars if change is not None]
        share = sum(share for _, share in matched) / len(pillars)
        result[iso3, "overall", year] = (fmean(c for c, _ in matched) if share >= MINIMUM - CLOSE else None, share)
    return result


def test_the_matched_change_is_that_of_the_indicators_that_both_years_have(
    published: dict[tuple[str, str, int], dict[str, Any]],
    computed: dict[tuple[str, str, int], tuple[float | None, float]],
) -> None:
    later = {key: row for key, row in published.items() if row["reason"] != "first_year"}
    without = {key for key, row in later.items() if row["common_weight"] is None and key not in computed}
    assert all(later[key]["reason"] == "no_score" for key in without), "a pillar without public indicators"
    later = {key: row for key, row in later.items() if key not in without}
    assert later.keys() == computed.keys()
    for key, row in later.items():
        change, share = computed[key]
        assert row["common_weight"] == pytest.approx(share, abs=CLOSE), key
        assert (row["change"] is None) == (row["reason"] is not None), key
        if row["reason"] == "no_score":
            continue
        assert row["change"] == (None if change is None else pytest.approx(change, abs=CLOSE)), key
    assert sum(row["change"] is not None for row in later.values()) > 50


def test_a_chain_is_the_sum_of_its_changes_and_ends_at_the_published_score(
    published_warehouse: Path, published: dict[tuple[str, str, int], dict[str, Any]]
) -> None:
    history = records(
        published_warehouse / "carec.duckdb",
        "select iso3, pillar_id, as_of_year, score from pillar_history"
        f" where framework_id = '{FRAMEWORK}' and score is not null",
    )
    for row in history:
        place = row["iso3"], row["pillar_id"]
        here, after = (published[(*place, row["as_of_year"])], published.get((*place, row["as_of_year"] + 1)))
        start = published[(*place, here["chain_start"])]
        years = range(here["chain_start"] + 1, row["as_of_year"] + 1)
        total = sum(published[(*place, year)]["change"] for year in years)
        assert here["chained_index"] == pytest.approx(total, abs=CLOSE)
        assert here["chained_score"] - start["chained_score"] == pytest.approx(total, abs=CLOSE)
        if after is None or after["change"] is None:
            assert here["chained_score"] == pytest.approx(row["score"], abs=CLOSE)


def test_the_terminal_has_no_bar_for_a_year_outside_the_newest_chain(
    published_warehouse: Path, published: dict[tuple[str, str, int], dict[str, Any]]
) -> None:
    lines = run_carec("scorecard", warehouse=published_warehouse).stdout.splitlines()
    shown = next(line for line in lines if line.lstrip().startswith("UZB"))
    bars = sum(character in "▁▂▃▄▅▆▇█" for character in shown)
    last = max(year for _, _, year in published)
    expected = 0
    for pillar in ("p1", "p2", "p3", "p4", "p5"):
        scored = [published["UZB", pillar, year] for year in range(2015, last + 1)]
        newest = max((row["chain_start"] for row in scored if row["chain_start"]), default=last)
        own = [row for row in scored if row["chain_start"] == newest and row["year"] > last - 6]
        expected += len(own) if len(own) >= 3 else 0
    assert bars == expected > 0
