"""Raw bodies: everything that providers sent, used or rejected, stored permanently by sha256.

Belongs here: writing and reading bodies, the log of their retrievals, the last good response of an address. Does not
belong here: the meaning of the bytes, the run in which they were received (``journal``).

``raw/ab/abcd....gz`` is a body, ``raw/ab/abcd....jsonl`` has one line per retrieval of it.
``raw/last/ab/abcd....json``, by the hash of an address, describes its last good response.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

from warehouse.files import append_line, replacing, write_atomically
from warehouse.layout import Layout


def _body_path(layout: Layout, sha256: str) -> Path:
    return layout.raw / sha256[:2] / f"{sha256}.gz"


def store(layout: Layout, content: bytes | BufferedIOBase, retrieval: Mapping[str, Any]) -> str:
    """Store a body and log its retrieval.

    Args:
        layout: The warehouse's paths.
        content: The body. A stream is read twice, in parts, so that a large body is never complete in memory.
        retrieval: What to log: url, status, headers, time and so on.

    Returns:
        The sha256 of the body.
    """
    stream = BytesIO(content) if isinstance(content, bytes) else content
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    path = _body_path(layout, sha256)
    if not path.exists():
        stream.seek(0)
        with (
            replacing(path) as temporary,
            temporary.open("wb") as file,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        ):
            shutil.copyfileobj(stream, packed)
    append_line(path.with_suffix(".jsonl"), json.dumps(dict(retrieval), sort_keys=True, default=str))
    return sha256


def load(layout: Layout, sha256: str) -> bytes:
    """Return a body by its hash.

    Raises:
        FileNotFoundError: There is no such body.
        ValueError: Its bytes have changed.
    """
    damage = f"the raw body {sha256} is damaged: its bytes no longer have that hash; restore it from a backup"
    packed = _body_path(layout, sha256).read_bytes()
    try:
        content = gzip.decompress(packed)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(damage) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(damage)
    return content


def find(layout: Layout, start: str) -> list[str]:
    """Return the hashes of stored bodies that begin with ``start``, which has at least two characters."""
    return sorted(path.stem for path in (layout.raw / start[:2]).glob(f"{start}*.gz"))


def retrievals(layout: Layout, sha256: str) -> list[dict[str, Any]]:
    """Return all logged retrievals of a body, oldest first, except lines that an interruption cut off."""
    path = _body_path(layout, sha256).with_suffix(".jsonl")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


@dataclass(frozen=True)
class StoredResponse:
    """The last good response of an address. ``url`` is the address after redirects."""

    url: str
    headers: Mapping[str, str]
    retrieved_at: datetime
    content: bytes = field(repr=False)


def _last_path(layout: Layout, request_url: str) -> Path:
    digest = hashlib.sha256(request_url.encode()).hexdigest()
    return layout.raw / "last" / digest[:2] / f"{digest}.json"


def save_last_response(
    layout: Layout, request_url: str, sha256: str, url: str, headers: Mapping[str, str], retrieved_at: datetime
) -> None:
    """Save the description of the last good response of ``request_url``, with the body ``sha256``."""
    note = {"asked": request_url, "sha256": sha256, "url": url, "headers": dict(headers), "retrieved_at": retrieved_at}
    write_atomically(_last_path(layout, request_url), json.dumps(note, sort_keys=True, default=str).encode())


def invalidate_last_response(layout: Layout, request_url: str) -> None:
    """Remove the description of the last good response of an address; the body remains."""
    _last_path(layout, request_url).unlink(missing_ok=True)


@dataclass(frozen=True)
class StoredResponses:
    """The last good responses in a warehouse, by address."""

    layout: Layout

    def last(self, url: str) -> StoredResponse | None:
        """Return the last good response; None without one, and if its bytes are missing or changed."""
        try:
            note = json.loads(_last_path(self.layout, url).read_bytes())
            content = load(self.layout, note["sha256"])
        except (OSError, ValueError):
            return None
        return StoredResponse(note["url"], note["headers"], datetime.fromisoformat(note["retrieved_at"]), content)
