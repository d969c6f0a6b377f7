"""The explanation of scores, alternative targets, and the computation of goalposts."""

from __future__ import annotations

import json
import math
import re
from itertools import combinations
from pathlib import Path
from statistics import median

import duckdb
import pytest

from pipelines.texts.words import Words
from tests.conftest import GOALPOSTS_OF, ROOT, run_carec
from tests.worked_examples import EXAMPLE, with_output

NAMES = {"ln": math.log, "exp": math.exp, "least": min, "greatest": max}


def rows(warehouse: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def evaluate(arithmetic: str) -> float:
    assert re.fullmatch(r"[\w\s.,()*/+-]+", arithmetic), arithmetic
    return eval(arithmetic, {"__builtins__": {}}, NAMES)


def test_every_line_of_arithmetic_gives_its_stated_value(published_warehouse: Path) -> None:
    lines = rows(
        published_warehouse,
        "select framework_id, iso3, subject_id, item, arithmetic, value from score_explanation"
        " where arithmetic is not null",
    )
    assert len(lines) > 4000
    for *where, arithmetic, value in lines:
        # scores in it are rounded to four decimals
        assert evaluate(arithmetic) == pytest.approx(value, abs=1e-4, rel=1e-9), where


def test_every_observed_change_follows_from_the_points_that_it_names(published_warehouse: Path) -> None:
    lines = rows(
        published_warehouse,
        "select framework_id, iso3, subject_id, note, value from score_explanation"
        " where item = 'observed change a year'",
    )
    assert len(lines) > 100
    for *where, note, value in lines:
        points = [(int(year), float(x)) for x, year in re.findall(r"([-+.\de]+) \((\d{4})\)", note)]
        # a ratio above parity counts as its inverse
        parity = "parity" in note
        g = math.log if "natural logarithms" in note else (lambda x: min(x, 1 / x)) if parity else float
        slopes = [(g(y2) - g(y1)) / (t2 - t1) for (t1, y1), (t2, y2) in combinations(points, 2)]
        assert median(slopes) == pytest.approx(value, rel=1e-9, abs=1e-12), where
        assert note.startswith("two points only" if len(points) == 2 else "robust slope"), where


def test_every_line_has_texts_in_every_language_and_the_english_ones_are_published(
    published_warehouse: Path,
) -> None:
    lines = rows(
        published_warehouse,
        """
        select distinct unnest([
            {'code': label_code, 'text': item}, {'code': note_code, 'text': note}, {'code': source_code, 'text': source}
        ], recursive := true), operands::varchar
        from score_explanation
        """,
    )
    sentences = [(code, json.loads(operands or "{}"), text) for code, text, operands in lines if code]
    assert len(sentences) > 500 and all(text is None for code, text, _ in lines if code is None)
    for code, operands, text in sentences:
        assert Words("en").sentence(code, operands) == text
    russian = {code: Words("ru").sentence(code, operands) for code, operands, _ in sentences}
    assert russian["status_and_reason"].isascii() is False and "_" not in russian["status_and_reason"]


def test_every_published_score_is_explained(published_warehouse: Path) -> None:
    for table, subject, key, column, item in (
        ("indicator_scores", "indicator", "s.indicator_id", "level_score", "level"),
        ("pillar_scores", "pillar", "s.pillar_id", "score", "score"),
        ("scorecard", "overall", "'overall'", "overall_score", "score"),
    ):
        ((scores, explained, without_arithmetic),) = rows(
            published_warehouse,
            f"""
            select count(*), count(*) filter (e.value is not distinct from s.{column} and e.item is not null),
                   count(*) filter (s.{column} is not null and e.arithmetic is null)
            from {table} as s
            left join score_explanation as e
                on e.framework_id = s.framework_id and e.iso3 = s.iso3 and e.subject = '{subject}'
                and e.subject_id = {key} and e.item = '{item}'
            """,
        )
        assert scores == explained > 200
        assert without_arithmetic == 0


def test_an_observation_in_an_explanation_names_its_source(published_warehouse: Path) -> None:
    assert rows(
        published_warehouse,
        "select count(*) from score_explanation where item in ('observation', 'baseline') and value is not null"
        " and (source is null or source_url is null)",
    ) == [(0,)]


def test_one_indicator_is_explained_from_observation_to_status(published_warehouse: Path) -> None:
    done = run_carec("explain", "kaz", "internet_users_pct", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    for expected in (
        "world_bank, IT.NET.USER.ZS",
        "https://data.worldbank.org",
        "= 100 * (",
        "status",
        "project's own choice",
    ):
        assert expected in done.stdout


def test_a_quantity_with_two_origins_is_explained_by_both_figures(published_warehouse: Path) -> None:
    pairs = rows(
        published_warehouse,
        "select iso3, indicator_id, declared_value, declared_level_score, other_origin, other_value, other_level_score,"
        " difference from second_origins where declared_value is not null and other_value is not null",
    )
    assert {iso3 for iso3, indicator, *_ in pairs if indicator == "internet_users_pct"} >= {"UZB", "PAK", "TJK"}
    for iso3, indicator, declared, level, _, other, other_level, difference in pairs:
        lines = dict(
            rows(
                published_warehouse,
                "select label_code, value from score_explanation"
                f" where subject = 'indicator' and iso3 = '{iso3}' and subject_id = '{indicator}'",
            )
        )
        assert (lines["observation"], lines["level"]) == (declared, level)
        assert (lines["other_origin"], lines["other_level"]) == (other, other_level)
        assert lines.get("difference_of_origins") == difference
    done = run_carec("explain", "UZB", "internet_users_pct", warehouse=published_warehouse).stdout
    assert "other origin" in done and pairs[0][4] in done and "enters only the rank scenarios" in done


def test_a_pillar_is_explained_by_its_indicators_and_the_overall_score_by_its_pillars(
    published_warehouse: Path,
) -> None:
    pillar = run_carec("explain", "KAZ", "p3", warehouse=published_warehouse).stdout
    assert "coverage_4g_pct" in pillar and "sub-theme 3a" in pillar and "Kazakhstan, p3" in pillar
    whole = run_carec("explain", "TKM", "--format", "json", warehouse=published_warehouse).stdout
    lines = json.loads(whole)
    assert {line["subject_id"] for line in lines} >= {"p1", "p5", "overall"}
    assert lines[-1]["note"] == "not every pillar has a score" and lines[-1]["value"] is None
    assert json.loads(lines[-1]["operands"])["reason"] == "pillar_missing"
    other = run_carec("explain", "DEU", "--framework", "un_egdi", warehouse=published_warehouse)
    assert other.returncode == 0 and "pillar tii" in other.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["explain", "DEU"], "it covers AFG, AZE"),
        (["explain", "KAZ", "p9"], "its pillars are p1"),
        (["explain", "KAZ", "--framework", "hdi"], "the frameworks are carec_2030, un_egdi"),
        (["scorecard", "--target-set", "asean"], "known are main, broadband_commission_2025"),
    ],
)
def test_a_score_that_cannot_be_explained_gives_one_line(
    published_warehouse: Path, arguments: list[str], expected: str
) -> None:
    done = run_carec(*arguments, warehouse=published_warehouse)
    assert done.returncode == 2 and done.stdout == ""
    assert expected in done.stderr and "Traceback" not in done.stderr


