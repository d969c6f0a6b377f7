"""World Bank Indicators API v2: pages of an answer into rows and observations, and what the API's messages mean.

An answer is a list of two: an envelope (page, pages, per_page, total, sourceid, lastupdated) and the rows. An error is
a list of one message, often with HTTP 200. How the API is called belongs in ``world_bank``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec
import polars as pl

from sources.http.client import Reply
from sources.observation import Areas
from sources.parsing.json_rows import decode_rows
from sources.parsing.observations import parse_observations
from sources.parsing.pages import require_one_answer
from sources.parsing.responses import UnusableResponse
from sources.parsing.tables import decode, parse_json, text_column
from sources.provider import Outcome, SeriesRequest, Window

PER_PAGE = 32_500  # the most that the API gives
MAX_PAGES = 100
LAST_UPDATED = re.compile(rb'"lastupdated"\s*:\s*"([^"]+)"')
PAGES = re.compile(rb'\s*\[\s*\{[^{}]*"pages"\s*:\s*"?(\d{1,4})\b')
THROTTLED_STATUS = {400, 500}
"""HTTP statuses of right codes while the API throttles, and of wrong codes: tried again unless a message says why."""
UNKNOWN_ID_MESSAGES = {"120", "175"}  # invalid value; the indicator was not found, it may have been deleted or archived
XML_MESSAGE = re.compile(rb'<wb:message\b[^>]*?\bid="(\w+)"[^>]*>([^<]*)')
ROW = ("indicator", "country", "countryiso3code", "date", "value", "obs_status")
"""Columns of a page, all text. ``indicator`` and ``country`` are ids; names are left out."""
KEY = ("indicator", "country", "countryiso3code", "area", "date")
"""What identifies a row."""


def database_of(request: SeriesRequest) -> str:
    """Return the database of a series: that of the World Development Indicators by default."""
    return str(request.option("source", 2))


class ApiError(UnusableResponse):
    """A message of the API, which says itself why it gives no data."""


@dataclass(frozen=True)
class WorldBankPage:
    """One page of an answer. ``rows`` has the columns ``ROW``, also without a value; ``keys`` identify them."""

    number: int
    pages: int
    total: int
    source: str | None
    last_updated: str | None
    rows: pl.DataFrame = field(repr=False)
    keys: pl.Series = field(repr=False)
    per_page: int = PER_PAGE


def parse(body: bytes) -> WorldBankPage:
    """Return one page of an answer.

    Raises:
        ApiError: If the API sent a message instead of data.
        UnusableResponse: If the body is not an envelope with rows.
    """
    if message := XML_MESSAGE.search(body):
        raise _api_error([{"id": message[1].decode(), "value": message[2].decode("utf-8", errors="replace")}])
    found = decode_rows(decode(body), _Row)
    document = [parse_json(found[0].encode())] if found else parse_json(body)
    head = document[0] if isinstance(document, list) and document else document
    if isinstance(head, dict) and "message" in head:
        raise _api_error(head["message"])
    if not isinstance(document, list) or not isinstance(head, dict) or len(document) > 2:
        raise UnusableResponse("not a World Bank answer: a list of envelope and rows is expected")
    rows = document[1] if len(document) == 2 and document[1] is not None else []
    if not isinstance(rows, list):
        raise UnusableResponse("not a World Bank answer: the rows are not a list")
    try:
        number, pages, total = (int(head[name]) for name in ("page", "pages", "total"))
        per_page = int(head.get("per_page", PER_PAGE))
    except KeyError as error:
        raise UnusableResponse(f"the envelope lacks the field {error}") from error
    except (TypeError, ValueError) as error:
        raise UnusableResponse(f"page, pages, per_page or total is not a number: {error}") from error
    source, last_updated = (_text(head, name) for name in ("sourceid", "lastupdated"))
    table = found[1].rename(_COLUMNS) if found else _table(rows)
    # ids of areas are empty in some databases, their names are not
    keys = table.select(pl.concat_str(pl.col(*KEY).fill_null(""), separator="|").alias("key"))["key"]
    table = table.select(ROW).with_columns(pl.col("indicator", "country").fill_null(""))
    return WorldBankPage(number, pages, total, source, last_updated, table, keys, per_page)


def announced_pages(first: Reply) -> int:
    """Return the number of pages of an answer by the beginning of its first one, before it is read; 1 if unknown."""
    found = PAGES.match(first.body.head(1000)) if first.failure is None else None
    return int(found[1]) if found and int(found[1]) <= MAX_PAGES else 1


def _text(head: dict[str, Any], name: str) -> str | None:
    """Return an optional text of the envelope. Raise UnusableResponse if it is an object or a list."""
    found = head.get(name)
    if found is not None and not isinstance(found, str):
        raise UnusableResponse(f"the envelope's {name} is not a text: {json.dumps(found)[:80]}")
    return found


def _api_error(messages: Any) -> ApiError:
    """Return the error for messages of the API: one for each part of the address that it does not accept."""
    known = [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []
    ids = {str(message.get("id")) for message in known}
    is_unknown_id = bool(ids) and ids <= UNKNOWN_ID_MESSAGES
    text = "; ".join(f"{message.get('id')} {message.get('value') or message.get('key')}" for message in known)
    outcome = Outcome.UNKNOWN_ID if is_unknown_id else Outcome.UNAVAILABLE
    return ApiError(f"the World Bank says: {text or messages}", outcome)


class _Named(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str | None
    value: str | None


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row as documented."""

    indicator: _Named
    country: _Named
    countryiso3code: str | None
    date: str | None
    value: msgspec.Raw
    unit: str | None
    obs_status: str | None
    decimal: int | None


