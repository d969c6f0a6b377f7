"""The catalogue: its promises, and the messages for faulty entries."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import pytest

from sources import providers
from sources.catalogue import ARCHIVE, Catalogue, Link, load_catalogue
from sources.errors import ConfigurationError

SCORED = [
    "gtmi_enablers_score",
    "ai_policy_capacity_score",
    "government_effectiveness_est",
    "gtmi_citizen_engagement_score",
    "regulatory_quality_est",
    "gci_capacity_score",
    "gci_legal_score",
    "cyber_laws_count",
    "gci_cooperation_score",
    "fixed_broadband_price_pct_gni",
    "mobile_data_price_pct_gni",
    "mobile_phone_owner_pct",
    "rural_urban_account_ratio",
    "internet_users_pct",
    "fixed_broadband_per_100",
    "coverage_4g_pct",
    "households_internet_pct",
    "egdi_osi_index",
    "gtmi_core_systems_score",
    "gtmi_service_delivery_score",
    "secure_servers_per_million",
    "electricity_access_pct",
    "low_carbon_energy_pct",
    "egdi_hci_index",
    "tertiary_enrolment_pct",
    "github_pushes_per_million",
    "youth_online_bill_pct",
    "internet_gender_ratio",
    "account_gender_ratio",
    "online_bill_gender_ratio",
    "vc_deals_per_bn_ppp",
    "tld_per_thousand",
    "github_organizations_per_million",
    "gii_score",
    "rd_expenditure_pct_gdp",
    "ict_service_exports_pct",
    "hightech_exports_pct_trade",
    "articles_per_million",
    "lpi_customs_score",
    "lpi_tracking_score",
    "lpi_timeliness_score",
    "account_owner_pct",
    "online_bill_payment_pct",
    "online_merchant_payment_pct",
    "digital_payment_pct",
    "cross_border_paperless_trade_pct",
]

PROVIDERS = """\
- id: world_bank
  title: World Bank
  licence: CC BY 4.0
  citation: World Bank.
  cadence: yearly
- id: data360
  title: Data360
  licence: that of each series
  citation: World Bank.
  cadence: yearly
  options: {required: [database], optional: [unit_measure]}
- id: archive
  title: Archive
  licence: that of each series
  citation: Each series' publisher.
  cadence: now and then
"""

ENTRY = """\
- id: internet_users_pct
  title: Individuals using the internet
  definition: Share of people who used the internet in the last three months.
  unit: pct
  direction: higher_is_better
  population_base: whole population
  valid_range: {min: 0, max: 100}
  max_age_years: 4
  shape: saturating
  licence: CC BY 4.0
  origin: ITU
  chain:
    - {provider: world_bank, code: IT.NET.USER.ZS}
    - {provider: archive}
