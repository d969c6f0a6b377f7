"""What commands share: messages on standard error, progress, options, and writing a document.

Belongs here: what more than one command family needs. Does not belong here: tables (``tables``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click

from pipelines.cli.tables import Format, console
from sources.errors import printable

format_option = click.option(
    "--format",
    "fmt",
    type=click.Choice(Format, case_sensitive=False),
    default=Format.TABLE,
    show_default="table",
    help="How to print: table, json or csv.",
)


def home_path(text: str) -> Path:
    """Return the path of an option. ``~`` is the home of the user: shells leave ``--out=~/x`` as it is."""
    return Path(text).expanduser()


def note(message: str) -> None:
    """Print a message on standard error."""
    console(stderr=True).print(printable(message, lines=True), soft_wrap=True)


def write_document(path: Path, document: str) -> None:
    """Write a document and print its path on standard error."""
    from warehouse.files import write_atomically  # only the commands that write need it

    write_atomically(path, document.encode())
    note(f"wrote {path}")


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a step and the elapsed time on a moving line; in a pipe it prints nothing."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield lambda step: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("starting")
        yield lambda step: progress.update(task, description=printable(step))


def parse_day(text: str | None) -> date | None:
    """Return the day of an option such as ``--as-of``; None if the option is missing.

    Raises:
        click.BadParameter: The text is not a date like 2025-06-26.
    """
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date like 2025-06-26") from None
