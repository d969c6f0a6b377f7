"""Publication: only a build that passed is published, and only completely. A failure keeps the earlier publication."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.layout import Layout
from warehouse.publish import NEVER_EMPTY, NotPublished, Receipt, publish, published, write_receipt
from warehouse.recovery import clear

DAY = datetime(2026, 11, 23, 12)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    with duckdb.connect(str(layout.build)) as build:
        for table in NEVER_EMPTY:
            build.execute(
                f"create table {table} as select 1 as x, timestamp '2026-07-01' as vintage_at, 'i' as indicator_id,"
                " 'archive' as retrieved_via, null::timestamp as confirmed_at"
            )
        build.execute("create schema staging; create view staging.v as select 1 as x")
    receipt(layout)
    return layout


def receipt(layout: Layout, *, passed: bool = True, reason: str | None = None, mark: str = "m") -> None:
    write_receipt(layout, Receipt(mark, "2026-11-23", passed, "2026-11-23T12:00:00", reason))


def test_a_publication_has_a_record_of_its_content_without_working_schemas(layout: Layout) -> None:
    publish(layout, DAY)
    current = published(layout)
    assert current is not None and (current.fingerprint, current.published_at) == ("m", DAY)
    with duckdb.connect(str(layout.published), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
        views = connection.execute("select count(*) from duckdb_views() where not internal").fetchone()
    assert schemas == [("main",)] and views == (0,)


def test_a_view_is_published_and_one_that_needs_a_working_schema_stops_the_publication(layout: Layout) -> None:
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create view v_kept as select * from main.scorecard")
    publish(layout, DAY)
    with duckdb.connect(str(layout.published), read_only=True) as connection:
        assert connection.execute("select x from v_kept").fetchall() == [(1,)]
    before = layout.published.read_bytes()
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create view v_lost as select * from staging.v")
    with pytest.raises(NotPublished, match="view v_lost cannot be read without the build"):
        publish(layout, DAY)
    assert layout.published.read_bytes() == before


@pytest.mark.parametrize("reason", ["unique_scorecard failed", None])
def test_a_failed_build_is_not_published_and_the_old_file_is_kept(layout: Layout, reason: str | None) -> None:
    publish(layout, DAY)
    before = layout.published.read_bytes()
    receipt(layout, passed=False, reason=reason)
    with pytest.raises(NotPublished, match=reason or "no build that passed"):
        publish(layout, DAY)
    assert layout.published.read_bytes() == before


def test_a_build_without_a_receipt_is_not_published(layout: Layout) -> None:
    layout.receipt.unlink()
    with pytest.raises(NotPublished, match="no build that passed"):
        publish(layout, DAY)


def test_an_empty_scorecard_is_not_published(layout: Layout) -> None:
    publish(layout, DAY)
    before = layout.published.read_bytes()
    with duckdb.connect(str(layout.build)) as build:
        build.execute("delete from scorecard")
    with pytest.raises(NotPublished, match="nothing in scorecard"):
        publish(layout, DAY)
    assert layout.published.read_bytes() == before
    assert not list(layout.root.glob(".carec.duckdb*"))


def test_a_reader_keeps_the_opened_file_while_a_new_one_replaces_it(layout: Layout) -> None:
    publish(layout, DAY)
    with duckdb.connect(str(layout.published), read_only=True) as reader:
        with duckdb.connect(str(layout.build)) as build:
            build.execute("insert into observations (x, vintage_at) values (2, timestamp '2026-08-01')")
        receipt(layout, mark="n")
        publish(layout, DAY)
        assert reader.execute("select count(*) from observations").fetchone() == (1,)
    current = published(layout)
    assert current is not None and current.observations == 2


def test_rows_still_in_the_write_ahead_log_are_published(layout: Layout) -> None:
    with duckdb.connect(str(layout.build)) as build:
        build.execute("set checkpoint_threshold = '1 GB'")
        build.execute("insert into observations (x, vintage_at) values (2, timestamp '2026-08-01')")
        publication = publish(layout, DAY)
    assert publication.observations == 2


def test_a_file_that_is_not_a_publication_counts_as_missing(layout: Layout) -> None:
    assert published(layout) is None
    layout.published.write_bytes(b"not a database")
    assert published(layout) is None


KILLED_AT = """
import json, os, shutil, sys
from datetime import datetime
from pathlib import Path
from warehouse import publish, standing
from warehouse.layout import Layout
layout, steps = Layout(Path(sys.argv[1])), 0

