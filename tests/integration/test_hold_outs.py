"""Published indices and other programs' rules through ``carec score``: the Global Innovation Index with all its gaps.

Its 78 indicators, 21 sub-pillars, 7 pillars and the index are published unrounded, so that every level can be compared.
The rules of other indices (COINr's data threshold at every level, the SDG Index's fills and colours, ranks of a rounded
index as of the HDI) are computed on the same figures by NumPy. Belongs here: indices with more than one level. Does not
belong here: the files of a folder and their faults (``test_scoring_folder``).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from pipelines.scoring.folder import read_folder, score_folder
from pipelines.scoring.models import LANDED, RESULTS, load_models
from tests.integration.test_scoring_folder import Tables, write
from tests.running import further

Level = dict[str, dict[str, float]]
"""Code -> economy -> published score."""
GREEN, RED = 60.0, 30.0


def published_levels(reference: Path, year: int) -> Level:
    path = reference / "gii" / "gii_indicators_2021_2025.csv"
    if not path.exists():
        pytest.skip("no figures of the Global Innovation Index in the reference data")
    levels: Level = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["year"] == str(year) and row["score"]:
                levels[row["code"]][row["iso3"]] = float(row["score"])
    return levels


def below(levels: Level, code: str) -> list[str]:
    return sorted(one for one in levels if one.startswith(f"{code}.") and one.count(".") == code.count(".") + 1)


def pillars_of(levels: Level) -> list[str]:
    return [*below(levels, "IN"), *below(levels, "OUT")]


def half(code: str) -> float:
    """Return the weight of a sub-pillar: creative goods and services, and online creativity, count half."""
    return 0.5 if code in {"OUT.7.2", "OUT.7.3"} else 1.0


def folder_of(levels: Level, year: int, framework: Mapping[str, Any], equal: bool = False, **more: Any) -> Tables:
    """Return the tables of the index. Input and output pillars have half of the weight each, unless all are equal."""
    pillars = pillars_of(levels)
    parts = [(pillar, part) for pillar in pillars for part in below(levels, pillar)]
    leaves = [(pillar, part, leaf) for pillar, part in parts for leaf in below(levels, part)]
    return {
        "economies": [{"iso3": iso3} for iso3 in sorted(levels["GII"])],
        "frameworks": [{"framework_id": "gii", "coverage_gate": 0, **framework}],
        "pillars": [
            {"framework_id": "gii", "pillar_id": one, "title": one, "in_overall": "true",
             "weight": 1 if equal else 1 / len(below(levels, one.partition(".")[0]))}
            for one in pillars
        ],
        "subthemes": [
            {"framework_id": "gii", "pillar_id": pillar, "subtheme_id": part, "title": part,
             "register_only": "false", "weight": 1 if equal else half(part)}
            for pillar, part in parts
        ],
        "framework_indicators": [
            {"framework_id": "gii", "indicator_id": leaf, "pillar_id": pillar, "subtheme_id": part}
            for pillar, part, leaf in leaves
        ],
        "benchmarks": [
            {"framework_id": "gii", "indicator_id": leaf, "floor_value": 0, "target_value": 100}
            for _, _, leaf in leaves
        ],
        "observations": [
            {"iso3": iso3, "indicator_id": leaf, "year": year, "value": repr(value)}
            for _, _, leaf in leaves
            for iso3, value in levels[leaf].items()
        ],
        **more,
    }  # fmt: skip


@pytest.fixture
def scored(published_warehouse: Path, tmp_path: Path) -> Any:
    compiled = published_warehouse / "dbt" / "compiled" / "carec_scorecard" / "models"
    wanted = [name for name in RESULTS if not name.startswith(("rank_", "statistical", "score_explanation"))]

    def score(tables: Tables, results: list[str] | None = None) -> duckdb.DuckDBPyConnection:
        return score_folder(
            load_models(compiled, results or wanted, LANDED), read_folder(write(tmp_path / "gii", tables)), None
        )

    return score


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    return {iso3: 1 + sum(other > value for other in values.values()) for iso3, value in values.items()}


@pytest.mark.parametrize("year", [2025, *further(2024)])
def test_every_level_and_rank_of_the_global_innovation_index_comes_out(scored: Any, reference: Path, year: int) -> None:
    levels = published_levels(reference, year)
    results = scored(folder_of(levels, year, {}))
    for table, column, level in (("subtheme_scores", "subtheme_id", 2), ("pillar_scores", "pillar_id", 1)):
        found = results.execute(f"select {column}, iso3, score from {table} where score is not null").fetchall()
        published = {(code, iso3) for code in levels if code.count(".") == level for iso3 in levels[code]}
        assert {(code, iso3) for code, iso3, _ in found} == published
        assert max(abs(score - levels[code][iso3]) for code, iso3, score in found) < 1e-9
    overall = results.execute("select iso3, overall_score, rank from scorecard").fetchall()
    assert len(overall) == len(levels["GII"])
    assert max(abs(score - levels["GII"][iso3]) for iso3, score, _ in overall) < 1e-9
    assert {iso3: rank for iso3, _, rank in overall} == ranks(levels["GII"])


def thresholded(levels: Level, threshold: float) -> dict[str, dict[str, float]]:
    """Return COINr's means: a group has none if less than ``threshold`` of its parts have a value. Equal weights."""
    result: dict[str, dict[str, float]] = {}

    def mean(code: str, parts: list[str], values: Mapping[str, Mapping[str, float]]) -> None:
        result[code] = {}
        for iso3 in levels["GII"]:
            row = np.array([values[part].get(iso3, np.nan) for part in parts])
            if np.mean(~np.isnan(row)) >= threshold:
                result[code][iso3] = float(np.nanmean(row))

    for pillar in pillars_of(levels):
        for part in below(levels, pillar):
            mean(part, below(levels, part), levels)
        mean(pillar, below(levels, pillar), result)
    mean("overall", pillars_of(levels), result)
    return result


