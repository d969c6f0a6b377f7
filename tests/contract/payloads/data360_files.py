"""World Bank, Data360 files: the rows of the API as a CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.contract.payloads import Body, Edit, Payload, Row, csv_body
from tests.contract.payloads.data360 import CODE, LINK, cells

MAIN = f"/ITU_DH/{CODE}.csv"


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    columns = list(cells(Row("", "", ""), extra))
    return {MAIN: csv_body([cells(row, extra) for row in rows], columns, edit)}


PAYLOAD = Payload(
    LINK.model_copy(update={"provider": "data360_files"}), build, MAIN, field="REF_AREA", code=CODE, unit="PT_POP"
)
