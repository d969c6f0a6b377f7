"""The promises of the HTTP session. Each fault really happens on loopback."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.http import bodies
from sources.http import reachability as reach
from sources.http.client import FailureKind, Http, Reply
from sources.http.reachability import host_of
from sources.http.redirects import leads_inside, redirect_fault
from sources.observation import utc_now
from tests.contract.loopback import PatientHttp, RawServer, Talk, reset, response, unused_port

RawServerFactory = Callable[[Talk], RawServer]


def kind_of(reply: Reply) -> FailureKind | None:
    return reply.failure.kind if reply.failure else None


def send(*answers: bytes) -> Talk:
    """Answer the n-th request with the n-th answer, and later requests with the last one."""

    def talk(connection: socket.socket, number: int) -> None:
        connection.sendall(answers[min(number, len(answers)) - 1])

    return talk


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of looked-up names. Names under ``.invalid`` are unknown, names under ``.slow`` take 0.4 s."""
    names: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
        names.append(host)
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if host.endswith(".slow"):
            time.sleep(0.4)
            host = "127.0.0.1"
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Return a port that neither accepts nor refuses connections: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


# A successful response


def test_a_reply_has_body_status_headers_and_time(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/data", query_string={"date": "2020:2024"}).respond_with_data(
        b'{"a": 1}', content_type="application/json", headers={"X-Release": "7"}
    )
    before = utc_now()
    reply = PatientHttp().get(httpserver.url_for("/data"), {"date": "2020:2024"}, accept=("application/json",))
    assert (reply.content, reply.status, reply.failure) == (b'{"a": 1}', 200, None)
    assert reply.headers["x-release"] == "7"
    assert before <= reply.retrieved_at <= utc_now()


def test_every_request_has_a_user_agent_and_the_accepted_type(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/data").respond_with_data(b"{}", content_type="application/json")
    PatientHttp().get(httpserver.url_for("/data"), accept=("application/json", "text/json"), headers={"X-Asked": "yes"})
    request, _ = httpserver.log[0]
    assert request.headers["User-Agent"].startswith("carec-digital-scorecard/")
    assert request.headers["Accept"] == "application/json, text/json"
    assert request.headers["X-Asked"] == "yes"


def test_a_compressed_body_arrives_decompressed(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(gzip.compress(b"[1, 2]" * 50_000, mtime=0), "Content-Encoding: gzip")))
    assert PatientHttp().get(server.url).content == b"[1, 2]" * 50_000


def test_connections_are_reused(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response()))
    http = PatientHttp()
    assert [http.get(server.url).status for _ in range(5)] == [200] * 5
    assert (server.requests, server.connections) == (5, 1)


# Statuses


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_temporary_fault_is_retried(status: int, raw_server: RawServerFactory) -> None:
    busy = response(b"busy", status=f"{status} Busy")
    server = raw_server(send(busy, busy, response(b"[1]")))
    http = PatientHttp()
    reply = http.get(server.url)
    assert (reply.content, reply.failure, server.requests) == (b"[1]", None, 3)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 500, 501])
def test_a_permanent_fault_is_not_retried_and_its_body_is_kept(status: int, raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"why not", status=f"{status} No")))
    reply = PatientHttp().get(server.url)
    assert (kind_of(reply), reply.status, reply.content) == (FailureKind.STATUS, status, b"why not")
    assert server.requests == 1


