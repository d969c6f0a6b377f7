"""What ``carec raw`` prints: a body that a provider sent, and where it came from.

Belongs here: finding a body by the hash that a figure names. Does not belong here: how bodies are kept
(``warehouse.raw``).
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, note
from pipelines.settings import load_settings
from sources.bundled_archive import ARCHIVE_DIR
from sources.errors import ConfigurationError
from warehouse import raw
from warehouse.layout import Layout

app = command_app("The bytes that providers sent, by their sha256.", no_args_is_help=True)

SHORTEST = 6


@app.callback()
def group() -> None:
    """The bytes that providers sent, by their sha256."""


@app.command("show")
def raw_show(sha: Annotated[str, typer.Argument(metavar="SHA", help="The sha256, or its beginning.")]) -> None:
    """A body as it was sent, on standard output; where and when it came, on standard error."""
    for line in retrievals(sha):
        note(line)
    sys.stdout.buffer.write(body(sha))


def retrievals(sha: str) -> list[str]:
    """Where and when the body was retrieved, a line each time. Raises ConfigurationError where there is none."""
    layout, found = _find(sha)
    if isinstance(found, Path):
        return [f"{_sha256(found)}: the file {found.name} of the bundled archive"]
    lines = [found]
    for one in raw.retrievals(layout, found):
        refused = f"; refused: {one['refused']}" if one.get("refused") else ""
        lines.append(f"{one['retrieved_at']} {one['provider'] or ''} HTTP {one['status']} {one['url']}{refused}")
        lines += [f"  {name}: {value}" for name, value in one["headers"].items()]
    return lines


def body(sha: str) -> bytes:
    """The bytes. Raises ConfigurationError where there are none, or they are no longer those that were sent."""
    layout, found = _find(sha)
    if isinstance(found, Path):
        return found.read_bytes()
    try:
        return raw.load(layout, found)
    except (OSError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def _find(sha: str) -> tuple[Layout, str | Path]:
    """The whole hash of a body, or the file of the bundled archive that has it."""
    layout, start = Layout(load_settings().warehouse), sha.strip().lower()
    if len(start) < SHORTEST or not set(start) <= set("0123456789abcdef"):
        raise ConfigurationError(f"{sha!r} is not a sha256: give at least {SHORTEST} of its 64 hexadecimal digits")
    archived = [path for path in ARCHIVE_DIR.glob("*.csv") if _sha256(path).startswith(start)]
    found: list[str | Path] = [*raw.find(layout, start), *archived]
    if not found:
        raise ConfigurationError(f"no body of this warehouse has the sha256 {sha}")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} bodies begin with {sha}: give more digits")
    return layout, found[0]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
