"""The package of a workbook: its parts, sheets and styles, whatever their names and spelling.

Belongs here: what the library for cells does not give, and the limits of a package. Does not belong here: the elements
of a sheet (``sheet_marks``), the values of cells (``workbook``).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

from sources.parsing.responses import UnusableResponse
from sources.parsing.sheet_marks import Marks, marks_of, raised_texts, scale_of
from sources.parsing.workbook_xml import as_utf8, local_name, parse_xml

MAX_UNPACKED = 256 << 20
MAX_RATIO = 200
"""Unpacked bytes per packed byte; real workbooks have 5 to 10."""
MAIN = "xl/workbook.xml"
HIDDEN = {"hidden", "veryHidden"}
PERCENT_FORMATS = {9, 10}
"""Numbers of the built-in formats with a per cent sign."""


@dataclass(frozen=True)
class SheetPart:
    """A sheet, its part in the package (None if it has none), and whether it is hidden."""

    name: str
    part: str | None
    hidden: bool


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
        return as_utf8(self._zip.read(name))

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
            if local_name(name) == "sheet":
                by_name = {local_name(key): value for key, value in attributes.items() if " " in key}
                _, part = relations.get(by_name.get("id", ""), ("", None))
                found.append(SheetPart(attributes.get("name", ""), part, attributes.get("state") in HIDDEN))

        parse_xml(self.read(self.main), start)
        return found

    @cached_property
    def scaled_styles(self) -> dict[str, str]:
        """Number of a cell style -> how it shows a number in another scale; only of such styles."""
        part = self._part_of("/styles")
        formats: dict[int, str] = dict.fromkeys(PERCENT_FORMATS, "in per cent")
        styles: list[int] = []
        inside = [False]

        def start(name: str, attributes: dict[str, str]) -> None:
            tag = local_name(name)
            if tag == "numFmt" and attributes.get("numFmtId", "").isdigit():
                if shown := scale_of(attributes.get("formatCode", "")):
                    formats[int(attributes["numFmtId"])] = shown
            elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
                inside[0] = tag == "cellXfs"
            elif tag == "xf" and inside[0]:
                number = attributes.get("numFmtId", "0")
                styles.append(int(number) if number.isdigit() else 0)

        if part is not None:
            parse_xml(self.read(part), start)
        return {str(at): formats[number] for at, number in enumerate(styles) if number in formats}

    @cached_property
    def raised_texts(self) -> dict[str, str]:
        """Shared text with raised or lowered characters -> the same text with a mark."""
        part = self._part_of("/sharedStrings")
        xml = self.read(part) if part is not None else b""
        return raised_texts(xml, "si") if b"vertAlign" in xml else {}

    def marks(self, sheet: SheetPart) -> Marks:
        """Return what a sheet has besides values.

        Raises:
            UnusableResponse: A cell is so far off that the sheet would have more than ``MAX_GRID`` cells.
        """
        if sheet.part is None:
            raise UnusableResponse(f"not a readable workbook: the sheet {sheet.name} has no part")
        return marks_of(self.read(sheet.part), sheet.name, self.scaled_styles, self.raised_texts)

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
                    content = as_utf8(content)
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
            if local_name(name) == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(
                    posixpath.join("/", folder, attributes.get("Target", "").replace("\\", "/"))
                )
                found[attributes.get("Id", "")] = (attributes.get("Type", ""), target.lstrip("/"))

        parse_xml(self.read(path), start)
        return found


def _plain(part: str) -> str:
    return part.replace("\\", "/").lstrip("/").lower()
