"""Columns by name where a provider spells the same name differently from year to year.

Belongs here: when two spellings are one name. Does not belong here: which names a provider uses (its adapter).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from sources.parsing.observations import Refusal, require_single

Spellings = Mapping[str, Collection[str]]
"""The name of a column -> its other spellings. Case, blanks and punctuation never count."""


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def positions(header: Sequence[str | None], spellings: Spellings) -> dict[str, int]:
    """Where each column stands, the first of its spellings that is there; absent columns are left out."""
    at: dict[str, int] = {}
    for position, name in enumerate(header):
        at.setdefault(_letters(name or ""), position)
    found: dict[str, int] = {}
    for name, others in spellings.items():
        known = next((_letters(each) for each in (name, *others) if _letters(each) in at), None)
        if known is not None:
            found[name] = at[known]
    return found


def missing(header: Sequence[str | None], spellings: Spellings) -> Refusal | None:
    """Why a header cannot be used: the columns that are not there by any spelling."""
    absent = [name for name in spellings if name not in positions(header, spellings)]
    if not absent:
        return None
    there = ", ".join(name for name in header if name)
    return Refusal(f"the columns {', '.join(absent)} are missing; there are {there}")


def renamed(table: pl.DataFrame, spellings: Spellings) -> pl.DataFrame:
    """The table with these columns under their own names, first, and all others after them. Raises Refusal."""
    if refusal := missing(table.columns, spellings):
        raise refusal
    found = {table.columns[at]: name for name, at in positions(table.columns, spellings).items()}
    require_single(table, found)
    others = [name for name in table.columns if name not in found and name not in spellings]
    return table.select(*(pl.col(spelt).alias(name) for spelt, name in found.items()), *others)
