"""The command line ``carec``.

Belongs here: commands, options, exit codes, what a person reads. Does not belong here: work; every command calls the
function that does it. Heavy modules are imported by the command that needs them.

Exit codes: 0 done; 1 not published, or nothing published to read; 2 usage or configuration.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.cli.tables import Format, console, replace_unencodable

if TYPE_CHECKING:
    from pipelines.ingestion import Ingestion
    from pipelines.refresh import Refresh
    from pipelines.revisions import Revisions

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
benchmarks_app = typer.Typer(help="The goalposts and targets behind the scores.", no_args_is_help=True)
app.add_typer(benchmarks_app, name="benchmarks")

sources_app = typer.Typer(help="What answered at the last refresh, what was carried forward, and why.")
app.add_typer(sources_app, name="sources")
raw_app = typer.Typer(help="The bytes that providers sent, by their sha256.", no_args_is_help=True)
app.add_typer(raw_app, name="raw")

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""What an operator mends: a full disk, a quota, a read-only disk, missing rights."""

FormatOption = Annotated[Format, typer.Option("--format", help="How to print: table, json or csv.")]


def run() -> None:
    """Entry point: every error that a person can act on is one line on standard error and an exit code."""
    from sources.errors import ConfigurationError
    from warehouse.files import Busy
    from warehouse.reading import NotPublished, Unreadable

    replace_unencodable()
    try:
        app()
    except ConfigurationError as error:
        _fail(str(error), 2)
    except Busy as error:
        _fail(f"another refresh of this warehouse is running ({error}); wait for it, then try again", 1)
    except NotPublished as error:
        _fail(f"not published: {error}", 1)
    except Unreadable as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted; the previous publication is untouched", 130)
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # how DuckDB tells of Ctrl-C
            _fail("interrupted; the previous publication is untouched", 130)
        # every library has a type of its own for a full disk, the words of the system are in all of them
        if getattr(error, "errno", None) in DISK_FAULTS or os.strerror(errno.ENOSPC) in str(error):
            _fail(f"{error}; the previous publication is untouched. `carec doctor` says what is full or closed", 1)
        if not isinstance(error, OSError) or error.strerror is None:  # not of the operating system: a fault of ours
            raise
        _fail(": ".join(str(part) for part in (error.filename, error.strerror) if part is not None), 1)


def _fail(message: str, code: int) -> NoReturn:
    console(stderr=True).print(f"carec: {message}", markup=False, soft_wrap=True)
    sys.exit(code)


def _note(message: str) -> None:
    console(stderr=True).print(message, markup=False, soft_wrap=True)


def _write(path: Path, document: str) -> None:
    from warehouse.files import write_atomically

    write_atomically(path, document.encode())
    _note(f"wrote {path}")


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
    from pipelines.cli.claims import verdict_changes
    from pipelines.notifications import Notice, post
    from pipelines.record import record
    from pipelines.refresh import BuildFailed
    from pipelines.refresh import refresh as run
    from pipelines.revisions import revisions_since
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
            told = Notice("not_published", "not published; the previous publication stands", str(failure).splitlines())
            post(told, workspace.settings.webhook_url)
            raise
        record(workspace, result, started, _note)
    published = workspace.layout.published
    revised = revisions_since(published, result.previous.newest_vintage if result.previous else None)
    _tell(result, published, revised)
    if result.build is None:
        return
    if revised.total.notable:
        post(Notice.of_revisions(revised), workspace.settings.webhook_url)
    if changes := verdict_changes(published, result.publication.published_at):
        for change in changes:
            _note(f"verdict changed: {change}")
        post(Notice.of_verdicts(changes), workspace.settings.webhook_url)


def _tell(result: Refresh, path: Path, revised: Revisions) -> None:
    """Prints what a refresh did, in a few lines on standard error."""
    from pipelines.cli.claims import not_known

    _tell_sources(result.ingestion, revised)
    publication = result.publication
    newest = f"{publication.newest_vintage:%Y-%m-%d}" if publication.newest_vintage else "none"
    if result.build is None:
        _note(f"nothing changed: the publication of {publication.published_at:%Y-%m-%d %H:%M} UTC stands ({path})")
    else:
        for node in (node for node in result.build.nodes if node.status == "warn"):
            _note(f"warning: {node.unique_id.split('.')[2]}: {node.message} (its page in `carec ui` has the rows)")
        _note(f"published {publication.observations:,} observations, newest vintage {newest}, to {path}")
        for line in not_known():
            _note(line)


