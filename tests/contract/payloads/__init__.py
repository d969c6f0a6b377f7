"""Good answers of every provider, one module each, built from the same figures: what the conformance tests spoil.

Belongs here: how a provider writes figures down. Does not belong here: what goes wrong (``test_conformance``). A new
adapter needs one module, named after its provider, with a ``PAYLOAD``.
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
"""What a test does to the text of a body, or to every text in a workbook."""


class Row(NamedTuple):
    """A figure to be written down. ``area`` is ISO3, or a code that no country has; the others are text as given."""

    area: str
    year: str
    value: str


class Body(NamedTuple):
    content: bytes
    content_type: str


Build = Callable[[Sequence[Row], Edit, Mapping[str, str]], dict[str, Body]]
"""Rows, an edit of the main body, fields that every row has besides -> path below the base address -> body."""


@dataclass(frozen=True)
class Payload:
    """How one provider answers. ``main`` is the path of the body with the newest figures.

    ``field`` is a name without which the main body cannot be read, ``code`` how it names the series, ``unit`` how an
    answer names the unit, and ``sheet`` how a workbook names its sheet, where they do. ``years`` are two that it can
    have. A file with an ``edition`` says in itself which it is.
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


def payload(provider: str) -> Payload:
    """The payload of a provider. Raises ModuleNotFoundError where its module is still to be written."""
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
    """A table; its columns are there without any row too."""
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return Body(edit(out.getvalue()).encode(), "text/csv")


def workbook_body(sheet: str, table: Sequence[Sequence[str]], edit: Edit = str) -> Body:
    """A workbook whose first sheet holds nothing of use."""
    rows = [[_cell(edit(cell)) for cell in row] for row in table]
    return Body(workbook({"Read me": [["made up"]], edit(sheet): rows}), XLSX)


def _cell(text: str) -> Any:
    """A cell as workbooks have it: there is no number in it that is none."""
    found = number(text)
    return found if isinstance(found, float) and math.isfinite(found) else text
