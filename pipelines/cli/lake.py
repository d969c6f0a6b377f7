"""The commands ``lake init``, ``status``, ``sync``, ``poll``, ``vacuum``, ``connect`` and ``grant``.

Belongs here: their options and lines. Does not belong here: the lake itself (``warehouse.lake``).
"""

from __future__ import annotations

from pathlib import Path

import click

from pipelines import polling
from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, home_path, note, progress_line
from pipelines.lake import chosen_lake, publish_to_lake
from pipelines.notifications import Message, post
from pipelines.settings import load_settings
from pipelines.workspace import open_workspace
from sources.errors import ConfigurationError
from sources.observation import utc_now
from warehouse.lake import comparison, landing, maintenance, reading, rights
from warehouse.lake.connection import Lake, attached, make
from warehouse.layout import Layout
from warehouse.publish import published
from warehouse.recovery import holding


class InOrder(click.Group):
    """A group whose help has the commands in the order of this module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.commands)


@click.group(cls=InOrder, no_args_is_help=True)
def lake() -> None:
    """The lake of several machines (CAREC_LAKE): set up, check, fill, tidy, and let others read."""


@lake.command()
def init() -> None:
    """Make the catalogue in PostgreSQL and choose the place of the Parquet files. Does nothing to an existing lake."""
    chosen = _lake()
    make(chosen)
    note(f"the lake {chosen.shown} is ready, its data are in {chosen.data}")


@lake.command()
@format_option
def status(fmt: Format) -> None:
    """Check PostgreSQL, clock, rights, versions, data and the newest publication. Exit 1 if one of them fails."""
    findings = list(maintenance.examine(_lake()))
    rows = [(check, "ok" if passed else "attention", finding) for check, passed, finding in findings]
    show(["check", "status", "finding"], rows, fmt)
    if not all(passed for _, passed, _ in findings):
        raise click.exceptions.Exit(1)


@lake.command()
@click.option("--down", is_flag=True, help="From the lake to the warehouse.")
@click.option("--publication", metavar="ID", help="With --down: fetch this publication.")
def sync(down: bool, publication: str | None) -> None:
    """Carry landed files, raw bodies and the publication to the lake; with --down, from the lake to the warehouse."""
    if publication and not down:
        raise click.BadParameter("a publication is chosen with --down: carec lake sync --down --publication ID")
    chosen, settings = _lake(), load_settings()
    layout = Layout(settings.warehouse)
    with holding(layout):
        if not down:
            present = publish_to_lake(settings, layout, note)
            assert present is not None
            note(f"the lake's newest publication is of {present.published_at} UTC, {present.changed:,} changed rows")
            record = published(layout)
            if record is None or record.published_at.isoformat() != present.published_at:
                note("it is later than that of this warehouse, which stays here: `carec lake sync --down` fetches it")
                return
            _print_comparison(comparison.compare(chosen, layout, present.snapshot))
            return
        with attached(chosen, read_only=True) as connection:
            written = landing.pull(connection, chosen, layout)
        now = reading.fetch_publication(chosen, layout, settings.keep_publications, publication)
    note(f"fetched {', '.join(f'{count} files of {kind}' for kind, count in written.items())}")
    note(f"{layout.published} is the publication of {now.published_at} UTC, as of {now.as_of}")
    _print_comparison(comparison.compare(chosen, layout, now.snapshot))


@lake.command()
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1, help="Providers to ask; else all.")
def poll(providers: tuple[str, ...]) -> None:
    """Ask providers and land their answers in the lake; what another worker polls or has just polled is left to it.

    Exit 1 if a provider answered nothing or its answers could not be landed; the other providers are polled.
    """
    workspace, started, failed = open_workspace(), utc_now(), False
    with progress_line() as progress:
        for provider in polling.chosen_partitions(workspace.catalogue, providers or []):
            try:
                done = polling.poll(workspace, provider, started, progress)
            except polling.Taken as reason:
                note(str(reason))
            except ConfigurationError:
                raise
            except Exception as error:  # a fault with one provider must not stop the others
                note(f"{provider}: nothing landed: {type(error).__name__}: {error}")
                failed = True
            else:
                note(f"{provider}: {polling.summary(done)}")
                failed = failed or polling.failure(done) is not None
                if faults := [fault for one in done.results for fault in one.faults]:
                    post(Message.of_faults(faults), workspace.settings.webhook_url)
    if failed:
        raise click.exceptions.Exit(1)


@lake.command()
@click.option("--keep", type=click.IntRange(min=1), help="Newest publications to keep; else CAREC_KEEP_PUBLICATIONS.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@format_option
def vacuum(keep: int | None, dry_run: bool, fmt: Format) -> None:
    """Forget old publications (the newest and the first of each month stay) and remove files that none needs."""
    counts = maintenance.vacuum(_lake(), keep or load_settings().keep_publications, dry_run=dry_run)
    show(["what", "number"], list(counts.items()), fmt)


@lake.command()
@click.option("--role", default="carec_reader", help="The reader's role.")
def connect(role: str) -> None:
    """Print the lines that attach the lake for reading, for the DuckDB command line, Python and R."""
    for program, lines in rights.reader_lines(_lake(), role).items():
        click.echo(f"# {program}\n{lines}\n")


@lake.command()
@click.argument("role", default="carec_reader", help="The reader's role; it is created if there is none.")
@click.option("--password-file", type=home_path, metavar="FILE", help="File with the role's password.")
def grant(role: str, password_file: Path | None) -> None:
    """Let a PostgreSQL role read the lake and nothing else, and print the policy for its object store."""
    chosen = _lake()
    try:
        password = password_file.read_text(encoding="utf-8").strip() if password_file else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{password_file}: {error}") from error
    is_new = rights.grant_reading(chosen, role, password)
    note(f"{role} {'was created and ' if is_new else ''}may read the lake {chosen.shown}")
    if policy := rights.store_policy(chosen):
        note("the policy for its key of the object store:")
        click.echo(policy)


def _print_comparison(equal: comparison.Equal) -> None:
    note(
        f"compared cell by cell, without a difference: {equal.rows:,} rows of {equal.tables} published tables,"
        f" {equal.landed:,} landed rows"
    )


def _lake() -> Lake:
    chosen = chosen_lake(load_settings())
    if chosen is None:
        raise ConfigurationError(
            "CAREC_LAKE is not set: the address of the catalogue, such as postgresql://user@host:5432/database"
        )
    return chosen
