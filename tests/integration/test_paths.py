"""Paths to the target, recommendations and progress of the members, recomputed in Python from other published tables.

The recomputation follows docs/method.md and uses no model of ``dbt_project``.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.seeds.codes import FRAMEWORK
from pipelines.texts.words import LANGUAGES, Words
from tests.reference_repeats import Scale, measured_years
from warehouse.layout import Layout
from warehouse.publish import Receipt, publish, write_receipt

Row = dict[str, Any]

OTHER_SIDE_OF_PARITY = 1.0
TOO_LITTLE_DATA = ("no_data", "not_covered", "stale")


def table(warehouse: Path, sql: str, file: str = "carec.duckdb") -> list[Row]:
    with duckdb.connect(str(warehouse / file), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def of_framework(warehouse: Path, name: str) -> list[Row]:
    return table(warehouse, f"from {name} where framework_id = '{FRAMEWORK}'")


@pytest.fixture(scope="module")
def indicators(published_warehouse: Path) -> dict[str, Row]:
    return {row["indicator_id"]: row for row in table(published_warehouse, "from indicators")}


@pytest.fixture(scope="module")
def benchmarks(published_warehouse: Path) -> dict[str, Row]:
    return {row["indicator_id"]: row for row in of_framework(published_warehouse, "benchmarks")}


@pytest.fixture(scope="module")
def scores(published_warehouse: Path) -> list[Row]:
    return of_framework(published_warehouse, "indicator_scores")


def test_a_path_value_is_the_one_computed_by_hand(published_warehouse: Path) -> None:
    """Internet use and secure servers of Uzbekistan."""
    rows = {
        (row["iso3"], row["indicator_id"], row["year"]): row
        for row in of_framework(published_warehouse, "trajectories")
    }
    internet = rows["UZB", "internet_users_pct", 2024]
    # logit 1.18533 in 2021 and 4.59512 (99 %) in 2030: 2.32192 in 2024, 3.07966 in 2026
    assert internet["path_value"] == pytest.approx(91.067663, abs=1e-5)
    assert internet["distance_to_path"] == pytest.approx(100 * (89.50550079 - 91.067663) / (100 - 13.39), abs=1e-4)
    assert internet["expected_this_year"] == pytest.approx(95.604575, abs=1e-5)
    # 595.03 servers in 2021, 179,600 in 2030, on a logarithm: the factor of each year is the ninth root of 301.83
    servers = rows["UZB", "secure_servers_per_million", 2023]
    assert servers["path_value"] == pytest.approx(595.02922815341 * 1.88595**2, rel=1e-4)
    assert servers["path_value"] == pytest.approx(2116.40, abs=0.01)


def test_every_path_and_distance_follows_from_baseline_target_and_observations(
    published_warehouse: Path, indicators: dict[str, Row], benchmarks: dict[str, Row], scores: list[Row]
) -> None:
    observed = _measured(published_warehouse, indicators)
    paths: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for row in of_framework(published_warehouse, "trajectories"):
        paths[row["iso3"], row["indicator_id"]][row["year"]] = row
    expected = set()
    for score in scores:
        iso3, indicator_id, benchmark = score["iso3"], score["indicator_id"], benchmarks[score["indicator_id"]]
        is_parity, is_share = (indicators[indicator_id]["shape"] == shape for shape in ("parity", "saturating"))

        def g(value: float, parity: bool = is_parity, log: bool = benchmark["transform"] == "log") -> float:
            value = 1 / value if parity and value > OTHER_SIDE_OF_PARITY else value
            return value if not log else math.log(value) if value > 0 else -math.inf

        def h(value: float, share: bool = is_share, top: float = indicators[indicator_id]["valid_max"]) -> float:
            if not share:
                return g(value)
            value = min(max(value / top, 0.001), 0.999)
            return math.log(value / (1 - value))

        first, last = score["baseline_year"], score["target_year"]
        if first is None or not math.isfinite(g(score["baseline_value"])):
            continue
        expected.add((iso3, indicator_id))
        own = paths[iso3, indicator_id]
        assert sorted(own) == list(range(first, last + 1))
        upwards = benchmark["target_value"] > benchmark["floor_value"]
        start, goal, met = (g(value) for value in (score["baseline_value"], score["target_value"], _met(benchmark)))
        was_met = start >= met if upwards else start <= met
        end = h(_met(benchmark)) if is_share else goal
        for year, row in own.items():
            begin = h(score["baseline_value"])
            on_path = h(_met(benchmark)) if was_met else begin + (end - begin) * (year - first) / (last - first)
            # a share below the limit of the logit starts from where it is
            assert h(row["path_value"]) == pytest.approx(on_path, abs=1e-9) or score["baseline_value"] < 0.1
            at = g(row["path_value"])
            value = observed.get((iso3, indicator_id, year)) if year <= score["as_of_year"] else None
            assert row["observed_value"] == value
            if value is not None and math.isfinite(g(value)):
                distance = 100 * (g(value) - at) / (goal - g(benchmark["floor_value"]))
                assert row["distance_to_path"] == pytest.approx(distance, abs=1e-9)
            assert row["expected_this_year"] == own[min(score["as_of_year"], last)]["path_value"]
            if score["measured_year"] >= year:
                assert row["projection"] is None
        for column in ("projection", "projection_low", "projection_high"):
            assert own[last][column] == score[column]
    assert set(paths) == expected and len(expected) > 200


def _measured(warehouse: Path, indicators: dict[str, Row]) -> dict[tuple[str, str, int], float]:
    """Return the figures by economy, indicator and year, without those that a source repeats."""
    series: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for row in table(warehouse, "from observations"):
        series[row["iso3"], row["indicator_id"]][row["year"]] = row["value"]
    (parameter,) = table(warehouse, "from scoring_parameters where parameter = 'scale_end_share'")
    for row in table(warehouse, "from series_repeats where is_detected"):
        if row["indicator_id"] not in indicators:
            continue
        one = indicators[row["indicator_id"]]
        scale = Scale(
            one["valid_min"], one["valid_max"], one["shape"] == "saturating", one["natural_limit"], parameter["value"]
        )
        for (_, indicator_id), own in series.items():
            if indicator_id == row["indicator_id"]:
                for year, measured in measured_years(own, scale).items():
                    if year != measured:
                        del own[year]
    return {(*key, year): value for key, own in series.items() for year, value in own.items()}


def _met(benchmark: Row) -> float:
    return float(benchmark["target_value"] if benchmark["met_value"] is None else benchmark["met_value"])


def test_no_projection_of_any_economy_passes_its_natural_limit(published_warehouse: Path) -> None:
    columns = "projection", "projection_low", "projection_high"
    cells = table(
        published_warehouse,
        f"select i.shape, i.valid_min, i.natural_limit, s.latest_value, {', '.join('s.' + one for one in columns)}"
        " from intermediate.int_indicator_scores as s join indicators as i using (indicator_id)"
        " where projection is not null",
        "build.duckdb",
    )
    for cell in cells:
        low, middle, high = (cell[column] for column in ("projection_low", "projection", "projection_high"))
        for value in (low, middle, high):
            if value is None:
                continue
            # a valid range that starts above 0 only catches typing errors, except on the scale of the logistics index
            assert value >= 0 or cell["valid_min"] < 0, cell
            assert value >= 1 or cell["valid_min"] != 1, cell
            if cell["natural_limit"] is not None and cell["latest_value"] <= cell["natural_limit"]:
                assert value <= cell["natural_limit"], cell
            if cell["shape"] == "parity" and cell["latest_value"] > OTHER_SIDE_OF_PARITY:
                assert value >= OTHER_SIDE_OF_PARITY, cell
        assert low is None or low - 1e-9 <= middle <= high + 1e-9, cell
    assert len(cells) > 2000
    assert {cell["natural_limit"] for cell in cells} >= {1.0, 100.0}


def _shares(warehouse: Path) -> dict[str, float]:
    """Return the share of each indicator in the overall score, from the declared weights."""
    pillars = {row["pillar_id"]: row["weight"] for row in of_framework(warehouse, "pillars") if row["in_overall"]}
    subthemes = {row["subtheme_id"]: row["weight"] for row in of_framework(warehouse, "subthemes")}
    tree: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in of_framework(warehouse, "framework_indicators"):
        if row["pillar_id"] in pillars:
            tree[row["pillar_id"]][row["subtheme_id"]][row["indicator_id"]] = row["weight"]
    return {
        indicator_id: (pillars[pillar_id] / sum(pillars[one] for one in tree))
        * (subthemes[subtheme_id] / sum(subthemes[one] for one in branches))
        * (weight / sum(leaves.values()))
        for pillar_id, branches in tree.items()
        for subtheme_id, leaves in branches.items()
        for indicator_id, weight in leaves.items()
    }


def _recommended(warehouse: Path, scores: list[Row]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """Return (member, kind) -> what the rule of docs/method.md recommends, in order."""
    shares = _shares(warehouse)
    assert sum(shares.values()) == pytest.approx(1)
    income = {row["iso3"]: row["income_group"] for row in table(warehouse, "from economies where is_member")}
    counted = [row for row in scores if row["indicator_id"] in shares]
    by_member: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in counted:
        by_member[row["iso3"]][row["indicator_id"]] = row
    result: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for iso3, own in by_member.items():
        others = [cells for other, cells in by_member.items() if other != iso3]
        slow = [
            (-round(shares[name] * (100 - cell["level_score"]), 9), name)
            for name, cell in own.items()
            if cell["trend"] is not None and cell["required_trend"] and cell["trend"] / cell["required_trend"] <= 1 / 2
        ]
        result[iso3, "pace"] = [(name,) for _, name in sorted(slow)[:3]]
        gaps = [
            (-round(cells[name]["level_score"] - cell["level_score"], 9), name, cells[name]["iso3"])
            for name, cell in own.items()
            for cells in others
            if cell["level_score"] is not None
            and cells[name]["level_score"] is not None
            and income[cells[name]["iso3"]] == income[iso3]
            and cells[name]["level_score"] > cell["level_score"]
        ]
        result[iso3, "peer"] = [best[1:] for best in sorted(gaps)[:1]]
        missing = []
        for name, cell in own.items():
            years = [cells[name]["measured_year"] for cells in others if cells[name]["level_score"] is not None]
            if cell["level_score"] is None and cell["status_reason"] in TOO_LITTLE_DATA and years:
                missing.append((-max(years), -len(years), -round(shares[name], 9), name))
        result[iso3, "report"] = [(one[-1], -one[0], -one[1]) for one in sorted(missing)[:1]]
    return result


def test_the_recommendations_are_those_of_the_rule_recomputed_by_another_program(
    published_warehouse: Path, scores: list[Row], indicators: dict[str, Row]
) -> None:
    columns = {
        "pace": ("indicator_id",),
        "peer": ("indicator_id", "peer_iso3"),
        "report": ("indicator_id", "newest_year", "members_with_figure"),
    }
    published: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in sorted(of_framework(published_warehouse, "member_recommendations"), key=lambda row: row["place"]):
        own = published[row["iso3"], row["kind"]]
        if row["indicator_id"] is not None:
            own.append(tuple(row[column] for column in columns[row["kind"]]))
            assert row["source_url"].startswith("https://"), row
            assert row["recommendation"].startswith(indicators[row["indicator_id"]]["title"])
        else:
            assert row["recommendation_code"].startswith("recommend_no_")
    assert dict(published) == _recommended(published_warehouse, scores)
    assert published["AFG", "peer"] == [] and len(published["UZB", "pace"]) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_recommendation_is_a_sentence_of_its_numbers(published_warehouse: Path, language: str) -> None:
    words = Words(language)
    for row in of_framework(published_warehouse, "member_recommendations"):
        text = words.sentence(row["recommendation_code"], json.loads(row["operands"]))
        assert "None" not in text and "–)" not in text
        if language == "en":
            assert text == row["recommendation"]


def test_the_progress_of_a_member_and_of_the_region_counts_the_statuses(
    published_warehouse: Path, scores: list[Row]
) -> None:
    classes = {"moderately_improving": "behind", "stagnating": "behind", "decreasing": "moving_away"}
    classes |= {"achieved": "achieved", "on_track": "on_track", "insufficient_data": "without_data"}
    counts: Counter[tuple[str, str]] = Counter()
    for row in scores:
        is_edition = row["status_reason"] == "not_comparable_edition"
        for iso3 in (row["iso3"], "CAREC"):
            counts[iso3, "level_only" if is_edition else classes[row["status"]]] += 1
    published = {
        (row["iso3"], row["progress"]): row["indicators"]
        for row in of_framework(published_warehouse, "progress_summary")
    }
    assert {key: number for key, number in published.items() if number} == dict(counts)


def test_a_publication_compares_its_progress_with_the_one_before(warehouse: Path) -> None:
    first = of_framework(warehouse, "progress_summary")
    assert {(row["previous_indicators"], row["change"]) for row in first} == {(None, None)}
    layout = Layout(warehouse)
    with duckdb.connect(str(layout.build)) as build:
        build.execute(
            "update progress_summary set indicators = indicators + case progress when 'achieved' then 2 else -1 end"
            " where iso3 = 'KAZ' and progress in ('achieved', 'behind', 'on_track')"
        )
    write_receipt(layout, Receipt("second", "2027-01-01", True, "2027-01-01T08:00:00"))
    publish(layout, datetime(2027, 1, 1, 8))
    before = {(row["iso3"], row["progress"]): row["indicators"] for row in first}
    for row in of_framework(warehouse, "progress_summary"):
        key = row["iso3"], row["progress"]
        assert row["previous_indicators"] == before[key]
        assert row["change"] == row["indicators"] - before[key]
        if row["iso3"] == "KAZ":
            changes = {"achieved": 2, "behind": -1, "on_track": -1}
            assert row["change"] == changes.get(row["progress"], 0)
