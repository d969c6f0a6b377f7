"""Files that an operator puts into a folder, for publishers without any interface: a table and its header.

``<name>.csv`` or ``<name>.xlsx`` (first sheet) has the columns ``iso3``, ``year`` and ``value``, and any others that
help to find a value again, such as its page; ``<name>.yml`` has the fields of ``Header``. The option ``file`` of a
request is the name; ``code`` and the option ``unit`` must be the header's indicator and unit. With the option
``column`` the values are in that column, and the header's indicator is the name of the file: such a table has several
indicators. The path of the folder belongs in the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, HttpUrl, ValidationError, field_validator

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http, Reply
from sources.inspection import Inspection, Verdict
from sources.observation import Areas, utc_now
from sources.parsing.column_names import rename_columns
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched, parse_observations
from sources.parsing.responses import UnusableResponse, raw_body
from sources.parsing.tables import read_csv
from sources.parsing.workbook import open_workbook, rows_of, table
from sources.provider import Fetched, Outcome, SeriesRequest, Window

KEYS = ("iso3", "year")
VALUE = "value"
SUFFIXES = (".csv", ".xlsx")


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
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        if moment > utc_now():
            raise ValueError("lies in the future")
        return moment


def parse_header(body: bytes) -> Header:
    """Return the header of a file. Raise UnusableResponse with the name of a missing or wrong field."""
    try:
        return Header.model_validate(yaml.load(body, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableResponse(f"the header is not valid YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the header"
        raise UnusableResponse(f"the header's field {field}: {first['msg'].removeprefix('Value error, ')}") from error


def parse(body: bytes, suffix: str, column: str = VALUE) -> pl.DataFrame:
    """Return the table, ``KEYS`` and ``column`` first, all text. Raise UnusableResponse if it cannot be read."""
    columns: dict[str, tuple[str, ...]] = dict.fromkeys((*KEYS, column), ())
    if suffix == ".csv":
        return rename_columns(read_csv(body), columns)
    workbook = open_workbook(body)
    return table(rows_of(workbook, workbook.sheet_names[0]), columns)


def observations_of(
    rows: pl.DataFrame, raw_sha256: str, areas: Areas, window: Window, column: str = VALUE
) -> pl.DataFrame:
    """Return the observations of one column of a file, see ``parse_observations``."""
    iso3, year = (pl.col(key).str.strip_chars() for key in KEYS)
    return parse_observations(rows, areas, window, iso3=iso3, period=year, value=column, raw_sha256=raw_sha256)


@dataclass(frozen=True)
class LocalFiles:
    """The adapter of one folder. See ``sources.provider.Adapter``."""

    folder: Path

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        """Return the figures of every requested series from its file. A missing file means no data, and is no fault."""
        return merge_fetched(self._answer(request, provider, areas, window) for request in requests)

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
            replies.append(_read(path.with_suffix(".yml")))
            header = parse_header(replies[0].content)
            _require_requested(header, request)
            origin = Origin(str(header.source_url), header.vintage, header.licence)
            replies.append(replace(_read(path), retrieved_at=header.retrieved_at))
            rows = parse(replies[1].content, path.suffix, column)
        except UnusableResponse as error:
            named = UnusableResponse(f"{present[0].name}: {error.reason}")
            return build_failed_answers([request], named, lambda _: origin, replies, provider)
        sha256 = raw_body(replies[1], provider).sha256
        return build_answers(
            [request],
            lambda _: observations_of(rows, sha256, areas, window, column),
            lambda _: origin,
            replies,
            provider,
            window,
        )


def _read(path: Path) -> Reply:
    """Return a file as a reply, without the path of its folder, which is not to be published."""
    try:
        return Reply(f"local_file:{path.name}", Body(path.read_bytes()), 200)
    except OSError as error:
        raise UnusableResponse(f"{path.name} cannot be read ({error.strerror})") from error


def _require_requested(header: Header, request: SeriesRequest) -> None:
    """Raise UnusableResponse if the header is of another indicator or unit than requested."""
    indicator = request.option("file") if request.option("column") else request.code
    for field, found, requested in (
        ("indicator", header.indicator, indicator),
        ("unit", header.unit, request.option("unit")),
    ):
        if found != requested:
            raise UnusableResponse(f"the header's {field} is {found}, requested is {requested}")
