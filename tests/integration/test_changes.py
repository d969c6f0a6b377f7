"""Changes between publications: three publications of one warehouse with known differences.

The second and third publication are copies of the first build with some changed cells, published as a refresh does it.
These tests cover the comparison, not the scoring.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.cli.diff import sections
from pipelines.published import CHANGE_SECTIONS, section_of
from tests.conftest import run_carec
from tests.templates import copy_warehouse
from warehouse.kept import kept
from warehouse.layout import Layout
from warehouse.publications import COLUMNS, compare, folders
from warehouse.publish import Receipt, publish, write_receipt
from warehouse.retention import prune

SECOND, THIRD = datetime(2027, 1, 10, 8), datetime(2027, 3, 20, 9, 30)

OF_THE_SECOND = """
    insert into observations by name
        select * replace (2025 as year, 99.5 as value) from observations
        where iso3 = 'UZB' and indicator_id = 'internet_users_pct' and year = 2024;
    insert into observations by name
        select * replace (1980 as year, 0.25 as value) from observations
        where iso3 = 'MNG' and indicator_id = 'internet_users_pct' and year = 2024;
    update observations set value = 12.5
        where iso3 = 'KAZ' and indicator_id = 'fixed_broadband_per_100' and year = 2023;
    update observations set value = value + 0.02
        where iso3 = 'KAZ' and indicator_id = 'fixed_broadband_per_100' and year = 2021;
    delete from observations where iso3 = 'GEO' and indicator_id = 'fixed_broadband_per_100' and year = 2022;
    update observations set value = value + 1 where iso3 = 'DEU' and indicator_id = 'internet_users_pct';
    update indicator_scores set status = 'decreasing', status_reason = 'pace'
        where framework_id = 'carec_2030' and iso3 = 'KAZ' and indicator_id = 'internet_users_pct';
    update scorecard set rank = 9, overall_score = overall_score - 5 where framework_id = 'carec_2030' and iso3 = 'CHN';
    update scorecard set overall_score = overall_score + 1e-12 where framework_id = 'carec_2030' and iso3 = 'KAZ';
"""
OF_THE_THIRD = """
    update claims_audit set verdict = 'no_data' where claim_id = (select min(claim_id) from claims_audit
        where verdict <> 'no_data');
    update benchmarks set target_value = 99 where framework_id = 'carec_2030' and indicator_id = 'internet_users_pct';
    update observations set value = 13.5
        where iso3 = 'KAZ' and indicator_id = 'fixed_broadband_per_100' and year = 2023;
    update indicators set title = 'The <script> | title' where indicator_id = 'fixed_broadband_per_100';
