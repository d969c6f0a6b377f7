"""The XML of a workbook: elements of any valid spelling, encodings, and names of cells.

What the elements of a part mean belongs in ``sheet_marks`` and ``workbook_package``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.parsers import expat

from sources.parsing.responses import UnusableResponse

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

Cell = tuple[int, int]
"""Row and column on the sheet, from 0."""
Start = Callable[[str, dict[str, str]], None]


def parse_xml(
    xml: bytes, start: Start, text: Callable[[str], None] | None = None, end: Callable[[str], None] | None = None
) -> None:
    """Read XML. Raise UnusableResponse if it is not well-formed, or declares entities, which workbooks never do."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise UnusableResponse(f"not a readable workbook: {error}") from error


def _refuse_doctype(*_: object) -> None:
    raise UnusableResponse("not a readable workbook: a part declares a document type")


def local_name(name: str) -> str:
    return name.rpartition(" ")[2]


def as_utf8(xml: bytes) -> bytes:
    """Return XML in UTF-8."""
    if xml[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return xml
    try:
        return re.sub(
            r'(<\?xml[^>]*?)\s+encoding\s*=\s*["\'][^"\']*["\']', r"\1", xml.decode("utf-16"), count=1
        ).encode()
    except UnicodeDecodeError as error:
        raise UnusableResponse(f"not a readable workbook: {error}") from error


def position(reference: str, sheet: str) -> Cell:
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})", reference.strip(), re.ASCII)
    row, column = (int(found[2]), column_of(found[1])) if found else (0, 0)
    if not (1 <= row <= LAST_ROW and 0 <= column < LAST_COLUMN):
        raise UnusableResponse(f"the sheet {sheet} has a cell {reference[:20]}, which cannot exist")
    return row - 1, column


def column_of(letters: str) -> int:
    at = 0
    for letter in letters.upper():
        at = 26 * at + ord(letter) - 64
    return at - 1


def address(cell: Cell) -> str:
    """Return the name of a cell, such as C2."""
    row, column = cell
    letters = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        letters, column = chr(65 + letter) + letters, column - 1
    return f"{letters}{row + 1}"
