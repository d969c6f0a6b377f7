"""Decompress the body of a response, with a limit on its size.

Belongs here: content encodings, size limits. Does not belong here: receiving bytes (``client``).

The libraries accept a compressed stream that ends early, which would cut a table, and decompress a small body to any
size. Both are errors here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.http.bodies import CHUNK, Body, Spool
from sources.http.replies import FailureKind, Fault

ENCODINGS = ("gzip", "x-gzip")
DECODED_TIMES = 4
"""A decompressed body may be this many times larger than the limit for the body as sent."""
PART = 1 << 20
"""Bytes that one step of a decompression returns at most."""
_GZIP = 31  # zlib's window size with a gzip header


@dataclass(frozen=True)
class SizeLimit:
    """The largest body as sent, in bytes, and the provider whose catalogue entry has the limit."""

    sent: int
    provider: str

    def check(self, size: int, url: str, decoded: bool = False) -> None:
        """Raise Fault if a body of at least ``size`` bytes is too large."""
        limit = self.sent * (DECODED_TIMES if decoded else 1)
        if size > limit:
            prefix = f"{self.provider}: " if self.provider else ""
            raise Fault(
                FailureKind.TOO_LARGE,
                f"{prefix}{url}: more than {limit:,} bytes{' when decompressed' if decoded else ''} came; "
                f"raise max_body_mib of {self.provider or 'the provider'} in providers.yml",
            )


def decode(sent: Body, encoding: str, url: str, limit: SizeLimit, folder: Path | None) -> Body:
    """Return a decompressed body.

    Args:
        sent: The body as sent.
        encoding: Value of the header Content-Encoding.
        url: Address of the response, for messages.
        limit: Raises Fault for a body that becomes too large.
        folder: For large bodies, see ``Spool``.

    Raises:
        Fault: The encoding was not requested, or the stream is damaged or ends early.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity") or not sent:
        return sent
    if encoding not in ENCODINGS:
        raise Fault(FailureKind.BROKEN, f"{url}: the encoding {encoding} was not asked for")
    try:
        with Spool(folder) as spool:
            for part in _decompressed(sent):
                limit.check(spool.size + len(part), url, decoded=True)
                spool.write(part)
            return spool.body()
    except zlib.error as error:
        raise Fault(FailureKind.BROKEN, f"{url}: damaged {encoding} stream ({error})", transient=True) from error


def _decompressed(sent: Body) -> Iterator[bytes]:
    """Yield the content of a gzip stream in parts. Raises zlib.error, also for a stream that ends early."""
    member = zlib.decompressobj(_GZIP)
    with sent.open() as stream:
        while part := stream.read(CHUNK):
            while part:
                if member.eof:  # a stream may have several members
                    member = zlib.decompressobj(_GZIP)
                yield member.decompress(part, PART)
                part = member.unused_data if member.eof else member.unconsumed_tail
    while not member.eof and (rest := member.decompress(member.unconsumed_tail, PART)):
        yield rest
    if not member.eof:
        raise zlib.error("it ends early")
