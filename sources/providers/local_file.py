"""Files that an operator puts into a folder, for publishers without any interface: a table and its header.

``<name>.csv`` or ``<name>.xlsx`` (first visible sheet) has the columns ``iso3``, ``year`` and ``value``, and any others
that help to find a value again, such as its page; ``<name>.yml`` has the fields of ``Header``. The option ``file`` of a
request is the name; ``code`` and the option ``unit`` must be the header's indicator and unit. With the option
``column`` the values are in that column, and the header's indicator is the name of the file: such a table has several
indicators. The path of the folder belongs in the settings, reading a table in ``local_tables``, a check before landing
in ``sources.checks.local_files``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http, Reply
from sources.inspection import Inspection, Verdict
from sources.observation import Areas, utc_now
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched
from sources.parsing.responses import UnusableResponse, raw_body
from sources.provider import Fetched, Outcome, SeriesRequest, Window, fault_of
from sources.providers.local_tables import KEYS, VALUE, located_observations, read_table
from sources.yaml_files import YamlFault, first_fault, parse_yaml

SUFFIXES = (".csv", ".xlsx")
MAX_BYTES = 64 << 20


class Header(BaseModel):
    """The origin of a file. ``vintage`` is the publisher's edition, ``retrieved_at`` is UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    indicator: str = Field(min_length=2)
    unit: str = Field(min_length=1)
    source_title: str = Field(min_length=3, validation_alias=AliasChoices("source_title", "source"))
    source_url: HttpUrl
    licence: str = Field(min_length=2)
    vintage: str = Field(min_length=1)
    retrieved_at: datetime
    retrieved_by: str = Field(min_length=2)

    @field_validator("vintage", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value  # an edition that is a year

    @field_validator("retrieved_at")
    @classmethod
    def _utc_and_past(cls, value: datetime) -> datetime:
        try:
            moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        except OverflowError as error:  # the first and the last day that a date can have
            raise ValueError(str(error)) from error
        if moment > utc_now():
            raise ValueError("lies in the future")
        return moment


def parse_header(body: bytes) -> Header:
    """Return the header of a file. Raise UnusableResponse with the line and the name of a missing or wrong field."""
    try:
        document = parse_yaml(body)
        return Header.model_validate(document.value)
    except YamlFault as fault:
        raise UnusableResponse(f"line {fault.line}: {fault.problem}") from fault
    except ValidationError as error:
        place, fault_text = first_fault(error)
        field = ".".join(map(str, place)) or "the header"
        raise UnusableResponse(f"line {document.line_of(*place)}: the header's field {field}: {fault_text}") from error


def parse(body: bytes, suffix: str, column: str = VALUE) -> pl.DataFrame:
    """Return the table, ``KEYS`` and ``column`` first, all text. Raise UnusableResponse if it cannot be read."""
    return read_table(f"table{suffix}", body, (*KEYS, column)).rows


def shows_percentages(unit: str) -> bool:
    """Return whether figures of a unit are percentages: a cell that shows 81.7% and has 0.817 is then no figure."""
    return unit.startswith("pct")


@dataclass(frozen=True)
class LocalFiles:
    """The adapter of one folder. See ``sources.provider.Adapter``."""

    folder: Path

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        """Return the figures of every requested series from its file. A missing file means no data, and is no fault."""
        return merge_fetched(self._guarded(request, provider, areas, window) for request in requests)

    def _guarded(self, request: SeriesRequest, provider: Provider, areas: Areas, window: Window) -> Fetched:
        """Return the answer of one file; an error of this program does not stop the other files."""
        try:
            return self._answer(request, provider, areas, window)
        except Exception as error:
            return Fetched({request: fault_of(f"{provider.id} {request.option('file')}", error)}, [])

    def inspect(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> dict[SeriesRequest, Inspection]:
        """Inspect every file by reading it. See ``sources.inspection.Inspects``."""
        answers = self.fetch(requests, provider, areas, window, http).answers
        verdicts = {Outcome.OK: Verdict.OK, Outcome.NO_DATA: Verdict.NO_FILE}
        return {
            request: Inspection(
                verdicts.get(answer.outcome, Verdict.UNREADABLE),
                answer.reason or "",
                newest=max(answer.records["year"], default=None),
                url=answer.source_url,
            )
            for request, answer in answers.items()
        }

    def _answer(self, request: SeriesRequest, provider: Provider, areas: Areas, window: Window) -> Fetched:
        name = str(request.option("file"))
        column = str(request.option("column", VALUE))
        origin = Origin(str(provider.documentation_url or ""))
        paths = [self.folder / f"{name}{suffix}" for suffix in SUFFIXES]
        present = [path for path in paths if path.is_file()]
        if not present:
            absent = UnusableResponse(f"there is no file {' or '.join(path.name for path in paths)}", Outcome.NO_DATA)
            return build_failed_answers([request], absent, lambda _: origin, [], provider)
        replies: list[Reply] = []
        try:
            if len(present) > 1:
                raise UnusableResponse(f"there are both {' and '.join(path.name for path in present)}")
            path = present[0]
            replies.append(read_file(path.with_suffix(".yml")))
            header = read_header(path, replies[0].content)
            require_requested(header, request)
            origin = Origin(str(header.source_url), header.vintage, header.licence)
            replies.append(replace(read_file(path), retrieved_at=header.retrieved_at))
            scales = shows_percentages(header.unit)
            table = read_table(path.name, replies[1].content, (*KEYS, column), scales)
        except UnusableResponse as error:
            named = UnusableResponse(f"{present[0].name}: {error.reason}")
            return build_failed_answers([request], named, lambda _: origin, replies, provider)
        sha256 = raw_body(replies[1], provider).sha256
        fetched = build_answers(
            [request],
            lambda _: located_observations(table, sha256, areas, window, column).drop("place"),
            lambda _: origin,
            replies,
            provider,
            window,
        )
        answer = fetched.answers[request]
        if table.notes and answer.outcome is Outcome.OK:
            fetched.answers[request] = replace(answer, reason=f"{path.name}: {'; '.join(table.notes[:3])}")
        return fetched


def read_header(path: Path, content: bytes) -> Header:
    """Return the header of a table. Raise UnusableResponse with file, line and field."""
    try:
        return parse_header(content)
    except UnusableResponse as error:
        raise UnusableResponse(f"{path.with_suffix('.yml').name} {error.reason}") from error


def read_file(path: Path) -> Reply:
    """Return a file as a reply, without the path of its folder, which is not to be published."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UnusableResponse(f"{path.name} has more than {MAX_BYTES:,} bytes")
        return Reply(f"local_file:{path.name}", Body(path.read_bytes()), 200)
    except OSError as error:
        raise UnusableResponse(f"{path.name} cannot be read ({error.strerror})") from error


def require_requested(header: Header, request: SeriesRequest) -> None:
    """Raise UnusableResponse if the header is of another indicator or unit than requested."""
    indicator = request.option("file") if request.option("column") else request.code
    for field, found, requested in (
        ("indicator", header.indicator, indicator),
        ("unit", header.unit, request.option("unit")),
    ):
        if found != requested:
            raise UnusableResponse(f"the header's {field} is {found}, requested is {requested}")
