"""Published composites as frameworks: the engine computes the published result from the published parts.

Belongs here: indices with parts and result in the reference data. Does not belong here: the EGDI, which is a
framework of the product itself (``test_history``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.conftest import run_carec
from tests.engine import Engine, Rows, Scores
from tests.templates import Refreshed


@pytest.fixture(scope="module")
def engine(published_warehouse: Path) -> Engine:
    return Engine(published_warehouse)


def tidy(path: Path) -> pl.DataFrame:
    """Return iso3, year, metric and value. Rows without a number are left out."""
    table = pl.read_csv(path, infer_schema_length=0)
    return table.select(
        "iso3", pl.col("year").cast(pl.Int64), "metric", pl.col("value").cast(pl.Float64, strict=False)
    ).drop_nulls()


def score(
    engine: Engine,
    parts: pl.DataFrame,
    places: Mapping[str, Sequence[str]],
    *,
    limits: tuple[float, float],
    year: int,
    frameworks: Rows = (),
) -> Scores:
    """Score ``parts`` of all years up to ``year`` as a framework of pillars and their indicators on the given scale."""
    ids = {metric: f"i{n}" for n, metric in enumerate(m for metrics in places.values() for m in metrics)}
    figures = parts.filter(pl.col("metric").is_in(list(ids)) & (pl.col("year") == year))
    return engine.score(
        as_of_year=year,
        economies=[{"iso3": iso3, "name": iso3, "is_aggregate": False} for iso3 in figures["iso3"].unique().sort()],
        indicators=[
            {
                "indicator_id": one,
                "direction": "higher_is_better",
                "shape": "linear",
                "valid_min": limits[0],
                "valid_max": limits[1],
                "edition_index": True,
                "max_age_years": 1,
            }
            for one in ids.values()
        ],
        benchmarks=[
            {
                "framework_id": "index",
                "indicator_id": one,
                "transform": "none",
                "floor_value": limits[0],
                "target_value": limits[1],
                "met_value": limits[1],
                "target_year": 2030,
                "pace_target_value": limits[1],
            }
            for one in ids.values()
        ],
        framework_indicators=[
            {"framework_id": "index", "indicator_id": ids[m], "pillar_id": pillar, "subtheme_id": pillar, "weight": 1.0}
            for pillar, metrics in places.items()
            for m in metrics
        ],
        observations=figures.select(
            "iso3", "year", "value", indicator_id=pl.col("metric").replace_strict(ids)
        ).to_dicts(),
        frameworks=frameworks,
    )


def compare(scores: Scores, published: pl.DataFrame, year: int, scale: float = 1.0) -> pl.DataFrame:
    """Return iso3, overall (computed) and value (published) of every economy with a computed score."""
    found = pl.DataFrame(
        {"iso3": iso3, "overall": row["overall_score"] * scale}
        for (_, iso3), row in scores.overall().items()
        if row["overall_score"] is not None
    )
    return found.join(published.filter(year=year), on="iso3")


@pytest.mark.parametrize("year", [2014, 2019, 2023])
def test_the_mobile_connectivity_index_is_the_geometric_mean_of_its_enablers(
    engine: Engine, reference: Path, year: int
) -> None:
    table = tidy(reference / "mci" / "mci.csv")
    enablers = ["Infrastructure", "Affordability", "Consumer Readiness", "Content and Services"]
    geometric = [{"framework_id": "index", "aggregation": "geometric"}]
    scores = score(engine, table, {e: [e] for e in enablers}, limits=(0.0, 100.0), year=year, frameworks=geometric)
    both = compare(scores, table.filter(metric="Index"), year)
    assert both.height > 160
    # all five are printed with two digits after the point
    assert both.select((pl.col("overall") - pl.col("value")).abs().max()).item() < 0.015
    arithmetic = compare(score(engine, table, {e: [e] for e in enablers}, limits=(0.0, 100.0), year=year), table, year)
    assert arithmetic.select((pl.col("overall") - pl.col("value")).abs().max()).item() > 1


def test_the_govtech_maturity_index_is_the_mean_of_its_four_parts(engine: Engine, reference: Path) -> None:
    table = tidy(reference / "gtmi" / "gtmi.csv")
    scores = score(engine, table, {p: [p] for p in ("CGSI", "PSDI", "DCEI", "GTEI")}, limits=(0.0, 1.0), year=2025)
    both = compare(scores, table.filter(metric="GTMI"), 2025, scale=0.01)
    assert both.height > 190
    assert both.select((pl.col("overall") - pl.col("value")).abs().max()).item() < 1e-9


def test_the_ict_development_index_is_the_mean_of_two_pillars_of_unequal_size(engine: Engine, reference: Path) -> None:
    table = tidy(reference / "idi" / "idi_indicators_2024.csv")
    pillars = {
        "universal": ["score_individuals_internet", "score_households_internet", "score_mbb_subs"],
        "meaningful": [
            "score_3g4g_coverage",
            "score_mbb_traffic",
            "score_fbb_traffic",
            "score_mobile_basket",
            "score_fixed_basket",
            "score_own_mobile_phone",
        ],
    }
    scores = score(engine, table, pillars, limits=(0.0, 100.0), year=2024)
    published = pl.read_csv(reference / "idi" / "idi.csv").rename({"score": "value"})
    both = compare(scores, published, 2024)
    assert both.height == 80
    # scores of the parts are printed with one digit after the point
    assert both.select((pl.col("overall") - pl.col("value")).abs().max()).item() < 0.101


ASEAN = ("BRN", "IDN", "KHM", "LAO", "MMR", "MYS", "PHL", "SGP", "THA", "TLS", "VNM")
EU = (
    *("AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN"),
    *("IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE"),
)


@pytest.mark.parametrize(("group", "members"), [("asean", ASEAN), ("eu27", EU)])
def test_asean_and_the_eu_are_the_means_of_the_published_indices_of_their_members(
    published_warehouse: Path, reference: Path, group: str, members: Sequence[str]
) -> None:
    """The published E-Government Development Index of 2024, and the populations of the World Bank."""
    index = tidy(reference / "egdi" / "egdi.csv").filter(metric="EGDI", year=2024)
    people = (
        pl.read_csv(reference / "world_bank" / "SP.POP.TOTL.csv")
        .select("iso3", "year", people=pl.col("value").cast(pl.Float64, strict=False))
        .drop_nulls()
        .sort("year")
        .unique("iso3", keep="last")
    )
    ours = index.join(people, on="iso3").filter(pl.col("iso3").is_in(list(members)))
    assert ours.height == len(members)
    expected = {
        "simple": ours["value"].mean(),
        "weighted": (ours["value"] * ours["people"]).sum() / ours["people"].sum(),
    }
    with duckdb.connect(str(published_warehouse / "carec.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select variant, score / 100, members_scored from region_scores where framework_id = 'un_egdi'"
            " and pillar_id = 'overall' and group_id = ? and variant in ('simple', 'weighted')",
            [group],
        ).fetchall()
    assert {variant for variant, _, _ in found} == set(expected)
    for variant, score, scored in found:
        assert scored == len(members)
        assert score == pytest.approx(expected[variant], abs=1e-4), variant  # the parts are printed with four digits


@pytest.mark.exhaustive
def test_a_framework_added_to_two_seeds_is_built_published_and_explained(
    altered_seeds: Refreshed, reference: Path
) -> None:
    warehouse = altered_seeds.warehouse
    with duckdb.connect(str(warehouse / "carec.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select iso3, overall_score / 100 from scorecard"
            " where framework_id = 'govtech' and overall_score is not null"
        ).fetchall()
    published = tidy(reference / "gtmi" / "gtmi.csv").filter(metric="GTMI", year=2025)
    both = pl.DataFrame(rows, schema=["iso3", "overall"], orient="row").join(published, on="iso3")
    assert both.height > 190
    assert both.select((pl.col("overall") - pl.col("value")).abs().max()).item() < 1e-9
    explained = run_carec("explain", "KAZ", "--framework", "govtech", warehouse=warehouse).stdout
    assert "pillar core_systems" in explained
