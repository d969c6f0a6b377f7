"""Country names and older country codes to ISO3, for files that have nothing else. What is in neither table is never
guessed.

Belongs here: when two spellings are one name; they stand in ``catalog/country_names.csv``. Does not belong here: which
areas the project knows (``observation.Areas``).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

NAMES = Path(__file__).parents[1] / "catalog" / "country_names.csv"
OLDER_CODES = {"ADO": "AND", "KSV": "XKX", "ROM": "ROU", "TMP": "TLS", "WBG": "PSE", "ZAR": "COD"}
"""Codes of three letters that the World Bank and ITU used, and in some files still use -> ISO3."""


def _key(name: pl.Expr) -> pl.Expr:
    """What every encoding leaves of a name, its ASCII letters: "trkiye" of Türkiye, however garbled."""
    return name.str.to_lowercase().str.replace_all("&", "and", literal=True).str.replace_all(r"[^a-z]", "")


@cache
def _table() -> dict[str, str]:
    names = pl.read_csv(NAMES, infer_schema=False).with_columns(key=_key(pl.col("name")))
    return dict(names.select("key", "iso3").rows())


def iso3_of(name: pl.Expr) -> pl.Expr:
    """The ISO3 code of a country's English name, NULL where the name is unknown."""
    return _key(name).replace_strict(_table(), default=None, return_dtype=pl.String)
