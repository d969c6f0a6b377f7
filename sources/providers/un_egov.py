"""UN DESA, E-Government Survey: one table per survey, and one page per country.

The option ``column`` of a request is the name of a measure in the newer tables. With the option ``pages`` the country
pages of the members are read instead: they are slow and have no ranks. Spellings of countries belong in
``country_names``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import quote, unquote

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import MEMBERS, Inspection, failed, missing
from sources.observation import Areas
from sources.parsing.column_names import positions, rename_columns
from sources.parsing.country_names import iso3_of
from sources.parsing.editions import (
    EditionFiles,
    fetch_all,
    in_memory,
    require_edition,
    yearly_release,
)
from sources.parsing.observations import Origin, build_answers, build_failed_answers, merge_fetched, parse_observations
from sources.parsing.responses import CSV_TYPES, UnusableResponse, get, in_parallel, raw_body, require_content
from sources.parsing.tables import read_csv
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import FileInspection, inspect_file, inspect_observations, unreadable
from sources.smoke_check import SmokeCheck

PUBLIC_BASE = "https://publicadministration.un.org/egovkb"
DATA_CENTRE, COUNTRY_PAGE = "en-us/Data-Center", "en-us/Data/Country-Information/id"
HTML_TYPES = ("text/html",)
FILE = "EGOV_DATA_{}.csv"
PROBED = 3
"""Number of tables that a check for a new release looks for, from the current year down."""

OVERALL = "E-Government Index"
COLUMNS: dict[str, tuple[str, ...]] = {
    "E-Government Rank": ("E-Government Development Rank", "EGDI Rank", "Rank"),
    OVERALL: ("E-Government Development Index", "E-Government Development Index (EGDI)", "EGDI", "E_Index"),
    "E-Participation Index": ("E-Participation Index (EPI)", "EPI", "E_Participation"),
    "Online Service Index": ("Online Service Index (OSI)", "Online Services Index", "OSI", "Online_Service"),
    "Human Capital Index": ("Human Capital Index (HCI)", "HCI", "Human_Capital"),
    "Telecommunication Infrastructure Index": (
        "Telecommunication Infrastructure Index (TII)",
        "Telecommunications Infrastructure Index",
        "Telecommunication Infrastructure",
        "TII",
        "Tele_Infra",
    ),
}
"""Measure -> its other spellings in files."""
KEYS = {"Survey Year": ("Survey", "Year"), "Country Name": ("Country", "Country or Area", "Member State")}
LABELS = {name: "E-Government Development Index" if name == OVERALL else name for name in COLUMNS if "Index" in name}
"""Measure -> the label of its history on the country pages."""
CELL = re.compile(r"[-–<>.,\d]+$|N/?A$|NaN$|null$", re.IGNORECASE)
"""A value in a history, or a sign of a missing one."""


def surveys(window: Window) -> list[int]:
    """Return the years of surveys in the window: 2003 to 2005, 2008, and every second year from then on."""
    years = [2003, 2004, 2005, *range(2008, window.last_year + 1, 2)]
    return [year for year in years if window.first_year <= year <= window.last_year]


def parse(body: bytes, survey: int) -> pl.DataFrame:
    """Return the table of a survey: ``Survey Year``, ``Country Name`` and the file's columns, all text.

    Raises:
        UnusableResponse: If the table cannot be read, or is of another survey.
    """
    rows = rename_columns(read_csv(body), KEYS)
    stated = rows["Survey Year"].cast(pl.Int32, strict=False).mode()
    require_edition(stated[0] if stated.len() == 1 else None, survey)
    return rows


def observations_of(
    rows: pl.DataFrame, column: str, survey: int, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """Return the observations of one column of a survey, see ``parse_observations``.

    Raises:
        UnusableResponse: If there is no such column, or it repeats the overall index.
    """
    if column not in COLUMNS:
        raise UnusableResponse(f"no survey has a column {column}, only {', '.join(COLUMNS)}", Outcome.UNKNOWN_ID)
    table = rename_columns(rows, {**KEYS, OVERALL: COLUMNS[OVERALL], column: COLUMNS[column]})
    if column != OVERALL:
        _require_other_than_overall(table, column)
    name, year = pl.col("Country Name").str.strip_chars(), pl.col("Survey Year").str.strip_chars()
    fault = (
        pl.when(year != str(survey))
        .then(pl.format("a row of the survey of {} in the file of " + str(survey), "Survey Year"))
        .when(iso3_of(name).is_null())
        .then(pl.format("unknown area {}", name.fill_null("(none)")))
    )
    return parse_observations(
        table, areas, window, iso3=iso3_of(name), period=year, value=column, fault=fault, raw_sha256=raw_sha256
    )


def _require_other_than_overall(rows: pl.DataFrame, column: str) -> None:
    """Raise UnusableResponse if the column of a part repeats the overall index, an error that has been published."""
    both = rows.select(pl.col(column, OVERALL).cast(pl.Float64, strict=False)).drop_nulls()
    stated = both.filter(pl.col(OVERALL) != 0)
    if stated.height > 1 and (stated[column] == stated[OVERALL]).all():
        raise UnusableResponse(f"the column {column} repeats the {OVERALL}")


def parse_centre(body: bytes) -> pl.DataFrame:
    """Return ``iso3`` and ``page`` of the country pages that the data centre links to.

    Raises:
        UnusableResponse: If it links to no country page.
    """
    links = re.findall(r"/Data/Country-Information/id/(\d+-[^\"'/?#\s<>]+)", unescape(_markup(body)), re.IGNORECASE)
    links = [unquote(link) for link in dict.fromkeys(links)]
    pages = pl.DataFrame({"page": links}, schema={"page": pl.String}).select(
        iso3_of(pl.col("page").str.replace(r"^\d+-", "")).alias("iso3"), "page"
    )
    if pages.is_empty():
        raise UnusableResponse("the data centre links to no country page")
    return pages.drop_nulls().unique("iso3", keep="first", maintain_order=True)


def parse_page(body: bytes, label: str) -> pl.DataFrame:
    """Return one measure's history on a country page: ``period`` and ``value``, as text.

    The history is the label, a row of years, and a row of as many values with the heading "(Value)".

    Raises:
        UnusableResponse: If the page has no complete history.
    """
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", _markup(body))))
    history = re.search(rf"{re.escape(label)} ((?:(?:19|20)\d\d ){{2,}})", text)
    if history is None:
        raise UnusableResponse(f"the page has no history of the {label}")
    years = history[1].split()
    between, _, after = text[history.end() :].partition("(Value) ")
    values = after.split()[: len(years)]
    if (
        any(other in between for other in LABELS.values())
        or len(values) < len(years)
        or not all(map(CELL.match, values))
    ):
        raise UnusableResponse(f"the history of the {label} has not as many values as years")
    return pl.DataFrame({"period": years, "value": values})


def _markup(body: bytes) -> str:
    text = body.decode("utf-8-sig", errors="replace")
    if "<" not in text:
        raise UnusableResponse("no page of markup came" if text.strip() else "the body is empty")
    if not text.rstrip().endswith(">"):
        raise UnusableResponse("the page ends amid its text")
    return text


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Return the figures of every requested series; each table and each page is requested once.

    See ``sources.provider.Adapter``.
    """
    tables = [request for request in requests if not request.option("pages")]
    pages = [request for request in requests if request.option("pages")]
    parts = [fetch_all(tables, _files(areas, window), provider, window, http)] if tables else []
    parts += [_pages(pages, provider, areas, window, http)] if pages else []
    return merge_fetched(parts)


