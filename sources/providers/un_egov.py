"""UN DESA, E-Government Survey: a table a survey, and a page a country.

Belongs here: the surveys' files and pages, how they spell their columns. Does not belong here: spellings of countries
(``names``), what is a figure (``figures``).

The option ``column`` of a request names what is asked for as the newer files head it. With the option ``pages`` the
members' country pages are read instead: they are slow, so no others are, and they have no ranks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from urllib.parse import quote, unquote

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.inspection import MEMBERS, Inspection, failed, missing
from sources.observation import Areas
from sources.parsing.column_names import positions, renamed
from sources.parsing.country_names import iso3_of
from sources.parsing.editions import Edition, Files, from_all, require_edition, whole
from sources.parsing.observations import (
    CSV_TYPES,
    Origin,
    Refusal,
    ask,
    csv_table,
    gather,
    judge,
    kept,
    raw_body,
    refuse,
    settle,
    usable,
)
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import Kind, inspect_file, judged, unreadable

PUBLIC_BASE = "https://publicadministration.un.org/egovkb"
DATA_CENTRE, COUNTRY_PAGE = "en-us/Data-Center", "en-us/Data/Country-Information/id"
HTML_TYPES = ("text/html",)

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
"""What is measured, and how else files head it."""
WHO = {"Survey Year": ("Survey", "Year"), "Country Name": ("Country", "Country or Area", "Member State")}
LABELS = {name: "E-Government Development Index" if name == OVERALL else name for name in COLUMNS if "Index" in name}
"""What is measured, as the country pages label its history."""
CELL = re.compile(r"[-–<>.,\d]+$|N/?A$|NaN$|null$", re.IGNORECASE)
"""What can stand for a value in a history; a word cannot."""


def surveys(window: Window) -> list[int]:
    """The years of surveys inside the window: the first three, 2008, and every other year from then on."""
    years = [2003, 2004, 2005, *range(2008, window.last_year + 1, 2)]
    return [year for year in years if window.first_year <= year <= window.last_year]


def parse(body: bytes, survey: int) -> pl.DataFrame:
    """The table of a survey: ``Survey Year``, ``Country Name`` and the file's columns, all text. Raises Refusal."""
    rows = renamed(csv_table(body), WHO)
    stated = rows["Survey Year"].cast(pl.Int32, strict=False).mode()
    require_edition(stated[0] if stated.len() == 1 else None, survey)
    return rows


