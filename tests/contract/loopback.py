"""Servers on loopback with a chosen fault, and an HTTP session that records its waits instead of waiting."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from threading import Thread
from typing import Any

from sources.http.client import Http

Talk = Callable[[socket.socket, int], None]
"""Answers a request of a raw server. Arguments: the connection, and the number of the request from 1."""


class RawServer:
    """A server that sends raw bytes. Connections without a request (reachability probes) are not counted."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.requests = 0
        self.connections = 0
        self.paths: list[str] = []
        self.end_of_request = b"\r\n\r\n"
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=32)
        Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/data"

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        first = True
        with connection:
            while request := self._read_request(connection):
                self.requests += 1
                self.paths.append(request.split(b" ", 2)[1].decode("latin-1"))
                self.connections += first
                first = False
                try:
                    self.talk(connection, self.requests)
                except OSError:
                    return

    def _read_request(self, connection: socket.socket) -> bytes:
        request = b""
        while not (request and request.endswith(self.end_of_request)):
            try:
                part = connection.recv(4096)
            except OSError:
                return b""
            if not part:
                return b""
            request += part
        return request


def response(body: bytes = b"{}", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return a whole HTTP response. ``length`` replaces its Content-Length."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def reset(connection: socket.socket) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class PatientHttp(Http):
    """A session that records its waits in ``waits`` instead of waiting."""

    def __init__(self, **settings: Any) -> None:
        self.waits: list[float] = []
        super().__init__(sleep=self.waits.append, **settings)
