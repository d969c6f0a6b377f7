"""Providers and licences of an export: who is to be named, and how many values are left out or restricted.

Belongs here: what every kind of export states about rights. Does not belong here: which values are left out
(``licences``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from warehouse.export.folder import write
from warehouse.export.licences import MARKS
from warehouse.reading import records_of


@dataclass(frozen=True)
class Attribution:
    """How to name a provider and its licence."""

    provider: str
    title: str
    licence: str
    licence_url: str | None
    citation: str
    documentation_url: str | None


def load_about(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the row of the table ``publication``."""
    return records_of(connection.execute("from publication"))[0]


def load_rights(connection: duckdb.DuckDBPyConnection, attributions: Iterable[Attribution]) -> list[dict[str, Any]]:
    """Return one row per provider and licence of the observations, with the provider's attribution."""
    known = {attribution.provider: attribution for attribution in attributions}
    result = connection.execute(
        """
        select o.provider, o.licence, t.terms, t.reason, count(*) as figures, count(w.year) as withheld,
            count(r.year) as restricted, string_agg(distinct o.indicator_id, ', ' order by o.indicator_id) as indicators
        from observations as o
        join licence_terms as t using (licence)
        left join withheld_figures as w using (iso3, indicator_id, year)
        left join restricted_figures as r using (iso3, indicator_id, year)
        group by all order by 1, 2
        """
    )
    rows = records_of(result)
    for one in rows:
        by = known.get(one["provider"])
        one["title"] = by.title if by else one["provider"]
        one["citation"] = by.citation if by else ""
        one["licence_url"] = by.licence_url if by and by.licence == one["licence"] else None
        one["documentation_url"] = by.documentation_url if by else None
    return rows


def count_marked(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Return, per mark of ``MARKS``, licence -> number of observations with this mark."""
    return {
        mark: dict(connection.execute(f"select licence, count(*) from {mark}_figures group by 1 order by 1").fetchall())
        for mark in MARKS
    }


def write_licences(folder: Path, rights: Iterable[dict[str, Any]]) -> None:
    """Write one text per provider."""
    for provider, own in groupby(rights, key=itemgetter("provider")):
        write(folder / f"{provider}.txt", _licence_text(list(own)))


def _licence_text(own: list[dict[str, Any]]) -> str:
    """Return the licence file of one provider: its attribution, and the figures under each of its licences."""
    first = own[0]
    lines = [first["title"], first["documentation_url"] or "", "", f"Cite as: {first['citation']}"]
    for one in own:
        values = "Their values are in this export."
        if one["withheld"]:
            values = f"{one['withheld']:,} of their values are left out of this export."
        elif one["restricted"]:
            values = "Their values are in this export because they were asked for: mind the terms."
        lines += [
            "",
            f"Licence: {one['licence']}",
            *([one["licence_url"]] if one["licence_url"] else []),
            f"Terms: {one['terms'].replace('_', ' ')}: {one['reason']}.",
            f"Figures: {one['figures']:,}. {values}",
            f"Indicators: {one['indicators']}",
        ]
    return "\n".join(lines) + "\n"
