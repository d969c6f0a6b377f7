"""WIPO, Global Innovation Index: the ranking site's tables and the editions' workbooks.

Belongs here: where the files lie, how each tells its edition, what a row of each is. Does not belong here: what is a
figure (``figures``), how a workbook is opened (``workbook``), which editions compare (the catalogue's options).

The option ``file`` of a request names the file, ``column`` one of its columns:

``model_pageone``  the site's panel of several editions; ``code`` is that of the panel, ``column`` SCORE or RANK
``bc_results``     one edition a file, decimals with a comma; ``column`` score or rank
``workbook``       one edition a file; ``name`` is the row's name, since codes change with the edition; ``column`` is
                   score or rank (of the edition) or value (the raw figure, under its data year, from the newest edition
                   that has the year); ``first_edition`` and ``first_year``: what is older measures something else
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection, missing
from sources.observation import Areas
from sources.parsing.column_names import renamed
from sources.parsing.editions import Edition, Files, from_all, from_newest, require_edition, whole
from sources.parsing.observations import (
    CSV_TYPES,
    Origin,
    Refusal,
    ask,
    csv_table,
    gather,
    judge,
    kept,
    look_up,
    refuse,
)
from sources.parsing.workbook import XLSX_TYPES, open_workbook, rows_of, table
from sources.provider import Fetched, Outcome, RawBody, SeriesRequest, Window
from sources.providers.inspecting import Kind, inspect_file

PUBLIC_BASE = "https://www.wipo.int"
SITE, WORKBOOKS = "gii-ranking/data", "edocs/pubdocs/en"
RECORDS = {2025: 58882}
"""Edition -> number of the record that has its workbook at the provider's alternative address. An edition whose number
is not known is only looked for at the base address."""
PROBED = 4
"""Editions of the panel that are asked for, from the current year down."""
FIRST_RESULTS, FIRST_WORKBOOK = 2023, 2021

PANEL = {"GIIYR": (), "ISO3": (), "CODE": (), "SCORE": (), "RANK": ()}
RESULTS = {"iso3": (), "giiyr": (), "score": (), "rank": ()}
WORKBOOK = {
    "iso3": ("ISO2",),  # the head of 2021 says ISO2 above codes of three letters
    "name": ("IndName",),
    "datayear": ("DATAYR",),
    "value": ("VALUE_SCREEN",),
    "score": (),
    "rank": (),
}
OVERALL = "Index"
NO_VALUE = "NA"


def parse_panel(body: bytes, edition: int) -> pl.DataFrame:
    """The panel, columns ``PANEL``, all text. Raises Refusal, also where its newest edition is another."""
    rows = renamed(csv_table(body), PANEL)
    require_edition(rows.select(_year("GIIYR").max()).item(), edition)
    return rows


def parse_ranks(body: bytes) -> pl.DataFrame:
    """WIPO's own list of ranks: ``iso3``, ``year``, ``official``. Raises Refusal."""
    rows = renamed(csv_table(body), {"ISO3": ()})
    editions = [name for name in rows.columns if re.fullmatch(r"GII\d\d", name)]
    if not editions:
        raise Refusal("the list of ranks has no column GII<year>")
    return (
        rows.unpivot(editions, index="ISO3", variable_name="year", value_name="official")
        .select(
            pl.col("ISO3").alias("iso3"),
            (pl.col("year").str.tail(2).cast(pl.Int32) + 2000).alias("year"),
            pl.col("official").cast(pl.Float64, strict=False),
        )
        .drop_nulls()
    )


def parse_results(body: bytes, edition: int) -> pl.DataFrame:
    """The results of one edition, columns ``RESULTS``, all text, decimals with a point. Raises Refusal."""
    rows = renamed(csv_table(body), RESULTS)
    stated = rows.select(_year("giiyr"))["giiyr"].drop_nulls()  # NA in single rows of files that are right
    most = 2 * (stated == edition).sum() > rows.height
    require_edition(edition if most else stated.filter(stated != edition).mode().max(), edition)
    point = pl.col("score", "rank").str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}")
    unsaid = pl.col("giiyr") == NO_VALUE
    return rows.with_columns(point, giiyr=pl.when(unsaid).then(pl.lit(str(edition))).otherwise("giiyr"))


def parse_workbook(body: bytes, edition: int) -> pl.DataFrame:
    """The data sheet of an edition's workbook, columns ``WORKBOOK``, all text. Raises Refusal.

    The edition stands in the sheet's name (2021) or is that of the newest data year (since 2022).
    """
    workbook = open_workbook(body)
    sheet = next((name for name in workbook.sheet_names if re.fullmatch(r"(GII \d{4} )?Data", name.strip())), "Data")
    rows = table(rows_of(workbook, sheet), WORKBOOK)
    named = re.search(r"\d{4}", sheet)
    require_edition(int(named[0]) if named else rows.select(_year("datayear").max()).item(), edition)
    return rows.with_columns(name=_plain(pl.col("name")))


