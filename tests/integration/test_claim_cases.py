"""Claims with known verdicts: every unit, comparator, kind of test and gap, on invented figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.claims_engine import ClaimsEngine

FIGURES = {
    "internet_users_pct": {
        "KAZ": {2018: 76, 2019: 80, 2020: 84, 2021: 88, 2022: 90, 2023: 92, 2024: 94},
        "UZB": {2022: 60, 2023: 70, 2024: 80, 2026: 99},
        "GEO": {2024: 70},
        "PAK": {2020: 60, 2021: 50, 2023: 54, 2024: 55},
        "MNG": {2019: 71, 2020: 60, 2021: 62, 2022: 64, 2023: 66, 2024: 70},
        "AZE": {2022: 80, 2023: 79, 2024: 79},
    },
    "coverage_4g_pct": {"TJK": {2017: 50, 2019: 70, 2020: 72, 2021: 77}},
    "households_internet_pct": {"KAZ": {2024: 97}},
    "fixed_broadband_per_100": {"KAZ": {2024: 15.2}},
    "internet_gender_ratio": {"KAZ": {2024: 0.97}},
    "population_total": {"KAZ": {2022: 19e6, 2023: 19.5e6, 2024: 20e6}, "MNG": {2020: 3.3e6}},
    "primary_enrolment": {"KAZ": {2023: 1.5e6}},
    "secondary_enrolment": {"KAZ": {2023: 2.0e6, 2024: 2.1e6}},
    "tertiary_enrolment": {"KAZ": {2022: 600e3, 2023: 700e3}},
    "ict_graduates_pct": {"KAZ": {2023: 8, 2024: 9}},
    "gii_rank": {"KAZ": {2021: 79, 2022: 83, 2023: 81, 2024: 78}, "GEO": {2019: 48, 2024: 57}, "CHN": {2024: 11}},
    "articles_per_million": {"KAZ": {2023: 850}},
    "gni_per_capita_usd": {"KAZ": {2024: 11_500}},
    "egdi_osi_index": {"KAZ": {2020: 0.92, 2024: 0.94}},
    "remittance_cost_pct": {"KAZ": {2020: 5, 2024: 3}, "UZB": {2020: 2, 2024: 4}},
}
USE = {"indicator_id": "internet_users_pct"}
PEOPLE = {"indicator_id": "population_total"}
USERS = {**PEOPLE, "with_indicator_id": "internet_users_pct"}
RANK = {"indicator_id": "gii_rank", "kind": "rank_in_edition", "window_year": 2024}
PUPILS = {"indicator_id": "primary_enrolment", "with_indicator_id": "secondary_enrolment", "kind": "ceiling_of_sum"}
GRADUATES = {"indicator_id": "tertiary_enrolment", "with_indicator_id": "ict_graduates_pct", "kind": "product"}


def share(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": "percent", **more}


def change(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": "percent_change", **more}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, int | None]] = {
    # figures, evidence, verdict, nearest true year
    "a value within the tolerance": (share(92.5), USE, "supported", 2024),
    "a value that only an older year of the window has": (share(88.5), USE, "supported", 2022),
    "a value of no year": (share(97), USE, "contradicted", None),
    "a value of a year before the window": (share(84), USE, "supported_other_year", 2020),
    "a value of a series that ended before the window": (
        share(75, country_iso3="TJK"),
        {"indicator_id": "coverage_4g_pct"},
        "supported_other_year",
        2021,
    ),
    "no value of a series that ended before the window": (
        share(40, country_iso3="TJK"),
        {"indicator_id": "coverage_4g_pct"},
        "no_suitable_series",
        None,
    ),
    "a number beyond a population that ended before the window": (
        {"country_iso3": "MNG", "value": 9, "unit": "million_people"},
        {**PEOPLE, "kind": "ceiling"},
        "no_suitable_series",
        None,
    ),
    "another definition, and it ended before the window": (
        share(75, country_iso3="TJK"),
        {"indicator_id": "coverage_4g_pct", "definition_match": "different"},
        "no_suitable_series",
        None,
    ),
    "an ended series, and a document": (
        share(40, country_iso3="TJK", checkable_with="proxy: a series; document: a register"),
        {"indicator_id": "coverage_4g_pct"},
        "no_suitable_series",
        None,
    ),
    "a value of a year after the review": (share(99, country_iso3="UZB"), USE, "supported_other_year", 2026),
    "a stated year, and no other, is tested": (share(80, value_year=2024), USE, "supported_other_year", 2019),
    "the year stated bears it out": (share(80, value_year=2019), USE, "supported", 2019),
    "the neighbour of a year without a figure makes no true year of it": (
        share(94, value_year=2025),
        USE,
        "supported_other_year",
        2024,
    ),
    "a year without any figure near it": (share(50, value_year=2035), USE, "no_suitable_series", None),
    "a share of one": ({"value": 0.93, "unit": "share"}, USE, "supported", 2024),
    "a share of one, in a year of its own": (
        {"value": 0.8, "unit": "share", "value_year": 2019},
        USE,
        "supported",
        2019,
    ),
    "a ratio": ({"value": 0.96, "unit": "ratio"}, {"indicator_id": "internet_gender_ratio"}, "supported", 2024),
    "a ratio stated in percent": (share(97), {"indicator_id": "internet_gender_ratio"}, "supported", 2024),
    "so many in 100": ({"value": 94, "unit": "per_100"}, USE, "supported", 2024),
    "so many in 1000": ({"value": 940, "unit": "per_mille"}, USE, "supported", 2024),
    "subscriptions per 100 people": (
        {"value": 15, "unit": "per_100"},
        {"indicator_id": "fixed_broadband_per_100"},
        "supported",
        2024,
    ),
    "so many per thousand people": (
        {"value": 0.85, "unit": "per_thousand_people"},
        {"indicator_id": "articles_per_million"},
        "supported",
        2023,
    ),
    "people": ({"value": 20_900_000, "unit": "people"}, PEOPLE, "supported", 2024),
    "people, six per cent off": ({"value": 21_300_000, "unit": "people"}, PEOPLE, "contradicted", None),
    "thousand people": ({"value": 20_000, "unit": "thousand_people"}, PEOPLE, "supported", 2024),
    "million people": ({"value": 20, "unit": "million_people"}, PEOPLE, "supported", 2024),
    "a bare number in million": ({"value": 20, "unit": "million"}, PEOPLE, "supported", 2024),
    "thousand dollars": (
        {"value": 11.5, "unit": "thousand_usd"},
        {"indicator_id": "gni_per_capita_usd"},
        "supported",
        2024,
    ),
    "an index on a scale of 100": (
        {"value": 93, "unit": "score_0_100"},
        {"indicator_id": "egdi_osi_index"},
        "supported",
        2024,
    ),
    "dollars against a share": ({"value": 94, "unit": "usd"}, USE, "not_comparable", None),
    "no unit at all": ({"value": 94}, USE, "not_comparable", None),
    "over, and it is": (share(90, comparator="gt"), USE, "supported", 2024),
    "over, and it is not": (share(97, comparator="gt"), USE, "contradicted", None),
    "at least": (share(96, comparator="gte"), USE, "supported", 2024),
    "under, once": (share(79, comparator="lt"), USE, "supported_other_year", 2019),
    "at most, in the year stated": (share(80, comparator="lte", value_year=2019), USE, "supported", 2019),
    "at most, and it is more": (share(60, comparator="lte", value_year=2019), USE, "contradicted", None),
    "about": (share(86, comparator="approx", value_year=2020), USE, "supported", 2020),
    "about, and too far": (share(87, comparator="approx", value_year=2020), USE, "supported_other_year", 2021),
    "a range that holds it": (share(95, baseline_value=85, comparator="range"), USE, "supported", 2024),
    "a range below it": (share(50, baseline_value=40, comparator="range"), USE, "contradicted", None),
    "a range of another year": (share(78, baseline_value=74, comparator="range"), USE, "supported_other_year", 2019),
    "any year of a period": (
        share(84, comparator="range", baseline_year=2019, value_year=2021),
        USE,
        "supported",
        2020,
    ),
    "no year of a period": (
        share(94, comparator="range", baseline_year=2019, value_year=2021),
        USE,
        "supported_other_year",
        2023,
    ),
    "a change in per cent": (change(17.5, baseline_year=2019, value_year=2024), USE, "supported", 2024),
    "a change of the wrong sign": (change(-17.5, baseline_year=2019, value_year=2024), USE, "contradicted", None),
    "a change with a base year in the evidence": (
        change(17.5, value_year=2024),
        {**USE, "base_year": 2019},
        "supported",
        2024,
    ),
    "a change that names no base year": (change(17.5, value_year=2024), USE, "not_comparable", None),
    "a change since a year without a figure": (
        change(17.5, baseline_year=2015, value_year=2024),
        USE,
        "no_suitable_series",
        None,
    ),
    "a change between editions of an index": (
        change(2.2, baseline_year=2020, value_year=2024),
        {"indicator_id": "egdi_osi_index"},
        "not_comparable",
        None,
    ),
    "a change in percentage points": (
        {"value": 14, "unit": "percentage_points", "baseline_year": 2019, "value_year": 2024},
        USE,
        "supported",
        2024,
    ),
    "better than before": ({}, {**USE, "kind": "direction"}, "direction_supported", None),
    "worse than before": (
        {"country_iso3": "UZB"},
        {"indicator_id": "remittance_cost_pct", "kind": "direction"},
        "direction_contradicted",
        None,
    ),
    "better than before where lower is better": (
        {},
        {"indicator_id": "remittance_cost_pct", "kind": "direction"},
        "direction_supported",
        None,
    ),
    "better than in some base years only": (
        {"country_iso3": "PAK"},
        {**USE, "kind": "direction"},
        "depends_on_base_year",
        None,
    ),
    "better than in all base years but one": (
        {"country_iso3": "MNG"},
        {**USE, "kind": "direction"},
        "depends_on_base_year",
        None,
    ),
    "no better than before": ({"country_iso3": "AZE"}, {**USE, "kind": "direction"}, "direction_contradicted", None),
    "better since the base year that is named": (
        {"country_iso3": "PAK", "baseline_year": 2021},
        {**USE, "kind": "direction"},
        "direction_supported",
        None,
    ),
    "better than before, but before the window": (
        {"country_iso3": "TJK"},
        {"indicator_id": "coverage_4g_pct", "kind": "direction"},
        "no_suitable_series",
        None,
    ),
    "better since the last edition of an index": (
        {},
        {"indicator_id": "egdi_osi_index", "kind": "direction"},
        "not_comparable",
        None,
    ),
    "a rank that stands for something else, better than before": (
        {},
        {"indicator_id": "gii_rank", "kind": "direction", "definition_match": "similar"},
        "not_comparable",
        None,
    ),
    "the rank that is claimed, better in some editions only": (
        {"unit": "rank"},
        {"indicator_id": "gii_rank", "kind": "direction", "window_year": 2023},
        "depends_on_base_year",
        None,
    ),
    "two members, one of them since some years only": (
        {"country_iso3": "KAZ;PAK"},
        {**USE, "kind": "direction"},
        "depends_on_base_year",
        None,
    ),
    "two members, one of them since no year": (
        {"country_iso3": "AZE;PAK"},
        {**USE, "kind": "direction"},
        "direction_contradicted",
        None,
    ),
    "stated for two members, true for one": (
        {"country_iso3": "KAZ;UZB"},
        {"indicator_id": "remittance_cost_pct", "kind": "direction"},
        "direction_contradicted",
        None,
    ),
    "a direction that has nothing before it": (
        {"country_iso3": "GEO"},
        {**USE, "kind": "direction"},
        "no_suitable_series",
        None,
    ),
    "a rank of the edition named": ({"value": 78, "unit": "rank"}, RANK, "supported", 2024),
    "a rank one off": ({"value": 77, "unit": "rank"}, RANK, "contradicted", None),
    "a rank of another edition": ({"value": 81, "unit": "rank"}, RANK, "supported_other_year", 2023),
    "a rank better than": ({"value": 80, "unit": "rank", "comparator": "lt"}, RANK, "supported", 2024),
    "an edition that does not rank the economy": (
        {"value": 12, "unit": "rank", "value_year": 2020},
        RANK,
        "no_suitable_series",
        None,
    ),
    "first of its income group": (
        {"country_iso3": "CHN", "value": 1, "unit": "rank"},
        {**RANK, "kind": "rank_in_group"},
        "supported",
        2024,
    ),
    "not first of its income group, but once": (
        {"value": 1, "unit": "rank"},
        {**RANK, "kind": "rank_in_group"},
        "supported_other_year",
        2023,  # before the first figure of China
    ),
    "a number from two series": (
        {"value": 18.8, "unit": "million_people", "value_year": 2024},
        {**USERS, "kind": "product"},
        "supported",
        2024,
    ),
    "graduates from enrolment and share": (
        {"value": 50_000, "unit": "people", "comparator": "gte"},
        GRADUATES,
        "supported",
        2023,
    ),
    "more graduates than enrolment and share give": (
        {"value": 100_000, "unit": "people", "comparator": "gte"},
        GRADUATES,
        "contradicted",
        None,
    ),
    "more users than people": (
        {"value": 25, "unit": "million_people"},
        {**PEOPLE, "kind": "ceiling"},
        "contradicted",
        None,
    ),
    "more users than users of the internet": (
        {"value": 19_900_000, "unit": "people"},
        {**USERS, "kind": "ceiling"},
        "contradicted",
        None,
    ),
    "fewer users than people": (
        {"value": 5, "unit": "million_people"},
        {**PEOPLE, "kind": "ceiling"},
        "document_only",
        None,
    ),
    "more pupils than the schools have": ({"value": 4, "unit": "million_people"}, PUPILS, "contradicted", None),
    "fewer pupils than the schools have": ({"value": 3.4, "unit": "million_people"}, PUPILS, "document_only", None),
    "a ceiling without figures": (
        {"country_iso3": "GEO", "value": 500_000, "unit": "people"},
        PUPILS,
        "document_only",
        None,
    ),
    "another definition, however near": (share(94), {**USE, "definition_match": "different"}, "not_comparable", None),
    "another definition, however far": (share(5), {**USE, "definition_match": "different"}, "not_comparable", None),
    "another definition of a direction": (
        {},
        {**USE, "kind": "direction", "definition_match": "different"},
        "not_comparable",
        None,
    ),
    "a similar definition": (share(94), {**USE, "definition_match": "similar"}, "supported", 2024),
    "all of two members": (share(80, country_iso3="KAZ;UZB", comparator="gte"), USE, "supported", 2024),
    "one of two members": (share(90, country_iso3="GEO;KAZ", comparator="gte"), USE, "contradicted", None),
    "two members of whom one has figures": (share(90, country_iso3="KAZ;TKM", comparator="gte"), USE, "no_data", 2024),
    "all members, refuted by one": (share(90, country_iso3="CAREC", comparator="gte"), USE, "contradicted", None),
    "all members, of whom six have figures": (
        share(50, country_iso3="CAREC", comparator="gte"),
        USE,
        "no_data",
        2024,
    ),
    "a tolerance of the evidence's own": (share(97), {**USE, "tolerance": 3}, "supported", 2024),
    "a country without figures": (share(50, country_iso3="TKM"), USE, "no_data", None),
    "a country without figures, and a document": (
        share(50, country_iso3="TKM", checkable_with="document: a register"),
        USE,
        "document_only",
        None,
    ),
}


@pytest.fixture(scope="module")
def engine(published_warehouse: Path) -> ClaimsEngine:
    return ClaimsEngine(published_warehouse)


@pytest.fixture(scope="module")
def audited(engine: ClaimsEngine) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return verdict and tests of every case, from one audit of all cases."""
    ids = {case: f"c-{number}" for number, case in enumerate(CASES)}
    claims = [{**CASES[case][0], "claim_id": claim_id} for case, claim_id in ids.items()]
    evidence = [{**CASES[case][1], "claim_id": claim_id} for case, claim_id in ids.items()]
    audit = engine.audit(claims, evidence, FIGURES)
    return {case: (audit.verdict(claim_id), audit.tests(claim_id)) for case, claim_id in ids.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_claim_gets_its_known_verdict(
    audited: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]], case: str
) -> None:
    found, _ = audited[case]
    assert (found["verdict"], found["nearest_true_year"]) == CASES[case][2:], found["verdict_reason"]


