"""What the ``inspect`` functions of adapters share: which figures a link's options leave, and the head of a file.

Belongs here: reading an answer with the adapter's own functions and wording what that says of the link, byte ranges,
sizes. Does not belong here: verdicts and similar codes (``inspection``), any provider's addresses (its adapter).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http, Reply
from sources.http.conditional import remedy
from sources.inspection import MEMBERS, Inspection, Verdict, failed, missing
from sources.parsing.editions import Files, absent, ask_edition
from sources.parsing.observations import Refusal, csv_table, usable
from sources.parsing.workbook import XLSX_TYPES
from sources.provider import SeriesRequest
from sources.providers.data360_rows import spellings

HEAD_BYTES = 1 << 16
BEGINNING = {"Range": f"bytes=0-{HEAD_BYTES - 1}", "Accept-Encoding": "identity"}
"""Of a large file its first 64 KiB are enough: the head of a table, or what identifies a workbook."""
ZIP = b"PK\x03\x04"
"""The first bytes of every .xlsx file."""

Read = Callable[[SeriesRequest], pl.DataFrame]
"""The figures (``figures.FIGURES``) of a request. Raises Refusal."""


def judged(request: SeriesRequest, read: Read, unit: str | None = None, units: Iterable[str] = ()) -> Inspection:
    """What the figures that a link's options leave say of it.

    Args:
        request: The series with the link's options.
        read: The adapter's own reading of the answer.
        unit: Option that names the expected unit; None where there is no such option.
        units: Units that occur in the answer.

    Returns:
        ``ok`` with the newest year, ``unit differs``, ``no rows``, or ``unreadable`` where no figure can be used.
    """
    figures, reason = _figures(read, request)
    if figures.height:
        years = figures.filter(pl.col("iso3").is_in(MEMBERS))["year"]
        if years.is_empty():
            return Inspection(Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)}")
        return Inspection(Verdict.OK, newest=int(years.max()))  # type: ignore[arg-type]
    if unit and (found := [each for each in units if _figures(read, _with(request, unit, each))[0].height]):
        wanted = request.option(unit)
        told = f"the link expects {wanted}" if wanted else f"the link names none: add the option {unit}"
        return Inspection(Verdict.UNIT, f"the unit is {' or '.join(found)}, {told}")
    return Inspection(*reason)


def _figures(read: Read, request: SeriesRequest) -> tuple[pl.DataFrame, tuple[Verdict, str]]:
    """The figures that can be used, and what to say where there are none."""
    try:
        all_of_them = read(request)
    except Refusal as refusal:
        return pl.DataFrame(), (Verdict.NO_ROWS, refusal.reason)
    figures = all_of_them.filter(pl.col("reason").is_null())
    if all_of_them.is_empty():
        return figures, (Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)}")
    reasons = all_of_them["reason"].drop_nulls()
    return figures, (Verdict.UNREADABLE, f"no figure can be used: {reasons[0] if reasons.len() else 'none is left'}")


def _with(request: SeriesRequest, option: str, value: str) -> SeriesRequest:
    return SeriesRequest(request.code, tuple(sorted({**dict(request.options), option: value}.items())))


def known_name(request: SeriesRequest, known: Collection[str]) -> str | None:
    """The first of the code and its aliases that a list has; None where it has none of them."""
    return next((name for name in spellings(request) if name in known), None)


def by_alias(found: Inspection, request: SeriesRequest, name: str) -> Inspection:
    """The inspection with a remark where the series was found under another name than the link's code."""
    return found if name == request.code else found.noting(f"found under the alias {name}")


def unreadable(refusal: Refusal, url: str = "") -> Inspection:
    return Inspection(Verdict.UNREADABLE, refusal.reason, url=url)


@dataclass(frozen=True)
class Head:
    """The beginning of a file. ``size`` is that of the whole file in bytes, None where the server does not say."""

    reply: Reply = field(repr=False)
    size: int | None

    @property
    def whole(self) -> bool:
        return self.reply.status != 206 or self.size == len(self.reply.content)

    @property
    def content(self) -> bytes:
        """What came, of a part of a text its complete lines."""
        content = self.reply.content
        return content if self.whole else content[: content.rfind(b"\n") + 1] or content


def head_of(reply: Reply) -> Head:
    """Returns the beginning of a file, asked for with ``BEGINNING``, with the size of the whole file."""
    total = re.fullmatch(r"bytes \d+-\d+/(\d+)", reply.headers.get("Content-Range", "").strip())
    return Head(reply, int(total[1]) if total else len(reply.content) if reply.status == 200 else None)


