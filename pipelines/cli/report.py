"""The command ``report``; ``pipelines.report`` writes the page."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.terminal import home_path, note
from pipelines.reading import fetch_earlier, reading_layout
from pipelines.report.briefs import folder_of, links_to, write_briefs
from pipelines.report.page import write_report


@click.command()
@click.option("--out", type=home_path, metavar="FILE", help="File; report/index.html by default.")
@click.option("--language", metavar="CODE", default="en", help="en or ru.")
@click.option("--briefs", is_flag=True, help="Also write the members' briefs next to the file, and link them.")
def report(out: Path | None, language: str, briefs: bool) -> None:
    """Write the report: one page that needs no network."""
    layout = reading_layout()
    fetch_earlier()
    file = out or layout.report / "index.html"
    written = write_briefs(layout, folder_of(file, language), language=language, note=note) if briefs else []
    note(f"wrote {write_report(layout, file, language, note, links_to(written, file))}")
    if written:
        note(f"wrote {len(written)} files to {folder_of(file, language)}")
