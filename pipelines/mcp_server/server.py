"""The server: tools and resources under the Model Context Protocol, over standard input and output or HTTP.

Belongs here: registration, errors for clients, transports. Does not belong here: what a tool answers (``tools``).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations

from pipelines.answers.dictionary import Described, described
from pipelines.mcp_server.envelope import clean
from pipelines.mcp_server.tools import TOOLS
from pipelines.published import imprint
from pipelines.reading import newly_read
from pipelines.settings import PROJECT
from sources.errors import ConfigurationError
from warehouse.errors import NotPublished, Unreadable
from warehouse.lake.errors import LakeError

HOST = "127.0.0.1"
"""The only address of the HTTP server: it has no accounts, so no other machine may reach it."""
PORT = 8765

INSTRUCTIONS = """\
How far each CAREC member has come towards the CAREC Digital Strategy 2030, from public data, read-only.
Name vintage, source and licence (the field `about`) with every figure that you pass on. A missing value is null and has
a reason; never read it as 0. The benchmarks are the project's own choice, not the strategy's."""

METHOD = PROJECT / "docs" / "method.md"

_EXPECTED = (ConfigurationError, LakeError, NotPublished, Unreadable)


def build() -> MCPServer[Any]:
    """Return the server with its tools and resources."""
    server: MCPServer[Any] = MCPServer(
        "carec",
        title="CAREC Digital Scorecard",
        instructions=INSTRUCTIONS,
        version=version("carec-digital-scorecard"),
        log_level="WARNING",
    )
    read_only = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    for tool in TOOLS:
        server.add_tool(_as_tool(tool), annotations=read_only)
    server.resource("carec://dictionary", title="Tables of the published file", mime_type="text/markdown")(_dictionary)
    server.resource("carec://dictionary/{table}", title="Columns of a table", mime_type="text/markdown")(_table)
    server.resource("carec://method", title="How scores and verdicts are computed", mime_type="text/markdown")(_method)
    return server


def serve(port: int | None = None, announce: Callable[[str], None] = lambda message: None) -> None:
    """Serve until the client, or the operator, ends it.

    Args:
        port: Port of the HTTP server on ``HOST``; None to serve one client over standard input and output.
        announce: Called with the address of the HTTP server.

    Raises:
        ConfigurationError: The port is taken.
    """
    server = build()
    if port is None:
        server.run("stdio")
        return
    _check_free(port)
    announce(f"serving on http://{HOST}:{port}/mcp, for this machine only; Ctrl-C ends it")
    names = [f"{name}:{port}" for name in (HOST, "localhost")]
    # a page in a browser could send requests here through a name that resolves to this machine
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    server.run(
        "streamable-http",
        host=HOST,
        port=port,
        stateless_http=True,
        max_request_body_size=1 << 20,
        transport_security=security,
    )


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(
                f"port {port} of {HOST} cannot be used ({error.strerror}); name another"
            ) from error


def _as_tool(function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the function with its expected errors as answers for the client, without control characters."""

    @wraps(function)
    def tool(*args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            with newly_read():
                return function(*args, **kwargs)
        except _EXPECTED as error:
            raise ToolError(clean(str(error))) from error

    return tool


@newly_read()
def _dictionary() -> str:
    """The tables and views of the published file with their descriptions."""
    tables = {one.table: one.meaning_of_table for one in _described()}
    lines = [f"* `{name}`: {meaning}" for name, meaning in tables.items()]
    return "\n".join(["# Tables", "", imprint(), "", *lines, ""])


@newly_read()
def _table(table: str) -> str:
    """The columns of a table or view of the published file with their descriptions."""
    columns = [one for one in _described() if one.table == table]
    if not columns:
        raise ResourceNotFoundError(f"there is no table {clean(table)!r}; carec://dictionary lists all")
    lines = [f"* `{one.column}` ({one.kind}): {one.meaning}" for one in columns]
    return "\n".join([f"# {table}", "", imprint(), "", *lines, ""])


def _method() -> str:
    """The rules by which scores, statuses and verdicts are computed."""
    return METHOD.read_text(encoding="utf-8")


def _described() -> list[Described]:
    try:
        return described()
    except _EXPECTED as error:
        raise ResourceError(clean(str(error))) from error
