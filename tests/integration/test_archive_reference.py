"""Archived figures against the files that they were copied from: the archive has every figure of the file and no other.

Each case reads the provider's file, selects the cut of the catalogue's link, and compares digits as numbers. Figures
that a vintage carries from an older one are left out, because they belong to the older vintage.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from pipelines.quality_gates import validate
from pipelines.workspace import load_areas
from sources.bundled_archive import load_archive
from sources.catalogue import load_catalogue
from sources.observation import Areas
from tests.conftest import ROOT

Figures = pl.DataFrame
"""Columns: iso3, year, theirs (the text in the file)."""

catalogue = cache(load_catalogue)
archive = cache(load_archive)


@cache
def areas() -> Areas:
    return load_areas(ROOT / "dbt_project")


def figures(table: pl.DataFrame, iso3: str | pl.Expr, year: str | pl.Expr, value: str | pl.Expr) -> Figures:
    columns = {"iso3": iso3, "year": year, "theirs": value}
    named = {name: pl.col(column) if isinstance(column, str) else column for name, column in columns.items()}
    return (
        table.select(**named)
        .with_columns(pl.col("year").cast(pl.Int32), pl.col("theirs").cast(pl.Float64))
        .drop_nulls()
        .filter(pl.col("iso3").is_in(sorted(areas().known)))
    )


def data360(path: Path) -> Figures:
    return figures(pl.read_csv(path, infer_schema=False), "REF_AREA", "TIME_PERIOD", "OBS_VALUE")


def sdg(**cut: str) -> Callable[[Path], Figures]:
    """Return the rows of one cut of a file of the SDG database, in percent."""

    def read(path: Path) -> Figures:
        rows = pl.read_csv(path, infer_schema=False).filter(units="percent", **cut)
        iso3 = pl.col("geo_area").cast(pl.Int32).replace_strict(areas().m49_to_iso3, default=None)
        return figures(rows, iso3, "year", path.stem)

    return read


def economies_of_the_sdg_database(path: Path) -> Figures:
    """Return the frame without the world and groups of economies. The file has unweighted means for these."""
    known = areas().economies.intersection(areas().m49_to_iso3.values())
    return data360(path).filter(pl.col("iso3").is_in(list(known)))


def pillar(column: str) -> Callable[[Path], Figures]:
    return lambda path: figures(pl.read_csv(path, infer_schema=False), "iso3", pl.lit(2024), column)


def share(column: str) -> Callable[[Path], Figures]:
    """Return a column of Findex. Its fractions become percentages, digit by digit, as in the archive."""
    return lambda path: figures(pl.read_csv(path, infer_schema=False), "iso3", "year", pl.col(column) + "e2")


def tidy(path: Path) -> Figures:
    return figures(pl.read_csv(path, infer_schema=False), "iso3", "year", "value")


def per_million(flow: bool) -> Callable[[Path], Figures]:
    """Return the yearly figures of a file of GitHub's Innovation Graph per million people, computed without polars.

    A flow is the sum of the four quarters of a year that has all four, a stock the fourth quarter.
    """

    def read(path: Path) -> Figures:
        quarters: dict[tuple[str, str], dict[str, int]] = {}
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                quarters.setdefault((row["iso2_code"], row["year"]), {})[row["quarter"]] = int(row[path.stem])
        with (path.parents[1] / "world_bank" / "SP.POP.TOTL.csv").open(encoding="utf-8", newline="") as file:
            people = {(row["iso3"], row["year"]): float(row["value"]) for row in csv.DictReader(file) if row["value"]}
        found = []
        for (iso2, year), figures_ in quarters.items():
            place = (areas().iso2_to_iso3.get(iso2, ""), year)
            count = sum(figures_.values()) if flow and len(figures_) == 4 else None if flow else figures_.get("4")
            if count is not None and place in people:
                found.append({"iso3": place[0], "year": year, "theirs": repr(1e6 * count / people[place])})
        return figures(pl.DataFrame(found), "iso3", "year", "theirs")

    return read


@dataclass(frozen=True)
class Copy:
    """One vintage of a series and its file. ``held`` is the number of its figures in the archive."""

    indicator_id: str
    vintage: str
    file: str
    read: Callable[[Path], Figures]
    held: int
    first_year: int = 2010
    only_members: bool = False
    """Whether the file has the members of CAREC alone, and the archive has more economies."""


DECEMBER_2023 = "SDG database 2023-12"
SDG_CUTS = [
    Copy(
        "basic_digital_skills_pct",
        DECEMBER_2023,
        "un_sdg/se_adt_acts.csv",
        sdg(type_of_skill="cmfl", sex="bothsex", age="allage", location="allarea"),
        298,
    ),
    Copy("schools_internet_pct", DECEMBER_2023, "un_sdg/se_acs_intnt.csv", sdg(education_level="second"), 597),
    Copy("mobile_phone_owner_pct", DECEMBER_2023, "un_sdg/it_mob_own.csv", sdg(sex="bothsex"), 352),
    Copy("mobile_phone_owner_female_pct", DECEMBER_2023, "un_sdg/it_mob_own.csv", sdg(sex="female"), 317),
    Copy("mobile_phone_owner_male_pct", DECEMBER_2023, "un_sdg/it_mob_own.csv", sdg(sex="male"), 315),
    Copy("internet_users_female_pct", DECEMBER_2023, "un_sdg/it_use_ii99.csv", sdg(sex="female"), 887),
    Copy("internet_users_male_pct", DECEMBER_2023, "un_sdg/it_use_ii99.csv", sdg(sex="male"), 888),
]
PILLARS = {
    "gci_legal_score": "legal",
    "gci_technical_score": "technical",
    "gci_organisation_score": "organizational",
    "gci_capacity_score": "capacity",
    "gci_cooperation_score": "cooperation",
}
FINDEX = {"digital_payment_pct": "g20_any", "findex_phone_owner_pct": "con1", "findex_internet_use_pct": "internet"}
INNOVATION_GRAPH = "Innovation Graph 2025Q3"
COPIES = [
    Copy(
        "bandwidth_per_user_kbps",
        "Data360 ITU_DH (figures to 2023)",
        "data360/INT_BAND_PER_USR.csv",
        data360,
        3994,  # of 3,996: two zeros are outside the valid range
        2000,
    ),
    Copy(
        "coverage_4g_pct",
        "Data360 ITU_DH (figures to 2024)",
        "data360/ITU_DH_POP_COV_4G.csv",
        economies_of_the_sdg_database,
        2179,
    ),
    *SDG_CUTS,
    *(Copy(one, "GCI 2024", "gci/gci_2024_pillars.csv", pillar(column), 194) for one, column in PILLARS.items()),
    *(
        Copy(one, "Global Findex 2025", "findex/findex_2024_carec.csv", share(column), 9)
        for one, column in FINDEX.items()
    ),
    *(
        Copy(
            f"github_{one}_per_million", INNOVATION_GRAPH, f"github_innovationgraph/{file}.csv", per_million(flow), held
        )
        for one, file, flow, held in (
            ("pushes", "git_pushes", True, 815),
            ("developers", "developers", False, 1066),
            ("organizations", "organizations", False, 885),
        )
    ),
    Copy("remittance_cost_pct", "WDI (undated)", "world_bank/SI.RMT.COST.IB.ZS.carec.csv", tidy, 64, only_members=True),
    Copy("ict_private_investment_usd", "WDI (undated)", "world_bank/IE.PPI.ICTI.CD.carec.csv", tidy, 23, 1992),
]


def held(indicator_id: str, vintage: str) -> pl.DataFrame:
    """Return the figures of the vintage itself, from the table that has it as the newest."""
    indicator = catalogue().indicators[indicator_id]
    names = [v.vintage for _, v in archive().of(indicator_id)]
    records = archive().vintages(indicator)[names.index(vintage)].records
    return records.filter(pl.col("provider_release") == vintage)


def newest(indicator_id: str) -> pl.DataFrame:
    return archive().vintages(catalogue().indicators[indicator_id])[-1].records


def members(records: pl.DataFrame) -> pl.DataFrame:
    return records.filter(pl.col("iso3").is_in(sorted(areas().members)))


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: f"{copy.indicator_id}-{copy.vintage.split()[0]}")
def test_every_figure_of_the_file_is_archived_and_no_other_figure(reference: Path, copy: Copy) -> None:
    within = catalogue().indicators[copy.indicator_id].valid_range
    theirs = copy.read(reference / copy.file).filter(
        pl.col("year") >= copy.first_year, pl.col("theirs").is_between(within.min, within.max)
    )
    ours = held(copy.indicator_id, copy.vintage)
    ours = members(ours) if copy.only_members else ours
    assert ours.height == copy.held
    both = ours.join(theirs, on=["iso3", "year"], how="full", coalesce=True)
    assert (
        both.filter(pl.col("value").ne_missing(pl.col("theirs"))).select("iso3", "year", "value", "theirs").rows() == []
    )


@pytest.mark.parametrize("copy", SDG_CUTS, ids=lambda copy: copy.indicator_id)
def test_the_nature_of_a_figure_of_the_sdg_database_is_kept(reference: Path, copy: Copy) -> None:
    rows = pl.read_csv(reference / copy.file, infer_schema=False)
    assert set(held(copy.indicator_id, copy.vintage)["obs_status"]) <= {one.upper() for one in rows["nature"].unique()}


def test_pushes_of_2024_rank_economies_as_the_commits_of_the_innovation_index_do() -> None:
    """Two counts of GitHub by two publishers. Spearman's correlation of the archived figures is 0.987."""
    both = newest("github_pushes_per_million").join(
        newest("github_commits_per_million"), on=["iso3", "year"], suffix="_commits"
    )
    of_2024 = both.filter(year=2024)
    assert of_2024.height == 137
    ranks = of_2024.select(pl.corr(pl.col("value").rank(), pl.col("value_commits").rank()))
    assert round(ranks.item(), 3) == 0.987


