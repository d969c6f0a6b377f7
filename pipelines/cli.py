"""The command line ``carec``.

Belongs here: commands, options, exit codes, what a person reads. Does not belong here: work; every command calls the
function that does it. Heavy modules are imported by the command that needs them.

Exit codes: 0 done; 1 not published, or nothing published to read; 2 usage or configuration.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.output import Format, console

if TYPE_CHECKING:
    from pipelines.refresh import Refresh

app = typer.Typer(
    name="carec",
    help="How far each CAREC member has come towards the CAREC Digital Strategy 2030, from public data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a usage error is a line, not a box that wraps it
)
archive_app = typer.Typer(help="The bundled last-known-good figures.", no_args_is_help=True)
app.add_typer(archive_app, name="archive")

FormatOption = Annotated[Format, typer.Option("--format", help="How to print: table, json or csv.")]


def main() -> None:
    """Entry point: every error that a person can act on is one line on standard error and an exit code."""
    from sources.errors import ConfigurationError
    from warehouse.files import Busy
    from warehouse.publish import NotPublished

    try:
        app()
    except ConfigurationError as error:
        _fail(str(error), 2)
    except Busy as error:
        _fail(f"another refresh of this warehouse is running ({error}); wait for it, then try again", 1)
    except NotPublished as error:
        _fail(f"not published: {error}", 1)
    except KeyboardInterrupt:
        _fail("interrupted; the previous publication is untouched", 130)


def _fail(message: str, code: int) -> NoReturn:
    console(stderr=True).print(f"carec: {message}", markup=False, soft_wrap=True)
    sys.exit(code)


def _note(message: str) -> None:
    console(stderr=True).print(message, markup=False, soft_wrap=True)


def _silence(step: str) -> None:
    """Progress that nobody sees."""


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A moving line on a terminal, silence in a pipe."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield _silence
        return
    with out.status("starting") as status:
        yield status.update


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2025-06-26") from None


@app.command()
def refresh(
    more: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Further indicators of --only.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="ID", help="Refresh only this indicator.")] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Score what was known on that day (YYYY-MM-DD).")
    ] = None,
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Take a series although it lost country-years.")
    ] = False,
) -> None:
    """Fetch, validate, build, check and publish."""
    from pipelines.record import record
    from pipelines.refresh import BuildFailed
    from pipelines.refresh import refresh as run
    from pipelines.settings import unknown_settings
    from pipelines.workspace import open_workspace
    from sources.observation import utc_now

    day, started = _day(as_of), utc_now()
    if more and not only:
        raise typer.BadParameter(f"indicators are named with --only: carec refresh --only {' '.join(more)}")
    workspace = open_workspace()
    for name in unknown_settings(workspace.catalogue):
        _note(f"{name} is set but nothing reads it; is it misspelt?")
    with _progress() as progress:
        try:
            result = run(
                workspace,
                offline=offline,
                only=[*(only or []), *(more or [])],
                as_of=day,
                accept_shrink=accept_shrink,
                progress=progress,
            )
        except BuildFailed as failure:
            record(workspace, failure, started, _note)
            raise
        record(workspace, result, started, _note)
    _tell(result, workspace.layout.published)


def _tell(result: Refresh, path: Path) -> None:
    """What a refresh did, in a few lines on standard error."""
    from collections import Counter

    from sources.chain import NO_ADAPTER
    from sources.provider import Outcome
    from warehouse.landing import Landing

    ingestion = result.ingestion
    if ingestion.unreachable:
        hosts = ", ".join(sorted(ingestion.unreachable))
        _note(f"no network to {hosts}: the last good figures stand in (carec sources says which)")
    known = {*ingestion.unreachable.values(), NO_ADAPTER}
    failures: Counter[str] = Counter()
    for one in ingestion.results:
        landed = one.landed
        for attempt in one.asked:
            code = f" {attempt.provider_code}" if attempt.outcome is Outcome.UNKNOWN_ID else ""
            if attempt.outcome in (Outcome.UNAVAILABLE, Outcome.UNKNOWN_ID) and attempt.reason not in known:
                failures[f"{attempt.provider}{code}: {attempt.reason}"] += 1
        if landed.status is Landing.HELD_BACK:
            _note(f"{one.indicator.id}: held back: {landed.reason}")
        elif landed.revised or landed.added or landed.withdrawn:
            _note(
                f"{one.indicator.id}: {landed.revised} revised, {landed.added} added, {landed.withdrawn} withdrawn"
                f" country-years from {one.provider_used}"
            )
        if one.rejected:
            _note(f"{one.indicator.id}: {one.rejected} records rejected (see the table rejects)")
    for failure, count in failures.items():
        _note(
            f"{failure} ({count} indicator{'s' if count > 1 else ''}; the next in the chain or the last vintage stands)"
        )
    publication = result.publication
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    if result.build is None:
        _note(f"nothing changed: the publication of {publication.published_at:%Y-%m-%d %H:%M} UTC stands ({path})")
    else:
        _note(f"published {publication.observations:,} observations, newest vintage {newest}, to {path}")


@app.command()
def scorecard(
    country: Annotated[str | None, typer.Argument(help="A member's ISO3 code.")] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """The table of members, or one country's page."""
    from pipelines import pages

    if country is None:
        pages.members(fmt)
    else:
        pages.country(country.upper(), fmt)


@app.command()
def indicators(fmt: FormatOption = Format.TABLE) -> None:
    """The catalogue: what is measured, in which unit, for which pillar, from whom."""
    from pipelines import pages

    pages.catalogue(fmt)


@app.command()
def sources(fmt: FormatOption = Format.TABLE) -> None:
    """What answered at the last refresh, what was carried forward, and why."""
    from pipelines import pages

    pages.sources(fmt)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in DuckDB's dialect.")],
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Read-only query on the published file."""
    from pipelines import pages

    pages.query(sql, fmt)


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000) -> None:
    """Dagster's web page: lineage, runs, checks."""
    from pipelines.ui import serve

    serve(port)


@archive_app.command("record")
def archive_record(
    directory: Annotated[Path | None, typer.Argument(help="Where to write; the bundled archive by default.")] = None,
) -> None:
    """Write the archive anew from the figures landed in the warehouse, after a live run."""
    from pipelines.archiving import record_archive
    from pipelines.workspace import open_workspace

    written = record_archive(open_workspace(), directory)
    _note(f"wrote {written.series} series with {written.rows:,} figures to {written.directory}")


if __name__ == "__main__":
    main()
