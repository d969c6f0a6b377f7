"""UN Trade and Development, Cyberlaw Tracker: one CSV with one row per country, and a status per area of law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from sources.catalogue import Link
from sources.providers.unctad_cyberlaw import AREAS_OF_LAW, FILES, SEPARATOR
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

MAIN = f"/{FILES[2026]}"
YEAR = "2026"
SEED = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "economies.csv"
STATUSES = ("No Legislation", "Draft Legislation", "Legislation")


def statuses(count: str) -> list[str]:
    """Return a status per area of law that together give the count. Text that is no count becomes the first status."""
    if not count:
        return [""] * len(AREAS_OF_LAW)
    for halves in range(2 * len(AREAS_OF_LAW) + 1):
        if count in (f"{halves / 2}", f"{halves / 2:g}"):
            return [STATUSES[max(0, min(2, halves - 2 * at))] for at in range(len(AREAS_OF_LAW))]
    return [count, *["Legislation"] * (len(AREAS_OF_LAW) - 1)]


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    """Return the file of the edition. It has no years, so that a row of any other year cannot be in it."""
    m49 = dict(pl.read_csv(SEED, infer_schema=False).select("iso3", "m49").drop_nulls().rows())
    table = [
        {"code": m49[row.area].zfill(3) if row.area in m49 else row.area, "country": "Türkiye"}
        | dict(zip(AREAS_OF_LAW, statuses(row.value), strict=True))
        | {"Indirect Taxation": "Legislation", "Africa": "0"}
        | extra
        for row in rows
        if row.year == YEAR
    ]
    return {MAIN: csv_body(table, ("code", "country", *AREAS_OF_LAW, "Indirect Taxation", "Africa"), edit)}


PAYLOAD = Payload(
    Link(provider="unctad_cyberlaw", code=SEPARATOR.join(AREAS_OF_LAW)),
    build,
    MAIN,
    field="code",
    code="Cybercrime",
    years=(2026, 2026),
    figure=lambda at: 0.5 + at % 8 / 2,
)