def _year(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).cast(pl.Int32, strict=False)


def _plain(name: pl.Expr) -> pl.Expr:
    """A row's name without what changes between editions: the kind of dash, the mark of a survey question, blanks."""
    return name.str.replace_all("[\u2010-\u2015]", "-").str.replace_all(r"\s+", " ").str.strip_chars(" *")


def panel_figures(
    rows: pl.DataFrame, official: pl.DataFrame, request: SeriesRequest, sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """The figures of one code, see ``figures.judge``; the overall index must have WIPO's own ranks. Raises Refusal."""
    own = rows.filter(pl.col("CODE") == request.code)
    if own.is_empty():
        there = ", ".join(rows["CODE"].drop_nulls().unique(maintain_order=True).head(20))
        raise Refusal(f"no row has the code {request.code}; there are {there}", Outcome.UNKNOWN_ID)
    column = _column(request, ("SCORE", "RANK"))
    ranked = (
        kept(own.select(*PANEL), sha256)
        .with_columns(iso3=pl.col("ISO3"), year=_year("GIIYR"))
        .join(official if request.code == OVERALL else official.clear(), on=["iso3", "year"], how="left")
    )
    differs = pl.col("RANK").cast(pl.Float64, strict=False) != pl.col("official")
    fault = pl.format("the rank {} is not that of WIPO's own list, {}", "RANK", pl.col("official").cast(pl.Int64))
    return judge(
        ranked.select(
            "iso3",
            pl.col("GIIYR").alias("period"),
            pl.col(column).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.when(differs).then(fault).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def results_figures(
    rows: pl.DataFrame, request: SeriesRequest, edition: int, sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """The figures of one column of an edition's results, see ``figures.judge``. Raises Refusal."""
    fault = pl.format("a row of the edition {} in the file of " + str(edition), "giiyr")
    return judge(
        kept(rows.select(*RESULTS), sha256).select(
            "iso3",
            pl.lit(str(edition)).alias("period"),
            pl.col(_column(request, ("score", "rank"))).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.when(pl.col("giiyr").ne_missing(str(edition))).then(fault).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def workbook_figures(
    rows: pl.DataFrame, request: SeriesRequest, edition: int, sha256: str, areas: Areas, window: Window
) -> pl.DataFrame:
    """The figures of one row name in an edition's workbook, see ``figures.judge``. Raises Refusal."""
    column = _column(request, ("value", "score", "rank"))
    name = _row_name(request)
    own = rows.filter(pl.col("name") == name)
    if own.is_empty():
        raise Refusal(f"the edition of {edition} has no row named {name}")
    first = max(window.first_year, _number(request, "first_year"))
    return judge(
        kept(own.select(*WORKBOOK), sha256).select(
            "iso3",
            (pl.col("datayear") if column == "value" else pl.lit(str(edition))).alias("period"),
            pl.col(column).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.lit(None, dtype=pl.String).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        Window(first, window.last_year),
    )


def _row_name(request: SeriesRequest) -> str:
    return str(pl.select(_plain(pl.lit(str(request.option("name"))))).item())


def _column(request: SeriesRequest, known: Sequence[str]) -> str:
    column = str(request.option("column"))
    if column not in known:
        raise Refusal(f"there is no column {column} to ask for, only {', '.join(known)}", Outcome.UNKNOWN_ID)
    return column


def newest_first(figures: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Figures of several editions, newest first, as one: of each country and year those of the newest edition."""
    editions = pl.concat(each.with_columns(order=pl.lit(order)) for order, each in enumerate(figures))
    served = pl.col("order") == pl.col("order").filter(pl.col("reason").is_null()).min().over("iso3", "year")
    return editions.filter(pl.col("reason").is_not_null() | served).drop("order")


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request, each file asked for once. See ``sources.provider.Adapter``."""
    visits = {"model_pageone": _panel, "bc_results": _results, "workbook": _workbooks}
    parts: list[Fetched] = []
    for file in dict.fromkeys(str(request.option("file")) for request in requests):
        own = [request for request in requests if str(request.option("file")) == file]
        if file in visits:
            parts.append(visits[file](own, provider, areas, window, http))
        else:
            wrong = Refusal(f"WIPO has no file called {file}", Outcome.UNKNOWN_ID)
            parts.append(refuse(own, wrong, lambda _: Origin(PUBLIC_BASE), [], provider))
    return gather(parts)


def _panel(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    files = _panel_files(window)
    official = pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32, "official": pl.Float64})
    listed: list[RawBody] = []
    for edition in files.paths:
        reply = ask(http, provider, f"{SITE}/economy_id_{edition}.csv", accept=CSV_TYPES)
        ranks, bodies = look_up(reply, parse_ranks, provider)
        listed += bodies
        if ranks is not None:
            official = ranks
            break

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        ((rows, sha256),) = editions.values()
        return panel_figures(rows, official, request, sha256, areas, window)

    return gather([from_newest(requests, files, read, provider, window, http), Fetched({}, listed)])


def _results(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        return pl.concat(
            results_figures(rows, request, edition, sha256, areas, window)
            for edition, (rows, sha256) in editions.items()
        )

    return from_all(requests, _results_files(window), read, provider, window, http)


def _workbooks(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> Fetched:
    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        since = _number(request, "first_edition")
        wanted = {edition: part for edition, part in editions.items() if edition >= since}
        if not wanted:
            raise Refusal(f"there is no edition from {since} on, the newest is of {max(editions)}")
        return newest_first(
            [
                workbook_figures(rows, request, edition, sha256, areas, window)
                for edition, (rows, sha256) in wanted.items()
            ]
        )

    return from_all(requests, _workbook_files(requests, provider, window), read, provider, window, http)


def _panel_files(window: Window) -> Files:
    editions = range(window.last_year, window.last_year - PROBED, -1)
    paths = {edition: f"{SITE}/model_pageone_{edition}.csv" for edition in editions}
    return Files(PUBLIC_BASE, paths, CSV_TYPES, "GII", whole(parse_panel))


def _results_files(window: Window) -> Files:
    editions = range(window.last_year, FIRST_RESULTS - 1, -1)
    paths = {edition: f"{SITE}/bc_results_gii_{edition}.csv" for edition in editions}
    return Files(PUBLIC_BASE, paths, CSV_TYPES, "GII", whole(parse_results))


def _workbook_files(requests: Sequence[SeriesRequest], provider: Provider, window: Window) -> Files:
    first = min(_number(request, "first_edition") or FIRST_WORKBOOK for request in requests)
    editions = range(window.last_year, first - 1, -1)
    paths = {edition: f"{WORKBOOKS}/{_workbook_name(edition)}" for edition in editions}
    others = {edition: _other_addresses(edition, provider) for edition in editions}
    return Files(PUBLIC_BASE, paths, XLSX_TYPES, "GII", whole(parse_workbook), others)


def _workbook_name(edition: int) -> str:
    return "wipo_pub_2000-tech1.xlsx" if edition == 2021 else f"wipo-pub-2000-{edition}-tech1.xlsx"


def _other_addresses(edition: int, provider: Provider) -> list[str]:
    """Where a workbook may be under its newer name: in its record where that is known, else beside the old one."""
    base = str(provider.base_url).rstrip("/")
    if edition in RECORDS:
        records = str(provider.alternative_url or base).rstrip("/")
        folder = f"{records}/record/{RECORDS[edition]}/files"
    else:
        folder = f"{base}/{WORKBOOKS}"
    return [f"{folder}/wipo-pub-2000-{edition}-gii-tech1.xlsx"]


def _number(request: SeriesRequest, option: str) -> int:
    return int(request.option(option) or 0)


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every series by the beginning of its newest file. See ``sources.inspection.Inspects``."""
    unranked = pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32, "official": pl.Float64})
    kinds: dict[str, Callable[[Sequence[SeriesRequest]], Kind]] = {
        "model_pageone": lambda _: Kind(
            files=_panel_files(window),
            figures=lambda rows, request, _: panel_figures(rows, unranked, request, "", areas, window),
            codes=lambda rows: set(rows["CODE"].drop_nulls()),
            head=lambda rows: renamed(rows, PANEL),
        ),
        "bc_results": lambda own: Kind(
            files=_results_files(window),
            figures=lambda rows, request, edition: results_figures(rows, request, edition, "", areas, window),
            codes=lambda _: {request.code for request in own},  # the file has the overall index alone, without a code
            head=lambda rows: renamed(rows, RESULTS),
        ),
        "workbook": lambda own: Kind(
            files=_workbook_files(own, provider, window),
            figures=lambda rows, request, edition: workbook_figures(rows, request, edition, "", areas, window),
            codes=lambda rows: set(rows["name"].drop_nulls()),
            named=lambda request, _: _row_name(request),
            dated_by_edition=lambda request: request.option("column") != "value",
        ),
    }
    results: dict[SeriesRequest, Inspection] = {}
    for file in dict.fromkeys(str(request.option("file")) for request in requests):
        own = [request for request in requests if str(request.option("file")) == file]
        if file in kinds:
            results |= inspect_file(own, kinds[file](own), provider, http)
        else:
            results |= dict.fromkeys(own, missing(file, "WIPO's site", kinds))
    return results
