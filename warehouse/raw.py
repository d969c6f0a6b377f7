"""Raw bodies: every byte a provider sent, used or refused, addressed by its sha256 and kept for ever.

Belongs here: writing and reading bodies, the log of their retrievals, the last good body of an address. Does not belong
here: what the bytes mean, in which run they came (``journal``).

``raw/ab/abcd....gz`` holds the body, ``raw/ab/abcd....jsonl`` one line for each time it was retrieved.
``raw/last/ab/abcd....json``, by the hash of an address, names its last good body.
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
    """Keep a body and note its retrieval (url, status, headers, time...). Returns the body's sha256.

    A stream is read twice, a part at a time, so that a large body is never whole in memory.
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
    """The body with this hash. Raises FileNotFoundError where there is none, ValueError where the bytes changed."""
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
    """The hashes of the kept bodies that begin with ``start``, of two characters or more."""
    return sorted(path.stem for path in (layout.raw / start[:2]).glob(f"{start}*.gz"))


def retrievals(layout: Layout, sha256: str) -> list[dict[str, Any]]:
    """Every retrieval of the body with this hash, oldest first; without those that an interruption cut off."""
    path = _body_path(layout, sha256).with_suffix(".jsonl")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


@dataclass(frozen=True)
class Kept:
    """The last good body of an address, as it was sent."""

    url: str
    headers: Mapping[str, str]
    retrieved_at: datetime
    content: bytes = field(repr=False)


def _last_path(layout: Layout, asked: str) -> Path:
    digest = hashlib.sha256(asked.encode()).hexdigest()
    return layout.raw / "last" / digest[:2] / f"{digest}.json"


def remember(
    layout: Layout, asked: str, sha256: str, url: str, headers: Mapping[str, str], retrieved_at: datetime
) -> None:
    """Note that the body ``sha256`` is what the address ``asked`` gave last, from ``url`` with these headers."""
    note = {"asked": asked, "sha256": sha256, "url": url, "headers": dict(headers), "retrieved_at": retrieved_at}
    write_atomically(_last_path(layout, asked), json.dumps(note, sort_keys=True, default=str).encode())


def forget(layout: Layout, asked: str) -> None:
    """Have no last good body of the address ``asked`` any more; the body itself stays."""
    _last_path(layout, asked).unlink(missing_ok=True)


@dataclass(frozen=True)
class Validators:
    """The last good bodies of a warehouse, by address."""

    layout: Layout

    def last(self, url: str) -> Kept | None:
        """None where there is none, or where its bytes are gone or changed: it is then asked for anew."""
        try:
            note = json.loads(_last_path(self.layout, url).read_bytes())
            content = load(self.layout, note["sha256"])
        except (OSError, ValueError):
            return None
        return Kept(note["url"], note["headers"], datetime.fromisoformat(note["retrieved_at"]), content)
