"""The command ``briefs``; ``pipelines.report`` writes the pages."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.terminal import home_path, note
from pipelines.published import economy_code
from pipelines.reading import fetch_earlier, reading_layout
from pipelines.report.briefs import write_briefs


@click.command()
@click.argument("countries", metavar="[ISO3]...", nargs=-1, help="Members; all by default.")
@click.option("--out", type=home_path, metavar="DIR", help="Folder; report/briefs by default.")
@click.option("--language", metavar="CODE", default="en", help="en or ru.")
@click.option("--no-pdf", is_flag=True, help="Write only HTML.")
def briefs(countries: tuple[str, ...], out: Path | None, language: str, no_pdf: bool) -> None:
    """Write a brief of a few pages per member, as HTML and PDF."""
    layout = reading_layout()
    fetch_earlier()
    folder = out or layout.report / "briefs"
    codes = [economy_code(one) for one in countries]
    written = write_briefs(layout, folder, codes, language, pdf=not no_pdf, note=note)
    note(f"wrote {len(written)} files to {folder}")
