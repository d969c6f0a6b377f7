"""The content of a response: in memory where it is small, in a temporary file where it is large.

Belongs here: holding bytes, their hash, reading them again. Does not belong here: how bytes are received (``http``),
where they are kept for good (the warehouse's raw store), what they mean (``providers``).
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from io import BufferedIOBase, BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, _TemporaryFileWrapper
from typing import Self

LARGE = 16 << 20
"""A body of more bytes than this goes to a file."""
CHUNK = 1 << 16
"""How many bytes are read at a time."""


class Body:
    """Bytes that can be read any number of times. The file of a large body is removed with its last reference."""

    def __init__(self, content: bytes = b"", file: _TemporaryFileWrapper[bytes] | None = None) -> None:
        self._content, self._file = content, file

    def __len__(self) -> int:
        return Path(self._file.name).stat().st_size if self._file else len(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def content(self) -> bytes:
        """All bytes at once. A large body is read from its file at every call."""
        return Path(self._file.name).read_bytes() if self._file else self._content

    @property
    def path(self) -> Path | None:
        """The file of a large body; None where the body is in memory."""
        return Path(self._file.name) if self._file else None

    @cached_property
    def sha256(self) -> str:
        with self.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def open(self) -> BufferedIOBase:
        """A stream of the bytes from the first; the caller closes it."""
        return Path(self._file.name).open("rb") if self._file else BytesIO(self._content)

    def head(self, size: int = 4096) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(size)

    def tail(self, size: int) -> bytes:
        """The last bytes."""
        with self.open() as stream:
            stream.seek(max(0, len(self) - size))
            return stream.read()


EMPTY = Body()


class Spool:
    """A body while it is received: in memory up to ``LARGE`` bytes, then in a file in ``folder``.

    As a context it removes the file where its block raises.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.size = 0
        self._folder = folder
        self._parts: list[bytes] = []
        self._file: _TemporaryFileWrapper[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None and self._file is not None:
            self._file.close()

    def write(self, part: bytes) -> None:
        """Add bytes. Raises OSError where the disk is full."""
        self.size += len(part)
        if self._file is None and self.size > LARGE:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            # named as the warehouse names what is half written, so that a killed run's file is cleared
            self._file = NamedTemporaryFile(dir=self._folder, prefix=".body.", suffix=".tmp")  # noqa: SIM115
            self._file.writelines(self._parts)
            self._parts.clear()
        if self._file is None:
            self._parts.append(part)
        else:
            self._file.write(part)

    def body(self) -> Body:
        """What was written. Nothing may be written afterwards."""
        if self._file is None:
            return Body(b"".join(self._parts))
        self._file.flush()
        return Body(file=self._file)


def spooled(content: bytes, folder: Path | None) -> Body:
    """A body of bytes that are at hand, moved to a file in ``folder`` where they are large."""
    spool = Spool(folder)
    spool.write(content)
    return spool.body()
