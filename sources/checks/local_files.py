"""What a refresh would take from a file of the operator: accepted and rejected figures, and what is doubtful.

Belongs here: the findings, each with its line or cell. Does not belong here: reading a table
(``providers.local_tables``), the gates that compare a series with its last vintage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from sources.catalogue import LOCAL_FILE, Catalogue, Indicator, Link
from sources.errors import ConfigurationError, did_you_mean, printable
from sources.observation import OBSERVATION, Areas, utc_now, with_contract_faults, with_rule_reasons
from sources.parsing.responses import UnusableResponse
from sources.provider import SeriesRequest, Window
from sources.providers.local_file import (
    SUFFIXES,
    Header,
    read_file,
    read_header,
    require_requested,
    shows_percentages,
)
from sources.providers.local_tables import KEYS, VALUE, LocalTable, located_observations, read_table


class LocalStatus(StrEnum):
    """What becomes of a figure or a file."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The figure is not landed; the last figure of the same place and year stays."""
    REFUSED = "refused"
    """No figure of the file is landed."""
    DOUBTFUL = "doubtful"
    """It is landed or left out as described; a person should look at it."""


@dataclass(frozen=True)
class LocalFinding:
    """One finding. ``place`` is the file with the line or cell, ``finding`` the reason or remark."""

    place: str
    status: LocalStatus
    finding: str = ""
    indicator_id: str | None = None
    iso3: str | None = None
    year: int | None = None
    value: float | None = None


def check_file(path: Path, catalogue: Catalogue, areas: Areas, window: Window) -> list[LocalFinding]:
    """Return what a refresh would take from one table and its header, in the order of the file.

    Args:
        path: The table, or its header (``.yml``). It may be in any folder.
        catalogue: Its links say which indicators read a file of this name.
        areas: The known areas.
        window: The years that a refresh reads.

    Raises:
        ConfigurationError: There is no such file, or no table beside a header.
    """
    table_path = _table_of(path)
    links = _links(catalogue, table_path.stem)
    if not links:
        files = sorted({str(link.options["file"]) for each in catalogue for link in each.chain if _is_local(link)})
        fault = f"no link of the catalogue reads {table_path.stem}; known are {', '.join(files)}"
        fault += did_you_mean(table_path.stem, files)
        return [LocalFinding(table_path.name, LocalStatus.REFUSED, fault)]
    try:
        header = read_header(table_path, read_file(table_path.with_suffix(".yml")).content)
        content = read_file(table_path).body
    except UnusableResponse as error:
        return [LocalFinding(table_path.name, LocalStatus.REFUSED, error.reason)]
    findings: list[LocalFinding] = []
    notes: dict[str, LocalFinding] = {}
    for indicator, link in links:
        column = str(link.options.get("column", VALUE))
        try:
            require_requested(header, SeriesRequest(link.code or "", tuple(sorted(link.options.items()))))
            table = read_table(table_path.name, content.content, (*KEYS, column), shows_percentages(header.unit))
        except UnusableResponse as error:
            findings.append(LocalFinding(table_path.name, LocalStatus.REFUSED, error.reason, indicator.id))
            continue
        notes |= {note: LocalFinding(table_path.name, LocalStatus.DOUBTFUL, note) for note in table.notes}
        findings += _figures(table, content.sha256, indicator, header, areas, window, column)
    return [*notes.values(), *findings]


def _is_local(link: Link) -> bool:
    return link.provider == LOCAL_FILE


def _links(catalogue: Catalogue, name: str) -> list[tuple[Indicator, Link]]:
    """Return the links that read a file, each with its indicator."""
    found = [(each, link) for each in catalogue for link in each.chain if _is_local(link)]
    return [(each, link) for each, link in found if link.options.get("file") == name]


def _table_of(path: Path) -> Path:
    """Return the path of the table. Raise ConfigurationError if there is none, or if there are two of one name."""
    if path.suffix not in (*SUFFIXES, ".yml"):
        raise ConfigurationError(f"{path}: a table ({' or '.join(SUFFIXES)}) or its header (.yml) is expected")
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such file")
    present = [each for each in map(path.with_suffix, SUFFIXES) if each.is_file()]
    if len(present) != 1:
        which = "both" if present else "none of"
        raise ConfigurationError(f"{path.parent}: there are {which} {' and '.join(path.stem + s for s in SUFFIXES)}")
    return present[0]


