"""The command ``mcp``; the server is ``pipelines.mcp_server``."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, note
from pipelines.mcp_server.server import HOST, PORT, serve
from sources.errors import ConfigurationError

app = command_app()


@app.command()
def mcp(
    port: Annotated[int | None, typer.Argument(metavar="PORT", min=1, max=65535, help="Port of --http.")] = None,
    http: Annotated[
        bool, typer.Option("--http", help=f"Serve over HTTP on {HOST} (port {PORT} unless given), not standard input.")
    ] = False,
) -> None:
    """A read-only server for programs that speak the Model Context Protocol, over standard input or HTTP."""
    if not http:
        if port is not None:
            raise ConfigurationError("a port needs --http")
        serve()
        return
    serve(port or PORT, note)
