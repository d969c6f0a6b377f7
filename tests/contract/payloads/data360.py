"""World Bank, Data360: a list of indicators, and rows that name every dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, json_body

CODE = "IT_NET_USER"
MAIN, LIST = "/data360/data", "/data360/indicators"
LINK = Link(provider="data360", code=CODE, options={"database": "ITU_DH", "unit_measure": "PT_POP"})


def cells(row: Row, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the cells that the API and the files have in common."""
    return {
        "DATABASE_ID": "ITU_DH",
        "INDICATOR": CODE,
        "REF_AREA": row.area,
        "SEX": "_T",
        "AGE": "_T",
        "URBANISATION": "_T",
        "COMP_BREAKDOWN_1": "_Z",
        "COMP_BREAKDOWN_2": "_Z",
        "COMP_BREAKDOWN_3": "_Z",
        "TIME_PERIOD": row.year,
        "OBS_VALUE": row.value,
        "UNIT_MEASURE": "PT_POP",
        "UNIT_MULT": "0",
        "OBS_STATUS": "A",
        "OBS_CONF": "PU",
        "COMMENT_OBS": "Türkiye",
        **extra,
    }


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    document = {"count": len(rows), "value": [cells(row, extra) for row in rows]}
    return {LIST: json_body([CODE, "MOB_COV_4G"]), MAIN: json_body(document, edit)}


PAYLOAD = Payload(LINK, build, MAIN, field="REF_AREA", code=CODE, unit="PT_POP")
