"""Which publication a command reads: the newest of the lake where one is set, else that of the warehouse.

Belongs here: the choice, and that an older one is never shown without a word. Does not belong here: queries
(``pipelines.published``), how a publication is fetched (``warehouse.lake``).

A publication of the lake is fetched once and then read from the folder, as every other: with a lake, a command costs
one query to PostgreSQL more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.lake import chosen_lake
from pipelines.settings import load_settings
from warehouse import kept
from warehouse.errors import NotPublished
from warehouse.lake.errors import LakeError
from warehouse.layout import Layout
from warehouse.publications import earlier
from warehouse.retention import find

if TYPE_CHECKING:
    from warehouse.lake.connection import Lake
    from warehouse.lake.reading import InLake

_reading: ContextVar[Layout | None] = ContextVar("reading", default=None)


def reading_layout() -> Layout:
    """Return the paths of the warehouse with the publication to read.

    The lake is asked once in a command, or in the block of ``newly_read``: all queries read the same publication.

    Raises:
        LakeError: The lake cannot be read: the publication of the warehouse might be an older one.
        NotPublished: The lake has no publication.
    """
    if found := _reading.get():
        return found
    layout, lake = _home()
    if lake is None:
        return layout
    with _not_older(layout):
        if not (known := _known(lake)):
            raise NotPublished(f"the lake {lake.shown} has no publication yet: `carec lake sync` writes one")
        found = replace(layout, chosen=_fetched(lake, layout, known[-1]))
    _reading.set(found)
    return found


@contextmanager
def read_once() -> Iterator[Layout]:
    """Keep the paths of ``reading_layout`` within the block: neither the settings nor the lake are asked again."""
    layout = reading_layout()
    token = _reading.set(layout)
    try:
        yield layout
    finally:
        _reading.reset(token)


@contextmanager
def newly_read() -> Iterator[None]:
    """Ask the lake again within the block, for programs that live longer than a publication."""
    token = _reading.set(None)
    try:
        yield
    finally:
        _reading.reset(token)


def fetch_named(given: str) -> Path:
    """Return a publication by the beginning of its id, see ``retention.find``; one of the lake is fetched.

    Raises:
        UnknownPublication: No publication, or more than one, has an id that begins so.
        LakeError: The lake cannot be read.
    """
    layout, lake = _home()
    if lake is None or any(one.id == given for one in kept.kept(layout)):  # a kept file never changes
        return find(layout, given)
    with _not_older(layout):
        known = {one.kept(layout).id: one for one in _known(lake)}
        path = find(layout, given, known)
        one = known.get(path.name.removesuffix(kept.SUFFIX))
        return _fetched(lake, layout, one) if one else path


def fetch_earlier(since: date | None = None) -> None:
    """Fetch the publication that ``publications.compare`` compares with the one to read; does nothing without a lake.

    Raises:
        LakeError: The lake cannot be read.
    """
    layout, lake = reading_layout(), _home()[1]
    if lake is None or layout.chosen is None:
        return
    with _not_older(layout):
        known = {one.published_at: one for one in _known(lake)}
        here = {one.published_at for one in kept.kept(layout)}
        time = earlier({*known, *here}, kept.Kept(layout.chosen).published_at, since)
        if time in known:
            _fetched(lake, layout, known[time])


def publications_elsewhere() -> list[InLake]:
    """Return the publications of the lake that the warehouse has no file of; none without a lake.

    Raises:
        LakeError: The lake cannot be read.
    """
    layout, lake = _home()
    if lake is None:
        return []
    with _not_older(layout):
        return [one for one in _known(lake) if not one.kept(layout).path.exists()]


def _home() -> tuple[Layout, Lake | None]:
    settings = load_settings()
    return Layout(settings.warehouse), chosen_lake(settings)


def _known(lake: Lake) -> list[InLake]:
    from warehouse.lake.reading import in_lake  # imports what only a lake needs

    return in_lake(lake)


def _fetched(lake: Lake, layout: Layout, one: InLake) -> Path:
    from warehouse.lake.reading import fetched

    return fetched(lake, layout, one, load_settings().keep_publications)


@contextmanager
def _not_older(layout: Layout) -> Iterator[None]:
    """Say in errors of the lake how to read the publication of the warehouse, if there is one."""
    try:
        yield
    except LakeError as error:
        if not layout.published.exists():
            raise
        raise LakeError(
            f"{error}. {layout.published} may be older and is not shown; without CAREC_LAKE, commands read it"
        ) from None
