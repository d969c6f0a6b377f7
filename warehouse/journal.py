"""The journal: one file per run that sent requests, from which the run can be replayed without a network.

Belongs here: writing and reading the files. Does not belong here: the content of a record (``pipelines.run_journal``),
the bodies (``raw``), which a record names by their hashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from warehouse.errors import Unreadable
from warehouse.files import seal, write_atomically
from warehouse.layout import Layout

SEAL = "record_sha256"
"""Key of a record's hash."""
NEEDED = {"started_at", "indicator_ids", "window", "accept_shrink", "exchanges", "files"}
"""Keys that every record has."""


def write(layout: Layout, started_at: datetime, run: Mapping[str, Any]) -> Path:
    """Write the record of the run that began at ``started_at`` (UTC), with its hash, and return its path."""
    path, record = layout.journal / f"{started_at:%Y%m%dT%H%M%S%f}.json", json.loads(json.dumps(dict(run), default=str))
    write_atomically(path, json.dumps({**record, SEAL: seal(record)}, indent=1).encode())
    return path


def started_at(name: str) -> datetime:
    """Return when the run of a record began (UTC), from the name of its file."""
    return datetime.strptime(name, "%Y%m%dT%H%M%S%f.json")


def runs(layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the record of every run, oldest first.

    Raises:
        Unreadable: A record is damaged.
    """
    for path in paths(layout):
        yield read(path)


def paths(layout: Layout) -> list[Path]:
    """Return the file of every record, oldest first."""
    return sorted(layout.journal.glob("[0-9]*.json"))


def read(path: Path) -> dict[str, Any]:
    """Return one record.

    Raises:
        Unreadable: It is not a record.
    """
    try:
        record = json.loads(path.read_bytes())
        record.pop(SEAL, None)
        if record.keys() >= NEEDED:
            return dict(record)
    except (OSError, ValueError, AttributeError):
        pass
    raise Unreadable(
        f"{path} is damaged: restore it from a backup, or remove it; its run can then no longer be replayed"
    )


def is_sound(path: Path) -> bool:
    """Return whether a record is as it was written. Those of an earlier version have no hash."""
    try:
        return json.loads(path.read_bytes()).get(SEAL) in (None, seal(read(path)))
    except (Unreadable, OSError, ValueError, AttributeError):
        return False
