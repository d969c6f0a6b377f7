"""The bundled archive: it names its sources, has the figures of the providers, and can be rewritten."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.quality_gates import validate
from pipelines.workspace import load_areas
from sources.bundled_archive import ARCHIVE_DIR, Archive, load_archive, write_archive
from sources.catalogue import Catalogue, load_catalogue
from sources.errors import ConfigurationError
from sources.observation import OBSERVATION
from tests.conftest import AS_OF

SEED = Path(__file__).resolve().parents[2] / "dbt_project"
# the e-government surveys, the bandwidth and private investment are complete, other series begin in 2010
FIRST_YEAR = {"un_egov": 2003}
WHOLE = {"bandwidth_per_user_kbps": 2000, "ict_private_investment_usd": 1992}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def archive() -> Archive:
    return load_archive()


def _newest(archive: Archive, catalogue: Catalogue, indicator_id: str) -> pl.DataFrame:
    return archive.vintages(catalogue.indicators[indicator_id])[-1].records


def _value(records: pl.DataFrame, iso3: str, year: int) -> float:
    return float(records.filter(pl.col("iso3") == iso3, pl.col("year") == year)["value"].item())


def test_every_table_passes_the_observation_contract_without_a_reject(archive: Archive, catalogue: Catalogue) -> None:
    areas = load_areas(SEED)
    rejected, held = {}, 0
    for indicator in catalogue:
        for vintage in archive.vintages(indicator):
            assert dict(vintage.records.schema) == OBSERVATION
            judged = validate(vintage.records, indicator, areas, last_year=2026)
            held += judged.accepted.height
            if judged.rejected.height or judged.accepted.height != vintage.records.height:
                rejected[indicator.id] = judged.rejected["reason"].unique().to_list()
    assert rejected == {}
    assert held > 80_000


def test_every_scored_indicator_has_figures_and_every_table_is_listed(archive: Archive, catalogue: Catalogue) -> None:
    from tests.unit.test_catalogue import SCORED

    listed = {v.file for s in archive.series for v in s.vintages}
    assert listed == {path.name for path in ARCHIVE_DIR.glob("*.csv")}
    assert {s.indicator_id for s in archive.series} <= set(catalogue.indicators)
    assert [i for i in SCORED if not archive.of(i)] == []


def test_every_series_names_a_known_provider_a_licence_and_how_it_was_obtained(
    archive: Archive, catalogue: Catalogue
) -> None:
    terms = set(pl.read_csv(SEED.parent / "warehouse" / "licences.csv")["licence"])
    for series in archive.series:
        assert series.provider in catalogue.providers, series.indicator_id
        indicator = catalogue.indicators[series.indicator_id]
        links = [link for link in indicator.chain if link.provider == series.provider]
        assert series.licence in {link.licence or indicator.licence for link in links} | {indicator.licence} or (
            series.indicator_id == "stem_graduates_pct"  # the live chain begins at UNESCO, the figures here are WIPO's
        )
        assert series.licence in terms, series.indicator_id
        assert "github" not in series.source_url or series.provider == "github_innovation", series.indicator_id
        assert re.search("commit|stored copies of the pages", series.how_obtained), series.indicator_id
        assert all(v.retrieved_at < datetime.fromisoformat(AS_OF) for v in series.vintages)


def test_the_archive_is_small() -> None:
    assert sum(path.stat().st_size for path in ARCHIVE_DIR.iterdir()) < 4_000_000


def test_no_table_begins_before_the_declared_first_year(archive: Archive, catalogue: Catalogue) -> None:
    for indicator in catalogue:
        for vintage in archive.vintages(indicator):
            provider = vintage.records["provider"][0]
            first = WHOLE.get(indicator.id, FIRST_YEAR.get(provider, 2010))
            assert vintage.records.select(pl.col("year").min()).item() >= first, indicator.id


def test_the_figures_of_kazakhstan_equal_those_of_the_providers(archive: Archive, catalogue: Catalogue) -> None:
    internet = _newest(archive, catalogue, "internet_users_pct")
    assert round(_value(internet, "KAZ", 2023), 2) == 92.88
    assert set(internet["provider_code"]) == {"IT.NET.USER.ZS"}
    assert set(internet["retrieved_via"]) == {"archive"}
    assert _value(_newest(archive, catalogue, "gii_rank"), "KAZ", 2024) == 78
    assert _value(_newest(archive, catalogue, "egdi_rank"), "KAZ", 2024) == 24


def test_internet_use_has_three_vintages_and_older_figures_name_theirs(archive: Archive, catalogue: Catalogue) -> None:
    vintages = archive.vintages(catalogue.indicators["internet_users_pct"])
    assert [f"{v.vintage_at:%Y-%m-%d}" for v in vintages] == ["2024-11-29", "2025-10-24", "2026-05-04"]
    # Tajikistan's modelled figure of 2022 moved by 13 points between the first vintage and the last.
    assert [round(_value(v.records, "TJK", 2022), 1) for v in vintages] == [36.1, 36.1, 48.9]
    newest = vintages[-1].records
    turkmenistan = newest.filter(pl.col("iso3") == "TKM").sort("year").tail(1)
    assert turkmenistan.select("year", "figure_origin", "obs_status", "provider_release").row(0) == (
        2017,
        "carried_over",
        None,
        "WDI 2024-11",
    )
    own = newest.filter(pl.col("provider_release") == "WDI 2026-04-08")
    assert own["figure_origin"].null_count() == own.height > 1000


def test_governance_estimates_of_two_updates_are_not_mixed(archive: Archive, catalogue: Catalogue) -> None:
    older, newer = archive.vintages(catalogue.indicators["government_effectiveness_est"])
    assert older.vintage_at < newer.vintage_at
    assert newer.records.select(pl.col("year").min()).item() == 2018
    assert set(newer.records["provider_release"]) == {"WGI 2025"}
    assert round(_value(older.records, "UZB", 2023), 4) == -0.2838
    assert round(_value(newer.records, "UZB", 2023), 4) == -0.2986


def test_zeros_that_mean_not_surveyed_are_not_figures(archive: Archive, catalogue: Catalogue) -> None:
    merchants = _newest(archive, catalogue, "online_merchant_payment_pct")
    assert merchants.filter(pl.col("year") == 2021, pl.col("value") == 0)["iso3"].to_list() == ["AFG"]
    services = _newest(archive, catalogue, "egdi_osi_index")
    assert services.filter(pl.col("iso3") == "MNE")["year"].min() == 2008
    assert services.filter(pl.col("iso3") == "SSD")["year"].min() == 2012


@pytest.mark.parametrize(
    ("indicator_id", "file", "where", "column"),
    [  # of the newest vintage; test_archive_reference compares the newer one of 4G coverage with its file
        ("fixed_broadband_per_100", "world_bank/IT.NET.BBND.P2.csv", {}, "value"),
        ("secure_servers_per_million", "world_bank/IT.NET.SECR.P6.csv", {}, "value"),
        ("population_total", "world_bank/SP.POP.TOTL.csv", {}, "value"),
        ("internet_users_pct", "world_bank/IT.NET.USER.ZS.csv", {}, "value"),
        ("account_owner_pct", "world_bank/FX.OWN.TOTL.ZS.csv", {}, "value"),
        ("coverage_4g_pct", "itu/IT_MOB_4GNTWK.csv", {}, "value"),
        ("fixed_broadband_price_pct_gni", "itu/price_baskets/i154_FBB5_GNI.csv", {}, "value"),
        ("gii_score", "gii/gii_overall.csv", {}, "score"),
        ("gii_rank", "gii/gii_overall.csv", {}, "rank"),
        ("egdi_hci_index", "egdi/egdi.csv", {"metric": "HCI"}, "value"),
        ("egdi_rank", "egdi/egdi.csv", {"metric": "rank"}, "value"),
        ("gci_score", "gci/gci.csv", {"scale": "0-100"}, "score"),
        ("gtmi_core_systems_score", "gtmi/gtmi.csv", {"metric": "CGSI"}, "value"),
        ("lpi_customs_score", "lpi/lpi.csv", {"metric": "Customs score"}, "value"),
        ("ai_policy_capacity_score", "ai_readiness/ai_readiness_pillars.csv", {"metric": "Policy Capacity"}, "value"),
    ],
)
def test_figures_equal_those_of_the_providers_to_the_last_digit(
    reference: Path,
    archive: Archive,
    catalogue: Catalogue,
    indicator_id: str,
    file: str,
    where: dict[str, str],
    column: str,
) -> None:
    indicator = catalogue.indicators[indicator_id]
    areas = load_areas(SEED)
    source = pl.read_csv(reference / file, infer_schema=False)
    for name, value in where.items():
        source = source.filter(pl.col(name) == value)
    # the archive uses the code of WDI, which dates the logistics edition of 2023 as 2022
    year = pl.col("year").cast(pl.Int32)
    if indicator_id.startswith("lpi_"):
        year = year.replace({2023: 2022})
    source = source.select("iso3", year, theirs=pl.col(column).cast(pl.Float64)).drop_nulls()
    vintages = archive.vintages(indicator)
    copied = vintages[0 if indicator_id == "coverage_4g_pct" else -1]
    ours = copied.records.select("iso3", "year", "value", "obs_status")
    both = ours.join(source, on=["iso3", "year"], how="left")
    # The world's figures of internet use were taken from a later copy than the splice in the reference file.
    replaced = (pl.col("iso3") == "WLD") & (pl.lit(indicator_id) == "internet_users_pct")
    assert both.filter(pl.col("value").ne_missing(pl.col("theirs")) & ~replaced).rows() == []
    # Omitted figures are outside the range or the years, mean "not surveyed", or are aggregates.
    absent = source.join(ours, on=["iso3", "year"], how="anti").filter(
        pl.col("iso3").is_in(list(areas.economies)),
        pl.col("year") >= int(ours["year"].min()),  # type: ignore[arg-type]
        pl.col("theirs").is_between(indicator.valid_range.min, indicator.valid_range.max),
        ~((pl.col("theirs") == 0) & pl.col("iso3").is_in(["MNE", "SSD"])),
    )
    assert absent.rows() == []


@pytest.mark.parametrize("indicator_id", ["articles_per_million", "internet_gender_ratio"])
def test_a_ratio_uses_two_figures_of_the_same_year(
    reference: Path, archive: Archive, catalogue: Catalogue, indicator_id: str
) -> None:
    link = next(link for link in catalogue.indicators[indicator_id].chain if link.over)
    upper, lower = (
        pl.read_csv(reference / "world_bank" / f"{code}.csv", schema_overrides={"year": pl.Int32, "value": pl.Float64})
        for code in (link.code, link.over)
    )
    expected = upper.join(lower, on=["iso3", "year"], suffix="_over").select(
        "iso3", "year", expected=link.scale * pl.col("value") / pl.col("value_over")
    )
    ours = _newest(archive, catalogue, indicator_id).join(expected, on=["iso3", "year"], how="left")
    assert ours.height > 40
    assert ours.select((pl.col("value") / pl.col("expected") - 1).abs().max()).item() < 1e-15


# -- writing -----------------------------------------------------------------------------------------------------------


def _frames(archive: Archive, catalogue: Catalogue) -> dict[str, list[pl.DataFrame]]:
    return {i.id: [v.records for v in archive.vintages(i)] for i in catalogue}


def test_figures_are_the_same_after_writing_and_reading(archive: Archive, catalogue: Catalogue, tmp_path: Path) -> None:
    frames = _frames(archive, catalogue)
    target = tmp_path / "archive"
    write_archive(target, frames, catalogue, "Recorded for a test of the round trip.")
    again = load_archive(target)
    for indicator in catalogue:
        read = again.vintages(indicator)
        assert [v.vintage_at for v in read] == [v.vintage_at for v in archive.vintages(indicator)]
        for before, after in zip(frames[indicator.id], read, strict=True):
            same = [name for name in OBSERVATION if name != "raw_sha256"]  # the hash is of the new file
            assert after.records.select(same).equals(before.sort("iso3", "year").select(same)), indicator.id
    assert {s.how_obtained for s in again.series} == {s.how_obtained for s in archive.series}


def test_the_same_figures_give_the_same_bytes_and_other_files_are_kept(
    archive: Archive, catalogue: Catalogue, tmp_path: Path
) -> None:
    frames = {"internet_users_pct": _frames(archive, catalogue)["internet_users_pct"]}
    target = tmp_path / "archive"
    target.mkdir()
    (target / "README.md").write_text("kept", encoding="utf-8")
    (target / "stale.csv").write_text("iso3,year,value\n", encoding="utf-8")
    seen = []
    for _ in range(2):
        write_archive(target, frames, catalogue, "Recorded for a test of the bytes.")
        seen.append({path.name: path.read_bytes() for path in target.iterdir()})
    assert seen[0] == seen[1]
    assert sorted(seen[0]) == [
        "README.md",
        "internet_users_pct.2024-11-29.csv",
        "internet_users_pct.2025-10-24.csv",
        "internet_users_pct.csv",
        "series.yml",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_live_vintage_keeps_its_provider_when_it_carries_figures_of_another(
    archive: Archive, catalogue: Catalogue, tmp_path: Path
) -> None:
    """A mirror lacks one economy: the figures of that economy stay and keep the first provider."""
    first = archive.vintages(catalogue.indicators["coverage_4g_pct"])[0].records
    live = first.with_columns(
        provider=pl.lit("data360"),
        provider_code=pl.lit("MOB_COV_4G"),
        provider_release=pl.lit(None, dtype=pl.String),
        retrieved_at=pl.lit(datetime(2026, 11, 20, 8, 30)),
        retrieved_via=pl.lit("data360"),
        obs_status=pl.lit("A"),
    )
    carried = first.filter(pl.col("iso3") == "TJK").with_columns(
        obs_status=pl.lit("E"), figure_origin=pl.lit("carried_over")
    )
    second = pl.concat([live.filter(pl.col("iso3") != "TJK"), carried])
    target = tmp_path / "archive"
    write_archive(target, {"coverage_4g_pct": [first, second]}, catalogue, "Recorded for a test of carried figures.")
    newest = load_archive(target).vintages(catalogue.indicators["coverage_4g_pct"])[-1].records
    assert newest.height == second.height
    origin = ("provider", "provider_code", "provider_release", "obs_status", "figure_origin")
    economies = second["iso3"].n_unique() - 1
    assert sorted(newest.group_by(origin).agg(pl.col("iso3").n_unique()).rows()) == [
        ("data360", "MOB_COV_4G", "data360 2026-11-20", "A", None, economies),
        ("un_sdg", "IT_MOB_4GNTWK", first["provider_release"][0], "E", "carried_over", 1),
    ]


def test_the_origin_of_a_figure_is_archived_with_it_except_flags_which_are_set_again(
    archive: Archive, catalogue: Catalogue, tmp_path: Path
) -> None:
    first = _newest(archive, catalogue, "coverage_4g_pct").head(4)
    marked = first.with_columns(
        figure_origin=pl.Series(["retained", "corrected", "flagged", None]),
        figure_note=pl.Series([None, "a printed figure", "doubtful", None]),
    )
    write_archive(tmp_path / "archive", {"coverage_4g_pct": [marked]}, catalogue, "Recorded for a test of the marks.")
    newest = load_archive(tmp_path / "archive").vintages(catalogue.indicators["coverage_4g_pct"])[-1].records
    assert newest.select("figure_origin", "figure_note").rows() == [
        ("retained", None),
        ("corrected", "a printed figure"),
        (None, None),
        (None, None),
    ]


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ARCHIVE_DIR, tmp_path / "archive"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "  licence: CC BY 4.0 (World Bank",
            "  lizenz: CC BY 4.0 (World Bank",
            "gtmi_enablers_score: licence: Field required",
        ),
        (
            "file: gtmi_enablers_score.csv",
            "file: ../x.csv",
            "gtmi_enablers_score: vintages.0.file: String should match",
        ),
        ("file: gci_score.csv", "file: gii_score.csv", "gii_score: gii_score.csv is gci_score's already"),
        (
            "retrieved_at: 2026-11-01",
            "retrieved_at: lately",
            "vintages.0.retrieved_at: Input should be a valid datetime",
        ),
    ],
)
def test_a_fault_in_the_index_names_file_line_entry_and_field(copy: Path, old: str, new: str, expected: str) -> None:
    index = copy / "series.yml"
    text = index.read_text(encoding="utf-8")
    assert old in text
    index.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_archive(copy)
    assert re.match(rf"{re.escape(str(index))}:\d+: ", str(caught.value))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("iso3,value,year\nKAZ,1,2020\n", "the header is iso3,value,year"),
        ("iso3,year,value\nKAZ,2020,much\n", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_table_is_reported_by_name(
    copy: Path, catalogue: Catalogue, content: str | None, expected: str
) -> None:
    table = copy / "gci_score.csv"
    table.unlink()
    if content is not None:
        table.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"gci_score\.csv: gci_score: ") as caught:
        load_archive(copy).vintages(catalogue.indicators["gci_score"])
    assert expected in str(caught.value)


def test_a_unit_that_differs_from_the_catalogue_is_refused(archive: Archive, catalogue: Catalogue) -> None:
    other = catalogue.indicators["gci_score"].model_copy(update={"unit": "pct"})
    with pytest.raises(ConfigurationError, match="gci_score: unit: score_0_100, in the catalogue pct"):
        archive.vintages(other)


def test_an_indicator_without_figures_has_no_vintage(archive: Archive, catalogue: Catalogue) -> None:
    assert archive.vintages(catalogue.indicators["ict_graduates_pct"]) == []
