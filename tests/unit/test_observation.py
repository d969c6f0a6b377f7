"""The gates for single records: accepted and rejected records, reasons, and that no record is lost."""

from __future__ import annotations

import math
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality_gates import validate
from sources.catalogue import Indicator
from sources.observation import OBSERVATION, Areas, sound_indicators, with_contract_faults

AREAS = Areas(frozenset({"KAZ", "UZB", "AFG"}), frozenset({"WLD"}), {"KZ": "KAZ"}, {398: "KAZ"})


def indicator(**changes: object) -> Indicator:
    entry = {
        "id": "internet_users_pct",
        "title": "Individuals using the internet",
        "definition": "Share of the population that used the internet in the last three months.",
        "unit": "pct",
        "direction": "higher_is_better",
        "population_base": "whole population",
        "valid_range": {"min": 0, "max": 100},
        "max_age_years": 4,
        "shape": "saturating",
        "licence": "CC BY 4.0",
        "origin": "ITU",
        "chain": [{"provider": "world_bank", "code": "IT.NET.USER.ZS"}, {"provider": "archive"}],
    }
    return Indicator.model_validate(entry | changes)


def records(*rows: tuple[object, object, object], **changes: object) -> pl.DataFrame:
    base = {
        "indicator_id": "internet_users_pct",
        "unit": "pct",
        "obs_status": None,
        "provider": "world_bank",
        "provider_code": "IT.NET.USER.ZS",
        "provider_release": "WDI 2026-07-01",
        "retrieved_at": datetime(2026, 7, 1),
        "source_url": "https://provider.test/series",
        "raw_sha256": "a" * 64,
        "licence": "CC BY 4.0",
        "retrieved_via": "world_bank",
        "figure_origin": None,
        "figure_note": None,
    } | changes
    return pl.DataFrame(
        [{"iso3": i, "year": y, "value": v} | base for i, y, v in rows], schema=OBSERVATION, strict=False
    )


def reasons(frame: pl.DataFrame, one: Indicator | None = None) -> list[str]:
    return validate(frame, one or indicator(), AREAS, last_year=2026).rejected["reason"].to_list()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("QQQ", 2024, 50.0), "unknown area"),
        (("KAZ", 1959, 50.0), "year outside 1960-2026"),
        (("KAZ", 2027, 50.0), "year outside 1960-2026"),
        (("KAZ", 2024, -0.1), "value outside 0..100 pct, or not a number"),
        (("KAZ", 2024, 100.1), "value outside 0..100 pct, or not a number"),
        (("KAZ", 2024, 1e308), "value outside 0..100 pct, or not a number"),
        (("KAZ", 2024, math.inf), "value outside 0..100 pct, or not a number"),
        (("KAZ", 2024, math.nan), "value outside 0..100 pct, or not a number"),
    ],
)
def test_a_record_that_breaks_the_contract_is_rejected_with_its_reason(row, reason) -> None:
    checked = validate(records(row, ("UZB", 2024, 89.0)), indicator(), AREAS, last_year=2026)
    assert checked.accepted["iso3"].to_list() == ["UZB"]
    assert len(checked.rejected) == 1
    assert reason in checked.rejected["reason"][0]
    assert row[0] in checked.rejected["raw_record"][0]


def test_a_missing_value_is_rejected_and_never_becomes_zero() -> None:
    checked = validate(records(("KAZ", 2024, None)), indicator(), AREAS)
    assert checked.accepted.height == 0
    assert "no value" in checked.rejected["reason"][0]


def test_another_unit_is_rejected() -> None:
    assert reasons(records(("KAZ", 2024, 0.93), unit="share")) == ["unit is not pct"]


def test_equal_duplicates_collapse_and_unequal_ones_are_all_rejected() -> None:
    frame = records(("KAZ", 2024, 93.0), ("KAZ", 2024, 93.0), ("UZB", 2024, 89.0), ("UZB", 2024, 90.0))
    checked = validate(frame, indicator(), AREAS)
    assert checked.accepted.select("iso3", "value").rows() == [("KAZ", 93.0)]
    assert checked.rejected["reason"].to_list() == ["several values for one country and year"] * 2
    assert set(checked.rejected_keys.rows()) == {("UZB", 2024)}


