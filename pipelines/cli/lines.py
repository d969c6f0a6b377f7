"""Lines of text on standard output and standard error: how wide they are, where they wrap, how they are styled.

Belongs here: widths, wrapping, styles. Does not belong here: columns and formats (``tables``), messages (``terminal``).

rich has the widths of characters. Its console is not used: most commands would spend more time on importing it, and on
rendering their tables with it, than on their queries.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TextIO

import click
from rich.cells import cell_len, chop_cells

from sources.errors import CONTROLS

PIPE_WIDTH = 160
"""Width of a line, in characters, where the output is not a terminal."""

_STYLES: dict[str, dict[str, bool | str]] = {"bold": {"bold": True}, "dim": {"dim": True}}
"""Name of a style -> arguments of ``click.style``; any other name is a colour."""

_WORD = re.compile(r"\s*\S+\s*")


class Styled(NamedTuple):
    """A text and its style on a terminal: ``bold``, ``dim`` or a colour."""

    text: str
    style: str


Cell = str | Styled


@dataclass
class Output:
    """Standard output or standard error, with the width of its lines."""

    stream: TextIO
    width: int
    is_terminal: bool
    has_styles: bool

    def print(self, text: str = "", *, soft_wrap: bool = False) -> None:
        """Print a text, wrapped to the width unless ``soft_wrap`` leaves that to the terminal."""
        plain = CONTROLS.sub("", text)
        self.write(plain.split("\n") if soft_wrap else wrapped(plain, self.width))

    def write(self, lines: Iterable[str]) -> None:
        """Write lines as they are."""
        click.echo("\n".join(lines), file=self.stream, color=self.has_styles)

    def styled(self, text: str, style: str) -> str:
        """Return a text with the codes of a style, if the output has styles."""
        return click.style(text, **_STYLES.get(style, {"fg": style})) if text and self.has_styles else text  # type: ignore[arg-type]

    def grid(self, rows: Iterable[Sequence[Cell]], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
        """Yield the lines of a grid: cells wrapped in their columns, two blanks between columns and none at the end.

        Args:
            rows: One cell per column.
            widths: The width of each column.
            right: Whether the column is right-aligned.
        """
        for row in rows:
            texts = [cell.text if isinstance(cell, Styled) else cell for cell in row]
            wraps = [wrapped(text, width) for text, width in zip(texts, widths, strict=True)]
            for number in range(max(map(len, wraps), default=0)):
                parts = []
                for cell, lines, width, at_right in zip(row, wraps, widths, right, strict=True):
                    text = lines[number] if number < len(lines) else ""
                    blanks = " " * (width - cell_len(text))
                    shown = self.styled(text, cell.style) if isinstance(cell, Styled) else text
                    parts.append(blanks + shown if at_right else shown + blanks)
                yield "  ".join(parts).rstrip()


def console(*, stderr: bool = False) -> Output:
    """Return standard output or standard error, without styles if NO_COLOR is set.

    Its width is the environment variable COLUMNS if it is set, otherwise the width of the terminal, otherwise
    ``PIPE_WIDTH``.
    """
    stream = sys.stderr if stderr else sys.stdout
    is_terminal = stream.isatty()
    has_styles = is_terminal and os.environ.get("TERM") not in ("dumb", "unknown") and not os.environ.get("NO_COLOR")
    return Output(stream, _width(stream), is_terminal, has_styles)


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80  # some pseudo-terminals have no size
    except (OSError, ValueError):
        return PIPE_WIDTH


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken between words; a word is broken only if it is wider than a line."""
    if cell_len(text) <= width and "\n" not in text:
        return [text]
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _WORD.findall(paragraph):
            if line and cell_len(line + word.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            *full, rest = [word] if cell_len(word.rstrip()) <= width else chop_cells(word, width)
            lines += full
            line += rest
        lines.append(line.rstrip())
    return lines