def test_another_set_of_targets_is_shown_and_changes_no_score(published_warehouse: Path) -> None:
    done = run_carec("scorecard", "--target-set", "national", "--format", "json", warehouse=published_warehouse)
    targets = {(row["iso3"], row["indicator_id"]): row for row in json.loads(done.stdout)}
    assert targets["UZB", "egdi_rank"]["target_value"] == 30 and targets["UZB", "egdi_rank"]["verdict"] == "not_met"
    assert {iso3 for iso3, _ in targets} == {"AZE", "KAZ", "UZB"}
    table = run_carec("scorecard", "uzb", "--target-set", "eu_digital_decade", warehouse=published_warehouse).stdout
    assert "enter no score" in table and "data.europa.eu" in table and "KAZ" not in table
    main = run_carec("scorecard", "--target-set", "main", "--format", "csv", warehouse=published_warehouse).stdout
    assert main == run_carec("scorecard", "--format", "csv", warehouse=published_warehouse).stdout
    # every alternative target names its source, and the targets of the main framework are those of the seed
    assert rows(
        published_warehouse,
        "select count(*) from indicator_scores join benchmarks using (framework_id, indicator_id)"
        " where indicator_scores.target_value is distinct from benchmarks.target_value",
    ) == [(0,)]


def test_the_goalposts_can_be_recomputed_and_are_written_only_on_request(
    published_warehouse: Path, checkout: Path
) -> None:
    seed = checkout / "dbt_project" / "seeds" / "benchmarks.csv"
    original = seed.read_bytes()

    def recompute(*options: str) -> tuple[str, str]:
        done = run_carec("benchmarks", "recompute", *options, warehouse=published_warehouse, root=checkout)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    # from the vintages that the goalposts were computed from
    stdout, stderr = recompute("--as-of", GOALPOSTS_OF)
    assert stdout == "" and "0 goalposts and 0 descriptions" in stderr

    # a newer copy of 4G coverage has one more economy, which changes no goalpost
    stdout, stderr = recompute("--format", "json")
    changed = [(row["indicator_id"], row["column"]) for row in json.loads(stdout)]
    bases = ("floor_basis", "percentile.basis", "top_five.basis")
    assert changed == [("coverage_4g_pct", basis) for basis in bases]
    assert "of 210 economies" in stdout and "0 goalposts and 3 descriptions" in stderr

    seed.write_bytes(original.replace(b",13.84,", b",13.99,"))
    stdout, stderr = recompute("--as-of", GOALPOSTS_OF, "--format", "json")
    assert json.loads(stdout) == [
        {
            "framework_id": "carec_2030",
            "indicator_id": "gii_score",
            "column": "floor_value",
            "seed": "13.99",
            "recomputed": "13.84",
        }
    ]
    assert "nothing written" in stderr and b",13.99," in seed.read_bytes()
    recompute("--as-of", GOALPOSTS_OF, "--write")
    assert seed.read_bytes() == original


def test_a_day_before_every_vintage_is_refused(published_warehouse: Path) -> None:
    done = run_carec("benchmarks", "recompute", "--as-of", "1999-12-31", warehouse=published_warehouse)
    assert done.returncode == 2
    assert "no vintage" in done.stderr and "choose a later day for --as-of" in done.stderr


def test_the_worked_example_of_the_method_equals_the_output_of_the_command(published_warehouse: Path) -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert len(EXAMPLE.findall(text)) == 2
    assert with_output(text, published_warehouse) == text, "run `make docs`"
