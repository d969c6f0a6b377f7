"""World Bank, Global Findex 2025: the whole database as one CSV, the mirror of the interface's source 28.

Belongs here: the file's columns and groups, and that it gives shares where the interface gives percentages. Does not
belong here: the interface (``world_bank``), the wording of questions in each wave (the catalogue's reject rules).

``code`` of a request is a column, for all adults, or ``column:group:group2`` for one cut ("account_t_d:gender:women").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection
from sources.observation import Areas
from sources.parsing.editions import Edition, Files, from_newest, whole
from sources.parsing.observations import CSV_TYPES, Refusal, csv_table, judge, kept, require, require_single
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import Kind, inspect_file

PUBLIC_BASE = "https://thedocs.worldbank.org/en/doc/be6615202d1f08a25855c8ac2d615122-0050012025/related"
FILES = {2025: "GlobalFindexDatabase2025.csv"}
WHO = ("codewb", "year", "group", "group2")
REGION = "regionwb24_hi"
"""Economies have a region, the Bank's groups of economies have none."""
NO_VALUE = "NA"


def parse(body: bytes, _: int) -> pl.DataFrame:
    """The whole database, all text. Raises Refusal."""
    rows = csv_table(body)
    require(rows, WHO)
    return rows


def figures_of(rows: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one column and cut in percent, see ``figures.judge``. Raises Refusal."""
    column, *cut = code.split(":")
    group, group2 = cut if len(cut) == 2 else ("all", "all")
    if column not in rows.columns:
        raise Refusal(f"the column {column} is missing")
    require_single(rows, [column])
    own = rows.filter((pl.col("group") == group) & (pl.col("group2") == group2))
    if own.is_empty() or len(cut) not in (0, 2):
        raise Refusal(f"the file has no group {':'.join(cut)} for {column}", Outcome.UNKNOWN_ID)
    shares = own[column].cast(pl.Float64, strict=False)
    if (beyond := shares.filter(shares.is_finite() & (shares > 1))).len():
        raise Refusal(f"{column} is no longer given as a share: {beyond[0]} is more than 1")
    region = REGION if REGION in rows.columns else None
    grouping = pl.col(region) == NO_VALUE if region else pl.lit(False)
    return judge(
        kept(own.select(*WHO, column, *([region] if region else [])), raw_sha256)
        .filter(pl.col(column) != NO_VALUE)
        .filter(~grouping | pl.col("codewb").is_in(sorted(areas.known)))
        .select(
            pl.col("codewb").alias("iso3"),
            pl.col("year").alias("period"),
            _percent(pl.col(column)).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.lit(None, dtype=pl.String).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def _percent(share: pl.Expr) -> pl.Expr:
    """A share as a percentage, by its point, so that no digit changes; what is no number stays as it is."""
    plain, power = share.str.contains(r"^\d*\.?\d+$"), share.str.extract_groups(r"^(\d*\.?\d+)[eE]([+-]?\d+)$")
    shifted = power.struct[1].cast(pl.Int32) + 2
    return (
        pl.when(plain)
        .then(share + "e2")
        .when(shifted.is_not_null())
        .then(pl.format("{}e{}", power.struct[0], shifted))
        .otherwise(share)
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request from the one file. See ``sources.provider.Adapter``."""

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        ((rows, sha256),) = editions.values()
        return figures_of(rows, request.code, sha256, areas, window)

    return from_newest(requests, _files(), read, provider, window, http)


def _files() -> Files:
    return Files(PUBLIC_BASE, FILES, CSV_TYPES, "Global Findex", whole(parse))


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every column by the head of the file. See ``sources.inspection.Inspects``."""
    kind = Kind(
        files=_files(),
        figures=lambda rows, request, _: figures_of(rows, request.code, "", areas, window),
        codes=lambda rows: set(rows.columns),
        named=lambda _, code: code.partition(":")[0],
        in_header=True,
        head=lambda rows: require(rows, WHO),
        dated_by_edition=lambda _: False,
    )
    return inspect_file(requests, kind, provider, http)