def oversize(head: Head, provider: Provider) -> Inspection | None:
    """``too large`` where the file is larger than the provider's limit; None where it is not, or does not say."""
    limit = provider.max_body_mib << 20
    if head.size is None or head.size <= limit:
        return None
    remedy = f"raise max_body_mib of {provider.id} in providers.yml"
    return Inspection(Verdict.TOO_LARGE, f"{head.size:,} bytes, the limit is {limit:,}: {remedy}", url=head.reply.url)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of whole file, and how it is inspected.

    Attributes:
        files: Where the editions are, newest first, and the adapter's parser.
        figures: Figures of one request from the parsed rows of an edition. Raises Refusal.
        codes: The codes in the rows of the file; in its header where ``in_header``.
        named: How ``codes`` spells the code of a request, or one of its aliases.
        in_header: The codes are names of columns, so that the head of the file has all of them.
        head: Raises Refusal where the head of a CSV is not that of this file; None for workbooks.
        unit: Option of the expected unit, and the units that rows have for a request.
        dated_by_edition: Figures have the year of the edition.
    """

    files: Files
    figures: Callable[[pl.DataFrame, SeriesRequest, int], pl.DataFrame]
    codes: Callable[[pl.DataFrame], Collection[str]]
    named: Callable[[SeriesRequest, str], str] = lambda _, code: code
    in_header: bool = False
    head: Callable[[pl.DataFrame], object] | None = None
    unit: tuple[str, Callable[[pl.DataFrame, SeriesRequest], Sequence[str]]] | None = None
    dated_by_edition: Callable[[SeriesRequest], bool] = lambda _: True


def inspect_file(
    requests: Sequence[SeriesRequest], kind: Kind, provider: Provider, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every request against the newest edition that there is; each address is asked once.

    Args:
        requests: Series that come with this kind of file.
        kind: The file.
        provider: Its provider; the size is compared with ``max_body_mib``.
        http: The session.

    Returns:
        One inspection per request.
    """
    found = _newest(kind.files, provider, http)
    if isinstance(found, Inspection):
        return dict.fromkeys(requests, found)
    edition, head = found
    url = head.reply.url
    if fault := failed(head.reply) or oversize(head, provider):
        return dict.fromkeys(requests, fault)
    try:
        rows = _rows(kind, head, edition)
    except Refusal as refusal:
        return dict.fromkeys(requests, unreadable(refusal, url))
    results = {}
    taken = {kind.named(request, request.code) for request in requests}
    for request in requests:
        result = _in_rows(kind, request, rows, head, edition, taken)
        newest = edition if kind.dated_by_edition(request) else result.newest
        results[request] = replace(result, newest=newest, edition=edition, url=url)
    return results


def _newest(files: Files, provider: Provider, http: Http) -> tuple[int, Head] | Inspection:
    """The newest edition that there is with its head; what to say where there is none."""
    tried: list[Reply] = []
    for edition in files.paths:
        head = head_of(ask_edition(edition, files, provider, http, BEGINNING))
        if not absent(head.reply):
            return edition, head
        tried.append(head.reply)
    blocked = next((reply for reply in tried if reply.blocked), None)
    if blocked:
        detail = f"HTTP {blocked.status}: closed to programs, or not there; {remedy(blocked.url)}"
        return Inspection(Verdict.BLOCKED, detail, url=blocked.url)
    return Inspection(Verdict.GONE, f"there is none of {', '.join(files.paths.values())}", url=tried[-1].url)


def _rows(kind: Kind, head: Head, edition: int) -> pl.DataFrame | None:
    """The parsed file where all of it came, else the rows of its head; None where a part cannot be read."""
    content = usable(head.reply) if head.whole else head.reply.content
    if kind.files.accept == XLSX_TYPES and not content.startswith(ZIP):
        raise Refusal("the file does not begin as a workbook does")
    if head.whole:
        return kind.files.parse(Body(content), edition)
    if kind.head is None:
        return None
    rows = csv_table(head.content)
    kind.head(rows)
    return rows


def _in_rows(
    kind: Kind, request: SeriesRequest, rows: pl.DataFrame | None, head: Head, edition: int, taken: Collection[str]
) -> Inspection:
    """What the rows of a file, or of its head, say of one request."""
    file = f"{kind.files.release} {edition}" + ("" if head.size is None else f", {head.size:,} bytes")
    if rows is None:
        return Inspection(Verdict.OK, f"{file}: size and edition checked, codes are not in a workbook's first bytes")
    name = request.code
    if head.whole or kind.in_header:
        codes = kind.codes(rows)
        names = [each for each in spellings(request) if kind.named(request, each) in codes]
        if not names:
            return missing(kind.named(request, request.code), f"{kind.files.release} {edition}", codes, taken)
        name = names[0]
    if not head.whole:
        return by_alias(Inspection(Verdict.OK, f"{file}: size, edition and head checked"), request, name)
    option, units = kind.unit or (None, lambda *_: ())
    found = judged(request, lambda asked: kind.figures(rows, asked, edition), option, units(rows, request))
    return by_alias(found, request, name)
