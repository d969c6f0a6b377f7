"""The command ``archive record``; ``pipelines.bundled_archive`` writes the archive."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.bundled_archive import record_archive
from pipelines.cli.terminal import home_path, note
from pipelines.workspace import open_workspace


@click.group(no_args_is_help=True)
def archive() -> None:
    """The bundled last-known-good figures."""


@archive.command("record")
@click.argument(
    "directory",
    type=home_path,
    metavar="[PATH]",
    required=False,
    help="Where to write; the bundled archive by default.",
)
def archive_record(directory: Path | None) -> None:
    """Write the archive from the figures landed in the warehouse, after a live run."""
    written = record_archive(open_workspace(), directory)
    note(f"wrote {written.series} series with {written.rows:,} figures to {written.directory}")
