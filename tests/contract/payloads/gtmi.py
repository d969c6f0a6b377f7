"""World Bank, GovTech Maturity Index: a workbook with every wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from sources.providers.gtmi import RELEASES
from tests.contract.payloads import Body, Edit, Payload, Row, workbook_body

SHEET = "GTMI_Data"
MAIN = f"/{RELEASES[2025]}"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    table = [["Year", "Code", "Economy", "Grp", "GTMI", "CGSI", "PSDI", "DCEI", "GTEI", *extra]]
    table += [
        [row.year, row.area, "made up", "A", "0.5", row.value, "0.4", "0.3", "0.2", *extra.values()] for row in rows
    ]
    return {MAIN: workbook_body(SHEET, table, edit)}


PAYLOAD = Payload(
    Link(provider="gtmi", code="CGSI"),
    build,
    MAIN,
    field="Code",
    code="CGSI",
    years=(2022, 2025),
    sheet=SHEET,
    edition=True,
)
