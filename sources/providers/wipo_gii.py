"""WIPO, Global Innovation Index: the tables of the ranking site and the workbooks of the editions.

The option ``file`` of a request names the file, ``column`` one of its columns:

``model_pageone``  the site's panel of several editions; ``code`` is that of the panel, ``column`` SCORE or RANK
``bc_results``     one file per edition, with decimal commas; ``column`` score or rank
``workbook``       one file per edition; ``name`` is the row's name, since codes change with the edition; ``column`` is
                   score or rank (of the edition) or value (of its data year, from the newest edition that has the
                   year); data before ``first_edition`` or ``first_year`` measures something else

How a file is read belongs in ``wipo_gii_files``, which editions are comparable in the catalogue's options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection, missing
from sources.observation import Areas
from sources.parsing.column_names import rename_columns
from sources.parsing.editions import (
    Edition,
    EditionFiles,
    fetch_all,
    fetch_newest,
    in_memory,
    newest_years,
    yearly_release,
)
from sources.parsing.observations import Origin, build_failed_answers, merge_fetched
from sources.parsing.responses import CSV_TYPES, UnusableResponse, get, group_requests, read_optional, url_of
from sources.parsing.workbook import XLSX_TYPES
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.inspecting import FileInspection, inspect_file
from sources.providers.wipo_gii_files import (
    PANEL,
    RANKS,
    RESULTS,
    newest_first,
    number_option,
    panel_observations,
    parse_panel,
    parse_ranks,
    parse_results,
    parse_workbook,
    results_observations,
    row_name,
    workbook_observations,
)
from sources.smoke_check import SmokeCheck, header_check

PUBLIC_BASE = "https://www.wipo.int"
SITE, WORKBOOKS = "gii-ranking/data", "edocs/pubdocs/en"
RANKS_FILE = f"{SITE}/economy_id_{{}}.csv"
PANEL_FILE = f"{SITE}/model_pageone_{{}}.csv"
RESULTS_FILE = f"{SITE}/bc_results_gii_{{}}.csv"
RECORDS = {2025: 58882}
"""Edition -> number of the record with its workbook at the provider's alternative address. Editions without a known
number are only looked for at the base address."""
FETCHED, PROBED = 4, 3
"""Number of editions looked for, from the current year down: the panel's, and those of a check for a new release."""
FIRST_RESULTS, FIRST_WORKBOOK = 2023, 2021


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; each file is requested once. See ``sources.provider.Adapter``."""
    fetch_file = {"model_pageone": _panel, "bc_results": _results, "workbook": _workbooks}
    parts: list[Fetched] = []
    for file, own in group_requests(requests, _file).items():
        if file in fetch_file:
            parts.append(fetch_file[file](own, provider, areas, window, http))
        else:
            error = UnusableResponse(f"WIPO has no file called {file}", Outcome.UNKNOWN_ID)
            parts.append(build_failed_answers(own, error, lambda _: Origin(PUBLIC_BASE), [], provider))
    return merge_fetched(parts)


def _file(request: SeriesRequest) -> str:
    return str(request.option("file"))


def _panel(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    official, bodies = _official_ranks(provider, window, http)
    files = _panel_files(official, areas, window)
    return merge_fetched([fetch_newest(requests, files, provider, window, http), Fetched({}, bodies)])


def _official_ranks(provider: Provider, window: Window, http: Http) -> tuple[pl.DataFrame, list[RawBody]]:
    """Return WIPO's own ranks from the newest list that can be read, and the bodies of all lists requested."""
    bodies: list[RawBody] = []
    for edition in newest_years(window.last_year, FETCHED):
        reply = get(http, provider, RANKS_FILE.format(edition), accept=CSV_TYPES)
        ranks, received = read_optional(reply, parse_ranks, provider)
        bodies += received
        if ranks is not None:
            return ranks, bodies
    return RANKS, bodies