SILENT = [
    case
    for case, (claim, _, verdict, _) in CASES.items()
    if "value_year" not in claim and verdict not in ("not_comparable", "no_suitable_series", "document_only", "no_data")
]


@pytest.mark.parametrize("case", SILENT)
def test_if_no_year_is_stated_the_reason_mentions_it(
    audited: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]], case: str
) -> None:
    found, tests = audited[case]
    assert "no year stated" in found["verdict_reason"]
    for test in tests:
        years = [int(year) for year in re.findall(r"\d{4}", test["years_tested"] or "")]
        assert len(years) <= 3 and max(years, default=0) <= 2025


@pytest.mark.parametrize(
    ("years", "tested"),
    [
        ([2020, 2021, 2022, 2023, 2024, 2025, 2026], "2023, 2024, 2025"),
        ([2019, 2020, 2021, 2022, 2023, 2024], "2022, 2023, 2024"),
        ([2015, 2018, 2021, 2025], "2025"),
        ([2018, 2020, 2022], "2022"),
        ([2019, 2020, 2021], None),
        ([2026], None),
    ],
)
def test_the_window_counts_back_from_the_review_however_early_a_series_ends(
    engine: ClaimsEngine, years: list[int], tested: str | None
) -> None:
    found = engine.audit([share(90)], [USE], {"internet_users_pct": {"KAZ": dict.fromkeys(years, 90)}})
    (test,) = found.tests()
    assert test["years_tested"] == tested
    assert found.verdict()["verdict"] == ("supported" if tested else "supported_other_year")


