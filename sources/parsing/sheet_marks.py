"""What a sheet of a workbook has besides values: formulas, formats in another scale, raised characters, hidden rows.

Belongs here: the elements of a sheet, and the limits of its size. Does not belong here: the package
(``workbook_package``), the values of cells (``workbook``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sources.parsing.responses import UnusableResponse
from sources.parsing.workbook_xml import LAST_ROW, Cell, address, local_name, parse_xml, position

MAX_GRID = 2_000_000
"""Most rows times columns of a sheet, empty cells included; real sheets have up to 300,000."""
MAX_CELLS = 10_000_000
MAX_ARRAY = 100_000
"""Most cells of a formula for several cells."""
LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
"""Parts of a format that are text, a colour or a space."""
THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")
AFTER_DATA = ("mergeCells", "extLst", "conditionalFormatting", "dataValidations")
"""Elements after the cells of a sheet, some of which have formulas too."""


@dataclass
class Marks:
    """What a sheet has besides values.

    Attributes:
        formulas: Cells with a formula.
        errors: Cells with an error, such as #N/A.
        formats: Cells whose number is shown in another scale -> how it is shown.
        raised: Text of a cell with raised or lowered characters -> the same text with a mark.
        hidden_rows: Hidden rows, from 0.
    """

    formulas: set[Cell] = field(default_factory=set)
    errors: set[Cell] = field(default_factory=set)
    formats: dict[Cell, str] = field(default_factory=dict)
    raised: dict[str, str] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)


def marks_of(xml: bytes, sheet: str, scaled: dict[str, str], raised: dict[str, str]) -> Marks:
    """Return what a sheet has besides values.

    Args:
        xml: The part of the sheet.
        sheet: Its name, for messages.
        scaled: Number of a cell style -> how it shows a number in another scale.
        raised: Shared texts with raised characters, see ``raised_texts``.

    Raises:
        UnusableResponse: A cell is so far off that the sheet would have more than ``MAX_GRID`` cells.
    """
    scan = _Scan(sheet, scaled)
    parse_xml(xml, scan.start)
    scan.marks.raised = raised | (raised_texts(xml, "is") if b"vertAlign" in xml else {})
    return scan.marks


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
            self._columns[letters] = position(self._ref, self._sheet)[1]
        row = self._ref[len(letters) :]
        if len(row) > 7 or not 0 < int(row or 0) <= LAST_ROW:
            position(self._ref, self._sheet)
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
        if self._attributes.get("t") == "e":
            self.marks.errors.add(cell)
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
            (top, left), (bottom, right) = position(first, self._sheet), position(last, self._sheet)
            if (bottom - top + 1) * (right - left + 1) > MAX_ARRAY:
                raise UnusableResponse(f"the sheet {self._sheet} has a formula for the cells {first}:{last}")
            self._extend((bottom, right))
            self.marks.formulas |= {(row, at) for row in range(top, bottom + 1) for at in range(left, right + 1)}


def raised_texts(xml: bytes, container: str) -> dict[str, str]:
    """Return texts with raised or lowered characters -> the same text with a mark.

    Args:
        xml: A part of the package.
        container: The element of one text: ``si`` or ``is``.
    """
    found: dict[str, str] = {}
    state: dict[str, Any] = {"text": None, "reading": False, "raised": False, "runs": []}

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = local_name(name)
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
        tag = local_name(name)
        if tag == "t":
            state["reading"] = False
        elif tag == "r":
            state["raised"] = False
        elif tag == container and state["runs"]:
            found["".join(state["text"])] = (
                f"{''.join(state['text'])} (with {''.join(state['runs'])} raised or lowered)"
            )

    parse_xml(xml, start, text, end)
    return found


def scale_of(code: str) -> str | None:
    """Return how a format shows a number in another scale, None if it does not."""
    plain = LITERALS.sub("", code)
    if "%" in plain:
        return "in per cent"
    return "in thousands" if THOUSANDS.search(plain) else None
