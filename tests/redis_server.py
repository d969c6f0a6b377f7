"""A Redis server for one test, with the settings of the deploy example, on loopback, deleted after the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployed import DEPLOY
from tests.postgres import free_port

SECRET = "of-the-queue-for-this-test-only"


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Yield the address of an empty server, with its password and without the number of a database.

    Args:
        folder: An empty folder for its files; ``appendonly-carec`` in it has every change.
    """
    if shutil.which("redis-server") is None:
        pytest.skip("no Redis on this machine (apt-get install redis-server)")
    port = free_port()
    (folder / "password.conf").write_text(f"requirepass {SECRET}\n")
    example = (DEPLOY / "workers" / "redis-carec.conf").read_text(encoding="utf-8")
    for theirs, ours in (
        ("/etc/redis/carec-password.conf", str(folder / "password.conf")),
        ("bind 127.0.0.1 10.0.0.10", "bind 127.0.0.1"),
        ("port 6379", f"port {port}"),
        ("dir /var/lib/redis", f"dir {folder}"),
    ):
        assert theirs in example
        example = example.replace(theirs, ours)
    (folder / "redis.conf").write_text(example)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["redis-server", str(folder / "redis.conf")], stdout=log, stderr=log)
    try:
        _wait_until_open(port, server, folder / "log")
        yield f"redis://:{SECRET}@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_open(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
