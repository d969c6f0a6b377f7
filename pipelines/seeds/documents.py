"""Rules of the documentary evidence that compare rows, columns or tables.

Belongs here: rules that a declaration in ``dbt_project/seeds/_documents.yml`` cannot express. Does not belong here: the
form of an address (``_documents.yml``), the documentary verdict (``dbt_project/models``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pipelines.seeds.codes import VARIABLES
from pipelines.seeds.table_schema import Tables

_SITE = re.compile(VARIABLES["site_pattern"])
_SEPARATOR = "; "


def check_documents(tables: Tables) -> None:
    """Check the dates and the addresses of the documents.

    Args:
        tables: The checked seeds by name.

    Raises:
        ConfigurationError: The first document with a date that does not exist or is later than the day on which it was
            read, with a second source on its own site, or with an address that is cut off.
    """
    evidence = tables["documentary_evidence"]
    rows = list(evidence.rows.iter_rows(named=True))
    known = {address for row in rows for _, address in _addresses(row)}
    known |= set(tables["claim_leads"].rows["source_url"].drop_nulls())
    for row in rows:
        if fault := _fault_of_date(row["document_date"], row["retrieved_on"]):
            raise evidence.fault(row, "document_date", fault)
        sites = [_site(address) for _, address in _addresses(row)]
        if sites[0] in sites[1:]:
            raise evidence.fault(row, "second_source", f"is on the same site as source_url, {sites[0]}")
        for column, address in _addresses(row):
            if whole := _whole_address(address, known):
                raise evidence.fault(row, column, f"{address} is cut off: the whole address is {whole}")


def _addresses(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the column and the address of a document and of each of its second sources."""
    yield "source_url", row["source_url"]
    for address in (row["second_source"] or "").split(_SEPARATOR):
        if address:
            yield "second_source", address


def _site(address: str) -> str:
    found = _SITE.match(address)
    return found[1] if found else address


def _fault_of_date(stated: str | None, retrieved_on: date) -> str | None:
    """Return what is wrong with a date of the form year, year-month or year-month-day; None if it is possible."""
    if stated is None:
        return None
    try:
        first = date.fromisoformat(stated + "-01-01"[len(stated) - 4 :])
    except ValueError:
        return f"is no day of the calendar: {stated!r}"
    return f"{stated} is later than retrieved_on, {retrieved_on}" if first > retrieved_on else None


def _whole_address(address: str, known: set[str]) -> str | None:
    """Return a known address that continues this one in the middle of a word; None if there is none."""
    longer = (other for other in known if other != address and other.startswith(address))
    inside = (other for other in longer if re.search(r"[a-z]$", address) and re.match(r"[a-z]", other[len(address) :]))
    return next(iter(sorted(inside)), None)
