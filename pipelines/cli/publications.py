"""The command ``publications``: the publications that are kept, with the ids for ``query`` and ``diff``.

Belongs here: the list. Does not belong here: which ones are kept (``warehouse.retention``).
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import FormatOption, command_app
from pipelines.settings import load_settings
from warehouse import kept
from warehouse.layout import Layout
from warehouse.publications import folders
from warehouse.reading import NotPublished, Unreadable, open_published

app = command_app()

COLUMNS = ("id", "published_at", "as_of", "holds")
WHOLE, PARTS, CURRENT = "every table", "the members' figures, for carec diff", "every table (current)"


@app.command()
def publications(fmt: FormatOption = Format.TABLE) -> None:
    """Publications that are kept: query --publication ID reads one, diff A B compares two."""
    show(COLUMNS, rows(Layout(load_settings().warehouse)), fmt)


def rows(layout: Layout) -> list[tuple[str, str, str, str]]:
    """Return one row per publication, newest first.

    Raises:
        NotPublished: Nothing is published.
        Unreadable: The published file is not a publication.
    """
    open_published(layout.published).close()
    files, current = kept.kept(layout), kept.current(layout)
    found = [(one.id, one.path, CURRENT if one == current else WHOLE) for one in files]
    times = {one.id.partition("-")[0] for one in files}
    found += [(path.name, path, PARTS) for path in folders(layout) if path.name not in times]
    return [(name, *_days(path), holds) for name, path, holds in sorted(found, reverse=True)]


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
    return f"{at:%Y-%m-%d %H:%M} UTC", day.isoformat()
