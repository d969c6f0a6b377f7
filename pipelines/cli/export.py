"""The command ``export``.

Belongs here: passing the catalogue's providers to the export, and printing the outcome. Does not belong here: files and
formats (``warehouse.export.package``), which values may be passed on (``warehouse.export.licences``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, note
from pipelines.settings import load_settings
from sources.catalogue import Provider, load_catalogue
from sources.errors import ConfigurationError
from warehouse.export.folder import NotAnExport
from warehouse.export.licences import UnknownName
from warehouse.export.package import Exported
from warehouse.export.package import export as write_export
from warehouse.export.rights import Attribution
from warehouse.layout import Layout

app = command_app()


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="PROVIDER", help="Also this provider's raw values.")
    ] = None,
    include_licence: Annotated[
        list[str] | None, typer.Option("--include-licence", metavar="LICENCE", help="Also raw values under it.")
    ] = None,
) -> None:
    """Write CSV, Parquet, a workbook and a data package; raw values whose licence is not open only if named."""
    for line in format_outcome(run_export(directory, include or [], include_licence or [])):
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
    published = Layout(load_settings().warehouse).published
    attributions = [_attribution(provider) for provider in load_catalogue().providers.values()]
    try:
        return write_export(published, directory, attributions, licences=licences, providers=providers)
    except (NotAnExport, UnknownName) as error:
        raise ConfigurationError(str(error)) from error


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
    lines = [f"wrote {exported.tables} tables with {exported.figures:,} figures to {exported.directory}"]
    lines += [
        f"left out: {count:,} figures under {licence}; --include-licence {licence!r} adds them"
        for licence, count in exported.withheld.items()
    ]
    lines += [
        f"included as asked: {count:,} figures under {licence}, which is not open; check its terms"
        for licence, count in exported.restricted.items()
    ]
    return lines
