"""The lake on a real PostgreSQL and real Parquet files: whole publications, history, locks, rights, round trips."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from tests.lakes import change, contents, lake, psycopg2_of, published, server, settings_of, store
from tests.postgres import PASSWORD
from tests.running import ROOT, further, run_in_process
from tests.templates import copy_warehouse
from warehouse.lake import copies, landing, locks, maintenance, publishing, rights
from warehouse.lake.connection import Lake, attached, catalogue, make
from warehouse.lake.errors import LakeError
from warehouse.layout import Layout

pytest.importorskip("duckdb_extension_ducklake", reason="the extra lake is not installed (make lake)")
pytestmark = pytest.mark.lake
__all__ = ["lake", "published", "server", "store"]


def described(path: Path) -> list[tuple[str, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where not internal union all"
            " select view_name, sql, null, comment from duckdb_views() where not internal union all"
            " select function_name, macro_definition, null, null from duckdb_functions()"
            " where function_type = 'macro' and not internal order by all"
        ).fetchall()


def test_a_publication_comes_back_with_every_row_view_macro_and_comment(
    lake: Lake, published: Path, tmp_path: Path
) -> None:
    publishing.publish_to_lake(lake, published)
    copies.copy_publication(lake, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == contents(published)
    assert described(tmp_path / "back.duckdb") == described(published)


def test_the_real_publication_comes_back_cell_by_cell(lake: Lake, published_warehouse: Path, tmp_path: Path) -> None:
    real = published_warehouse / "carec.duckdb"
    publishing.publish_to_lake(lake, real)
    copies.copy_publication(lake, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == contents(real)
    assert described(tmp_path / "back.duckdb") == described(real)


def test_only_changed_rows_are_written_and_every_publication_stays_readable(
    lake: Lake, published: Path, tmp_path: Path
) -> None:
    first = publishing.publish_to_lake(lake, published)
    before = contents(published)
    change(
        published,
        "bbbb",
        "update scorecard set score = null where id = 7; insert into scorecard from scorecard limit 2",
    )
    second = publishing.publish_to_lake(lake, published)
    assert publishing.publish_to_lake(lake, published) == second  # the same publication is no commit
    assert (first.changed, second.changed > 0) == (1001, True)
    change(published, "cccc", "update scorecard set score = 1 where id = 8")
    assert publishing.publish_to_lake(lake, published).changed == 4  # a row of two tables, deleted and inserted
    change(published, "dddd", "create table more as select 1 as a; alter table scorecard add column note varchar")
    publishing.publish_to_lake(lake, published)
    for fingerprint, expected in (("aaaa", before), (None, contents(published))):
        copies.copy_publication(lake, tmp_path / "back.duckdb", fingerprint)
        assert contents(tmp_path / "back.duckdb") == expected
    with pytest.raises(LakeError, match="no publication eeee"):
        copies.copy_publication(lake, tmp_path / "back.duckdb", "eeee")


KILLED = """
import os, signal, sys
from pathlib import Path
import warehouse.lake.publishing as p
from warehouse.lake.connection import lake_at
real = getattr(p, sys.argv[4])
def kill(*arguments, **named):
    if sys.argv[5] == "after":
        real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(p, sys.argv[4], kill)
