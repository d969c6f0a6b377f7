"""The seeds of the frameworks: without faults as committed, and each fault reported with file, line and column."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sources.errors import ConfigurationError
from tests.conftest import ROOT
from tests.seed_copies import check_seeds, copy_seeds

Rows = list[dict[str, str]]

PARTS = {"tii": "egdi_tii_index", "osi": "egdi_osi_index", "hci": "egdi_hci_index"}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Return a copy of the seeds with a framework ``index`` of three indicators in two pillars."""
    folder = copy_seeds(tmp_path)
    for part, indicator in PARTS.items():
        pillar = "services" if part == "osi" else "base"
        place = {"indicator_id": indicator, "pillar_id": pillar, "subtheme_id": part, "weight": "2"}
        add(folder, "framework_indicators.csv", **place)
        goalposts = {"transform": "none", "floor_value": "0", "target_value": "1", "target_year": "2030"}
        add(folder, "benchmarks.csv", indicator_id=indicator, **goalposts)
        add(folder, "subthemes.csv", pillar_id=pillar, subtheme_id=part)
    for pillar in ("services", "base"):
        add(folder, "pillars.csv", pillar_id=pillar, weight="1.5")
    add(folder, "frameworks.csv", aggregation="geometric", coverage_gate="0.75")
    return folder


def add(seeds: Path, file: str, **cells: str) -> None:
    """Append a row of the framework ``index``. Columns without a value stay empty."""
    path = seeds / file
    with path.open(encoding="utf-8", newline="") as handle:
        columns = next(csv.reader(handle))
    with path.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writerow({"framework_id": "index", **cells})


def alter(seeds: Path, file: str, last: Mapping[str, str]) -> int:
    """Write cells of the last row of the file. Return its line number."""
    path = seeds / file
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[-1] |= last
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows) + 1


def fault(seeds: Path) -> str:
    with pytest.raises(ConfigurationError) as raised:
        check_seeds(seeds)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_the_seeds_and_a_framework_of_only_seed_rows_have_no_fault(seeds: Path) -> None:
    check_seeds(ROOT / "dbt_project" / "seeds")
    check_seeds(seeds)


@pytest.mark.parametrize(
    ("file", "cells", "column", "expected"),
    [
        ("framework_indicators.csv", {"indicator_id": "egdi_xyz"}, "indicator_id", "'egdi_xyz' is not in"),
        ("framework_indicators.csv", {"weight": "-1"}, "weight", "must be greater than 0"),
        ("framework_indicators.csv", {"weight": "0"}, "weight", "must be greater than 0"),
        ("framework_indicators.csv", {"weight": "heavy"}, "weight", "'heavy'"),
        ("framework_indicators.csv", {"weight": "inf"}, "weight", "'inf'"),
        ("framework_indicators.csv", {"role": "main"}, "role", "direct, proxy, not 'main'"),
        ("framework_indicators.csv", {"pillar_id": ""}, "pillar_id", "is empty: a value is required"),
        ("framework_indicators.csv", {"pillar_id": "other"}, "pillar_id", "'other' is not in pillars.csv"),
        ("framework_indicators.csv", {"subtheme_id": "other"}, "subtheme_id", "is not in subthemes.csv"),
        ("framework_indicators.csv", {"subtheme_id": "osi"}, "subtheme_id", "belongs to pillar 'services'"),
        ("framework_indicators.csv", {"indicator_id": PARTS["tii"]}, "indicator_id", "remove one of the two rows"),
        ("benchmarks.csv", {"target_value": "0"}, "target_value", "no range to score on, not '0'"),
        ("benchmarks.csv", {"target_value": "nan"}, "target_value", "'nan'"),
        ("benchmarks.csv", {"target_value": ""}, "target_value", "is empty: a value is required"),
        ("benchmarks.csv", {"target_value": "-1"}, "target_value", "is against the direction higher_is_better"),
        ("benchmarks.csv", {"target_year": "30"}, "target_year", "1990"),
        ("benchmarks.csv", {"baseline_year": "2030"}, "baseline_year", "is not before target_year, not '2030'"),
        ("benchmarks.csv", {"transform": "log"}, "floor_value", "must be positive where the transform is log, not '0'"),
        ("benchmarks.csv", {"transform": "sqrt"}, "transform", "none, log, not 'sqrt'"),
        ("benchmarks.csv", {"pace_target_value": "-0.5"}, "pace_target_value", "wrong side of floor_value, not '-0.5'"),
        ("benchmarks.csv", {"framework_id": "indes"}, "framework_id", "'indes' is not in framework_indicators.csv"),
        ("benchmarks.csv", {"indicator_id": "egdi_epi_index"}, "indicator_id", "is no indicator of 'index'"),
        ("pillars.csv", {"weight": "0"}, "weight", "must be greater than 0"),
        ("pillars.csv", {"in_overall": "maybe"}, "in_overall", "must be true or false"),
        ("subthemes.csv", {"register_only": "x"}, "register_only", "must be true or false"),
        ("frameworks.csv", {"aggregation": "harmonic"}, "aggregation", "arithmetic, geometric, not 'harmonic'"),
        ("frameworks.csv", {"coverage_gate": "50"}, "coverage_gate", "must be at most 1"),
        ("frameworks.csv", {"scored_group": "oecd"}, "scored_group", "'oecd' is not in groups.csv"),
        ("origin_pairs.csv", {"other_indicator_id": "egdi_xyz"}, "other_indicator_id", "'egdi_xyz' is not in"),
        ("origin_pairs.csv", {"other_indicator_id": "coverage_5g_pct"}, "other_indicator_id", "same origin, ITU"),
        ("origin_pairs.csv", {"other_indicator_id": "lpi_overall_score"}, "other_indicator_id", "another unit than"),
        ("origin_pairs.csv", {"other_indicator_id": "account_owner_pct"}, "other_indicator_id", "by 'carec_2030'"),
        ("origin_pairs.csv", {"indicator_id": "gii_score", "other_indicator_id": "gci_score"}, "other_indicator_id",
         "an index of editions has no second origin"),
        ("origin_pairs.csv", {"note": ""}, "note", "is empty: a value is required"),
        ("goalpost_variants.csv", {"goalposts": "declared"}, "goalposts", "is the name of the goalposts in benchmarks"),
        ("goalpost_variants.csv", {"framework_id": "un_egdi"}, "indicator_id", "no row of 'un_egdi' in benchmarks.csv"),
        ("goalpost_variants.csv", {"target_value": "-1"}, "target_value", "on the other side of the floor"),
        ("goalpost_variants.csv", {"indicator_id": "articles_per_million", "goalposts": "mine", "floor_value": "0"},
         "floor_value", "must be positive where the transform is log"),
    ],
)  # fmt: skip
def test_a_malformed_row_gives_one_line_with_file_line_and_column(
    seeds: Path, file: str, cells: dict[str, str], column: str, expected: str
) -> None:
    line = alter(seeds, file, cells)
    message = fault(seeds)
    assert f"{file}:{line}: " in message and f": column {column}: " in message and expected in message


