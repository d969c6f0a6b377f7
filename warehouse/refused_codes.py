"""The codes that providers refused, in a JSON file, so that a refresh requests them separately.

Belongs here: reading and replacing the file. Does not belong here: when a code is refused or accepted again
(``sources.refusals`` and the adapters).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from warehouse.files import write_atomically
from warehouse.layout import Layout

FIELDS = ("provider", "database", "code", "release")


def read(layout: Layout) -> list[dict[str, Any]]:
    """Return the refused codes; none for a missing or unreadable file, because the next refresh finds them again."""
    try:
        return _read(layout)
    except (OSError, ValueError, KeyError, TypeError):
        return []


def is_readable(layout: Layout) -> bool:
    """Return whether the file is a list of refused codes."""
    try:
        _read(layout)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _read(layout: Layout) -> list[dict[str, Any]]:
    return [{name: entry[name] for name in FIELDS} for entry in json.loads(layout.refused_codes.read_bytes())]


def write(layout: Layout, codes: Sequence[Mapping[str, Any]]) -> None:
    """Replace the refused codes if they have changed."""
    if list(codes) != read(layout):
        write_atomically(layout.refused_codes, json.dumps(list(codes), indent=1).encode())
