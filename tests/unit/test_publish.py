"""Publication: only what passed, only as a whole, and never at the cost of the one before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.layout import Layout
from warehouse.publish import NEVER_EMPTY, NotPublished, Receipt, publish, published, write_receipt

DAY = datetime(2026, 11, 23, 12)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    with duckdb.connect(str(layout.build)) as build:
        for table in NEVER_EMPTY:
            build.execute(f"create table {table} as select 1 as x, timestamp '2026-07-01' as vintage_at")
        build.execute("create schema staging; create view staging.v as select 1 as x")
    receipt(layout)
    return layout


def receipt(layout: Layout, *, passed: bool = True, reason: str | None = None, mark: str = "m") -> None:
    write_receipt(layout, Receipt(mark, "2026-11-23", passed, "2026-11-23T12:00:00", reason))


def test_a_publication_says_what_it_holds_and_leaves_working_schemas_behind(layout: Layout) -> None:
    publish(layout, DAY)
    standing = published(layout)
    assert standing is not None and (standing.fingerprint, standing.published_at) == ("m", DAY)
    with duckdb.connect(str(layout.published), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
        views = connection.execute("select count(*) from duckdb_views() where not internal").fetchone()
    assert schemas == [("main",)] and views == (0,)


@pytest.mark.parametrize("reason", ["unique_scorecard failed", None])
def test_a_build_that_did_not_pass_is_not_published_and_the_old_file_stays(layout: Layout, reason: str | None) -> None:
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


def test_a_reader_keeps_what_it_opened_while_a_new_file_takes_its_place(layout: Layout) -> None:
    publish(layout, DAY)
    with duckdb.connect(str(layout.published), read_only=True) as reader:
        with duckdb.connect(str(layout.build)) as build:
            build.execute("insert into observations values (2, timestamp '2026-08-01')")
        receipt(layout, mark="n")
        publish(layout, DAY)
        assert reader.execute("select count(*) from observations").fetchone() == (1,)
    standing = published(layout)
    assert standing is not None and standing.observations == 2


def test_rows_still_in_the_write_ahead_log_are_published(layout: Layout) -> None:
    with duckdb.connect(str(layout.build)) as build:
        build.execute("set checkpoint_threshold = '1 GB'")
        build.execute("insert into observations values (2, timestamp '2026-08-01')")
        publication = publish(layout, DAY)
    assert publication.observations == 2


def test_a_file_that_is_no_publication_counts_as_none(layout: Layout) -> None:
    assert published(layout) is None
    layout.published.write_bytes(b"not a database")
    assert published(layout) is None
