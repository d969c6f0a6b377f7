"""World Bank, GovTech Maturity Index: the GovTech Dataset, a workbook with every wave of the survey.

``code`` of a request is one of ``METRICS``. This module has the addresses of the releases, their sheets and the way
they repeat column names. Opening a workbook belongs in ``workbook``, older country codes in ``country_names``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from sources.catalogue import Provider
from sources.http.client import Http
from sources.observation import Areas
from sources.parsing.country_names import OLDER_CODES
from sources.parsing.editions import EditionFiles, in_memory, release_of_files, require_edition
from sources.parsing.observations import parse_observations
from sources.parsing.responses import UnusableResponse
from sources.parsing.workbook import PREAMBLE, XLSX_TYPES, Row, open_workbook, rows_of
from sources.provider import Outcome, SeriesRequest, Window
from sources.providers.inspecting import FileInspection, NewestEdition
from sources.smoke_check import SmokeCheck, workbook_check

PUBLIC_BASE = "https://datacatalogfiles.worldbank.org/ddh-published/0037889"
RELEASES = {
    2025: "DR0095721/WBG_GovTech_Dataset_Dec2025.xlsx",
    2022: "DR0089805/WBG_GovTech%20Dataset_Oct2022.xlsx",
    2020: "DR0065450/WBG_GovTech%20Dataset_Dec2020.xlsx",
}
"""Edition -> path. The number of a release in its path is only in the data catalogue."""
SHEETS = ("GTMI_Data", "CG_GTMI_Data", "GTMI_Groups", "CG_GTMI_Groups", "GTMI")
"""Sheets with scores, in order of preference: those with all waves before those with the release's own wave."""
METRICS: dict[str, tuple[str, ...]] = {"GTMI": (), "CGSI": (), "PSDI": (), "DCEI": ("CEI",), "GTEI": ()}
"""The index and its four parts -> their names in older releases."""
ANCHOR = "GTEI"
NO_VALUE = ("-", "..", "New")
"""Not answered, not known, not part of that wave."""


def parse(body: bytes, release: int) -> pl.DataFrame:
    """Return ``Code``, ``Year`` and ``METRICS``, all text, from the first of ``SHEETS`` that has them.

    Rows of a sheet without a year are of the release's own wave.

    Raises:
        UnusableResponse: If no sheet can be read, or the newest wave is not the release's.
    """
    workbook = open_workbook(body)
    present = [name for name in SHEETS if name in workbook.sheet_names]
    if not present:
        raise UnusableResponse(f"the sheet {SHEETS[0]} is missing; there are {', '.join(workbook.sheet_names)}")
    errors: list[UnusableResponse] = []
    for name in present:
        try:
            scores = parse_sheet(rows_of(workbook, name), release)
        except UnusableResponse as error:
            errors.append(UnusableResponse(f"the sheet {name}: {error.reason}"))
            continue
        require_edition(scores["Year"].cast(pl.Int32, strict=False).max(), release)
        return scores
    raise errors[0]


def parse_sheet(rows: Sequence[Row], release: int) -> pl.DataFrame:
    """Return the scores of one sheet, as ``parse``, without rows of thresholds and notes.

    Some sheets repeat their columns. The scores are next to each other, so that of columns with the same name the one
    nearest to the last GTEI is read.
    """
    wanted = {"Code": (), **METRICS}
    heads = [_nearest(row, wanted) for row in rows[:PREAMBLE]]
    head = max(range(len(heads)), key=lambda at: (len(heads[at]), -at), default=0)
    if absent := [name for name in wanted if not heads or name not in heads[head]]:
        raise UnusableResponse(f"the columns {', '.join(absent)} are missing")
    columns = heads[head] | _nearest(rows[head], {"Year": ()})
    body = [row for row in rows[head + 1 :] if any(row)]
    scores = pl.DataFrame(
        {name: pl.Series([row[at] for row in body], dtype=pl.String()) for name, at in columns.items()}
    )
    if "Year" not in columns:
        scores = scores.with_columns(Year=pl.lit(str(release)))
    is_country = pl.col("Code").str.contains(
        r"\p{L}"
    )  # thresholds and notes have numbers in this column: 3, 2025, 0.25
    return scores.filter(is_country).select("Code", "Year", *METRICS)


def _nearest(row: Row, names: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return name -> its position in a header that is nearest to the last anchor."""
    anchor = max((at for at, cell in enumerate(row) if cell == ANCHOR), default=None)
    if anchor is None:
        return {}
    found: dict[str, int] = {}
    for name, others in names.items():
        places = [at for at, cell in enumerate(row) if cell in (name, *others)]
        if places:
            found[name] = min(places, key=lambda at: abs(at - anchor))
    return found


def observations_of(scores: pl.DataFrame, metric: str, raw_sha256: str, areas: Areas, window: Window) -> pl.DataFrame:
    """Return the observations of one metric, see ``parse_observations``. Raise UnusableResponse for another one."""
    if metric not in METRICS:
        raise UnusableResponse(f"there is no metric {metric}, only {', '.join(METRICS)}", Outcome.UNKNOWN_ID)
    return parse_observations(
        scores.select("Code", "Year", metric).filter(~pl.col(metric).is_in(NO_VALUE)),
        areas,
        window,
        iso3=pl.col("Code").replace(OLDER_CODES),
        period="Year",
        value=metric,
        raw_sha256=raw_sha256,
    )


def _files(_: Sequence[SeriesRequest], areas: Areas, window: Window) -> EditionFiles:
    return EditionFiles(
        PUBLIC_BASE,
        RELEASES,
        XLSX_TYPES,
        "GovTech Dataset",
        in_memory(parse),
        lambda rows, request, _, sha256: observations_of(rows, request.code, sha256, areas, window),
    )


_ADAPTER = NewestEdition(_files, FileInspection(codes=lambda _: METRICS))
fetch, inspect = _ADAPTER.fetch, _ADAPTER.inspect


def release(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Return the newest known workbook and its date. See ``sources.providers.ReportsRelease``."""
    return release_of_files(requests, list(RELEASES.values()), provider, http)


def smoke_checks(_: int) -> list[SmokeCheck]:
    """Return the smoke checks of this provider."""
    return [workbook_check("whether the newest known workbook is there", next(iter(RELEASES.values())))]
