"""One list of faults, run through every adapter as in a refresh: over HTTP, past contract and guards, to the landing.

Whatever a provider does, four things hold: an outcome is stated with its reason, no wrong figure is landed, the last
good figures stay, and the bytes are kept. A new adapter joins with its module in ``payloads``.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pipelines import ingestion
from pipelines.ingestion import Ingested
from pipelines.settings import load_settings
from pipelines.workspace import Workspace, open_workspace
from sources.asking import RunHttp
from sources.corrections import Corrections
from sources.provider import Outcome
from sources.providers import ADAPTERS
from tests.contract.loopback import RawServer, Talk, reset, response, unused_port
from tests.contract.payloads import Body, Edit, Payload, Row, payload
from tests.contract.workbooks import zip_bomb
from tests.unit.test_observation import indicator, records
from warehouse import landing, raw
from warehouse.layout import Layout

ID = "internet_users_pct"
COUNTRIES = ("AZE", "CHN", "GEO", "KAZ", "KGZ", "MNG", "PAK", "TJK", "TKM", "UZB", "DEU", "FRA")
SPOILT = "KAZ"
FAILED = {Outcome.UNAVAILABLE, Outcome.UNKNOWN_ID}
ANY = set(Outcome)

PROVIDERS = sorted(ADAPTERS)
TABLES = [name for name in PROVIDERS if payload(name).sheet is None]
WORKBOOKS = [name for name in PROVIDERS if payload(name).sheet]
Figures = dict[tuple[str, int], float]
Answer = Callable[[Request, Mapping[str, Body]], Response | None]


def truth(of: Payload) -> Figures:
    """What the provider knows: every country in both years."""
    return {
        (iso3, year): round(21.5 + 3.25 * at, 2) for at, (iso3, year) in enumerate(product(COUNTRIES[:12], of.years))
    }


def known(of: Payload) -> Figures:
    """What was landed before: all of it but one figure, by whose presence new figures are told."""
    return {key: value for key, value in truth(of).items() if key != ("UZB", of.years[1])}


def rows(figures: Mapping[tuple[str, int], float]) -> list[Row]:
    return [Row(iso3, str(year), f"{value}") for (iso3, year), value in figures.items()]


@pytest.fixture(scope="session")
def opened() -> Workspace:
    return open_workspace(load_settings(http_tries=1))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are met within a moment, no waiting between tries, nor for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(
        ingestion,
        "RunHttp",
        partial(
            RunHttp,
            request_limit_s=0.5,
            max_body_bytes=1 << 20,
            max_decoded_bytes=4 << 20,
            sleep=lambda seconds: None,
        ),
    )


@dataclass(frozen=True)
class Provider:
    """One provider, whose answers a test spoils, with a warehouse that knows its figures from before."""

    of: Payload
    workspace: Workspace

    @property
    def layout(self) -> Layout:
        return self.workspace.layout

    def refresh(self, base: str, tries: int = 1) -> Ingested:
        """A whole refresh of the one indicator, and what must hold after any."""
        name = self.of.link.provider
        provider = self.workspace.catalogue.providers[name].model_copy(
            update={"base_url": HttpUrl(base), "read_timeout_s": 0.2, "connect_timeout_s": 1.0}
        )
        at = replace(
            self.workspace,
            settings=self.workspace.settings.model_copy(update={"http_tries": tries}),
            catalogue=self.workspace.catalogue.model_copy(update={"providers": {name: provider}}),
        )
        (result,) = ingestion.ingest(at, list(at.catalogue), offline=False).results
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
        """Every body in the raw store."""
        return {raw.load(self.layout, path.stem) for path in self.layout.raw.rglob("*.gz")}


@pytest.fixture
def provider(request: pytest.FixtureRequest, opened: Workspace, tmp_path: Path) -> Provider:
    of = payload(request.param)
    one = indicator(id=ID, chain=[of.link.model_dump()])
    at = replace(
        opened,
        catalogue=opened.catalogue.model_copy(update={"indicators": {ID: one}}),
        archive=replace(opened.archive, series=()),
        corrections=Corrections(),
        layout=Layout(tmp_path / "warehouse"),
    )
    before = records(*((iso3, year, value) for (iso3, year), value in known(of).items()), provider=of.link.provider)
    landing.land(at.layout, ID, before, landing.NEVER.replace(year=2020))
    return Provider(of, at)


Serve = Callable[..., str]


@pytest.fixture
def serve(httpserver: HTTPServer) -> Serve:
    """Serve a provider's answer; ``spoil`` may give another in its place. Returns the base address."""

    def start(bodies: Mapping[str, Body], spoil: Answer = lambda request, bodies: None) -> str:
        def handle(request: Request) -> Response:
            path = request.path.removeprefix("/base").replace(" ", "%20")
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


