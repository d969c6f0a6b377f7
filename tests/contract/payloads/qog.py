"""Quality of Government: one wide table, surveys dated by the year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

CODE = "egov_osi"
MAIN = "/qog_std_ts_jan26.csv"
COLUMNS = ("cname", "ccodealp", "year", CODE)


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [
        dict(zip(COLUMNS, ("Türkiye", row.area, _year_before(row.year), row.value), strict=True)) | extra
        for row in rows
    ]
    return {MAIN: csv_body(table, COLUMNS, edit)}


def _year_before(year: str) -> str:
    return str(int(year) - 1) if year.isascii() and year.isdigit() else year


PAYLOAD = Payload(Link(provider="qog", code=CODE), build, MAIN, field="ccodealp", code=CODE)
