"""The session of one run: each address requested once, cached responses revalidated, every exchange recorded."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.http.bodies import Body
from sources.http.client import FailureKind, Reply
from sources.http.conditional import Exchange, RecordedHttp, RunHttp, address
from sources.observation import utc_now
from tests.contract.loopback import RawServer, Talk, unused_port
from warehouse import raw
from warehouse.layout import Layout

THEN = datetime(2026, 11, 1)
CHANGED = "Wed, 29 Oct 2025 10:00:00 GMT"


@dataclass(frozen=True)
class EarlierResponse:
    url: str
    content: bytes
    headers: dict[str, str]
    retrieved_at: datetime = THEN


@dataclass
class Cache:
    """The responses of earlier runs, by address."""

    kept: dict[str, EarlierResponse] = field(default_factory=dict)

    def last(self, url: str) -> EarlierResponse | None:
        return self.kept.get(url)


@dataclass
class File:
    """A file on a server that understands conditional requests."""

    content: bytes = b"old"
    tag: str | None = '"v1"'
    changed: str | None = None
    seen: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        stated = {"ETag": self.tag, "Last-Modified": self.changed}
        headers = {name: value for name, value in stated.items() if value}
        if (self.tag and request.headers.get("If-None-Match") == self.tag) or (
            not self.tag and self.changed and request.headers.get("If-Modified-Since") == self.changed
        ):
            return Response(status=304, headers=headers)
        return Response(self.content, headers=headers, content_type="text/csv")


Serve = Callable[[File], str]


@pytest.fixture
def serve(httpserver: HTTPServer) -> Serve:
    def at(file: File) -> str:
        httpserver.expect_request("/file.csv").respond_with_handler(file)
        return httpserver.url_for("/file.csv")

    return at


def kept(url: str, **headers: str) -> Cache:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Cache({url: EarlierResponse(url, b"old", {"Content-Type": "text/csv", **named})})


# Between runs


@pytest.mark.parametrize(
    ("file", "headers", "sent"),
    [
        (File(), {"ETag": '"v1"'}, {"If-None-Match": '"v1"'}),
        (File(tag=None, changed=CHANGED), {"Last_Modified": CHANGED}, {"If-Modified-Since": CHANGED}),
        (File(), {"etag": '"v1"'}, {"If-None-Match": '"v1"'}),
    ],
)
def test_an_unchanged_file_is_revalidated_and_not_sent_again(
    file: File, headers: dict[str, str], sent: dict[str, str], serve: Serve
) -> None:
    before = utc_now()
    url = serve(file)
    reply = RunHttp(cache=kept(url, **headers)).get(url, accept=("text/csv",))
    assert (reply.content, reply.status, reply.failure, reply.revalidated) == (b"old", 200, None, True)
    assert before <= reply.retrieved_at <= utc_now()
    assert {name: file.seen[0].headers.get(name) for name in sent} == sent


def test_a_changed_file_is_sent(serve: Serve) -> None:
    url = serve(File(b"new", '"v2"'))
    reply = RunHttp(cache=kept(url, ETag='"v1"')).get(url)
    assert (reply.content, reply.revalidated) == (b"new", False)


def test_a_file_without_validators_is_requested_without_conditions(serve: Serve) -> None:
    file = File(b"new", None)
    url = serve(file)
    assert RunHttp(cache=kept(url)).get(url).content == b"new"
    assert not {"If-None-Match", "If-Modified-Since"} & set(file.seen[0].headers.keys())


def test_a_failing_server_does_not_revalidate_a_cached_response(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/file.csv").respond_with_data("no", status=500)
    url = httpserver.url_for("/file.csv")
    reply = RunHttp(cache=kept(url, ETag='"v1"')).get(url)
    assert (reply.failure is not None, reply.content, reply.revalidated) == (True, b"no", False)


def test_a_304_to_an_unconditional_request_is_a_failure(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/file.csv").respond_with_data("", status=304)
    reply = RunHttp(cache=Cache()).get(httpserver.url_for("/file.csv"))
    assert reply.failure is not None and reply.failure.kind is FailureKind.STATUS


def test_a_cached_response_that_is_known_to_be_valid_is_used_without_a_request(serve: Serve) -> None:
    file = File(b"new", None)
    url = serve(file)
    judged: list[Reply] = []
    reply = RunHttp(cache=kept(url)).get(url, unchanged=lambda held: not judged.append(held))
    assert (reply.content, reply.revalidated, reply.retrieved_at, file.seen) == (b"old", True, THEN, [])
    assert judged == [reply]
    assert RunHttp(cache=kept(url)).get(url, unchanged=lambda _: False).content == b"new"


def test_the_warehouse_returns_only_bytes_that_have_not_changed(layout: Layout) -> None:
    sha = raw.store(layout, b"old", {})
    raw.save_last_response(layout, "http://a.test/x?y=1", sha, "http://b.test/x", {"ETag": "1"}, THEN)
    shelf = raw.StoredResponses(layout)
    found = shelf.last("http://a.test/x?y=1")
    assert found == raw.StoredResponse("http://b.test/x", {"ETag": "1"}, THEN, b"old")
    assert shelf.last("http://a.test/x?y=2") is None
    (layout.raw / sha[:2] / f"{sha}.gz").write_bytes(b"not gzip at all")
    assert shelf.last("http://a.test/x?y=1") is None


@pytest.fixture
def layout(tmp_path: object) -> Layout:
    from pathlib import Path

    return Layout(Path(str(tmp_path)))


# Within a run


def test_an_address_is_requested_once_for_all_callers(serve: Serve) -> None:
    file = File()
    url = serve(file)
    http = RunHttp(cache=Cache())
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: http.get(url, {"a": 1}), range(24)))
    assert len(file.seen) == len(http.exchanges) == 1
    assert {reply.content for reply in replies} == {b"old"}
    http.get(url, {"a": 2})
    assert len(file.seen) == len(http.exchanges) == 2


def test_a_request_to_an_unreachable_host_is_recorded_too() -> None:
    http = RunHttp(cache=Cache(), tries=1)
    url = f"http://127.0.0.1:{unused_port()}/x"
    http.get(url)
    (exchange,) = http.exchanges
    assert exchange.request_url == url and exchange.reply.failure is not None
    assert exchange.reply.failure.kind is FailureKind.UNREACHABLE


# The record


@pytest.mark.parametrize(
    ("url", "params", "recorded"),
    [
        ("http://a.test/x y;z", {"date": "2020:2024"}, "http://a.test/x%20y;z?date=2020%3A2024"),
        ("http://a.test/?a=1", {"b": 2}, "http://a.test/?a=1&b=2"),
        ("file:///etc/passwd", None, "file:///etc/passwd"),
        ("not an address", None, "not an address"),
    ],
)
def test_an_address_is_recorded_as_it_is_sent(url: str, params: dict[str, str | int] | None, recorded: str) -> None:
    assert address(url, params) == recorded


def test_a_recorded_run_replies_without_a_network_and_lists_missing_addresses() -> None:
    recorded = address("http://a.test/x", {"a": 1})
    http = RecordedHttp([Exchange(recorded, Reply(recorded, Body(b"body"), 200))])
    assert http.get("http://a.test/x", {"a": 1}, accept=("text/csv",)).content == b"body"
    assert http.get("http://a.test/x", {"a": 1}).content == b"body"
    assert http.get("http://a.test/y").failure is not None
    assert http.missing == ["http://a.test/y"]


# A table has no end of its own

CSV = ("text/csv",)
WHOLE = b"iso3,year,value\nKAZ,2023,92.9\nUZB,2023,89.0\nTJK,2023,36.1\n"
UNSIZED = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nConnection: close\r\n\r\n"


def table_server(raw_server: Callable[[Talk], RawServer], *bodies: bytes, sized: bool = False) -> RawServer:
    """Return a server that sends one body after the other, the last one again and again, without a length."""

    def talk(connection: socket.socket, number: int) -> None:
        body = bodies[min(number, len(bodies)) - 1]
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        connection.sendall((head if sized else UNSIZED) + body)
        if not sized:
            connection.close()

    return raw_server(talk)


def ask_table(server: RawServer, last: bytes | None = None, accept_shrink: bool = False) -> Reply:
    kept = {} if last is None else {server.url: EarlierResponse(server.url, last, {})}
    with RunHttp(cache=Cache(kept), accept_shrink=accept_shrink, sleep=lambda _: None) as http:
        return http.get(server.url, accept=CSV)


def test_a_table_without_a_declared_length_is_requested_twice(raw_server: Callable[[Talk], RawServer]) -> None:
    server = table_server(raw_server, WHOLE)
    assert ask_table(server).content == WHOLE
    assert server.requests == 2
    sized = table_server(raw_server, WHOLE, sized=True)
    assert ask_table(sized, last=WHOLE).content == WHOLE
    assert sized.requests == 1


def test_two_different_answers_without_a_length_are_refused(raw_server: Callable[[Talk], RawServer]) -> None:
    for bodies in ((WHOLE[:-14], WHOLE), (WHOLE, WHOLE[:-14])):
        failure = ask_table(table_server(raw_server, *bodies)).failure
        assert failure and "may be cut" in failure.message and "two answers differ" in failure.message


def test_fewer_lines_than_the_last_body_without_a_length_are_refused(raw_server: Callable[[Talk], RawServer]) -> None:
    server = table_server(raw_server, WHOLE[:-14])
    failure = ask_table(server, last=WHOLE).failure
    assert failure and "it has 3 lines, the last one 4" in failure.message
    assert ask_table(server, last=WHOLE, accept_shrink=True).failure is None


def test_a_shorter_table_with_a_length_is_requested_again_and_the_longer_is_used(
    raw_server: Callable[[Talk], RawServer],
) -> None:
    server = table_server(raw_server, WHOLE[:-14], WHOLE, sized=True)
    assert ask_table(server, last=WHOLE).content == WHOLE
    shorter = table_server(raw_server, WHOLE[:-14], sized=True)
    assert ask_table(shorter, last=WHOLE).content == WHOLE[:-14]  # the gates judge a series that shrank
    assert shorter.requests == 2