def test_a_figure_before_the_window_is_named_and_is_no_evidence(engine: ClaimsEngine) -> None:
    ended = {"coverage_4g_pct": {"TJK": {2019: 70, 2021: 77}}}
    claim = share(40, country_iso3="TJK")
    found = engine.audit([claim], [{"indicator_id": "coverage_4g_pct"}], ended).verdict()
    assert (found["verdict_reason_code"], found["evidence_value"]) == ("no_suitable_series", None)
    assert "no figure of coverage_4g_pct in 2022 to 2025" in found["verdict_reason"]
    assert "(the nearest is 77 in 2021)" in found["verdict_reason"]


HOUSEHOLDS = {"indicator_id": "households_internet_pct"}


@pytest.mark.parametrize(
    ("claimed", "first", "second", "term", "verdict"),
    [
        # people 94, households 97
        (95.5, "similar", "similar", True, "supported"),
        (98, "similar", "similar", True, "depends_on_reading"),
        (98, "same", "similar", True, "depends_on_reading"),
        (98, "same", "similar", False, "contradicted"),
        (98, "same", "same", False, "depends_on_reading"),
        (98, "same", "different", True, "contradicted"),
        (90, "similar", "similar", True, "depends_on_reading"),
        (50, "similar", "similar", True, "contradicted"),
    ],
)
def test_readings_of_an_undefined_term_must_agree_and_none_is_preferred(
    engine: ClaimsEngine, claimed: float, first: str, second: str, term: bool, verdict: str
) -> None:
    evidence = [{**USE, "definition_match": first}, {**HOUSEHOLDS, "definition_match": second}]
    for order in (evidence, evidence[::-1]):
        audit = engine.audit([share(claimed)], order, FIGURES, terms=[{}] if term else [])
        assert audit.verdict()["verdict"] == verdict, audit.verdict()["verdict_reason"]
    reason = audit.verdict()["verdict_reason"]
    assert ("does not define “use” (people or households)" in reason) == (term and verdict == "depends_on_reading")
    assert "internet_users_pct" in reason and "households_internet_pct" in reason


