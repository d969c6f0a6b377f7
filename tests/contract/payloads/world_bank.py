"""World Bank, Indicators API: an envelope and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, json_body, number
from tests.world_bank_server import ISO2

CODE = "IT.NET.USER.ZS"
MAIN = f"/country/all/indicator/{CODE}"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    found = [
        {
            "indicator": {"id": CODE, "value": "made up"},
            "country": {"id": ISO2.get(row.area, row.area[:2]), "value": "Türkiye"},
            "countryiso3code": row.area,
            "date": row.year,
            "value": number(row.value),
            "unit": "",
            "obs_status": "",
            "decimal": 1,
            **extra,
        }
        for row in rows
    ]
    head = {"page": 1, "pages": 1, "per_page": 32500, "total": len(rows), "sourceid": "2", "lastupdated": "2026-07-13"}
    return {MAIN: json_body([head, found], edit)}


PAYLOAD = Payload(Link(provider="world_bank", code=CODE), build, MAIN, field="date", code=CODE)
