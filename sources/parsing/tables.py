"""JSON and CSV bodies into tables of text. Every column is text; missing values are NULL.

The columns of one provider belong in its adapter, workbooks in ``workbook``, types and ranges in ``observations``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from io import StringIO
from operator import itemgetter
from typing import Any

import polars as pl

from sources.http.bodies import CHUNK, Body
from sources.parsing.responses import UNENDED, UnusableResponse

NUL_BYTES = "the body has NUL bytes: it is damaged, or its encoding is not UTF-8"
_HALF = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
HALF_CHARACTER = re.compile(rf"(\\[^u]|{_HALF[0]}{_HALF[1]})|{_HALF[0]}|{_HALF[1]}")
"""An unpaired UTF-16 surrogate, which cannot be encoded as UTF-8; or, as a group, another escape or a pair."""


def decode(body: bytes) -> str:
    """Return the text of a body. Raise UnusableResponse if it is empty or a page of markup."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")  # only names have other characters than ASCII, and names are not read
    if not text.strip():
        raise UnusableResponse("the body is empty")
    if text.lstrip().startswith("<"):
        raise UnusableResponse("a page of markup came instead of data")
    return text


def parse_json(body: bytes) -> Any:
    """Return the JSON document of a body, with numbers as strings of their digits.

    Raises:
        UnusableResponse: If the body is not JSON, or an object has a field twice.
    """
    text = decode(body)
    if "\\ud" in text or "\\uD" in text:
        text = HALF_CHARACTER.sub(lambda found: found[1] or r"\ufffd", text)
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise UnusableResponse(f"not valid JSON: {error}") from error