def figures_of(
    rows: pl.DataFrame, column: str, survey: int, raw_sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """The figures of one column of a survey, see ``figures.judge``. Raises Refusal."""
    if column not in COLUMNS:
        raise Refusal(f"no survey has a column {column}, only {', '.join(COLUMNS)}", Outcome.UNKNOWN_ID)
    whole = renamed(rows, {**WHO, OVERALL: COLUMNS[OVERALL], column: COLUMNS[column]})
    if column != OVERALL:
        _require_other_than_overall(whole, column)
    name = pl.col("Country Name").str.strip_chars()
    fault = (
        pl.when(pl.col("Survey Year").str.strip_chars() != str(survey))
        .then(pl.format("a row of the survey of {} in the file of " + str(survey), "Survey Year"))
        .when(pl.col("iso3").is_null())
        .then(pl.format("unknown area {}", name.fill_null("(none)")))
    )
    return judge(
        kept(whole, raw_sha256)
        .with_columns(iso3=iso3_of(name))
        .select(
            "iso3",
            pl.col("Survey Year").str.strip_chars().alias("period"),
            pl.col(column).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            fault.alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def _require_other_than_overall(rows: pl.DataFrame, column: str) -> None:
    """Refuse the overall index under the name of one of its parts, a mix-up that has been cited."""
    both = rows.select(pl.col(column, OVERALL).cast(pl.Float64, strict=False)).drop_nulls()
    told = both.filter(pl.col(OVERALL) != 0)
    if told.height > 1 and (told[column] == told[OVERALL]).all():
        raise Refusal(f"the column {column} repeats the {OVERALL}")


def parse_centre(body: bytes) -> pl.DataFrame:
    """The country pages that the data centre links to: ``iso3`` and ``page``. Raises Refusal where there are none."""
    links = re.findall(r"/Data/Country-Information/id/(\d+-[^\"'/?#\s<>]+)", unescape(_markup(body)), re.IGNORECASE)
    links = [unquote(link) for link in dict.fromkeys(links)]
    pages = pl.DataFrame({"page": links}, schema={"page": pl.String}).select(
        iso3_of(pl.col("page").str.replace(r"^\d+-", "")).alias("iso3"), "page"
    )
    if pages.is_empty():
        raise Refusal("the data centre links to no country page")
    return pages.drop_nulls().unique("iso3", keep="first", maintain_order=True)


def parse_page(body: bytes, label: str) -> pl.DataFrame:
    """One measure's history on a country page: ``period`` and ``value``, as text. Raises Refusal.

    The history is the label, a row of years, and a row of as many values headed "(Value)".
    """
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", _markup(body))))
    history = re.search(rf"{re.escape(label)} ((?:(?:19|20)\d\d ){{2,}})", text)
    if history is None:
        raise Refusal(f"the page has no history of the {label}")
    years = history[1].split()
    between, _, after = text[history.end() :].partition("(Value) ")
    values = after.split()[: len(years)]
    if (
        any(other in between for other in LABELS.values())
        or len(values) < len(years)
        or not all(map(CELL.match, values))
    ):
        raise Refusal(f"the history of the {label} has not as many values as years")
    return pl.DataFrame({"period": years, "value": values})


def _markup(body: bytes) -> str:
    text = body.decode("utf-8-sig", errors="replace")
    if "<" not in text:
        raise Refusal("no page of markup came" if text.strip() else "the body is empty")
    return text


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request, each survey's table and each page asked for once. See ``sources.provider.Adapter``."""
    tables = [request for request in requests if not request.option("pages")]
    pages = [request for request in requests if request.option("pages")]
    return gather(
        visit(own, provider, areas, window, http) for own, visit in ((tables, _tables), (pages, _pages)) if own
    )


def _tables(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        column = str(request.option("column"))
        return pl.concat(
            figures_of(rows, column, survey, sha256, areas, window) for survey, (rows, sha256) in editions.items()
        )

    return from_all(requests, _files(window), read, provider, window, http)


def _files(window: Window) -> Files:
    paths = {survey: f"EGOV_DATA_{survey}.csv" for survey in reversed(surveys(window))}
    return Files(PUBLIC_BASE, paths, CSV_TYPES, "E-Government Survey", whole(parse))


def _pages(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer from the pages of the members. One that is missing or fails makes all unavailable."""
    origin, countries = Origin(f"{PUBLIC_BASE}/{DATA_CENTRE}", "country pages"), sorted(areas.members)
    centre = ask(http, provider, DATA_CENTRE, accept=HTML_TYPES)
    try:
        links = dict(parse_centre(usable(centre)).rows())
        if unlinked := [iso3 for iso3 in countries if iso3 not in links]:
            raise Refusal(f"the data centre links to no page of {', '.join(unlinked)}")
    except Refusal as refusal:
        return refuse(requests, refusal, lambda _: origin, [centre], provider)
    with ThreadPoolExecutor(provider.parallel, thread_name_prefix=provider.id) as pool:
        replies = dict(
            zip(countries, pool.map(lambda iso3: _page(links[iso3], provider, http), countries), strict=True)
        )
    listed = Fetched({}, [raw_body(centre, provider)])
    try:
        bodies = {iso3: usable(reply) for iso3, reply in replies.items()}
    except Refusal as refusal:
        return gather([listed, refuse(requests, refusal, lambda _: origin, list(replies.values()), provider)])

    def read(request: SeriesRequest) -> pl.DataFrame:
        column = str(request.option("column"))
        if column not in LABELS:
            raise Refusal(f"the country pages have no {column}, only {', '.join(LABELS)}", Outcome.UNKNOWN_ID)
        histories = [
            kept(
                parse_page(body, LABELS[column]).with_columns(iso3=pl.lit(iso3)),
                raw_body(replies[iso3], provider).sha256,
            )
            for iso3, body in bodies.items()
        ]
        unsaid = pl.lit(None, dtype=pl.String)
        return judge(pl.concat(histories).with_columns(obs_status=unsaid, fault=unsaid), areas, window)

    answered = settle(requests, read, lambda _: origin, list(replies.values()), provider, window)
    return gather([listed, answered])


def _page(page: str, provider: Provider, http: Http) -> Reply:
    return ask(http, provider, f"{COUNTRY_PAGE}/{quote(page, safe='')}", accept=HTML_TYPES)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the newest table and the page of one member. See ``sources.inspection.Inspects``."""
    kind = Kind(
        files=_files(window),
        figures=lambda rows, request, survey: figures_of(
            rows, str(request.option("column")), survey, "", areas, window
        ),
        codes=lambda rows: positions(rows.columns, COLUMNS).keys(),
        named=lambda request, _: str(request.option("column")),
        in_header=True,
        head=lambda rows: renamed(rows, WHO),
    )
    tables = [request for request in requests if not request.option("pages")]
    pages = [request for request in requests if request.option("pages")]
    return {
        **(inspect_file(tables, kind, provider, http) if tables else {}),
        **(_inspect_pages(pages, provider, areas, window, http) if pages else {}),
    }


def _inspect_pages(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect the histories on the page of one member."""
    reply = ask(http, provider, DATA_CENTRE, accept=HTML_TYPES)
    try:
        if failed(reply) is None:
            links = dict(parse_centre(reply.content).rows())
            member = next((iso3 for iso3 in MEMBERS if iso3 in links), None)
            if member is None:
                raise Refusal(f"the data centre links to no page of {', '.join(MEMBERS)}")
            reply = _page(links[member], provider, http)
    except Refusal as refusal:
        return dict.fromkeys(requests, unreadable(refusal, reply.url))
    if fault := failed(reply):
        return dict.fromkeys(requests, fault)

    def figures(request: SeriesRequest) -> pl.DataFrame:
        history = parse_page(reply.content, LABELS[str(request.option("column"))])
        unsaid = pl.lit(None, dtype=pl.String)
        rows = kept(history.with_columns(iso3=pl.lit(member)), "").with_columns(obs_status=unsaid, fault=unsaid)
        return judge(rows, areas, window)

    def one(request: SeriesRequest) -> Inspection:
        column = str(request.option("column"))
        if column not in LABELS:
            return missing(column, "the country pages", LABELS)
        return replace(judged(request, figures), url=reply.url)

    return {request: one(request) for request in requests}
