"""UNESCO Institute for Statistics: the release, and records of the requested series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, json_body, number

CODE = "GER.5T8"
MAIN, VERSION = "/data/indicators", "/versions/default"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    records = [
        {
            "indicatorId": CODE,
            "geoUnit": row.area,
            "year": int(row.year) if row.year.isascii() and row.year.isdigit() else row.year,
            "value": number(row.value),
            "magnitude": None,
            "qualifier": None,
            "note": "Türkiye",
            **extra,
        }
        for row in rows
    ]
    return {
        VERSION: json_body({"version": "20260507-91260335"}),
        MAIN: json_body({"hints": [], "records": records, "indicatorMetadata": []}, edit),
    }


PAYLOAD = Payload(Link(provider="unesco_uis", code=CODE), build, MAIN, field="geoUnit", code=CODE)
