"""What adapters of services with plain rows share: bodies into tables of text, tables into figures with reasons.

Belongs here: JSON and CSV as they come, what is a figure, a year and an area, the answer that follows from them. Does
not belong here: any provider's addresses, field names or codes (its adapter), the range of a value (``observation``).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import polars as pl

from sources.catalogue import Provider
from sources.http.bodies import Body
from sources.http.client import Http, Reply
from sources.http.conditional import remedy
from sources.observation import Areas
from sources.provider import RECORD, SERIES_REJECT, Answer, Fetched, Outcome, RawBody, SeriesRequest, Window

T = TypeVar("T")

JSON_TYPES = ("application/json",)
CSV_TYPES = ("text/csv", "application/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel")
"""What file servers call a CSV. Whether it is one, its header tells."""

HALF_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half of a pair that stands for one character, without the other: no text can hold it."""

FIGURES: dict[str, pl.DataType] = {**RECORD, "reason": pl.String(), "raw_record": pl.String()}
"""Figures as ``judge`` gives them: ``reason`` is NULL for one that can be used."""


class Refusal(Exception):
    """A body, or the lack of one, that gives no answer."""

    def __init__(self, reason: str, outcome: Outcome = Outcome.UNAVAILABLE) -> None:
        super().__init__(reason)
        self.reason, self.outcome = reason, outcome


def ask(
    http: Http,
    provider: Provider,
    path: str,
    params: Mapping[str, str | int] | None = None,
    accept: tuple[str, ...] = JSON_TYPES,
    retry_timeouts: bool = True,
) -> Reply:
    """One GET below the provider's base address, within the limits of its entry. See ``Http.get``."""
    return http.get(
        f"{str(provider.base_url).rstrip('/')}/{path}",
        params,
        accept=accept,
        retry_timeouts=retry_timeouts,
        **provider.limits,
    )


def usable(reply: Reply, wrong_id: Collection[int] = ()) -> bytes:
    """The content of a reply that is one. Raises Refusal; a status in ``wrong_id`` says that our code is wrong."""
    return usable_body(reply, wrong_id).content


def usable_body(reply: Reply, wrong_id: Collection[int] = ()) -> Body:
    """As ``usable``, for a body that is too large to be held in memory."""
    if reply.failure is None:
        return reply.body
    if reply.status in wrong_id:
        raise Refusal(reply.failure.message, Outcome.UNKNOWN_ID)
    raise blocked(reply) if reply.blocked else Refusal(reply.failure.message)


def blocked(reply: Reply) -> Refusal:
    """The refusal of a reply that turns programs away, with what an operator can do."""
    message = reply.failure.message if reply.failure else f"HTTP {reply.status}"
    return Refusal(f"{message}: closed to programs; {remedy(reply.url)}", Outcome.BLOCKED)


def look_up(reply: Reply, read: Callable[[bytes], T], provider: Provider) -> tuple[T | None, list[RawBody]]:
    """What figures are worth having without: a release's name, a list of codes. None where it could not be read."""
    try:
        found, refusal = read(usable(reply)), None
    except Refusal as error:
        found, refusal = None, error
    return found, [raw_body(reply, provider, refusal)] if reply.body else []


def raw_body(reply: Reply, provider: Provider, refusal: Refusal | None = None) -> RawBody:
    reason = refusal.reason if refusal else None
    return RawBody(reply.body, reply.url, reply.status, dict(reply.headers), reply.retrieved_at, provider.id, reason)


def last_modified(reply: Reply) -> str | None:
    """The day on which the body changed last, as YYYY-MM-DD; with a note where an operator put the file in place."""
    try:
        day = parsedate_to_datetime(reply.headers.get("Last-Modified", "")).date().isoformat()
    except (ValueError, OverflowError):
        return None
    return f"{day}, put in place by the operator" if reply.placed else day


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")  # only names are beyond ASCII, and names are not read
    if not text.strip():
        raise Refusal("the body is empty")
    if text.lstrip().startswith("<"):
        raise Refusal("a page of markup came instead of data")
    return text


def read_json(text: str) -> Any:
    """JSON, numbers as strings of their digits. Raises ValueError, also where an object has a field twice."""
    if "\\ud" in text or "\\uD" in text:
        text = HALF_CHARACTER.sub(r"\\ufffd", text)
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object)


