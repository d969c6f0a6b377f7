"""Publication: only a build that passed is published, and only completely. A failure keeps the earlier publication."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.cli import stored_files
from warehouse import kept
from warehouse.errors import NotPublished
from warehouse.files import sha256_of
from warehouse.layout import Layout
from warehouse.publications import folders
from warehouse.publish import (
    NEVER_EMPTY,
    Receipt,
    check_free,
    create_build,
    current,
    publish,
    published,
    restore,
    seal,
    write_receipt,
)
from warehouse.reading import open_published
from warehouse.recovery import clear
from warehouse.retention import UnknownPublication, find
from warehouse.standing import fits

DAY, NEXT = datetime(2026, 11, 23, 12), datetime(2026, 11, 24, 12)


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


def receipt(
    layout: Layout, *, passed: bool = True, reason: str | None = None, mark: str = "m", content: str | None = None
) -> None:
    write_receipt(layout, Receipt(mark, "2026-11-23", passed, "2026-11-23T12:00:00", reason, content))


def test_a_publication_has_a_record_of_its_content_without_working_schemas(layout: Layout) -> None:
    publish(layout, DAY)
    current = published(layout)
    assert current is not None and (current.fingerprint, current.published_at) == ("m", DAY)
    with duckdb.connect(str(layout.published), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
        views = connection.execute("select count(*) from duckdb_views() where not internal").fetchone()
    assert schemas == [("main",)] and views == (0,)


def storage(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("select tags['storage_version'] from duckdb_databases() where not internal").fetchone()
        assert row is not None
        return str(row[0])


def test_a_publication_has_the_format_that_opens_fast_whatever_its_build_has(layout: Layout) -> None:
    publish(layout, DAY)
    assert (storage(layout.build), storage(layout.published)) == ("v1.0.0+", "v1.2.0+")


def test_a_new_build_file_has_the_format_that_opens_fast_and_an_existing_one_stays(layout: Layout) -> None:
    before = sha256_of(layout.build)
    create_build(layout)
    assert sha256_of(layout.build) == before
    layout.build.unlink()
    create_build(layout)
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create table t as select 1 as x")
    assert storage(layout.build) == "v1.2.0+"


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
from datetime import datetime, timedelta
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


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_publishing_replaces_an_unreadable_published_file(layout: Layout, share: float) -> None:
    """The message about such a file promises it, for every damaged file."""
    publish(layout, DAY)
    whole = layout.published.read_bytes()
    layout.published.unlink()
    layout.published.write_bytes(whole[: int(len(whole) * share)])
    publish(layout, NEXT)
    current = published(layout)
    assert current is not None and current.published_at == NEXT


def held(path: Path, sql: str = "", *, killed: bool = False) -> subprocess.Popen[str]:
    """Open a database for writing in another process, run ``sql``, and wait for a line or end without a checkpoint."""
    program = (
        "import duckdb, os, sys\n"
        f"connection = duckdb.connect({str(path)!r})\n"
        f"connection.execute({sql!r})\n"
        "print('held', flush=True)\n"
        f"{'os._exit(9)' if killed else 'sys.stdin.readline()'}\n"
        "connection.execute('update scorecard set x = 98'); os._exit(9)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    if killed:
        process.communicate()
    return process


def contents(path: Path) -> tuple[object, ...]:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("select count(*) from duckdb_tables() where schema_name = 'main'").fetchone()
        return (*connection.execute("select max(x) from scorecard").fetchall(), tables)


@pytest.mark.parametrize(
    "sql", ["update scorecard set x = 99", "create table scratch (i int)", "drop table benchmarks"]
)
@pytest.mark.parametrize("of", ["published", "build"])
def test_the_log_of_a_killed_program_changes_no_publication(layout: Layout, sql: str, of: str) -> None:
    receipt(layout, content=seal(layout))
    publish(layout, DAY)
    right = contents(layout.published)
    file = layout.published if of == "published" else layout.build
    held(file, sql, killed=True)
    assert list(layout.root.rglob("*.wal")), "the program left a log"
    publish(layout, NEXT)
    assert contents(layout.published) == right
    assert not [path for path in layout.root.rglob("*.wal") if path.name.startswith(layout.published.resolve().name)]
    assert not layout.published.with_name("carec.duckdb.wal").exists()
    clear(layout)
    assert not list(layout.root.rglob("*.wal"))


@pytest.mark.parametrize("link", ["ours", "operator", "none"])
def test_a_program_that_has_the_published_file_open_neither_blocks_nor_changes_the_next_one(
    layout: Layout, tmp_path_factory: pytest.TempPathFactory, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if link == "operator":
        layout.published.symlink_to(tmp_path_factory.mktemp("disk") / "figures.duckdb")
    if link == "none":  # a system without links
        monkeypatch.setattr(Path, "symlink_to", lambda self, target: _no_links())
    publish(layout, DAY)
    target = layout.published.resolve()
    right = contents(layout.published)
    process = held(layout.published, "update scorecard set x = 99")
    # readers get the kept file meanwhile
    before = published(layout)
    assert before is not None and (before.published_at, restore(layout)) == (DAY, True)
    publish(layout, NEXT)
    assert contents(layout.published) == right
    assert process.stdin
    process.communicate("\n")  # it writes once more, into its own file, and is killed
    if link == "ours":
        assert contents(layout.published) == right
    assert not layout.published.with_name("carec.duckdb.wal").exists() or link == "none"
    after = current(layout)
    assert after is not None and after.published_at == NEXT
    restore(layout)
    assert contents(layout.published) == right
    assert layout.published.is_symlink() == (link != "none")
    assert (layout.published.resolve() == target) == (link != "ours")


def _no_links() -> None:
    raise OSError("no links")


def test_a_file_in_use_is_a_publication_and_its_history_is_kept(layout: Layout) -> None:
    with duckdb.connect(str(layout.build)) as build:
        build.execute(
            "create table claims_audit as select 'c' as claim_id, 'confirmed' as verdict, 1.0 as evidence_value"
        )
    publish(layout, DAY)
    with duckdb.connect(str(layout.build)) as build:
        build.execute("update claims_audit set verdict = 'refuted'")
    publish(layout, NEXT)
    with duckdb.connect(str(layout.published)) as connection:
        connection.execute("insert into claim_verdict_changes by name select 'x' as claim_id")
    process = held(layout.published)
    try:
        present = published(layout)
        assert present is not None and present.published_at == NEXT
        with open_published(layout.published) as connection:
            assert connection.execute("select claim_id from claim_verdict_changes").fetchall() == [("c",)]
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(layout.published), read_only=True)
        found = stored_files.publication(layout)
        assert f"process {process.pid}" in found.finding and "rm " not in str(found.remedy)
        publish(layout, NEXT + timedelta(days=1))
    finally:
        process.kill()
        process.wait()
    with duckdb.connect(str(layout.published), read_only=True) as connection:
        changes = connection.execute("select claim_id, verdict from claim_verdict_changes order by all").fetchall()
    assert changes == [("c", "refuted"), ("x", None)]


def test_a_publication_of_an_earlier_version_is_kept_although_it_is_in_use(layout: Layout) -> None:
    publish(layout, DAY)
    content = layout.published.read_bytes()
    shutil.rmtree(layout.publications)
    layout.published.unlink()
    layout.published.write_bytes(content)
    process = held(layout.published)
    try:
        publish(layout, NEXT)
    finally:
        process.kill()
        process.wait()
    assert [one.published_at for one in kept.kept(layout)] == [DAY, NEXT]
    assert all(one.is_sound for one in kept.kept(layout))


def test_no_later_write_changes_a_kept_publication(layout: Layout) -> None:
    publish(layout, DAY)
    (one,) = kept.kept(layout)
    assert one.path.stat().st_mode & 0o222 == 0
    assert one.path.read_bytes() == layout.published.read_bytes() and fits(layout)
    with duckdb.connect(str(layout.published)) as connection:
        connection.execute("update scorecard set x = 99")
    assert one.is_sound and not fits(layout)
    assert restore(layout) and fits(layout) and not restore(layout)
    assert contents(layout.published)[0] == (1,)
    one.path.chmod(0o644)
    one.path.write_bytes(b"damaged")
    assert restore(layout) is False and one.is_sound, "the kept file comes back from the published one"
    one.path.write_bytes(b"damaged")
    layout.published.write_bytes(b"damaged too")
    assert current(layout) is None


def test_the_last_publications_and_the_first_of_each_month_are_kept(layout: Layout) -> None:
    days = [datetime(2026, 9, 1), datetime(2026, 9, 20), datetime(2026, 10, 5), datetime(2026, 10, 6)]
    days += [datetime(2026, 11, 1), datetime(2026, 11, 2), datetime(2026, 11, 3)]
    for day in days:
        publish(layout, day, keep=2)
    assert [one.published_at for one in kept.kept(layout)] == [days[0], days[2], days[4], *days[-2:]]
    parts = sorted(path.name for path in folders(layout))
    assert parts == ["20260920T000000000000Z", "20261006T000000000000Z"]
    assert find(layout, "20260920").is_dir() and find(layout, "20261103").is_file()
    for unknown, said in (("2026110", "3 publications begin with"), ("1999", "no publication is named"), ("", "none")):
        with pytest.raises(UnknownPublication, match=said if unknown else "no publication"):
            find(layout, unknown)


def test_a_scorecard_without_scores_replaces_none_that_has_scores(layout: Layout) -> None:
    scores = "select 'KAZ' as iso3, {} as overall_score, 1 as x"
    with duckdb.connect(str(layout.build)) as build:
        build.execute("create or replace table economies as select 'KAZ' as iso3, true as is_member")
        build.execute(f"create or replace table scorecard as {scores.format('null::double')}")
    with pytest.raises(NotPublished, match="no member has a score"):
        publish(layout, DAY)
    assert published(layout) is None
    with duckdb.connect(str(layout.build)) as build:
        build.execute(f"create or replace table scorecard as {scores.format('50.0')}")
    publish(layout, DAY)
    with duckdb.connect(str(layout.build)) as build:
        build.execute(f"create or replace table scorecard as {scores.format('null::double')}")
    with pytest.raises(NotPublished, match="no member has a score"):
        publish(layout, NEXT)
    with duckdb.connect(str(kept.kept(layout)[0].path)) as connection:  # as if it had none either
        connection.execute("update scorecard set overall_score = null; checkpoint")
    (one,) = kept.kept(layout)
    one.write_record(sha256_of(one.path))
    assert publish(layout, NEXT).published_at == NEXT


def test_a_build_that_was_changed_after_its_checks_is_not_published(layout: Layout) -> None:
    receipt(layout, content=seal(layout))
    with duckdb.connect(str(layout.build)) as build:
        build.execute("update scorecard set x = 99")
    with pytest.raises(NotPublished, match="changed by another program after its checks"):
        publish(layout, DAY)


def test_a_build_file_in_use_is_named_before_the_build_and_a_log_beside_it_is_deleted(layout: Layout) -> None:
    process = held(layout.build, "update scorecard set x = 99")
    try:
        with pytest.raises(NotPublished, match=f"in use by process {process.pid}"):
            check_free(layout)
    finally:
        process.kill()
        process.wait()
    assert list(layout.root.glob("build.duckdb.wal"))
    check_free(layout)
    assert not list(layout.root.glob("build.duckdb.wal")) and contents(layout.build)[0] == (1,)