def test_a_reading_of_another_year_is_named_as_such(engine: ClaimsEngine) -> None:
    evidence = [{**USE, "definition_match": "similar"}, {**HOUSEHOLDS, "definition_match": "similar"}]
    found = engine.audit([share(85)], evidence, FIGURES, terms=[{}]).verdict()
    assert found["verdict"] == "depends_on_reading"
    assert "true of another year if read as internet_users_pct" in found["verdict_reason"]
    assert "not true if read as households_internet_pct" in found["verdict_reason"]


def test_every_base_year_is_published_with_its_figures(engine: ClaimsEngine) -> None:
    audit = engine.audit([{"country_iso3": "PAK"}], [{**USE, "kind": "direction"}], FIGURES)
    rows = audit.query("select year, value, base_year, base_value, improvement, is_better from claim_base_years")
    assert [tuple(row.values()) for row in rows] == [
        (2024, 55, 2020, 60, -5, False),
        (2024, 55, 2021, 50, 5, True),
        (2024, 55, 2023, 54, 1, True),
    ]
    assert "PAK (better than in 2021, 2023; not better than in 2020)" in audit.verdict()["verdict_reason"]


def test_a_refused_comparison_of_editions_is_no_base_year(engine: ClaimsEngine) -> None:
    audit = engine.audit([{}], [{"indicator_id": "egdi_osi_index", "kind": "direction"}], FIGURES)
    assert audit.query("from claim_base_years") == []
    assert "figures of different editions do not compare" in audit.verdict()["verdict_reason"]


