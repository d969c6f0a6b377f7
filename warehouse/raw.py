"""Raw bodies: every byte a provider sent, used or refused, addressed by its sha256 and kept for ever.

Belongs here: writing and reading bodies and the log of their retrievals. Does not belong here: what the bytes mean.

``raw/ab/abcd....gz`` holds the body, ``raw/ab/abcd....jsonl`` one line for each time it was retrieved.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.files import append_line, write_atomically
from warehouse.layout import Layout


def _body_path(layout: Layout, sha256: str) -> Path:
    return layout.raw / sha256[:2] / f"{sha256}.gz"


def store(layout: Layout, content: bytes, retrieval: Mapping[str, Any]) -> str:
    """Keep a body and note its retrieval (url, status, headers, time...). Returns the body's sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _body_path(layout, sha256)
    if not path.exists():
        write_atomically(path, gzip.compress(content, compresslevel=6, mtime=0))
    append_line(path.with_suffix(".jsonl"), json.dumps(dict(retrieval), sort_keys=True, default=str))
    return sha256


def load(layout: Layout, sha256: str) -> bytes:
    """The body with this hash. Raises FileNotFoundError where there is none, ValueError where the bytes changed."""
    content = gzip.decompress(_body_path(layout, sha256).read_bytes())
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"the raw body {sha256} is damaged: its bytes no longer have that hash; restore it from a backup"
        )
    return content


def retrievals(layout: Layout, sha256: str) -> list[dict[str, Any]]:
    """Every retrieval of the body with this hash, oldest first."""
    path = _body_path(layout, sha256).with_suffix(".jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
