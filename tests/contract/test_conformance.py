"""One list of faults for all adapters, run as in a refresh: over HTTP, through all checks, to the landing.

Four properties hold for any response: the outcome has a reason, no wrong figure is landed, the last good figures stay,
and the bytes are kept. A new adapter needs one module in ``payloads``.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zipfile import ZIP_DEFLATED, ZipFile

import polars as pl
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from python_calamine import CalamineWorkbook
from werkzeug import Request, Response

from pipelines import ingestion
from pipelines.archive_landing import land_archive
from pipelines.ingested import Ingested
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.corrections import Corrections
from sources.http.conditional import RunHttp
from sources.http.reachability import Reach
from sources.provider import Outcome
from sources.providers import ADAPTERS
from tests.contract.loopback import RawServer, Talk, reset, response, unused_port
from tests.contract.payloads import Body, Edit, Payload, Row, payload
from tests.contract.workbooks import Formula, workbook, zip_bomb
from tests.running import clock
from tests.unit.test_observation import indicator, records
from warehouse import landing, raw
from warehouse.layout import Layout

ID = "internet_users_pct"
COUNTRIES = ("AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB", "DEU", "FRA")
SPOILT = "KAZ"
FAILED = {Outcome.UNAVAILABLE, Outcome.UNKNOWN_ID, Outcome.BLOCKED}
ANY = set(Outcome)

PROVIDERS = sorted([*ADAPTERS, "wipo_gii_workbook"])
"""Every adapter, and the second format of one of them."""
TABLES = [name for name in PROVIDERS if payload(name).sheet is None]
WORKBOOKS = [name for name in PROVIDERS if payload(name).sheet]
REPRESENTATIVE = ("itu_prices", "qog", "un_egov", "world_bank")
"""A workbook, a CSV table, one file per edition, and a paged API. All adapters use the same HTTP client, so the default
tests run HTTP faults with these four only, and ``make test-all`` with every adapter."""
ROTATION = 8
"""By default a fault in a body runs with every eighth adapter, the next fault with the next ones."""
Figures = dict[tuple[str, int], float]
Answer = Callable[[Request, Mapping[str, Body]], Response | None]


def truth(of: Payload) -> Figures:
    """Return the figures of the provider: every country in both years."""
    places = product(of.countries or COUNTRIES, of.years)
    return {(iso3, year): of.figure(at) for at, (iso3, year) in enumerate(places)}


def known(of: Payload) -> Figures:
    """Return the figures landed before: all but one, which shows whether a new answer was landed."""
    return {key: value for key, value in truth(of).items() if key != ("UZB", of.years[1])}


def rows(figures: Mapping[tuple[str, int], float]) -> list[Row]:
    return [Row(iso3, str(year), f"{value}") for (iso3, year), value in figures.items()]


@pytest.fixture(scope="session")
def opened() -> Workspace:
    return open_workspace(load_settings(http_tries=1))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a day on which the payloads are the newest, small limits, and no waits between tries."""
    monkeypatch.setattr(ingestion, "utc_now", clock())
    monkeypatch.setattr(
        ingestion,
        "RunHttp",
        partial(
            RunHttp,
            max_body_bytes=1 << 20,
            sleep=lambda seconds: None,
        ),
    )


@dataclass(frozen=True)
class Provider:
    """One provider with faults in its responses, and a warehouse with its earlier figures."""

    of: Payload
    workspace: Workspace

    @property
    def layout(self) -> Layout:
        return self.workspace.layout

    def refresh(self, base: str, tries: int = 1, read_timeout_s: float = 10) -> Ingested:
        """Refresh the one indicator and assert what holds after any refresh."""
        name = self.of.link.provider
        provider = (
            self.workspace.catalogue.providers[name]
            .at(HttpUrl(base))
            .model_copy(update={"read_timeout_s": read_timeout_s, "connect_timeout_s": 1.0})
        )
        at = replace(
            self.workspace,
            settings=replace(self.workspace.settings, http_tries=tries),
            catalogue=self.workspace.catalogue.model_copy(update={"providers": {name: provider}}),
        )
        (result,) = ingestion.ingest(at, list(at.catalogue), offline=False).results
        assert not result.faults, "the adapter failed"
        assert set(self.landed().items()) <= set(truth(self.of).items()), "a wrong figure was landed"
        if result.outcome is not Outcome.OK:
            assert self.landed() == known(self.of), "figures changed without an answer"
            assert result.stale_reason, "there is no reason"
        return result

    def landed(self) -> Figures:
        vintage = landing.latest(self.layout, ID)
        assert vintage is not None
        return {(iso3, year): value for iso3, year, value in vintage.read().select("iso3", "year", "value").rows()}

    def kept(self) -> set[bytes]:
        """Return every body in the raw store."""
        return {raw.load(self.layout, path.stem) for path in self.layout.raw.rglob("*.gz")}


