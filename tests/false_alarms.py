"""Real vintages for the rate of false alarms of the quality gates: archived ones, and provider files of several dates.

``python -m tests.false_alarms`` prints every alarm and the rate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl

from pipelines.gate_context import revision_sizes
from pipelines.ingestion import FIRST_YEAR
from pipelines.quality_gates import FIGURE_GATES, RECORD_GATES, SERIES_GATES, Context, RevisionSize, run_gates, validate
from pipelines.quality_gates.places import figures_of
from pipelines.workspace import Workspace, open_workspace
from sources.observation import empty_observations

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"
SIZE_GATES = {gate.code for gate in (*RECORD_GATES, *SERIES_GATES)} | {"vanished", "correction"}
"""Gates that are not judged by the rate: they count figures, which the cut copies of old vintages lack."""


@dataclass(frozen=True)
class Case:
    """One series-vintage: ``kind`` is ``pair`` (two vintages), ``first`` (none before) or ``year`` (a new year)."""

    kind: str
    indicator_id: str
    previous: pl.DataFrame
    answer: pl.DataFrame


@dataclass(frozen=True)
class Alarm:
    kind: str
    indicator_id: str
    text: str


@cache
def opened() -> Workspace:
    return open_workspace()


@cache
def archived(indicator_id: str) -> tuple[pl.DataFrame, ...]:
    """Return the accepted figures of every archived vintage, oldest first."""
    at = opened()
    one = at.catalogue.indicators[indicator_id]
    return tuple(validate(each.records, one, at.areas).accepted for each in at.archive.vintages(one))


def newest() -> dict[str, pl.DataFrame]:
    found = {name: archived(name) for name in opened().catalogue.indicators}
    return {name: vintages[-1] for name, vintages in found.items() if vintages}


@cache
def newest_figures() -> pl.DataFrame:
    """Return the figures of the last vintages of all indicators, as ``Context.others`` has them."""
    return pl.concat(figures_of(series) for series in newest().values())


def context(indicator_id: str) -> Context:
    at = opened()
    one = at.catalogue.indicators[indicator_id]
    size = revision_sizes(at.dbt_project).get(one.unit, RevisionSize())
    others = newest_figures().filter(pl.col("indicator") != indicator_id)
    return Context(one, at.areas, 2027, size=size, first_year=FIRST_YEAR, others=lambda: others)


def archived_pairs() -> Iterator[Case]:
    for name in opened().catalogue.indicators:
        for before, after in pairwise(archived(name)):
            yield Case("pair", name, _window(before, after), after)


def first_landings() -> Iterator[Case]:
    for name in opened().catalogue.indicators:
        for vintage in archived(name):
            yield Case("first", name, empty_observations(), vintage)


def new_years() -> Iterator[Case]:
    """Return each series as an answer after a vintage without its newest year: what a usual update looks like."""
    for name, figures in newest().items():
        earlier = figures.filter(pl.col("year") < pl.col("year").max())
        if earlier.height:
            before, after = (
                f.with_columns(provider_release=pl.lit(r)) for f, r in ((earlier, "r 1"), (figures, "r 2"))
            )
            yield Case("year", name, before, after)


def _window(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the figures of the years that the later copy covers: some copies of vintages were cut."""
    return before.filter(pl.col("year") >= after["year"].min(), pl.col("iso3").is_in(after["iso3"].implode()))


CHAINS: dict[str, tuple[str, ...]] = {
    "internet_users_pct": (
        "un_sdg/it_use_ii99.csv",
        "world_bank/vintages/IT.NET.USER.ZS.wdi-2024-11.csv",
        "itu/i99H.csv",
        "world_bank/vintages/IT.NET.USER.ZS.wdi-2026-04.csv",
    ),
    "fixed_broadband_per_100": ("un_sdg/it_net_bbnd.csv", "itu/i992b.csv", "world_bank/IT.NET.BBND.P2.csv"),
    "rd_expenditure_pct_gdp": ("un_sdg/gb_xpd_rsdv.csv", "world_bank/GB.XPD.RSDV.GD.ZS.csv"),
    "coverage_3g_pct": ("un_sdg/it_mob_3gntwk.csv", "itu/IT_MOB_3GNTWK.csv"),
    "coverage_4g_pct": ("un_sdg/it_mob_4gntwk.csv", "itu/IT_MOB_4GNTWK.csv", "data360/ITU_DH_POP_COV_4G.csv"),
    "mobile_phone_owner_pct": ("itu/IT_MOB_OWN.csv", "un_sdg/it_mob_own.csv"),
    "gni_per_capita_usd": (
        "world_bank/raw/API_NY.GNP.PCAP.CD_DS2_en_csv_v2_115503.csv",
        "world_bank/NY.GNP.PCAP.CD.csv",
    ),
    "government_effectiveness_est": ("world_bank/vintages/GE.EST.wgi-2024.csv", "world_bank/GE.EST.csv"),
    "regulatory_quality_est": ("world_bank/vintages/RQ.EST.wgi-2024.csv", "world_bank/RQ.EST.csv"),
}
"""Indicator -> files of its series, oldest first."""
_SDG_CUT = {
    "sex": ("bothsex", "notspec"),
    "age": ("notspec",),
    "type_of_speed": ("anys",),
    "units": ("percent", "per_100_pop"),
}