def _tell_sources(ingestion: Ingestion, revised: Revisions) -> None:
    from collections import Counter

    from sources.chain import NO_ADAPTER
    from sources.mirrors import STALE_MIRROR
    from sources.provider import Outcome
    from warehouse.landing import Landing

    if ingestion.unreachable:
        hosts = ", ".join(sorted(ingestion.unreachable))
        _note(f"no network to {hosts}: the last good figures stand in (carec sources says which)")
    told = (*ingestion.unreachable.values(), NO_ADAPTER)
    faults = (Outcome.UNKNOWN_ID, Outcome.BLOCKED, Outcome.UNAVAILABLE)
    failures: Counter[str] = Counter()
    for one in ingestion.results:
        landed = one.landed
        for attempt in one.asked:
            code = f" {attempt.provider_code}" if attempt.outcome is Outcome.UNKNOWN_ID else ""
            # an edition's name may stand before the reason that its host has
            if attempt.outcome in faults and not str(attempt.reason).endswith(told):
                failures[f"{attempt.provider}{code}: {attempt.reason}"] += 1
        if landed.status is Landing.HELD_BACK:
            _note(f"{one.indicator.id}: held back: {landed.reason}")
        elif one.stale_reason and one.stale_reason.startswith(STALE_MIRROR):
            _note(f"{one.indicator.id}: {one.stale_reason}")
        elif one.indicator.id in revised.by_indicator:
            _note(f"{one.indicator.id}: {revised.by_indicator[one.indicator.id].text} from {one.provider_used}")
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
    _note(f"revisions: {revised.total.text} in {len(revised.by_indicator)} of {len(ingestion.results)} indicators")


@app.command()
def scorecard(
    country: Annotated[str | None, typer.Argument(help="A member's ISO3 code.")] = None,
    target_set: Annotated[
        str, typer.Option("--target-set", metavar="NAME", help="Show another set of targets; it enters no score.")
    ] = "main",
    fmt: FormatOption = Format.TABLE,
) -> None:
    """The table of members, or one country's page."""
    iso3 = None if country is None else country.upper()
    if target_set != "main":
        from pipelines.cli import explain as scoring_pages

        scoring_pages.target_set(target_set, iso3, fmt)
        return
    from pipelines.cli import scorecard as scorecard_pages

    if iso3 is None:
        scorecard_pages.members(fmt)
    else:
        scorecard_pages.country(iso3, fmt)


@app.command()
def explain(
    country: Annotated[str, typer.Argument(help="An ISO3 code.")],
    subject: Annotated[str | None, typer.Argument(help="An indicator or a pillar; else the overall score.")] = None,
    framework: Annotated[str, typer.Option("--framework", metavar="ID", help="The framework.")] = "carec_2030",
    fmt: FormatOption = Format.TABLE,
) -> None:
    """How a score comes about, line by line, with sources."""
    from pipelines.cli import explain as scoring_pages

    scoring_pages.explain(country.upper(), subject, framework, fmt)


@app.command()
def indicators(fmt: FormatOption = Format.TABLE) -> None:
    """The catalogue: what is measured, in which unit, for which pillar, from whom."""
    from pipelines.cli import sources_and_query as pages

    pages.catalogue(fmt)


@sources_app.callback(invoke_without_command=True)
def sources(context: typer.Context, fmt: FormatOption = Format.TABLE) -> None:
    """What answered at the last refresh, what was carried forward, and why."""
    from pipelines.cli import sources_and_query as pages

    if context.invoked_subcommand is None:
        pages.sources(fmt)