def _object(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these fields; of one that comes twice nobody can say which is right."""
    found = dict(fields)
    if len(found) < len(fields):
        raise ValueError("an object has a field twice")
    return found


def document(body: bytes) -> Any:
    """The JSON of a body, see ``read_json``. Raises Refusal."""
    try:
        return read_json(_text(body))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"not valid JSON: {error}") from error


def csv_columns(body: Body, names: Collection[str]) -> pl.DataFrame:
    """Some columns of a CSV that may be too large for memory, as ``csv_table`` gives them; absent ones are left out.

    Raises Refusal as ``csv_table`` does. What comes twice is there as ``<name>_duplicated_0``, see ``require_single``.
    """
    _text(body.head())
    try:
        # bytes that are no UTF-8 are only in names, and names are not read
        table = pl.scan_csv(body.path or body.content, infer_schema=False, encoding="utf8-lossy")
        there = table.collect_schema().names()
        table.select(pl.all().null_count()).collect(engine="streaming")  # a row with too many cells is only met so
        wanted = [name for name in there if name.removesuffix("_duplicated_0") in names]
        rows = table.select(wanted).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise Refusal(f"not a readable CSV: {error}") from error
    _require_whole_row(_last_line(body), len(there))
    return rows.filter(pl.any_horizontal(pl.all().is_not_null()))


def _last_line(body: Body) -> str:
    """What stands after the last end of a line."""
    size = 1 << 16
    while b"\n" not in (end := body.tail(size)) and size < len(body):
        size *= 4
    return end[end.rfind(b"\n") + 1 :].decode("utf-8", errors="replace")


def _require_whole_row(last: str, width: int) -> None:
    """Raises Refusal where a text's last line is a row without its end; the line is empty where it ends with one."""
    cells = next(csv.reader([last]), [])
    if 1 < len(cells) < width:
        raise Refusal(f"the text ends amid a row, after {len(cells)} of {width} columns")


def csv_table(body: bytes) -> pl.DataFrame:
    """The rows of a CSV with a header, every column as text, empty cells as NULL, blank lines left out.

    Raises Refusal, also where the text ends amid a row: its last figure may lack digits.
    """
    text = _text(body)
    try:
        table = pl.read_csv(text.encode(), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise Refusal(f"not a readable CSV: {error}") from error
    _require_whole_row(text[text.rfind("\n") + 1 :], table.width)
    return table.filter(pl.any_horizontal(pl.all().is_not_null()))


def json_table(rows: Any, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
    """The named fields of JSON objects as columns of text. Raises Refusal naming a required field that is not there."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Refusal("the rows are not a list of objects")
    try:
        columns = {name: list(map(itemgetter(name), rows)) for name in required}
    except KeyError as error:
        raise Refusal(f"a row lacks the field {error}") from error
    columns |= {name: [row.get(name) for row in rows] for name in optional}
    return pl.DataFrame({name: text_column(name, values) for name, values in columns.items()})


def text_column(name: str, values: list[Any]) -> pl.Series:
    """Strings as they are; whatever else stands there written down, so that its reject shows it."""
    if not set(map(type, values)) <= {str, type(None)}:
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pl.Series(name, values, dtype=pl.String())


def require(table: pl.DataFrame, columns: Sequence[str]) -> None:
    """Raises Refusal naming the columns that are not there, or there twice."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise Refusal(f"the columns {', '.join(missing)} are missing; there are {', '.join(table.columns)}")
    require_single(table, columns)


def require_single(table: pl.DataFrame, columns: Iterable[str]) -> None:
    """Raises Refusal naming a column of a CSV that is there twice, where the two are not the same."""
    for name in columns:
        again = f"{name}_duplicated_0"  # as polars calls the second of one name
        if again in table.columns and table.select(pl.col(name).ne_missing(pl.col(again)).any()).item():
            raise Refusal(f"two columns are called {name}, and differ")


def codes_of(option: object) -> list[str]:
    """The codes that an option of a link names, with commas between."""
    return [code.strip() for code in str(option or "").split(",") if code.strip()]


def one_cut(rows: pl.DataFrame, column: str, codes: Sequence[str], totals: Sequence[str]) -> pl.Expr:
    """Whether a row is of the cut asked for: the first of ``codes`` that any row has, so that two are never mixed.

    Args:
        rows: Rows of one series; ``column`` holds the codes of one way to cut it, as text.
        column: The column to look at.
        codes: Codes that are asked for, in order of preference. None means the total.
        totals: The provider's codes for the total. A total is met by each of them, and by a row without a code.
    """
    for code in codes or totals[:1]:
        cell = pl.col(column)
        meets = cell == code
        if code in totals:
            meets = cell.is_null() | (cell.str.strip_chars() == "") | cell.is_in(list(totals))
        if rows.select(meets.any()).item():
            return meets
    return pl.lit(False)


def kept(rows: pl.DataFrame, raw_sha256: str) -> pl.DataFrame:
    """The rows with the body they stood in, and each as JSON to be shown where it is rejected."""
    sent = pl.struct(pl.all()).struct.json_encode()
    return rows.with_columns(raw_record=sent, raw_sha256=pl.lit(raw_sha256))


def judge(rows: pl.DataFrame, areas: Areas, window: Window, times: pl.Expr | None = None) -> pl.DataFrame:
    """Rows of one series -> figures inside the window, columns ``FIGURES``.

    ``rows`` has ``iso3``, ``period``, ``value``, ``obs_status``, ``fault``, ``raw_record`` and ``raw_sha256``, all
    text. ``fault`` is what the adapter itself has against a row; values are multiplied by ``times``. Rows without a
    value are gone, as are those of years that were not asked for.
    """
    given, period = pl.col("value").str.strip_chars(), pl.col("period")
    figure = given.cast(pl.Float64, strict=False)
    year = pl.when(period.str.contains(r"^\d{4}(\.0+)?$")).then(period.str.head(4)).cast(pl.Int32, strict=False)
    return (
        rows.filter(given.is_not_null() & (given != ""))
        .with_columns(year=year, figure=figure if times is None else figure * times)
        .filter(pl.col("year").is_null() | pl.col("year").is_between(window.first_year, window.last_year))
        .with_columns(
            reason=pl.when(pl.col("fault").is_not_null())
            .then("fault")
            .when(pl.col("year").is_null())
            .then(pl.format("the period {} is not a year", period.fill_null("(none)")))
            .when(~pl.col("figure").is_finite().fill_null(False) | vanished(pl.col("figure"), given))
            .then(pl.format("the value {} is not a number", "value"))
            .when(~pl.col("iso3").is_in(sorted(areas.known)).fill_null(False))
            .then(pl.format("unknown area {}", pl.col("iso3").fill_null("(none)")))
        )
        .select(
            "iso3",
            "year",
            pl.col("figure").alias("value"),
            pl.when(pl.col("obs_status") != "").then("obs_status").alias("obs_status"),
            "raw_sha256",
            "reason",
            "raw_record",
        )
        .cast(FIGURES)  # type: ignore[arg-type]
    )


def vanished(figure: pl.Expr, given: pl.Expr) -> pl.Expr:
    """Whether a figure is zero only because it is too small for a float, as 1e-999 is."""
    return (figure == 0) & given.str.contains("^[^eE]*[1-9]")


class Origin(NamedTuple):
    """What an answer says of where it came from."""

    source_url: str
    release: str | None = None
    licence: str | None = None


def settle(
    requests: Iterable[SeriesRequest],
    read: Callable[[SeriesRequest], pl.DataFrame],
    origin: Callable[[SeriesRequest], Origin],
    replies: Sequence[Reply],
    provider: Provider,
    window: Window,
) -> Fetched:
    """Answer requests from the same replies. ``read`` gives the figures (``FIGURES``) of one, or raises Refusal.

    The bodies count as refused where no request got anything from them.
    """
    retrieved_at = replies[-1].retrieved_at
    answers: dict[SeriesRequest, Answer] = {}
    refusals: list[Refusal] = []
    for request in requests:
        try:
            answers[request] = _answer(read(request), provider, window, origin(request), retrieved_at)
        except Refusal as refusal:
            refusals.append(refusal)
            answers[request] = _refused(refusal, origin(request), retrieved_at)
    whole = refusals[0] if len(refusals) == len(answers) else None
    return Fetched(answers, [raw_body(reply, provider, whole) for reply in replies if reply.body])


def refuse(
    requests: Iterable[SeriesRequest],
    refusal: Refusal,
    origin: Callable[[SeriesRequest], Origin],
    replies: Sequence[Reply],
    provider: Provider,
) -> Fetched:
    """Answer requests that nothing usable came for. ``replies`` may be none: then nobody was asked."""
    retrieved_at = replies[-1].retrieved_at if replies else None
    answers = {request: _refused(refusal, origin(request), retrieved_at) for request in requests}
    return Fetched(answers, [raw_body(reply, provider, refusal) for reply in replies if reply.body])


def gather(parts: Iterable[Fetched]) -> Fetched:
    """Several visits as one."""
    whole = Fetched({}, [])
    for part in parts:
        whole.answers.update(part.answers)
        whole.bodies.extend(part.bodies)
    return whole


def _answer(
    figures: pl.DataFrame, provider: Provider, window: Window, origin: Origin, retrieved_at: datetime
) -> Answer:
    records = figures.filter(pl.col("reason").is_null()).select(RECORD.keys())
    rejects = figures.filter(pl.col("reason").is_not_null()).select(SERIES_REJECT.keys())
    if records.height:
        outcome, reason = Outcome.OK, None
    elif rejects.height:
        outcome, reason = Outcome.UNAVAILABLE, f"no figure could be used: {rejects['reason'][0]}"
    else:
        outcome = Outcome.NO_DATA
        reason = f"{provider.title} has no figure for {window.first_year}-{window.last_year}"
    return Answer(outcome, reason, records, rejects, origin.release, origin.source_url, retrieved_at, origin.licence)


def _refused(refusal: Refusal, origin: Origin, retrieved_at: datetime | None) -> Answer:
    return Answer(refusal.outcome, refusal.reason, source_url=origin.source_url, retrieved_at=retrieved_at)
