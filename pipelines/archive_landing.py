"""Landing of the bundled archive: its vintages become the first vintages of a warehouse.

Belongs here: which archived figures are landed, and when that is needed. Does not belong here: reading the archive
(``sources.bundled_archive``), answers of providers (``pipelines.ingestion``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipelines.quality_gates import validate
from pipelines.workspace import Workspace
from sources import corrections
from sources.bundled_archive import ArchivedVintage
from sources.catalogue import ARCHIVE, Indicator
from sources.errors import ConfigurationError
from sources.observation import empty_observations, empty_rejects, sound_indicators, utc_now
from warehouse import confirmations, landing
from warehouse.files import Writers, table_fault, write_atomically, write_table


def land_archive(workspace: Workspace) -> None:
    """Land the vintages of the bundled archive at their own dates, unless this archive is landed already."""
    layout = workspace.layout
    landing.write_columns(layout, empty_observations())
    confirmations.prepare(layout)
    marker = layout.landing / "archive.sha256"
    digest = hashlib.sha256()
    for path in sorted(Path(workspace.archive.directory).glob("*")):
        digest.update(path.name.encode() + path.read_bytes())
    for indicator in workspace.catalogue:
        digest.update(indicator.model_dump_json().encode())
    digest.update(workspace.corrections.text)
    none = layout.rejects / "none.parquet"
    if table_fault(none):
        write_table(none, empty_rejects())
    if marker.exists() and marker.read_bytes() == digest.hexdigest().encode():
        return
    archived = [(indicator, workspace.archive.vintages(indicator)) for indicator in workspace.catalogue]
    answers = ((indicator, vintage.records) for indicator, vintages in archived for vintage in vintages)
    sound = sound_indicators(answers, workspace.areas.known, utc_now().year + 1)
    with Writers() as writers:
        for indicator, vintages in archived:
            writers.submit(_land_history, workspace, indicator, vintages, indicator.id in sound)
    write_atomically(marker, digest.hexdigest().encode())


def _land_history(
    workspace: Workspace, indicator: Indicator, vintages: Sequence[ArchivedVintage], is_sound: bool
) -> None:
    """Land an indicator's archived vintages, with the corrections that fit them.

    Raises:
        ConfigurationError: The archive is the only source, and a correction fits none of its vintages.
    """
    layout, own = workspace.layout, workspace.corrections.of(indicator.id)
    unused = {located.correction.id: located.where for located in own}
    for vintage in vintages:
        checked = validate(vintage.records, indicator, workspace.areas, is_sound=is_sound)
        corrected = corrections.apply(checked.accepted, indicator, own)
        unused = {name: where for name, where in unused.items() if name in corrected.misfits}
        if corrected.observations.height:
            landing.land_history(layout, indicator.id, corrected.observations, vintage.vintage_at)
        if (rejects := pl.concat([checked.rejected, corrected.originals])).height:
            landing.log_rejects(layout, indicator.id, rejects)
    if unused and all(link.provider == ARCHIVE for link in indicator.chain):
        raise ConfigurationError(f"{next(iter(unused.values()))}: no archived figure of {indicator.id} fits it")
    landing.ensure_folder(layout, indicator.id, empty_observations())