@pytest.mark.parametrize(
    ("unit", "factor", "series"),
    [
        ("share", 0.01, "internet_users_pct"),
        ("ratio", 0.01, "internet_users_pct"),
        ("per_100", 1, "internet_users_pct"),
        ("per_mille", 10, "internet_users_pct"),
        ("thousand_people", 1e-3, "population_total"),
        ("million", 1e-6, "population_total"),
        ("billion_people", 1e-9, "population_total"),
    ],
)
def test_a_verdict_does_not_depend_on_the_unit(engine: ClaimsEngine, unit: str, factor: float, series: str) -> None:
    off_by = (0.0, 0.015, 0.04, 0.06)
    plain = "percent" if series == "internet_users_pct" else "people"
    claims = [
        {"claim_id": f"{unit_of} {off}", "value": value * times, "unit": unit_of, "value_year": 2024}
        for off in off_by
        for value in (FIGURES[series]["KAZ"][2024] * (1 + off),)
        for unit_of, times in ((plain, 1), (unit, factor))
    ]
    evidence = [{"claim_id": claim["claim_id"], "indicator_id": series} for claim in claims]
    audit = engine.audit(claims, evidence, FIGURES)
    for off in off_by:
        plainly, otherwise = audit.verdict(f"{plain} {off}"), audit.verdict(f"{unit} {off}")
        assert plainly["verdict"] == otherwise["verdict"], off
        for column in ("evidence_value", "deviation", "tolerance"):
            assert otherwise[column] == pytest.approx(plainly[column] * factor, abs=1e-9), (off, column)


