"""How files are written so that nobody ever meets half of one, and how writers take turns."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


class Busy(Exception):
    """Another process is refreshing this warehouse."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file in the same folder that takes ``path``'s place, durably, once the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False) as handle:
        temporary = Path(handle.name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Writes a table as Parquet, in place of the file that may be there."""
    with replacing(path) as temporary:
        table.write_parquet(temporary, statistics=False)


def append_line(path: Path, line: str) -> None:
    """Add one line. A line is written with one call, so concurrent writers do not mix.

    A line that an earlier writer left unfinished stays one of its own. Raises OSError where the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as handle:
        end = handle.seek(0, os.SEEK_END)
        unfinished = end > 0 and os.pread(handle.fileno(), 1, end - 1) != b"\n"
        content = b"\n" * unfinished + line.encode() + b"\n"
        if handle.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextmanager
def exclusive(path: Path, wait_s: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the warehouse's lock. Raises Busy where another process still holds it after ``wait_s`` seconds.

    The lock belongs to the process and goes with it, so a killed refresh leaves none behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    with path.open("a+") as handle:
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    handle.seek(0)
                    raise Busy(handle.read().strip()) from None
                if waiting and not told:
                    waiting()
                    told = True
                time.sleep(0.2)
        handle.truncate(0)
        handle.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        handle.flush()
        yield
