"""Forms of CSV that are read, forms that are refused as a whole, and what becomes of single values."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from sources.http.bodies import Body
from sources.observation import Areas
from sources.parsing.observations import parse_observations
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import read_csv, read_csv_columns
from sources.provider import Window

READERS: list[Callable[[bytes], pl.DataFrame]] = [
    read_csv,
    lambda body: read_csv_columns(Body(body), ["iso3", "year", "value"]),
]
ROWS = [("KAZ", "2023", "92.88"), ("UZB", "2023", "89.01")]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(read: Callable[[bytes], pl.DataFrame], line_end: str) -> None:
    lines = [",".join(row) for row in [("iso3", "year", "value"), *ROWS]]
    for last in (line_end, ""):
        assert read((line_end.join(lines) + last).encode()).rows() == ROWS
    with pytest.raises(UnusableResponse, match="ends amid a row"):
        read(line_end.join([*lines, "TJK,20"]).encode())


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("body", [b"iso3,year\nKAZ,2023\n" + b"\0" * 10, "iso3,year\nKAZ,2023\n".encode("utf-16-be")])
def test_a_body_with_nul_bytes_is_refused_as_a_whole(read: Callable[[bytes], pl.DataFrame], body: bytes) -> None:
    with pytest.raises(UnusableResponse, match="NUL bytes"):
        read(body)


def test_minus_zero_is_zero_and_a_reason_has_no_control_characters() -> None:
    rows = pl.DataFrame({"area": ["KAZ", "K\x1b[2J"], "year": ["2024", "2024"], "value": ["-0.0", "1"]})
    areas = Areas(frozenset({"KAZ"}), frozenset(), {}, {})
    parsed = parse_observations(
        rows, areas, Window(2000, 2025), iso3="area", period="year", value="value", raw_sha256="a"
    )
    assert str(parsed["value"][0]) == "0.0"
    assert parsed["reason"].to_list() == [None, "unknown area K?[2J"]
