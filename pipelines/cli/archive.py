"""The command ``archive record``; ``pipelines.bundled_archive`` writes the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.bundled_archive import record_archive
from pipelines.cli.terminal import command_app, home_path, note
from pipelines.workspace import open_workspace

app = command_app(no_args_is_help=True)


@app.callback()
def group() -> None:
    """The bundled last-known-good figures."""


@app.command("record")
def archive_record(
    directory: Annotated[
        Path | None,
        typer.Argument(parser=home_path, metavar="PATH", help="Where to write; the bundled archive by default."),
    ] = None,
) -> None:
    """Write the archive from the figures landed in the warehouse, after a live run."""
    written = record_archive(open_workspace(), directory)
    note(f"wrote {written.series} series with {written.rows:,} figures to {written.directory}")