@pytest.mark.parametrize(
    ("file", "cells", "expected"),
    [
        ("pillars.csv", {"pillar_id": "empty"}, "no sub-theme and no indicator"),
        ("subthemes.csv", {"pillar_id": "base", "subtheme_id": "idle"}, "set register_only to true"),
        ("subthemes.csv", {"pillar_id": "no", "subtheme_id": "x", "register_only": "true"}, "'no' is not in pillars"),
        ("benchmarks.csv", {"framework_id": "carec_2030", "indicator_id": "gii_rank", "transform": "none",
                            "floor_value": "100", "target_value": "1", "target_year": "2030"}, "is no indicator of"),
    ],
)  # fmt: skip
def test_a_part_without_indicators_is_reported(seeds: Path, file: str, cells: dict[str, str], expected: str) -> None:
    add(seeds, file, **cells)
    assert expected in fault(seeds)


@pytest.mark.parametrize(
    ("file", "cells", "column", "expected"),
    [
        ("alternative_targets.csv", {"target_value": "all"}, "target_value", "'all'"),
        ("alternative_targets.csv", {"target_year": "30"}, "target_year", "1990"),
        ("alternative_targets.csv", {"iso3": "KZ"}, "iso3", "'KZ' is not in economies.csv"),
        ("alternative_targets.csv", {"indicator_id": "xyz"}, "indicator_id", "is not in indicators.yml"),
        ("alternative_targets.csv", {"target_set": "natoinal"}, "target_set", "similar entries are national"),
        ("alternative_targets.csv", {"source_url": "the web"}, "source_url", "pattern"),
        ("alternative_targets.csv", {"confidence": "sure"}, "confidence", "general_knowledge, not 'sure'"),
        ("target_sets.csv", {"title": ""}, "title", "is empty: a value is required"),
        ("series_breaks.csv", {"from_year": "lately"}, "from_year", "'lately'"),
        ("series_jump_decisions.csv", {"iso3": "AFGH"}, "iso3", "is not in economies.csv"),
        ("series_jump_decisions.csv", {"decision": "real_change"}, "source_url", "a real change needs its source"),
        ("series_jump_decisions.csv", {"decision": "declared_break"}, "decision", "real_change, undecided"),
        ("sampling_errors.csv", {"error": "-1"}, "error", "must be greater than 0"),
    ],
)  # fmt: skip
def test_a_malformed_row_of_the_other_tables_is_reported_with_file_line_and_column(
    seeds: Path, file: str, cells: dict[str, str], column: str, expected: str
) -> None:
    line = alter(seeds, file, cells)
    message = fault(seeds)
    assert f"{file}:{line}: " in message and f"column {column}: " in message and expected in message


def _drop(seeds: Path, file: str, keep: Callable[[dict[str, str]], bool], **changed: str) -> None:
    path = seeds / file
    with path.open(encoding="utf-8", newline="") as handle:
        rows: Rows = [{**row, **changed} for row in csv.DictReader(handle) if keep(row)]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_every_indicator_of_the_main_framework_has_a_benchmark_with_its_origin(seeds: Path) -> None:
    main = ("carec_2030", "internet_users_pct")
    _drop(seeds, "benchmarks.csv", lambda row: (row["framework_id"], row["indicator_id"]) != main)
    assert "internet_users_pct: column indicator_id: has no benchmark" in fault(seeds)
    shutil.copy(ROOT / "dbt_project" / "seeds" / "benchmarks.csv", seeds)
    _drop(seeds, "benchmarks.csv", lambda row: True, source_url="")
    message = fault(seeds)
    assert "benchmarks.csv:2: " in message and "column source_url: is empty" in message


def test_a_missing_column_is_reported(seeds: Path) -> None:
    path = seeds / "pillars.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("in_overall", "counts", 1), encoding="utf-8")
    assert "pillars.csv:1: column in_overall: is missing" in fault(seeds)
