"""The content of a response: in memory if it is small, in a temporary file if it is large.

Belongs here: holding bytes, their hash, reading them again. Does not belong here: receiving bytes (``sending``),
storing them permanently (``warehouse.raw``), their meaning (``providers``).
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from io import BufferedIOBase, BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Self

LARGE = 16 << 20
"""A body with more bytes than this is held in a file."""
CHUNK = 1 << 16
"""Bytes that are read at a time."""


class Body:
    """Bytes that can be read any number of times. The file of a large body is deleted with its last reference."""

    def __init__(self, content: bytes = b"", file: IO[bytes] | None = None) -> None:
        self._content, self._file = content, file

    def __len__(self) -> int:
        return Path(self._file.name).stat().st_size if self._file else len(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def content(self) -> bytes:
        """All bytes. A large body is read from its file at every access."""
        return Path(self._file.name).read_bytes() if self._file else self._content

    @property
    def path(self) -> Path | None:
        """The file of a large body; None for a body in memory."""
        return Path(self._file.name) if self._file else None

    @cached_property
    def sha256(self) -> str:
        with self.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @cached_property
    def lines(self) -> int:
        """The number of line breaks."""
        with self.open() as stream:
            return sum(part.count(b"\n") for part in iter(lambda: stream.read(CHUNK), b""))

    def open(self) -> BufferedIOBase:
        """Return a stream that starts at the first byte. The caller closes it."""
        return Path(self._file.name).open("rb") if self._file else BytesIO(self._content)

    def head(self, size: int = 4096) -> bytes:
        """Return the first bytes."""
        with self.open() as stream:
            return stream.read(size)

    def tail(self, size: int) -> bytes:
        """Return the last bytes."""
        with self.open() as stream:
            stream.seek(max(0, len(self) - size))
            return stream.read()


EMPTY = Body()


class Spool:
    """A body while it is received: in memory up to ``LARGE`` bytes, then in a file in ``folder``.

    As a context manager it deletes the file if its block raises.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.size = 0
        self._folder = folder
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None and self._file is not None:
            self._file.close()

    def write(self, part: bytes) -> None:
        """Append bytes. Raises OSError if the disk is full."""
        self.size += len(part)
        if self._file is None and self.size > LARGE:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            # a name of unfinished files, which the warehouse deletes after a killed run (warehouse.recovery)
            self._file = NamedTemporaryFile(dir=self._folder, prefix=".body.", suffix=".tmp")  # noqa: SIM115
            self._file.writelines(self._parts)
            self._parts.clear()
        if self._file is None:
            self._parts.append(part)
        else:
            self._file.write(part)

    def body(self) -> Body:
        """Return the bytes written so far. Do not write afterwards."""
        if self._file is None:
            return Body(b"".join(self._parts))
        self._file.flush()
        return Body(file=self._file)


def spooled(content: bytes, folder: Path | None) -> Body:
    """Return a body with this content, in a file in ``folder`` if it is large."""
    spool = Spool(folder)
    spool.write(content)
    return spool.body()
