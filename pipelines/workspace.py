"""The inputs of a run, opened once: settings, catalogue, areas, archive, adapters, corrections and paths.

Belongs here: loading these parts and putting them together. Does not belong here: running anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.settings import DBT_PROJECT, Settings, load_settings, with_base_urls
from sources.bundled_archive import Archive, load_archive
from sources.catalogue import LOCAL_FILE, Catalogue, load_catalogue
from sources.corrections import Corrections, load_corrections
from sources.errors import ConfigurationError
from sources.observation import Areas
from sources.provider import Adapter
from sources.providers import adapters_with
from sources.providers.local_file import LocalFiles
from warehouse.layout import Layout

_AREA_COLUMNS = {
    "iso3": pl.String,
    "iso2": pl.String,
    "m49": pl.Int32,
    "is_aggregate": pl.Boolean,
    "is_member": pl.Boolean,
}


@dataclass(frozen=True)
class Workspace:
    """The inputs of a run. ``adapters`` maps a provider id to the module or object that fetches from it."""

    settings: Settings
    catalogue: Catalogue
    areas: Areas
    archive: Archive
    adapters: Mapping[str, Adapter]
    layout: Layout
    dbt_project: Path
    corrections: Corrections


def open_workspace(settings: Settings | None = None) -> Workspace:
    """Load and check every input.

    Raises:
        ConfigurationError: An input has a fault; the message names the file and the remedy.
    """
    settings = settings or load_settings()
    catalogue, layout = with_base_urls(load_catalogue()), Layout(settings.warehouse)
    return Workspace(
        settings=settings,
        catalogue=catalogue,
        areas=load_areas(DBT_PROJECT),
        archive=load_archive(),
        adapters=adapters_with({LOCAL_FILE: LocalFiles(settings.local_files or layout.local_files)}),
        layout=layout,
        dbt_project=DBT_PROJECT,
        corrections=load_corrections(catalogue),
    )


def load_areas(dbt_project: Path) -> Areas:
    """Return the areas of ``seeds/economies.csv``.

    Raises:
        ConfigurationError: The file cannot be read or lacks a column.
    """
    path = dbt_project / "seeds" / "economies.csv"
    try:
        table = pl.read_csv(path, schema_overrides=_AREA_COLUMNS).select(*_AREA_COLUMNS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    by_kind = {bool(kind): part["iso3"].to_list() for (kind,), part in table.group_by("is_aggregate")}
    iso2 = table.drop_nulls("iso2")
    m49 = table.drop_nulls("m49")
    return Areas(
        economies=frozenset(by_kind.get(False, [])),
        aggregates=frozenset(by_kind.get(True, [])),
        iso2_to_iso3=dict(zip(iso2["iso2"], iso2["iso3"], strict=True)),
        m49_to_iso3=dict(zip(m49["m49"], m49["iso3"], strict=True)),
        members=frozenset(table.filter("is_member")["iso3"]),
    )
