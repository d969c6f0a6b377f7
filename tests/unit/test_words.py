"""Texts of the pages in every language, and figures in the format of the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.dbt.sentences import register
from pipelines.seeds.codes import FRAMEWORK, SIGNS, read_variables
from pipelines.texts import words
from pipelines.texts.words import LANGUAGES, TEXTS, Words, digits_of
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from tests.conftest import ROOT

LOADED = {language: yaml.safe_load((TEXTS / f"{language}.yml").read_text(encoding="utf-8")) for language in LANGUAGES}


def leaves(texts: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(texts, dict):
        for key, below in texts.items():
            yield from leaves(below, f"{path}.{key}" if path else str(key))
    else:
        yield path, texts


def without_names(language: str) -> dict[str, Any]:
    return {path: text for path, text in leaves(LOADED[language]) if not path.startswith("names.")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_exists_in_every_language_with_the_same_placeholders(language: str) -> None:
    english, other = without_names("en"), without_names(language)
    assert sorted(other) == sorted(english)
    for path, text in other.items():
        assert type(text) is type(english[path]), path
        if isinstance(text, str):
            assert text, path
            assert gaps(text) == gaps(english[path]), path
        else:
            assert len(text) == len(english[path]), path


def gaps(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


SQL = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "dbt_project").rglob("*.sql")))


def literals(pattern: str) -> set[str]:
    """Return the quoted results in each part of the SQL that matches: ``'x'`` or ``case ... then 'x' else 'y' end``."""
    parts = re.findall(pattern, SQL, flags=re.DOTALL)
    return {code for part in parts for code in re.findall(r"(?:^|then |else )'(\w+)'", part)}


RESULT = r"('\w+'|case(?:(?! as ).)*?end)"


def test_every_sentence_belongs_to_a_code_of_a_model_and_every_code_has_its_sentence() -> None:
    codes = literals(rf"'(?:\w+_)?code': {RESULT}") | literals(rf"{RESULT} as \w+_code\b")
    assert {"observation", "no_interval", "point", "subtheme", "coverage_is"} <= codes
    assert codes <= set(LOADED["en"]["sentences"])
    unused = [code for code in LOADED["en"]["sentences"] if f"'{code}'" not in SQL]
    assert unused == []


def test_every_reason_of_a_status_or_a_missing_score_has_its_text() -> None:
    codes = literals(rf"'reason': {RESULT}") | literals(rf"{RESULT} as score_reason\b")
    assert {"stale", "within_noise", "pillar_missing", "coverage_below_gate"} <= codes
    assert codes == set(LOADED["en"]["reasons"])


def seed(name: str) -> pl.DataFrame:
    return pl.read_csv(ROOT / "dbt_project" / "seeds" / f"{name}.csv", infer_schema=False)


def test_russian_has_a_name_for_every_member_pillar_and_subtheme() -> None:
    names = LOADED["ru"]["names"]
    own = pl.col("framework_id") == FRAMEWORK
    assert set(names["pillars"]) >= set(seed("pillars").filter(own)["pillar_id"])
    assert set(names["subthemes"]) >= set(seed("subthemes").filter(own)["subtheme_id"])
    members = seed("economy_groups").filter(pl.col("group_id") == "carec")["iso3"]
    assert set(names["economies"]) == set(members)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("formats: {a: [\n", 2, "not valid YAML: "),
        ("formats: {}\nformats: {}\n", 2, "not valid YAML: the field 'formats' is repeated in one entry"),
        ("- formats\n", 1, "must be a list of `name: value`"),
    ],
)
def test_a_malformed_text_file_is_reported_with_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, line: int, problem: str
) -> None:
    (tmp_path / "en.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(words, "TEXTS", tmp_path)
    monkeypatch.setattr(words, "_load", words._load.__wrapped__)
    with pytest.raises(ConfigurationError, match=rf"en\.yml:{line}: {problem}"):
        Words("en")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("vars:\n  framework: {a: [\n", 3, "not valid YAML: "),
        ("vars:\n  framework: a\n  framework: b\n", 3, "not valid YAML: the field 'framework' is repeated"),
        ("name: carec\n", 1, "must have `vars:` with framework, progress, "),
        ("vars:\n  framework: a\n", 1, "must have `vars:` with framework, progress, "),
    ],
)
def test_a_malformed_file_of_the_shared_codes_is_reported_with_its_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    path = tmp_path / "dbt_project.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"dbt_project\.yml:{line}: {problem}"):
        read_variables(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_status_and_sign_has_its_word(language: str) -> None:
    texts = LOADED[language]
    assert {one.unit for one in load_catalogue()} <= set(texts["units"])
    assert set(SIGNS) == set(texts["statuses"]) == set(texts["legend"]["notes"])


@pytest.mark.parametrize(
    ("language", "value", "digits", "written"),
    [
        ("en", 1234567.891, 1, "1,234,567.9"),
        ("ru", 1234567.891, 1, "1\u00a0234\u00a0567,9"),
        ("en", -2.5, 1, "−2.5"),
        ("ru", -0.04, 1, "0,0"),
        ("en", -0.04, 1, "0.0"),
        ("en", 0.0, 2, "0.00"),
        ("en", None, 1, "–"),
        ("ru", None, 1, "–"),
    ],
)
def test_numbers_are_written_in_the_format_of_the_language(
    language: str, value: float | None, digits: int, written: str
) -> None:
    assert Words(language).number(value, digits) == written


@pytest.mark.parametrize(
    ("value", "written"), [(75.0, "75"), (92.8, "92.8"), (892000000.0, "892,000,000"), (-30.0, "−30"), (None, "–")]
)
def test_a_quoted_figure_keeps_the_digits_of_its_source(value: float | None, written: str) -> None:
    assert Words("en").plain(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(2.0, "+2.0"), (-2.0, "−2.0"), (0.0, "0.0"), (0.01, "0.0"), (None, "–")]
)
def test_only_numbers_other_than_zero_have_a_sign(value: float | None, written: str) -> None:
    assert Words("en").signed(value) == written


@pytest.mark.parametrize(
    ("value", "unit", "digits"),
    [(73.4, "pct", 1), (0.0004, "pct", 4), (0.0, "pct", 1), (None, "pct", 1), (5.5, "ratio", 2), (12345.6, "usd", 0)],
)
def test_a_small_figure_is_never_shown_as_zero(value: float | None, unit: str, digits: int) -> None:
    assert digits_of(value, unit) == digits


def test_a_change_on_a_logarithmic_scale_is_in_per_cent() -> None:
    assert Words("en").change(0.0953101798, "per_million_people", "log") == "+10.0 %"
    assert Words("ru").change(-0.05, "pct", "none") == "−0,05"
    assert Words("en").change(None, "pct", "log") == "–"


def test_days_are_written_in_the_format_of_the_language() -> None:
    assert Words("en").day(date(2026, 11, 25)) == "25 November 2026"
    assert Words("ru").day(date(2026, 3, 1)) == "1 марта 2026 г."
    assert Words("en").day(None) == "–"


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    assert Words("en").word("reasons", "a_new_reason") == "a new reason"


def test_a_name_without_a_translation_is_shown_in_english_with_one_warning() -> None:
    lines: list[str] = []
    words = Words("ru")
    assert words.name("economies", "KAZ", "Kazakhstan") == "Казахстан"
    words.warn_of_english(lines.append)
    assert lines == []
    assert words.name("indicators", "new_share_pct", "New share") == "New share"
    assert words.name("providers", "new_provider", "New provider") == "New provider"
    words.warn_of_english(lines.append)
    (line,) = lines
    assert "ru.yml has no entry for: names.indicators.new_share_pct, names.providers.new_provider" in line
    english = Words("en")
    assert english.name("indicators", "new_share_pct", "New share") == "New share"
    english.warn_of_english(lines.append)
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("template", "operands", "written"),
    [
        ("{a}, {b}", {"a": "pct", "b": 2024}, "pct, 2024"),
        ("{a}", {"a": None}, "–"),
        ("{a:units}", {"a": "pct_gdp"}, "% of GDP"),
        ("{a:number} {b:number} {c:number}", {"a": 1234.5, "b": -2.50, "c": 100.0}, "1,234 -2.5 100"),
        ("{a:plain} {a}", {"a": 12345.678}, "12,345.678 12345.678"),
        ("{a}", {"a": ["x", None, "y"]}, "x, y"),
        ("{a: | }", {"a": [{"code": "interval", "operands": {"low": 1.0, "high": 2.0}}, "y"]}, "1 to 2 | y"),
        ("{a}", {"a": {"code": "plain"}}, "no operand"),
    ],
)
def test_a_sentence_formats_each_operand_as_its_text_specifies(
    monkeypatch: pytest.MonkeyPatch, template: str, operands: dict[str, Any], written: str
) -> None:
    words = Words("en")
    sentences = {**LOADED["en"]["sentences"], "tried": template, "plain": "no operand"}
    monkeypatch.setattr(words, "_texts", {**LOADED["en"], "sentences": sentences})
    assert words.sentence("tried", operands) == written


def test_a_sentence_uses_the_number_signs_of_the_language() -> None:
    assert Words("ru").sentence("interval", {"low": 71.25, "high": 80.0}) == "от 71,25 до 80"


def test_an_unknown_sentence_or_a_missing_operand_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"sentences has no 'nothing'"):
        Words("en").sentence("nothing")
    with pytest.raises(ConfigurationError, match=r"sentences\.interval needs the operand 'high'"):
        Words("en").sentence("interval", {"low": 1.0})


def test_duckdb_and_python_write_the_same_sentences() -> None:
    with duckdb.connect() as connection:
        register(connection)
        register(connection.cursor())  # a second connection to the same database
        found = connection.execute(
            "select sentence('interval', to_json({'low': 71.25, 'high': 80.0::double})), sentence(null, '{}')"
        ).fetchone()
    assert found == (Words("en").sentence("interval", {"low": 71.25, "high": 80.0}), None)


@pytest.mark.parametrize("language", ["de", "", "../en", "EN"])
def test_an_unknown_language_gives_an_error_with_the_known_ones(language: str) -> None:
    with pytest.raises(ConfigurationError, match="there are en, ru"):
        Words(language)
