"""Helpers of the adapter tests: known areas, providers on loopback, and the parts of a result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import HttpUrl
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sources.catalogue import Provider
from sources.observation import Areas
from sources.provider import Answer, Fetched, Window

WINDOW = Window(2000, 2026)
AREAS = Areas(
    economies=frozenset({"UZB", "KAZ", "KGZ", "AFG", "XKX"}),
    aggregates=frozenset({"WLD"}),
    iso2_to_iso3={"UZ": "UZB", "KZ": "KAZ", "KG": "KGZ", "AF": "AFG", "XK": "XKX"},
    m49_to_iso3={860: "UZB", 398: "KAZ", 417: "KGZ", 4: "AFG", 1: "WLD"},
)
NOT_NUMBERS = ["NaN", "-", "<5", ">95", "12,5", "N", "null", "1 000", "Infinity", "1e999", "NA", ".."]
NOT_YEARS = ["2023Q4", "2023M06", "2022.5", "2021-2023", "YTD", "20"]
NOT_JSON = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b"<!DOCTYPE html><title>Maintenance</title>", "markup"),
    (b'{"a": 1, "b"', "not valid JSON"),
    (b"[" * 100_000, "not valid JSON"),
    (b"PK\x03\x04\xff\xfe", "not valid JSON"),
]
STATUSES = [429, 503]
"""A host that asks to wait, and one that is down. ``test_conformance`` has every status with every adapter."""
TURNED_AWAY = [401, 403, 451]

Given = Any
"""The answer of a route: a function of the request, a response, bytes or a JSON document."""


def provider(name: str, base_url: str) -> Provider:
    return Provider(
        id=name,
        title=name,
        base_url=HttpUrl(base_url),
        licence="made up",
        citation="made up",
        cadence="yearly",
        read_timeout_s=2,
    )


def serve(server: HTTPServer, routes: Mapping[str, Given], content_type: str = "application/json") -> None:
    """Serve the given paths. Other paths give 404."""

    def handler(given: Given) -> Any:
        def answer(request: Request) -> Response:
            found = given(request) if callable(given) and not isinstance(given, Response) else given
            if isinstance(found, Response):
                return found
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            return Response(body, content_type=content_type)

        return answer

    server.no_handler_status_code = 404
    for path, given in routes.items():
        server.expect_request(path).respond_with_handler(handler(given))


def requests_to(server: HTTPServer, path: str) -> list[Request]:
    return [request for request, _ in server.log if request.path == path]


def only(fetched: Fetched) -> Answer:
    (answer,) = fetched.answers.values()
    return answer


def values(answer: Answer) -> list[tuple[str, int, float]]:
    return sorted(answer.records.select("iso3", "year", "value").rows())


def reasons(answer: Answer) -> list[str]:
    return list(answer.rejects["reason"])
