"""The lake of the settings, and the steps of a refresh that write to it.

Belongs here: from ``CAREC_LAKE`` to an address, and when a publication goes there. Does not belong here: how it is
written (``warehouse.lake``), polling providers (``pipelines.polling``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.settings import Settings
from sources.errors import ConfigurationError
from sources.hidden_packages import without_hidden_packages
from warehouse.lake.errors import LakeError

if TYPE_CHECKING:
    from warehouse.lake.connection import Lake
    from warehouse.lake.publishing import LakePublication
    from warehouse.layout import Layout


def chosen_lake(settings: Settings) -> Lake | None:
    """Return the lake of the settings, None without one.

    Raises:
        ConfigurationError: The settings are not an address. The message has no secret.
    """
    if settings.lake is None:
        return None
    from warehouse.lake.connection import lake_at  # imports what only a lake needs

    try:
        return lake_at(settings.lake.value, settings.lake_data)
    except ValueError as error:
        raise ConfigurationError(f"CAREC_LAKE: {error}") from None


def push_landed(lake: Lake, layout: Layout, waiting: Callable[[str], None] = lambda sentence: None) -> None:
    """Add what a warehouse has landed, and the lake lacks, to the lake. Arguments as for ``publish_to_lake``.

    Raises:
        LakeError: The lake cannot be written; it has everything as before.
    """
    from warehouse.lake import landing, locks
    from warehouse.lake.connection import attached

    with locks.locked(lake, locks.LANDING, locks.WAIT_S, waiting), attached(lake) as connection:
        landing.push(connection, lake, layout)


@without_hidden_packages()
def publish_to_lake(
    settings: Settings, layout: Layout, waiting: Callable[[str], None] = lambda sentence: None
) -> LakePublication | None:
    """Write the published file and the landed files to the lake of the settings, unless it has them.

    Args:
        settings: With the lake's address.
        layout: Paths of the warehouse.
        waiting: Called with a sentence before the wait for another process that writes to the lake.

    Returns:
        The newest publication of the lake; None without a lake.

    Raises:
        LakeError: The lake cannot be written. The published file and the lake's earlier publications remain.
    """
    lake = chosen_lake(settings)
    if lake is None:
        return None
    from warehouse.lake import publishing

    try:
        push_landed(lake, layout, waiting)
        return publishing.publish_to_lake(lake, layout.published, waiting)
    except LakeError as error:
        raise LakeError(
            f"the publication is in the folder only: {error}; `carec lake sync` repeats this step"
        ) from None


def follow_lake(settings: Settings, layout: Layout) -> None:
    """Make the newest publication of the lake the current one of the warehouse, if it is later; nothing without a lake.

    The next publication continues its history of verdicts, wherever the ones before were built. The caller holds the
    lock of the warehouse. A lake that cannot be read is no fault here: the step that publishes to it says so.
    """
    lake = chosen_lake(settings)
    if lake is None:
        return
    from warehouse.lake.reading import fetch_publication, in_lake
    from warehouse.publish import current

    own = current(layout)
    with suppress(LakeError):
        known = in_lake(lake)
        if known and (own is None or known[-1].published_at > own.published_at):
            fetch_publication(lake, layout, settings.keep_publications)
