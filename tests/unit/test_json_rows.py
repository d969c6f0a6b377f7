"""Rows of JSON that are decoded into columns: the same as by ``json``, or left to it."""

from __future__ import annotations

import json
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sources.parsing.json_rows import decode_rows
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import decode
from sources.providers import world_bank_pages
from sources.providers.world_bank_pages import _Row, parse

HEAD = '{"page":1,"pages":1,"per_page":"50","total":2,"sourceid":"2","lastupdated":"2026-07-01"}'
ROW = (
    '{"indicator":{"id":"IT.NET.USER.ZS","value":"Using: the internet"},"country":{"id":"UZ","value":"Uzbekistan"},'
    '"countryiso3code":"UZB","date":"2024","value":1,"unit":"","obs_status":"","decimal":1}'
)

digits = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,4})?", fullmatch=True)
texts = st.text(max_size=8).map(json.dumps) | st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False))
odd = st.sampled_from(
    [
        *(
            "",
            "null",
            "NaN",
            "Infinity",
            "-Infinity",
            "01",
            "1.",
            "+1",
            "-",
            "-0",
            "1e400",
            "1e-400",
            "true",
            "[]",
            '"1"',
        ),
        *(
            '{"a":1}',
            '{"a":1,"a":2}',
            '":"',
            '"\x01"',
            r'"\ud800"',
            r'"\ud83d\ude00"',
            r'"a\u003ab"',
            r'"\":"',
            r'"\\":',
        ),
    ]
)
fields = st.sampled_from(
    ['"value"', '"date"', '"id"', '"unit"', '"decimal"', r'"v\u0061lue"', '"more"', '"obs_status"']
)
spaces = st.sampled_from(["", " ", "\n", "\t "])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An answer with odd values, fields that are there twice or not at all, and a few damaged bytes."""
    rows = []
    for _ in range(draw(st.integers(0, 3))):
        row = ROW.replace('"value":1', f'"value"{draw(spaces)}:{draw(digits | odd)}')
        for old in ('"UZB"', '"2024"', '"Uzbekistan"', '"decimal":1', '"unit":""'):
            if draw(st.integers(0, 9)) == 0:
                row = row.replace(old, f"{old[:-1] if old[-1] == '1' else ''}{draw(digits | texts | odd)}")
        if draw(st.integers(0, 3)) == 0:
            row = f"{row[:-1]},{draw(fields)}{draw(spaces)}:{draw(digits | texts | odd)}}}"
        rows.append(row)
    body = f"[{HEAD},[{','.join(rows)}]]".encode()
    damage = draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf", b"\xff", b":", b'"', b"\\", b"\0", b"}"]))
    at = draw(st.integers(0, len(body))) if damage != b"\xef\xbb\xbf" else 0
    return body[:at] + damage + body[at:]


def read(body: bytes) -> object:
    try:
        page = parse(body)
    except UnusableResponse as error:
        return error.reason, error.outcome
    return page.number, page.pages, page.total, page.source, page.rows.rows(), page.keys.to_list()


def answer(*rows: str) -> bytes:
    return f"[{HEAD},[{','.join(rows)}]]".encode()


@given(body=bodies())
@example(body=answer(ROW))
@example(body=answer(ROW.replace('"date"', '"value" :2,"date"')))
@example(body=answer(ROW.replace('"date"', r'"v\u0061lue":2,"date"')))
@example(body=answer(ROW.replace('"decimal":1', '"decimal":{"a":1,"a":2}')))
@example(body=answer(ROW.replace("Uzbekistan", r"\\ud800\udc00")))  # a backslash, and half a character
def test_every_body_is_read_as_json_reads_it(body: bytes) -> None:
    found = read(body)
    with patch.object(world_bank_pages, "decode_rows", lambda text, kind: None):
        assert read(body) == found


@given(sent=st.lists(digits, min_size=1, max_size=5), name=st.text(max_size=8))
def test_a_number_keeps_its_digits_and_its_value(sent: list[str], name: str) -> None:
    rows = [ROW.replace('"value":1', f'"value":{each}').replace('"Uzbekistan"', json.dumps(name)) for each in sent]
    found = decode_rows(f"[{HEAD},[{','.join(rows)}]]", _Row)
    assert (
        found is not None
        or "\ufffd" in name
        or "\\u003" in json.dumps(name)
        or any(0xD800 <= ord(c) < 0xE000 for c in name)
    )
    if found:
        column = found[1]["value"]
        assert column.to_list() == sent
        assert column.cast(pl.Float64).to_list() == [float(json.loads(each)) for each in sent]


@pytest.mark.parametrize("field", ['"value"', '"date"', r'"v\u0061lue"', '"value" '])
def test_a_field_that_is_there_twice_is_never_read(field: str) -> None:
    body = answer(ROW, f"{ROW[:-1]},{field}:2}}")
    assert decode_rows(decode(body), _Row) is None
    with pytest.raises(UnusableResponse, match="an object has a field twice"):
        parse(body)
