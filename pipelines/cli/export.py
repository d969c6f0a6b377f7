"""The command ``export``.

Belongs here: passing the catalogue's providers and the names of units to the export, and printing the outcome. Does not
belong here: files and formats (``warehouse.export``), which values may be passed on (``warehouse.export.licences``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.terminal import command_app, home_path, note
from pipelines.reading import reading_layout
from pipelines.texts.words import ENGLISH, Words
from sources.catalogue import Provider, load_catalogue
from sources.errors import ConfigurationError
from warehouse.export.folder import NotAnExport
from warehouse.export.licences import UnknownName
from warehouse.export.package import Exported
from warehouse.export.package import export as write_export
from warehouse.export.rights import Attribution

if TYPE_CHECKING:
    from warehouse.export.sdmx.message import SdmxExported

app = command_app()


@app.command()
def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", parser=home_path, help="A new or empty folder, or an earlier export.")
    ],
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="PROVIDER", help="Also this provider's raw values.")
    ] = None,
    include_licence: Annotated[
        list[str] | None, typer.Option("--include-licence", metavar="LICENCE", help="Also raw values under it.")
    ] = None,
    sdmx: Annotated[
        bool, typer.Option("--sdmx", help="Instead: observations, scores and trajectories in SDMX-CSV and SDMX-JSON.")
    ] = False,
) -> None:
    """Write CSV, Parquet, a workbook and a data package; raw values whose licence is not open only if named."""
    if sdmx:
        lines = format_sdmx(run_sdmx(directory, include or [], include_licence or []))
    else:
        lines = format_outcome(run_export(directory, include or [], include_licence or []))
    for line in lines:
        note(line)


def run_export(directory: Path, providers: Sequence[str], licences: Sequence[str]) -> Exported:
    """Export the published file.

    Args:
        directory: A new or empty folder, or an earlier export.
        providers: Ids of providers whose raw values are included although their licence is not open.
        licences: Names of licences whose raw values are included.

    Raises:
        NotPublished: Nothing is published yet.
        Unreadable: The published file cannot be read.
        ConfigurationError: The folder or a name is not accepted.
    """
    published = reading_layout().published
    try:
        return write_export(published, directory, _attributions(), licences=licences, providers=providers)
    except (NotAnExport, UnknownName) as error:
        raise ConfigurationError(str(error)) from error


def run_sdmx(directory: Path, providers: Sequence[str], licences: Sequence[str]) -> SdmxExported:
    """Export observations, scores and trajectories in SDMX formats; arguments and errors as in ``run_export``."""
    from warehouse.export.sdmx.message import export_sdmx  # brings libraries that the other export does not need

    words = Words(ENGLISH)
    published = reading_layout().published
    try:
        return export_sdmx(
            published,
            directory,
            _attributions(),
            units=words.get("units"),
            reasons=words.get("reasons"),
            licences=licences,
            providers=providers,
        )
    except (NotAnExport, UnknownName) as error:
        raise ConfigurationError(str(error)) from error


def _attributions() -> list[Attribution]:
    return [_attribution(provider) for provider in load_catalogue().providers.values()]


def _attribution(provider: Provider) -> Attribution:
    return Attribution(
        provider=provider.id,
        title=provider.title,
        licence=provider.licence,
        licence_url=str(provider.licence_url) if provider.licence_url else None,
        citation=provider.citation,
        documentation_url=str(provider.documentation_url) if provider.documentation_url else None,
    )


def format_outcome(exported: Exported) -> list[str]:
    """Return lines that state what was written and what was left out."""
    wrote = f"wrote {exported.tables} tables with {exported.figures:,} figures to {exported.directory}"
    return [wrote, *_format_rights(exported.withheld, exported.restricted)]


def format_sdmx(exported: SdmxExported) -> list[str]:
    """Return lines that state what an SDMX export wrote and what it left out."""
    counts = ", ".join(f"{count:,} {name.lower()}" for name, count in exported.observations.items())
    flags = [
        f"{flag}: this provider's flag has no standard code; OBS_STATUS is A, and PROVIDER_FLAG has the flag"
        for flag in exported.unknown_flags
    ]
    return [f"wrote {counts} to {exported.directory}", *flags, *_format_rights(exported.withheld, exported.restricted)]


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
