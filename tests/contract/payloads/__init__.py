"""Valid responses of every provider, built from the same figures, one module per provider.

Belongs here: the format of a provider's figures. Does not belong here: faults (``test_conformance`` adds them). A new
adapter needs one module with a ``PAYLOAD``, named after its provider.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from typing import Any, NamedTuple

from sources.catalogue import Link
from tests.contract.workbooks import XLSX, workbook

Edit = Callable[[str], str]
"""The change of a test in the text of a body, or in every text of a workbook."""


class Row(NamedTuple):
    """A figure of a response. ``area`` is ISO3 or a code of no country; the other fields are text as given."""

    area: str
    year: str
    value: str


class Body(NamedTuple):
    content: bytes
    content_type: str


Build = Callable[[Sequence[Row], Edit, Mapping[str, str]], dict[str, Body]]
"""Rows, an edit of the main body, additional fields of every row -> path below the base address -> body."""


@dataclass(frozen=True)
class Payload:
    """The responses of one provider. ``main`` is the path of the body with the newest figures.

    ``field`` is a name that the main body needs, ``code`` its name of the series, ``unit`` its name of the unit and
    ``sheet`` the name of the sheet in a workbook; an empty value means that the provider has none. ``years`` are two
    years that it can contain, or one year twice. A file with an ``edition`` contains the number of its edition.
    ``countries`` are those that it can contain, all of the tests if empty. ``figure`` gives the value at a position.
    """

    link: Link
    build: Build
    main: str
    field: str
    code: str
    years: tuple[int, int] = (2022, 2024)
    unit: str | None = None
    sheet: str | None = None
    edition: bool = False
    countries: tuple[str, ...] = ()
    figure: Callable[[int], float] = lambda at: round(21.5 + 3.25 * at, 2)


def payload(provider: str) -> Payload:
    """Return the payload of a provider. Raise ModuleNotFoundError if it has no module yet."""
    found = import_module(f"{__name__}.{provider}").PAYLOAD
    assert isinstance(found, Payload)
    return found


def number(text: str) -> Any:
    """Return a value for a JSON document: a number if the text is one, digits of other scripts as text."""
    if re.fullmatch(r"-?\d+(\.\d+)?(e\d+)?|-?NaN|-?Infinity", text, re.ASCII):
        return int(text) if text.isdigit() else float(text)
    return text or None


def json_body(document: Any, edit: Edit = str) -> Body:
    return Body(edit(json.dumps(document, ensure_ascii=False)).encode(), "application/json")


def csv_body(rows: Sequence[Mapping[str, str]], columns: Sequence[str], edit: Edit = str) -> Body:
    """Return a CSV body. It has its header even without rows."""
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Body(edit(out.getvalue()).encode(), "text/csv")


def workbook_body(sheet: str, table: Sequence[Sequence[str]], edit: Edit = str) -> Body:
    """Return a workbook with an irrelevant first sheet."""
    rows = [[_cell(edit(cell)) for cell in row] for row in table]
    return Body(workbook({"Read me": [["made up"]], edit(sheet): rows}), XLSX)


def _cell(text: str) -> Any:
    """Return a cell as a workbook stores it: a number only if the text is a finite number."""
    found = number(text)
    return found if isinstance(found, float) and math.isfinite(found) else text
