"""Requests to providers and their answers: the types that adapters, chain and raw store share.

How a provider is read belongs in its adapter (``sources.providers``).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

from sources.catalogue import Provider
from sources.errors import printable
from sources.http.bodies import Body
from sources.http.client import Http
from sources.observation import REJECT, Areas

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """The result of a request to a provider."""

    OK = "ok"
    NO_DATA = "no_data"
    """The provider says that it has no data."""
    UNKNOWN_ID = "unknown_id"
    """The code or area is wrong: an error in the catalogue."""
    BLOCKED = "blocked"
    """The provider refuses programs: HTTP 401, 403 or 451, or a challenge for browsers."""
    UNAVAILABLE = "unavailable"
    """A failed connection, a server error, or a response that cannot be used."""
    FAULT = "fault"
    """An error of this program while it read the response: it is reported to the operator, and says nothing of the
    provider."""


@dataclass(frozen=True)
class RawBody:
    """A body as a provider sent it, with its origin. ``refused`` is the reason if it was not used."""

    body: Body = field(repr=False)
    url: str
    status: int
    headers: Mapping[str, str]
    retrieved_at: datetime
    provider: str
    refused: str | None = None

    @property
    def content(self) -> bytes:
        """Return all bytes of the response body."""
        return self.body.content

    @property
    def sha256(self) -> str:
        return self.body.sha256


@dataclass(frozen=True)
class SeriesRequest:
    """One series of one provider: its code and the options of the catalogue's link, hashable."""

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
"""Columns of a series: the value is in the provider's unit; missing values have no row."""

SERIES_REJECT: dict[str, pl.DataType] = {
    "iso3": pl.String(),
    "year": pl.Int32(),
    **{k: REJECT[k] for k in ("reason", "raw_record", "raw_sha256")},
}
"""Columns of rejected rows. ``iso3`` and ``year`` are NULL if they could not be parsed; otherwise the value of the last
vintage is kept for them."""


@dataclass(frozen=True)
class Answer:
    """The answer to one request. ``records`` has the columns ``RECORD``, ``rejects`` the columns ``SERIES_REJECT``."""

    outcome: Outcome
    reason: str | None = None
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RECORD), repr=False)
    rejects: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SERIES_REJECT), repr=False)
    release: str | None = None
    source_url: str = ""
    retrieved_at: datetime | None = None
    licence: str | None = None
    """The licence, if the response itself states one."""


def fault_of(provider: str, error: Exception) -> Answer:
    """Return the answer for an error of an adapter, and log its traceback. Call it where the error is handled."""
    named = f"the {provider} adapter failed: {type(error).__name__}: {error}"
    log.error(
        "%s; the other providers and the last vintage are used\n%s",
        printable(named),
        printable(traceback.format_exc(), lines=True),
    )
    return Answer(Outcome.FAULT, printable(f"a fault of this program, not of the provider: {named}")[:500])


@dataclass(frozen=True)
class Fetched:
    """The result of one fetch from a provider: an answer to every request, and every body, used or not."""

    answers: dict[SeriesRequest, Answer]
    bodies: list[RawBody]


@dataclass(frozen=True)
class Window:
    """The requested years, both included."""

    first_year: int
    last_year: int


class Adapter(Protocol):
    """An adapter: a module with this function and a pure parser. It never raises for faults of the provider."""

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        """Return the figures of every requested series with as few HTTP requests as the provider allows.

        Args:
            requests: Series of this provider.
            provider: Its catalogue entry, with address and limits.
            areas: The known areas.
            window: The requested years.
            http: The session.
        """
        ...
