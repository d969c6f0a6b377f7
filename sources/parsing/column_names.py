"""Columns by name where a provider spells a name differently from year to year.

The names that a provider uses belong in its adapter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import require_unique_columns

Spellings = Mapping[str, Collection[str]]
"""Name of a column -> its other spellings. Case, blanks and punctuation are ignored."""


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def positions(header: Sequence[str | None], spellings: Spellings) -> dict[str, int]:
    """Return the position of each column by its first spelling in the header; missing columns are left out."""
    at: dict[str, int] = {}
    for position, name in enumerate(header):
        at.setdefault(_letters(name or ""), position)
    found: dict[str, int] = {}
    for name, others in spellings.items():
        known = next((_letters(each) for each in (name, *others) if _letters(each) in at), None)
        if known is not None:
            found[name] = at[known]
    return found


def missing_columns(header: Sequence[str | None], spellings: Spellings) -> UnusableResponse | None:
    """Return an error that names the columns missing in a header, None if all are there."""
    absent = [name for name in spellings if name not in positions(header, spellings)]
    if not absent:
        return None
    present = ", ".join(name for name in header if name)
    return UnusableResponse(f"the columns {', '.join(absent)} are missing; there are {present}")


def rename_columns(table: pl.DataFrame, spellings: Spellings) -> pl.DataFrame:
    """Return the table with these columns first, under their own names, and all other columns after them.

    Raises:
        UnusableResponse: If a column is missing, or is there twice with different values.
    """
    if error := missing_columns(table.columns, spellings):
        raise error
    found = {table.columns[at]: name for name, at in positions(table.columns, spellings).items()}
    require_unique_columns(table, found)
    others = [name for name in table.columns if name not in found and name not in spellings]
    return table.select(*(pl.col(spelt).alias(name) for spelt, name in found.items()), *others)