def _results(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    return fetch_all(requests, _results_files(areas, window), provider, window, http)


def _workbooks(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    files = _workbook_files(requests, provider, areas, window)

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        first = number_option(request, "first_edition")
        comparable = {edition: part for edition, part in editions.items() if edition >= first}
        if not comparable:
            raise UnusableResponse(f"there is no edition from {first} on, the newest is of {max(editions)}")
        return newest_first(
            [files.observations(rows, request, edition, sha256) for edition, (rows, sha256) in comparable.items()]
        )

    return fetch_all(requests, files, provider, window, http, read)


def _panel_files(official: pl.DataFrame, areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        {edition: PANEL_FILE.format(edition) for edition in newest_years(window.last_year, FETCHED)},
        CSV_TYPES,
        "GII",
        in_memory(parse_panel),
        lambda rows, request, _, sha256: panel_observations(rows, official, request, sha256, areas, window),
    )


def _results_files(areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        {edition: RESULTS_FILE.format(edition) for edition in range(window.last_year, FIRST_RESULTS - 1, -1)},
        CSV_TYPES,
        "GII",
        in_memory(parse_results),
        lambda rows, request, edition, sha256: results_observations(rows, request, edition, sha256, areas, window),
    )


def _workbook_files(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window
) -> EditionFiles:
    first = min(number_option(request, "first_edition") or FIRST_WORKBOOK for request in requests)
    editions = range(window.last_year, first - 1, -1)
    return EditionFiles(
        PUBLIC_BASE,
        {edition: f"{WORKBOOKS}/{_workbook_name(edition)}" for edition in editions},
        XLSX_TYPES,
        "GII",
        in_memory(parse_workbook),
        lambda rows, request, edition, sha256: workbook_observations(rows, request, edition, sha256, areas, window),
        {edition: [_alternative_address(edition, provider)] for edition in editions},
    )


def _workbook_name(edition: int) -> str:
    return "wipo_pub_2000-tech1.xlsx" if edition == 2021 else f"wipo-pub-2000-{edition}-tech1.xlsx"


def _alternative_address(edition: int, provider: Provider) -> str:
    """Return the address of a workbook under its newer name: in its record if that is known, else in the old folder."""
    folder = url_of(provider, WORKBOOKS)
    if edition in RECORDS:
        records = str(provider.alternative_url or provider.base_url).rstrip("/")
        folder = f"{records}/record/{RECORDS[edition]}/files"
    return f"{folder}/wipo-pub-2000-{edition}-gii-tech1.xlsx"


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Return what the first bytes of the newest file show about every series. See ``sources.inspection.Inspects``."""
    kinds: dict[str, Callable[[Sequence[SeriesRequest]], tuple[EditionFiles, FileInspection]]] = {
        "model_pageone": lambda _: (
            _panel_files(RANKS, areas, window),
            FileInspection(
                codes=lambda rows: set(rows["CODE"].drop_nulls()), head=lambda rows: rename_columns(rows, PANEL)
            ),
        ),
        "bc_results": lambda own: (
            _results_files(areas, window),
            FileInspection(
                codes=lambda _: {
                    request.code for request in own
                },  # the file has only the overall index, without a code
                head=lambda rows: rename_columns(rows, RESULTS),
            ),
        ),
        "workbook": lambda own: (
            _workbook_files(own, provider, areas, window),
            FileInspection(
                codes=lambda rows: set(rows["name"].drop_nulls()),
                named=lambda request, _: row_name(request),
                dated_by_edition=lambda request: request.option("column") != "value",
            ),
        ),
    }
    results: dict[SeriesRequest, Inspection] = {}
    for file, own in group_requests(requests, _file).items():
        if file in kinds:
            results |= inspect_file(own, *kinds[file](own), provider, http)
        else:
            results |= dict.fromkeys(own, missing(file, "WIPO's site", kinds))
    return results


release = yearly_release(RANKS_FILE, PROBED)


def smoke_checks(year: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider; the edition of the current year may not be out yet."""
    last = year - 1
    return [
        SmokeCheck(
            f"the ranks of {last}",
            RANKS_FILE.format(last),
            lambda reply: f"{parse_ranks(reply.content).height} ranks",
            accept=CSV_TYPES,
        ),
        header_check(f"the head of model_pageone_{last}", PANEL_FILE.format(last), list(PANEL)),
        header_check(f"the head of bc_results_gii_{last}", RESULTS_FILE.format(last), list(RESULTS)),
        header_check(
            f"whether the edition of {year} is there", PANEL_FILE.format(year), list(PANEL), may_be_absent=True
        ),
    ]
