"""Several workers on one lake: one of them polls a provider, killed workers, limits per host, a refresh meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from pipelines import polling
from tests.polling_worker import IDS, Banks, banks_workspace
from tests.postgres import postgres
from tests.running import ROOT
from warehouse.lake.connection import Lake, attached, lake_at, make

pytest.importorskip("duckdb_extension_ducklake", reason="the extra lake is not installed (make lake)")
pytestmark = pytest.mark.lake

FIGURES = "select indicator_id, iso3, year, value, provider from lake.landing.observations order by all"
VINTAGES = "select file, count(*), count(distinct vintage_at) from lake.landing.observations group by all order by all"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        yield address.replace("+psycopg2", "")


@pytest.fixture
def lake(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """An empty lake in a database of its own, which the settings name."""
    import psycopg2

    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists of_test with (force)")
        cursor.execute("create database of_test")
    connection.close()
    url = server.removesuffix("carec") + "of_test"
    monkeypatch.setenv("CAREC_LAKE", url)
    monkeypatch.setenv("CAREC_LAKE_DATA", str(tmp_path / "lake"))
    monkeypatch.delenv("CAREC_OFFLINE", raising=False)
    made = lake_at(url, str(tmp_path / "lake"))
    make(made)
    return made


@pytest.fixture
def banks(httpserver: HTTPServer) -> Banks:
    return Banks(httpserver)


def worker(folder: Path, banks: Banks, *providers: str, kill: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.polling_worker", str(folder), banks.url, *providers]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "KILL": kill}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    return printed


def rows(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    with attached(lake, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_poll_lands_a_vintage_with_its_record_and_health_once(lake: Lake, banks: Banks, tmp_path: Path) -> None:
    workspace = banks_workspace(tmp_path / "host", banks.url)
    done = polling.poll(workspace, "bank_a")
    assert polling.summary(done) == "2 indicators: 2 new vintages"
    assert {name for name, *_ in rows(lake, FIGURES)} == set(IDS[:2])
    before = rows(lake, VINTAGES)
    assert polling.summary(polling.poll(workspace, "bank_a")) == "2 indicators: nothing new"
    assert rows(lake, VINTAGES) == before
    assert rows(lake, "select count(*), count(distinct file) from lake.landing.runs") == [(2, 2)]
    assert rows(lake, "select outcome, count(*) from lake.landing.source_health group by 1") == [("ok", 4)]