def reference_pairs() -> Iterator[Case]:
    for name, files in CHAINS.items():
        vintages = [_observed(name, path) for path in files]
        for before, after in pairwise(vintages):
            yield Case("pair", name, _window(before, after), after)


def _observed(indicator_id: str, path: str) -> pl.DataFrame:
    at = opened()
    one = at.catalogue.indicators[indicator_id]
    figures = _figures(REFERENCE / path).filter(pl.col("year").is_between(FIRST_YEAR, 2026)).drop_nulls()
    like = newest()[indicator_id].head(1).drop("iso3", "year", "value")
    rows = figures.join(like, how="cross").with_columns(provider_release=pl.lit(path), figure_origin=pl.lit(None))
    columns = empty_observations().schema
    return validate(rows.select(columns.names()).cast(columns), one, at.areas).accepted  # type: ignore[arg-type]


def _figures(path: Path) -> pl.DataFrame:
    """Return ``iso3``, ``year`` and ``value`` of a provider's file."""
    text = path.read_text(encoding="utf-8-sig")
    if text.startswith('"Data Source"'):
        head = text.index('"Country Name"')
        wide = pl.read_csv(io.StringIO(text[head:]), infer_schema=False)
        years = [name for name in wide.columns if name.isdigit()]
        table = wide.unpivot(years, index="Country Code", variable_name="year").rename({"Country Code": "iso3"})
    else:
        table = pl.read_csv(io.StringIO(text), infer_schema=False)
    if "geo_area" in table.columns:
        for column, cut in _SDG_CUT.items():
            if column in table.columns:
                table = table.filter(pl.col(column).is_in(list(cut)))
        m49 = {str(number): iso3 for number, iso3 in opened().areas.m49_to_iso3.items()}
        table = table.with_columns(iso3=pl.col("geo_area").replace_strict(m49, default=None), value=table.columns[-1])
    elif "REF_AREA" in table.columns:
        table = table.rename({"REF_AREA": "iso3", "TIME_PERIOD": "year", "OBS_VALUE": "value"})
    numbers = (pl.col("year").cast(pl.Int32, strict=False), pl.col("value").cast(pl.Float64, strict=False))
    return table.select("iso3", *numbers).unique(["iso3", "year"], keep="first", maintain_order=True)


def alarms(case: Case) -> list[Alarm]:
    """Return what the gates hold back of a case, apart from gates that count figures."""
    read = context(case.indicator_id)
    checked = run_gates(FIGURE_GATES, case.answer, case.previous, read)
    found = [f"{checked.gate}: {checked.held_back}"] if checked.held_back and checked.gate not in SIZE_GATES else []
    if not checked.held_back:
        found += [each for each in checked.warnings if "held back" in each and each.partition(":")[0] not in SIZE_GATES]
        records = checked.refused.filter(pl.col("reason").str.contains("with its point moved|a missing figure"))
        found += [f"refused: {row}" for row in records.select("iso3", "year", "value", "reason").rows()]
    return [Alarm(case.kind, case.indicator_id, text) for text in found]


if __name__ == "__main__":
    groups = {"archived": archived_pairs, "first": first_landings, "new year": new_years, "reference": reference_pairs}
    count, held = 0, 0
    for label, cases in groups.items():
        for case in cases():
            count, found = count + 1, alarms(case)
            held += bool(found)
            for alarm in found:
                print(label, alarm)
    print(f"{held} of {count} series-vintages: {held / count:.2%}")
