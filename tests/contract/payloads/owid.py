"""Our World in Data: a chart's metadata and its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body, json_body

CODE, SLUG = "it_net_user_zs", "internet-use"
MAIN, METADATA = f"/{SLUG}.csv", f"/{SLUG}.metadata.json"
COLUMNS = ("entity", "code", "year", CODE)


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [dict(zip(COLUMNS, ("Türkiye", *row), strict=True)) | extra for row in rows]
    column = {"shortName": CODE, "unit": "percent of people", "lastUpdated": "2026-07-27"}
    return {
        METADATA: json_body({"columns": {"made up": column}}, edit),
        MAIN: csv_body(table, COLUMNS, edit),
    }


PAYLOAD = Payload(
    Link(provider="owid", code=CODE, options={"slug": SLUG, "unit": "%,percent"}),
    build,
    MAIN,
    field="year",
    code=CODE,
    unit="percent of people",
)
