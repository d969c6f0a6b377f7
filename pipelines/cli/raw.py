"""The command ``raw show``: a response body that a provider sent, and its origin.

Belongs here: finding a body by the hash of a figure. Does not belong here: how bodies are stored (``warehouse.raw``).
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click

from pipelines.cli.terminal import note
from pipelines.settings import load_settings
from sources.bundled_archive import ARCHIVE_DIR
from sources.errors import ConfigurationError
from warehouse import raw as bodies
from warehouse.layout import Layout

SHORTEST = 6
"""Fewest digits of a hash that are accepted."""


@click.group(no_args_is_help=True)
def raw() -> None:
    """The bytes that providers sent, by their sha256."""


@raw.command("show")
@click.argument("sha", metavar="SHA", help="The sha256, or its beginning.")
def raw_show(sha: str) -> None:
    """Print a response body as it was sent; its URL and time on standard error."""
    for line in retrievals(sha):
        note(line)
    sys.stdout.buffer.write(body(sha))


def retrievals(sha: str) -> list[str]:
    """Return the URL and time of each retrieval of the body, with the response headers.

    Raises:
        ConfigurationError: No body has this hash, or several have.
    """
    layout, found = _find(sha)
    if isinstance(found, Path):
        return [f"{_sha256(found)}: the file {found.name} of the bundled archive"]
    lines = [found]
    for one in bodies.retrievals(layout, found):
        refused = f"; refused: {one['refused']}" if one.get("refused") else ""
        lines.append(
            f"{one.get('retrieved_at')} {one.get('provider') or ''} HTTP {one.get('status')} {one.get('url')}{refused}"
        )
        lines += [f"  {name}: {value}" for name, value in one.get("headers", {}).items()]
    return lines


def body(sha: str) -> bytes:
    """Return the bytes of the body.

    Raises:
        ConfigurationError: No body has this hash, or its bytes were changed.
    """
    layout, found = _find(sha)
    if isinstance(found, Path):
        return found.read_bytes()
    try:
        return bodies.load(layout, found)
    except (OSError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def _find(sha: str) -> tuple[Layout, str | Path]:
    """Return the full hash of a body, or the file of the bundled archive with this hash."""
    layout, start = Layout(load_settings().warehouse), sha.strip().lower()
    if len(start) < SHORTEST or not set(start) <= set("0123456789abcdef"):
        raise ConfigurationError(f"{sha!r} is not a sha256: give at least {SHORTEST} of its 64 hexadecimal digits")
    archived = [path for path in ARCHIVE_DIR.glob("*.csv") if _sha256(path).startswith(start)]
    found: list[str | Path] = [*bodies.find(layout, start), *archived]
    if not found:
        raise ConfigurationError(f"no body of this warehouse has the sha256 {sha}")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} bodies begin with {sha}: give more digits")
    return layout, found[0]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
