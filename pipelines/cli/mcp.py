"""The command ``mcp``; the server is ``pipelines.mcp_server``."""

from __future__ import annotations

import click

from pipelines.cli.terminal import note
from pipelines.mcp_server.server import HOST, PORT, serve
from sources.errors import ConfigurationError


@click.command()
@click.argument("port", type=click.IntRange(min=1, max=65535), metavar="[PORT]", required=False, help="Port of --http.")
@click.option("--http", is_flag=True, help=f"Serve over HTTP on {HOST} (port {PORT} unless given), not standard input.")
def mcp(port: int | None, http: bool) -> None:
    """A read-only server for programs that speak the Model Context Protocol, over standard input or HTTP."""
    if not http:
        if port is not None:
            raise ConfigurationError("a port needs --http")
        serve()
        return
    serve(port or PORT, note)
