"""Reasons in the language of a page: names instead of ids, and a sentence for every code that the models publish."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipelines.report.reasons import Reasons
from pipelines.texts.words import LANGUAGES, Words

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
TITLES = {"gii_rank": "Global Innovation Index, rank", "a": "Series A", "b": "Series B"}


def part(code: str, **operands: object) -> dict[str, object]:
    return {"code": code, "operands": operands}


MEASURED = part(
    "measured_with_tolerance", series="gii_rank", value=78.0, year=2024, claimed=part("claimed_lt", claimed=48.0),
    tolerance=0.5,
)  # fmt: skip
TESTED = part(
    "claim_test", members=["KAZ", "QZZ"], variant="national",
    findings=[MEASURED, part("true_of_no_year", deviation=1234.5), part("no_year_stated")],
)  # fmt: skip
MEANS = part("claim_summary", findings=[part("true_of_means", variants=["simple", "weighted"])])


@pytest.mark.parametrize(
    ("language", "name", "expected"),
    [
        (
            "en",
            "Kazakhstan",
            "true of the mean simple, weighted | Kazakhstan, QZZ: “Global Innovation Index, rank” 78 in 2024, claimed"
            " under 48 ± 0.5; off by 1,234; true in no year; no year stated",
        ),
        (
            "ru",
            "Казахстан",
            "верно для среднего: Среднее по странам, Среднее с весами по населению | Казахстан, QZZ: «Глобальный"
            " инновационный индекс, место» – 78 в 2024 году, заявлено менее 48 ± 0,5; расхождение 1 234; не верно ни"
            " для одного года; год не указан",
        ),
    ],
)
def test_a_reason_has_names_and_formats_of_its_language(language: str, name: str, expected: str) -> None:
    reason = Reasons(Words(language), TITLES, {"KAZ": name})
    assert reason(json.dumps([MEANS, TESTED])).replace("\u00a0", " ") == expected


def test_a_series_that_is_computed_from_others_names_both() -> None:
    product = part("series_product", series="a", with_series="b")
    reason = Reasons(Words("en"), TITLES, {})
    assert reason(json.dumps([part("no_figure", series=product)])) == "no figure of “Series A” x “Series B”"


@pytest.mark.parametrize(("language", "marked"), [("en", False), ("ru", True)])
def test_english_text_of_the_seeds_is_marked_in_other_languages(language: str, marked: bool) -> None:
    finding = part("other_definition", series="gii_rank", value=1.0, year=2024, definition="shares < ranks")
    text = Reasons(Words(language), TITLES, {})(json.dumps([finding]))
    assert ('<span lang="en">shares &lt; ranks</span>' in text) == marked
    assert ("shares < ranks" in text) != marked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_the_models_has_a_sentence(language: str) -> None:
    sql = "".join(path.read_text(encoding="utf-8") for path in MODELS.rglob("*claim*.sql"))
    codes = set(re.findall(r"claim_part\(\s*'(\w+)'", sql))
    tests = {"claim_test" + variant + role for variant in ("", "_of_variant") for role in ("", "_of_baseline")}
    assert len(codes) > 30
    assert codes | tests <= Words(language).get("sentences").keys()
