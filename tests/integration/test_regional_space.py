"""The regional panel, the recommendations and the comparison of governance, against the files and other programs."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml
from jinja2 import Environment

from pipelines.texts.words import TEXTS
from tests.conftest import ROOT
from tests.templates import MEMBERS, Refreshed

SEEDS = ROOT / "dbt_project" / "seeds"
INSTRUMENTS = {
    "Framework Agreement on Facilitation of Cross-border Paperless Trade in Asia and the Pacific": "cpta",
    "UN Convention on the Use of Electronic Communications in International Contracts": "ecc",
    "UN Convention against Cybercrime": "uncc",
    "Council of Europe Convention on Cybercrime (Budapest)": "budapest",
    "TIR Convention Annex 11 (eTIR) interconnection and conformance tests": "etir",
    "TIR Convention Annex 11 (eTIR) interconnection": "etir",
}
PARTY = {"accession", "approval", "party", "finalised"}
SIGNED = {"signature", "signature only"}


@pytest.fixture(scope="module")
def panel(published_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        yield connection


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows(seed: str) -> list[dict[str, str]]:
    return table(SEEDS / f"{seed}.csv")


@pytest.fixture
def actions(reference: Path) -> list[dict[str, str]]:
    """Return the actions on treaties of the two files."""
    folder = reference / "treaties"
    return table(folder / "cpta_status_carec.csv") + table(folder / "other_instruments_carec.csv")


def test_the_counts_of_parties_are_those_of_the_files(
    panel: duckdb.DuckDBPyConnection, actions: list[dict[str, str]]
) -> None:
    parties = Counter(INSTRUMENTS[one["instrument"]] for one in actions if one["action"] in PARTY)
    signed = Counter(INSTRUMENTS[one["instrument"]] for one in actions if one["action"] in SIGNED)
    reported = Counter(INSTRUMENTS[one["instrument"]] for one in actions if "press" in one["action"])
    for measure, counted in (
        ("treaty_parties", parties),
        ("treaty_signed_only", signed),
        ("treaty_press_only", reported),
    ):
        found = panel.execute(
            "select subject_id, value from regional_space where measure = ? and group_id = 'carec'", [measure]
        ).fetchall()
        assert {name: int(value) for name, value in found} == {
            name: counted[name] for name in set(INSTRUMENTS.values())
        }


def test_the_dates_of_actions_are_those_of_the_files(actions: list[dict[str, str]]) -> None:
    held = {(one["instrument_id"], one["iso3"]): one["action_date"] for one in rows("treaty_actions")}
    for one in actions:
        assert held[INSTRUMENTS[one["instrument"]], one["iso3"]].startswith(one["date"])


def test_a_name_after_the_end_of_a_cut_list_has_no_value_and_a_reason(panel: duckdb.DuckDBPyConnection) -> None:
    unknown = panel.execute(
        "select subject_id, iso3, reason from regional_space"
        " where measure = 'treaty_status' and value is null order by all"
    ).fetchall()
    assert unknown == [
        ("cpta", "UZB", "press_only"),
        ("ecc", "TJK", "list_cut"),
        ("ecc", "TKM", "list_cut"),
        ("uncc", "TKM", "list_cut"),
    ]


def test_the_shares_of_github_are_those_of_its_file(panel: duckdb.DuckDBPyConnection, reference: Path) -> None:
    iso3 = {one["iso2"]: one["iso3"] for one in rows("economies") if one["iso2"] and one["is_aggregate"] == "false"}
    members: dict[str, set[str]] = defaultdict(set)
    for one in rows("economy_groups"):
        members[one["group_id"]].add(one["iso3"])
    sent: Counter[tuple[str, int]] = Counter()
    within: Counter[tuple[str, int]] = Counter()
    for one in table(reference / "github_innovationgraph" / "economy_collaborators.csv"):
        if "EU" in (one["source"], one["destination"]):  # the sum of its members, which have rows of their own
            continue
        for group in ("carec", "asean", "eu27"):
            if iso3.get(one["source"]) in members[group]:
                key = (group, int(one["year"]))
                sent[key] += int(one["weight"])
                within[key] += int(one["weight"]) if iso3.get(one["destination"]) in members[group] else 0
    found = panel.execute(
        "select group_id, year, value from regional_space where measure = 'github_within_share' and iso3 is null"
    ).fetchall()
    assert {(group, year) for group, year, _ in found} == set(sent)
    for group, year, value in found:
        assert value == pytest.approx(100 * within[group, year] / sent[group, year], abs=1e-9)


def test_the_pairs_and_the_sums_of_github_agree() -> None:
    pairs: Counter[tuple[str, str]] = Counter()
    for one in rows("github_collaboration_pairs"):
        pairs[one["iso3"], one["year"]] += int(one["collaborations"])
    for one in rows("github_collaboration"):
        if one["group_id"] == "carec":
            assert pairs[one["iso3"], one["year"]] == int(one["within_group"])


def test_spread_and_convergence_are_those_of_numpy(panel: duckdb.DuckDBPyConnection) -> None:
    cells = panel.execute(
        """
        select s.indicator_id, b.transform, s.baseline_value, s.latest_value, s.measured_year - s.baseline_year
        from indicator_scores as s join benchmarks as b using (framework_id, indicator_id)
        join indicators as i using (indicator_id)
        where s.framework_id = 'carec_2030' and not i.edition_index and s.level_score is not null
          and s.baseline_value is not null and s.measured_year - s.baseline_year >= 2
        """
    ).fetchall()
    figures: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for indicator_id, transform, before, after, years in cells:
        if transform == "none" or min(before, after) > 0:
            scale = np.log if transform == "log" else np.float64
            figures[indicator_id].append((float(scale(before)), float(scale(after)), years))
    published = panel.execute(
        "select subject_id, measure, value from regional_space"
        " where group_id = 'carec' and measure in ('indicator_sigma', 'indicator_beta') and value is not null"
    ).fetchall()
    assert {subject for subject, _, _ in published} == {name for name, held in figures.items() if len(held) >= 5}
    for subject, measure, value in published:
        start, end, years = (np.array(column, dtype=float) for column in zip(*figures[subject], strict=True))
        expected = end.std() / start.std()
        if measure == "indicator_beta":
            expected, _ = np.polyfit(start, (end - start) / years, 1)
        assert value == pytest.approx(expected, rel=1e-6, abs=1e-9), (subject, measure)


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_error_of_any_panel_are_those_of_numpy(seed: int) -> None:
    random = np.random.default_rng(seed)
    start = random.uniform(0, 100, size=5 + seed)
    change = random.normal(0, 5, size=5 + seed)
    folder = ROOT / "dbt_project" / "macros"
    macros = "".join((folder / f"{name}.sql").read_text(encoding="utf-8") for name in ("arithmetic", "convergence"))
    calls = "select {{ beta('change', 'start', 'key') }}, {{ beta_error('change', 'start', 'key') }} from panel"
    with duckdb.connect() as connection:
        connection.execute("create table panel (key integer, start double, change double)")
        connection.executemany(
            "insert into panel values (?, ?, ?)",
            [[key, float(x), float(y)] for key, (x, y) in enumerate(zip(start, change, strict=True))],
        )
        slope, error = connection.execute(Environment().from_string(macros + calls).render()).fetchall()[0]
    expected, constant = np.polyfit(start, change, 1)
    residuals = change - (expected * start + constant)
    spread = ((start - start.mean()) ** 2).sum()
    assert slope == pytest.approx(expected, rel=1e-9)
    assert error == pytest.approx(np.sqrt((residuals**2).sum() / (len(start) - 2) / spread), rel=1e-9)


def test_the_gap_of_a_pillar_is_that_of_its_history(panel: duckdb.DuckDBPyConnection) -> None:
    history: dict[tuple[str, int], list[float]] = defaultdict(list)
    for pillar, year, score in panel.execute(
        "select pillar_id, as_of_year, score from pillar_history"
        " where framework_id = 'carec_2030' and score is not null"
    ).fetchall():
        history[pillar, year].append(score)
    found = panel.execute(
        "select subject_id, year, measure, value from regional_space"
        " where group_id = 'carec' and measure in ('pillar_sd', 'pillar_gap')"
    ).fetchall()
    assert {(pillar, year) for pillar, year, _, _ in found} == set(history)
    for pillar, year, measure, value in found:
        scores = history[pillar, year]
        expected = np.std(scores) if measure == "pillar_sd" else max(scores) - min(scores)
        assert value == (pytest.approx(expected, abs=1e-9) if len(scores) >= 5 else None)


def test_no_score_reads_the_panel() -> None:
    models = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "dbt_project" / "models").rglob("*.sql")}
    readers = {name for name, sql in models.items() if "regional_space" in sql or "int_regional" in sql}
    assert {one for one in readers if not one.startswith("int_regional")} == {
        "regional_space",
        "recommendation_measures",
    }


def test_the_day_of_the_review_uses_no_later_action_document_or_release(review_day: Refreshed) -> None:
    with duckdb.connect(str(review_day.warehouse / "carec.duckdb"), read_only=True) as connection:
        later = "select distinct reason from regional_space where dated > date '2025-06-26'"
        assert connection.execute(later).fetchall() == [("not_known_then",)], "GitHub's release is younger"
        signed = connection.execute("select value from regional_space where row_id = 'treaty_signed_only.uncc.carec'")
        assert signed.fetchall() == [(0,)]
        documents = connection.execute("select max(document_date) from governance_comparison").fetchall()
        assert str(documents[0][0]) <= "2025-06-26"


def test_a_recommendation_has_the_state_of_its_measures(panel: duckdb.DuckDBPyConnection) -> None:
    """The mean of mean levels, the members behind and the figures missing, computed again from the scores."""
    levels: dict[str, dict[str, float | None]] = defaultdict(dict)
    for indicator_id, iso3, level in panel.execute(
        "select indicator_id, iso3, level_score from indicator_scores where framework_id = 'carec_2030'"
    ).fetchall():
        levels[indicator_id][iso3] = level
    mapping: dict[str, list[str]] = defaultdict(list)
    for one in rows("review_recommendation_measures"):
        if one["measure_kind"] == "indicator" and one["measure_id"] in levels:
            mapping[one["recommendation_id"]].append(one["measure_id"])
    for recommendation, region_level, behind, missing in panel.execute(
        "select recommendation_id, region_level, behind, figures_missing from recommendations"
    ).fetchall():
        own = [levels[indicator] for indicator in mapping[recommendation]]
        means = [np.mean([v for v in one.values() if v is not None]) for one in own if any(one.values())]
        assert region_level == (pytest.approx(np.mean(means), abs=1e-9) if means else None)
        assert missing == sum(level is None for one in own for level in one.values())
        of_members = {iso3: [one[iso3] for one in own if one[iso3] is not None] for iso3 in MEMBERS}
        scored: dict[str, Any] = {
            iso3: float(np.mean(held)) for iso3, held in of_members.items() if held and 2 * len(held) >= len(own)
        }
        last = sorted(scored, key=lambda iso3: (round(scored[iso3], 9), iso3))[:3]
        assert (behind.split(", ") if behind else []) == last


def test_every_recommendation_has_a_measure_that_exists(panel: duckdb.DuckDBPyConnection) -> None:
    unknown = panel.execute(
        """
        select measure_kind, measure_id from recommendation_measures as m
        where measure_kind = 'indicator' and title is null
           or measure_kind = 'claim' and verdict is null
           or measure_kind = 'panel' and not exists (
                from regional_space as s where starts_with(s.row_id, m.measure_id) and s.iso3 is null)
        """
    ).fetchall()
    assert unknown == []
    assert panel.execute("select count(*), count(distinct document_line) from recommendations").fetchall() == [(10, 10)]


def test_every_answer_on_governance_has_a_source_and_every_gap_a_reason(panel: duckdb.DuckDBPyConnection) -> None:
    assert panel.execute(
        "select count(*), count(answer), count(*) filter (answer is not null and source_url is null),"
        " count(*) filter (answer is null and reason is null) from governance_comparison"
    ).fetchall() == [(15, 13, 0, 0)]


def test_the_russian_texts_name_everything_of_the_panel() -> None:
    names = yaml.safe_load((TEXTS / "ru.yml").read_text(encoding="utf-8"))["names"]
    assert set(names["instruments"]) == {one["instrument_id"] for one in rows("treaty_instruments")}
    ids = {one["recommendation_id"] for one in rows("review_recommendations")}
    for kind in ("recommendations", "recommendation_texts", "not_measured"):
        assert set(names[kind]) == ids
    found = {f"{one['aspect']}_{one['group_id']}" for one in rows("governance_findings") if one["finding"]}
    assert set(names["governance"]) == found