@pytest.mark.parametrize(
    ("baseline", "result", "year"),
    [
        ({"baseline_value": 80, "baseline_year": 2019}, "supported", 2019),
        ({"baseline_value": 80}, "supported_other_year", 2019),
        ({"baseline_value": 40}, "contradicted", None),
        ({"baseline_value": 40, "baseline_year": 2019}, "contradicted", None),
        ({"baseline_value": 90, "baseline_year": 2019, "baseline_comparator": "lt"}, "supported", 2019),
        ({"baseline_value": 70, "baseline_year": 2019, "baseline_comparator": "lt"}, "contradicted", None),
        ({"baseline_value": 50, "baseline_year": 2005}, "no_suitable_series", None),
    ],
)
def test_a_baseline_is_tested_separately_and_changes_no_verdict(
    engine: ClaimsEngine, baseline: dict[str, Any], result: str, year: int | None
) -> None:
    audit = engine.audit([share(94, **baseline)], [USE], FIGURES)
    value, base = audit.tests()
    assert (value["role"], base["role"]) == ("value", "baseline")
    assert (base["result"], base["nearest_true_year"]) == (result, year), base["reason"]
    assert audit.verdict()["verdict"] == "supported"


def test_another_definition_is_shown_with_its_difference_and_changes_no_verdict(engine: ClaimsEngine) -> None:
    households = {
        "indicator_id": "households_internet_pct",
        "definition_match": "different",
        "definition_note": "households, not people",
    }
    found = engine.audit([share(97)], [USE, households], FIGURES).verdict()
    assert found["verdict"] == "contradicted" and found["evidence_indicator_id"] == "internet_users_pct"
    assert "households_internet_pct was 97 in 2024, but measures households, not people" in found["verdict_reason"]