"""


def _load(folder: Path, indicators: str, listed: str = PROVIDERS) -> Catalogue:
    (folder / "providers.yml").write_text(listed, encoding="utf-8")
    (folder / "indicators.yml").write_text(indicators, encoding="utf-8")
    return load_catalogue(folder)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_the_example_entry_of_these_tests_is_valid(tmp_path: Path) -> None:
    assert list(_load(tmp_path, ENTRY).indicators) == ["internet_users_pct"]


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("  unit: pct\n", "", 2, "internet_users_pct: unit: Field required"),
        ("max_age_years", "max_age", 2, "internet_users_pct: max_age_years: Field required (and 1 more)"),
        (
            "provider: world_bank",
            "provider: world_bnak",
            2,
            "internet_users_pct: chain.0.provider: there is no provider",
        ),
        ("{min: 0, max: 100}", "{min: 100, max: 0}", 2, "internet_users_pct: valid_range: min must be below max"),
        ("higher_is_better", "up", 2, "internet_users_pct: direction: Input should be"),
        ("  unit: pct\n", "  unit: pct\n  unit: ratio\n", 6, "the field 'unit' is repeated in one entry"),
        ("code: IT.NET.USER.ZS", "options: {source: 2}", 2, "internet_users_pct: chain.0: every link needs a code"),
        ("USER.ZS}", "USER.ZS, over_provider: world_bank}", 2, "chain.0: over_provider is the provider of over, which"),
        ("USER.ZS}", "USER.ZS, over: P, over_provider: un}", 2, "chain.0.over_provider: there is no provider 'un'"),
        (
            "USER.ZS}",
            "USER.ZS, options: {source: 2}}",
            2,
            "internet_users_pct: chain.0.options: world_bank has no option 'source': remove it",
        ),
        (
            "world_bank, code: IT.NET.USER.ZS}",
            "data360, code: A, options: {databse: WB_WDI}}",
            2,
            "internet_users_pct: chain.0.options: data360 has no option 'databse' (known are database, unit_measure);"
            " did you mean database?",
        ),
        (
            "world_bank, code: IT.NET.USER.ZS}",
            "data360, code: A, options: {unit_measure: PT}}",
            2,
            "internet_users_pct: chain.0.options: data360 needs the option 'database': add it",
        ),
    ],
)
def test_a_fault_gives_one_line_with_file_line_entry_and_field(
    tmp_path: Path, old: str, new: str, line: int, expected: str
) -> None:
    text = "# one entry, so that it begins in line 2\n" + ENTRY
    assert old in text
    with pytest.raises(ConfigurationError) as caught:
        _load(tmp_path, text.replace(old, new, 1))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{tmp_path / 'indicators.yml'}:{line}: ")
    assert expected in message
    assert "pydantic" not in "".join(traceback.format_exception(caught.value)), "Dagster's pages show causes, too"


def test_a_repeated_id_is_reported_with_both_lines(tmp_path: Path) -> None:
    second = ENTRY.count("\n") + 1
    with pytest.raises(
        ConfigurationError, match=rf"indicators\.yml:{second}: internet_users_pct: line 1 has the same id$"
    ):
        _load(tmp_path, ENTRY + ENTRY)


def test_an_archive_must_be_the_last_link(tmp_path: Path) -> None:
    swapped = ENTRY.replace("    - {provider: archive}\n", "").replace(
        "chain:\n", "chain:\n    - {provider: archive}\n"
    )
    with pytest.raises(ConfigurationError, match="the archive is the last link"):
        _load(tmp_path, swapped)


@pytest.mark.parametrize("text", ["just words", "id: internet_users_pct", "- [1, 2]", "- id: [", ""])
def test_a_file_that_is_not_a_list_of_entries_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"indicators\.yml"):
        _load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"providers\.yml: cannot be read"):
        load_catalogue(tmp_path)


def test_every_scored_indicator_is_in_the_catalogue(catalogue: Catalogue) -> None:
    assert set(SCORED) <= set(catalogue.indicators)


def test_every_chain_ends_in_the_archive(catalogue: Catalogue) -> None:
    assert {i.id for i in catalogue if i.chain[-1].provider != ARCHIVE} == set()


def test_no_chain_has_a_link_twice(catalogue: Catalogue) -> None:
    twice = {i.id for i in catalogue for link in i.chain if i.chain.count(link) > 1}
    assert twice == set()


def test_ranks_and_only_ranks_have_the_unit_rank(catalogue: Catalogue) -> None:
    assert {i.id for i in catalogue if i.unit == "rank"} == {i.id for i in catalogue if i.id.endswith("_rank")}


def test_every_series_that_itu_publishes_itself_is_non_commercial(catalogue: Catalogue) -> None:
    itu = re.compile(r"^(ITU_GCI|i154|i271|MOB_COV|IT_MOB|INT_BAND|IT_HH)")
    named = {i.id: i.licence for i in catalogue for link in i.chain if link.code and itu.match(link.code)}
    assert len(named) > 10
    assert set(named.values()) == {"CC BY-NC-SA 3.0 IGO"}


def test_the_e_government_index_is_requested_from_data360_and_its_files_together(catalogue: Catalogue) -> None:
    for name in ("egdi_index", "egdi_osi_index", "egdi_hci_index", "egdi_tii_index", "egdi_epi_index"):
        steps = [tuple(link.provider for link in step) for step in catalogue.indicators[name].steps]
        assert ("data360", "data360_files") in steps, name
    others = [one for one in catalogue if not one.id.startswith("egdi_")]
    assert all(len(step) == 1 for one in others for step in one.steps)
    assert all(sum(one.steps, ()) == one.chain for one in catalogue)


def test_every_link_has_the_unit_if_its_provider_states_one(catalogue: Catalogue) -> None:
    links = [link for one in catalogue for link in one.chain]
    without = {link.code for link in links if link.provider == "un_sdg" and "Units" not in link.options}
    without |= {link.code for link in links if link.provider in ("itu_prices", "owid") and "unit" not in link.options}
    without |= {
        link.code
        for link in links
        if link.provider.startswith("data360")
        and link.options["database"] not in ("WB_WDI", "UN_SDG")  # the codes of these are not known
        and "unit_measure" not in link.options
    }
    assert without == set()
    (broadband,) = (link for link in links if link.code == "IT_NET_BBND")
    assert broadband.options["Units"] == "PER_100_POP"


def test_a_ratio_publishes_both_codes_verbatim(catalogue: Catalogue) -> None:
    link = catalogue.indicators["articles_per_million"].chain[0]
    assert link == Link(provider="world_bank", code="IP.JRN.ARTC.SC", over="SP.POP.TOTL", scale=1_000_000)
    assert link.provider_code == "IP.JRN.ARTC.SC / SP.POP.TOTL"
    pushes = catalogue.indicators["github_pushes_per_million"].chain[0]
    assert pushes.provider_code == "git_pushes / world_bank SP.POP.TOTL"


def test_an_unknown_id_is_reported_with_the_command_that_lists_the_ids(catalogue: Catalogue) -> None:
    with pytest.raises(ConfigurationError, match="unknown indicator internet_user: `carec indicators` lists"):
        catalogue.select(["internet_user"])


def test_every_option_that_an_adapter_reads_is_declared(catalogue: Catalogue) -> None:
    for name, provider in catalogue.providers.items():
        modules = "".join(path.read_text() for path in Path(providers.__path__[0]).glob(f"{name}*.py"))
        assert set(re.findall(r'option\((?:request, )?"(\w+)"', modules)) <= set(provider.options.names), name
