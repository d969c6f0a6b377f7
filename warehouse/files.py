"""Write files atomically, and let one process at a time change a warehouse.

Belongs here: how a file is replaced or extended, the lock. Does not belong here: where files are (``layout``), what
they contain.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # readers need neither threads nor locks
    from concurrent.futures import Future

    import polars as pl

CONTENT = "carec:content"
"""Key of the hash in the metadata of a Parquet file."""

_NUMBERS = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"]
_TYPE_CODES = dict(zip(_NUMBERS, "bhiqBHIQfd", strict=True))
"""Numbers of polars -> those of ``array``. The import of numpy takes a tenth of a refresh with nothing changed."""

POLL_S = 0.2
"""Seconds between two attempts to get the lock."""

WRITERS = 8
"""Files that are written at the same time."""


class Busy(Exception):
    """Another process is refreshing this warehouse."""


@contextmanager
def scratch(folder: Path, name: str) -> Iterator[Path]:
    """Yield an empty temporary file ``.NAME.*.tmp``, and delete it at the end with the log that DuckDB keeps of it."""
    with suppress(FileExistsError):
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is a file; name a folder", str(folder))
    with NamedTemporaryFile(dir=folder, prefix=f".{name}.", suffix=".tmp", delete=False) as handle:
        temporary = Path(handle.name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}.wal").unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary file in the same folder, and move it to ``path`` when the block ends without an error.

    Readers see the old file or the new one, also after a power failure. ``mode`` has the permissions of the new one.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file", str(path))
    with scratch(path.parent, path.name) as temporary:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the names of a folder's files to the disk."""
    if sys.platform != "win32":  # Windows opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes. A lock of another process does not prevent it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, replacing an existing one as a whole."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def seal(record: Mapping[str, Any]) -> str:
    """Return a hash of a record of JSON values."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet with a hash of its content, replacing an existing file as a whole.

    Raises:
        OSError: The disk is full. Polars itself raises an error of its own without the cause, so it writes to memory.
    """
    content = io.BytesIO()
    table.write_parquet(content, statistics=False, metadata={CONTENT: _content_of(table)})
    with replacing(path) as temporary:
        temporary.write_bytes(content.getbuffer())


WriteTable = Callable[[Path, "pl.DataFrame"], None]


class Writers:
    """Writes files in other threads, because the disk confirms many of them in nearly the time of one.

    As a context manager it waits for them at its end.
    """

    def __init__(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="write")
        self._pending: list[Future[object]] = []
        self._groups: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait()
        finally:
            self._pool.shutdown()

    def submit(self, write: Callable[..., object], *arguments: object) -> None:
        """Call a function that writes."""
        self._pending.append(self._pool.submit(write, *arguments))

    def wait(self) -> None:
        """Write the groups of tables, wait for all calls, and raise the first error of one."""
        for write in self._groups:
            self.submit(write)
        self._groups.clear()
        while self._pending:
            self._pending.pop(0).result()

    def in_order(self) -> WriteTable:
        """Return a function like ``write_table``. Its tables are written one after the other, once ``wait`` is called.

        Not before, because writing threads would take Python's lock between any two steps of the caller.
        """
        tables: list[tuple[Path, pl.DataFrame]] = []

        def write() -> None:
            for path, table in tables:
                write_table(path, table)

        self._groups.append(write)
        return lambda path, table: tables.append((path, table))


def table_fault(path: Path) -> str | None:
    """Return why a table cannot be used: it cannot be read, or has other content than was written; None if it can.

    Tables of an earlier version have no hash.
    """
    import polars as pl  # takes 0.1 s, and most readers of a warehouse do not need it

    try:
        table, written = pl.read_parquet(path), pl.read_parquet_metadata(path).get(CONTENT)
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return f"{path} cannot be read: {' '.join(str(error).split())}"
    return f"{path} has other content than was written" if written not in (None, _content_of(table)) else None


def _content_of(table: pl.DataFrame) -> str:
    """Return a hash of names and values that does not depend on how a version of polars writes them."""
    digest = hashlib.sha256()
    for column in table:
        size, nulls, kind = len(column), column.null_count(), str(column.dtype)
        values = column if kind in (*_TYPE_CODES, "String") else column.to_physical()
        digest.update(f"{column.name}\n".encode())
        digest.update(bytes(column.is_null().to_list()) if 0 < nulls < size else bytes([nulls > 0]) * size)
        if code := _TYPE_CODES.get(str(values.dtype)):
            digest.update(array(code, (values.fill_null(0) if nulls else values).to_list()).tobytes())
        elif size and not values.dtype.is_nested() and values[0] == values[-1] and values.n_unique() == 1:
            text = str(values[0]).encode()  # as most columns of a vintage
            digest.update((text + b"\0") * (size - 1) + text)
        else:
            digest.update("\0".join(map(str, values.to_list())).encode())
    return digest.hexdigest()


def append_line(path: Path, line: str) -> None:
    """Append one line with a single write, so that concurrent writers do not mix their lines.

    A line that an earlier writer did not finish stays a line of its own.

    Raises:
        OSError: The disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+", buffering=0) as handle:
        unfinished = False
        if handle.seek(0, os.SEEK_END):
            handle.seek(-1, os.SEEK_END)
            unfinished = handle.read(1) != b"\n"
        content = b"\n" * unfinished + line.encode() + b"\n"
        if handle.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@contextmanager
def exclusive(path: Path, wait_s: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of a warehouse. The operating system releases it when the process ends, also when it is killed.

    Args:
        path: Lock file. It names the process that holds the lock, and remains after its release.
        wait_s: Seconds to wait for another process.
        waiting: Called once before the wait.

    Raises:
        Busy: Another process still holds the lock after ``wait_s`` seconds. The message names it.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    # a soft lock would remain after a killed process
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if wait_s <= 0:
                raise
            if waiting:
                waiting()
            lock.acquire(timeout=wait_s, poll_interval=POLL_S)
    except Timeout:
        with suppress(OSError):  # Windows lets no other process read a locked file
            raise Busy(path.read_text(encoding="utf-8").strip()) from None
        raise Busy from None
    try:
        with suppress(PermissionError):
            path.write_text(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}", encoding="utf-8")
        yield
    finally:
        lock.release()
