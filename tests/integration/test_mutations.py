"""A change of any macro of the score makes a dbt unit test fail.

Belongs here: mutants of each macro, one after another, until a test fails. Does not belong here: every mutant
(``tests/mutations.py``, run by hand).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutations import MACROS, PROJECT, UnitTests, mutants
from tests.running import further

SOURCES = {file: (PROJECT / file).read_text(encoding="utf-8") for file in MACROS}
DEFINED = [(file, name) for file, text in SOURCES.items() for name in re.findall(r"\{%-?\s*macro\s+(\w+)", text)]


@pytest.fixture(scope="module")
def unit_tests(published_warehouse: Path) -> UnitTests:
    found = UnitTests(published_warehouse)
    assert found.red() is None
    return found


@pytest.mark.parametrize(("file", "macro"), [*DEFINED[::2], *further(*DEFINED[1::2])])
def test_a_change_of_any_macro_makes_a_unit_test_fail(unit_tests: UnitTests, file: str, macro: str) -> None:
    changed = [mutant for mutant in mutants(SOURCES[file]) if mutant.macro == macro]
    assert changed
    assert any(unit_tests.red(file, mutant.text) for mutant in changed)
