"""The command ``ui``; the web server is ``pipelines.orchestration.webserver``."""

from __future__ import annotations

import click

from pipelines.cli.terminal import note
from pipelines.orchestration.webserver import serve


@click.command()
@click.option("--port", type=click.IntRange(min=1, max=65535), default=3000, help="Port of the web page.")
def ui(port: int) -> None:
    """Dagster's web page: lineage, runs, checks."""
    serve(port, note)
