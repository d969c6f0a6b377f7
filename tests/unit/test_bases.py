"""The bases of benchmarks in the language of a page."""

from __future__ import annotations

import polars as pl

from pipelines.report.bases import basis_in, pattern_of
from pipelines.seeds.codes import FRAMEWORK
from pipelines.texts.words import Words
from tests.conftest import ROOT

BASIS = "mean of the top five of 158 economies of at least one million people, nearest to 2021 (CHE FRA DNK NOR KOR)"


def test_the_numbers_and_codes_of_a_basis_are_kept_in_every_language() -> None:
    assert basis_in(Words("en"), BASIS) == BASIS
    assert basis_in(Words("en"), "97.5th percentile of the 168 economies behind the floor").startswith("97.5th")
    russian = basis_in(Words("ru"), BASIS)
    assert "158" in russian and "2021" in russian and "(CHE FRA DNK NOR KOR)" in russian and "mean" not in russian
    assert basis_in(Words("ru"), "97.5th percentile of the 168 economies behind the floor").startswith("97,5-й")
    assert basis_in(Words("ru"), None) == ""


def test_russian_has_every_basis_that_the_pages_show() -> None:
    rows = pl.read_csv(ROOT / "dbt_project" / "seeds" / "benchmarks.csv", infer_schema=False).filter(
        pl.col("framework_id") == FRAMEWORK
    )
    shown = {*rows["target_basis"].drop_nulls(), *rows["pace_target_basis"].drop_nulls()}
    assert {pattern_of(one) for one in shown} <= set(Words("ru").get("names.bases"))
