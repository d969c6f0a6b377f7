"""Everything a run needs, opened once: settings, catalogue, areas, archive, adapters, paths.

Belongs here: putting the parts together. Does not belong here: running anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.areas import load_areas
from pipelines.settings import PROJECT, Settings, load_settings, with_base_urls
from sources.bundled_archive import Archive, load_archive
from sources.catalogue import Catalogue, load_catalogue
from sources.corrections import Corrections, load_corrections
from sources.observation import Areas
from sources.provider import Adapter
from sources.providers import ADAPTERS
from sources.providers.local_file import LocalFiles
from warehouse.layout import Layout

DBT_PROJECT = PROJECT / "dbt_project"
LOCAL_FILE = "local_file"
"""The provider of what an operator puts into a folder; its adapter needs to know which."""


@dataclass(frozen=True)
class Workspace:
    settings: Settings
    catalogue: Catalogue
    areas: Areas
    archive: Archive
    adapters: Mapping[str, Adapter]
    layout: Layout
    dbt_project: Path
    corrections: Corrections


def open_workspace(settings: Settings | None = None) -> Workspace:
    """Load and check every input. Raises ConfigurationError for the first fault, naming file and remedy."""
    settings = settings or load_settings()
    catalogue, layout = with_base_urls(load_catalogue()), Layout(settings.warehouse)
    return Workspace(
        settings=settings,
        catalogue=catalogue,
        areas=load_areas(DBT_PROJECT),
        archive=load_archive(),
        adapters={**ADAPTERS, LOCAL_FILE: LocalFiles(settings.local_files or layout.local_files)},
        layout=layout,
        dbt_project=DBT_PROJECT,
        corrections=load_corrections(catalogue),
    )