def _files(areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        {survey: FILE.format(survey) for survey in reversed(surveys(window))},
        CSV_TYPES,
        "E-Government Survey",
        in_memory(parse),
        lambda rows, request, survey, sha256: observations_of(
            rows, str(request.option("column")), survey, sha256, areas, window
        ),
    )


def _pages(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer from the pages of the members. One missing or failed page makes all answers unavailable."""
    origin, countries = Origin(f"{PUBLIC_BASE}/{DATA_CENTRE}", "country pages"), sorted(areas.members)
    centre = get(http, provider, DATA_CENTRE, accept=HTML_TYPES)
    try:
        links = dict(parse_centre(require_content(centre)).rows())
        if missing_pages := [iso3 for iso3 in countries if iso3 not in links]:
            raise UnusableResponse(f"the data centre links to no page of {', '.join(missing_pages)}")
    except UnusableResponse as error:
        return build_failed_answers(requests, error, lambda _: origin, [centre], provider)
    replies = in_parallel(provider, lambda iso3: _page(links[iso3], provider, http), countries)
    received, listed = list(replies.values()), [raw_body(centre, provider)]
    try:
        bodies = {iso3: require_content(reply) for iso3, reply in replies.items()}
    except UnusableResponse as error:
        return build_failed_answers(requests, error, lambda _: origin, received, provider, listed)

    def read(request: SeriesRequest) -> pl.DataFrame:
        column = str(request.option("column"))
        if column not in LABELS:
            raise UnusableResponse(f"the country pages have no {column}, only {', '.join(LABELS)}", Outcome.UNKNOWN_ID)
        return pl.concat(
            _page_observations(body, column, iso3, raw_body(replies[iso3], provider).sha256, areas, window)
            for iso3, body in bodies.items()
        )

    return build_answers(requests, read, lambda _: origin, received, provider, window, listed)


def _page_observations(
    body: bytes, column: str, iso3: str, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    history = parse_page(body, LABELS[column]).with_columns(iso3=pl.lit(iso3))
    return parse_observations(history, areas, window, raw_sha256=raw_sha256)


def _page(page: str, provider: Provider, http: Http) -> Reply:
    return get(http, provider, f"{COUNTRY_PAGE}/{quote(page, safe='')}", accept=HTML_TYPES)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the newest table and the page of one member. See ``sources.inspection.Inspects``."""
    inspection = FileInspection(
        codes=lambda rows: positions(rows.columns, COLUMNS).keys(),
        named=lambda request, _: str(request.option("column")),
        in_header=True,
        head=lambda rows: rename_columns(rows, KEYS),
    )
    tables = [request for request in requests if not request.option("pages")]
    pages = [request for request in requests if request.option("pages")]
    return {
        **(inspect_file(tables, _files(areas, window), inspection, provider, http) if tables else {}),
        **(_inspect_pages(pages, provider, areas, window, http) if pages else {}),
    }


def _inspect_pages(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the histories on the page of one member."""
    reply = get(http, provider, DATA_CENTRE, accept=HTML_TYPES)
    try:
        if failed(reply) is None:
            links = dict(parse_centre(reply.content).rows())
            member = next((iso3 for iso3 in MEMBERS if iso3 in links), None)
            if member is None:
                raise UnusableResponse(f"the data centre links to no page of {', '.join(MEMBERS)}")
            reply = _page(links[member], provider, http)
    except UnusableResponse as error:
        return dict.fromkeys(requests, unreadable(error, reply.url))
    if fault := failed(reply):
        return dict.fromkeys(requests, fault)

    def read(request: SeriesRequest) -> pl.DataFrame:
        return _page_observations(reply.content, str(request.option("column")), str(member), "", areas, window)

    def inspect_page(request: SeriesRequest) -> Inspection:
        column = str(request.option("column"))
        if column not in LABELS:
            return missing(column, "the country pages", LABELS)
        return replace(inspect_observations(request, read), url=reply.url)

    return {request: inspect_page(request) for request in requests}


release = yearly_release(FILE, PROBED)


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [
        SmokeCheck(
            "links to the country pages",
            DATA_CENTRE,
            lambda reply: f"{parse_centre(reply.content).height} country pages",
            accept=HTML_TYPES,
        )
    ]
