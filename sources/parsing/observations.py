"""Tables of text into observations, rejects and answers.

Each adapter names the columns of its provider and calls ``parse_observations`` and ``build_answers``. How a body
becomes a table belongs in ``tables``, the valid range of an indicator in ``sources.observation``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Reply
from sources.observation import Areas
from sources.parsing.responses import UnusableResponse, raw_body
from sources.provider import RECORD, SERIES_REJECT, Answer, Fetched, Outcome, RawBody, SeriesRequest, Window

PARSED: dict[str, pl.DataType] = {**RECORD, "reason": pl.String(), "raw_record": pl.String()}
"""Columns of ``parse_observations``. Valid observations have no ``reason`` and no ``raw_record``, the row as JSON."""

_NUMBER = "number of the row"
_READ = {name: kind for name, kind in PARSED.items() if name != "raw_record"}

LONGEST = 100
"""Characters of a text of the provider in a reason."""
NO_TEXT = pl.lit(None, dtype=pl.String)

ReadSeries = Callable[[SeriesRequest], pl.DataFrame]
"""Returns the observations (columns ``PARSED``) of one request. Raises UnusableResponse."""


def with_raw_record(rows: pl.DataFrame, raw_sha256: str) -> pl.DataFrame:
    """Add ``raw_record``, each row as JSON, and ``raw_sha256``, the hash of the body that has the rows.

    ``parse_observations`` makes the first from the rows that it gets: this is for rows that change before that.
    """
    return rows.with_columns(raw_record=pl.struct(pl.all()).struct.json_encode(), raw_sha256=pl.lit(raw_sha256))


def matches_cut(rows: pl.DataFrame, column: str, codes: Sequence[str], totals: Sequence[str]) -> pl.Expr:
    """Return whether a row is of the requested cut (disaggregation).

    Only the first of ``codes`` that any row has is used, so that two cuts are never mixed.

    Args:
        rows: Rows of one series.
        column: Column of text with the codes of one dimension.
        codes: Requested codes, in order of preference. An empty list means the total.
        totals: The provider's codes for the total. A row without a code is a total too.

    Returns:
        A boolean expression on ``rows``; false for every row if no code occurs.
    """
    for code in codes or totals[:1]:
        cell = pl.col(column)
        matches = cell == code
        if code in totals:
            matches = cell.is_null() | (cell.str.strip_chars() == "") | cell.is_in(list(totals))
        if rows.select(matches.any()).item():
            return matches
    return pl.lit(False)


def parse_observations(
    rows: pl.DataFrame,
    areas: Areas,
    window: Window,
    *,
    iso3: str | pl.Expr = "iso3",
    period: str | pl.Expr = "period",
    value: str | pl.Expr = "value",
    obs_status: str | pl.Expr = NO_TEXT,
    fault: str | pl.Expr = NO_TEXT,
    multiplier: pl.Expr | None = None,
    raw_sha256: str | None = None,
    keep: Sequence[str] = (),
) -> pl.DataFrame:
    """Parse the rows of one series, or of several, into observations.

    Rows without a value or of years outside the window are left out. A row with an unknown area, a period that is not a
    year or a value that is not a finite number gets a reason.

    Args:
        rows: The rows. They have a column ``raw_sha256`` unless it is given, and may have ``raw_record``.
        areas: The known areas.
        window: The requested years.
        iso3: Column or expression of text with the ISO3 code.
        period: Column or expression of text with the year, "2024" or "2024.0".
        value: Column or expression of text with the number.
        obs_status: Column or expression of text with the provider's status of the observation.
        fault: Column or expression of text with a reason of the adapter to reject the row, NULL if it has none.
        multiplier: Factor from the provider's number to its unit, computed from columns of ``rows``.
        raw_sha256: Hash of the body that has the rows.
        keep: Columns of ``rows`` that the result has too.

    Returns:
        A table with the columns ``PARSED``; ``value`` is in the provider's unit.
    """
    if raw_sha256 is not None:
        rows = rows.with_columns(raw_sha256=pl.lit(raw_sha256))
    columns = {"iso3": iso3, "period": period, "given": value, "obs_status": obs_status, "fault": fault}
    named = {name: pl.col(one) if isinstance(one, str) else one for name, one in columns.items()}
    named["factor"] = pl.lit(1.0) if multiplier is None else multiplier
    given, number, year, factor = pl.col("given").str.strip_chars(), *map(pl.col, ("number", "year", "factor"))
    text = pl.when(pl.col("period").str.contains(r"^\d{4}(\.0+)?$")).then(pl.col("period").str.head(4))
    in_window = year.is_between(window.first_year, window.last_year)
    parsed = (
        rows.lazy()
        .with_row_index(_NUMBER)
        .select(_NUMBER, "raw_sha256", *keep, **named)
        .filter(given.is_not_null() & (given != ""))
        .with_columns(year=text.cast(pl.Int32, strict=False), number=given.cast(pl.Float64, strict=False) * factor)
        .filter(year.is_null() | in_window)
        .with_columns(
            value=pl.when(number == 0).then(0.0).otherwise(number),  # minus zero is zero
            obs_status=pl.when(pl.col("obs_status") != "").then("obs_status"),
            reason=_reason(number, given, areas),
        )
        .select(_NUMBER, *keep, *(pl.col(name).cast(kind) for name, kind in _READ.items()))
        .collect()
    )
    return _with_raw_records(parsed, rows).select(*keep, *PARSED)


def _with_raw_records(parsed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``raw_record`` of the rejected rows, by their numbers: each row as JSON, without the hash of its body."""
    as_json = pl.struct(pl.exclude("raw_sha256")).struct.json_encode()
    record = pl.col("raw_record") if "raw_record" in rows.columns else as_json
    numbers = parsed.filter(pl.col("reason").is_not_null())[_NUMBER]
    return parsed.join(rows[numbers].select(numbers, raw_record=record), on=_NUMBER, how="left", maintain_order="left")