def deadly(function):
    def called(*arguments, **options):
        global steps
        steps -= 1
        if steps == 0:
            os._exit(137)
        return function(*arguments, **options)
    return called

def run(function):
    '''Return the exit code and the output of a process of its own.'''
    out, into = os.pipe()
    process = os.fork()
    if not process:
        os.write(into, json.dumps(function()).encode())
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(into)
    with open(out) as pipe:
        return code, pipe.read()

def attempt():
    os.fsync = lambda handle: None  # the machine keeps running
    for owner, name in [(Path, "replace"), (Path, "write_bytes"), (shutil, "copyfile"), (Path, "symlink_to")]:
        setattr(owner, name, deadly(getattr(owner, name)))
    publish.publish(layout, datetime(2026, 11, 24))

def look():
    shown, kept = publish.published(layout), publish.current(layout)
    return [shown.fingerprint, shown.observations, kept.fingerprint, standing.fits(layout)]

for step in range(1, 100):
    steps = step
    code, _ = run(attempt)
    print(json.dumps([code, *json.loads(run(look)[1])]), flush=True)
    if code != 137:
        break
"""


def test_a_publication_killed_between_any_two_writes_leaves_the_old_or_the_new_one(layout: Layout) -> None:
    publish(layout, DAY)
    with duckdb.connect(str(layout.build)) as build:
        build.execute("insert into observations (x, vintage_at) values (2, timestamp '2026-08-01')")
    receipt(layout, mark="n")
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(layout.root)], capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(mark, rows) for _, mark, rows, *_ in found} == {("m", 1), ("n", 2)}
    marks = [mark for _, mark, *_ in found]
    assert len(found) > 5 and found[-1] == [0, "n", 2, "n", True]
    assert marks == sorted(marks), "once the new one is in place it stays"
    # between the two, the new one is kept and current, and the next refresh shows it
    assert {(mark, kept, fits) for _, mark, _, kept, fits in found} <= {
        ("m", "m", True),
        ("m", "n", False),
        ("n", "n", True),
    }
    clear(layout)
    assert sorted(path.name for path in layout.root.iterdir() if path.is_file()) == [
        "build.duckdb",
        "build.json",
        "carec.duckdb",
    ]


def test_a_build_file_that_cannot_be_opened_is_deleted_with_its_receipt(layout: Layout) -> None:
    layout.build.write_bytes(b"not a database" * 1000)
    assert [path.name for path in clear(layout)] == ["build.duckdb", "build.json"]
    assert not layout.build.exists() and not layout.receipt.exists()


def test_a_build_file_that_another_process_has_open_is_not_deleted(layout: Layout) -> None:
    with duckdb.connect(str(layout.build)):
        elsewhere = (
            "import sys; from pathlib import Path; from warehouse.layout import Layout;"
            " from warehouse.recovery import leftovers; print(leftovers(Layout(Path(sys.argv[1]))))"
        )
        printed = subprocess.run(
            [sys.executable, "-c", elsewhere, str(layout.root)], capture_output=True, text=True, check=True
        )
        assert clear(layout) == [] and printed.stdout.strip() == "[]"


def test_a_publication_of_an_earlier_version_can_be_read(layout: Layout) -> None:
    publish(layout, DAY)
    with duckdb.connect(str(layout.published)) as connection:
        connection.execute("alter table publication drop column series_live")
        connection.execute("alter table publication drop column series_archived")
    current = published(layout)
    assert current is not None and (current.observations, current.series_live) == (1, 0)
