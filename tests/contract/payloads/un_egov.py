"""UN DESA, E-Government Survey: one table per survey, countries by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

MAIN, BEFORE = "/EGOV_DATA_2024.csv", "/EGOV_DATA_2022.csv"
OSI = "Online Service Index"
COLUMNS = ("Survey Year", "Country Name", "E-Government Rank", "E-Government Index", OSI)
SEED = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "economies.csv"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    names = dict(pl.read_csv(SEED).select("iso3", "name").rows())
    table = [
        dict(zip(COLUMNS, (row.year, names.get(row.area, row.area), "1", "0.5", row.value), strict=True)) | extra
        for row in rows
    ]
    before = [row for row in table if row["Survey Year"] == "2022"]
    newest = [row for row in table if row["Survey Year"] != "2022"]
    return {BEFORE: csv_body(before, COLUMNS), MAIN: csv_body(newest, COLUMNS, edit)}


PAYLOAD = Payload(
    Link(provider="un_egov", code="OSI", options={"column": OSI}),
    build,
    MAIN,
    field="Country Name",
    code=OSI,
    edition=True,
)
