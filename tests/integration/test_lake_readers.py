"""Readers of the lake: every command shows its newest publication, whole, and never an older one without a word."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.app import run
from pipelines.reading import newly_read
from tests.lakes import change, contents, lake, published, server, settings_of
from tests.postgres import PASSWORD
from tests.running import ROOT, further
from tests.templates import copy_warehouse
from warehouse import kept
from warehouse.lake import comparison, publishing, reading, rights
from warehouse.lake.connection import Lake, attached
from warehouse.lake.errors import LakeError
from warehouse.layout import Layout

pytest.importorskip("duckdb_extension_ducklake", reason="the extra lake is not installed (make lake)")
pytestmark = pytest.mark.lake
__all__ = ["lake", "published", "server"]


@pytest.mark.parametrize(("number_of_readers", "number_of_publications"), [(4, 4), *further((20, 20))])
def test_readers_see_one_whole_publication_each_while_others_are_committed(
    lake: Lake, published: Path, tmp_path: Path, number_of_readers: int, number_of_publications: int
) -> None:
    publishing.publish_to_lake(lake, published)
    expected = {("aaaa", 1000)}
    done, seen, faults = threading.Event(), set(), []

    def attached_reader() -> None:
        """As users with the lines of `carec lake connect`: two queries in one transaction."""
        with attached(lake, read_only=True) as connection:
            while not done.is_set():
                connection.execute("begin")
                (fingerprint,) = connection.execute("select fingerprint from lake.publication").fetchall()[0]
                (count,) = connection.execute("select count(*) from lake.scorecard").fetchall()[0]
                connection.execute("commit")
                seen.add((fingerprint, count))
                done.wait(0.05)

    def command_reader() -> None:
        """As the commands: the newest publication, fetched into a folder that several share."""
        while not done.is_set():
            file = reading.fetched(
                lake, Layout(tmp_path / "reader"), reading.in_lake(lake)[-1], keep=number_of_publications
            )
            with duckdb.connect(str(file), read_only=True) as connection:
                row = connection.execute("select fingerprint, (select count(*) from scorecard) from publication")
                seen.add(row.fetchone())
            done.wait(0.05)

    def reader(read: Callable[[], None]) -> None:
        try:
            read()
        except Exception as error:
            faults.append(error)

    kinds = [attached_reader, command_reader] * (number_of_readers // 2)
    readers = [threading.Thread(target=reader, args=(kind,)) for kind in kinds]
    for reader in readers:
        reader.start()
    for number in range(number_of_publications):
        change(published, f"f{number}", f"insert into scorecard (id) values ({2000 + number})")
        publishing.publish_to_lake(lake, published)
        expected.add((f"f{number}", 1001 + number))
    done.set()
    for reader in readers:
        reader.join()
    assert not faults
    assert seen <= expected
    assert len(seen) > 2
    files = kept.kept(Layout(tmp_path / "reader"))
    assert files
    assert all(one.is_sound for one in files)


def test_reading_commands_show_the_lakes_newest_publication_and_never_an_older_one(
    lake: Lake,
    published_warehouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    writer, reader = copy_warehouse(published_warehouse, tmp_path / "writer"), tmp_path / "reader"
    real, earlier = writer / "carec.duckdb", tmp_path / "earlier.duckdb"
    shutil.copyfile(real, earlier)
    with duckdb.connect(str(earlier)) as connection:
        connection.execute(
            "update publication set fingerprint = 'eeee', published_at = published_at - interval 1 day;"
            " update scorecard set overall_score = overall_score / 2"
        )
    publishing.publish_to_lake(lake, earlier)
    publishing.publish_to_lake(lake, real)
    rights.grant_reading(lake, "reading_only", "secret of the reader")
    base = settings_of(replace(lake, user="reading_only", password="secret of the reader"))
    printed = ""

    def carec(*arguments: str, **more: str) -> str:
        nonlocal printed
        with monkeypatch.context() as one, newly_read(), suppress(SystemExit):
            for name, value in {**base, "CAREC_WAREHOUSE": str(reader), **more}.items():
                one.setenv(name, value)
            one.setattr(sys, "argv", ["carec", *arguments])
            run()
        out, err = capsys.readouterr()
        printed += out + err
        return out or err

    as_embedded = {"CAREC_WAREHOUSE": str(writer), "CAREC_LAKE": "", "CAREC_LAKE_DATA": ""}
    for command in (("scorecard",), ("explain", "UZB"), ("claims",), ("query", "from v_members order by all")):
        assert carec(*command) == carec(*command, **as_embedded)
    listed = carec("publications", "--format", "csv")
    assert [line.rsplit(",", 1)[1] for line in listed.splitlines()[1:]] == [
        "every table (current)",
        "every table (in the lake)",
    ]
    before = listed.splitlines()[2].partition(",")[0]
    assert "eeee" in carec("query", "select fingerprint from publication", "--publication", before)
    assert "Changed overall scores" in carec("diff")
    assert len(json.loads(carec("sources", "--format", "json"))) > 80
    assert "nothing was built here: commands read the lake" in carec("doctor", "--format", "csv")
    assert not (reader / "carec.duckdb").exists()

    # the machine that published has the file, so it fetches none
    files = sorted(path.name for path in (writer / "publications").iterdir())
    assert carec("scorecard", CAREC_WAREHOUSE=str(writer)) == carec("scorecard")
    assert sorted(path.name for path in (writer / "publications").iterdir()) == files

    gone = settings_of(replace(lake, port=1, password="not-the-password"))["CAREC_LAKE"]
    assert "Connection refused" in carec("scorecard", CAREC_LAKE=gone)
    assert "may be older and is not shown" in carec("scorecard", CAREC_LAKE=gone, CAREC_WAREHOUSE=str(writer))
    kept_id = kept.kept(Layout(reader))[-1].id
    assert "1" in carec("query", "select 1", "--publication", kept_id, CAREC_LAKE=gone)  # a kept file never changes
    assert "Traceback" not in printed
    for secret in (PASSWORD, "secret of the reader", "not-the-password"):
        assert secret not in printed


def test_an_mcp_server_answers_from_each_new_publication_of_the_lake(
    lake: Lake, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.mcp_server.server import _as_tool
    from pipelines.mcp_server.worker import run_apart

    for name, value in {**settings_of(lake), "CAREC_WAREHOUSE": str(tmp_path / "reader")}.items():
        monkeypatch.setenv(name, value)
    tool = _as_tool(lambda: run_apart("select fingerprint from publication", 10))
    for number in range(2):
        change(published, f"f{number}")
        publishing.publish_to_lake(lake, published)
        assert tool()["rows"] == [[f"f{number}"]]


def test_a_damaged_file_of_a_publication_is_fetched_again(lake: Lake, published: Path, tmp_path: Path) -> None:
    publishing.publish_to_lake(lake, published)
    layout = Layout(tmp_path / "reader")
    file = reading.fetch_publication(lake, layout, 10).kept(layout)
    file.path.chmod(0o644)
    file.path.write_bytes(b"damaged")
    reading.fetch_publication(lake, layout, 10)
    assert file.is_sound
    assert contents(layout.published) == contents(published)


def test_a_comparison_finds_one_changed_cell(lake: Lake, published: Path) -> None:
    layout = Layout(published.parent)
    snapshot = publishing.publish_to_lake(lake, published).snapshot
    assert comparison.compare(lake, layout, snapshot) == comparison.Equal(tables=2, rows=1001, landed=0)
    with duckdb.connect(str(published)) as connection:
        connection.execute("update scorecard set name = null where id = 7")
    with pytest.raises(LakeError, match=r"scorecard differs .*'id': 7, 'name': None"):
        comparison.compare(lake, layout, snapshot)


def test_a_publication_that_cannot_be_written_whole_is_not_kept(lake: Lake, published: Path, tmp_path: Path) -> None:
    publishing.publish_to_lake(lake, published)
    code = """
import resource, sys
from pathlib import Path
from tests.lakes import lake_of_environment
from warehouse.lake.errors import LakeError
from warehouse.lake.reading import fetched, in_lake
from warehouse.layout import Layout
lake = lake_of_environment()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    fetched(lake, Layout(Path(sys.argv[1])), in_lake(lake)[-1], 10)
except LakeError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "reader")]
    environment = {**settings_of(lake), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert os.strerror(27) in done.stdout, done.stderr
    assert [path.name for path in (tmp_path / "reader" / "publications").rglob("*")] == ["fetching", ".lock"]
    file = reading.fetched(lake, Layout(tmp_path / "reader"), reading.in_lake(lake)[-1], 10)
    assert contents(file) == contents(published)
