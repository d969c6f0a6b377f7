"""Fixtures of the contract tests: no proxy from the environment, raw servers that stop with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.loopback import RawServer, Talk


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def raw_server() -> Iterator[Callable[[Talk], RawServer]]:
    servers: list[RawServer] = []

    def start(talk: Talk) -> RawServer:
        servers.append(RawServer(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
