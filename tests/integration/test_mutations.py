"""Changing any macro of the score turns a dbt unit test red.

Belongs here: one mutant after another of each macro until a test notices. Does not belong here: every mutant
(``tests/mutations.py``, run by hand).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutations import MACROS, PROJECT, UnitTests, mutants

SOURCES = {file: (PROJECT / file).read_text(encoding="utf-8") for file in MACROS}
DEFINED = [(file, name) for file, text in SOURCES.items() for name in re.findall(r"\{%-?\s*macro\s+(\w+)", text)]


@pytest.fixture(scope="module")
def unit_tests(published_warehouse: Path) -> UnitTests:
    found = UnitTests(published_warehouse)
    assert found.red() is None
    return found


@pytest.mark.parametrize(("file", "macro"), DEFINED, ids=[name for _, name in DEFINED])
def test_a_change_of_any_macro_makes_a_unit_test_fail(unit_tests: UnitTests, file: str, macro: str) -> None:
    changed = [mutant for mutant in mutants(SOURCES[file]) if mutant.macro == macro]
    assert changed
    assert any(unit_tests.red(file, mutant.text) for mutant in changed)