def test_pushes_and_organizations_of_2024_cover_all_eleven_members() -> None:
    for indicator_id in ("github_pushes_per_million", "github_organizations_per_million"):
        assert members(newest(indicator_id)).filter(year=2024)["iso3"].n_unique() == 11


def test_bandwidth_has_231_figures_of_all_eleven_members() -> None:
    own = members(newest("bandwidth_per_user_kbps"))
    assert (own.height, own["iso3"].n_unique(), own["year"].max()) == (231, 11, 2023)


def test_4g_coverage_reaches_2024_for_eight_members_and_keeps_what_the_newer_copy_lacks() -> None:
    of_2024 = members(newest("coverage_4g_pct")).filter(year=2024)
    assert sorted(of_2024["iso3"]) == ["AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "UZB"]
    older, newer = (v.records for v in archive().vintages(catalogue().indicators["coverage_4g_pct"]))
    assert older.join(newer, on=["iso3", "year"], how="anti").is_empty()
    carried = newer.filter(pl.col("provider_release") == "SDG database 2025-06 (Our World in Data)")
    assert set(carried["provider"]) == {"un_sdg"}
    assert set(carried.filter(iso3="WLD")["year"]) == set(newer.filter(iso3="WLD")["year"]), "no mean of countries"
    assert carried.filter(pl.col("iso3") != "WLD").height == 23


@pytest.mark.parametrize(
    ("indicator_id", "newer"),
    [
        ("mobile_phone_owner_pct", "IDI 2024"),
        ("internet_users_female_pct", "WDI (undated)"),
        ("internet_users_male_pct", "WDI (undated)"),
    ],
)
def test_the_release_of_2023_is_an_older_vintage_and_fills_what_the_newer_one_lacks(
    indicator_id: str, newer: str
) -> None:
    old, new = archive().vintages(catalogue().indicators[indicator_id])
    assert old.vintage_at.strftime("%Y-%m") == "2023-12"
    own = new.records.filter(pl.col("provider_release") == newer)
    carried = new.records.filter(pl.col("provider_release") == DECEMBER_2023)
    assert own.height + carried.height == new.records.height
    assert carried.join(own, on=["iso3", "year"], how="semi").is_empty()
    columns = ["iso3", "year", "value"]
    assert carried.select(columns).equals(
        old.records.join(own, on=["iso3", "year"], how="anti").sort("iso3", "year").select(columns)
    )
    # the figures of the SDG database come from ITU and keep the licence of ITU
    assert set(carried["licence"]) == {"CC BY-NC-SA 3.0 IGO"}


def test_digital_payments_have_the_waves_of_2014_2017_and_2024() -> None:
    table = newest("digital_payment_pct")
    releases = table.group_by("year").agg(pl.col("provider_release").unique()).sort("year")
    assert releases.rows() == [
        (2014, ["Global Findex 2017"]),
        (2017, ["Global Findex 2017"]),
        (2024, ["Global Findex 2025"]),
    ]
    assert members(table.filter(year=2024)).height == 9


def test_the_five_pillars_add_up_to_the_overall_score_of_194_economies() -> None:
    parts = pl.concat(newest(one) for one in PILLARS).group_by("iso3").agg(pl.col("value").sum(), pl.len())
    overall = newest("gci_score").filter(year=2024).join(parts, on="iso3", suffix="_sum")
    assert overall.height == 194 and set(overall["len"]) == {5}
    # the overall score was copied with four digits after the point
    assert overall.select((pl.col("value") - pl.col("value_sum")).abs().max()).item() < 1e-4


def test_findex_and_itu_are_different_origins() -> None:
    """The two origins survey different people: Findex adults of 15 and over, ITU the age range of each survey."""
    for findex, itu in (
        ("findex_internet_use_pct", "internet_users_pct"),
        ("findex_phone_owner_pct", "mobile_phone_owner_pct"),
    ):
        entries = catalogue().indicators
        assert entries[findex].origin != entries[itu].origin and entries[findex].definition != entries[itu].definition
        assert members(newest(findex))["iso3"].n_unique() == 9


def test_a_negative_cost_of_remittances_is_rejected_with_the_reason_of_the_rule() -> None:
    """The global table of the World Bank has negative costs for Malawi and Myanmar."""
    indicator = catalogue().indicators["remittance_cost_pct"]
    good = newest("remittance_cost_pct").head(3)
    bad = good.with_columns(iso3=pl.Series(["MWI", "MMR", "KGZ"]), value=pl.Series([-1.82, -0.5, 0.0]))
    judged = validate(pl.concat([good, bad]), indicator, areas(), last_year=2026)
    assert judged.rejected["reason"].str.starts_with("a cost cannot be negative").to_list() == [True, True]
    assert sorted(iso3 for iso3, _ in judged.rejected_keys.rows()) == ["MMR", "MWI"]
    assert judged.accepted.height == 4, "a cost of nothing can be"