def test_a_zero_that_means_not_measured_is_rejected_by_the_rule_of_the_indicator() -> None:
    rule = {"reason": "0 means not asked in this wave", "years": [2021], "value": 0, "except_iso3": ["AFG"]}
    one = indicator(reject_rules=[rule])
    frame = records(("KAZ", 2021, 0.0), ("AFG", 2021, 0.0), ("KAZ", 2022, 0.0))
    checked = validate(frame, one, AREAS)
    assert checked.accepted.select("iso3", "year").rows() == [("AFG", 2021), ("KAZ", 2022)]
    assert checked.rejected["reason"].to_list() == ["0 means not asked in this wave"]


def test_a_figure_below_the_limit_of_a_rule_is_rejected_with_the_reason_of_the_rule() -> None:
    one = indicator(reject_rules=[{"reason": "a cost cannot be negative", "below": 0}])
    frame = records(("KAZ", 2021, -0.1), ("KAZ", 2022, 0.0), ("KAZ", 2023, 101.0), ("UZB", 2021, float("nan")))
    checked = validate(frame, one, AREAS)
    assert checked.accepted.select("iso3", "year").rows() == [("KAZ", 2022)]
    found = dict(zip(checked.rejected_keys.rows(), checked.rejected["reason"], strict=True))
    assert found["KAZ", 2021] == "a cost cannot be negative"
    assert found["KAZ", 2023].startswith("value outside 0..100 pct")
    assert ("UZB", 2021) in found


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["KAZ", "UZB", "WLD", "QQQ"]),
            st.integers(1950, 2035),
            st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
        ),
        max_size=30,
    )
)
def test_every_record_is_either_accepted_or_rejected(rows) -> None:
    checked = validate(records(*rows), indicator(), AREAS, last_year=2026)
    distinct = records(*rows).unique()
    seen = {(i, y) for i, y in checked.accepted.select("iso3", "year").rows()}
    seen |= {(i, y) for i, y in checked.rejected_keys.rows()}
    assert seen == {(i, y) for i, y in distinct.select("iso3", "year").rows()}
    assert checked.accepted["value"].is_finite().all()
    assert checked.accepted["value"].is_between(0, 100).all()
    assert checked.accepted.select("iso3", "year").is_unique().all()


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["KAZ", "UZB", "WLD", "QQQ", None]),
            st.sampled_from([1959, 2020, 2026, 2027, None]),
            st.sampled_from([0.0, 50.0, 100.5, 1e9, -1.0, math.nan, math.inf, None]),
            st.sampled_from(["pct", "usd", "kbps", None]),
            st.sampled_from([0, 1]),
        ),
        max_size=8,
    )
)
def test_one_contract_of_several_indicators_finds_what_each_ones_own_finds(
    rows: list[tuple[str | None, int | None, float | None, str | None, int]],
) -> None:
    both = [indicator(), indicator(id="price", unit="usd", valid_range={"min": 1, "max": 1e6})]
    series = [
        pl.concat([records(), *(records((i, y, v), indicator_id=one.id, unit=u) for i, y, v, u, n in rows if n == at)])
        for at, one in enumerate(both)
    ]
    alone = [with_contract_faults(own, [one], AREAS.known, 2026) for one, own in zip(both, series, strict=True)]
    together = with_contract_faults(pl.concat(series), both, AREAS.known, 2026)
    assert together.equals(pl.concat(alone))
    sound = {
        one.id for one, own in zip(both, alone, strict=True) if own.height and own["reason"].null_count() == own.height
    }
    assert sound_indicators(zip(both, series, strict=True), AREAS.known, 2026) == sound
    foreign = [(both[0], records(("KAZ", 2020, 50.0), indicator_id="price"))]
    assert not sound_indicators(foreign, AREAS.known, 2026)
