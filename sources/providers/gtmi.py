"""World Bank, GovTech Maturity Index: the GovTech Dataset, a workbook that holds every wave of the survey.

Belongs here: where the releases lie, their sheets and the way they repeat column names. Does not belong here: how a
workbook is opened (``workbook``), the Bank's older country codes (``names``), what is a figure (``figures``).

``code`` of a request is one of ``METRICS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspection
from sources.observation import Areas
from sources.parsing.country_names import OLDER_CODES
from sources.parsing.editions import Edition, Files, from_newest, require_edition, whole
from sources.parsing.observations import Refusal, judge, kept
from sources.parsing.workbook import PREAMBLE, XLSX_TYPES, Row, open_workbook, rows_of
from sources.provider import Fetched, Outcome, SeriesRequest, Window
from sources.providers.inspecting import Kind, inspect_file

PUBLIC_BASE = "https://datacatalogfiles.worldbank.org/ddh-published/0037889"
RELEASES = {
    2025: "DR0095721/WBG_GovTech_Dataset_Dec2025.xlsx",
    2022: "DR0089805/WBG_GovTech%20Dataset_Oct2022.xlsx",
    2020: "DR0065450/WBG_GovTech%20Dataset_Dec2020.xlsx",
}
"""Every release has a number of its own in its address, which only the data catalogue tells."""
SHEETS = ("GTMI_Data", "CG_GTMI_Data", "GTMI_Groups", "CG_GTMI_Groups", "GTMI")
"""The sheets with the scores, best first: all waves before the release's own wave alone."""
METRICS: dict[str, tuple[str, ...]] = {"GTMI": (), "CGSI": (), "PSDI": (), "DCEI": ("CEI",), "GTEI": ()}
"""The index and its four parts, and what older releases call them."""
ANCHOR = "GTEI"
NO_VALUE = ("-", "..", "New")
"""Not answered, not known, not asked in that wave."""


def parse(body: bytes, release: int) -> pl.DataFrame:
    """Scores as ``Code``, ``Year`` and ``METRICS``, all text, from the first of ``SHEETS`` that has them.

    A sheet without a year is the release's own wave. Raises Refusal, also where the newest wave is another.
    """
    workbook = open_workbook(body)
    present = [name for name in SHEETS if name in workbook.sheet_names]
    if not present:
        raise Refusal(f"the sheet {SHEETS[0]} is missing; there are {', '.join(workbook.sheet_names)}")
    refusals: list[Refusal] = []
    for name in present:
        try:
            scores = parse_sheet(rows_of(workbook, name), release)
        except Refusal as refusal:
            refusals.append(Refusal(f"the sheet {name}: {refusal.reason}"))
            continue
        require_edition(scores["Year"].cast(pl.Int32, strict=False).max(), release)
        return scores
    raise refusals[0]


def parse_sheet(rows: Sequence[Row], release: int) -> pl.DataFrame:
    """The scores of one sheet, as ``parse``, without the rows that are no country's (thresholds, notes).

    Some sheets repeat their columns. The scores stand together: of equal names the one nearest to the last GTEI counts.
    """
    wanted = {"Code": (), **METRICS}
    heads = [_nearest(row, wanted) for row in rows[:PREAMBLE]]
    head = max(range(len(heads)), key=lambda at: (len(heads[at]), -at), default=0)
    if absent := [name for name in wanted if not heads or name not in heads[head]]:
        raise Refusal(f"the columns {', '.join(absent)} are missing")
    columns = heads[head] | _nearest(rows[head], {"Year": ()})
    body = [row for row in rows[head + 1 :] if any(row)]
    scores = pl.DataFrame(
        {name: pl.Series([row[at] for row in body], dtype=pl.String()) for name, at in columns.items()}
    )
    if "Year" not in columns:
        scores = scores.with_columns(Year=pl.lit(str(release)))
    is_country = pl.col("Code").str.contains(r"\p{L}")  # thresholds and notes have numbers there: 3, 2025, 0.25
    return scores.filter(is_country).select("Code", "Year", *METRICS)


def _nearest(row: Row, names: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Where each name stands in a header, of several places the one nearest to the last anchor."""
    anchor = max((at for at, cell in enumerate(row) if cell == ANCHOR), default=None)
    if anchor is None:
        return {}
    found: dict[str, int] = {}
    for name, others in names.items():
        places = [at for at, cell in enumerate(row) if cell in (name, *others)]
        if places:
            found[name] = min(places, key=lambda at: abs(at - anchor))
    return found


def figures_of(scores: pl.DataFrame, metric: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """The figures of one metric, see ``figures.judge``. Raises Refusal for one that there is not."""
    if metric not in METRICS:
        raise Refusal(f"there is no metric {metric}, only {', '.join(METRICS)}", Outcome.UNKNOWN_ID)
    return judge(
        kept(scores.select("Code", "Year", metric), raw_sha256)
        .filter(~pl.col(metric).is_in(NO_VALUE))
        .select(
            pl.col("Code").replace(OLDER_CODES).alias("iso3"),
            pl.col("Year").alias("period"),
            pl.col(metric).alias("value"),
            pl.lit(None, dtype=pl.String).alias("obs_status"),
            pl.lit(None, dtype=pl.String).alias("fault"),
            "raw_record",
            "raw_sha256",
        ),
        areas,
        window,
    )


def fetch(requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http) -> Fetched:
    """Answer every request from the newest release that is known. See ``sources.provider.Adapter``."""

    def read(editions: Mapping[int, Edition], request: SeriesRequest) -> pl.DataFrame:
        ((rows, sha256),) = editions.values()
        return figures_of(rows, request.code, sha256, areas, window)

    return from_newest(requests, _files(), read, provider, window, http)


def _files() -> Files:
    return Files(PUBLIC_BASE, RELEASES, XLSX_TYPES, "GovTech Dataset", whole(parse))


def inspect(
    requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
) -> dict[SeriesRequest, Inspection]:
    """Inspect every metric by the beginning of the newest workbook. See ``sources.inspection.Inspects``."""
    kind = Kind(
        files=_files(),
        figures=lambda rows, request, _: figures_of(rows, request.code, "", areas, window),
        codes=lambda _: METRICS,
    )
    return inspect_file(requests, kind, provider, http)
