"""WIPO, Global Innovation Index: the workbook of an edition, raw figures under their data years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, workbook_body

NAME, SHEET = "High-tech exports, % total trade", "Data"
MAIN = "/edocs/pubdocs/en/wipo-pub-2000-2024-tech1.xlsx"
COLUMNS = ("ISO3", "ECONOMY_NAME", "NUM", "NAME", "DATAYR", "VALUE_SCREEN", "SCORE", "RANK")


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [[*COLUMNS, *extra]]
    table += [[row.area, "made up", "OUT.6.3.3", NAME, row.year, row.value, "50", "1", *extra.values()] for row in rows]
    table.append(["XKX", "made up", "OUT.7", "Something else, %", "2024", "1", "1", "1", *extra.values()])
    return {MAIN: workbook_body(SHEET, table, edit)}


PAYLOAD = Payload(
    Link(provider="wipo_gii", code="OUT.6.3.3", options={"file": "workbook", "name": NAME, "column": "value"}),
    build,
    MAIN,
    field="ISO3",
    code=NAME,
    sheet=SHEET,
    edition=True,
)
