"""``carec claims`` for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.conftest import run_carec


def test_the_table_shows_every_claim_and_the_number_of_each_verdict(published_warehouse: Path) -> None:
    done = run_carec("claims", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert "p5-gii-kaz" in done.stdout and "com-dssc-established" in done.stdout
    assert "all claims" in done.stdout and "counted once" in done.stdout
    assert "newest vintage 2026-" in done.stdout


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (["--verdict", "contradicted"], lambda c: c["verdict"] == "contradicted"),
        (["--documents", "supported_in_part"], lambda c: c["documentary_verdict"] == "supported_in_part"),
        (["--pillar", "5"], lambda c: c["pillar"] == "5"),
        (["--pillar", "P5"], lambda c: c["pillar"] == "5"),
        (["--country", "kaz"], lambda c: "KAZ" in c["country_iso3"].split(";")),
        (["--country", "CAREC"], lambda c: c["country_iso3"] == "CAREC"),
        (
            ["--country", "GEO", "--verdict", "supported"],
            lambda c: "GEO" in c["country_iso3"].split(";") and c["verdict"] == "supported",
        ),
    ],
)
def test_filters_keep_the_claims_that_match_all_of_them(
    published_warehouse: Path, filters: list[str], wanted: object
) -> None:
    every = json.loads(run_carec("claims", "--format", "json", warehouse=published_warehouse).stdout)
    kept = json.loads(run_carec("claims", *filters, "--format", "json", warehouse=published_warehouse).stdout)
    assert callable(wanted)
    assert kept == [claim for claim in every if wanted(claim)] != []


def test_a_country_that_no_claim_names_gives_an_empty_table(published_warehouse: Path) -> None:
    done = run_carec("claims", "--country", "AFG", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    assert (
        json.loads(run_carec("claims", "--country", "AFG", "--format", "json", warehouse=published_warehouse).stdout)
        == []
    )


def test_json_and_csv_hold_the_same_claims(published_warehouse: Path) -> None:
    as_json = json.loads(run_carec("claims", "--format", "json", warehouse=published_warehouse).stdout)
    as_csv = list(
        csv.DictReader(io.StringIO(run_carec("claims", "--format", "csv", warehouse=published_warehouse).stdout))
    )
    assert [c["claim_id"] for c in as_json] == [c["claim_id"] for c in as_csv]
    assert list(as_json[0]) == list(as_csv[0])


def test_one_claim_shows_verdict_tests_trend_and_leads(published_warehouse: Path) -> None:
    done = run_carec("claims", "p5-gii-kaz", warehouse=published_warehouse)
    assert done.returncode == 0, done.stderr
    for expected in (
        "Kazakhstan rose from 79th to 48th",
        "verdict: contradicted",
        "gii_rank 78 in 2024, claimed 48",
        "true of GEO 2019",
        "baseline",
        "wipo_gii",
        "█",
        "Leads, not verdicts:",
        "https://astanatimes.com/",
    ):
        assert expected in done.stdout, expected


def test_a_claim_on_the_region_shows_the_trend_of_every_member(published_warehouse: Path) -> None:
    shown = run_carec("claims", "hl-region-internet-use", warehouse=published_warehouse).stdout.splitlines()
    trends = [line[:3] for line in shown if "█" in line]
    assert trends == ["AFG", "AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB"]


def test_documents_and_leads_are_separate_from_verdicts_and_have_links(published_warehouse: Path) -> None:
    shown = run_carec("claims", "p1-tjk-digital-agency-2024", warehouse=published_warehouse).stdout
    verdict, rest = shown.split("Documents:")
    documents, leads = rest.split("Leads, not verdicts:")
    assert "verdict: needs a document" in verdict and "http" not in verdict
    assert "documentary verdict: supported by a document" in verdict
    assert "a source of this kind decides alone" in verdict
    assert "legal_text, 2024-12-26" in documents and "http://mmih.tj/SEARCH/DocumentView?" in documents
    assert "supports: Ordered in the January 2021" in leads and "https://thecentral.asia/?p=5771" in leads


def test_one_claim_in_json_holds_its_tests_and_leads(published_warehouse: Path) -> None:
    (claim,) = json.loads(run_carec("claims", "p5-gii-kaz", "--format", "json", warehouse=published_warehouse).stdout)
    assert claim["verdict"] == "contradicted"
    assert {test["role"] for test in claim["tests"]} == {"value", "baseline"}
    assert len(claim["pointers"]) == claim["leads"] > 0
    assert claim["documents"] == [] and claim["documentary_verdict"] == "open"
    (claim,) = json.loads(run_carec("claims", "p1-dssc-2021", "--format", "json", warehouse=published_warehouse).stdout)
    assert [(one["role"], one["document_date"]) for one in claim["documents"]] == [("weighed", "2022-10-25")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["p5-gii-kza"], "unknown claim 'p5-gii-kza'; the nearest are p5-gii-kaz"),
        (["--verdict", "wrong"], "known are supported, supported_other_year, contradicted"),
        (["--documents", "supported"], "'supported' is not a documentary verdict of a claim; known are supported_by_d"),
        (["--pillar", "9"], "is not a pillar of a claim"),
        (
            ["--country", "DEU"],
            "is not a country of a claim; known are AFG, AZE, CHN, GEO, KAZ, KGZ, MNG, PAK, TJK, TKM",
        ),
        (["--pillar", "9"], "known are 1, 2, 3, 4, 5, cross_border, emerging, region, sector"),
        (["p5-gii-kaz", "--verdict", "supported"], "CLAIM_ID prints one claim in full"),
    ],
)
def test_a_mistake_of_a_user_gives_one_clear_line(
    published_warehouse: Path, arguments: list[str], expected: str
) -> None:
    done = run_carec("claims", *arguments, warehouse=published_warehouse)
    assert done.returncode == 2
    assert expected in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_a_malformed_claim_stops_the_refresh_before_anything_is_built(checkout: Path, tmp_path: Path) -> None:
    path = checkout / "dbt_project" / "seeds" / "claims.csv"
    text = path.read_text(encoding="utf-8")
    assert ",96,,eq," in text
    path.write_text(text.replace(",96,,eq,", ",ninety-six,,eq,", 1), encoding="utf-8")
    done = run_carec("refresh", warehouse=tmp_path / "w", root=checkout)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "claims.csv:22: p1-kaz-internet-use: column value: must be a number" in done.stderr
    assert not (tmp_path / "w" / "build.duckdb").exists()
