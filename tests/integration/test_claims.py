"""The audit of the review's claims on the bundled archive: known verdicts, altered claims, altered figures, history."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.altered_claims import ALTERED
from tests.conftest import ROOT, run_carec
from tests.templates import REVIEW_DAY, Refreshed


def rows(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def verdicts(warehouse: Path) -> dict[str, str]:
    return dict(rows(warehouse, "select claim_id, verdict from claims_audit"))


# -------------------------------------------------------------------------------------------- the register as committed


def test_every_claim_of_the_register_has_one_verdict_and_a_reason(published_warehouse: Path) -> None:
    found = rows(published_warehouse, "select claim_id, verdict_reason from claims_audit")
    with (ROOT / "dbt_project" / "seeds" / "claims.csv").open(encoding="utf-8", newline="") as register:
        assert sorted(claim for claim, _ in found) == sorted(row["claim_id"] for row in csv.DictReader(register))
    assert all(reason.strip() for _, reason in found)


@pytest.mark.parametrize(
    ("country", "rank"), [("chn", 11), ("geo", 57), ("kgz", 99), ("tjk", 107), ("pak", 91), ("uzb", 83)]
)
def test_correct_ranks_of_the_edition_of_2024_are_supported(published_warehouse: Path, country: str, rank: int) -> None:
    found = rows(
        published_warehouse,
        "select verdict, evidence_value, evidence_year, deviation, nearest_true_year, provider from claims_audit"
        f" where claim_id = 'p5-gii-{country}'",
    )
    assert found == [("supported", rank, 2024, 0, 2024, "wipo_gii")]


def test_ranks_of_no_edition_are_contradicted_with_the_members_that_have_them(
    published_warehouse: Path,
) -> None:
    found = rows(
        published_warehouse,
        "select claim_id, verdict, evidence_value, evidence_year, deviation, nearest_true_year, true_elsewhere"
        " from claims_audit where claim_id in ('p5-gii-kaz', 'p5-gii-aze') order by 1",
    )
    assert found == [
        ("p5-gii-aze", "contradicted", 95, 2024, 42, None, "MNG 2018-2019"),
        ("p5-gii-kaz", "contradicted", 78, 2024, 30, None, "GEO 2019"),
    ]


def test_if_the_review_gives_no_year_the_reason_mentions_it(published_warehouse: Path) -> None:
    silent = rows(
        published_warehouse,
        "select claim_id from claims_audit where value_year is null and verdict_reason not like '%no year stated%'"
        " and verdict not in ('not_comparable', 'no_suitable_series', 'document_only', 'no_data')",
    )
    assert silent == []
    ((tested,),) = rows(
        published_warehouse,
        "select years_tested from claim_tests where claim_id = 'p1-kaz-internet-use'"
        " and indicator_id = 'internet_users_pct'",
    )
    assert tested == "2022, 2023, 2024"


def test_a_stated_baseline_is_tested_separately(published_warehouse: Path) -> None:
    found = rows(
        published_warehouse,
        "select claim_id, claimed, result, nearest_true_year from claim_tests where role = 'baseline'"
        " and claim_id like 'p5-gii%' order by 1",
    )
    assert found == [
        ("p5-gii-aze", 82, "supported_other_year", 2020),
        ("p5-gii-kaz", 79, "supported_other_year", 2021),
    ]


VARIANTS = {
    "simple": (False, False),
    "simple_ex_chn": (False, True),
    "weighted": (True, False),
    "weighted_ex_chn": (True, True),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("role", ["value", "baseline"])
def test_the_regional_mean_can_be_recomputed_in_every_variant(
    published_warehouse: Path, variant: str, role: str
) -> None:
    ((value, year, without_afg, missing, reason),) = rows(
        published_warehouse,
        "select value, evidence_year, value_without_afg, members_missing, reason from claim_tests"
        f" where claim_id = 'hl-region-internet-use' and variant = '{variant}' and role = '{role}'",
    )
    figures = rows(
        published_warehouse,
        "select e.iso3, o.value, p.value from economies as e left join observations as o on o.iso3 = e.iso3"
        f" and o.indicator_id = 'internet_users_pct' and o.year = {year} left join observations as p"
        f" on p.iso3 = e.iso3 and p.indicator_id = 'population_total' and p.year = {year} where is_member order by 1",
    )
    weighted, without_china = VARIANTS[variant]
    members = [row for row in figures if not (without_china and row[0] == "CHN")]
    present = [(iso3, share, people if weighted else 1) for iso3, share, people in members if share is not None]

    def mean(part: list[tuple[str, float, float]]) -> float:
        return sum(share * weight for _, share, weight in part) / sum(weight for _, _, weight in part)

    assert value == pytest.approx(mean(present))
    assert without_afg == pytest.approx(mean([row for row in present if row[0] != "AFG"]))
    assert missing == ", ".join(iso3 for iso3, share, _ in members if share is None)
    assert f"({variant})" in reason


def test_the_reason_of_a_regional_verdict_names_every_variant(published_warehouse: Path) -> None:
    ((verdict, reason),) = rows(
        published_warehouse,
        "select verdict, verdict_reason from claims_audit where claim_id = 'hl-region-internet-use'",
    )
    assert verdict == "depends_on_reading"
    assert "true in another year as the mean simple, simple_ex_chn, weighted" in reason
    assert "not true of the mean weighted_ex_chn" in reason


def test_a_series_of_another_definition_changes_no_verdict(published_warehouse: Path) -> None:
    assert rows(
        published_warehouse,
        "select distinct result from claim_tests where definition_match = 'different' order by 1",
    ) == [("no_data",), ("no_suitable_series",), ("not_comparable",)]
    ((reason,),) = rows(
        published_warehouse, "select verdict_reason from claims_audit where claim_id = 'p1-uzb-internet-coverage'"
    )
    assert "households_internet_pct was 95.5 in 2022, but measures households" in reason


def test_series_of_one_origin_count_once(published_warehouse: Path) -> None:
    ((tests, origins),) = rows(
        published_warehouse,
        "select (select count(*) from claim_tests where claim_id = c.claim_id and result in ('supported',"
        " 'supported_other_year')), independent_origins from claims_audit as c"
        " where claim_id = 'p1-uzb-internet-coverage'",
    )
    assert tests == 2 and origins == 1


def test_editions_of_a_relative_index_decide_nothing(published_warehouse: Path) -> None:
    ((verdict, reason),) = rows(
        published_warehouse,
        "select verdict, verdict_reason from claims_audit where claim_id = 'hl-egov-services-improved'",
    )
    assert verdict == "not_comparable"
    assert reason.count("figures of different editions do not compare") == 11


def test_the_readings_of_an_undefined_term_are_all_shown(published_warehouse: Path) -> None:
    found = rows(
        published_warehouse,
        "select indicator_id, result, round(value, 1), evidence_year from claim_tests"
        " where claim_id = 'p1-kaz-internet-use' order by 1",
    )
    assert found == [
        ("findex_internet_use_pct", "contradicted", 88.4, 2024),
        ("households_internet_pct", "supported", 96.2, 2022),
        ("internet_users_pct", "contradicted", 93.4, 2024),
    ]
    assert verdicts(published_warehouse)["p1-kaz-internet-use"] == "depends_on_reading"


def test_a_claim_depends_on_the_base_year_exactly_if_its_base_years_differ(published_warehouse: Path) -> None:
    found = dict(
        rows(
            published_warehouse,
            "select claim_id, count(distinct is_better) from claim_base_years join claims_audit using (claim_id)"
            " where verdict <> 'no_suitable_series' group by claim_id",
        )
    )
    judged = {claim for claim, verdict in verdicts(published_warehouse).items() if verdict == "depends_on_base_year"}
    assert {claim for claim, outcomes in found.items() if outcomes == 2} == judged
    assert {"p5-gii-tjk-improved", "p5-gii-pak-improved", "p5-gii-uzb-improved"} <= judged
    ranks = "select base_year, base_value from claim_base_years where claim_id = 'p5-gii-tjk-improved' order by 1"
    assert rows(published_warehouse, ranks) == [(2019, 100), (2020, 109), (2021, 103), (2022, 104), (2023, 111)]


@pytest.mark.parametrize(
    ("claim", "nearest"),
    [
        ("sec-rail-freight-volume", "5,316 in 2021"),
        ("p1-geo-private-funds", "94,000,000 in 2006"),
        ("p1-uzb-programme-investment", "10,000,000 in 1997"),
    ],
)
def test_a_series_that_ended_before_the_review_cannot_test_a_claim(
    published_warehouse: Path, claim: str, nearest: str
) -> None:
    ((verdict, value, reason),) = rows(
        published_warehouse,
        f"select verdict, evidence_value, verdict_reason from claims_audit where claim_id = '{claim}'",
    )
    assert (verdict, value) == ("no_suitable_series", None)
    assert f"(the nearest is {nearest})" in reason


def test_every_test_with_a_figure_names_its_source(published_warehouse: Path) -> None:
    assert rows(
        published_warehouse,
        "select count(*) from claim_tests where value is not null and (evidence_year is null or provider is null"
        " or vintage_at is null or source_url is null or origin is null)",
    ) == [(0,)]


def test_every_figure_shown_is_in_the_observations(published_warehouse: Path) -> None:
    ((shown, found),) = rows(
        published_warehouse,
        "select count(*), count(o.value) from claim_tests as t left join observations as o on o.iso3 = t.iso3"
        " and o.indicator_id = t.indicator_id and o.year = t.evidence_year and o.value = t.value"
        " where t.kind in ('value', 'direction') and t.value is not null",
    )
    assert shown == found > 50


def test_leads_are_shown_and_change_no_verdict(published_warehouse: Path) -> None:
    assert rows(
        published_warehouse,
        "select distinct verdict from claims_audit where measure = 'milestone' and leads > 0",
    ) == [("document_only",)]


def test_the_milestones_are_published_with_country_pillar_and_theme(published_warehouse: Path) -> None:
    ((total, complete),) = rows(
        published_warehouse,
        "select count(*), count(*) filter (country_iso3 <> '' and pillar <> '' and kind is not null"
        " and subtheme is not null) from milestones",
    )
    with (ROOT / "dbt_project" / "seeds" / "milestone_types.csv").open(encoding="utf-8", newline="") as types:
        assert total == complete == len(list(csv.DictReader(types)))


def test_the_document_is_up_to_date(published_warehouse: Path, tmp_path: Path) -> None:
    done = run_carec("claims", "--write-docs", str(tmp_path / "claims.md"), warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "claims.md").read_text(encoding="utf-8"), (
        "docs/claims.md is not what the published file gives: carec claims --write-docs docs/claims.md"
    )


# ------------------------------------------------------------------------------------------------------- altered claims


@pytest.mark.exhaustive
@pytest.mark.parametrize("claim", ALTERED)
def test_an_altered_claim_gets_its_known_verdict(altered_seeds: Refreshed, claim: str) -> None:
    _, verdict, year = ALTERED[claim]
    found = rows(
        altered_seeds.warehouse,
        f"select verdict, nearest_true_year, verdict_reason from claims_audit where claim_id = '{claim}'",
    )
    assert [row[:2] for row in found] == [(verdict, year)], found


@pytest.mark.exhaustive
def test_a_new_kind_of_test_needs_one_model_and_one_row(altered_seeds: Refreshed) -> None:
    assert rows(
        altered_seeds.warehouse,
        "select distinct kind, result from claim_tests where claim_id = 'hl-pak-ict-export-markets'",
    ) == [("peak", "supported")]


@pytest.mark.exhaustive
def test_a_value_in_another_unit_is_compared_in_the_unit_of_the_claim(altered_seeds: Refreshed) -> None:
    ((value, deviation, tolerance),) = rows(
        altered_seeds.warehouse,
        "select evidence_value, deviation, tolerance from claims_audit where claim_id = 'p1-kaz-internet-use'",
    )
    assert value == pytest.approx(0.9339, abs=1e-4)
    assert deviation == pytest.approx(value - 0.93) and tolerance == pytest.approx(0.02)


@pytest.mark.exhaustive
def test_no_other_verdict_moves_with_the_altered_claims(altered_seeds: Refreshed, published_warehouse: Path) -> None:
    before, after = verdicts(published_warehouse), verdicts(altered_seeds.warehouse)
    assert {claim for claim in before if before[claim] != after[claim]} <= set(ALTERED)


# ----------------------------------------------------------------------------------------- altered figures, and history


def test_changing_one_observation_changes_exactly_the_verdict_that_depends_on_it(
    live_refresh: Refreshed, published_warehouse: Path
) -> None:
    before, after = verdicts(published_warehouse), verdicts(live_refresh.warehouse)
    assert {claim: (before[claim], after[claim]) for claim in before if before[claim] != after[claim]} == {
        "p5-gii-kaz": ("contradicted", "supported")
    }


def test_a_changed_verdict_is_recorded_and_printed(live_refresh: Refreshed) -> None:
    assert rows(
        live_refresh.warehouse,
        "select claim_id, previous_verdict, verdict, previous_evidence_value, evidence_value,"
        " changes.as_of = publication.as_of from claim_verdict_changes as changes cross join publication",
    ) == [("p5-gii-kaz", "contradicted", "supported", 78, 48, True)]
    assert "verdict changed: p5-gii-kaz: contradicted > supported" in live_refresh.stderr


def test_an_earlier_as_of_date_keeps_recorded_changes_and_uses_figures_known_on_that_day(
    review_day: Refreshed,
) -> None:
    warehouse = review_day.warehouse
    recorded = "select claim_id from claim_verdict_changes where as_of > date '2026-01-01'"
    assert rows(warehouse, recorded) == [("p5-gii-kaz",)]
    # the edition of 2024 was published, that of 2025 was not; internet use is from the vintage of November 2024
    assert rows(warehouse, "select max(year) from observations where indicator_id = 'gii_rank'") == [(2024,)]
    ((verdict, vintage),) = rows(
        warehouse, "select verdict, vintage_at::date::varchar from claims_audit where claim_id = 'p1-kaz-internet-use'"
    )
    assert (verdict, vintage) == ("contradicted", "2024-11-29")  # the other readings were not yet known
    assert verdicts(warehouse)["p5-gii-geo"] == "supported"
    # populations were not known on that day: the reason names the means that need them, and the unknown series
    assert rows(
        warehouse,
        "select variant, result, unknown_then like 'population_total (%' from claim_tests"
        " where claim_id = 'hl-region-internet-use' and role = 'value' and variant like 'weighted%' order by 1",
    ) == [("weighted", "no_data", True), ("weighted_ex_chn", "no_data", True)]
    unknown = f"not known on {REVIEW_DAY}: "
    assert unknown in review_day.stderr and "population_total (" in review_day.stderr
    assert unknown in run_carec("claims", warehouse=warehouse).stdout


def test_the_newest_record_has_no_unknown_series(published_warehouse: Path) -> None:
    assert rows(published_warehouse, "select count(unknown_then) from claim_tests") == [(0,)]


def test_the_first_publication_has_no_changes(published_warehouse: Path) -> None:
    assert rows(published_warehouse, "select count(*) from claim_verdict_changes") == [(0,)]