@sources_app.command("check")
def sources_check(
    provider: Annotated[
        list[str] | None, typer.Option("--provider", metavar="ID", help="Ask only this provider.")
    ] = None,
    indicator: Annotated[
        list[str] | None, typer.Option("--indicator", metavar="ID", help="Check only the links of this indicator.")
    ] = None,
    editions: Annotated[
        bool, typer.Option("--editions", help="Only which editions are held and could be out; asks no provider.")
    ] = False,
    contracts: Annotated[
        bool, typer.Option("--contracts", help="Ask whether the services keep their contract, instead of the links.")
    ] = False,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Check every link of the catalogue at its provider: code, rows, unit, size of the file, newest edition.

    The status of a link is ok, "newer edition: YEAR", gone, renamed? (with the nearest code), no rows, unit differs,
    too large, blocked, unreachable, unreadable, no file (local or archived) or no check. Exit code 1 where a link of an
    indicator of the framework carec_2030 has any other status than ok, newer edition, no file or no check.

    JSON and CSV have one record per link. The table is followed by the edition watch; --editions prints the watch
    alone, in every format.
    """
    from pipelines import source_checks as checks
    from pipelines.workspace import open_workspace
    from sources.observation import utc_now

    if contracts:
        if editions or indicator:
            raise typer.BadParameter("--contracts asks providers about their service: choose them with --provider")
        _check_contracts(provider or [], fmt)
        return
    workspace = open_workspace()
    if editions:
        if provider or indicator:
            raise typer.BadParameter("--editions prints every index: it takes neither --provider nor --indicator")
        checks.print_editions(checks.watch_editions(workspace, utc_now().date()), fmt)
        return
    with _progress() as progress:
        findings = checks.check_links(workspace, provider or [], indicator or [], progress)
    checks.print_links(findings, fmt)
    if fmt is Format.TABLE and not (provider or indicator):
        print()
        checks.print_editions(checks.watch_editions(workspace, utc_now().date()), fmt)
    _note(checks.closing_line(findings))
    if any(finding.broken for finding in findings):
        raise typer.Exit(1)


def _check_contracts(providers: list[str], fmt: Format) -> None:
    """Where the answers of services differ from what the adapters expect."""
    from pipelines.cli import sources_and_query as pages

    with _progress() as progress:
        findings = pages.probe(providers, progress)
    pages.probes(findings, fmt)


@app.command()
def claims(
    claim_id: Annotated[str | None, typer.Argument(help="One claim in full.")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="Only claims with this verdict.")] = None,
    pillar: Annotated[str | None, typer.Option("--pillar", help="Only claims of this pillar or section.")] = None,
    country: Annotated[
        str | None, typer.Option("--country", metavar="ISO3", help="Only claims on this member.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write-docs", metavar="FILE", help="Write the audit as a document (docs/claims.md)."),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """What public data say to the mid-term review's claims: one verdict a claim, with its evidence."""
    from pipelines.cli import claims as pages

    if write is not None:
        from pipelines.report.claims_document import document

        _write(write, document())
    elif claim_id is None:
        pages.audit(fmt, verdict, pillar, country)
    elif verdict or pillar or country:
        raise typer.BadParameter("one claim is asked for in full; --verdict, --pillar and --country choose among all")
    else:
        pages.claim(claim_id, fmt)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement, in DuckDB's dialect.")],
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Read-only query on the published file."""
    from pipelines.cli import sources_and_query as pages

    pages.query(sql, fmt)


@app.command()
def queries(
    name: Annotated[str | None, typer.Argument(help="Run this question.")] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write-docs", metavar="FILE", help="Write all with their results (docs/queries.md)."),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Worked questions for analysts: the list, or the result of one."""
    from pipelines.cli import queries as questions

    if write is not None:
        _write(write, questions.document())
    else:
        questions.page(name, fmt)


@app.command()
def dictionary(
    table: Annotated[str | None, typer.Argument(help="A table of the published file.")] = None,
    write: Annotated[
        Path | None, typer.Option("--write-docs", metavar="FILE", help="Write it as a document (docs/dictionary.md).")
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """What the tables and columns of the published file mean."""
    from pipelines.cli import dictionary as pages

    if write is not None:
        from pipelines.dbt.runner import manifest
        from pipelines.workspace import open_workspace

        _write(write, pages.document(manifest(open_workspace())))
    else:
        pages.page(table, fmt)


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="PROVIDER", help="Also this provider's raw values.")
    ] = None,
    include_licence: Annotated[
        list[str] | None, typer.Option("--include-licence", metavar="LICENCE", help="Also raw values under it.")
    ] = None,
) -> None:
    """Write CSV, Parquet, a workbook and a data package; raw values whose licence is not open only if named."""
    from pipelines.cli import export as exports

    for line in exports.told(exports.run(directory, include or [], include_licence or [])):
        _note(line)


