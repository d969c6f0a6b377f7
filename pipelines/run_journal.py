"""Run journal: write the record of a live run, and read it again for a replay.

Belongs here: what the record of a run contains. Bodies go to the raw store, everything else to the journal. Does not
belong here: the files (``warehouse.journal``, ``warehouse.raw``), landing the answers (``pipelines.ingestion``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sources.http.bodies import EMPTY, Body, spooled
from sources.http.conditional import Exchange
from sources.http.replies import Failure, FailureKind, Reply, any_case
from sources.provider import RawBody, Window
from sources.refusals import RefusedCode
from warehouse import journal, raw
from warehouse.files import Writers
from warehouse.layout import Layout


@dataclass(frozen=True)
class Run:
    """The inputs of a run besides catalogue and code.

    ``refused_codes`` are those known when the run began: they decide which codes are requested in one call.
    """

    started_at: datetime
    indicator_ids: tuple[str, ...]
    window: Window
    accept_shrink: bool = False
    accept_revisions: tuple[str, ...] = ()
    refused_codes: tuple[RefusedCode, ...] = ()


def write_run(layout: Layout, run: Run, exchanges: Iterable[Exchange], bodies: Iterable[RawBody]) -> None:
    """Write the record of a run, every response body, and the validators (ETag, Last-Modified) of usable responses.

    Args:
        layout: Paths of the warehouse.
        run: The run's inputs.
        exchanges: All requests of the run with their replies.
        bodies: Response bodies that an adapter has read, whether it accepted or rejected them. They include files that
            were read without a request.
    """
    used = {body.sha256: body for body in bodies}
    entries, last_responses = [], {}
    for exchange in exchanges:
        reply = exchange.reply
        sha256 = reply.body.sha256 if reply.body else None
        if sha256 and not reply.revalidated:
            body = used.get(sha256)
            refused = body.refused if body else reply.failure.message if reply.failure else None
            store_body(layout, reply.body)
            raw.log_retrieval(layout, sha256, _retrieval(reply, body.provider if body else None, refused))
            if not refused and reply.failure is None and not reply.placed:  # what an operator placed, no host confirms
                last_responses[exchange.request_url] = sha256, reply.url, reply.headers, reply.retrieved_at
        entries.append(_entry(exchange, sha256))
    with Writers() as writers:  # one file per address: of two replies of one address, the later one stays
        for address, response in last_responses.items():
            writers.submit(raw.save_last_response, layout, address, *response)
    sent = {entry["sha256"] for entry in entries}
    files = {}
    for sha256, body in used.items():  # files of the operator, read without a request
        if sha256 not in sent:
            files[body.url] = raw.store(layout, body.content, _retrieval(body, body.provider, body.refused))
    journal.write(layout, run.started_at, {**asdict(run), "exchanges": entries, "files": files})


def store_body(layout: Layout, body: Body) -> None:
    """Store a body by its hash, unless it is there."""
    with body.open() as content:
        raw.store_body(layout, content, body.sha256)


def request_again(layout: Layout, exchanges: Iterable[Exchange], held_back: Collection[str]) -> None:
    """Delete the validators of these bodies (sha256), so that the next run requests them in full."""
    for exchange in exchanges:
        if exchange.reply.body.sha256 in held_back:
            raw.invalidate_last_response(layout, exchange.request_url)


def _retrieval(of: Reply | RawBody, provider: str | None, refused: str | None) -> dict[str, Any]:
    return {
        "provider": provider,
        "url": of.url,
        "status": of.status,
        "headers": dict(of.headers),
        "retrieved_at": of.retrieved_at,
        "refused": refused,
    }


def _entry(exchange: Exchange, sha256: str | None) -> dict[str, Any]:
    reply = exchange.reply
    return {
        "asked": exchange.request_url,
        "url": reply.url,
        "status": reply.status,
        "headers": dict(reply.headers),
        "sha256": sha256,
        "failure": asdict(reply.failure) if reply.failure else None,
        "revalidated": reply.revalidated,
        "placed": reply.placed,
        "retrieved_at": reply.retrieved_at,
    }


@dataclass(frozen=True)
class Record:
    """A run with its requests and replies. ``files`` maps a name to a file that was read without a request."""

    run: Run
    exchanges: list[Exchange]
    files: dict[str, bytes]


def records(layout: Layout) -> Iterator[Record]:
    """Return every run of the journal, oldest first.

    Raises:
        ValueError: A stored body is damaged.
    """
    for entry in journal.runs(layout):
        started_at, window = datetime.fromisoformat(entry["started_at"]), Window(**entry["window"])
        yield Record(
            Run(
                started_at,
                tuple(entry["indicator_ids"]),
                window,
                entry["accept_shrink"],
                tuple(entry.get("accept_revisions", ())),  # runs of earlier versions have none
                _refused_codes(entry),
            ),
            [_exchange(layout, each) for each in entry["exchanges"]],
            {name: raw.load(layout, sha256) for name, sha256 in entry["files"].items()},
        )


def _refused_codes(run: Mapping[str, Any]) -> tuple[RefusedCode, ...]:
    return tuple(RefusedCode(**one) for one in run.get("refused_codes", ()))  # runs of earlier versions have none


def _exchange(layout: Layout, entry: Mapping[str, Any]) -> Exchange:
    failure = entry["failure"]
    reply = Reply(
        url=entry["url"],
        body=spooled(raw.load(layout, entry["sha256"]), layout.raw) if entry["sha256"] else EMPTY,
        status=entry["status"],
        headers=any_case(entry["headers"]),
        retrieved_at=datetime.fromisoformat(entry["retrieved_at"]),
        failure=Failure(**{**failure, "kind": FailureKind(failure["kind"])}) if failure else None,
        revalidated=entry["revalidated"],
        placed=entry.get("placed", False),
    )
    return Exchange(entry["asked"], reply)
