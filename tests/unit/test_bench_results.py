"""Rows of ``make bench``: how they are kept by commit and compared with another revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import kept
from tests.benchmarks.results import alternating, compared, line


def test_an_unknown_revision_is_named_in_one_line() -> None:
    if kept.present().startswith("without-git"):
        pytest.skip("not a git checkout")
    for revision in ("no-such-revision", "--all", ""):
        with pytest.raises(SystemExit, match=f"BASE={revision} is no revision of this repository"):
            kept.commit_of(revision)


def test_rows_of_a_commit_are_replaced_by_name_and_other_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "bench")
    assert kept.load("abc") == {}
    kept.save("abc", [compared("one", 1.0, [1.0], [1.0]), compared("two", None, [3.0], [1.0])])
    kept.save("abc", [compared("one", 1.0, [2.0], [1.0])])
    assert {name: row["ratio"] for name, row in kept.load("abc").items()} == {"one": 2.0, "two": 3.0}
    (tmp_path / "bench" / "abc.json").write_text("{")
    assert kept.load("abc") == {}


def test_a_ratio_is_the_median_of_pairs_and_is_compared_with_that_of_a_revision() -> None:
    ours, theirs = alternating(lambda number: [1.0, 3.0, 2.0][number], lambda _: 1.0, pairs=3)
    row = compared("ours / theirs", 2.0, ours, theirs)
    assert (row["ratio"], row["range"], row["pairs"]) == (2.0, [1.0, 3.0], 3)
    assert line(row, compared("ours / theirs", 2.0, [4.0], [1.0]), "abc").endswith("4.0 at abc: -50%")
    assert line(row, None, "abc").endswith("not measured at abc")
