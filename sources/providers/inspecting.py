"""What the ``inspect`` functions of adapters share: the result for a link's observations, and the head of a file.

Results and similar codes belong in ``sources.inspection``, the addresses of a provider in its adapter.
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
from sources.observation import Areas
from sources.parsing.editions import EditionFiles, fetch_newest, get_edition, is_absent
from sources.parsing.observations import ReadSeries
from sources.parsing.responses import BEGINNING, UnusableResponse, code_and_aliases, require_content
from sources.parsing.tables import read_csv
from sources.parsing.workbook import XLSX_TYPES
from sources.provider import Fetched, SeriesRequest, Window

ZIP = b"PK\x03\x04"
"""The first bytes of every .xlsx file."""


def inspect_reply(reply: Reply, read: Callable[[bytes], Inspection]) -> Inspection:
    """Return the result of ``read`` for the content of a reply, or that of its failure or of an UnusableResponse."""
    if fault := failed(reply):
        return fault
    try:
        return replace(read(reply.content), url=reply.url)
    except UnusableResponse as error:
        return unreadable(error, reply.url)


def inspect_observations(
    request: SeriesRequest, read: ReadSeries, unit: str | None = None, units: Iterable[str] = ()
) -> Inspection:
    """Return the result for the observations that a link's options select.

    Args:
        request: The series with the link's options.
        read: Reads the observations of a request from the response.
        unit: Option with the expected unit; None if links have no such option.
        units: Units in the response.

    Returns:
        ``ok`` with the newest year, ``unit differs``, ``no rows``, or ``unreadable`` if no observation is valid.
    """
    valid, failure = _valid(read, request)
    if valid.height:
        years = valid.filter(pl.col("iso3").is_in(MEMBERS))["year"]
        if years.is_empty():
            return Inspection(Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)}")
        return Inspection(Verdict.OK, newest=int(years.max()))  # type: ignore[arg-type]
    if unit and (found := [each for each in units if _valid(read, _with_option(request, unit, each))[0].height]):
        wanted = request.option(unit)
        expected = f"the link expects {wanted}" if wanted else f"the link names none: add the option {unit}"
        return Inspection(Verdict.UNIT, f"the unit is {' or '.join(found)}, {expected}")
    return failure


def _valid(read: ReadSeries, request: SeriesRequest) -> tuple[pl.DataFrame, Inspection]:
    """Return the valid observations, and the result for a link without any."""
    try:
        observations = read(request)
    except UnusableResponse as error:
        return pl.DataFrame(), Inspection(Verdict.NO_ROWS, error.reason)
    valid = observations.filter(pl.col("reason").is_null())
    if observations.is_empty():
        return valid, Inspection(Verdict.NO_ROWS, f"there is no figure of {', '.join(MEMBERS)}")
    reasons = observations["reason"].drop_nulls()
    reason = reasons[0] if reasons.len() else "none is left"
    return valid, Inspection(Verdict.UNREADABLE, f"no figure can be used: {reason}")


def _with_option(request: SeriesRequest, option: str, value: str) -> SeriesRequest:
    return SeriesRequest(request.code, tuple(sorted({**dict(request.options), option: value}.items())))


def known_code(request: SeriesRequest, known: Collection[str]) -> str | None:
    """Return the first of the code and its aliases that a list has, None if it has none of them."""
    return next((code for code in code_and_aliases(request) if code in known), None)


def note_alias(result: Inspection, request: SeriesRequest, code: str) -> Inspection:
    """Return the result with a remark if the series was found under an alias of the link's code."""
    return result if code == request.code else result.noting(f"found under the alias {code}")


def unreadable(error: UnusableResponse, url: str = "") -> Inspection:
    """Return the result for a response that could not be parsed."""
    return Inspection(Verdict.UNREADABLE, error.reason, url=url)


@dataclass(frozen=True)
class FileHead:
    """The beginning of a file. ``size`` is that of the whole file in bytes, None if the server does not say."""

    reply: Reply = field(repr=False)
    size: int | None

    @property
    def is_whole(self) -> bool:
        """Whether the whole file was received."""
        return self.reply.status != 206 or self.size == len(self.reply.content)

    @property
    def content(self) -> bytes:
        """The received bytes; only the complete lines if they are a part of a text."""
        content = self.reply.content
        return content if self.is_whole else content[: content.rfind(b"\n") + 1] or content


def head_of(reply: Reply) -> FileHead:
    """Return the beginning of a file, from a reply to a request with the headers ``BEGINNING``."""
    total = re.fullmatch(r"bytes \d+-\d+/(\d+)", reply.headers.get("Content-Range", "").strip())
    return FileHead(reply, int(total[1]) if total else len(reply.content) if reply.status == 200 else None)


def too_large(head: FileHead, provider: Provider) -> Inspection | None:
    """Return ``too large`` if the file exceeds the provider's limit, None if it does not or its size is unknown."""
    limit = provider.max_body_mib << 20
    if head.size is None or head.size <= limit:
        return None
    advice = f"raise max_body_mib of {provider.id} in providers.yml"
    return Inspection(Verdict.TOO_LARGE, f"{head.size:,} bytes, the limit is {limit:,}: {advice}", url=head.reply.url)


