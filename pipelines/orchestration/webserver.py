"""Dagster's pages for this warehouse.

Belongs here: what has to stand before ``dagster dev`` starts, and starting it. Does not belong here: definitions.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from pipelines.cli.tables import console
from pipelines.dbt import runner as models
from pipelines.orchestration.instance import prepare_home
from pipelines.settings import PROJECT
from pipelines.workspace import open_workspace
from sources.errors import ConfigurationError

HOST = "127.0.0.1"


def serve(port: int) -> NoReturn:
    """Serve the pages on this machine until interrupted. This process becomes ``dagster dev``: exit 0 on an interrupt.

    Raises ConfigurationError where the port is taken or the project cannot be read.
    """
    _check_free(port)
    workspace = open_workspace()
    prepare_home(workspace.layout)
    models.manifest(workspace)
    console(stderr=True).print(f"Dagster: http://{HOST}:{port} (stop with Ctrl-C)", markup=False, soft_wrap=True)
    workspace_file = str(PROJECT / "workspace.yaml")
    os.execve(
        sys.executable,
        [sys.executable, "-m", "dagster", "dev", "-w", workspace_file, "-h", HOST, "-p", str(port)],
        {
            **os.environ,
            "CAREC_WAREHOUSE": str(workspace.layout.root),
            # dagster and dbt start programs of this environment by name
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        },
    )


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(f"port {port}: {error.strerror}; name another: carec ui --port") from error
