"""The codes that providers refused, as one JSON file: what lets a refresh ask them apart from the others.

Belongs here: reading and replacing the file. Does not belong here: what is refused and when it is forgotten
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
    """The refused codes; none where there is no file, or one that cannot be read: they are found again."""
    try:
        return [{name: entry[name] for name in FIELDS} for entry in json.loads(layout.refused_codes.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write(layout: Layout, codes: Sequence[Mapping[str, Any]]) -> None:
    """Replace the refused codes where they changed."""
    if list(codes) != read(layout):
        write_atomically(layout.refused_codes, json.dumps(list(codes), indent=1).encode())
