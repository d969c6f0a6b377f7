"""A PostgreSQL server for one test: created in a temporary folder, on loopback, and deleted after the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "for-this-test-only"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _programs() -> Path:
    """Return the folder of initdb and pg_ctl, the newest if there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which("pg_ctl")
    if path is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql)")
    return Path(path).parent


def _as_other_user() -> list[str]:
    """Return a command prefix for another user, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run as root and there is no user postgres")
    return ["runuser", "-u", "postgres", "--"]


@dataclass(frozen=True)
class Server:
    """A server that runs: its address, its log with every statement, and how it is restarted as after a crash."""

    address: str
    log: Path
    restart: Callable[[], None]


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the address of an empty database ``carec``, in the format of the deploy example."""
    with postgres_server() as server:
        yield server.address.replace("postgresql:", "postgresql+psycopg2:")


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Yield a server with an empty database ``carec``."""
    programs, other, port = _programs(), _as_other_user(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="carec-postgres-"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    if other:
        for path in (folder, secret):
            shutil.chown(path, "postgres")

    def run(program: str, *arguments: str) -> None:
        # its output goes to a file, because a server keeps a pipe open while it runs
        with (folder / "log").open("ab") as log:
            command = [*other, str(programs / program), *arguments]
            done = subprocess.run(command, cwd=folder, stdout=log, stderr=log, timeout=60, check=False)
        assert done.returncode == 0, (folder / "log").read_text()

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "carec", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
        control = ["pg_ctl", "-D", data, "-w", "-l", str(folder / "server.log")]
        run(*control, "-o", f"{options} -c log_statement=all", "start")
        try:
            address = f"127.0.0.1:{port}"
            import psycopg2

            connection = psycopg2.connect(f"postgresql://carec:{PASSWORD}@{address}/postgres")
            connection.autocommit = True
            connection.cursor().execute("create database carec")
            connection.close()
            yield Server(
                f"postgresql://carec:{PASSWORD}@{address}/carec",
                folder / "server.log",
                lambda: run(*control, "-m", "immediate", "restart"),
            )
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def empty_database(address: str, name: str) -> str:
    """Make an empty database, in place of one of the same name, and return its address.

    Args:
        address: Address of the database ``carec`` of the server.
        name: Name of the new database.
    """
    import psycopg2  # type: ignore[import-untyped]

    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {name} with (force)")
        cursor.execute(f"create database {name}")
    connection.close()
    return f"{address.removesuffix('carec')}{name}"
