"""ITU, ICT Price Baskets: a workbook with one row per basket and one column per year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, workbook_body

CODE, SHEET = "i154_FBB5_GNI", "economies_2008-2024"
MAIN = "/ITU_ICTPriceBaskets_2008-2024.xlsx"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    years = sorted({row.year for row in rows} | {"2022", "2024"})
    lines: dict[tuple[str, int], dict[str, str]] = {}
    for row in rows:  # a duplicate needs a second row for its economy
        again = sum(row.year in line for (area, _), line in lines.items() if area == row.area)
        lines.setdefault((row.area, again), {})[row.year] = row.value
    table = [["IsoCode", "Economy", "Code", "Unit", *extra, *years]]
    table += [
        [area, "made up", CODE, "GNIpc", *extra.values(), *(line.get(year, "NA") for year in years)]
        for (area, _), line in lines.items()
    ]
    return {MAIN: workbook_body(SHEET, table, edit)}


PAYLOAD = Payload(
    Link(provider="itu_prices", code=CODE, options={"unit": "GNIpc"}),
    build,
    MAIN,
    field="IsoCode",
    code=CODE,
    unit="GNIpc",
    sheet=SHEET,
    edition=True,
)
