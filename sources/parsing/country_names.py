"""Country names and older country codes to ISO3, for files without ISO3 codes.

The names are in ``catalog/country_names.csv``; a name or code that is in neither table is never guessed. The areas that
the project knows belong in ``sources.observation.Areas``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

NAMES = Path(__file__).parents[1] / "catalog" / "country_names.csv"
OLDER_CODES = {"ADO": "AND", "KSV": "XKX", "ROM": "ROU", "TMP": "TLS", "WBG": "PSE", "ZAR": "COD"}
"""Older codes of three letters that some files of the World Bank and ITU have -> ISO3."""


def _key(name: pl.Expr) -> pl.Expr:
    """Return the ASCII letters of a name, which every encoding keeps: "trkiye" for Türkiye."""
    return name.str.to_lowercase().str.replace_all("&", "and", literal=True).str.replace_all(r"[^a-z]", "")


@cache
def _table() -> dict[str, str]:
    names = pl.read_csv(NAMES, infer_schema=False).with_columns(key=_key(pl.col("name")))
    return dict(names.select("key", "iso3").rows())


def iso3_of(name: pl.Expr) -> pl.Expr:
    """Return the ISO3 code of a country's English name, NULL if the name is unknown."""
    return _key(name).replace_strict(_table(), default=None, return_dtype=pl.String)