def _reason(number: pl.Expr, given: pl.Expr, areas: Areas) -> pl.Expr:
    """Return why a row is rejected, NULL for a valid observation."""
    # a number that is too small for a float, such as 1e-999, becomes zero
    underflows = (number == 0) & given.str.contains("^[^eE]*[1-9]")
    reason = (
        pl.when(pl.col("fault").is_not_null())
        .then("fault")
        .when(pl.col("year").is_null())
        .then(pl.format("the period {} is not a year", _shown(pl.col("period").fill_null("(none)"))))
        .when(~number.is_finite().fill_null(False) | underflows)
        .then(pl.format("the value {} is not a number", _shown(pl.col("given"))))
        .when(~pl.col("iso3").is_in(sorted(areas.known)).fill_null(False))
        .then(pl.format("unknown area {}", _shown(pl.col("iso3").fill_null("(none)"))))
    )
    return reason.str.replace_all(r"\p{Cc}", "?")  # control characters of the provider


def _shown(text: pl.Expr) -> pl.Expr:
    """Return a text for a reason, without the end of a long one; ``raw_record`` has all of it."""
    return pl.when(text.str.len_chars() > LONGEST).then(text.str.head(LONGEST) + " ...").otherwise(text)


class Origin(NamedTuple):
    """Where an answer comes from: the public address, and the release and licence if they are known."""

    source_url: str
    release: str | None = None
    licence: str | None = None


def build_answers(
    requests: Iterable[SeriesRequest],
    read: ReadSeries,
    origin: Callable[[SeriesRequest], Origin],
    replies: Sequence[Reply],
    provider: Provider,
    window: Window,
    others: Iterable[RawBody] = (),
) -> Fetched:
    """Answer requests from the same replies.

    Args:
        requests: The requests.
        read: Reads the observations of one request from the replies.
        origin: Returns the origin of one request's observations.
        replies: The replies, newest last.
        provider: The provider.
        window: The requested years.
        others: Further bodies to store.

    Returns:
        One answer per request and all bodies. The bodies count as not used if ``read`` failed for every request.
    """
    retrieved_at = replies[-1].retrieved_at
    answers: dict[SeriesRequest, Answer] = {}
    errors: list[UnusableResponse] = []
    for request in requests:
        try:
            answers[request] = build_answer(read(request), provider, window, origin(request), retrieved_at)
        except UnusableResponse as error:
            errors.append(error)
            answers[request] = failed_answer(error, origin(request), retrieved_at)
    every = errors[0] if len(errors) == len(answers) else None
    return Fetched(answers, [*others, *(raw_body(reply, provider, every) for reply in replies if reply.body)])


def build_failed_answers(
    requests: Iterable[SeriesRequest],
    error: UnusableResponse,
    origin: Callable[[SeriesRequest], Origin],
    replies: Sequence[Reply],
    provider: Provider,
    others: Iterable[RawBody] = (),
) -> Fetched:
    """Answer requests that have no usable response. ``replies`` is empty if no request was sent."""
    retrieved_at = replies[-1].retrieved_at if replies else None
    answers = {request: failed_answer(error, origin(request), retrieved_at) for request in requests}
    return Fetched(answers, [*others, *(raw_body(reply, provider, error) for reply in replies if reply.body)])


def merge_fetched(parts: Iterable[Fetched]) -> Fetched:
    """Return the answers and bodies of several parts of a fetch as one."""
    merged = Fetched({}, [])
    for part in parts:
        merged.answers.update(part.answers)
        merged.bodies.extend(part.bodies)
    return merged


def build_answer(
    observations: pl.DataFrame, provider: Provider, window: Window, origin: Origin, retrieved_at: datetime
) -> Answer:
    """Return the answer for the observations (columns ``PARSED``) of one request."""
    refused = observations["reason"].is_not_null()
    records = observations.filter(~refused).select(RECORD.keys())
    rejects = observations.filter(refused).select(SERIES_REJECT.keys())
    if records.height:
        outcome, reason = Outcome.OK, None
    elif rejects.height:
        outcome, reason = Outcome.UNAVAILABLE, f"no figure could be used: {rejects['reason'][0]}"
    else:
        outcome = Outcome.NO_DATA
        reason = f"{provider.title} has no figure for {window.first_year}-{window.last_year}"
    return Answer(outcome, reason, records, rejects, origin.release, origin.source_url, retrieved_at, origin.licence)


def failed_answer(error: UnusableResponse, origin: Origin, retrieved_at: datetime | None) -> Answer:
    """Return the answer for a request that has no usable response."""
    return Answer(error.outcome, error.reason, source_url=origin.source_url, retrieved_at=retrieved_at)
