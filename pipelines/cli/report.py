"""The command ``report``.

Belongs here: its options. Does not belong here: the page (``pipelines.report``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, home_path, note
from pipelines.report.page import write_report
from pipelines.settings import load_settings
from warehouse.layout import Layout

app = command_app()


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option("--out", parser=home_path, metavar="FILE", help="File; report/index.html by default.")
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="en or ru.")] = "en",
) -> None:
    """Write the report: one page that needs no network."""
    layout = Layout(load_settings().warehouse)
    note(f"wrote {write_report(layout, out or layout.report / 'index.html', language, note)}")
