"""Dagster's web pages for this warehouse.

Belongs here: preparing and starting ``dagster dev``. Does not belong here: definitions, printing.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from pipelines.dbt import runner
from pipelines.orchestration.instance import prepare_home
from pipelines.settings import PROJECT
from pipelines.workspace import open_workspace
from sources.errors import ConfigurationError

HOST = "127.0.0.1"
SUPERSEDED = "Function `dev_command` is superseded"
"""The beginning of the only warning of ``dagster dev``."""


def serve(port: int, note: Callable[[str], None]) -> NoReturn:
    """Serve the pages on this machine. This process becomes ``dagster dev``, which exits with 0 on an interrupt.

    Args:
        port: Port on 127.0.0.1.
        note: Called with one line that has the address.

    Raises:
        ConfigurationError: The port is in use, the path of the temporary folder is too long, or the project
            cannot be read.
    """
    _check_free(port)
    check_temporary_folder()
    workspace = open_workspace()
    prepare_home(workspace.layout)
    runner.manifest(workspace)
    note(f"Dagster: http://{HOST}:{port} (stop with Ctrl-C)")
    workspace_file = str(PROJECT / "workspace.yaml")
    os.execve(
        sys.executable,
        [sys.executable, "-m", "dagster", "dev", "-w", workspace_file, "-h", HOST, "-p", str(port)],
        {
            **os.environ,
            "CAREC_WAREHOUSE": str(workspace.layout.root),
            # about the command itself; `dg dev`, which it recommends, belongs to the development tools
            "PYTHONWARNINGS": ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), f"ignore:{SUPERSEDED}"])),
            # dagster starts programs of this environment by name
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        },
    )


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigurationError(f"port {port}: {error.strerror}; choose another with carec ui --port") from error


def check_temporary_folder() -> None:
    """Raise ConfigurationError if the path of the temporary folder is too long: Dagster opens sockets in it."""
    if sys.platform == "win32":  # Dagster uses ports there
        return
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(f"{folder}/s")
        except OSError as error:
            raise ConfigurationError(
                f"TMPDIR={tempfile.gettempdir()}: {error}; set TMPDIR to a shorter path, such as /tmp"
            ) from error