def _figures(
    table: LocalTable,
    sha256: str,
    indicator: Indicator,
    header: Header,
    areas: Areas,
    window: Window,
    column: str,
) -> Iterator[LocalFinding]:
    """Yield one finding per row with a value, and one per row that is left out."""
    every = Window(0, 9999)
    found = located_observations(table, sha256, areas, every, column)
    figures = found.with_columns(fault=_faults(found, indicator, header, areas))
    twice = (
        figures.filter(pl.col("reason").is_null()).group_by("iso3", "year").agg(pl.len(), pl.col("value").n_unique())
    )
    counts = {(iso3, year): (rows, values) for iso3, year, rows, values in twice.rows()}
    for row in figures.iter_rows(named=True):
        rows, values = counts.get((row["iso3"], row["year"]), (1, 1))
        iso3 = None if row["iso3"] is None else printable(row["iso3"])
        status, finding = LocalStatus.ACCEPTED, ""
        if row["reason"] is not None:
            status, finding = LocalStatus.REJECTED, str(row["reason"]).removeprefix(f"{row['place']}: ")
        elif not window.first_year <= row["year"] <= window.last_year:
            span = f"{window.first_year}-{window.last_year}"
            status, finding = LocalStatus.DOUBTFUL, f"left out: a refresh reads the years {span}"
        elif row["fault"] is not None:
            status, finding = LocalStatus.REJECTED, row["fault"]
        elif values > 1:
            status, finding = LocalStatus.REJECTED, f"{rows} rows of {row['iso3']} {row['year']} have different values"
        elif rows > 1:
            status, finding = LocalStatus.DOUBTFUL, f"{row['iso3']} {row['year']} is there {rows} times"
        yield LocalFinding(row["place"], status, finding, indicator.id, iso3, row["year"], row["value"])
    yield from _doubts(table, figures, indicator, header, column)


def _faults(found: pl.DataFrame, indicator: Indicator, header: Header, areas: Areas) -> pl.Series:
    """Return why the observation contract or a reject rule rejects a row, NULL if neither does."""
    constants = {
        **dict.fromkeys(OBSERVATION),
        "indicator_id": indicator.id,
        "unit": header.unit,
        "provider": LOCAL_FILE,
        "provider_code": header.indicator,
        "retrieved_at": header.retrieved_at,
        "source_url": str(header.source_url),
        "licence": header.licence,
        "retrieved_via": LOCAL_FILE,
    }
    given = ("iso3", "year", "value", "raw_sha256")
    rows = found.with_columns(**{name: pl.lit(value) for name, value in constants.items() if name not in given})
    records = rows.select(OBSERVATION.keys()).cast(OBSERVATION)  # type: ignore[arg-type]
    contract = with_contract_faults(records, [indicator], areas.known, utc_now().year + 1)["reason"]
    return contract.zip_with(contract.is_not_null(), with_rule_reasons(records, indicator)["reason"])


def _doubts(
    table: LocalTable, figures: pl.DataFrame, indicator: Indicator, header: Header, column: str
) -> Iterator[LocalFinding]:
    """Yield what is doubtful in the rows of a table."""
    empty = table.rows.filter(
        pl.col(KEYS[0]).str.strip_chars().fill_null("") != "", pl.col(column).str.strip_chars().fill_null("") == ""
    )
    for place in empty.select(table.place(pl.col("row_in_file"), column)).to_series():
        yield LocalFinding(place, LocalStatus.DOUBTFUL, "left out: there is no value", indicator.id)
    good = figures.filter(pl.col("reason").is_null())["value"]
    if good.is_empty():
        yield LocalFinding(table.whole, LocalStatus.REFUSED, f"no figure of {column} can be used", indicator.id)
    elif shows_percentages(header.unit) and good.len() > 1 and float(good.max()) <= 1:  # type: ignore[arg-type]
        remark = "no percentage is above 1: are these shares? The gate first_series refuses such a first series"
        yield LocalFinding(table.whole, LocalStatus.DOUBTFUL, remark, indicator.id)
