"""The command ``replay``; ``pipelines.replay`` lands the runs again."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.terminal import home_path, note, progress_line
from pipelines.replay import replay as run
from pipelines.workspace import open_workspace


@click.command()
@click.option("--into", type=home_path, metavar="DIR", help="Keep the copy as a new warehouse.")
@click.option("--write", is_flag=True, help="Replace the landing with the copy.")
def replay(into: Path | None, write: bool) -> None:
    """Land every recorded run again, without a network, and compare with the landing: exit 1 if they differ."""
    if into and write:
        raise click.BadParameter(
            "--into keeps the copy in a new warehouse, --write replaces the landing with it: choose one"
        )
    with progress_line() as progress:
        result = run(open_workspace(), into, write=write, progress=progress)
    for line in (*result.notes, *result.differences):
        note(line)
    same = "identical" if not result.differences else f"{len(result.differences)} differences"
    note(f"replayed {result.runs} runs into {result.files} files: {same}")
    if result.differences and not write:
        raise click.exceptions.Exit(1)