def _object(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(fields)
    if len(found) < len(fields):  # it is unknown which of the two values is right
        raise ValueError("an object has a field twice")
    return found


def rows_to_table(rows: Any, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
    """Return the named fields of a list of JSON objects as columns of text.

    Args:
        rows: The parsed JSON.
        required: Fields that every object must have.
        optional: Fields that are NULL in objects without them.

    Raises:
        UnusableResponse: If ``rows`` is not a list of objects, or a required field is missing.
    """
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnusableResponse("the rows are not a list of objects")
    try:
        columns = {name: list(map(itemgetter(name), rows)) for name in required}
    except KeyError as error:
        raise UnusableResponse(f"a row lacks the field {error}") from error
    columns |= {name: [row.get(name) for row in rows] for name in optional}
    return pl.DataFrame({name: text_column(name, values) for name, values in columns.items()})


def text_column(name: str, values: list[Any]) -> pl.Series:
    """Return values as a column of text. Other types than strings are written as JSON, so that rejects show them."""
    if not set(map(type, values)) <= {str, type(None)}:
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pl.Series(name, values, dtype=pl.String())


def csv_text(body: bytes) -> str:
    """Return the text of a CSV; lines that end with CR alone end with LF.

    Raises:
        UnusableResponse: If the body is not text, has NUL bytes or a quote in the wrong place.
    """
    text = decode(body)
    if "\0" in text:
        raise UnusableResponse(NUL_BYTES)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    require_sound_quotes(text)
    return text


def read_csv(body: bytes) -> pl.DataFrame:
    """Return the rows of a CSV with a header. Empty cells are NULL, blank lines are left out.

    Raises:
        UnusableResponse: If the body is not a CSV, has a quote in the wrong place, or ends within a row.
    """
    text = csv_text(body)
    try:
        table = pl.read_csv(text.encode(), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(text, error) from error
    text = text.removesuffix(UNENDED + "\n")
    _require_whole_row(text[text.rfind("\n") + 1 :], table.width)
    return table.filter(pl.any_horizontal(pl.all().is_not_null()))


def read_csv_columns(body: Body, names: Collection[str]) -> pl.DataFrame:
    """Return some columns of a CSV that may be too large for memory; columns that it does not have are left out.

    The second column of the same name is returned as ``<name>_duplicated_0``, see ``require_unique_columns``.

    Raises:
        UnusableResponse: As ``read_csv``, except for quotes.
    """
    decode(body.head())
    line_end = _line_end(body)
    try:
        # bytes that are not UTF-8 are only in names, and names are not read
        table = pl.scan_csv(body.path or body.content, infer_schema=False, encoding="utf8-lossy", eol_char=line_end)
        present = table.collect_schema().names()
        table.select(pl.all().null_count()).collect(engine="streaming")  # finds rows with too many cells
        wanted = [name for name in present if name.removesuffix("_duplicated_0") in names]
        rows = table.select(wanted).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UnusableResponse(f"not a readable CSV: {_first_line(error)}") from error
    _require_whole_row(_last_line(body, line_end), len(present))
    return rows.filter(pl.any_horizontal(pl.all().is_not_null()))


QUOTED = re.compile(r'(?<![^,\n\r])"([^"]*+(?:""[^"]*+)*+)"(?=[,\r\n]|\Z)')
"""A cell in quotes, with two quotes for each quote in it."""


def require_sound_quotes(text: str) -> None:
    """Raise UnusableResponse with the line of a quote that neither begins nor ends a cell, or that is never closed.

    A missing or escaped quote would join rows, or leave them out, without any other sign.
    """
    if '"' not in text or "\n" not in text.strip():  # one line has no rows that could be joined
        return
    if '"' in QUOTED.sub("", text):
        at = next(at for at in _quotes(text) if at is not None)
        line = text.count("\n", 0, at) + 1
        raise UnusableResponse(f"not a readable CSV: line {line}: a quote in the wrong place, or never closed")
    width = text.partition("\n")[0].count(",")
    for cell in QUOTED.finditer(text):
        # a quote that is missing at the end of a cell is closed by the one that begins a later cell
        if "\n" in cell[1] and any(line.count(",") >= width > 0 for line in cell[1].split("\n")[1:]):
            line = text.count("\n", 0, cell.start()) + 1
            raise UnusableResponse(f"not a readable CSV: line {line}: a quote is missing: its cell has whole rows")


def _quotes(text: str) -> Iterator[int | None]:
    """Yield the position of each quote that is no part of a cell in quotes, else None."""
    at = text.find('"')
    while at >= 0:
        cell = QUOTED.match(text, at)
        yield None if cell else at
        at = text.find('"', cell.end() if cell else at + 1)


def _unreadable(text: str, error: Exception) -> UnusableResponse:
    """Return an error in one line: the first line that has more cells than the header, else what polars says."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = csv.reader(StringIO(text, newline=""))
    try:
        width = len(next(rows, []))
        for cells in rows:
            if len(cells) > width:
                fault = f"line {rows.line_num} has {len(cells)} cells, the header has {width}"
                return UnusableResponse(f"not a readable CSV: {fault}")
    except csv.Error:
        pass
    return UnusableResponse(f"not a readable CSV: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def _line_end(body: Body) -> str:
    """Return the character that ends a line: a carriage return if the body has no line feed.

    Raises:
        UnusableResponse: The body has NUL bytes: it is damaged, or not UTF-8.
    """
    found = False
    with body.open() as stream:
        while part := stream.read(CHUNK):
            if b"\0" in part:
                raise UnusableResponse(NUL_BYTES)
            found = found or b"\n" in part
    return "\n" if found else "\r"


def _last_line(body: Body, line_end: str) -> str:
    """Return the text after the last line break of the body as sent."""
    size = 1 << 16
    while True:
        end = body.tail(size).decode("utf-8", errors="replace").removesuffix(UNENDED + "\n")
        if line_end in end or size >= len(body):
            return end[end.rfind(line_end) + 1 :]
        size *= 4


def _require_whole_row(last: str, width: int) -> None:
    """Raise UnusableResponse if the text after the last line break is a part of a row."""
    if not last.strip():
        return
    csv.field_size_limit(max(csv.field_size_limit(), len(last)))
    cells = next(csv.reader([last]), [])
    if len(cells) < width:
        raise UnusableResponse(f"the text ends amid a row, after {len(cells)} of {width} columns")


def require_columns(table: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raise UnusableResponse if columns are missing, or are there twice with different values."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise UnusableResponse(f"the columns {', '.join(missing)} are missing; there are {', '.join(table.columns)}")
    require_unique_columns(table, columns)


def require_unique_columns(table: pl.DataFrame, columns: Iterable[str]) -> None:
    """Raise UnusableResponse if a CSV has one of these columns twice with different values."""
    for name in columns:
        second = f"{name}_duplicated_0"  # the name that polars gives to the second column
        if second in table.columns and table.select(pl.col(name).ne_missing(pl.col(second)).any()).item():
            raise UnusableResponse(f"two columns are called {name}, and differ")
