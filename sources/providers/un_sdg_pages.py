"""United Nations, SDG database: pages of a series and the list of series, as tables.

How pages are requested, and which rows a request selects, belongs in ``un_sdg``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import polars as pl

from sources.parsing.pages import keys_of
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import parse_json, rows_to_table, text_column

DIMENSION, ATTRIBUTE = "dimensions.", "attributes."
"""Prefixes of the columns with a row's dimensions and attributes."""
VALUES = {"value", "valueType", "footnotes", "source", "upperBound", "lowerBound", "time_detail"}
"""Fields that do not identify a row."""


@dataclass(frozen=True)
class SdgPage:
    """One page. ``rows`` has ``series``, ``geoAreaCode``, ``timePeriodStart``, ``value``, and each dimension and
    attribute with a prefix; all text."""

    number: int
    pages: int
    total: int
    rows: pl.DataFrame = field(repr=False)
    keys: pl.Series = field(repr=False)


def parse(body: bytes) -> SdgPage:
    """Return one page. Raise UnusableResponse if the body is not one."""
    content = parse_json(body)
    if not isinstance(content, dict):
        raise UnusableResponse("not an answer of the SDG database: an object is expected")
    try:
        number, pages, total = (int(content[name]) for name in ("pageNumber", "totalPages", "totalElements"))
        data = content["data"]
    except KeyError as error:
        raise UnusableResponse(f"the answer lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise UnusableResponse(f"a number of pages or rows is not a number: {error}") from error
    rows = rows_to_table(data, ("series", "geoAreaCode", "timePeriodStart", "value"))
    columns = rows.hstack(_spread(data, DIMENSION) + _spread(data, ATTRIBUTE))
    return SdgPage(number, pages, total, columns, keys_of(data, VALUES))


def _spread(data: list[dict[str, Any]], prefix: str) -> list[pl.Series]:
    """Return the objects in one field of the rows as columns, one per name that occurs in any of them."""
    try:
        objects = [row[prefix.rstrip(".")] for row in data]
        names = sorted(set(chain.from_iterable(objects)))
        return [text_column(prefix + name, [each.get(name) for each in objects]) for name in names]
    except KeyError as error:
        raise UnusableResponse(f"a row lacks the field {error}") from error
    except (TypeError, AttributeError) as error:
        raise UnusableResponse(f"a row's {prefix.rstrip('.')} have another shape than documented: {error}") from error


def releases_of(body: bytes) -> dict[str, str]:
    """Return series -> its release, from ``/Series/List``. Raise UnusableResponse if the list cannot be read."""
    table = rows_to_table(parse_json(body), ("code", "release"))
    if table.is_empty():
        raise UnusableResponse("the list of series is empty")
    return dict(table.select("code", "release").rows())
