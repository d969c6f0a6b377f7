"""Faults of the lake's parts: PostgreSQL, the object store, the disk, credentials, killed processes, two publishers.

Each must give a clear error without a secret, and lose nothing: what was published stays, and a repetition succeeds.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.lake import follow_lake, publish_to_lake
from pipelines.settings import load_settings
from tests.lakes import (
    FaultyStore,
    change,
    contents,
    faulty_store,
    lake,
    published,
    server,
    settings_of,
    store,
)
from tests.postgres import PASSWORD, Server
from tests.running import AS_OF, ROOT, further, run_carec
from warehouse.lake import copies, locks, publishing, reading
from warehouse.lake.connection import Lake, attached, catalogue, make
from warehouse.lake.errors import LakeError
from warehouse.layout import Layout

pytest.importorskip("duckdb_extension_ducklake", reason="the extra lake is not installed (make lake)")
pytestmark = pytest.mark.lake
__all__ = ["faulty_store", "lake", "published", "server", "store"]


def of_lake(lake: Lake, folder: Path) -> dict[str, str]:
    """Return the contents of the lake's newest publication, every row of which is checked."""
    copies.copy_publication(lake, folder / "of_lake.duckdb")
    return contents(folder / "of_lake.duckdb")


def test_a_second_publisher_says_who_publishes_waits_and_follows(lake: Lake, published: Path, tmp_path: Path) -> None:
    publishing.publish_to_lake(lake, published)
    sentences: list[str] = []
    second = Path(shutil.copyfile(published, tmp_path / "second.duckdb"))
    change(second, "bbbb", "update scorecard set score = 1 where id = 8")
    with locks.locked(lake, locks.PUBLICATION):
        follower = threading.Thread(target=publishing.publish_to_lake, args=(lake, second, sentences.append))
        follower.start()
        while not sentences:
            time.sleep(0.02)
    follower.join()
    assert of_lake(lake, tmp_path) == contents(second)
    assert "another publication of the lake" in sentences[0]
    assert "from 127.0.0.1, PostgreSQL process" in sentences[0]
    with (
        locks.locked(lake, locks.PUBLICATION),
        pytest.raises(LakeError, match="is running from"),
        locks.locked(lake, locks.PUBLICATION, 0.1),
    ):
        pass


def test_an_older_publication_replaces_no_newer_one(lake: Lake, published: Path, tmp_path: Path) -> None:
    older = Path(shutil.copyfile(published, tmp_path / "older.duckdb"))
    change(published, "bbbb")
    newest = publishing.publish_to_lake(lake, published)
    assert publishing.publish_to_lake(lake, older) == newest
    assert len(reading.in_lake(lake)) == 1


def test_a_refresh_continues_from_the_lakes_newest_publication(
    lake: Lake, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**settings_of(lake), "CAREC_WAREHOUSE": str(tmp_path / "other")}.items():
        monkeypatch.setenv(name, value)
    settings, layout = load_settings(), Layout(tmp_path / "other")
    follow_lake(settings, layout)  # a lake without a publication is no fault
    for _ in range(2):
        publishing.publish_to_lake(lake, published)
        follow_lake(settings, layout)
        assert contents(layout.published) == contents(published)
        change(published, "bbbb")


def test_a_restart_of_postgresql_amid_a_publication_loses_nothing(
    lake: Lake, server: Server, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path)
    for name, value in {**settings_of(lake), "CAREC_WAREHOUSE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    publish_to_lake(settings, layout)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = 1 where id = 8")
    real = publishing.write_definitions

    def restarting(*arguments: Any, **named: Any) -> Any:
        server.restart()
        return real(*arguments, **named)

    with monkeypatch.context() as one:  # after the data of the publication, before its commit
        one.setattr(publishing, "write_definitions", restarting)
        with pytest.raises(LakeError, match="`carec lake sync` repeats this step") as raised:
            publish_to_lake(settings, layout)
    assert PASSWORD not in str(raised.value)
    assert of_lake(lake, tmp_path) == before
    publish_to_lake(settings, layout)
    assert of_lake(lake, tmp_path) == contents(published)


