"""GitHub Innovation Graph: a CSV per measure, one row per economy and quarter, economies by ISO2 code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from pipelines.workspace import DBT_PROJECT, load_areas
from sources.catalogue import Link
from tests.contract.payloads import Body, Edit, Payload, Row, csv_body

CODE = "developers"
MAIN = f"/{CODE}.csv"


@cache
def iso2_codes() -> Mapping[str, str]:
    return {iso3: iso2 for iso2, iso3 in load_areas(DBT_PROJECT).iso2_to_iso3.items()}


def quarterly(code: str, rows: Sequence[Row], extra: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of a measure: everything in the fourth quarter, so that a flow and a stock have one figure."""
    return [
        {code: value, "iso2_code": iso2_codes().get(row.area, row.area), "year": row.year, "quarter": quarter} | extra
        for row in rows
        for quarter, value in (*((early, "0") for early in "123"), ("4", row.value))
    ]


def build(rows: Sequence[Row], edit: Edit, extra: Mapping[str, str]) -> dict[str, Body]:
    return {MAIN: csv_body(quarterly(CODE, rows, extra), (CODE, "iso2_code", "year", "quarter"), edit)}


PAYLOAD = Payload(Link(provider="github_innovation", code=CODE), build, MAIN, field="iso2_code", code=CODE)