_COLUMNS = {"indicator.id": "indicator", "country.id": "country", "country.value": "area"}
"""Path of a field -> name in a table, where it is another one."""


def _table(rows: list[Any]) -> pl.DataFrame:
    """Return rows of any shape as columns of text: ``ROW`` and ``area``, the name of the country."""
    try:
        columns = {name: list(map(itemgetter(name), rows)) for name in ("indicator", "country", "date", "value")}
        columns["indicator"] = list(map(itemgetter("id"), columns["indicator"]))
        columns["area"] = [country.get("value") for country in columns["country"]]
        columns["country"] = list(map(itemgetter("id"), columns["country"]))
    except KeyError as error:
        raise UnusableResponse(f"a row lacks the field {error}") from error
    except (TypeError, AttributeError) as error:
        raise UnusableResponse(f"a row has another shape than documented: {error}") from error
    for name in ("countryiso3code", "obs_status"):
        columns[name] = [row.get(name) for row in rows]
    return pl.DataFrame([text_column(name, columns[name]) for name in (*ROW, "area")])


def observations_of(
    rows: pl.DataFrame, raw_sha256: str | None, codes: Collection[str], areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations in the rows of pages with their ``indicator``, see ``parse_observations``.

    Args:
        rows: Rows with the columns ``ROW``. The API sends the whole series if it has nothing in the window.
        raw_sha256: Hash of the page's body, None for rows with a column of that name.
        codes: The requested indicators; rows of others are rejected.
        areas: The known areas.
        window: The requested years.
    """
    indicator, country, stated = pl.col("indicator"), pl.col("country"), pl.col("countryiso3code")
    by_iso2 = country.replace_strict(areas.iso2_to_iso3, default=country, return_dtype=pl.String())
    is_foreign = ~indicator.is_in(list(codes))
    economies = sorted(areas.economies)  # the two-letter codes of groups are the World Bank's own
    iso2_of_another = stated.is_in(economies) & by_iso2.is_in(economies) & (stated != by_iso2)
    return parse_observations(
        rows,
        areas,
        window,
        iso3=pl.when(stated.str.len_chars() == 3).then(stated).otherwise(by_iso2),
        period="date",
        obs_status="obs_status",
        fault=pl.when(is_foreign)
        .then(pl.format("another indicator's data: {}", indicator))
        .when(iso2_of_another)
        .then(pl.format("the codes {} and {} are of different countries", country, stated)),
        raw_sha256=raw_sha256,
        keep=["indicator"],
    )


def indicators_of(pages: Sequence[WorldBankPage]) -> set[str]:
    """Return the indicators that have rows on these pages."""
    return {code for page in pages for code in page.rows["indicator"].unique()}


def fault_between(pages: Sequence[WorldBankPage], codes: set[str]) -> UnusableResponse | None:
    """Return why pages do not form one answer for these indicators, None if they do."""
    head = pages[0]
    if head.pages > MAX_PAGES:
        return UnusableResponse(f"{head.pages} pages are more than an answer can have")
    if {(page.pages, page.total, page.last_updated) for page in pages} != {(head.pages, head.total, head.last_updated)}:
        return UnusableResponse("the pages are not of one release: total or lastupdated changed between them")
    try:
        require_one_answer([page.keys for page in pages], head.total)
    except UnusableResponse as error:
        return error
    present = indicators_of(pages)
    if present and not present & codes:
        return UnusableResponse(f"the answer is of another indicator: {', '.join(sorted(present))}")
    return None


def is_throttled(reply: Reply) -> bool:
    """Return whether a failed call is worth a retry: the API throttles, and does not say that a code is wrong."""
    if reply.status not in THROTTLED_STATUS:
        return False
    try:
        parse(reply.content)
    except UnusableResponse as error:
        return error.outcome is not Outcome.UNKNOWN_ID
    return True


def parse_codes(body: bytes) -> tuple[set[str], int]:
    """Return the codes on one page of a database's list of indicators, and the number of pages."""
    try:
        head, rows = parse_json(body)
        return {str(row["id"]) for row in rows}, int(head["pages"])
    except (TypeError, ValueError, KeyError) as error:
        raise UnusableResponse("not a World Bank list of indicators") from error