@pytest.fixture(scope="session")
def landed_before(opened: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Workspace]:
    """Return the workspace with the earlier figures of a provider, which are landed once for all tests."""
    empty = tmp_path_factory.mktemp("archive")

    @cache
    def land(name: str) -> Workspace:
        of, layout = payload(name), Layout(tmp_path_factory.mktemp("before"))
        figures = records(
            *((iso3, year, value) for (iso3, year), value in known(of).items()), provider=of.link.provider
        )
        landing.land(layout, ID, figures, landing.NEVER.replace(year=2020))
        one = indicator(id=ID, chain=[of.link.model_dump()])
        at = replace(
            opened,
            catalogue=opened.catalogue.model_copy(update={"indicators": {ID: one}}),
            archive=replace(opened.archive, directory=empty, series=()),
            corrections=Corrections(),
            layout=layout,
        )
        land_archive(at)  # what every first refresh writes
        return at

    return land


@pytest.fixture
def provider(request: pytest.FixtureRequest, landed_before: Callable[[str], Workspace], tmp_path: Path) -> Provider:
    before = landed_before(request.param)
    layout = Layout(Path(shutil.copytree(before.layout.root, tmp_path / "warehouse")))
    return Provider(payload(request.param), replace(before, layout=layout))


def path_of(request: Request, bodies: Mapping[str, Body]) -> str:
    """Return the path of a request below the base address, with its query if a body has that address."""
    path = request.path.removeprefix("/base").replace(" ", "%20")
    with_query = f"{path}?{request.query_string.decode()}"
    return with_query if with_query in bodies else path


Serve = Callable[..., str]


@pytest.fixture
def serve(httpserver: HTTPServer) -> Serve:
    """Serve a provider's responses and return the base address. ``spoil`` may return another response."""

    def start(bodies: Mapping[str, Body], spoil: Answer = lambda request, bodies: None) -> str:
        def handle(request: Request) -> Response:
            path = path_of(request, bodies)
            if spoilt := spoil(request, bodies):
                return spoilt
            if path not in bodies:
                return Response("nothing here", status=404, content_type="text/plain")
            return Response(bodies[path].content, content_type=bodies[path].content_type)

        httpserver.expect_request(re.compile("^/base/")).respond_with_handler(handle)
        return httpserver.url_for("/base")

    return start


def good(of: Payload, figures: Figures | None = None) -> dict[str, Body]:
    return of.build(rows(truth(of) if figures is None else figures), str, {})


def every(providers: Sequence[str], name: str, cases: Mapping[str, Any], http: bool = False) -> pytest.MarkDecorator:
    """Run each case with each provider; by default with one of ``ROTATION`` providers, another one for each case.

    With ``http``, only representative providers run by default, with every case: all share the client.
    """
    step = min(ROTATION, len(providers))
    return pytest.mark.parametrize(
        ("provider", name),
        [
            pytest.param(
                one,
                case,
                id=f"{one}-{label}",
                marks=further(one, providers) if http else [] if (at + nth) % step == 0 else [pytest.mark.exhaustive],
            )
            for at, one in enumerate(providers)
            for nth, (label, case) in enumerate(cases.items())
        ],
        indirect=["provider"],
    )


def of_each(providers: Sequence[str], http: bool = False) -> pytest.MarkDecorator:
    """Run the test with each provider. With ``http``, only representative providers run by default."""
    cases = [pytest.param(one, marks=further(one, providers) if http else ()) for one in providers]
    return pytest.mark.parametrize("provider", cases, indirect=True)


def further(provider: str, providers: Sequence[str]) -> list[pytest.MarkDecorator]:
    """Mark a provider as exhaustive where one of the others is representative."""
    assert set(providers) & set(REPRESENTATIVE)
    return [] if provider in REPRESENTATIVE else [pytest.mark.exhaustive]


@of_each(PROVIDERS)
def test_a_valid_response_is_landed_completely(provider: Provider, serve: Serve) -> None:
    bodies = good(provider.of)
    result = provider.refresh(serve(bodies))
    assert (result.outcome, result.stale_reason, result.rejected) == (Outcome.OK, None, 0)
    assert provider.landed() == truth(provider.of)
    assert bodies[provider.of.main].content in provider.kept()


# The connection


def drip(connection: socket.socket, number: int) -> None:
    connection.sendall(response(b"[", length=100_000))
    while True:
        time.sleep(0.05)
        connection.sendall(b" ")


def endless(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" " * 65536)


def reset_amid(connection: socket.socket, number: int) -> None:
    connection.sendall(response(b'[{"page"', length=5000))
    reset(connection)


def cut_amid(connection: socket.socket, number: int) -> None:
    connection.sendall(response(b'[{"page"', length=5000))
    connection.close()


def header_drip(connection: socket.socket, number: int) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        time.sleep(0.05)
        connection.sendall(b"x")


def endless_trailers(connection: socket.socket, number: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"2\r\n[]\r\n0\r\n")
    while True:
        time.sleep(0.05)
        connection.sendall(b"X-More: yes\r\n")


