"""The goalposts in the seed ``benchmarks``, recomputed from the bundled archive's figures of the whole world.

They are frozen, so they are compared with the vintages that they were computed from (``GOALPOSTS_OF``). A newer copy in
the archive makes no test fail.

Floor: 2.5th percentile at the worst end (97.5th where lower is better), linear interpolation, over the 217 economies
of the World Bank's list, each with its value nearest to the baseline year, at most two years away, ties to the earlier
year; an edition index uses that edition. Target where no policy target fits: mean of the top five economies of at least
one million people, or the world's 97.5th percentile for figures located by internet address. Pace target then: the
world's 75th percentile. All are rounded to four significant digits.

Three floors are not percentiles. Mobile-phone owners and households with internet: the archived ITU figures cover about
80 economies without the poorest, so that a percentile would be too high; 0 is the natural limit. Women's over men's
internet use: only members have figures; 0.3 is a provisional limit near the worst published ratio. Other
goalposts are the two ends of a scale (``SCALES``).
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

import polars as pl
import pytest

from pipelines.quality_gates import validate
from pipelines.workspace import load_areas
from sources.bundled_archive import ArchivedVintage, load_archive
from sources.catalogue import Direction, Indicator, load_catalogue
from tests.conftest import AS_OF, GOALPOSTS_OF, ROOT

SEEDS = ROOT / "dbt_project" / "seeds"
BENCHMARKS = pl.read_csv(SEEDS / "benchmarks.csv").filter(framework_id="carec_2030")
LIMITS = {"mobile_phone_owner_pct": 0.0, "households_internet_pct": 0.0, "internet_gender_ratio": 0.3}
TOP_FIVE, PERCENTILE = "mean of the top five", "97.5th percentile"
FROM_THE_WORLD = BENCHMARKS.filter(pl.col("target_basis").str.contains(f"^({TOP_FIVE}|{PERCENTILE})"))
SCALES = {"cyber_laws_count": (0.0, 4.0), "cross_border_paperless_trade_pct": (0.0, 100.0)}
"""Indicators whose goalposts are the ends of their scale: from none of the laws or measures to all of them."""
WINDOW = 2
LARGE = 1_000_000


def four_digits(value: float) -> float:
    return float(f"{value:.4g}")


catalogue = cache(load_catalogue)
archive = cache(load_archive)
areas = cache(load_areas)


@cache
def world() -> pl.DataFrame:
    return pl.read_csv(SEEDS / "economies.csv").filter("is_world_bank_economy").select("iso3")


@cache
def archived(indicator_id: str) -> pl.DataFrame:
    """Return the accepted figures of the archived vintage of ``GOALPOSTS_OF``: iso3, year, value, provider_release."""
    indicator = catalogue().indicators[indicator_id]
    known = [v for v in archive().vintages(indicator) if v.vintage_at <= datetime.fromisoformat(GOALPOSTS_OF)]
    accepted = validate(known[-1].records, indicator, areas(ROOT / "dbt_project")).accepted
    return accepted.select("iso3", "year", "value", "provider_release")


def nearest(indicator_id: str, year: int, window: int = WINDOW) -> pl.DataFrame:
    """Return one value per economy, nearest to the year, ties to the earlier."""
    return (
        archived(indicator_id)
        .join(world(), on="iso3", how="semi")
        .with_columns(distance=(pl.col("year") - year).abs())
        .filter(pl.col("distance") <= window)
        .sort("distance", "year")
        .unique("iso3", keep="first")
        .with_columns(value=_judged(pl.col("value"), indicator_id))
    )


def _judged(value: pl.Expr, indicator_id: str) -> pl.Expr:
    """Return the figure; the inverse of a ratio above parity."""
    parity = catalogue().indicators[indicator_id].shape == "parity"
    return pl.when(value > 1).then(1 / value).otherwise(value) if parity else value


def baseline(row: dict[str, object]) -> pl.DataFrame:
    indicator_id, year = str(row["indicator_id"]), int(str(row["baseline_year"]))
    return nearest(indicator_id, year, 0 if catalogue().indicators[indicator_id].edition_index else WINDOW)


def lower_is_better(row: dict[str, object]) -> bool:
    return catalogue().indicators[str(row["indicator_id"])].direction is Direction.LOWER


def recomputed(row: dict[str, object]) -> dict[str, object]:
    """Return the cells of a row computed from the archived figures. A basis is given by one word of its text."""
    if row["indicator_id"] in SCALES:
        low, high = SCALES[str(row["indicator_id"])]
        return {"floor_value": low, "floor_basis": "limit", "target_value": high, "target_basis": "limit"}
    values, cells = baseline(row)["value"], {}
    if row["indicator_id"] in LIMITS:
        cells |= {"floor_value": LIMITS[str(row["indicator_id"])], "floor_basis": "limit"}
    else:
        floor = values.quantile(0.975 if lower_is_better(row) else 0.025, "linear")
        assert floor is not None
        cells |= {"floor_value": four_digits(floor), "floor_basis": f"of {values.len()} economies"}
    if str(row["target_basis"]).startswith(PERCENTILE):
        assert not lower_is_better(row)
        highest, quartile = (values.quantile(share, "linear") for share in (0.975, 0.75))
        assert highest is not None and quartile is not None
        cells |= {"target_value": four_digits(highest), "pace_target_value": four_digits(quartile)}
        cells["target_basis"] = f"of the {values.len()} economies"
    if str(row["target_basis"]).startswith(TOP_FIVE):
        people = nearest("population_total", int(str(row["baseline_year"]))).filter(pl.col("value") >= LARGE)
        large = baseline(row).join(people, on="iso3", how="semi")
        mean = large.sort("value", descending=not lower_is_better(row)).head(5)["value"].mean()
        quartile = values.quantile(0.25 if lower_is_better(row) else 0.75, "linear")
        assert isinstance(mean, float) and quartile is not None
        cells |= {"target_value": four_digits(mean), "pace_target_value": four_digits(quartile)}
        cells["target_basis"] = f"top five of {large.height} economies"
    return cells


def test_the_goalposts_follow_from_the_vintages_that_they_were_computed_from() -> None:
    """Floors, targets that are means of the top five, their pace targets, and the counts in their descriptions."""
    differences = [
        (row["indicator_id"], column, row[column], expected)
        for row in BENCHMARKS.iter_rows(named=True)
        for column, expected in recomputed(row).items()
        if (str(expected) not in str(row[column]) if column.endswith("_basis") else expected != row[column])
    ]
    assert differences == [], "indicator, column, seed, recomputed"


def test_the_variants_follow_from_the_same_vintages() -> None:
    """Where the floor is a percentile: the percentile at the other end, and the mean of the best five."""
    expected = {}
    for row in BENCHMARKS.filter(pl.col("floor_basis").str.contains("percentile of")).iter_rows(named=True):
        if row["indicator_id"] in SCALES:
            continue
        values, is_lower = baseline(row)["value"], lower_is_better(row)
        people = nearest("population_total", int(row["baseline_year"])).filter(pl.col("value") >= LARGE)
        large = baseline(row).join(people, on="iso3", how="semi").sort("value", descending=not is_lower)
        targets = {
            "percentile": values.quantile(0.025 if is_lower else 0.975, "linear"),
            "top_five": large.head(5)["value"].mean(),
        }
        for name, target in targets.items():
            assert isinstance(target, float)
            expected[row["indicator_id"], name] = (row["floor_value"], four_digits(target))
    variants = pl.read_csv(SEEDS / "goalpost_variants.csv").filter(framework_id="carec_2030")
    found = {(i, name): ends for i, name, *ends in variants.drop("framework_id", "basis").iter_rows()}
    assert {key: tuple(ends) for key, ends in found.items()} == expected
    assert len(expected) > 60


def test_a_floor_is_a_natural_limit_if_no_release_covers_the_world() -> None:
    for row in BENCHMARKS.filter(pl.col("indicator_id").is_in(list(LIMITS))).iter_rows(named=True):
        releases = baseline(row)["provider_release"].value_counts()["count"]
        assert releases.max() <= 80, f"{row['indicator_id']}: a release covers the world"


def test_a_newer_vintage_in_the_archive_changes_no_goalpost(monkeypatch: pytest.MonkeyPatch) -> None:
    held = archive()

    class Newer:
        """The archive with one later vintage of every indicator, with all figures doubled."""

        def vintages(self, indicator: Indicator) -> list[ArchivedVintage]:
            known = held.vintages(indicator)
            doubled = known[-1].records.with_columns(pl.col("value") * 2)
            return [*known, ArchivedVintage(datetime(2028, 1, 1), doubled)]

    archived.cache_clear()
    monkeypatch.setitem(globals(), "archive", Newer)
    try:
        test_the_goalposts_follow_from_the_vintages_that_they_were_computed_from()
    finally:
        archived.cache_clear()


def test_a_policy_target_is_its_own_pace_target() -> None:
    others = BENCHMARKS.join(FROM_THE_WORLD, on="indicator_id", how="anti")
    assert others.height == BENCHMARKS.height - FROM_THE_WORLD.height > 10
    assert others["pace_target_value"].to_list() == others["target_value"].to_list()


def test_a_full_target_is_reached_at_99_and_parity_at_97_hundredths() -> None:
    met = dict(BENCHMARKS.select("indicator_id", "met_value").iter_rows())
    for row in BENCHMARKS.iter_rows(named=True):
        expected = {100.0: 99.0, 1.0: 0.97}.get(row["target_value"], row["target_value"])
        assert met[row["indicator_id"]] == expected, row["indicator_id"]


def test_an_indicator_that_shares_its_subtheme_has_fresh_figures_of_six_members() -> None:
    """With fewer, the score of the sub-theme would depend on who has the figure (``docs/method.md``)."""
    placed = pl.read_csv(SEEDS / "framework_indicators.csv").filter(framework_id="carec_2030")
    shared = placed.filter(pl.len().over("subtheme_id") > 1)["indicator_id"]
    members = list(areas(ROOT / "dbt_project").members)
    for indicator_id in shared:
        indicator = catalogue().indicators[indicator_id]
        fresh = pl.col("year") >= int(AS_OF[:4]) - indicator.max_age_years
        newest = archive().vintages(indicator)[-1].records.filter(fresh, pl.col("iso3").is_in(members))
        assert newest["iso3"].n_unique() >= 6, indicator_id