def test_copies_of_one_origin_count_once(engine: ClaimsEngine) -> None:
    copies = [USE, {"indicator_id": "households_internet_pct"}]
    found = engine.audit([share(95)], copies, FIGURES).verdict()
    assert found["independent_origins"] == 1  # both are from ITU
    independent = [USE, {"indicator_id": "fixed_broadband_per_100"}]
    more = "update indicators set origin = 'another' where indicator_id = 'fixed_broadband_per_100'"
    audit = engine.audit([share(10, comparator="gt", value_year=2024)], independent, FIGURES, more=more)
    assert audit.verdict()["verdict"] == "supported"
    assert audit.verdict()["independent_origins"] == 2


def test_leads_change_no_verdict(engine: ClaimsEngine) -> None:
    lead = (
        "insert into claim_leads by name select 'c' as claim_id, 'a lead' as lead, 'contradicts' as verdict_hint,"
        " 'general_knowledge' as seen"
    )
    without = engine.audit([share(94)], [USE], FIGURES).verdict()
    pointed = engine.audit([share(94)], [USE], FIGURES, more=lead).verdict()
    assert (without["leads"], pointed["leads"]) == (0, 1)
    assert {k: v for k, v in without.items() if k != "leads"} == {k: v for k, v in pointed.items() if k != "leads"}


REGION = {"country_iso3": "CAREC", "value": 50, "unit": "percent", "value_year": 2024}
MEMBERS = ("AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB")


def test_every_variant_of_the_regional_mean_is_named_with_its_result(engine: ClaimsEngine) -> None:
    # China 94 and the others 46: simple 50.36, without China 46; weighted half by China 70
    figures = {
        "internet_users_pct": {iso3: {2024: 94 if iso3 == "CHN" else 46} for iso3 in MEMBERS},
        "population_total": {iso3: {2024: 10e6 if iso3 == "CHN" else 1e6} for iso3 in MEMBERS},
    }
    audit = engine.audit([REGION], [{**USE, "kind": "regional_mean"}], figures)
    assert {t["variant"]: (t["result"], round(t["value"], 2)) for t in audit.tests()} == {
        "simple": ("supported", 50.36),
        "simple_ex_chn": ("contradicted", 46),
        "weighted": ("contradicted", 70),
        "weighted_ex_chn": ("contradicted", 46),
    }
    found = audit.verdict()
    assert found["verdict"] == "depends_on_reading"
    assert found["verdict_reason"].startswith(
        "true of the mean simple; not true of the mean simple_ex_chn, weighted, weighted_ex_chn"
    )


def test_a_variant_of_the_mean_without_figures_is_named_too(engine: ClaimsEngine) -> None:
    figures = {"internet_users_pct": {iso3: {2024: 50} for iso3 in MEMBERS}}
    audit = engine.audit(
        [REGION], [{**USE, "kind": "regional_mean"}], figures, unknown={"population_total": "2026-05-04"}
    )
    assert {t["variant"]: t["result"] for t in audit.tests()} == {
        "simple": "supported",
        "simple_ex_chn": "supported",
        "weighted": "no_data",
        "weighted_ex_chn": "no_data",
    }
    reason = audit.verdict()["verdict_reason"]
    assert "no figure for the mean weighted, weighted_ex_chn" in reason
    assert "not yet known on that day, with the day of the oldest vintage: population_total (2026-05-04)" in reason


def test_a_mean_of_too_few_members_is_missing(engine: ClaimsEngine) -> None:
    figures = {"internet_users_pct": {iso3: {2024: 50} for iso3 in MEMBERS[:8]}}
    audit = engine.audit([REGION], [{**USE, "kind": "regional_mean", "variant": "simple"}], figures)
    assert [t["result"] for t in audit.tests()] == ["no_data"]
    assert audit.verdict()["verdict"] == "no_data"


def test_a_contradicted_claim_names_the_member_and_year_for_which_it_is_true(engine: ClaimsEngine) -> None:
    found = engine.audit([{"value": 48, "unit": "rank"}], [RANK], FIGURES).verdict()
    assert found["verdict"] == "contradicted"
    assert found["true_elsewhere"] == "GEO 2019" and "true of GEO 2019" in found["verdict_reason"]


