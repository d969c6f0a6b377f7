"""World Bank, Global Findex: the whole database as one table of shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

CODE = "g20_any"
MAIN = "/GlobalFindexDatabase2025.csv"
COLUMNS = ("countrynewwb", "codewb", "year", "regionwb24_hi", "group", "group2", CODE)


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [
        dict(zip(COLUMNS, ("Türkiye", row.area, row.year, "made up", "all", "all", _share(row.value)), strict=True))
        | extra
        for row in rows
    ]
    return {MAIN: csv_body(table, COLUMNS, edit)}


def _share(percent: str) -> str:
    try:
        percent.encode("ascii")
        return str(Decimal(percent) / 100)
    except (InvalidOperation, UnicodeEncodeError):
        return percent


PAYLOAD = Payload(Link(provider="findex", code=CODE), build, MAIN, field="codewb", code=CODE)
