"""``carec score`` on folders of tables: published indices, and faults named with file, line and column."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.conftest import run_carec
from tests.integration.test_published_indices import tidy

Tables = dict[str, list[dict[str, Any]]]


def write(folder: Path, tables: Tables) -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


def index(parts: pl.DataFrame, limits: tuple[float, float], **more: Any) -> Tables:
    """Return the tables of an index whose pillars are the metrics of ``parts``."""
    ids = {metric: f"i{n}" for n, metric in enumerate(parts["metric"].unique().sort())}
    low, high = limits
    return {
        "economies": [{"iso3": iso3} for iso3 in parts["iso3"].unique().sort()],
        "framework_indicators": [{"framework_id": "x", "indicator_id": i, "pillar_id": i} for i in ids.values()],
        "benchmarks": [
            {"framework_id": "x", "indicator_id": i, "floor_value": low, "target_value": high} for i in ids.values()
        ],
        "observations": [
            {"iso3": r["iso3"], "indicator_id": ids[r["metric"]], "year": r["year"], "value": r["value"]}
            for r in parts.to_dicts()
        ],
        **more,
    }


SMALL = index(
    pl.DataFrame(
        {"iso3": ["AAA", "BBB"] * 2, "year": 2020, "metric": ["m"] * 2 + ["n"] * 2, "value": [1.0, 2.0, 4.0, 3.0]}
    ),
    (0.0, 5.0),
)

OPTIONS: Tables = {
    "frameworks": [
        {"framework_id": "x", "subtheme_gate": 0.9, "overall_gate": 0.5, "indicators_gate": 0.8, "rank_digits": 1}
    ],
    "pillar_fills": [
        {"framework_id": "x", "pillar_id": "i0", "iso3": "", "fill_score": 40},
        {"framework_id": "x", "pillar_id": "i0", "iso3": "AAA", "fill_score": 50},
    ],
    "colour_thresholds": [{"framework_id": "x", "indicator_id": "i0", "green_value": 4, "red_value": 2}],
}


def test_two_published_indices_come_out_of_a_folder(published_warehouse: Path, reference: Path, tmp_path: Path) -> None:
    enablers = ["Infrastructure", "Affordability", "Consumer Readiness", "Content and Services"]
    mci = tidy(reference / "mci" / "mci.csv").filter(year=2023)
    gtmi = tidy(reference / "gtmi" / "gtmi.csv").filter(year=2025)
    geometric = {"frameworks": [{"framework_id": "x", "aggregation": "geometric"}]}
    for published, result, tables, scale, limit in (
        (mci, "Index", index(mci.filter(pl.col("metric").is_in(enablers)), (0.0, 100.0), **geometric), 1.0, 0.015),
        (
            gtmi,
            "GTMI",
            index(gtmi.filter(pl.col("metric").is_in(["CGSI", "PSDI", "DCEI", "GTEI"])), (0.0, 1.0)),
            0.01,
            1e-9,
        ),
    ):
        out = tmp_path / f"{result}.duckdb"
        done = run_carec(
            "score", str(write(tmp_path / result, tables)), "--out", str(out), warehouse=published_warehouse
        )
        assert done.returncode == 0, done.stderr
        with duckdb.connect(str(out), read_only=True) as connection:
            found = dict(
                connection.execute(
                    "select iso3, overall_score from scorecard where overall_score is not null"
                ).fetchall()
            )
            bands = connection.execute("select count(*) from rank_scenarios where rank_p05 is not null").fetchone()
            audit = connection.execute("select count(*) from rank_sensitivity").fetchone()
        expected = dict(published.filter(metric=result).select("iso3", "value").rows())
        both = [abs(found[iso3] * scale - expected[iso3]) for iso3 in found if iso3 in expected]
        assert len(both) > 160
        assert max(both) < limit
        assert bands is not None
        assert bands[0] == len(found)
        assert audit is not None
        assert audit[0] > 0


@pytest.mark.parametrize(
    ("table", "line", "column", "value", "message"),
    [
        ("observations", 3, "value", "n/a", "must be a number"),
        ("observations", 2, "iso3", "ZZZ", "is not in economies.csv"),
        ("observations", 4, "indicator_id", "i9", "is not in framework_indicators.csv"),
        ("observations", 3, "iso3", "AAA", "line 2 has the same"),
        ("economies", 2, "iso3", "aa", "must match the pattern"),
        ("framework_indicators", 3, "pillar_id", "", "is empty"),
        ("benchmarks", 2, "target_value", "0.0", "equals floor_value"),
        ("benchmarks", 2, "framework_id", "y", "is not in framework_indicators.csv"),
        ("frameworks", 2, "subtheme_gate", "90", "must be"),
        ("frameworks", 2, "overall_gate", "-0.1", "must be"),
        ("frameworks", 2, "indicators_gate", "most", "must be a number"),
        ("frameworks", 2, "rank_digits", "0.5", "must be a whole number"),
        ("frameworks", 2, "rank_digits", "10", "must be"),
        ("pillar_fills", 3, "fill_score", "101", "must be"),
        ("pillar_fills", 2, "fill_score", "", "is empty"),
        ("pillar_fills", 2, "pillar_id", "i9", "is not in framework_indicators.csv"),
        ("pillar_fills", 3, "iso3", "ZZZ", "is not in economies.csv"),
        ("colour_thresholds", 2, "red_value", "4", "equals green_value"),
        ("colour_thresholds", 2, "red_value", "5", "is on the wrong side of green_value"),
        ("colour_thresholds", 2, "indicator_id", "i9", "is not in framework_indicators.csv"),
    ],
)
def test_a_fault_is_one_line_with_file_line_and_column(
    published_warehouse: Path, tmp_path: Path, table: str, line: int, column: str, value: str, message: str
) -> None:
    tables = {**SMALL, **OPTIONS} if table in OPTIONS else SMALL
    rows = [dict(row) for row in tables[table]]
    rows[line - 2][column] = value
    folder = write(tmp_path / "tables", {**tables, table: rows})
    done = run_carec("score", str(folder), warehouse=published_warehouse)
    named = "year" if message.startswith("line 2") else column  # the last column of a repeated key
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"carec: {folder / table}.csv:{line}: ")
    assert f"column {named}: " in done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("out", [".", "../tables", "results.csv"])
def test_results_are_not_written_among_the_tables(published_warehouse: Path, tmp_path: Path, out: str) -> None:
    """The next scoring would read them as tables."""
    folder = write(tmp_path / "tables", SMALL)
    before = sorted(folder.iterdir())
    done = run_carec("score", str(folder), "--out", str(folder / out), warehouse=published_warehouse)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the next scoring would read the results as tables; name another folder" in done.stderr
    assert sorted(folder.iterdir()) == before
    inside = run_carec("score", str(folder), "--out", str(folder / "results"), warehouse=published_warehouse)
    again = run_carec("score", str(folder), warehouse=published_warehouse)
    assert (inside.returncode, again.returncode) == (0, 0)


def test_a_missing_file_or_column_is_named(published_warehouse: Path, tmp_path: Path) -> None:
    fewer = {name: rows for name, rows in SMALL.items() if name != "benchmarks"}
    done = run_carec("score", str(write(tmp_path / "a", fewer)), warehouse=published_warehouse)
    assert (done.returncode, "benchmarks.csv: is missing" in done.stderr) == (2, True)
    without = [{k: v for k, v in row.items() if k != "year"} for row in SMALL["observations"]]
    done = run_carec(
        "score", str(write(tmp_path / "b", {**SMALL, "observations": without})), warehouse=published_warehouse
    )
    assert "observations.csv:1: column year: is missing" in done.stderr
