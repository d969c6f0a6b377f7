"""United Nations, SDG database: a list of series, and rows with dimensions and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, json_body

CODE = "IT_USE_ii99"
MAIN, LIST = "/Series/Data", "/Series/List"
SEED = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds" / "economies.csv"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    m49 = dict(pl.read_csv(SEED).drop_nulls("m49").select("iso3", pl.col("m49").cast(pl.String)).rows())
    data = [
        {
            "series": CODE,
            "seriesDescription": "made up",
            "geoAreaCode": m49.get(row.area, row.area),
            "geoAreaName": "Türkiye",
            "timePeriodStart": float(row.year) if row.year.isascii() and row.year.isdigit() else row.year,
            "value": row.value,
            "attributes": {"Nature": "C", "Units": "PERCENT"},
            "dimensions": {"Reporting Type": "G", "Sex": "BOTHSEX", "Age": "ALLAGE"},
            **extra,
        }
        for row in rows
    ]
    head = {"size": 10000, "totalElements": len(rows), "totalPages": 1, "pageNumber": 1}
    listed = [{"code": code, "release": "2026.Q2.G.02"} for code in (CODE, "IT_MOB_4GNTWK")]
    return {LIST: json_body(listed), MAIN: json_body({**head, "data": data}, edit)}


PAYLOAD = Payload(
    Link(provider="un_sdg", code=CODE, options={"Sex": "BOTHSEX", "Age": "ALLAGE", "Units": "PERCENT"}),
    build,
    MAIN,
    field="geoAreaCode",
    code=CODE,
    unit="PERCENT",
)