@app.command()
def diff(
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Compare with what stood on that day (YYYY-MM-DD).")
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """What the present publication changed: figures, statuses, ranks, verdicts, benchmarks."""
    from pipelines.cli import diff as changes

    changes.page(_day(since), fmt)


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where; report/index.html by default.")
    ] = None,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="en or ru.")] = "en",
) -> None:
    """Write the report: one page that needs no network."""
    from pipelines.report.page import write_report
    from pipelines.settings import load_settings
    from warehouse.layout import Layout

    layout = Layout(load_settings().warehouse)
    _note(f"wrote {write_report(layout, out or layout.report / 'index.html', language)}")


@app.command()
def briefs(
    countries: Annotated[list[str] | None, typer.Argument(metavar="ISO3", help="Members; all by default.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where; report/briefs by default.")] = None,
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="en or ru.")] = "en",
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Write HTML alone.")] = False,
) -> None:
    """Write a brief of two pages for every member, as HTML and PDF."""
    from pipelines.report.briefs import write_briefs
    from pipelines.settings import load_settings
    from warehouse.layout import Layout

    layout = Layout(load_settings().warehouse)
    folder = out or layout.report / "briefs"
    written = write_briefs(layout, folder, countries or [], language, pdf=not no_pdf, note=_note)
    _note(f"wrote {len(written)} files to {folder}")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port of the web page.")] = 3000) -> None:
    """Dagster's web page: lineage, runs, checks."""
    from pipelines.orchestration.webserver import serve

    serve(port)


@app.command()
def doctor(fmt: FormatOption = Format.TABLE) -> None:
    """Whether installation and warehouse are sound; what to do where they are not: exit 1 where something is."""
    from pipelines.cli import doctor as surgery
    from pipelines.cli.tables import show

    with _progress() as progress:
        findings = surgery.diagnose(progress)
    show(surgery.COLUMNS, [finding.row for finding in findings], fmt)
    if any(finding.remedy for finding in findings):
        raise typer.Exit(1)


@app.command()
def replay(
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Keep the copy as a warehouse of its own.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put the copy in the landing's place.")] = False,
) -> None:
    """Land every recorded run again, without a network, and compare with what is landed: exit 1 where it differs."""
    from pipelines.replay import replay as run
    from pipelines.workspace import open_workspace

    if into and write:
        raise typer.BadParameter("--into keeps the copy apart, --write puts it in the landing's place: choose one")
    with _progress() as progress:
        result = run(open_workspace(), into, write=write, progress=progress)
    for line in (*result.notes, *result.differences):
        _note(line)
    same = "identical" if not result.differences else f"{len(result.differences)} differences"
    _note(f"replayed {result.runs} runs into {result.files} files: {same}")
    if result.differences and not write:
        raise typer.Exit(1)


@raw_app.command("show")
def raw_show(sha: Annotated[str, typer.Argument(metavar="SHA", help="The sha256, or its beginning.")]) -> None:
    """A body as it was sent, on standard output; where and when it came, on standard error."""
    from pipelines.cli import raw as raw_pages

    for line in raw_pages.retrievals(sha):
        _note(line)
    sys.stdout.buffer.write(raw_pages.body(sha))


@archive_app.command("record")
def archive_record(
    directory: Annotated[Path | None, typer.Argument(help="Where to write; the bundled archive by default.")] = None,
) -> None:
    """Write the archive anew from the figures landed in the warehouse, after a live run."""
    from pipelines.bundled_archive import record_archive
    from pipelines.workspace import open_workspace

    written = record_archive(open_workspace(), directory)
    _note(f"wrote {written.series} series with {written.rows:,} figures to {written.directory}")


@benchmarks_app.command("recompute")
def benchmarks_recompute(
    write: Annotated[bool, typer.Option("--write", help="Change the seed; without it nothing is written.")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Use the vintages known on that day (YYYY-MM-DD).")
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """Compute the goalposts that come from the world's figures again and print where they differ from the seed."""
    from pipelines.cli import explain as scoring_pages

    scoring_pages.recompute_benchmarks(write, fmt, _day(as_of))
