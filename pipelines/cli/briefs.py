"""The command ``briefs``; ``pipelines.report`` writes the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, home_path, note
from pipelines.published import economy_code
from pipelines.reading import fetch_earlier, reading_layout
from pipelines.report.briefs import write_briefs

app = command_app()


@app.command()
def briefs(
    countries: Annotated[list[str] | None, typer.Argument(metavar="ISO3", help="Members; all by default.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", parser=home_path, metavar="DIR", help="Folder; report/briefs by default.")
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="en or ru.")] = "en",
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Write only HTML.")] = False,
) -> None:
    """Write a brief of a few pages per member, as HTML and PDF."""
    layout = reading_layout()
    fetch_earlier()
    folder = out or layout.report / "briefs"
    codes = [economy_code(one) for one in countries or []]
    written = write_briefs(layout, folder, codes, language, pdf=not no_pdf, note=note)
    note(f"wrote {len(written)} files to {folder}")
