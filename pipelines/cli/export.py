"""The command ``export``.

Belongs here: passing the catalogue's providers and the names of units to the export, and printing the outcome. Does not
belong here: files and formats (``warehouse.export``), which values may be passed on (``warehouse.export.licences``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pipelines.cli.terminal import home_path, note
from pipelines.reading import reading_layout
from pipelines.texts.words import ENGLISH, Words
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from warehouse.export.folder import NotAnExport
from warehouse.export.licences import UnknownName
from warehouse.export.package import export as write_export
from warehouse.export.rights import Attribution


@click.command()
@click.argument("directory", type=home_path, metavar="DIR", help="A new or empty folder, or an earlier export.")
@click.option("--include", metavar="PROVIDER", multiple=True, help="Also this provider's raw values.")
@click.option("--include-licence", metavar="LICENCE", multiple=True, help="Also raw values under it.")
@click.option("--sdmx", is_flag=True, help="Instead: observations, scores and trajectories in SDMX-CSV and SDMX-JSON.")
def export(directory: Path, include: tuple[str, ...], include_licence: tuple[str, ...], sdmx: bool) -> None:
    """Write CSV, Parquet, a workbook and a data package; raw values whose licence is not open only if named."""
    allowed = {"licences": include_licence, "providers": include}
    try:
        if sdmx:
            lines = _export_sdmx(directory, **allowed)
        else:
            exported = write_export(reading_layout().published, directory, _attributions(), **allowed)
            wrote = f"wrote {exported.tables} tables with {exported.figures:,} figures to {exported.directory}"
            lines = [wrote, *_format_rights(exported.withheld, exported.restricted)]
    except (NotAnExport, UnknownName) as error:
        raise ConfigurationError(str(error)) from error
    for line in lines:
        note(line)


def _export_sdmx(directory: Path, licences: Sequence[str], providers: Sequence[str]) -> list[str]:
    """Export in SDMX formats. Return lines that state what was written and what was left out."""
    from warehouse.export.sdmx.message import export_sdmx  # brings libraries that the other export does not need

    words = Words(ENGLISH)
    exported = export_sdmx(
        reading_layout().published,
        directory,
        _attributions(),
        units=words.get("units"),
        reasons=words.get("reasons"),
        licences=licences,
        providers=providers,
    )
    counts = ", ".join(f"{count:,} {name.lower()}" for name, count in exported.observations.items())
    flags = [
        f"{flag}: this provider's flag has no standard code; OBS_STATUS is A, and PROVIDER_FLAG has the flag"
        for flag in exported.unknown_flags
    ]
    return [f"wrote {counts} to {exported.directory}", *flags, *_format_rights(exported.withheld, exported.restricted)]


def _attributions() -> list[Attribution]:
    return [
        Attribution(
            provider=provider.id,
            title=provider.title,
            licence=provider.licence,
            licence_url=str(provider.licence_url) if provider.licence_url else None,
            citation=provider.citation,
            documentation_url=str(provider.documentation_url) if provider.documentation_url else None,
        )
        for provider in load_catalogue().providers.values()
    ]


def _format_rights(withheld: dict[str, int], restricted: dict[str, int]) -> list[str]:
    return [
        *(
            f"left out: {count:,} figures under {licence}; --include-licence {licence!r} adds them"
            for licence, count in withheld.items()
        ),
        *(
            f"included as asked: {count:,} figures under {licence}, which is not open; check its terms"
            for licence, count in restricted.items()
        ),
    ]