"""


def _publish(layout: Layout, changed: str, at: datetime) -> None:
    with duckdb.connect(str(layout.build)) as build:
        build.execute(changed)
    write_receipt(layout, Receipt(str(at), f"{at:%Y-%m-%d}", True, at.isoformat()))
    publish(layout, at)


@pytest.fixture(scope="module")
def thrice(published_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """Publish three times. The tables of the second publication are kept next to the third, as for users."""
    folder = tmp_path_factory.mktemp("changes") / "warehouse"
    copy_warehouse(published_warehouse, folder)
    layout = Layout(folder)
    _publish(layout, OF_THE_SECOND, SECOND)
    _publish(layout, OF_THE_THIRD, THIRD)
    yield layout
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def since_the_first(thrice: Layout) -> list[dict[str, Any]]:
    found = compare(thrice, date(2027, 1, 9))
    assert found is not None
    return found.records


def _one(records: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (record,) = [record for record in records if section_of(record) == kind]
    return record


def test_a_figure_of_a_later_year_is_a_new_data_year_and_one_of_an_earlier_is_filled(
    since_the_first: list[dict[str, Any]],
) -> None:
    new = _one(since_the_first, "new_year")
    assert (new["iso3"], new["subject"], new["year"], new["previous_value"], new["value"]) == (
        "UZB",
        "internet_users_pct",
        2025,
        None,
        99.5,
    )
    assert (new["name"], new["title"]) == ("Uzbekistan", "Individuals using the internet")
    filled = _one(since_the_first, "filled")
    assert (filled["iso3"], filled["year"], filled["value"]) == ("MNG", 1980, 0.25)


def test_a_revised_figure_has_both_values_and_over_two_publications_the_first_and_the_last(
    thrice: Layout, since_the_first: list[dict[str, Any]]
) -> None:
    with duckdb.connect(str(kept(thrice)[0].path), read_only=True) as first:
        ((before,),) = first.execute(
            "select value from observations"
            " where iso3 = 'KAZ' and indicator_id = 'fixed_broadband_per_100' and year = 2023"
        ).fetchall()
    revised = _one(since_the_first, "revised")
    assert (revised["iso3"], revised["year"], revised["value"]) == ("KAZ", 2023, 13.5)
    size = "large" if abs(13.5 - revised["previous_value"]) > 1 else "small"
    assert revised["size"] == size
    assert revised["previous_value"] == before and before not in (12.5, 13.5)
    step = compare(thrice)
    assert step is not None
    revised = _one(step.records, "revised")
    assert (revised["previous_value"], revised["value"], revised["size"]) == (12.5, 13.5, "small")


def test_a_change_by_rounding_is_counted_apart(thrice: Layout, since_the_first: list[dict[str, Any]]) -> None:
    rounded = _one(since_the_first, "rounded")
    assert (rounded["kind"], rounded["size"], rounded["iso3"], rounded["year"]) == ("revised", "rounding", "KAZ", 2021)
    printed = run_carec("diff", "--since", "2027-01-09", warehouse=thrice.root).stdout
    section = printed.split("Figures that changed by rounding only (1)")[1]
    assert "2021" in section.splitlines()[2] and "KAZ" in section.splitlines()[2]


def test_withdrawn_figures_statuses_ranks_verdicts_and_benchmarks_are_listed(
    since_the_first: list[dict[str, Any]],
) -> None:
    withdrawn = _one(since_the_first, "withdrawn")
    assert (withdrawn["iso3"], withdrawn["year"], withdrawn["value"]) == ("GEO", 2022, None)
    status = _one(since_the_first, "status")
    assert (status["iso3"], status["subject"], status["present"]) == ("KAZ", "internet_users_pct", "decreasing (pace)")
    assert status["previous"].startswith("stagnating")
    rank = _one(since_the_first, "rank_outside_band")
    assert (rank["iso3"], rank["previous_value"], rank["value"], rank["previous"]) == ("CHN", 1, 9, "band 1 to 1")
    score = _one(since_the_first, "score")
    assert score["iso3"] == "CHN" and score["previous_value"] - score["value"] == pytest.approx(5)
    verdict = _one(since_the_first, "verdict")
    assert verdict["present"] == "no_data" and verdict["subject"] and verdict["iso3"] is None
    benchmark = _one(since_the_first, "benchmark")
    assert (benchmark["previous"], benchmark["previous_value"], benchmark["value"]) == ("target_value", 100, 99)


def test_no_other_change_is_listed(since_the_first: list[dict[str, Any]]) -> None:
    """Figures of Germany, which is not a member, and a score that changed by rounding are not listed."""
    assert Counter(section_of(record) for record in since_the_first) == dict.fromkeys(CHANGE_SECTIONS, 1)


@pytest.mark.parametrize(
    ("since", "compared_with"),
    [
        (None, SECOND),
        (date(2027, 3, 19), SECOND),
        (date(2027, 1, 10), SECOND),  # the last publication of that day
        (date(2030, 1, 1), SECOND),
        (date(2027, 1, 9), None),
        (date(2000, 1, 1), None),  # no publication is that old: the oldest is used
    ],
)
def test_since_compares_with_the_publication_of_that_day(
    thrice: Layout, since: date | None, compared_with: datetime | None
) -> None:
    found = compare(thrice, since)
    assert found is not None and found.published_at == THIRD and found.as_of == THIRD.date()
    if compared_with:
        assert found.previous_published_at == compared_with
    else:
        assert found.previous_published_at < SECOND


def test_the_sections_of_the_report_have_one_line_per_change(thrice: Layout) -> None:
    found = compare(thrice, date(2027, 1, 9))
    assert found is not None
    shown = {section.kind: section for section in sections(found)}
    assert list(shown) == list(CHANGE_SECTIONS)
    assert all(len(line) == len(one.heads) for one in shown.values() for line in one.lines)
    assert shown["new_year"].lines == [["Individuals using the internet", "2025", "1", "UZB"]]
    assert shown["revised"].lines[0][:3] == ["Kazakhstan", "The <script> | title", "2023"]


def test_the_command_prints_every_format(thrice: Layout) -> None:
    done = run_carec("diff", "--since", "2027-01-09", warehouse=thrice.root)
    assert done.returncode == 0, done.stderr
    assert "to that of 2027-03-20 09:30 UTC (as of 2027-03-20)" in done.stdout
    for title in CHANGE_SECTIONS.values():
        assert f"{title} (1)" in done.stdout
    records = json.loads(run_carec("diff", "--format", "json", warehouse=thrice.root).stdout)
    assert Counter(record["kind"] for record in records) == {"revised": 1, "verdict": 1, "benchmark": 1}
    table = list(csv.reader(io.StringIO(run_carec("diff", "--format", "csv", warehouse=thrice.root).stdout)))
    assert tuple(table[0]) == COLUMNS and len(table) == 4


def test_a_day_before_every_publication_is_reported(thrice: Layout) -> None:
    done = run_carec("diff", "--since", "2000-01-01", warehouse=thrice.root)
    assert "No publication of 2000-01-01 or before is kept; this is the oldest one." in done.stdout


def test_without_an_earlier_publication_one_line_is_printed(published_warehouse: Path) -> None:
    done = run_carec("diff", warehouse=published_warehouse)
    assert done.returncode == 0
    assert done.stdout == "This is the first publication that is kept: no earlier one exists to compare with.\n"
    assert json.loads(run_carec("diff", "--format", "json", warehouse=published_warehouse).stdout) == []


def test_two_publications_are_compared_by_their_ids_in_either_direction(thrice: Layout) -> None:
    first, second, third = (one.id for one in kept(thrice))
    for arguments in ((first,), (first, third), (first, third[:8])):
        printed = run_carec("diff", *arguments, "--format", "json", warehouse=thrice.root).stdout
        assert printed == run_carec("diff", "--since", "2027-01-09", "--format", "json", warehouse=thrice.root).stdout
    there = json.loads(run_carec("diff", first, second, "--format", "json", warehouse=thrice.root).stdout)
    back = json.loads(run_carec("diff", second, first, "--format", "json", warehouse=thrice.root).stdout)
    assert {(row["value"], row["previous_value"]) for row in there if row["kind"] == "score"} == {
        (row["previous_value"], row["value"]) for row in back if row["kind"] == "score"
    }
    unknown = run_carec("diff", "1999", warehouse=thrice.root)
    assert unknown.returncode == 2 and "no publication is named '1999'" in unknown.stderr
    assert third in unknown.stderr and "Traceback" not in unknown.stderr


def test_an_earlier_publication_is_queried_and_listed_by_its_id(thrice: Layout) -> None:
    first, second, third = (one.id for one in kept(thrice))
    figure = "iso3 = 'KAZ' and indicator_id = 'fixed_broadband_per_100' and year = 2023"
    sql = f"select value from observations where {figure}"
    values = [
        json.loads(run_carec("query", sql, "--publication", one, "--format", "json", warehouse=thrice.root).stdout)
        for one in (second, third)
    ]
    assert values == [[{"value": 12.5}], [{"value": 13.5}]]
    listed = json.loads(run_carec("publications", "--format", "json", warehouse=thrice.root).stdout)
    assert [row["id"] for row in listed] == [third, second, first]
    assert listed[0]["holds"] == "every table (current)" and listed[1]["published_at"] == "2027-01-10 08:00 UTC"


def test_of_a_publication_that_is_no_longer_kept_the_changes_can_still_be_listed(
    thrice: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run_carec("diff", "--since", "2027-01-10", "--format", "json", warehouse=thrice.root).stdout
    folder = thrice.root.parent / "pruned"
    copy_warehouse(thrice.root, folder)
    layout = Layout(folder)
    second = kept(layout)[1]
    monkeypatch.setattr("warehouse.kept.outdated", lambda layout, last: [second])  # it is the first of its month
    prune(layout, 1)
    assert not second.path.exists() and len(folders(layout)) == 1
    assert run_carec("diff", "--since", "2027-01-10", "--format", "json", warehouse=folder).stdout == before
    asked = run_carec("query", "from scorecard", "--publication", second.id[:16], warehouse=folder)
    assert asked.returncode == 2 and "only the members' figures remain" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_an_unreadable_earlier_publication_gives_one_clear_line(thrice: Layout) -> None:
    file = kept(thrice)[1].path
    good = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(b"no publication")
    try:
        done = run_carec("diff", warehouse=thrice.root)
    finally:
        file.write_bytes(good)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert str(file) in done.stderr and "remove" in done.stderr
