"""Kept publications: one file each that is never changed, with the hash of its bytes.

Belongs here: their names, hashes and which is the current one. Does not belong here: what they contain, the file that
users open (``standing``).

``publications/<time>-<fingerprint>.duckdb`` is a publication, ``<the same>.sha256`` has its hash in the form of
``sha256sum``, and ``publications/current`` names the current one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from warehouse.files import sha256_of, write_atomically
from warehouse.layout import Layout

STAMP = "%Y%m%dT%H%M%S%fZ"
READ_ONLY = 0o444
FINGERPRINT_DIGITS = 12
SUFFIX = ".duckdb"


@dataclass(frozen=True)
class Kept:
    """A kept publication. The file name gives the id and the time."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name.removesuffix(SUFFIX)

    @property
    def published_at(self) -> datetime:
        return datetime.strptime(self.id.partition("-")[0], STAMP)

    @property
    def record(self) -> Path:
        """The file with the hash."""
        return self.path.with_name(f"{self.id}.sha256")

    @property
    def sha256(self) -> str | None:
        """The hash that the file had when it was published; None without a readable record."""
        with suppress(OSError):
            found = re.match(rb"[0-9a-f]{64}\b", self.record.read_bytes())
            return found[0].decode() if found else None
        return None

    @property
    def is_sound(self) -> bool:
        """Whether the file has the bytes that were published."""
        try:
            return self.sha256 == sha256_of(self.path)
        except OSError:
            return False

    def write_record(self, sha256: str) -> None:
        """Write the hash."""
        write_atomically(self.record, f"{sha256}  {self.path.name}\n".encode())

    def delete(self) -> None:
        """Delete the file and its hash. A reader that has it open keeps it."""
        for path in (self.path, self.record):
            with suppress(OSError):
                path.chmod(0o644)  # Windows deletes no file that is read-only
                path.unlink()


def named(layout: Layout, published_at: datetime, fingerprint: str) -> Kept:
    """Return the place of a publication; its file may not exist yet."""
    short = re.sub(r"[^0-9A-Za-z]", "", fingerprint)[:FINGERPRINT_DIGITS]
    return Kept(layout.publications / f"{published_at.strftime(STAMP)}-{short}{SUFFIX}")


def kept(layout: Layout) -> list[Kept]:
    """Return every kept publication, oldest first."""
    found = []
    for path in layout.publications.glob(f"[0-9]*-*{SUFFIX}"):
        with suppress(ValueError):  # a file of somebody else
            one = Kept(path)
            found.append((one.published_at, path.name, one))
    return [one for *_, one in sorted(found, key=lambda each: each[:2])]


def current(layout: Layout) -> Kept | None:
    """Return the current publication, or the one that the paths choose; None if it is not kept."""
    if layout.chosen:
        return Kept(layout.chosen)
    with suppress(OSError, ValueError):
        one = Kept(layout.publications / f"{layout.current_publication.read_text(encoding='ascii').strip()}{SUFFIX}")
        if one.path.parent == layout.publications and one.published_at and one.path.exists():
            return one
    return None


def make_current(layout: Layout, one: Kept) -> None:
    """Name the current publication."""
    write_atomically(layout.current_publication, f"{one.id}\n".encode())


def outdated(layout: Layout, last: int) -> list[Kept]:
    """Return the publications that need not be kept: not among the last ones, nor the first of a month, nor current."""
    found, now = kept(layout), current(layout)
    stay = needed([one.published_at for one in found], last)
    return [one for one in found if one.published_at not in stay and one != now]


def needed(times: Sequence[datetime], last: int) -> set[datetime]:
    """Return the times of the publications to keep: the ``last`` newest, and the first of each month."""
    ordered = sorted(times)
    return {*ordered[-last:], *{f"{time:%Y%m}": time for time in reversed(ordered)}.values()}
