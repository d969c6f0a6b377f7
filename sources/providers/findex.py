"""World Bank, Global Findex 2025: the whole database as one CSV. It has the data of the interface's source 28.

``code`` of a request is a column, for all adults, or ``column:group:group2`` for one group, such as
"account_t_d:gender:women". The file gives shares, the interface percentages. The interface belongs in ``world_bank``;
the wording of questions in each wave in the catalogue's reject rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sources.observation import Areas
from sources.parsing.editions import EditionFiles, in_memory
from sources.parsing.observations import parse_observations
from sources.parsing.responses import CSV_TYPES, UnusableResponse
from sources.parsing.tables import read_csv, require_columns, require_unique_columns
from sources.provider import Outcome, SeriesRequest, Window
from sources.providers.inspecting import FileInspection, NewestEdition
from sources.smoke_check import SmokeCheck, header_check

PUBLIC_BASE = "https://thedocs.worldbank.org/en/doc/be6615202d1f08a25855c8ac2d615122-0050012025/related"
FILES = {2025: "GlobalFindexDatabase2025.csv"}
KEYS = ("codewb", "year", "group", "group2")
REGION = "regionwb24_hi"
"""Column that is ``NO_VALUE`` for the Bank's groups of economies."""
NO_VALUE = "NA"


def parse(body: bytes, _: int) -> pl.DataFrame:
    """Return the whole database, all text. Raise UnusableResponse if it cannot be read."""
    rows = read_csv(body)
    require_columns(rows, KEYS)
    return rows


def observations_of(rows: pl.DataFrame, code: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one column and group in percent, see ``parse_observations``.

    Raises:
        UnusableResponse: If the column or group is missing, or a value is not a share.
    """
    column, *groups = code.split(":")
    group, group2 = groups if len(groups) == 2 else ("all", "all")
    if column not in rows.columns:
        raise UnusableResponse(f"the column {column} is missing")
    require_unique_columns(rows, [column])
    own = rows.filter((pl.col("group") == group) & (pl.col("group2") == group2))
    if own.is_empty() or len(groups) not in (0, 2):
        raise UnusableResponse(f"the file has no group {':'.join(groups)} for {column}", Outcome.UNKNOWN_ID)
    shares = own[column].cast(pl.Float64, strict=False)
    if (beyond := shares.filter(shares.is_finite() & (shares > 1))).len():
        raise UnusableResponse(f"{column} is no longer given as a share: {beyond[0]} is more than 1")
    region = [REGION] if REGION in rows.columns else []
    is_economy = pl.all_horizontal(pl.lit(True), *(pl.col(name) != NO_VALUE for name in region))
    return parse_observations(
        own.select(*KEYS, column, *region)
        .filter(pl.col(column) != NO_VALUE)
        .filter(is_economy | pl.col("codewb").is_in(sorted(areas.known))),
        areas,
        window,
        iso3="codewb",
        period="year",
        value=_percent(pl.col(column)),
        raw_sha256=raw_sha256,
    )


def _percent(share: pl.Expr) -> pl.Expr:
    """Return a share as a percentage by changing its exponent, which keeps all digits. Other text is not changed."""
    is_plain, parts = share.str.contains(r"^\d*\.?\d+$"), share.str.extract_groups(r"^(\d*\.?\d+)[eE]([+-]?\d+)$")
    exponent = parts.struct[1].cast(pl.Int32) + 2
    return (
        pl.when(is_plain)
        .then(share + "e2")
        .when(exponent.is_not_null())
        .then(pl.format("{}e{}", parts.struct[0], exponent))
        .otherwise(share)
    )


def _files(_: Sequence[SeriesRequest], areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        FILES,
        CSV_TYPES,
        "Global Findex",
        in_memory(parse),
        lambda rows, request, _, sha256: observations_of(rows, request.code, sha256, areas, window),
    )


_ADAPTER = NewestEdition(
    _files,
    FileInspection(
        codes=lambda rows: set(rows.columns),
        named=lambda _, code: code.partition(":")[0],
        in_header=True,
        head=lambda rows: require_columns(rows, KEYS),
        dated_by_edition=lambda _: False,
    ),
)
fetch, inspect = _ADAPTER.fetch, _ADAPTER.inspect


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [header_check("the head of the file", next(iter(FILES.values())), (*KEYS, "account_t_d", "g20_any"))]