def test_the_number_of_tries_is_limited_and_waits_grow_with_jitter(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", status="503 Busy")))
    http = PatientHttp(tries=5)
    assert kind_of(http.get(server.url)) is FailureKind.STATUS
    assert server.requests == 5
    for wait, most in zip(http.waits, [0.5, 1, 2, 4], strict=True):
        assert most / 2 <= wait <= most
    other = PatientHttp(tries=5)
    other.get(server.url)
    assert other.waits != http.waits


def test_retry_after_in_seconds_is_honoured(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", "Retry-After: 17", status="429 Slow down"), response(b"[1]")))
    http = PatientHttp()
    assert http.get(server.url).content == b"[1]"
    assert http.waits == [17]


def test_retry_after_as_a_date_is_honoured(raw_server: RawServerFactory) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server = raw_server(send(response(b"", f"Retry-After: {date}", status="503 Busy"), response(b"[1]")))
    http = PatientHttp()
    assert http.get(server.url).content == b"[1]"
    assert 35 <= http.waits[0] <= 40


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT"])
def test_an_invalid_retry_after_falls_back_to_the_usual_wait(header: str, raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", f"Retry-After: {header}", status="429 Slow down"), response(b"[1]")))
    http = PatientHttp()
    assert http.get(server.url).content == b"[1]"
    assert http.waits[0] <= 0.5


def test_a_retry_after_beyond_the_time_limit_of_a_host_ends_the_retries(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", "Retry-After: 3600", status="429 Slow down")))
    http = PatientHttp(host_deadline_s=300)
    reply = http.get(server.url)
    assert (kind_of(reply), reply.status, server.requests, http.waits) == (FailureKind.DEADLINE, 429, 1, [])


def test_a_host_gets_no_request_after_its_time_limit(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response()))
    http = PatientHttp(host_deadline_s=0.2)
    assert http.get(server.url).failure is None
    time.sleep(0.25)
    assert kind_of(http.get(server.url)) is FailureKind.DEADLINE
    assert server.requests == 1


def test_no_host_is_asked_after_the_budget_and_the_late_ones_are_named(raw_server: RawServerFactory) -> None:
    def drip(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b"1")
            time.sleep(0.02)

    slow, other, quick = raw_server(drip), raw_server(send(response())), raw_server(send(response(b"[1]")))
    http = PatientHttp(budget_s=0.6, host_deadline_s=0.3, tries=4)
    assert http.get(quick.url).content == b"[1]"
    assert kind_of(http.get(slow.url)) in (FailureKind.TIMEOUT, FailureKind.DEADLINE)
    assert slow.requests == 1, "its share is used up"
    time.sleep(0.6)
    reply = http.get(other.url)
    assert kind_of(reply) is FailureKind.DEADLINE and reply.failure and "of the refresh" in reply.failure.message
    assert other.requests == 0
    assert http.late.keys() == {host_of(slow.url), host_of(other.url)}


def test_accepted_without_a_body_is_a_challenge_and_not_retried(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", status="202 Accepted")))
    assert kind_of(PatientHttp().get(server.url)) is FailureKind.CHALLENGE
    assert server.requests == 1


JUST_A_MOMENT = b"<!DOCTYPE html><html><head><title>Just a moment...</title>"
CHALLENGES = {
    "202 without a body": response(b"", status="202 Accepted"),
    "Cloudflare": response(b"<html>", "cf-mitigated: challenge", status="403 Forbidden"),
    "Cloudflare, with a success": response(JUST_A_MOMENT),
    "Amazon": response(b"", "x-amzn-waf-action: challenge", status="202 Accepted"),
    "Amazon, a picture puzzle": response(b"<html>", "X-Amzn-Waf-Action: captcha", status="405 Method Not Allowed"),
    "Akamai": response(b"<HTML><HEAD>\n<TITLE>Access Denied</TITLE>"),
    "F5": response(b"<html><head><title>Request Rejected</title>"),
}


@pytest.mark.parametrize("challenge", CHALLENGES.values(), ids=CHALLENGES)
def test_a_browser_challenge_blocks_programs_and_is_not_retried(challenge: bytes, raw_server: RawServerFactory) -> None:
    server = raw_server(send(challenge))
    reply = PatientHttp().get(server.url)
    assert (kind_of(reply), reply.blocked, server.requests) == (FailureKind.CHALLENGE, True, 1)


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_host_that_rejects_programs_has_the_outcome_blocked(status: int, raw_server: RawServerFactory) -> None:
    assert PatientHttp().get(raw_server(send(response(b"no", status=f"{status} No"))).url).blocked


@pytest.mark.parametrize("answer", [response(b"<html><title>Maintenance</title>"), response(b"", status="429 Slow")])
def test_other_pages_and_statuses_are_not_blocked(answer: bytes, raw_server: RawServerFactory) -> None:
    assert not PatientHttp(tries=2).get(raw_server(send(answer)).url).blocked


def test_a_failure_that_the_caller_declares_transient_is_retried(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"busy", status="400 No"), response(b"never", status="400 No")))
    judged: list[bytes] = []

    def busy(reply: Reply) -> bool:
        judged.append(reply.content)
        return reply.content == b"busy"

    reply = PatientHttp().get(server.url, transient=busy)
    assert (reply.status, judged, server.requests) == (400, [b"busy", b"never"], 2)


# Declared types


@pytest.mark.parametrize("declared", ["text/html; charset=utf-8", "text/xml", "application/pdf"])
def test_another_type_than_requested_is_a_failure_and_the_body_is_kept(declared: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/data").respond_with_data(b"<html>", content_type=declared)
    reply = PatientHttp().get(httpserver.url_for("/data"), accept=("application/json",))
    assert (kind_of(reply), reply.status, reply.content) == (FailureKind.CONTENT_TYPE, 200, b"<html>")


@pytest.mark.parametrize("declared", ["application/json;charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"])
def test_a_part_of_the_type_is_enough_if_only_a_part_was_requested(declared: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/data").respond_with_data(b"{}", content_type=declared)
    assert PatientHttp().get(httpserver.url_for("/data"), accept=("json",)).failure is None


# Broken, slow and endless bodies


def close_midway(connection: socket.socket) -> None:
    connection.sendall(response(b"[1, 2", length=5_000))
    reset(connection)


def stop_midway(connection: socket.socket) -> None:
    connection.sendall(response(b"[1, 2", length=5_000))
    connection.shutdown(socket.SHUT_RDWR)


def stop_between_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def close_at_once(connection: socket.socket) -> None:
    reset(connection)


def send_broken_gzip(connection: socket.socket) -> None:
    connection.sendall(response(b"this is not gzip", "Content-Encoding: gzip"))


@pytest.mark.parametrize("fault", [close_midway, stop_midway, stop_between_chunks, close_at_once, send_broken_gzip])
def test_a_broken_body_is_retried(fault: Callable[[socket.socket], None], raw_server: RawServerFactory) -> None:
    def talk(connection: socket.socket, number: int) -> None:
        if number < 3:
            fault(connection)
        else:
            connection.sendall(response(b"[1]"))

    server = raw_server(talk)
    reply = PatientHttp().get(server.url)
    assert (reply.content, reply.failure, server.requests) == (b"[1]", None, 3)


@pytest.mark.parametrize("fault", [close_midway, stop_midway, stop_between_chunks, close_at_once])
def test_a_body_that_stays_broken_is_a_failure_without_content(
    fault: Callable[[socket.socket], None], raw_server: RawServerFactory
) -> None:
    server = raw_server(lambda connection, _: fault(connection))
    reply = PatientHttp(tries=2).get(server.url)
    assert (kind_of(reply), reply.content, server.requests) == (FailureKind.BROKEN, b"", 2)


def test_silence_before_the_headers_is_retried_until_the_limit(raw_server: RawServerFactory) -> None:
    server = raw_server(lambda *_: time.sleep(1))
    reply = PatientHttp(tries=2).get(server.url, read_timeout_s=0.1)
    assert (kind_of(reply), server.requests) == (FailureKind.TIMEOUT, 2)


def test_no_retry_after_a_timeout_if_the_caller_wants_none(raw_server: RawServerFactory) -> None:
    server = raw_server(lambda *_: time.sleep(1))
    reply = PatientHttp(tries=4).get(server.url, read_timeout_s=0.1, retry_timeouts=False)
    assert (kind_of(reply), server.requests) == (FailureKind.TIMEOUT, 1)


def test_the_session_can_lower_the_timeout_of_every_call(raw_server: RawServerFactory) -> None:
    server = raw_server(lambda *_: time.sleep(2))
    # the server closes the connection after two seconds, which would be another failure
    assert kind_of(PatientHttp(tries=1, read_timeout_s=0.1).get(server.url, read_timeout_s=60)) is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    "head", [response(b"", length=10_000), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_a_slow_drip_ends_with_the_time_of_a_request(head: bytes, raw_server: RawServerFactory) -> None:
    def drip(connection: socket.socket, _: int) -> None:
        connection.sendall(head)
        for _ in range(600):
            if answered.wait(0.05):
                return
            connection.sendall(b"1\r\n \r\n")
        finished.append(True)

    server, answered, finished = raw_server(drip), Event(), []
    reply = PatientHttp(tries=1, request_limit_s=0.3).get(server.url, read_timeout_s=60)
    answered.set()
    assert kind_of(reply) is FailureKind.TIMEOUT
    assert not finished, "the request lasted until the server stopped"


def test_headers_that_come_byte_by_byte_end_with_the_time_of_a_request(raw_server: RawServerFactory) -> None:
    def drip(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(600):
            if answered.wait(0.05):
                return
            connection.sendall(b"x")
        finished.append(True)

    server, answered, finished = raw_server(drip), Event(), []
    reply = PatientHttp(tries=1, request_limit_s=0.3).get(server.url, read_timeout_s=60)
    answered.set()
    assert kind_of(reply) is FailureKind.TIMEOUT
    assert not finished, "the request lasted until the server stopped"


CSV = b"iso3,year,value\n" + b"UZB,2024,1.5\n" * 500


@pytest.mark.parametrize("end", [-1, -8, -9, 30])
def test_a_compressed_stream_that_ends_early_is_a_failure(end: int, raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(gzip.compress(CSV, mtime=0)[:end], "Content-Encoding: gzip")))
    reply = PatientHttp(tries=2).get(server.url)
    assert (kind_of(reply), reply.content, server.requests) == (FailureKind.BROKEN, b"", 2)


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [
        ("gzip", gzip.compress(CSV, mtime=0)),
        ("GZIP", gzip.compress(CSV[:100], mtime=0) + gzip.compress(CSV[100:], mtime=0)),
        ("identity", CSV),
    ],
)
def test_every_requested_encoding_is_decoded(encoding: str, wire: bytes, raw_server: RawServerFactory) -> None:
    reply = PatientHttp().get(raw_server(send(response(wire, f"Content-Encoding: {encoding}"))).url)
    assert (reply.failure, reply.content) == (None, CSV)


def test_an_encoding_that_was_not_requested_is_a_failure(raw_server: RawServerFactory) -> None:
    assert kind_of(PatientHttp().get(raw_server(send(response(CSV, "Content-Encoding: br"))).url)) is FailureKind.BROKEN


def test_a_partial_body_is_a_failure_unless_it_was_requested(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(CSV[:100], "Content-Range: bytes 0-99/6000", status="206 Partial Content")))
    assert kind_of(PatientHttp().get(server.url)) is FailureKind.STATUS
    assert PatientHttp().get(server.url, headers={"Range": "bytes=0-99"}).failure is None


def test_an_endless_body_ends_at_the_size_limit_and_is_not_retried(raw_server: RawServerFactory) -> None:
    def pour(connection: socket.socket, _: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            connection.sendall(b" " * 65_536)

    server = raw_server(pour)
    reply = PatientHttp(max_body_bytes=1 << 20).get(server.url)
    assert (kind_of(reply), reply.content, server.requests) == (FailureKind.TOO_LARGE, b"", 1)


def test_a_small_body_that_decompresses_to_a_huge_one_never_fills_the_memory(raw_server: RawServerFactory) -> None:
    squeeze = zlib.compressobj(wbits=31)
    bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(200)) + squeeze.flush()
    server = raw_server(send(response(bomb, "Content-Encoding: gzip")))
    http = PatientHttp(max_body_bytes=512 << 10)
    tracemalloc.start()
    try:
        reply = http.get(server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (kind_of(reply), server.requests) == (FailureKind.TOO_LARGE, 1)
    assert peak < 20 << 20


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_is_limited_by_the_call_and_the_message_names_provider_limit_and_remedy(
    encoding: str, raw_server: RawServerFactory
) -> None:
    content = bytes((1 << 20) + 1) if encoding == "identity" else gzip.compress(bytes((4 << 20) + 1))
    server = raw_server(send(response(content, f"Content-Encoding: {encoding}")))
    reply = PatientHttp().get(server.url, max_body_mib=1, provider="qog")
    assert (kind_of(reply), len(reply.body), server.requests) == (FailureKind.TOO_LARGE, 0, 1)
    most = "1,048,576 bytes" if encoding == "identity" else "4,194,304 bytes when decompressed"
    assert reply.failure is not None
    assert reply.failure.message == (
        f"qog: {server.url}: more than {most} came; raise max_body_mib of qog in providers.yml"
    )
    assert PatientHttp().get(server.url, max_body_mib=2, provider="qog").failure is None


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_large_body_is_kept_in_a_file_that_is_deleted_after_use(
    encoding: str, raw_server: RawServerFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LARGE", 1000)
    squeeze = {"identity": bytes, "gzip": gzip.compress}[encoding]
    server = raw_server(send(response(squeeze(CSV), f"Content-Encoding: {encoding}")))
    reply = PatientHttp(folder=tmp_path).get(server.url)
    assert (reply.failure, reply.content, len(list(tmp_path.iterdir()))) == (None, CSV, 1)
    del reply
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [-1, -9, 30])
def test_a_large_compressed_stream_that_ends_early_is_a_failure_and_leaves_no_file(
    end: int, raw_server: RawServerFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LARGE", 20)
    server = raw_server(send(response(gzip.compress(CSV, mtime=0)[:end], "Content-Encoding: gzip")))
    reply = PatientHttp(tries=2, folder=tmp_path).get(server.url)
    assert (kind_of(reply), len(reply.body), server.requests) == (FailureKind.BROKEN, 0, 2)
    assert list(tmp_path.iterdir()) == []


# Hosts that cannot be reached


def test_a_refused_connection_is_retried_briefly_and_then_remembered() -> None:
    port = unused_port()
    http = PatientHttp()
    replies = [http.get(f"http://127.0.0.1:{port}/{path}") for path in range(20)]
    assert {kind_of(reply) for reply in replies} == {FailureKind.UNREACHABLE}
    assert http.waits == [0.2, 0.5, 1.0]
    assert http.unreachable == {f"127.0.0.1:{port}": f"127.0.0.1:{port} cannot be reached: connection refused"}


def test_a_connection_waits_for_a_server_that_is_starting() -> None:
    port = unused_port()
    servers = []

    def start_meanwhile(_: float) -> None:
        if not servers:
            servers.append(socket.create_server(("127.0.0.1", port)))

    assert reach.Reach(start_meanwhile).probe_host(f"http://127.0.0.1:{port}/", 1) == "127.0.0.1"
    servers[0].close()


def test_an_unknown_name_is_looked_up_once_for_all_callers(look_ups: list[str]) -> None:
    http = PatientHttp()
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda n: http.get(f"https://api.statistics.invalid/{n}"), range(40)))
    assert {kind_of(reply) for reply in replies} == {FailureKind.UNREACHABLE}
    assert look_ups == ["api.statistics.invalid"]
    assert http.unreachable["api.statistics.invalid"].endswith("its name is not known (DNS)")


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the time limits of the first connections to hosts, in the order of the attempts."""
    limits: list[float] = []
    real = reach.run_with_deadline

    def run_with_deadline(timeout_s: float, call: Callable[[], Any]) -> Any:
        limits.append(timeout_s)
        return real(timeout_s, call)

    monkeypatch.setattr(reach, "run_with_deadline", run_with_deadline)
    return limits


def test_a_host_that_does_not_accept_is_tried_once_for_all_callers(deaf_port: int, probes: list[float]) -> None:
    http = PatientHttp()
    with ThreadPoolExecutor(8) as pool:
        replies = list(
            pool.map(lambda n: http.get(f"http://127.0.0.1:{deaf_port}/{n}", connect_timeout_s=0.3), range(30))
        )
    assert {kind_of(reply) for reply in replies} == {FailureKind.UNREACHABLE}
    assert probes == [0.3]
    assert "no connection within 0.3 s" in http.unreachable[f"127.0.0.1:{deaf_port}"]


def test_a_slow_name_look_up_does_not_exceed_the_connect_timeout(look_ups: list[str], probes: list[float]) -> None:
    reply = PatientHttp().get("http://statistics.slow/", connect_timeout_s=0.1)
    assert kind_of(reply) is FailureKind.UNREACHABLE
    assert probes == [0.1]


def test_a_closed_network_costs_one_time_budget_for_any_number_of_hosts(
    look_ups: list[str], probes: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "CLOSED_NETWORK_S", 0.3)
    monkeypatch.setattr(reach, "LAST_CHANCE_S", 0.01)
    http = PatientHttp()
    for number in range(20):
        assert kind_of(http.get(f"http://statistics{number}.slow/", connect_timeout_s=0.2)) is FailureKind.UNREACHABLE
    assert len(http.unreachable) == len(probes) == 20
    assert max(probes) == 0.2 and probes[2:] == [0.01] * 18, "later hosts get the last chance only"


def test_a_slow_host_gets_its_full_time_once_another_host_has_answered(
    raw_server: RawServerFactory, look_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(send(response(b"[1]")))
    port = server.url.rsplit(":", 1)[1]
    for closed_network_s, expected in ((0.0, FailureKind.UNREACHABLE), (5.0, None)):
        monkeypatch.setattr(reach, "CLOSED_NETWORK_S", closed_network_s)
        monkeypatch.setattr(reach, "LAST_CHANCE_S", 0.05)
        assert kind_of(PatientHttp().get(f"http://statistics.slow:{port}", connect_timeout_s=2)) is expected
    monkeypatch.setattr(reach, "CLOSED_NETWORK_S", 0.0)
    http = PatientHttp()
    assert http.get(server.url).failure is None
    assert http.get(f"http://statistics.slow:{port}", connect_timeout_s=2).failure is None


def test_an_unreachable_host_does_not_affect_other_hosts(raw_server: RawServerFactory, look_ups: list[str]) -> None:
    server = raw_server(send(response(b"[1]")))
    http = PatientHttp()
    assert kind_of(http.get("http://api.statistics.invalid/")) is FailureKind.UNREACHABLE
    assert http.get(server.url).content == b"[1]"


def test_a_configured_proxy_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, look_ups: list[str]) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{unused_port()}")
    http = PatientHttp()
    assert kind_of(http.get("https://api.statistics.invalid/")) is FailureKind.UNREACHABLE
    assert "through the configured proxy" in http.unreachable["api.statistics.invalid"]
    assert "api.statistics.invalid" not in look_ups


def test_a_host_whose_first_address_is_silent_is_reached_at_another(
    raw_server: RawServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(send(response(b"[1]")))
    port = int(server.url.split(":")[2].removesuffix("/data"))
    listed = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
    with socket.socket() as silent:
        silent.bind(("127.0.0.2", port))
        silent.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.2", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: listed)
        url = f"http://two-addresses.example:{port}/data"
        # the system itself gives the silent address up after two minutes
        with ThreadPoolExecutor() as executor:
            reply = executor.submit(PatientHttp().get, url, connect_timeout_s=1).result(timeout=60)
        for filler in fillers:
            filler.close()
    assert (reply.failure, reply.content) == (None, b"[1]")


def test_no_password_of_the_operators_netrc_is_sent(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login operator password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/").respond_with_json([1])
    assert PatientHttp().get(httpserver.url_for("/")).failure is None
    assert PatientHttp().get(httpserver.url_for("/").replace("//", "//me:mine@")).failure is None
    sent = [request.authorization for request, _ in httpserver.log]
    assert sent[0] is None, "netrc"
    assert sent[1] is not None and (sent[1].username, sent[1].password) == ("me", "mine"), "the address itself"


# Redirects


def test_a_redirect_on_the_same_host_is_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data(b"", status=301, headers={"Location": "/new?page=1"})
    httpserver.expect_request("/new", query_string="page=1").respond_with_data(b"[1]")
    reply = PatientHttp().get(httpserver.url_for("/old"), {"format": "json"})
    assert (reply.content, reply.url) == (b"[1]", httpserver.url_for("/new?page=1"))


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:9/elsewhere",
        "https://portal.example.org/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "//10.0.0.1/admin",
        "http://[bad",
        "http://127.0.0.1:9/elsewhere",
    ],
)
def test_a_redirect_to_another_host_is_not_followed(location: str, raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", f"Location: {location}", status="302 Found")))
    reply = PatientHttp().get(server.url)
    assert kind_of(reply) in (FailureKind.REDIRECT, FailureKind.ADDRESS)
    assert (reply.content, server.requests) == (b"", 1)


def test_a_redirect_loop_ends(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"", "Location: /data", status="302 Found")))
    assert kind_of(PatientHttp().get(server.url)) is FailureKind.REDIRECT
    assert server.requests == 6


@pytest.mark.parametrize(
    ("origin", "target", "followed"),
    [
        ("https://api.bank.org/v2", "https://api.bank.org/v3", True),
        ("https://api.bank.org/v2", "https://data.bank.org/v2", True),
        ("https://bank.org/", "https://www.bank.org/", True),
        ("http://api.bank.org/", "https://api.bank.org/", True),
        ("https://api.bank.org/", "http://api.bank.org/", False),
        ("https://api.bank.org/", "https://bank.org.evil.net/", False),
        ("https://api.bank.org/", "https://evilbank.org/", False),
        ("https://api.bank.org/", "file:///etc/passwd", False),
        ("https://api.bank.org/", "https://localhost/", False),
        ("https://api.bank.org/", "https://127.0.0.1/", False),
        ("http://127.0.0.1:81/", "http://127.0.0.1:81/x", True),
        ("http://127.0.0.1:81/", "http://127.0.0.1:82/", False),
        ("https://api.bank.org/", "https://api.bank.org:22/", False),
        ("https://api.bank.org/", "https://api.bank.org:99999/", False),
        ("https://api.bank.co.uk/", "https://www.bank.co.uk/", True),
        ("https://bank.co.uk/", "https://evil.co.uk/", False),
        ("https://stat.gov.kz/", "https://evil.gov.kz/", False),
        ("https://www.stat.gov.kz/", "https://data.stat.gov.kz/", True),
        ("https://bank.github.io/", "https://evil.github.io/", False),
        ("http://127.0.0.1/", "http://10.0.0.1/", False),
        ("http://1.2.3.4/", "http://9.9.3.4/", False),
        ("http://localhost/", "http://127.0.0.1/", False),
        ("http://[::1]/", "http://[::2]/", False),
    ],
)
def test_redirects_are_limited_to_the_host_or_its_domain(origin: str, target: str, followed: bool) -> None:
    assert (redirect_fault(origin, target) is None) is followed


@pytest.mark.parametrize(
    ("origin_ip", "target_ip", "inside"),
    [
        ("8.8.8.8", "10.0.0.7", True),
        ("8.8.8.8", "127.0.0.1", True),
        ("8.8.8.8", "fe80::1%eth0", True),
        ("8.8.8.8", "9.9.9.9", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("", "10.0.0.7", False),
    ],
)
def test_a_redirect_from_a_public_to_a_private_address_is_never_followed(
    origin_ip: str, target_ip: str, inside: bool
) -> None:
    assert leads_inside(origin_ip, target_ip) is inside


def test_a_redirect_to_a_name_with_a_private_address_is_not_followed(
    raw_server: RawServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = iter(["8.8.8.8", "10.0.0.7"])
    monkeypatch.setattr(reach.Reach, "probe_host", lambda *_: next(addresses))
    server = raw_server(send(response(b"", "Location: /inside", status="302 Found")))
    assert kind_of(PatientHttp().get(server.url)) is FailureKind.REDIRECT
    assert server.requests == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http:///nowhere", "no address"])
def test_only_web_addresses_are_requested(url: str) -> None:
    reply = PatientHttp().get(url)
    assert kind_of(reply) in (FailureKind.ADDRESS, FailureKind.UNREACHABLE)
    assert reply.content == b""


def test_a_server_without_tls_gets_no_plain_text_request(raw_server: RawServerFactory) -> None:
    server = raw_server(send(response(b"[1]")))
    server.end_of_request = b""  # answers every request in plain text
    reply = PatientHttp().get(server.url.replace("http://", "https://"))
    assert (kind_of(reply), reply.content, server.requests) == (FailureKind.TLS, b"", 1)


# Many threads


def test_many_threads_share_one_session_with_four_requests_at_a_time_per_host() -> None:
    lock, active, most = Lock(), 0, 0

    def answer(_: Request) -> Response:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.03)
        with lock:
            active -= 1
        return Response(b"[1]", content_type="application/json")

    with HTTPServer(threaded=True) as server, Http() as http, ThreadPoolExecutor(16) as pool:
        server.expect_request("/data").respond_with_handler(answer)
        replies = list(pool.map(lambda _: http.get(server.url_for("/data")), range(24)))
    assert [reply.content for reply in replies] == [b"[1]"] * 24
    assert most == 4