@pytest.fixture
def there(lake: Lake, faulty_store: FaultyStore) -> Lake:
    """The lake with its data in the object store."""
    shutil.rmtree(lake.data)
    with (
        catalogue(lake) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("drop schema public cascade; create schema public")
    made = replace(lake, data="s3://bucket/carec")
    make(made)
    return made


def test_an_object_store_that_answers_503_or_slowly_loses_nothing(
    there: Lake, published: Path, tmp_path: Path, faulty_store: FaultyStore
) -> None:
    publishing.publish_to_lake(there, published)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = 1 where id = 7; create table more as select 1 as a")
    for sound in (0, 3):  # before the first file, and amid them
        faulty_store.break_after(sound, 503)
        with pytest.raises(LakeError, match="503"):
            publishing.publish_to_lake(there, published)
        with pytest.raises(LakeError, match="503"):
            reading.fetched(there, Layout(tmp_path / "reader"), reading.in_lake(there)[-1], 10)
        assert not list((tmp_path / "reader" / "publications").glob("*.duckdb"))
    faulty_store.status, faulty_store.delay_s = None, 0.2
    assert of_lake(there, tmp_path) == before
    publishing.publish_to_lake(there, published)
    assert of_lake(there, tmp_path) == contents(published)


LIMITED = """
import resource, sys
from pathlib import Path
from tests.lakes import lake_of_environment
from warehouse.lake.errors import LakeError
from warehouse.lake.publishing import publish_to_lake
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # a full disk, without the rights to make one
try:
    publish_to_lake(lake_of_environment(), Path(sys.argv[1]))
except LakeError as error:
    print(error)
"""

KILLED_AT_COMMIT = """
import os, signal, sys, threading
from pathlib import Path
from tests.lakes import lake_of_environment
from warehouse.lake import publishing
real = publishing.json.dumps
def soon(record):
    threading.Timer(float(sys.argv[2]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    return real(record)
publishing.json.dumps = soon  # the last step before the commit
publishing.publish_to_lake(lake_of_environment(), Path(sys.argv[1]))
"""


def other_process(lake: Lake, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**settings_of(lake), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_full_disk_leaves_the_publication_before(lake: Lake, published: Path, tmp_path: Path) -> None:
    publishing.publish_to_lake(lake, published)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = random() where id > 1")
    done = other_process(lake, LIMITED, str(published))
    assert "File too large" in done.stdout, done.stderr
    assert of_lake(lake, tmp_path) == before
    publishing.publish_to_lake(lake, published)
    assert of_lake(lake, tmp_path) == contents(published)


@pytest.mark.parametrize("after_s", [0.01, *further(0.0, 0.03)])
def test_a_publisher_killed_during_its_commit_has_published_all_or_nothing(
    lake: Lake, published: Path, tmp_path: Path, after_s: float
) -> None:
    publishing.publish_to_lake(lake, published)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = 1 where id = 7; create table more as select 1 as a")
    done = other_process(lake, KILLED_AT_COMMIT, str(published), str(after_s))
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    assert of_lake(lake, tmp_path) in (before, contents(published))
    assert publishing.publish_to_lake(lake, published).fingerprint == "bbbb"
    assert of_lake(lake, tmp_path) == contents(published)


def test_no_credential_is_in_a_log_a_table_a_file_or_the_list_of_processes(
    there: Lake, server: Server, published: Path, tmp_path: Path
) -> None:
    secrets = (PASSWORD, "secret-of-the-store", "secret of the reader")
    environment = {**settings_of(there), "CAREC_WAREHOUSE": str(tmp_path / "w")}
    Layout(tmp_path / "w").root.mkdir()
    shutil.move(published, Layout(tmp_path / "w").published)
    secret = tmp_path / "password"
    secret.write_text(secrets[2])
    shown, done = bytearray(), threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    shown.extend(path.read_bytes())
                except OSError:
                    continue
            done.wait(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    commands = ["sync", "status", "sync --down", "connect", f"grant reader --password-file {secret}"]
    for command in commands:
        arguments = [sys.executable, "-m", "pipelines.cli", "lake", *command.split()]
        ended = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
        shown.extend(ended.stdout + ended.stderr)
    done.set()
    watcher.join()
    secret.unlink()
    with catalogue(there) as connection, connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'select t::text from public."{name}" as t')
            shown.extend("\n".join(row for (row,) in cursor.fetchall()).encode())
    with attached(there, read_only=True) as one:
        tables = one.execute("select schema_name, table_name from duckdb_tables() where database_name = 'lake'")
        for schema, name in tables.fetchall():
            shown.extend(str(one.execute(f'from lake.{schema}."{name}"').fetchall()).encode())
    if server.log.exists() and os.access(server.log, os.R_OK):
        shown.extend(server.log.read_bytes())
    for path in (tmp_path / "w").rglob("*"):
        if path.is_file():
            shown.extend(path.read_bytes())
    assert b"pipelines.cli" in shown
    for word in secrets:
        assert word.encode() not in shown


@pytest.mark.exhaustive
def test_the_same_inputs_give_the_same_tables_in_both_homes(
    lake: Lake, published_warehouse: Path, tmp_path: Path
) -> None:
    make(lake)
    home = Layout(tmp_path / "lake")
    home.dbt_target.mkdir(parents=True)
    shutil.copy(Layout(published_warehouse).dbt_target / "partial_parse.msgpack", home.dbt_target)
    # data tests change no table
    done = run_carec("refresh", "--offline", "--as-of", AS_OF, warehouse=home.root, tested=False, **settings_of(lake))
    assert done.returncode == 0, done.stderr
    in_folder, beside_the_lake = (contents(root / "carec.duckdb") for root in (published_warehouse, home.root))
    assert beside_the_lake == of_lake(lake, tmp_path)
    assert {name for name in in_folder if in_folder[name] != beside_the_lake.get(name)} == {"publication"}
