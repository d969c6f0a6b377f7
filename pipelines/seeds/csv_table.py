"""Read the CSV file of a seed, and make the messages about its cells.

Belongs here: bytes, CSV syntax and line numbers. Does not belong here: what a table may contain (``table_schema``).
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Collection, Sequence
from io import StringIO
from pathlib import Path

import polars as pl

from sources.errors import ConfigurationError

LINE = "_line"
"""Column with the line of the file on which a row ends."""


def cell_fault(path: Path, line: int, entry: str, column: str, message: str) -> ConfigurationError:
    """Return the error for one cell."""
    return ConfigurationError(f"{path}:{line}: {entry}: column {column}: {message}")


def read_cells(path: Path, columns: Sequence[str], optional: Collection[str] = ()) -> pl.DataFrame:
    """Return the cells of a CSV file as text.

    Args:
        path: A CSV file in UTF-8, with or without a byte order mark, with one heading per column.
        columns: The headings that the file must have, in any order.
        optional: Those of ``columns`` that the file may lack; their cells are empty.

    Returns:
        One row per row of the file: ``columns`` as strings, NULL for an empty cell, and ``LINE``.

    Raises:
        ConfigurationError: The file cannot be read, is not UTF-8 or not valid CSV, a column is missing or unknown, or a
            row has more cells than there are columns.
    """
    reader = csv.reader(StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        rows = [(reader.line_num, *row) for row in reader if row]
    except csv.Error as error:
        raise ConfigurationError(f"{path}:{reader.line_num}: not valid CSV: {error}") from error
    for missing in [column for column in columns if column not in header and column not in optional]:
        raise ConfigurationError(f"{path}:1: column {missing}: is missing; the columns are {', '.join(columns)}")
    for unknown in [column for column in header if column not in columns]:
        raise ConfigurationError(f"{path}:1: column {unknown}: is not declared in {path.parent.name}/_*.yml")
    for line, *cells in rows:
        if len(cells) > len(header):
            raise ConfigurationError(
                f"{path}:{line}: {cells[0]}: more cells than the {len(header)} columns: put a cell that contains a"
                " comma between double quotes"
            )
    width = len(header) + 1
    padded = [(*row, *[""] * (width - len(row))) for row in rows]
    schema = {LINE: pl.Int64} | dict.fromkeys(header, pl.String)
    frame = pl.DataFrame(padded, schema=schema, orient="row").with_columns(pl.col(pl.String).replace("", None))
    return frame.with_columns(pl.lit(None, pl.String).alias(column) for column in columns if column not in header)


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return content.decode("utf-8-sig")  # spreadsheets write a byte order mark, which dbt ignores
    except UnicodeDecodeError as error:
        raise _undecodable(path, content.removeprefix(BOM_UTF8)) from error


def _undecodable(path: Path, content: bytes) -> ConfigurationError:
    """Return the error for the first byte that is not UTF-8, with the cell that contains it."""
    readable = content.decode("utf-8", errors="surrogateescape")
    at = next(i for i, letter in enumerate(readable) if "\udc80" <= letter <= "\udcff")
    rows = list(csv.reader(StringIO(readable[: at + 1], newline="")))
    line, entry = readable.count("\n", 0, at) + 1, rows[-1][0] if len(rows[-1]) > 1 else "first cell"
    column = rows[0][len(rows[-1]) - 1] if len(rows) > 1 and len(rows[-1]) <= len(rows[0]) else "heading"
    byte = f"byte 0x{ord(readable[at]) - 0xDC00:02x}"
    return cell_fault(path, line, entry, column, f"{byte} is not UTF-8: save the file in UTF-8")
