"""Corrections: their effect on figures, entries that do not fit, and faults in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from sources.bundled_archive import load_archive
from sources.catalogue import Catalogue, load_catalogue
from sources.corrections import CORRECTIONS, Correction, Located, apply, load_corrections
from sources.errors import ConfigurationError
from sources.observation import KEY, OBSERVATION
from tests.unit.test_observation import indicator, records

SERIES = records(("KAZ", 2023, 92.0), ("KAZ", 2024, 9.3), ("UZB", 2024, 89.0))


def correction(**changes: Any) -> Located:
    entry = {
        "id": "kaz_2024",
        "indicator": "internet_users_pct",
        "iso3": ["KAZ"],
        "years": [2024],
        "action": "flag",
        "reason": "the decimal point is in the wrong place",
        "source": "the survey's report, table 3",
        "status": "active",
    }
    return Located(Correction.model_validate(entry | changes), "corrections.yml:7: kaz_2024")


def figures(frame: pl.DataFrame) -> dict[tuple[str, int], tuple[float, str | None]]:
    return {(i, y): (v, s) for i, y, v, s in frame.select("iso3", "year", "value", "figure_origin").rows()}


def one(**changes: Any) -> Any:
    return apply(SERIES, indicator(), [correction(**changes)])


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({"action": "override", "value": 93.1, "expect": {"eq": 9.3}}, (93.1, "corrected")),
        ({"action": "scale", "factor": 10, "expect": {"lt": 10}}, (93.0, "corrected")),
        ({"action": "flag"}, (9.3, "flagged")),
        ({"action": "drop", "expect": {"between": [9, 10]}}, None),
    ],
)
def test_only_the_selected_figure_is_changed(changes: dict[str, Any], now: tuple[float, str] | None) -> None:
    corrected = one(**changes)
    after = figures(corrected.observations)
    assert after.get(("KAZ", 2024)) == now
    assert {k: v for k, v in after.items() if k != ("KAZ", 2024)} == {
        k: v for k, v in figures(SERIES).items() if k != ("KAZ", 2024)
    }
    assert corrected.misfits == {}
    assert corrected.observations.schema == pl.Schema(OBSERVATION)


@pytest.mark.parametrize("action", ["drop", "override", "scale"])
def test_the_providers_own_record_is_kept_with_its_hash(action: str) -> None:
    given = {"override": {"value": 93.1}, "scale": {"factor": 10}}.get(action, {})
    (original,) = one(action=action, expect={"eq": 9.3}, **given).originals.to_dicts()
    assert original["reason"] == "correction: the decimal point is in the wrong place"
    assert '"value":9.3' in original["raw_record"] and original["raw_sha256"] == "a" * 64


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "drop", "expect": {"gt": 9.3}}, "KAZ 2024 is 9.3"),
        ({"action": "drop", "expect": {"lt": 9.3}}, "KAZ 2024 is 9.3"),
        ({"action": "drop", "expect": {"eq": 9.31}}, "KAZ 2024 is 9.3"),
        ({"action": "drop", "expect": {"between": [1, 9]}}, "KAZ 2024 is 9.3"),
        ({"years": [2021]}, "there is no such figure"),
        ({"iso3": ["TKM"]}, "there is no such figure"),
        ({"action": "scale", "factor": 100, "expect": {"eq": 9.3}}, "outside 0..100 pct"),
        ({"action": "drop", "years": [2023, 2024], "expect": {"lt": 10}}, "KAZ 2023 is 92"),
    ],
)
def test_a_correction_that_does_not_fit_changes_nothing_and_is_named(changes: dict[str, Any], reason: str) -> None:
    corrected = one(**changes)
    assert corrected.observations.equals(SERIES)
    assert reason in corrected.misfits["kaz_2024"]
    assert "corrections.yml:7: kaz_2024" in corrected.misfits["kaz_2024"]
    assert "status: retired" in corrected.misfits["kaz_2024"]


def test_a_correction_of_one_provider_does_not_change_a_mirrors_series() -> None:
    drop = {"action": "drop", "expect": {"eq": 9.3}}
    assert one(providers=["un_sdg"], **drop).observations.equals(SERIES)
    assert one(providers=["un_sdg"], **drop).misfits == {}
    assert one(providers=["world_bank"], **drop).observations.height == 2


def test_each_correction_is_compared_with_the_providers_figures() -> None:
    first = correction(action="override", value=93.1, expect={"eq": 9.3})
    second = correction(id="also", action="flag", expect={"eq": 9.3})
    corrected = apply(SERIES, indicator(), [first, second])
    assert corrected.misfits == {}
    assert figures(corrected.observations)["KAZ", 2024][0] == 93.1


# The file


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "override"}, "value belongs to override"),
        ({"value": 3}, "value belongs to override"),
        ({"action": "scale"}, "factor belongs to scale"),
        ({"action": "drop"}, "must say which figure it is about"),
        ({"expect": {}}, "one of gt, lt, eq, between"),
        ({"reason": "wrong"}, "at least 10 characters"),
        ({"status": "open"}, "active"),
        ({"iso3": []}, "at least 1 item"),
        ({"indicator": "internet_user_pct"}, "there is no 'internet_user_pct' in the catalogue"),
    ],
)
def test_a_fault_in_the_file_is_one_line_with_file_line_and_entry(
    changes: dict[str, Any], reason: str, catalogue: Catalogue, tmp_path: Path
) -> None:
    entry = correction().correction.model_dump(mode="json", exclude_none=True) | changes
    path = tmp_path / "corrections.yml"
    path.write_text("# a comment\n" + yaml.safe_dump([entry]), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_corrections(catalogue, path)
    assert str(caught.value).startswith(f"{path}:2: kaz_2024: ") and reason in str(caught.value)


def test_a_retired_correction_is_not_applied(catalogue: Catalogue, tmp_path: Path) -> None:
    entry = correction(status="retired").correction.model_dump(mode="json", exclude_none=True)
    (tmp_path / "corrections.yml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    assert load_corrections(catalogue, tmp_path / "corrections.yml").of("internet_users_pct") == ()


def test_every_shipped_correction_fits_the_newest_archived_figures(catalogue: Catalogue) -> None:
    shipped, archive = load_corrections(catalogue), load_archive()
    assert CORRECTIONS.read_bytes() == shipped.text
    for name in shipped.by_indicator:
        *_, newest = archive.vintages(catalogue.indicators[name])
        corrected = apply(newest.records.sort(KEY), catalogue.indicators[name], shipped.of(name))
        assert corrected.misfits == {}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_a_changed_figure_keeps_the_providers_flag_and_has_the_reason_of_the_change() -> None:
    sent = SERIES.with_columns(obs_status=pl.lit("E"))
    changed = [
        correction(id="a", action="scale", factor=10, expect={"lt": 10}, reason="a share of ten, not of a hundred"),
        correction(id="b", action="flag", reason="measured in half of the country"),
    ]
    result = apply(sent, indicator(), changed).observations.filter(iso3="KAZ", year=2024)
    assert result.select("obs_status", "figure_origin", "figure_note").rows() == [
        ("E", "corrected", "a share of ten, not of a hundred; measured in half of the country")
    ]