@dataclass(frozen=True, kw_only=True)
class FileInspection:
    """How one kind of edition file is inspected.

    Attributes:
        codes: Returns the codes in the rows of a file.
        named: Returns how ``codes`` spells the code of a request, or one of its aliases.
        in_header: The codes are column names, so that the head of the file has all of them.
        head: Raises UnusableResponse if the head of a CSV is of another file; None for workbooks.
        unit: Option of the expected unit, and a function that returns the units in the rows of a request.
        dated_by_edition: Returns whether observations of a request have the year of the edition.
    """

    codes: Callable[[pl.DataFrame], Collection[str]]
    named: Callable[[SeriesRequest, str], str] = lambda _, code: code
    in_header: bool = False
    head: Callable[[pl.DataFrame], object] | None = None
    unit: tuple[str, Callable[[pl.DataFrame, SeriesRequest], Sequence[str]]] | None = None
    dated_by_edition: Callable[[SeriesRequest], bool] = lambda _: True


def inspect_file(
    requests: Sequence[SeriesRequest], files: EditionFiles, inspection: FileInspection, provider: Provider, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every request against the newest edition that exists; each address is requested once.

    Args:
        requests: Series of this kind of file.
        files: The files.
        inspection: How they are inspected.
        provider: The provider; the size of the file is compared with its ``max_body_mib``.
        http: The session.

    Returns:
        One result per request.
    """
    found = _newest(files, provider, http)
    if isinstance(found, Inspection):
        return dict.fromkeys(requests, found)
    edition, head = found
    url = head.reply.url
    if fault := failed(head.reply) or too_large(head, provider):
        return dict.fromkeys(requests, fault)
    try:
        rows = _rows(files, inspection, head, edition)
    except UnusableResponse as error:
        return dict.fromkeys(requests, unreadable(error, url))
    results = {}
    taken = {inspection.named(request, request.code) for request in requests}
    for request in requests:
        result = _inspect_rows(files, inspection, request, rows, head, edition, taken)
        newest = edition if inspection.dated_by_edition(request) else result.newest
        results[request] = replace(result, newest=newest, edition=edition, url=url)
    return results


def _newest(files: EditionFiles, provider: Provider, http: Http) -> tuple[int, FileHead] | Inspection:
    """Return the newest edition that exists with its head, or the result for all links if there is no edition."""
    tried: list[Reply] = []
    for edition in files.paths:
        head = head_of(get_edition(edition, files, provider, http, BEGINNING))
        if not is_absent(head.reply):
            return edition, head
        tried.append(head.reply)
    blocked = next((reply for reply in tried if reply.blocked), None)
    if blocked:
        detail = f"HTTP {blocked.status}: closed to programs, or not there; {remedy(blocked.url)}"
        return Inspection(Verdict.BLOCKED, detail, url=blocked.url)
    return Inspection(Verdict.GONE, f"there is none of {', '.join(files.paths.values())}", url=tried[-1].url)


def _rows(files: EditionFiles, inspection: FileInspection, head: FileHead, edition: int) -> pl.DataFrame | None:
    """Return the parsed file if it is whole, else the rows of its head; None if a part cannot be read."""
    content = require_content(head.reply) if head.is_whole else head.reply.content
    if files.accept == XLSX_TYPES and not content.startswith(ZIP):
        raise UnusableResponse("the file does not begin as a workbook does")
    if head.is_whole:
        return files.parse(Body(content), edition)
    if inspection.head is None:
        return None
    rows = read_csv(head.content)
    inspection.head(rows)
    return rows


def _inspect_rows(
    files: EditionFiles,
    inspection: FileInspection,
    request: SeriesRequest,
    rows: pl.DataFrame | None,
    head: FileHead,
    edition: int,
    taken: Collection[str],
) -> Inspection:
    file = f"{files.release} {edition}" + ("" if head.size is None else f", {head.size:,} bytes")
    if rows is None:
        return Inspection(Verdict.OK, f"{file}: size and edition checked, codes are not in a workbook's first bytes")
    code = request.code
    if head.is_whole or inspection.in_header:
        codes = inspection.codes(rows)
        present = [each for each in code_and_aliases(request) if inspection.named(request, each) in codes]
        if not present:
            return missing(inspection.named(request, request.code), f"{files.release} {edition}", codes, taken)
        code = present[0]
    if not head.is_whole:
        return note_alias(Inspection(Verdict.OK, f"{file}: size, edition and head checked"), request, code)
    option, units = inspection.unit or (None, lambda *_: ())
    result = inspect_observations(
        request, lambda one: files.observations(rows, one, edition, ""), option, units(rows, request)
    )
    return note_alias(result, request, code)


@dataclass(frozen=True)
class NewestEdition:
    """The ``fetch`` and ``inspect`` of a provider whose newest edition answers every request.

    Attributes:
        files: Returns the files for some requests, the known areas and the requested years.
        inspection: How the files are inspected.
    """

    files: Callable[[Sequence[SeriesRequest], Areas, Window], EditionFiles]
    inspection: FileInspection

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        """Answer every request from the newest edition that exists. See ``sources.provider.Adapter``."""
        return fetch_newest(requests, self.files(requests, areas, window), provider, window, http)

    def inspect(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> dict[SeriesRequest, Inspection]:
        """Inspect every request by the beginning of the newest edition. See ``sources.inspection.Inspects``."""
        return inspect_file(requests, self.files(requests, areas, window), self.inspection, provider, http)