# ------------------------------------------------------------------------- the register as committed, altered figures

REGISTER = "; ".join(
    f"insert into {table} from published.{table}"
    for table in ("claims", "claim_evidence", "claim_terms", "claim_duplicates", "claim_leads", "observations")
)

CHANGED: dict[str, tuple[tuple[str, str, int, float], dict[str, tuple[str, str]]]] = {
    # a changed observation, and every verdict that changes
    "Kazakhstan's adults use the internet as claimed": (
        ("findex_internet_use_pct", "KAZ", 2024, 96),
        {},  # the verdict still depends on the reading: by ITU's figures fewer use it
    ),
    "households of Kazakhstan have less internet than claimed": (
        ("households_internet_pct", "KAZ", 2022, 90),
        {"p1-kaz-internet-use": ("depends_on_reading", "contradicted")},
    ),
    "China is 12th": (
        ("gii_rank", "CHN", 2024, 12),
        {"p5-gii-chn": ("supported", "supported_other_year")},
    ),
    "the Kyrgyz Republic is 89th": (
        ("gii_rank", "KGZ", 2024, 89),
        {
            "p5-gii-kgz": ("supported", "contradicted"),
            "p5-gii-kgz-improved": ("depends_on_base_year", "direction_supported"),
        },
    ),
    "the Kyrgyz Republic was 99th the year before": (
        ("gii_rank", "KGZ", 2023, 99),
        {"p5-gii-kgz-improved": ("depends_on_base_year", "direction_contradicted")},
    ),
    "4G reached 75 per cent of Uzbekistan in 2024": (
        ("coverage_4g_pct", "UZB", 2024, 75),
        {"p1-uzb-internet-coverage": ("supported_other_year", "depends_on_reading")},  # 3G: true in 2018 only
    ),
    "4G reached 90 per cent of Uzbekistan in 2021": (
        ("coverage_4g_pct", "UZB", 2021, 90),
        {"p1-uzb-internet-coverage": ("supported_other_year", "depends_on_reading")},
    ),
    "Georgia has fewer people than pupils": (
        ("population_total", "GEO", 2024, 300_000),
        {},  # the two years before still have the number
    ),
}


@pytest.fixture(scope="module")
def of_register(engine: ClaimsEngine) -> list[dict[str, Any]]:
    """Return the verdicts of the register on the published observations."""
    return engine.audit([], [], {}, more=REGISTER).query("select claim_id, verdict from claims_audit")


@pytest.mark.parametrize("case", CHANGED)
def test_changing_one_observation_changes_exactly_the_verdicts_that_depend_on_it(
    engine: ClaimsEngine, of_register: list[dict[str, Any]], case: str
) -> None:
    (series, iso3, year, value), flips = CHANGED[case]
    change_it = (
        f"update observations set value = {value} where indicator_id = '{series}' and iso3 = '{iso3}' and year = {year}"
    )
    before = of_register
    after = engine.audit([], [], {}, more=f"{REGISTER}; {change_it}").query(
        "select claim_id, verdict from claims_audit"
    )
    assert {row["claim_id"] for row in before} == {row["claim_id"] for row in after} >= flips.keys()
    now = {row["claim_id"]: row["verdict"] for row in after}
    found = {r["claim_id"]: (r["verdict"], now[r["claim_id"]]) for r in before if r["verdict"] != now[r["claim_id"]]}
    assert found == flips


def test_a_series_that_ends_early_does_not_make_an_outdated_figure_current(engine: ClaimsEngine) -> None:
    ends_in_2022 = "delete from observations where indicator_id = 'coverage_4g_pct' and iso3 = 'UZB' and year > 2022"
    audit = engine.audit([], [], {}, more=f"{REGISTER}; {ends_in_2022}")
    assert audit.verdict("p1-uzb-internet-coverage")["verdict"] == "supported_other_year"
    tested = {test["indicator_id"]: test["years_tested"] for test in audit.tests("p1-uzb-internet-coverage")}
    assert (tested["coverage_3g_pct"], tested["coverage_4g_pct"]) == ("2022", "2022")
