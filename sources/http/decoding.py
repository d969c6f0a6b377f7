"""Decompress the body of a response, with a limit on its size.

Belongs here: content encodings. Does not belong here: receiving bytes (``sending``), how large a body may be
(``limits``).

requests accepts a compressed stream that ends early, which would cut a table, and decompresses a body to any size.
Both are errors here.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from sources.http.bodies import Body, Spool
from sources.http.limits import SizeLimit
from sources.http.replies import FailureKind, Fault

ENCODINGS = ("gzip", "x-gzip")
PART = 1 << 20
"""Bytes that are decompressed at a time."""


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
        with Spool(folder) as spool, sent.open() as stream, gzip.GzipFile(fileobj=stream) as unpacked:
            while part := unpacked.read(PART):
                limit.check(spool.size + len(part), url, decoded=True)
                spool.write(part)
            return spool.body()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Fault(FailureKind.BROKEN, f"{url}: damaged {encoding} stream ({error})", transient=True) from error
