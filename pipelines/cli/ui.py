"""The command ``ui``; the web server is ``pipelines.orchestration.webserver``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, note
from pipelines.orchestration.webserver import serve

app = command_app()


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the web page.")] = 3000) -> None:
    """Dagster's web page: lineage, runs, checks."""
    serve(port, note)
