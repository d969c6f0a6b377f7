"""What a provider is asked and what it answers: the shapes that adapters, chain and raw store share.

Belongs here: request, answer, outcome, raw body, the adapter protocol. Does not belong here: how any provider is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http
from sources.observation import REJECT, Areas


class Outcome(StrEnum):
    """What can come of asking a provider."""

    OK = "ok"
    NO_DATA = "no_data"
    """The provider says that it has nothing."""
    UNKNOWN_ID = "unknown_id"
    """Our code or area is wrong: a fault of the catalogue, to be mended there."""
    BLOCKED = "blocked"
    """The provider turns programs away: HTTP 401, 403 or 451, or a challenge that only a browser can pass."""
    UNAVAILABLE = "unavailable"
    """Transport, server error, or an answer that is not what it should be."""


@dataclass(frozen=True)
class RawBody:
    """Bytes as a provider sent them, with what tells where they came from. ``refused`` says why they were not used."""

    body: Body = field(repr=False)
    url: str
    status: int
    headers: Mapping[str, str]
    retrieved_at: datetime
    provider: str
    refused: str | None = None

    @property
    def content(self) -> bytes:
        """All bytes at once."""
        return self.body.content

    @property
    def sha256(self) -> str:
        return self.body.sha256


@dataclass(frozen=True)
class SeriesRequest:
    """One series of one provider: its code and the options of the catalogue's link, in a hashable form."""

    code: str
    options: tuple[tuple[str, str | int | float | bool], ...] = ()

    def option(self, name: str, default: str | int | float | bool | None = None) -> str | int | float | bool | None:
        return dict(self.options).get(name, default)


RECORD: dict[str, pl.DataType] = {
    "iso3": pl.String(),
    "year": pl.Int32(),
    "value": pl.Float64(),
    "obs_status": pl.String(),
    "raw_sha256": pl.String(),
}
"""A series as an adapter gives it: the value is in the provider's unit; missing values have no row."""

SERIES_REJECT: dict[str, pl.DataType] = {
    "iso3": pl.String(),
    "year": pl.Int32(),
    **{k: REJECT[k] for k in ("reason", "raw_record", "raw_sha256")},
}
"""A record that could not be read. ``iso3`` and ``year`` where they could be: they tell which figure of the last
vintage stays in its place."""


@dataclass(frozen=True)
class Answer:
    """What came of one request. ``records`` has the columns ``RECORD``, ``rejects`` the columns ``SERIES_REJECT``."""

    outcome: Outcome
    reason: str | None = None
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RECORD), repr=False)
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SERIES_REJECT), repr=False)
    release: str | None = None
    source_url: str = ""
    retrieved_at: datetime | None = None
    licence: str | None = None
    """Where the answer itself says under which licence it comes."""


@dataclass(frozen=True)
class Fetched:
    """Everything one visit to a provider brought: an answer for every request, and every body, used or refused."""

    answers: dict[SeriesRequest, Answer]
    bodies: list[RawBody]


@dataclass(frozen=True)
class Window:
    """The years asked for, both included."""

    first_year: int
    last_year: int


class Adapter(Protocol):
    """A provider's adapter: a module with this function and a pure parser. It raises nothing for provider faults."""

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        """Answer every request, in as few HTTP requests as the provider allows."""
        ...
