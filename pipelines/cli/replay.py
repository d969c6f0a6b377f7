"""The command ``replay``; ``pipelines.replay`` lands the runs again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import command_app, home_path, note, progress_line
from pipelines.replay import replay as run
from pipelines.workspace import open_workspace

app = command_app()


@app.command()
def replay(
    into: Annotated[
        Path | None, typer.Option("--into", parser=home_path, metavar="DIR", help="Keep the copy as a new warehouse.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Replace the landing with the copy.")] = False,
) -> None:
    """Land every recorded run again, without a network, and compare with the landing: exit 1 if they differ."""
    if into and write:
        raise typer.BadParameter(
            "--into keeps the copy in a new warehouse, --write replaces the landing with it: choose one"
        )
    with progress_line() as progress:
        result = run(open_workspace(), into, write=write, progress=progress)
    for line in (*result.notes, *result.differences):
        note(line)
    same = "identical" if not result.differences else f"{len(result.differences)} differences"
    note(f"replayed {result.runs} runs into {result.files} files: {same}")
    if result.differences and not write:
        raise typer.Exit(1)
