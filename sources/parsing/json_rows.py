"""JSON rows of a known shape into columns of text, in half the time of ``tables.parse_json`` and without its objects.

Belongs here: decoding, and the proof that it lost nothing. Does not belong here: messages about bodies that are damaged
or have another shape. These are left to ``parse_json``, which reads what this module reads, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl


def decode_rows(text: str, kind: type[msgspec.Struct]) -> tuple[str, pl.DataFrame] | None:
    """Return the envelope of a document ``[envelope, rows]`` as JSON, and its rows as columns of text.

    Args:
        text: The document.
        kind: The shape of a row: its fields, also those that are not needed, none of them optional. It forbids others.

    Returns:
        A column for each field ``str | None`` and each number (``msgspec.Raw``), with its digits as sent; that of a
        field of an object is named ``object.field``. None if a row has another shape, or may have a field twice.
    """
    try:
        envelope, rows = _decoder(kind).decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    head, (fields, texts, numbers) = bytes(envelope).decode(), _fields(kind)
    columns = {path: list(map(attrgetter(path), rows)) for path in texts}
    # every field is there once at least, so that none is there twice if there are no more colons than fields
    others = text.count(":") - head.count(":") - fields * len(rows)
    if others and ("\\u003" in text or others != sum(map(_colons, columns.values()))):
        return None
    table = pl.DataFrame([pl.Series(path, values, dtype=pl.String()) for path, values in columns.items()])
    sent = {path: _digits(path, map(attrgetter(path), rows)) for path in numbers}
    if any(column.str.contains(r"^[^-0-9]").any() for column in sent.values()):
        return None
    return head, table.with_columns(sent.values())


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.json.Decoder[tuple[msgspec.Raw, list[Any]]]:
    return msgspec.json.Decoder(tuple[msgspec.Raw, list[kind]])  # type: ignore[valid-type]


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[int, list[str], list[str]]:
    """Return the number of fields of a row and of the objects in it, and the paths of its texts and numbers."""
    count, texts, numbers = 0, [], []
    for field in msgspec.structs.fields(kind):
        count += 1
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            inner, *paths = _fields(field.type)
            count += inner
            texts += [f"{field.name}.{path}" for path in paths[0]]
            numbers += [f"{field.name}.{path}" for path in paths[1]]
        elif field.type is msgspec.Raw:
            numbers.append(field.name)
        elif field.type == str | None:
            texts.append(field.name)
    return count, texts, numbers


def _colons(texts: Iterable[str | None]) -> int:
    return "".join(filter(None, texts)).count(":")


def _digits(name: str, values: Iterable[msgspec.Raw]) -> pl.Series:
    """Return JSON values as text, NULL for null."""
    texts = pl.Series(name, list(map(bytes, values)), dtype=pl.Binary()).cast(pl.String)
    return texts.replace("null", None)
