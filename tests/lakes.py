"""A lake on a real PostgreSQL and real Parquet files, and small publications for it.

Belongs here: fixtures and helpers of the files that test the lake. Does not belong here: the server (``postgres``).
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import duckdb
import pytest

from tests.postgres import Server, empty_database, free_port, postgres_server
from warehouse.lake import publishing
from warehouse.lake.connection import Lake, catalogue, lake_at, make


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as running:
        yield running


def trust_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not compare the signatures of DuckDB's extensions in this process: 0.3 s of each connection to the lake.

    The commands that tests run as processes compare them.
    """
    connect = duckdb.connect

    def trusting(*arguments: Any, **named: Any) -> duckdb.DuckDBPyConnection:
        return connect(*arguments, **named or ({} if arguments else {"config": {"allow_unsigned_extensions": "true"}}))

    monkeypatch.setattr(duckdb, "connect", trusting)


@pytest.fixture
def lake(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake in a database of its own."""
    trust_extensions(monkeypatch)
    made = lake_at(empty_database(server.address, "of_test"), str(tmp_path / "it's a lake"))
    make(made)
    return made


def settings_of(lake: Lake) -> dict[str, str]:
    """Return the environment of a command that uses the lake, without any other setting of the project."""
    url = f"postgresql://{lake.user}:{quote(lake.password or '')}@{lake.host}:{lake.port}/{lake.database}"
    base = {name: value for name, value in os.environ.items() if not name.startswith("CAREC_")}
    return {**base, "NO_COLOR": "1", "CAREC_LAKE": url, "CAREC_LAKE_DATA": lake.data}


def lake_of_environment() -> Lake:
    """Return the lake of ``settings_of``, for a test's own processes."""
    return lake_at(os.environ["CAREC_LAKE"], os.environ["CAREC_LAKE_DATA"])


@contextmanager
def psycopg2_of(lake: Lake) -> Iterator[Any]:
    with catalogue(lake) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A small published file: tables with NULLs and texts, a view, a macro, comments."""
    path = tmp_path / "carec.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create table publication as select timestamp '2026-01-01 10:00' as published_at, date '2026-01-01' as as_of,
                'aaaa' as fingerprint;
            create table scorecard as select i as id, 'it''s ' || i as name, i / 3 as score,
                case when i % 5 > 0 then i end as rank from range(1000) as r (i);
            create macro half(x) as x / 2;
            create view v_members as select id, half(score) as half from main.scorecard;
            comment on table scorecard is 'One row per id; it''s a test';
            comment on column scorecard.score is 'Score';
            comment on column v_members.half is 'Half';
            """
        )
    return path


def change(published: Path, fingerprint: str, sql: str = "") -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute(
            f"{sql}; update publication set fingerprint = '{fingerprint}', published_at = published_at + interval 1 day"
        )


def contents(path: Path) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
        return {name: publishing.content(connection, name) for (name,) in tables}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """An S3 server with the bucket ``bucket``; rclone has one and is on the package index."""
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("rclone is not installed (make lake)")
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    port = free_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "THEKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", str(tmp_path / "s3")]
    # not an argument, as a test searches the list of processes for it
    environment = {**os.environ, "RCLONE_AUTH_KEY": '"THEKEY,secret-of-the-store"'}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.05)
        yield server
    finally:
        server.kill()
        server.wait()


class FaultyStore(ThreadingHTTPServer):
    """A server between DuckDB and the object store. After ``sound`` requests, each is answered by ``status`` if set.

    Attributes:
        status: Answer of the faulty requests; None to pass them on.
        delay_s: Seconds before each request is passed on.
        sound: Number of requests that are passed on first.
    """

    daemon_threads = True
    status: int | None = None
    delay_s = 0.0
    sound = 0

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.upstream = upstream

    def break_after(self, sound: int, status: int) -> None:
        self.sound, self.status = sound, status


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyStore

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.server.delay_s)
        self.server.sound -= 1
        if self.server.status and self.server.sound < 0:
            self.send_response(self.server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        connection = http.client.HTTPConnection(self.server.upstream)
        connection.request(
            self.command, self.path, body, dict(self.headers)
        )  # the signature covers the name of the host
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def faulty_store(store: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    """The object store of ``store`` behind a server that can fail."""
    between = FaultyStore(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{between.server_port}")
    thread = Thread(target=between.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield between
    between.shutdown()
    thread.join()
    between.server_close()
