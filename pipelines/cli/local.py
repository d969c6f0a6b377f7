"""The command ``local check``: what a refresh would take from a file of the operator.

Belongs here: the table that it prints, and its exit codes. Does not belong here: the findings
(``sources.checks.local_files``).
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import click

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, home_path, note
from pipelines.ingestion import FIRST_YEAR
from pipelines.settings import DBT_PROJECT, load_settings
from pipelines.workspace import load_areas
from sources.catalogue import load_catalogue
from sources.checks.local_files import LocalStatus, check_file
from sources.errors import ConfigurationError
from sources.observation import utc_now
from sources.provider import Window
from sources.providers.local_file import SUFFIXES
from warehouse.layout import Layout

COLUMNS = ("place", "status", "indicator_id", "iso3", "year", "value", "finding")


@click.group(no_args_is_help=True)
def local() -> None:
    """Your own tables, before a refresh reads them."""


@local.command()
@click.argument("file", metavar="FILE", help="A table, its header, or its name in the local folder.")
@format_option
def check(file: str, fmt: Format) -> None:
    """Print what a refresh would take from a table: accepted and rejected figures, and what is doubtful.

    Each line names the line of the CSV or the cell of the workbook. Nothing is landed. FILE is a path, or the name of a
    file in the local folder. Exit code 0: everything would be accepted, or is doubtful at most; 1: a figure would be
    rejected, or the file refused; 2: there is no such file.
    """
    now = utc_now()
    findings = check_file(_path(file), load_catalogue(), load_areas(DBT_PROJECT), Window(FIRST_YEAR, now.year))
    show(COLUMNS, list(map(attrgetter(*COLUMNS), findings)), fmt)
    counts = {status: sum(finding.status is status for finding in findings) for status in LocalStatus}
    note(", ".join(f"{count} {status}" for status, count in counts.items()))
    if counts[LocalStatus.REJECTED] or counts[LocalStatus.REFUSED]:
        raise click.exceptions.Exit(1)


def _path(file: str) -> Path:
    """Return the path of a file: as given, else in the local folder. Raise ConfigurationError if there is none."""
    given = home_path(file)
    if given.is_file():
        return given
    settings = load_settings()
    folder = settings.local_files or Layout(settings.warehouse).local_files
    names = [file] if given.suffix else [f"{file}{suffix}" for suffix in SUFFIXES]
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        raise ConfigurationError(f"{file}: there is no such file, here or in {folder}")
    return found[0]
