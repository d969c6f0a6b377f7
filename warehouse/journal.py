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

from warehouse.files import write_atomically
from warehouse.layout import Layout


def write(layout: Layout, started_at: datetime, run: Mapping[str, Any]) -> Path:
    """Write the record of the run that began at ``started_at`` (UTC) and return its path."""
    path = layout.journal / f"{started_at:%Y%m%dT%H%M%S%f}.json"
    write_atomically(path, json.dumps(dict(run), indent=1, default=str).encode())
    return path


def runs(layout: Layout) -> Iterator[dict[str, Any]]:
    """Yield the record of every run, oldest first."""
    for path in sorted(layout.journal.glob("[0-9]*.json")):
        yield json.loads(path.read_bytes())
