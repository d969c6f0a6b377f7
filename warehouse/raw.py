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

from warehouse.files import append_line, replacing, seal, write_atomically
from warehouse.layout import Layout

SEAL = "record_sha256"
"""Key of a record's hash."""
RETRIEVAL = {"url"}
CHUNK = 1 << 20
"""Bytes that are compressed at a time."""
LEVEL = 3
"""Half the time of gzip's usual level, and a sixth more bytes, with a page of the World Bank."""
LAST = {"asked", "sha256", "url", "headers", "retrieved_at"}
"""Keys that every record of the project has."""


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
    stream.seek(0)
    store_body(layout, stream, sha256)
    log_retrieval(layout, sha256, retrieval)
    return sha256


def store_body(layout: Layout, content: BufferedIOBase, sha256: str) -> None:
    """Store a body by its hash, unless it is there."""
    path = _body_path(layout, sha256)
    if path.exists():
        return
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=LEVEL, fileobj=file, mtime=0) as packed,
    ):
        shutil.copyfileobj(content, packed, CHUNK)


def log_retrieval(layout: Layout, sha256: str, retrieval: Mapping[str, Any]) -> None:
    """Log a retrieval of a stored body."""
    append_line(_body_path(layout, sha256).with_suffix(".jsonl"), json.dumps(_sealed(retrieval), sort_keys=True))


def _sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as JSON values, with its hash."""
    values = json.loads(json.dumps(dict(record), default=str))
    return {**values, SEAL: seal(values)}


def _opened(text: str | bytes) -> dict[str, Any]:
    """Return a record without its hash. Records of an earlier version have none.

    Raises:
        ValueError: It is damaged.
    """
    record = json.loads(text)
    written = record.pop(SEAL, None) if isinstance(record, dict) else ""
    if written not in (None, seal(record)):
        raise ValueError("the record does not have its hash")
    return dict(record)


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
    """Return all logged retrievals of a body, oldest first, except lines that an interruption cut off or damaged."""
    found = []
    with suppress(FileNotFoundError):  # an interruption between body and log
        for line in _body_path(layout, sha256).with_suffix(".jsonl").read_bytes().splitlines():
            with suppress(ValueError):
                found.append(_opened(line))
    return found


def faults(layout: Layout) -> list[str]:
    """Return one text per damaged record: logs of retrievals, and descriptions of last responses."""
    found = []
    for path in sorted(layout.raw.glob("[0-9a-f][0-9a-f]/*.jsonl")):
        lines = path.read_bytes().splitlines()
        damaged = [number for number, line in enumerate(lines, start=1) if not _is_record(line, RETRIEVAL)]
        if damaged or not lines:
            found.append(f"{path}, line {damaged[0]}" if damaged else f"{path}, which is empty")
    for path in sorted((layout.raw / "last").glob("*/*.json")):
        content = path.read_bytes()
        if not _is_record(content, LAST) or _last_path(layout, json.loads(content).get("asked", "")) != path:
            found.append(str(path))
    return found


def _is_record(text: bytes, needed: set[str]) -> bool:
    """Return whether a record is as it was written; one of an earlier version, whether it has these keys."""
    try:
        return _opened(text).keys() >= needed or SEAL in json.loads(text)
    except ValueError:
        return False


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
    write_atomically(_last_path(layout, request_url), json.dumps(_sealed(note), sort_keys=True).encode())


def invalidate_last_response(layout: Layout, request_url: str) -> None:
    """Remove the description of the last good response of an address; the body remains."""
    _last_path(layout, request_url).unlink(missing_ok=True)


def last_note(layout: Layout, request_url: str) -> str | None:
    """Return the description of the last good response of an address as text, None without one."""
    path = _last_path(layout, request_url)
    return path.read_text(encoding="utf-8") if path.exists() else None


def write_last_note(layout: Layout, request_url: str, note: str) -> None:
    """Write a description as ``last_note`` returned it in another warehouse. Its body is there already."""
    write_atomically(_last_path(layout, request_url), note.encode())


def body_of(note: str) -> str:
    """Return the sha256 of the body that a description is of."""
    return str(json.loads(note)["sha256"])


def keep_last_responses(layout: Layout) -> None:
    """Delete every body, with its log, that is not the last good response of an address."""
    kept = set()
    for path in (layout.raw / "last").glob("*/*.json"):
        with suppress(OSError, ValueError):
            kept.add(_opened(path.read_bytes()).get("sha256"))
    for path in layout.raw.glob("[0-9a-f][0-9a-f]/*"):
        if path.stem not in kept:
            path.unlink()


@dataclass(frozen=True)
class StoredResponses:
    """The last good responses in a warehouse, by address."""

    layout: Layout

    def last(self, url: str) -> StoredResponse | None:
        """Return the last good response; None without one, and if its bytes are missing or changed."""
        try:
            note = _opened(_last_path(self.layout, url).read_bytes())
            content = load(self.layout, note["sha256"])
            retrieved_at = datetime.fromisoformat(note["retrieved_at"])
            return StoredResponse(note["url"], note["headers"], retrieved_at, content)
        except (OSError, ValueError, KeyError, TypeError):
            return None
