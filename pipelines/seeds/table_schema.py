"""The seeds that people edit by hand, read row by row and checked before anything is built from them.

Belongs here: what all of these tables have in common, and the messages for their faults.
Does not belong here: the shape of a table (``claim_register``, ``framework_register``), building (``models``).
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sources.errors import ConfigurationError

Year = Annotated[int, Field(ge=1990, le=2100)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Row(BaseModel):
    """One row of a seed. Empty cells are not there; a column that is not declared is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Table:
    """One seed: its row, its key, and the columns whose entries stand elsewhere (column -> name of the known ids).

    A message names a row by its key, or by the columns ``named_by``.
    """

    file: str
    row: type[Row]
    key: tuple[str, ...]
    known_as: Mapping[str, str] = field(default_factory=dict)
    named_by: tuple[str, ...] = ()


Key = tuple[str, ...]
Checked = dict[Key, tuple[int, Row]]
"""Key -> line of the file and row."""


def read_rows(path: Path) -> Iterator[tuple[int, dict[str | None, str]]]:
    """Line number and cells of every row. A row that is too long has the key None, one too short lacks cells."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error})") from error
    try:
        text = content.decode("utf-8-sig")  # spreadsheets put a byte order mark in front, and dbt passes over it
    except UnicodeDecodeError as error:
        raise _undecodable(path, content.removeprefix(BOM_UTF8)) from error
    reader = csv.DictReader(StringIO(text, newline=""), restval="", strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ConfigurationError(f"{path}:{reader.line_num}: not valid CSV: {error}") from error


def _undecodable(path: Path, content: bytes) -> ConfigurationError:
    """The error for the first byte that is not UTF-8, by the cell in which it stands."""
    readable = content.decode("utf-8", errors="surrogateescape")
    at = next(i for i, letter in enumerate(readable) if "\udc80" <= letter <= "\udcff")
    rows = list(csv.reader(StringIO(readable[: at + 1], newline="")))
    line, entry = readable.count("\n", 0, at) + 1, rows[-1][0] if len(rows[-1]) > 1 else "first cell"
    column = rows[0][len(rows[-1]) - 1] if len(rows) > 1 and len(rows[-1]) <= len(rows[0]) else "heading"
    return fault(
        path, line, entry, column, f"byte 0x{ord(readable[at]) - 0xDC00:02x} is not UTF-8: save the file as such"
    )


def read_column(path: Path, name: str, where: Callable[[dict[str | None, str]], bool] = lambda row: True) -> set[str]:
    """The distinct entries of a column."""
    found: set[str] = set()
    for _, row in read_rows(path):
        try:
            if where(row):
                found.add(row[name])
        except KeyError as error:
            raise ConfigurationError(f"{path}:1: column {error.args[0]}: is missing") from error
    return found


def fault(path: Path, line: int, entry: str, column: str, told: str) -> ConfigurationError:
    """The error for one cell, to be raised."""
    return ConfigurationError(f"{path}:{line}: {entry}: column {column}: {told}")


def check_table(seeds: Path, table: Table, known: Mapping[str, Collection[str]]) -> Checked:
    """Check one table. Raises ConfigurationError for the first fault, naming file, line, entry, column and remedy."""
    path = seeds / table.file
    found: Checked = {}
    columns = list(table.row.model_fields)
    for line, row in read_rows(path):
        entry = (
            " ".join(filter(None, (row.get(column) for column in table.named_by or table.key)))
            or f"without {table.key[0]}"
        )
        if None in row:
            raise ConfigurationError(
                f"{path}:{line}: {entry}: more cells than the {len(columns)} columns: a cell with a comma stands"
                " between double quotes"
            )
        if missing := [column for column in columns if column not in row]:
            raise ConfigurationError(f"{path}:1: column {missing[0]}: is missing; the columns are {', '.join(columns)}")
        cells = {str(column): cell for column, cell in row.items()}
        try:
            valid = table.row.model_validate({column: cell for column, cell in cells.items() if cell})
        except ValidationError as error:
            raise ConfigurationError(f"{path}:{line}: {entry}: {_told(error)}") from error
        for column, source in table.known_as.items():
            for code in filter(None, cells[column].split(";")):
                if code not in known[source]:
                    told = f"{code!r} does not stand in {source}{_near(code, known[source])}"
                    raise fault(path, line, entry, column, told)
        key = tuple(cells[column] for column in table.key)
        if key in found:
            told = f"{key[-1]!r} already stands in line {found[key][0]}; remove one of them"
            raise fault(path, line, entry, table.key[-1], told)
        found[key] = (line, valid)
    return found


def _near(code: str, known: Collection[str]) -> str:
    near = get_close_matches(code, known, n=3, cutoff=0.5)
    return f"; near it are {', '.join(near)}" if near else ""


def _told(error: ValidationError) -> str:
    """The first fault of a row: the column, what is wrong with it, what it holds."""
    first = error.errors()[0]
    if not first["loc"]:  # a fault between columns names the one to change
        return "column " + first["msg"].removeprefix("Value error, ")
    column = first["loc"][0]
    if first["type"] == "missing":
        return f"column {column}: is empty and may not be"
    if first["type"] == "extra_forbidden":
        return f"column {column}: is not a column of this table"
    return f"column {column}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}"
