"""The parts of a workbook that the library for cells does not give: hidden sheets, formulas, formats, superscripts.

Belongs here: the package and its XML, read with a parser for XML that allows every valid spelling, and its limits. Does
not belong here: the values of cells (``workbook``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any
from xml.parsers import expat
from zipfile import ZIP_STORED, ZipFile

from sources.parsing.responses import UnusableResponse

MAX_UNPACKED = 256 << 20
MAX_RATIO = 200
"""Unpacked bytes per packed byte; real workbooks have 5 to 10."""
MAX_GRID = 2_000_000
"""Most rows times columns of a sheet, empty cells included; real sheets have up to 300,000."""
MAX_CELLS = 10_000_000
MAX_ARRAY = 100_000
"""Most cells of a formula for several cells."""
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

MAIN = "xl/workbook.xml"
HIDDEN = {"hidden", "veryHidden"}
PERCENT_FORMATS = {9, 10}
"""Numbers of the built-in formats with a per cent sign."""
LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
"""Parts of a format that are text, a colour or a space."""
DECLARED = re.compile(r"""(<\?xml[^>]*?)\s+encoding\s*=\s*["'][^"']*["']""")
"""The declaration of an encoding."""
THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")

AFTER_DATA = ("mergeCells", "extLst", "conditionalFormatting", "dataValidations")
"""Elements after the cells of a sheet, some of which have formulas too."""
Cell = tuple[int, int]
"""Row and column on the sheet, from 0."""
Start = Callable[[str, dict[str, str]], None]


@dataclass(frozen=True)
class SheetPart:
    """A sheet, its part in the package (None if it has none), and whether it is hidden."""

    name: str
    part: str | None
    hidden: bool


@dataclass
class Marks:
    """What a sheet has besides values.

    Attributes:
        formulas: Cells with a formula.
        formats: Cells whose number is shown in another scale -> how it is shown.
        raised: Text of a cell with raised or lowered characters -> the same text with a mark.
        hidden_rows: Hidden rows, from 0.
    """

    formulas: set[Cell] = field(default_factory=set)
    formats: dict[Cell, str] = field(default_factory=dict)
    raised: dict[str, str] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)


class Package:
    """An opened workbook package. Names of parts are compared as Excel does: without case, with any slash."""

    def __init__(self, body: bytes) -> None:
        """Raise UnusableResponse if the package is damaged, ambiguous or too large; BadZipFile if it is none."""
        self._body = body
        self._zip = ZipFile(BytesIO(body))
        unpacked = sum(part.file_size for part in self._zip.infolist())
        if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * len(body):
            raise UnusableResponse(f"not a workbook: {len(body):,} bytes would unpack to {unpacked:,}")
        if broken := self._zip.testzip():  # reads no more than each part announces, so the sum above holds
            raise UnusableResponse(f"the workbook is damaged: {broken}")
        self._names: dict[str, str] = {}
        for name in self._zip.namelist():
            if self._names.setdefault(_plain(name), name) != name or self._zip.namelist().count(name) > 1:
                raise UnusableResponse(f"not a workbook: the part {name} is there twice")

    def read(self, part: str) -> bytes:
        """Return a part as UTF-8. Raise UnusableResponse if it is missing."""
        name = self._names.get(_plain(part))
        if name is None:
            raise UnusableResponse(f"not a readable workbook: the part {part} is missing")
        return _utf8(self._zip.read(name))

    def has(self, part: str) -> bool:
        return _plain(part) in self._names

    @cached_property
    def main(self) -> str:
        """The part of the workbook, which need not have its usual name."""
        if self.has("_rels/.rels"):
            for kind, target in self._relations("").values():
                if kind.endswith("/officeDocument"):
                    return target
        return MAIN

    @cached_property
    def sheets(self) -> list[SheetPart]:
        """The sheets in their order."""
        relations, found = self._relations(self.main), []

        def start(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == "sheet":
                by_name = {_local(key): value for key, value in attributes.items() if " " in key}
                _, part = relations.get(by_name.get("id", ""), ("", None))
                found.append(SheetPart(attributes.get("name", ""), part, attributes.get("state") in HIDDEN))

        _parse(self.read(self.main), start)
        return found

    @cached_property
    def scaled_styles(self) -> dict[str, str]:
        """Number of a cell style -> how it shows a number in another scale; only of such styles."""
        part = self._part_of("/styles")
        formats: dict[int, str] = dict.fromkeys(PERCENT_FORMATS, "in per cent")
        styles: list[int] = []
        inside = [False]

        def start(name: str, attributes: dict[str, str]) -> None:
            tag = _local(name)
            if tag == "numFmt" and attributes.get("numFmtId", "").isdigit():
                if shown := _scale(attributes.get("formatCode", "")):
                    formats[int(attributes["numFmtId"])] = shown
            elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
                inside[0] = tag == "cellXfs"
            elif tag == "xf" and inside[0]:
                number = attributes.get("numFmtId", "0")
                styles.append(int(number) if number.isdigit() else 0)

        if part is not None:
            _parse(self.read(part), start)
        return {str(at): formats[number] for at, number in enumerate(styles) if number in formats}

    @cached_property
    def raised_texts(self) -> dict[str, str]:
        """Shared text with raised or lowered characters -> the same text with a mark."""
        part = self._part_of("/sharedStrings")
        xml = self.read(part) if part is not None else b""
        return _raised(xml, "si") if b"vertAlign" in xml else {}

    def marks(self, sheet: SheetPart) -> Marks:
        """Return what a sheet has besides values.

        Raises:
            UnusableResponse: A cell is so far off that the sheet would have more than ``MAX_GRID`` cells.
        """
        if sheet.part is None:
            raise UnusableResponse(f"not a readable workbook: the sheet {sheet.name} has no part")
        xml = self.read(sheet.part)
        scan = _Scan(sheet.name, self.scaled_styles)
        _parse(xml, scan.start)
        scan.marks.raised = dict(self.raised_texts)
        if b"vertAlign" in xml:
            scan.marks.raised |= _raised(xml, "is")
        return scan.marks

    def for_calamine(self) -> bytes:
        """Return the package as the library for cells reads it: UTF-8, the workbook's part under its usual name."""
        utf16 = any(self._zip.read(name)[:2] in (b"\xff\xfe", b"\xfe\xff") for name in self._xml_names())
        if _plain(self.main) == MAIN and not utf16:
            return self._body
        folder, base = posixpath.split(self.main)
        renamed = {
            _plain(self.main): MAIN,
            _plain(f"{folder}/_rels/{base}.rels"): "xl/_rels/workbook.xml.rels",
        }
        if folder.lower() != "xl":
            raise UnusableResponse(f"not a readable workbook: its main part is {self.main}")
        buffer = BytesIO()
        with ZipFile(buffer, "w", ZIP_STORED) as package:
            for plain, name in self._names.items():
                content = self._zip.read(name)
                if plain.endswith((".xml", ".rels")):
                    content = _utf8(content)
                package.writestr(renamed.get(plain, plain if plain in renamed else name.replace("\\", "/")), content)
        return buffer.getvalue()

    def _xml_names(self) -> Iterator[str]:
        return (name for plain, name in self._names.items() if plain.endswith((".xml", ".rels")))

    def _part_of(self, kind: str) -> str | None:
        """Return the part of the workbook with a kind, None if there is none."""
        relations = self._relations(self.main).values()
        return next((part for name, part in relations if name.endswith(kind) and self.has(part)), None)

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return id -> kind and part, for what a part refers to."""
        folder, base = posixpath.split(part)
        path, found = posixpath.join(folder, "_rels", f"{base}.rels"), {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(
                    posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/"))
                )
                found[attributes.get("Id", "")] = (attributes.get("Type", ""), target.lstrip("/"))

        _parse(self.read(path), start)
        return found


class _Scan:
    """Reads the elements of a sheet. It is called for each of them, so it does little for most."""

    def __init__(self, sheet: str, scaled: dict[str, str]) -> None:
        self.marks = Marks()
        self._sheet, self._scaled = sheet, scaled
        self._row, self._last_row, self._last_column = -1, -1, -1
        self._after, self._cells = -1, 0
        self._attributes: dict[str, str] = {}
        self._ref, self._in_data = "", False
        self._columns: dict[str, int] = {}
        self._others = {"f": self._add_formula, "row": self._begin_row, "sheetData": self._begin_data}
        self._others |= dict.fromkeys(AFTER_DATA, self._end_data)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "c":
            self._attributes = attributes
            if "r" in attributes:
                self._ref, self._after = attributes["r"], 0
            else:
                self._after += 1
            self._cells += 1
            if self._cells > MAX_CELLS:
                raise UnusableResponse(f"the sheet {self._sheet} has more than {MAX_CELLS:,} cells")
        elif tag in ("v", "is"):
            if self._in_data:
                self._extend(self._cell())
        elif tag in self._others:
            self._others[tag](attributes)

    def _begin_data(self, _: dict[str, str]) -> None:
        self._in_data = True

    def _end_data(self, _: dict[str, str]) -> None:
        self._in_data = False

    def _begin_row(self, attributes: dict[str, str]) -> None:
        row = attributes.get("r", "").strip()
        self._row = int(row) - 1 if row.isdigit() and len(row) < 9 else self._row + 1
        self._ref, self._after = "", -1
        if attributes.get("hidden") in ("1", "true"):
            self.marks.hidden_rows.append(self._row)

    def _cell(self) -> Cell:
        """Return the present cell: its own name, else the one after the last that has a name."""
        if not self._ref:
            return self._row, self._after
        letters = self._ref.rstrip("0123456789")
        if letters not in self._columns:
            self._columns[letters] = _position(self._ref, self._sheet)[1]
        row = self._ref[len(letters) :]
        if len(row) > 7 or not 0 < int(row or 0) <= LAST_ROW:
            _position(self._ref, self._sheet)
        return int(row) - 1, self._columns[letters] + self._after

    def _extend(self, cell: Cell) -> None:
        """Count a cell with a value, and add its format if that shows it in another scale."""
        row, column = cell
        if row > self._last_row or column > self._last_column:
            self._last_row, self._last_column = max(self._last_row, row), max(self._last_column, column)
            if (self._last_row + 1) * (self._last_column + 1) > MAX_GRID:
                size = f"{self._last_row + 1:,} rows and {self._last_column + 1:,} columns"
                raise UnusableResponse(
                    f"the sheet {self._sheet} would have {size} with its cell {address(cell)}; "
                    "delete the cells that are no part of the table"
                )
        if not self._scaled or self._attributes.get("t", "n") != "n":
            return
        if shown := self._scaled.get(self._attributes.get("s", "0")):
            self.marks.formats[cell] = shown

    def _add_formula(self, attributes: dict[str, str]) -> None:
        if not self._in_data:
            return
        cell = self._cell()
        self._extend(cell)
        self.marks.formulas.add(cell)
        first, _, last = attributes.get("ref", "").partition(":")
        if attributes.get("t") == "array" and last:
            (top, left), (bottom, right) = _position(first, self._sheet), _position(last, self._sheet)
            if (bottom - top + 1) * (right - left + 1) > MAX_ARRAY:
                raise UnusableResponse(f"the sheet {self._sheet} has a formula for the cells {first}:{last}")
            self._extend((bottom, right))
            self.marks.formulas |= {(row, at) for row in range(top, bottom + 1) for at in range(left, right + 1)}


def _raised(xml: bytes, container: str) -> dict[str, str]:
    """Return texts with raised or lowered characters -> the same text with a mark.

    Args:
        xml: A part of the package.
        container: The element of one text: ``si`` or ``is``.
    """
    found: dict[str, str] = {}
    state: dict[str, Any] = {"text": None, "reading": False, "raised": False, "runs": []}

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        if tag == container:
            state.update(text=[], runs=[])
        elif tag == "r":
            state["raised"] = False
        elif tag == "vertAlign" and attributes.get("val") in ("superscript", "subscript"):
            state["raised"] = True
        elif tag == "t":
            state["reading"] = True

    def text(data: str) -> None:
        if state["reading"] and state["text"] is not None:
            state["text"].append(data)
            state["runs"] += [data] if state["raised"] else []

    def end(name: str) -> None:
        tag = _local(name)
        if tag == "t":
            state["reading"] = False
        elif tag == "r":
            state["raised"] = False
        elif tag == container and state["runs"]:
            found["".join(state["text"])] = (
                f"{''.join(state['text'])} (with {''.join(state['runs'])} raised or lowered)"
            )

    _parse(xml, start, text, end)
    return found


def _parse(
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


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _plain(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()


def _utf8(xml: bytes) -> bytes:
    """Return XML in UTF-8."""
    if xml[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return xml
    try:
        return re.sub(
            r'(<\?xml[^>]*?)\s+encoding\s*=\s*["\'][^"\']*["\']', r"\1", xml.decode("utf-16"), count=1
        ).encode()
    except UnicodeDecodeError as error:
        raise UnusableResponse(f"not a readable workbook: {error}") from error


def _scale(code: str) -> str | None:
    """Return how a format shows a number in another scale, None if it does not."""
    plain = LITERALS.sub("", code)
    if "%" in plain:
        return "in per cent"
    return "in thousands" if THOUSANDS.search(plain) else None


def _position(reference: str, sheet: str) -> Cell:
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})", reference.strip(), re.ASCII)
    row, column = (int(found[2]), _column(found[1])) if found else (0, 0)
    if not (1 <= row <= LAST_ROW and 0 <= column < LAST_COLUMN):
        raise UnusableResponse(f"the sheet {sheet} has a cell {reference[:20]}, which cannot exist")
    return row - 1, column


def _column(letters: str) -> int:
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