def cut_chunks(connection: socket.socket, number: int) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n[{"page"\r\n')
    connection.close()


def send(*answer: Any, **more: Any) -> Talk:
    return lambda connection, number: connection.sendall(response(*answer, **more))


GZIP = "Content-Encoding: gzip"
CONNECTIONS: dict[str, tuple[Talk, str]] = {
    "reset amid the body": (reset_amid, "connection broken"),
    "cut amid the body": (cut_amid, "connection broken"),
    "cut between chunks": (cut_chunks, "connection broken"),
    "reset before the headers": (lambda connection, number: reset(connection), "connection broken"),
    "silent": (lambda connection, number: time.sleep(1), "no answer within"),
    "slow drip": (drip, "not complete in time|no answer within"),
    "slow drip of headers": (header_drip, "no complete headers within|no answer within"),
    "endless trailers": (endless_trailers, "not complete in time|no answer within"),
    "endless body": (endless, "more than 1,048,576 bytes"),
    "200 MB of zeros": (send(bytes(2 << 20), length=200 << 20), "more than 1,048,576 bytes"),
    "gzip bomb": (send(gzip.compress(bytes(8 << 20)), GZIP), "more than 4,194,304 bytes when decompressed"),
    "not HTTP": (lambda connection, number: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "connection broken"),
    "damaged gzip": (send(b"\x1f\x8b\x08no", GZIP), "damaged gzip"),
    "gzip that ends early": (send(gzip.compress(b"a,b\n" * 5000)[:-9], GZIP), "damaged gzip"),
    "an invalid length": (send(b"[]", "Content-Length: 9"), "."),
    "a part that was not requested": (send(b"[1", status="206 Partial Content"), "HTTP 206"),
}


@every(PROVIDERS, "fault", CONNECTIONS, http=True)
def test_a_failed_connection_keeps_the_last_figures_and_is_reported(
    provider: Provider, fault: tuple[Talk, str], raw_server: Callable[[Talk], RawServer]
) -> None:
    talk, expected = fault
    slow = re.search("within|in time", expected)
    result = provider.refresh(raw_server(talk).url, read_timeout_s=0.1 if slow else 10)
    assert result.outcome is Outcome.UNAVAILABLE
    assert re.search(expected, result.stale_reason or "")


@of_each(PROVIDERS, http=True)
def test_a_refused_connection_keeps_the_last_figures(provider: Provider) -> None:
    result = provider.refresh(f"http://127.0.0.1:{unused_port()}")
    assert (result.outcome, provider.kept()) == (Outcome.UNAVAILABLE, set())
    assert "cannot be reached: connection refused" in (result.stale_reason or "")


@of_each(PROVIDERS, http=True)
def test_an_unknown_host_name_keeps_the_last_figures(provider: Provider) -> None:
    result = provider.refresh("http://no-such-host.invalid")
    assert (result.outcome, provider.kept()) == (Outcome.UNAVAILABLE, set())
    assert "its name is not known (DNS)" in (result.stale_reason or "")


# The status


def status(code: int, content: str = "no", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, bodies: Response(content, status=code, headers=named, content_type="text/plain")


CODES = (400, 401, 403, 404, 410, 418, 429, 451, 500, 501, 502, 503, 504, 520)
STATUSES: dict[str, tuple[Answer, str]] = {
    **{str(code): (status(code), f"HTTP {code}") for code in CODES},
    "429 with Retry-After": (status(429, Retry_After="1"), "HTTP 429"),
    "503 for hours": (status(503, Retry_After="7200"), "HTTP 503"),
    "500 for no data": (status(500, "No data available for the selected series"), "HTTP 500"),
    "202 empty": (status(202, ""), "challenge"),
    "204": (status(204, ""), "HTTP 204"),
    "206": (status(206), "HTTP 206"),
    "304 unasked": (status(304, ""), "HTTP 304"),
    "redirect nowhere": (status(302, ""), "HTTP 302"),
    "redirect loop": (
        lambda request, bodies: Response(status=302, headers={"Location": request.url}),
        "more than 5 redirects",
    ),
    "redirect to another host": (status(302, Location="http://elsewhere.invalid/data"), "another host"),
    "redirect to another port": (status(302, Location="http://localhost:9/data"), "port 9"),
    "redirect to a file": (status(302, Location="file:///etc/passwd"), "to file is not followed"),
}


@every(PROVIDERS, "fault", STATUSES, http=True)
def test_a_status_other_than_success_is_reported_and_lands_nothing(
    provider: Provider, fault: tuple[Answer, str], serve: Serve
) -> None:
    answer, expected = fault
    result = provider.refresh(serve(good(provider.of), answer))
    assert result.outcome in FAILED
    assert re.search(expected, result.stale_reason or "")
    sent = answer(Request.from_values("/base/data"), {})
    if sent is not None and sent.get_data() and "Location" not in sent.headers:
        assert sent.get_data() in provider.kept()


@of_each(PROVIDERS, http=True)
def test_a_redirect_from_a_public_host_to_this_machine_is_not_followed(
    provider: Provider, raw_server: Callable[[Talk], RawServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(send(b"", "Location: /inside", status="302 Found"))
    monkeypatch.setattr(Reach, "probe_host", lambda self, url, timeout_s: "127.0.0.1" if "inside" in url else "8.8.8.8")
    result = provider.refresh(server.url)
    assert result.outcome is Outcome.UNAVAILABLE
    assert "from a public address" in (result.stale_reason or "")
    assert server.paths and not any("inside" in path for path in server.paths)


TEMPORARY = {str(code): code for code in (429, 502, 503, 504)}


@every(PROVIDERS, "code", TEMPORARY, http=True)
def test_a_temporary_fault_is_retried(provider: Provider, code: int, serve: Serve) -> None:
    failed: set[str] = set()

    def once(request: Request, bodies: Mapping[str, Body]) -> Response | None:
        first = request.path not in failed
        failed.add(request.path)
        return Response("busy", status=code, headers={"Retry-After": "0"}) if first else None

    result = provider.refresh(serve(good(provider.of), once), tries=3)
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


# Blocked

FILES = [name for name in PROVIDERS if name != "owid" and re.search(r"\.(csv|xlsx)$", payload(name).main)]
"""Providers with files that an operator can place locally. Our World in Data generates one file per query."""
AWAY: dict[str, Answer] = {
    **{str(code): status(code) for code in (401, 403, 451)},
    "a challenge": status(202, ""),
    "a challenge page": lambda request, bodies: Response("<html><title>Just a moment...", content_type="text/html"),
    "a challenge header": status(405, "<html>", x_amzn_waf_action="captcha"),
}


@every(PROVIDERS, "away", AWAY, http=True)
def test_a_response_that_rejects_programs_has_the_outcome_blocked(
    provider: Provider, away: Answer, serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of), away))
    assert result.outcome is Outcome.BLOCKED
    assert "closed to programs" in (result.stale_reason or "")


@every(FILES, "away", AWAY, http=True)
def test_the_remedy_names_the_address_and_the_name_of_the_newest_file(
    provider: Provider, away: Answer, serve: Serve
) -> None:
    base = serve(good(provider.of), away)
    reason = provider.refresh(base).stale_reason or ""
    remedy = re.search(r"fetch (\S+) with a browser and put it as (\S+) into the local folder", reason)
    assert remedy and remedy[1].startswith(f"{base}/")
    assert remedy[2] == unquote(remedy[1].rpartition("/")[2])
    assert "CAREC_LOCAL_FILES" in reason


NO_FILE = AWAY | {"503": status(503), "404": status(404)}


@every(FILES, "away", NO_FILE, http=True)
def test_an_operators_file_is_used_if_the_provider_serves_no_file(
    provider: Provider, away: Answer, serve: Serve
) -> None:
    content, folder = good(provider.of)[provider.of.main].content, provider.layout.local_files
    folder.mkdir(parents=True)
    placed = folder / unquote(provider.of.main.rpartition("/")[2])
    placed.write_bytes(content)
    os.utime(placed, (1_790_000_000,) * 2)  # 2026-09-21

    def main_only(request: Request, bodies: Mapping[str, Body]) -> Response | None:
        return away(request, bodies) if path_of(request, bodies) == provider.of.main else None

    result = provider.refresh(serve(good(provider.of), main_only))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))
    vintage = landing.latest(provider.layout, ID)
    assert vintage is not None
    newest = vintage.read().filter(pl.col("year") == provider.of.years[1])
    assert set(newest["raw_sha256"]) == {hashlib.sha256(content).hexdigest()}
    assert all("2026-09-21, put in place by the operator" in each for each in newest["provider_release"])
    assert content in provider.kept()


@of_each(FILES, http=True)
def test_a_file_of_the_provider_takes_precedence_over_the_operators_file(provider: Provider, serve: Serve) -> None:
    folder = provider.layout.local_files
    folder.mkdir(parents=True)
    (folder / unquote(provider.of.main.rpartition("/")[2])).write_bytes(b"an old copy")
    result = provider.refresh(serve(good(provider.of)))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


# The body


def main_as(content: Callable[[bytes], bytes], content_type: str | None = None) -> Callable[[Provider], Answer]:
    """Return responses in which only the body with the newest figures is changed."""

    def answer(provider: Provider) -> Answer:
        def spoil(request: Request, bodies: Mapping[str, Body]) -> Response | None:
            if path_of(request, bodies) != provider.of.main:
                return None
            body = bodies[provider.of.main]
            return Response(content(body.content), content_type=content_type or body.content_type)

        return spoil

    return answer


def always(content: bytes) -> Callable[[bytes], bytes]:
    return lambda good: content


HTML = b"<!DOCTYPE html><html><body>Scheduled maintenance</body></html>"
NO_FILE = "there is none of|country-years in the last vintage are gone"
"""A page instead of a file means that the file does not exist, so that its figures are missing."""
BODIES = {
    "empty": (main_as(always(b"")), "empty"),
    "blank": (main_as(always(b" \n")), "empty"),
    "an error in JSON": (
        main_as(always(b'{"message": "Internal error", "status": "error"}'), "application/json"),
        "Internal error|lacks|application/json came|not an answer",
    ),
    "HTML under the right type": (main_as(always(HTML)), f"markup|{NO_FILE}"),
    "HTML": (main_as(always(HTML), "text/html"), f"text/html came|{NO_FILE}"),
    "XML": (main_as(always(b'<?xml version="1.0"?><wb:error/>'), "application/xml"), f"xml came|{NO_FILE}"),
    "an empty array": (main_as(always(b"[]")), "."),
    "an empty object": (main_as(always(b"{}")), "."),
    "null": (main_as(always(b"null")), "."),
    "a list of nulls": (main_as(always(b"[null, [null, {}]]")), "."),
    "a number of ten thousand digits": (main_as(always(b"9" * 10_000)), "."),
    "zeros": (main_as(always(bytes(5000))), "."),
    "half of it": (main_as(lambda content: content[: len(content) // 2]), "."),
    "all but its end": (main_as(lambda content: content[: -len(content) // 4]), "."),
    "all but its last cell": (main_as(lambda content: content[: content.rfind(b",")]), "."),
    "UTF-16": (main_as(lambda content: content.decode("latin-1").encode("utf-16")), "."),
    "a picture": (main_as(always(b"\x89PNG\r\n\x1a\n" + bytes(100)), "image/png"), "image/png came"),
    "the right body as a page": (main_as(lambda content: content, "text/html"), "text/html came"),
    "the right body as a picture": (main_as(lambda content: content, "image/png"), "image/png came"),
    "deep nesting": (main_as(always(b"[" * 50_000)), "."),
    "deep objects": (main_as(always(b'{"value":' * 50_000)), "."),
}


@every(PROVIDERS, "fault", BODIES)
def test_an_unusable_body_is_rejected_reported_and_kept(
    provider: Provider, fault: tuple[Callable[[Provider], Answer], str], serve: Serve
) -> None:
    spoil, expected = fault
    answer, bodies = spoil(provider), good(provider.of)
    main = bodies[provider.of.main]
    replaced = answer(Request.from_values(f"/base{provider.of.main}"), bodies)
    if replaced and (replaced.get_data(), replaced.mimetype) == main:
        pytest.skip("pages are the format of this provider")
    result = provider.refresh(serve(bodies, answer))
    assert result.outcome is not Outcome.OK or result.landed.status is landing.Landing.HELD_BACK
    assert provider.landed() == known(provider.of)
    assert re.search(expected, result.stale_reason or "")
    sent = answer(Request.from_values(f"/base{provider.of.main}"), bodies)
    assert sent is not None
    assert not sent.get_data().strip() or sent.get_data() in provider.kept()


ENCODINGS = {
    "a byte order mark": main_as(lambda content: b"\xef\xbb\xbf" + content),
    "latin-1": main_as(lambda content: content.decode().encode("latin-1")),
    "names encoded twice": main_as(
        lambda content: content.replace("ü".encode(), "ü".encode().decode("latin-1").encode())
    ),
    "carriage returns": main_as(lambda content: content.replace(b"\n", b"\r\n")),
    "half a character": main_as(lambda content: content.replace("ü".encode(), b"\\ud83d")),
    "blank lines": main_as(lambda content: content.replace(b"\n", b"\n\n")),
    "no end of the last line": main_as(lambda content: content.rstrip(b"\n")),
}


CSV_TABLES = [name for name in TABLES if good(payload(name))[payload(name).main].content_type == "text/csv"]


@every(TABLES, "spoil", ENCODINGS)
def test_figures_are_read_correctly_in_any_encoding(
    provider: Provider, spoil: Callable[[Provider], Answer], serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of), spoil(provider)))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


CUTS = {f"{count} bytes": main_as(lambda content, count=count: content.rstrip(b"\n")[:-count]) for count in (1, 2, 3)}


@every(CSV_TABLES, "cut", CUTS)
def test_a_table_that_ends_within_its_last_cell_lands_no_cut_figure(
    provider: Provider, cut: Callable[[Provider], Answer], serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of), cut(provider)))
    if result.outcome is Outcome.OK:  # the last figure of the table is retained, all others are landed
        assert provider.landed() == truth(provider.of)


QUOTES = {
    "a backslash before a quote": lambda lines: [*lines[:3], lines[3] + ',"x \\" y"', *lines[4:]],
    "a quote that is never closed": lambda lines: [*lines[:3], '"' + lines[3], *lines[4:]],
    "a quote that ends rows later": lambda lines: [
        *lines[:3],
        '"' + lines[3],
        *lines[4:9],
        lines[9] + '"',
        *lines[10:],
    ],
    "a line of 200,000 characters": lambda lines: [*lines[:3], "x" * 200_000, *lines[4:]],
}


@every([name for name in CSV_TABLES if name != "qog"], "spoil", QUOTES)
def test_a_quote_in_the_wrong_place_lands_no_wrong_figure(
    provider: Provider, spoil: Callable[[list[str]], list[str]], serve: Serve
) -> None:
    changed = main_as(lambda content: "\n".join(spoil(content.decode().split("\n"))).encode())
    provider.refresh(serve(good(provider.of), changed(provider)))


@of_each([name for name in TABLES if good(payload(name))[payload(name).main].content_type == "application/json"])
def test_an_object_with_a_repeated_field_is_refused(provider: Provider, serve: Serve) -> None:
    twice = main_as(lambda content: content.replace(b"{", b'{"twice": 1, "twice": 2, '))
    result = provider.refresh(serve(good(provider.of), twice(provider)))
    assert result.outcome in FAILED and "a field twice" in (result.stale_reason or "")


@of_each(PROVIDERS, http=True)
def test_an_invalid_date_of_change_is_ignored(provider: Provider, serve: Serve) -> None:
    def dated(request: Request, bodies: Mapping[str, Body]) -> Response | None:
        body = bodies.get(path_of(request, bodies))
        headers = {"Last-Modified": f"Mon, 01 Jan 2024 00:00:00 +{'9' * 19}"}
        return Response(body.content, headers=headers, content_type=body.content_type) if body else None

    result = provider.refresh(serve(good(provider.of), dated))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


PACKAGES = {
    "a zip bomb": main_as(lambda content: zip_bomb(40 << 20)),
    "damaged": main_as(lambda content: content[:200] + bytes(300) + content[500:]),
    "the old format": main_as(always(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))),
}


@every(WORKBOOKS, "spoil", PACKAGES)
def test_a_workbook_that_cannot_be_opened_is_refused(
    provider: Provider, spoil: Callable[[Provider], Answer], serve: Serve
) -> None:
    assert provider.refresh(serve(good(provider.of), spoil(provider))).outcome is Outcome.UNAVAILABLE


# Its form


def edited(provider: Provider, edit: Edit, extra: Mapping[str, str] | None = None) -> dict[str, Body]:
    return provider.of.build(rows(truth(provider.of)), edit, extra or {})


@of_each(PROVIDERS)
def test_a_renamed_field_is_reported(provider: Provider, serve: Serve) -> None:
    bodies = edited(provider, lambda text: text.replace(provider.of.field, "renamed"))
    assert provider.refresh(serve(bodies)).outcome in FAILED
    assert bodies[provider.of.main].content in provider.kept()


@of_each(PROVIDERS)
def test_a_new_field_is_ignored(provider: Provider, serve: Serve) -> None:
    result = provider.refresh(serve(edited(provider, str, {"newfield": "7"})))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


@of_each(PROVIDERS)
def test_figures_of_another_indicator_are_not_landed(provider: Provider, serve: Serve) -> None:
    bodies = edited(provider, lambda text: text.replace(provider.of.code, "SOMETHING_ELSE"))
    assert provider.refresh(serve(bodies)).outcome in FAILED


@of_each([name for name in PROVIDERS if payload(name).unit])
def test_figures_in_another_unit_are_not_landed(provider: Provider, serve: Serve) -> None:
    unit = provider.of.unit or ""
    result = provider.refresh(serve(edited(provider, lambda text: text.replace(unit, "USD"))))
    assert result.outcome in FAILED and "USD" in (result.stale_reason or "")


@of_each(WORKBOOKS)
def test_a_removed_sheet_is_named(provider: Provider, serve: Serve) -> None:
    sheet = provider.of.sheet or ""
    result = provider.refresh(serve(edited(provider, lambda text: text.replace(sheet, "Sheet2"))))
    assert result.outcome is Outcome.UNAVAILABLE and "sheet" in (result.stale_reason or "")


@of_each([name for name in PROVIDERS if payload(name).edition])
def test_last_years_file_at_this_years_address_is_not_landed(provider: Provider, serve: Serve) -> None:
    newest, before = str(provider.of.years[1]), str(provider.of.years[1] - 1)
    shifted = [row._replace(year=before) if row.year == newest else row for row in rows(truth(provider.of))]
    bodies = provider.of.build(shifted, lambda text: text.replace(newest, before), {})
    assert provider.refresh(serve(bodies)).outcome in FAILED


# Cells of a workbook


def remade(body: Body, sheet: str, change: Callable[[list[list[Any]]], list[list[Any]]]) -> Body:
    """Return the workbook with one sheet changed."""
    book = CalamineWorkbook.from_filelike(BytesIO(body.content))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return body._replace(content=workbook({**sheets, sheet: change(sheets[sheet])}))


def spoilt_cell(of: Payload, value: Any) -> Callable[[list[list[Any]]], list[list[Any]]]:
    """Return a change that replaces one figure."""
    figure = truth(of)[SPOILT, of.years[1]]
    return lambda table: [[value if cell == figure else cell for cell in row] for row in table]


@of_each([name for name in TABLES if good(payload(name))[payload(name).main].content_type == "text/csv"])
def test_two_different_columns_of_one_name_are_refused(provider: Provider, serve: Serve) -> None:
    def again(content: bytes) -> bytes:
        head, *lines = content.decode().splitlines()
        return "\n".join([f"{head},{provider.of.field}", *(f"{line},7" for line in lines), ""]).encode()

    result = provider.refresh(serve(good(provider.of), main_as(again)(provider)))
    assert result.outcome in FAILED
    assert f"two columns are called {provider.of.field}, and differ" in (result.stale_reason or "")


@of_each(WORKBOOKS)
def test_columns_may_move(provider: Provider, serve: Serve) -> None:
    bodies, main = good(provider.of), provider.of.main
    moved = remade(bodies[main], provider.of.sheet or "", lambda table: [row[::-1] for row in table])
    result = provider.refresh(serve({**bodies, main: moved}))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


@of_each(WORKBOOKS)
def test_a_table_may_begin_below_the_first_row(provider: Provider, serve: Serve) -> None:
    bodies, main = good(provider.of), provider.of.main
    preamble: list[list[Any]] = [["Made up"], ["Downloaded on", 45_000], []]
    moved = remade(bodies[main], provider.of.sheet or "", lambda table: [*preamble, *table])
    result = provider.refresh(serve({**bodies, main: moved}))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


@of_each(WORKBOOKS)
def test_a_formula_without_a_result_is_rejected_and_the_last_figure_stays(provider: Provider, serve: Serve) -> None:
    bodies, main = good(provider.of), provider.of.main
    spoilt = remade(bodies[main], provider.of.sheet or "", spoilt_cell(provider.of, Formula("=A1*2")))
    result = provider.refresh(serve({**bodies, main: spoilt}))
    assert (result.outcome, result.rejected, provider.landed()) == (Outcome.OK, 1, truth(provider.of))
    assert "formula without a result" in result.reject_reasons[0]


def respelt(content: bytes, change: Callable[[bytes], bytes], rename: Callable[[str], str] = str) -> bytes:
    """Return a workbook with the XML of its sheets changed, and its parts renamed."""
    buffer = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(buffer, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(rename(name), change(part) if name.startswith("xl/worksheets/sheet") else part)
    return buffer.getvalue()


MAIN_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SPELLINGS: dict[str, Callable[[bytes], bytes]] = {
    "single quotes": lambda xml: re.sub(rb'"([^"]*)"', rb"'\1'", xml),
    "references in lower case": lambda xml: re.sub(rb'<c r="[A-Z]+', lambda found: found[0].lower(), xml),
    "a prefix": lambda xml: re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", xml).replace(
        b'xmlns="' + MAIN_NAMESPACE, b'xmlns:x="' + MAIN_NAMESPACE
    ),
    "styled cells first": lambda xml: re.sub(rb'(<row r="(\d+)"[^>]*>)', rb'\1<c r="XX\2" s="0"/>', xml),
    "UTF-16": lambda xml: xml.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
}
NAMES: dict[str, Callable[[str], str]] = {
    "backslashes": lambda name: name.replace("/", "\\"),
    "another case": lambda name: name if name.startswith("[") else name.upper(),
}


@every(WORKBOOKS, "spell", SPELLINGS)
def test_a_formula_without_a_result_is_found_in_any_spelling(
    provider: Provider, spell: Callable[[bytes], bytes], serve: Serve
) -> None:
    bodies, main = good(provider.of), provider.of.main
    spoilt = remade(bodies[main], provider.of.sheet or "", spoilt_cell(provider.of, Formula("=A1*2")))
    result = provider.refresh(serve({**bodies, main: spoilt._replace(content=respelt(spoilt.content, spell))}))
    assert (result.outcome, result.rejected, provider.landed()) == (Outcome.OK, 1, truth(provider.of))


@every(WORKBOOKS, "rename", NAMES)
def test_a_workbook_is_read_whatever_the_spelling_of_its_parts(
    provider: Provider, rename: Callable[[str], str], serve: Serve
) -> None:
    bodies, main = good(provider.of), provider.of.main
    renamed = bodies[main]._replace(content=respelt(bodies[main].content, bytes, rename))
    result = provider.refresh(serve({**bodies, main: renamed}))
    assert (result.outcome, result.rejected, provider.landed()) == (Outcome.OK, 0, truth(provider.of))


@of_each(WORKBOOKS)
def test_a_cell_in_the_far_corner_refuses_the_workbook(provider: Provider, serve: Serve) -> None:
    bodies, main = good(provider.of), provider.of.main
    far = b'<row r="3000"><c r="XFD3000"><v>1</v></c></row></sheetData>'
    content = respelt(bodies[main].content, lambda xml: xml.replace(b"</sheetData>", far))
    result = provider.refresh(serve({**bodies, main: bodies[main]._replace(content=content)}))
    assert result.outcome is Outcome.UNAVAILABLE and "XFD3000" in (result.stale_reason or "")


@of_each(WORKBOOKS)
def test_macros_are_ignored(provider: Provider, serve: Serve) -> None:
    bodies, main = good(provider.of), provider.of.main
    package = BytesIO(bodies[main].content)
    with ZipFile(package, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0 Sub AutoOpen()")
    result = provider.refresh(serve({**bodies, main: bodies[main]._replace(content=package.getvalue())}))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


# Its rows


def cell(value: str, newest: bool = True) -> Callable[[Payload], list[Row]]:
    """Return all rows, with another value for one figure of one country."""
    return lambda of: [
        row._replace(value=value) if (row.area, row.year) == (SPOILT, str(of.years[newest])) else row
        for row in rows(truth(of))
    ]


def dated(year: str, of: Payload) -> list[Row]:
    """Return all rows, with an invalid year for the newest figure of one country."""
    return [
        row._replace(year=year) if (row.area, row.year) == (SPOILT, str(of.years[1])) else row
        for row in rows(truth(of))
    ]


def and_also(*more: Callable[[Payload], Row]) -> Callable[[Payload], list[Row]]:
    return lambda of: rows(truth(of)) + [one(of) for one in more]


def newest(area: str, value: str) -> Callable[[Payload], Row]:
    return lambda of: Row(area, str(of.years[1]), value)


WRONG = (
    *("1e308", "1e999", "NaN", "-NaN", "Infinity", "-Infinity", "inf", "-", "--", "..", "N/A", "twelve", "<5", ">95"),
    *("12,5", "1.234,5", "1 000", "1_000", "12.5%", "0x10", "\u0668\u0669", "\uff18\uff19", "\u221212", "\u00bd"),
    *("-3", "100.5", "10001", "9" * 400, "true", "null", "None", "#N/A", "#DIV/0!", "=1+1", "[12]", '{"a": 1}'),
    *("1e-999", "1,234.5", "n/a", "\u2026", "61.2*", "~61", "2024-01-01"),
)
CELLS = {text[:12]: cell(text) for text in WRONG}
SINGLE = {
    **CELLS,
    "unequal duplicates": and_also(newest(SPOILT, "77.5")),
    "a share among percentages": lambda of: cell(f"{truth(of)[SPOILT, of.years[0]] / 100:.4f}", newest=False)(of),
    **{
        f"{year} for a year": partial(dated, year)
        for year in ("2023Q4", "2023M06", "2023-2024", "23", "", "\uff12\uff10\uff12\uff14", "1e3", "99999", "-2024")
    },
}


@every(PROVIDERS, "spoil", SINGLE)
def test_a_wrong_figure_is_never_landed_and_no_other_figure_is_lost(
    provider: Provider, spoil: Callable[[Payload], list[Row]], serve: Serve
) -> None:
    result = provider.refresh(serve(provider.of.build(spoil(provider.of), str, {})))
    assert result.outcome in ANY - {Outcome.NO_DATA}
    spoilt = (SPOILT, provider.of.years[1])
    if result.outcome is Outcome.OK and result.landed.status is landing.Landing.NEW:
        others = {key: value for key, value in truth(provider.of).items() if key != spoilt}
        assert others.items() <= provider.landed().items()
        assert result.rejected or result.warnings or spoilt not in provider.landed()


HARMLESS = {
    "groups of economies": and_also(*(newest(code, "55") for code in ("ZZZQ", "XX", "Qfrica", "-", "999"))),
    "equal duplicates": lambda of: [*rows(truth(of)), rows(truth(of))[0]],
    "an unknown country": and_also(newest("XQX", "50")),
    "an empty value": and_also(newest("ITA", "")),
    "another order": lambda of: rows(truth(of))[::-1],
}


@every(PROVIDERS, "spoil", HARMLESS)
def test_harmless_differences_change_no_figure(
    provider: Provider, spoil: Callable[[Payload], list[Row]], serve: Serve
) -> None:
    result = provider.refresh(serve(provider.of.build(spoil(provider.of), str, {})))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


def scaled(factor: float) -> Callable[[Payload], Figures]:
    return lambda of: {key: value * factor for key, value in truth(of).items()}


WHOLE: dict[str, Callable[[Payload], Figures]] = {
    "a percentage as a share": scaled(0.01),
    "thousands": scaled(1000),
    "zeros": scaled(0),
    "half the countries": lambda of: {k: v for k, v in truth(of).items() if k[0] in COUNTRIES[:6]},
    "one country": lambda of: {k: v for k, v in truth(of).items() if k[0] == SPOILT},
    "no row": lambda of: {},
}


@every(PROVIDERS, "figures", WHOLE)
def test_a_series_that_lost_its_figures_or_changed_its_scale_is_not_landed(
    provider: Provider, figures: Callable[[Payload], Figures], serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of, figures(provider.of))))
    assert provider.landed() == known(provider.of)
    assert result.stale_reason


def one_member(factor: float) -> Callable[[Payload], Figures]:
    return lambda of: {key: value * (factor if key[0] == SPOILT else 1) for key, value in truth(of).items()}


def moved_to(places: Mapping[str, str]) -> Callable[[Payload], Figures]:
    return lambda of: {(places.get(iso3, iso3), year): value for (iso3, year), value in truth(of).items()}


def permuted(of: Payload) -> Figures:
    countries = sorted({iso3 for iso3, _ in truth(of)})
    return moved_to(dict(zip(countries, countries[3:] + countries[:3], strict=True)))(of)


def copied_year(of: Payload) -> Figures:
    return {(iso3, year): truth(of)[iso3, of.years[0]] for iso3, year in truth(of)}


TOGETHER: dict[str, Callable[[Payload], Figures]] = {
    "a member times 10": one_member(10),
    "a member times 0.1": one_member(0.1),
    "a member times 2": one_member(2),
    "two members exchanged": moved_to({"KAZ": "UZB", "UZB": "KAZ"}),
    "countries permuted": permuted,
    "every figure the same": lambda of: dict.fromkeys(truth(of), 40.0),
    "the newest year copied": copied_year,
    "whole numbers": lambda of: {key: float(round(value)) for key, value in truth(of).items()},
    "a member missing": lambda of: {key: value for key, value in truth(of).items() if key[0] != SPOILT},
    "a member under another code": moved_to({"KAZ": "KZK"}),
}


@every(PROVIDERS, "figures", TOGETHER)
def test_figures_that_changed_together_are_not_landed_and_the_others_are_kept(
    provider: Provider, figures: Callable[[Payload], Figures], serve: Serve
) -> None:
    sent = figures(provider.of)
    coarse = provider.of.link.provider == "unctad_cyberlaw" and figures is TOGETHER["two members exchanged"]
    if sent == truth(provider.of) or coarse:
        pytest.skip("the figures of this provider do not change by it, or prove nothing: two whole numbers of one year")
    result = provider.refresh(serve(good(provider.of, sent)))
    assert result.stale_reason or result.warnings or result.rejected
    assert known(provider.of).items() <= provider.landed().items()
    if figures is TOGETHER["a member under another code"] and provider.of.link.provider != "untf":  # asks by member
        assert "KZK instead of KAZ?" in result.warnings[0]


def test_all_figures_of_the_tests_are_different() -> None:
    figures = truth(payload("world_bank"))
    assert len(set(figures.values())) == len(figures) == 2 * len(COUNTRIES)
    assert pl.Series(list(figures.values())).is_between(0, 100).all()
