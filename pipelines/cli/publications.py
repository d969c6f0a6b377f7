"""The command ``publications``: the publications that are kept, with the ids for ``query`` and ``diff``.

Belongs here: the list. Does not belong here: which ones are kept (``warehouse.retention``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import duckdb

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option
from pipelines.reading import publications_elsewhere, reading_layout
from warehouse import kept
from warehouse.errors import NotPublished, Unreadable
from warehouse.layout import Layout
from warehouse.publications import folders
from warehouse.reading import open_published

if TYPE_CHECKING:
    from warehouse.lake.reading import InLake

COLUMNS = ("id", "published_at", "as_of", "holds")
WHOLE, PARTS, CURRENT = "every table", "the members' figures, for carec diff", "every table (current)"
IN_LAKE = "every table (in the lake)"


@click.command()
@format_option
def publications(fmt: Format) -> None:
    """Publications that are kept: query --publication ID reads one, diff A B compares two."""
    layout = reading_layout()
    show(COLUMNS, rows(layout, publications_elsewhere()), fmt)


def rows(layout: Layout, elsewhere: Sequence[InLake] = ()) -> list[tuple[str, str, str, str]]:
    """Return one row per publication, newest first.

    Args:
        layout: Paths of the warehouse.
        elsewhere: Publications of the lake that the warehouse has no file of.

    Raises:
        NotPublished: Nothing is published.
        Unreadable: The published file is not a publication.
    """
    open_published(layout.published).close()
    files, current = kept.kept(layout), kept.current(layout)
    found = [(one.id, one.path, CURRENT if one == current else WHOLE) for one in files]
    times = {one.id.partition("-")[0] for one in (*files, *(other.kept(layout) for other in elsewhere))}
    found += [(path.name, path, PARTS) for path in folders(layout) if path.name not in times]
    listed = [(name, *_days(path), holds) for name, path, holds in found]
    listed += [(one.kept(layout).id, *_shown(one.published_at, one.as_of), IN_LAKE) for one in elsewhere]
    return sorted(listed, reverse=True)


def _days(path: Path) -> tuple[str, str]:
    """Return the time of a publication and its as-of day."""
    try:
        if path.is_file():
            with open_published(path) as connection:
                row = connection.execute("select published_at, as_of from publication").fetchone()
        else:
            row = duckdb.read_parquet(str(path / "publication.parquet")).project("published_at, as_of").fetchone()
    except (duckdb.Error, NotPublished, Unreadable):
        row = None
    if row is None:
        return "cannot be read", ""
    at, day = row
    assert isinstance(at, datetime) and isinstance(day, date)
    return _shown(at, day)


def _shown(published_at: datetime, as_of: date) -> tuple[str, str]:
    return f"{published_at:%Y-%m-%d %H:%M} UTC", as_of.isoformat()
