"""The question whether ITU's DataHub is open, on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from sources.catalogue import load_catalogue
from sources.providers import ADAPTERS
from sources.providers.itu_datahub import Access, Probe, probe
from tests.contract.loopback import PatientHttp, unused_port
from tests.contract.visiting import provider, serve

V2, V3 = "/v2/country/all", "/v3/country/all"
COUNTRIES = [{"CountryID": 6, "IsoCode": "AFG", "ShortName": "Afghanistan", "Regions": []}]
Look = Callable[..., Probe]


@pytest.fixture
def look(httpserver: HTTPServer) -> Look:
    def ask(v2: Any, v3: Any = None) -> Probe:
        serve(httpserver, {V2: v2} if v3 is None else {V2: v2, V3: v3})
        return probe(provider("itu_datahub", httpserver.url_for("")), PatientHttp(tries=2))

    return ask


def paths(server: HTTPServer) -> list[str]:
    return [request.path for request, _ in server.log]


def test_a_list_of_countries_means_open(look: Look, httpserver: HTTPServer) -> None:
    found = look(COUNTRIES)
    assert (found.access, found.reason) == (Access.OPEN, "countries listed: 1")
    assert [body.refused for body in found.bodies] == [None]
    assert paths(httpserver) == [V2]


@pytest.mark.parametrize(
    "reply",
    [Response("", status=202), Response("", status=403), Response('{"message":"Forbidden"}', status=403)],
    ids=["challenge", "403 without a body", "403"],
)
def test_a_refusal_means_blocked_and_nothing_else_is_tried(reply: Response, look: Look, httpserver: HTTPServer) -> None:
    found = look(reply, COUNTRIES)
    assert found.access is Access.BLOCKED
    assert str(reply.status_code) in found.reason
    assert paths(httpserver) == [V2]


MOVED = Response('{"message":"Missing Authentication Token"}', status=403, content_type="application/json")


@pytest.mark.parametrize("gone", [MOVED, Response("not found", status=404)])
def test_an_address_that_leads_nowhere_is_told_from_a_refusal(
    gone: Response, look: Look, httpserver: HTTPServer
) -> None:
    assert look(gone, COUNTRIES).access is Access.OPEN
    assert paths(httpserver) == [V2, V3]


def test_an_interface_that_is_nowhere_has_moved(look: Look) -> None:
    found = look(MOVED, MOVED)
    assert found.access is Access.MOVED
    assert all(body.refused for body in found.bodies)
    assert len(found.bodies) == 2


@pytest.mark.parametrize(
    "reply",
    [
        Response("down", status=503),
        b"<html>",
        b"[]",
        [{"id": 1}],
        {"a": 1},
        b"",
        Response("No data available", status=500),
    ],
)
def test_anything_else_is_no_sign_either_way(reply: Any, look: Look) -> None:
    found = look(reply)
    assert found.access is Access.UNAVAILABLE
    assert found.reason


def test_an_unreachable_host_is_unavailable() -> None:
    found = probe(provider("itu_datahub", f"http://127.0.0.1:{unused_port()}"), PatientHttp())
    assert (found.access, found.bodies) == (Access.UNAVAILABLE, [])


def test_the_datahub_serves_no_figures() -> None:
    catalogue = load_catalogue()
    assert "itu_datahub" in catalogue.providers
    assert "itu_datahub" not in ADAPTERS
    assert "itu_datahub" not in {link.provider for indicator in catalogue for link in indicator.chain}