def every(providers: Sequence[str], name: str, cases: Mapping[str, Any]) -> pytest.MarkDecorator:
    """Each case with each provider."""
    return pytest.mark.parametrize(
        ("provider", name),
        [pytest.param(one, case, id=f"{one}-{label}") for one in providers for label, case in cases.items()],
        indirect=["provider"],
    )


def of_each(providers: Sequence[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("provider", providers, indirect=True)


@of_each(PROVIDERS)
def test_a_good_answer_is_landed_whole(provider: Provider, serve: Serve) -> None:
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


CONNECTIONS: dict[str, Talk] = {
    "reset amid the body": reset_amid,
    "cut amid the body": cut_amid,
    "hung up before the headers": lambda connection, number: reset(connection),
    "silent": lambda connection, number: time.sleep(1),
    "slow drip": drip,
    "endless body": endless,
    "gzip bomb": lambda connection, number: connection.sendall(
        response(gzip.compress(bytes(8 << 20)), "Content-Encoding: gzip")
    ),
    "not HTTP": lambda connection, number: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "damaged gzip": lambda connection, number: connection.sendall(
        response(b"\x1f\x8b\x08no", "Content-Encoding: gzip")
    ),
}


@every(PROVIDERS, "talk", CONNECTIONS)
def test_a_connection_that_fails_leaves_the_last_figures(
    provider: Provider, talk: Talk, raw_server: Callable[[Talk], RawServer]
) -> None:
    assert provider.refresh(raw_server(talk).url).outcome is Outcome.UNAVAILABLE


@of_each(PROVIDERS)
def test_a_host_that_refuses_leaves_the_last_figures(provider: Provider) -> None:
    assert provider.refresh(f"http://127.0.0.1:{unused_port()}").outcome is Outcome.UNAVAILABLE


@of_each(PROVIDERS)
def test_a_host_without_a_name_leaves_the_last_figures(provider: Provider) -> None:
    assert provider.refresh("http://no-such-host.invalid").outcome is Outcome.UNAVAILABLE


# The status


def status(code: int, content: str = "no", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, bodies: Response(content, status=code, headers=named, content_type="text/plain")


STATUSES: dict[str, Answer] = {
    **{str(code): status(code) for code in (400, 401, 403, 404, 410, 429, 500, 502, 503, 504)},
    "429 with Retry-After": status(429, Retry_After="1"),
    "503 for hours": status(503, Retry_After="7200"),
    "202 empty": status(202, ""),
    "204": status(204, ""),
    "304 unasked": status(304, ""),
    "redirect loop": lambda request, bodies: Response(status=302, headers={"Location": request.url}),
    "redirect to another host": status(302, Location="http://elsewhere.invalid/data"),
    "redirect to a file": status(302, Location="file:///etc/passwd"),
}


@every(PROVIDERS, "answer", STATUSES)
def test_a_status_that_is_no_success_is_no_answer(provider: Provider, answer: Answer, serve: Serve) -> None:
    assert provider.refresh(serve(good(provider.of), answer)).outcome in FAILED


@every(PROVIDERS, "code", {str(code): code for code in (429, 502, 503, 504)})
def test_a_fault_that_passes_is_not_noticed(provider: Provider, code: int, serve: Serve) -> None:
    failed: set[str] = set()

    def once(request: Request, bodies: Mapping[str, Body]) -> Response | None:
        first = request.path not in failed
        failed.add(request.path)
        return Response("busy", status=code, headers={"Retry-After": "0"}) if first else None

    result = provider.refresh(serve(good(provider.of), once), tries=3)
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


# The body


def main_as(content: Callable[[bytes], bytes], content_type: str | None = None) -> Callable[[Provider], Answer]:
    """The body with the newest figures in another form, all others as they should be."""

    def answer(provider: Provider) -> Answer:
        def spoil(request: Request, bodies: Mapping[str, Body]) -> Response | None:
            if request.path.removeprefix("/base").replace(" ", "%20") != provider.of.main:
                return None
            body = bodies[provider.of.main]
            return Response(content(body.content), content_type=content_type or body.content_type)

        return spoil

    return answer


def always(content: bytes) -> Callable[[bytes], bytes]:
    return lambda good: content


HTML = b"<!DOCTYPE html><html><body>Scheduled maintenance</body></html>"
BODIES = {
    "empty": main_as(always(b"")),
    "blank": main_as(always(b" \n")),
    "an error in JSON": main_as(always(b'{"message": "Internal error", "status": "error"}'), "application/json"),
    "HTML under the right type": main_as(always(HTML)),
    "HTML": main_as(always(HTML), "text/html"),
    "XML": main_as(always(b'<?xml version="1.0"?><wb:error/>'), "application/xml"),
    "an empty array": main_as(always(b"[]")),
    "an empty object": main_as(always(b"{}")),
    "null": main_as(always(b"null")),
    "zeros": main_as(always(bytes(5000))),
    "half of it": main_as(lambda content: content[: len(content) // 2]),
    "a picture": main_as(always(b"\x89PNG\r\n\x1a\n" + bytes(100)), "image/png"),
    "deep nesting": main_as(always(b"[" * 50_000)),
}


@every(PROVIDERS, "spoil", BODIES)
def test_a_body_that_is_no_answer_is_refused_and_kept(
    provider: Provider, spoil: Callable[[Provider], Answer], serve: Serve
) -> None:
    answer = spoil(provider)
    result = provider.refresh(serve(good(provider.of), answer))
    assert result.outcome is not Outcome.OK or result.landed.status is landing.Landing.HELD_BACK
    request = Request.from_values(f"/base{provider.of.main}")
    sent = answer(request, good(provider.of))
    assert sent is not None
    if sent.get_data().strip() and provider.of.sheet is None:  # workbooks differ from build to build
        assert sent.get_data() in provider.kept()


ENCODINGS = {
    "a byte order mark": main_as(lambda content: b"\xef\xbb\xbf" + content),
    "latin-1": main_as(lambda content: content.decode().encode("latin-1")),
    "names encoded twice": main_as(
        lambda content: content.replace("ü".encode(), "ü".encode().decode("latin-1").encode())
    ),
    "carriage returns": main_as(lambda content: content.replace(b"\n", b"\r\n")),
}


@every(TABLES, "spoil", ENCODINGS)
def test_an_encoding_does_no_harm_to_figures(
    provider: Provider, spoil: Callable[[Provider], Answer], serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of), spoil(provider)))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


PACKAGES = {
    "a zip bomb": main_as(always(zip_bomb(40))),
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
def test_a_renamed_field_is_noticed(provider: Provider, serve: Serve) -> None:
    bodies = edited(provider, lambda text: text.replace(provider.of.field, "renamed"))
    assert provider.refresh(serve(bodies)).outcome in FAILED
    assert bodies[provider.of.main].content in provider.kept()


@of_each(PROVIDERS)
def test_a_new_field_does_no_harm(provider: Provider, serve: Serve) -> None:
    result = provider.refresh(serve(edited(provider, str, {"newfield": "7"})))
    assert (result.outcome, provider.landed()) == (Outcome.OK, truth(provider.of))


@of_each(PROVIDERS)
def test_the_figures_of_another_indicator_are_not_taken(provider: Provider, serve: Serve) -> None:
    bodies = edited(provider, lambda text: text.replace(provider.of.code, "SOMETHING_ELSE"))
    assert provider.refresh(serve(bodies)).outcome in FAILED


@of_each([name for name in PROVIDERS if payload(name).unit])
def test_another_unit_is_not_taken(provider: Provider, serve: Serve) -> None:
    unit = provider.of.unit or ""
    result = provider.refresh(serve(edited(provider, lambda text: text.replace(unit, "USD"))))
    assert result.outcome in FAILED and "USD" in (result.stale_reason or "")


@of_each(WORKBOOKS)
def test_a_sheet_that_is_gone_is_named(provider: Provider, serve: Serve) -> None:
    sheet = provider.of.sheet or ""
    result = provider.refresh(serve(edited(provider, lambda text: text.replace(sheet, "Sheet2"))))
    assert result.outcome is Outcome.UNAVAILABLE and "sheet" in (result.stale_reason or "")


@of_each([name for name in PROVIDERS if payload(name).edition])
def test_last_years_file_under_this_years_address_is_not_taken(provider: Provider, serve: Serve) -> None:
    newest, before = str(provider.of.years[1]), str(provider.of.years[1] - 1)
    shifted = [row._replace(year=before) if row.year == newest else row for row in rows(truth(provider.of))]
    bodies = provider.of.build(shifted, lambda text: text.replace(newest, before), {})
    assert provider.refresh(serve(bodies)).outcome in FAILED


# Its rows


def cell(value: str) -> Callable[[Payload], list[Row]]:
    """All rows, the newest figure of one country spoilt."""
    return lambda of: [
        row._replace(value=value) if (row.area, row.year) == (SPOILT, str(of.years[1])) else row
        for row in rows(truth(of))
    ]


def and_also(*more: Callable[[Payload], Row]) -> Callable[[Payload], list[Row]]:
    return lambda of: rows(truth(of)) + [one(of) for one in more]


def newest(area: str, value: str) -> Callable[[Payload], Row]:
    return lambda of: Row(area, str(of.years[1]), value)


CELLS = {text: cell(text) for text in ("1e308", "NaN", "Infinity", "-", "<5", "12,5", "-3", "10001", "..", "twelve")}
SINGLE = {
    **CELLS,
    "unequal duplicates": and_also(newest(SPOILT, "77.5")),
    "a quarter for a year": lambda of: [
        row._replace(year="2023Q4") if (row.area, row.year) == (SPOILT, str(of.years[1])) else row
        for row in rows(truth(of))
    ],
}


@every(PROVIDERS, "spoil", SINGLE)
def test_a_wrong_figure_is_never_landed_and_costs_no_other(
    provider: Provider, spoil: Callable[[Payload], list[Row]], serve: Serve
) -> None:
    result = provider.refresh(serve(provider.of.build(spoil(provider.of), str, {})))
    assert result.outcome in ANY - {Outcome.NO_DATA}
    spoilt = (SPOILT, provider.of.years[1])
    if result.outcome is Outcome.OK and result.landed.status is landing.Landing.NEW:
        others = {key: value for key, value in truth(provider.of).items() if key != spoilt}
        assert others.items() <= provider.landed().items()
        assert result.rejected or spoilt not in provider.landed()


HARMLESS = {
    "equal duplicates": lambda of: [*rows(truth(of)), rows(truth(of))[0]],
    "an unknown country": and_also(newest("XQX", "50")),
    "an empty value": and_also(newest("ITA", "")),
    "another order": lambda of: rows(truth(of))[::-1],
}


@every(PROVIDERS, "spoil", HARMLESS)
def test_what_does_no_harm_changes_nothing(
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
def test_a_series_that_lost_its_figures_or_their_scale_is_not_taken(
    provider: Provider, figures: Callable[[Payload], Figures], serve: Serve
) -> None:
    result = provider.refresh(serve(good(provider.of, figures(provider.of))))
    assert provider.landed() == known(provider.of)
    assert result.stale_reason


def test_the_figures_of_the_tests_are_all_different() -> None:
    figures = truth(payload("world_bank"))
    assert len(set(figures.values())) == len(figures) == 2 * len(COUNTRIES)
    assert pl.Series(list(figures.values())).is_between(0, 100).all()