p.publish_to_lake(lake_at(os.environ["CAREC_LAKE"], sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("step", "when"), [("_replace_rows", "after"), *further(("_write", "before"), ("write_definitions", "after"))]
)
def test_a_killed_publisher_leaves_the_publication_before_and_no_lock(
    lake: Lake, published: Path, tmp_path: Path, step: str, when: str
) -> None:
    publishing.publish_to_lake(lake, published)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = 1 where id = 7; alter table scorecard add column n integer")
    command = [sys.executable, "-c", KILLED, lake.data, str(published), "", step, when]
    done = subprocess.run(command, env=settings_of(lake), cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    copies.copy_publication(lake, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == before
    assert publishing.publish_to_lake(lake, published).fingerprint == "bbbb"
    copies.copy_publication(lake, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == contents(published)


def test_a_wrong_password_or_server_gives_a_sentence_without_the_secret(lake: Lake, published: Path) -> None:
    for wrong in (replace(lake, password="not-the-password"), replace(lake, port=1), replace(lake, database="missing")):
        for use in (lambda one: publishing.publish_to_lake(one, published), make):
            with pytest.raises(LakeError, match="the lake postgresql://carec@127") as raised:
                use(wrong)
            assert "not-the-password" not in str(raised.value)
            assert PASSWORD not in str(raised.value)
            assert raised.value.__cause__ is None  # a traceback would print DuckDB's text, which has the password


def test_options_of_the_address_hold_for_every_connection(lake: Lake) -> None:
    for use in (make, lambda one: locks.locked(one, locks.PUBLICATION).__enter__()):
        with pytest.raises(LakeError, match="SSL"):  # the server has none
            use(replace(lake, options=(("sslmode", "require"),)))


def test_a_reader_reads_every_publication_and_writes_nothing(lake: Lake, published: Path) -> None:
    publishing.publish_to_lake(lake, published)
    rights.grant_reading(lake, "reader", "secret of the reader")
    reader = replace(lake, user="reader", password="secret of the reader")
    change(published, "bbbb", "create table later as select 1 as a")
    publishing.publish_to_lake(lake, published)
    with attached(reader, read_only=True) as connection:
        assert connection.execute("select count(*) from lake.later").fetchone() == (1,)
        assert [one.fingerprint for one in publishing.publications(connection)] == ["aaaa", "bbbb"]
    with pytest.raises(LakeError, match="permission denied"), attached(reader) as connection:
        connection.execute("create table lake.main.mine as select 1 as a")
    change(published, "cccc")
    with pytest.raises(LakeError):
        publishing.publish_to_lake(reader, published)


def test_a_lock_is_free_when_its_block_ends_although_postgresql_ends_a_connection_later(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with catalogue(lake) as connection:
        with monkeypatch.context() as patch:
            patch.setattr(locks, "catalogue", lambda lake: nullcontext(connection))
            with locks.locked(lake, locks.LANDING):
                pass
        with locks.locked(lake, locks.LANDING):
            pass


def test_a_vacuum_keeps_the_newest_and_the_first_of_each_month(lake: Lake, published: Path, tmp_path: Path) -> None:
    publishing.publish_to_lake(lake, published)  # of January
    for number, days in enumerate((40, 1, 1)):  # three of February
        change(
            published,
            f"f{number}",
            f"delete from scorecard where id = {number};"
            f" update publication set published_at = published_at + interval {days} day",
        )
        publishing.publish_to_lake(lake, published)
    assert maintenance.vacuum(lake, 1, dry_run=True)["publications forgotten"] == 1
    counts = maintenance.vacuum(lake, 1, dry_run=False)
    assert (counts["publications kept"], counts["publications forgotten"]) == (3, 1)
    with attached(lake, read_only=True) as connection:
        assert [one.fingerprint for one in publishing.publications(connection)] == ["aaaa", "f0", "f2"]
    for fingerprint in ("aaaa", "f0", "f2"):
        copies.copy_publication(lake, tmp_path / "back.duckdb", fingerprint)
    assert contents(tmp_path / "back.duckdb") == contents(published)


def test_landed_files_and_bodies_go_to_the_lake_once_and_come_back_the_same(
    lake: Lake, published_warehouse: Path, tmp_path: Path
) -> None:
    ours, theirs = Layout(copy_warehouse(published_warehouse, tmp_path / "ours")), Layout(tmp_path / "theirs")
    body = ours.raw / "ab" / f"ab{'0' * 62}.gz"
    body.parent.mkdir(parents=True, exist_ok=True)
    body.write_bytes(bytes(range(256)))
    with attached(lake) as connection:
        first = landing.push(connection, lake, ours)
        assert first["raw"] >= 1
        assert first["observations"] > 80
        assert set(landing.push(connection, lake, ours).values()) == {0}
        landing.pull(connection, lake, theirs)
    assert (theirs.raw / "ab" / body.name).read_bytes() == bytes(range(256))
    from warehouse.landing import same_figures

    for path in ours.landing.glob("observations/**/2*.parquet"):  # not the empty ones of 1900
        assert same_figures(path, theirs.landing / path.relative_to(ours.landing)), path.name


def test_a_vacuum_makes_one_file_of_many_vintages_sorted_by_indicator(lake: Lake, tmp_path: Path) -> None:
    rows = "select '{0}' as file, '{1}' as iso3, 2020 as year, {2}.5 as value"
    with attached(lake) as connection:
        connection.execute("create schema lake.landing")
        connection.execute(f"create table lake.landing.observations as {rows.format('', '', 0)} limit 0")
        for day in range(4):
            for indicator in "ba":
                name = f"observations/{indicator}/2026010{day}_0.parquet"
                connection.execute(f"insert into lake.landing.observations {rows.format(name, 'KAZ', day)}")
    snapshots = []
    for _ in range(2):
        maintenance.vacuum(lake, 1, dry_run=False)
        with attached(lake, read_only=True) as connection:
            ((path,),) = connection.execute(
                "select data_file from ducklake_list_files('lake', 'observations', schema => 'landing')"
            ).fetchall()
            snapshots += connection.execute("select max(snapshot_id) from lake.snapshots()").fetchall()
        names = [name for (name,) in duckdb.execute("select file from read_parquet(?)", [path]).fetchall()]
        assert names == sorted(names) and len(names) == 8
    assert snapshots[0] == snapshots[1]  # the second one changed nothing


def test_an_object_store_serves_as_a_folder_does_and_its_faults_lose_nothing(
    lake: Lake,
    published: Path,
    tmp_path: Path,
    store: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.rmtree(lake.data)
    ours, theirs = Layout(tmp_path / "ours"), Layout(tmp_path / "theirs")
    body = ours.raw / "ab" / "ab00.gz"
    body.parent.mkdir(parents=True)
    body.write_bytes(b"\x00\xff")
    with psycopg2_of(lake) as cursor:
        cursor.execute("drop schema public cascade; create schema public")
    there = replace(lake, data="s3://bucket/carec")
    make(there)
    publishing.publish_to_lake(there, published)
    with attached(there) as connection:
        landing.push(connection, there, ours)
        landing.pull(connection, there, theirs)
    assert (theirs.raw / "ab" / "ab00.gz").read_bytes() == b"\x00\xff"
    copies.copy_publication(there, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == contents(published)
    before = contents(published)
    change(published, "bbbb", "update scorecard set score = 1 where id = 7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "expired-secret")
    with pytest.raises(LakeError, match="403") as raised:
        publishing.publish_to_lake(there, published)
    assert "expired-secret" not in str(raised.value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-store")
    copies.copy_publication(there, tmp_path / "back.duckdb")
    assert contents(tmp_path / "back.duckdb") == before
    store.kill()
    store.wait()
    with pytest.raises(LakeError, match="s3://bucket/carec"):
        publishing.publish_to_lake(there, published)


def test_the_commands_work_from_a_set_up_to_a_reader(lake: Lake, published: Path, tmp_path: Path) -> None:
    base = settings_of(lake) | {"CAREC_WAREHOUSE": str(published.parent)}
    printed = ""

    def carec(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        nonlocal printed
        done = run_in_process(("lake", *arguments), base | more)
        printed += done.stdout + done.stderr
        return done

    secret = tmp_path / "password"
    secret.write_text("secret of the reader\n")
    assert carec("init").returncode == 0
    assert "none yet; `carec lake sync` writes one" in carec("status").stdout
    assert carec("sync").returncode == 0
    assert carec("status").returncode == 0
    assert carec("sync", "--down", CAREC_WAREHOUSE=str(tmp_path / "other")).returncode == 0
    assert contents(tmp_path / "other" / "carec.duckdb") == contents(published)
    assert carec("grant", "reader", "--password-file", str(secret)).returncode == 0
    assert "(read_only); use lake;" in carec("connect", "--role", "reader").stdout
    assert json.loads(carec("vacuum", "--dry-run", "--format", "json").stdout)
    assert carec("status", CAREC_LAKE="mysql://user:for-this-test-only@host/x").returncode == 2
    assert "CAREC_LAKE_DATA is missing" in carec("status", CAREC_LAKE_DATA="").stderr
    assert "CAREC_LAKE is not set" in carec("status", CAREC_LAKE="").stderr
    assert carec("sync", "--publication", "x").returncode == 2
    assert "Traceback" not in printed
    assert PASSWORD not in printed
    assert "secret of the reader" not in printed