GATES = {"subtheme_gate": 0.9, "pillar_gate": 0.9, "overall_gate": 0.9}


def test_a_data_threshold_at_every_level_gives_the_same_gaps_and_scores_as_numpy(scored: Any, reference: Path) -> None:
    levels = published_levels(reference, 2025)
    expected = thresholded(levels, 0.9)
    results = scored(folder_of(levels, 2025, GATES, equal=True))
    found = results.execute(
        "select subtheme_id, iso3, score from subtheme_scores"
        " union all select pillar_id, iso3, score from pillar_scores"
        " union all select 'overall', iso3, overall_score from scorecard"
    ).fetchall()
    assert len(found) == len(levels["GII"]) * (21 + 7 + 1)
    scores = {(code, iso3): score for code, iso3, score in found if score is not None}
    assert scores.keys() == {(code, iso3) for code, own in expected.items() for iso3 in own}
    assert 0 < len(expected["overall"]) < len(levels["GII"])
    assert scores == pytest.approx(
        {(code, iso3): own[iso3] for code, own in expected.items() for iso3 in own}, abs=1e-9
    )


def test_a_pillar_without_a_score_has_the_stated_value_and_is_marked(scored: Any, reference: Path) -> None:
    """As in the SDG Index, which uses the mean of a region: here the mean of the economies that have the pillar."""
    levels = published_levels(reference, 2025)
    expected = thresholded(levels, 0.9)
    means = {pillar: float(np.mean(list(expected[pillar].values()))) for pillar in pillars_of(levels)}
    fills = [
        {"framework_id": "gii", "pillar_id": pillar, "iso3": "", "fill_score": repr(means[pillar])} for pillar in means
    ]
    fills.append({"framework_id": "gii", "pillar_id": "IN.1", "iso3": "KGZ", "fill_score": 12.5})
    gates = {"subtheme_gate": 0.9, "pillar_gate": 0.9}
    results = scored(folder_of(levels, 2025, gates, equal=True, pillar_fills=fills))
    overall = results.execute("select iso3, overall_score, pillars_filled from scorecard").fetchall()
    assert len(overall) == len(levels["GII"])
    for iso3, score, filled in overall:
        own = {pillar: 12.5 if (pillar, iso3) == ("IN.1", "KGZ") else mean for pillar, mean in means.items()}
        row = [expected[pillar].get(iso3, own[pillar]) for pillar in means]
        assert (score, filled) == (pytest.approx(np.mean(row), abs=1e-9), sum(iso3 not in expected[p] for p in means))
    marked = results.execute("select pillar_id, iso3 from pillar_scores where is_filled and score_reason is not null")
    assert set(marked.fetchall()) == {(p, iso3) for p in means for iso3 in levels["GII"] if iso3 not in expected[p]}


def test_the_rank_of_a_rounded_score_and_the_colours_of_two_thresholds(scored: Any, reference: Path) -> None:
    """Ranks as the HDI has them, and colours as on the dashboards of the SDG Index."""
    levels = published_levels(reference, 2025)
    codes = {leaf for pillar in pillars_of(levels) for part in below(levels, pillar) for leaf in below(levels, part)}
    thresholds = [
        {"framework_id": "gii", "indicator_id": code, "green_value": GREEN, "red_value": RED} for code in sorted(codes)
    ]
    results = scored(folder_of(levels, 2025, {"rank_digits": 0}, colour_thresholds=thresholds))
    found = dict(results.execute("select iso3, rank from scorecard").fetchall())
    assert found == ranks({iso3: round(score) for iso3, score in levels["GII"].items()})
    assert len(set(found.values())) < len(set(ranks(levels["GII"]).values()))
    colours = results.execute(
        "select indicator_id, iso3, colour from indicator_scores where colour is not null"
    ).fetchall()
    assert len(colours) == sum(len(levels[code]) for code in codes)
    for code, iso3, colour in colours:
        value = levels[code][iso3]
        assert colour == ("green" if value >= 60 else "yellow" if value >= 45 else "orange" if value >= 30 else "red")
