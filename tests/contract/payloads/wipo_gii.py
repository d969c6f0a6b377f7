"""WIPO, Global Innovation Index: the site's panel of editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

MAIN = "/gii-ranking/data/model_pageone_2024.csv"
COLUMNS = ("GIIYR", "ISO3", "CODE", "SCORE", "RANK", "NAME")


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [
        dict(zip(COLUMNS, (row.year, row.area, "Index", row.value, "1", "Türkiye"), strict=True)) | extra
        for row in rows
    ]
    return {MAIN: csv_body(table, COLUMNS, edit)}


PAYLOAD = Payload(
    Link(provider="wipo_gii", code="Index", options={"file": "model_pageone", "column": "SCORE"}),
    build,
    MAIN,
    field="GIIYR",
    code="Index",
    edition=True,
)
