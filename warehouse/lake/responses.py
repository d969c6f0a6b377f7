"""The last good response of each address, so that a worker that has never asked a provider asks conditionally too.

Belongs here: carrying the notes of responses (``warehouse.raw``) and their bodies. Does not belong here: their use.

The table ``responses`` has a row per run and address whose note the run changed; one without a note says that the
address has to be requested in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import duckdb
import polars as pl

from warehouse import raw
from warehouse.lake.bodies import pull_body
from warehouse.lake.connection import NAME, Lake, columns_of
from warehouse.layout import Layout

RESPONSES = "responses"
_ROW = {"file": pl.String(), "host": pl.String(), "asked": pl.String(), "note": pl.String()}


def new_responses(
    connection: duckdb.DuckDBPyConnection, layout: Layout, records: Mapping[str, Mapping[str, Any]]
) -> list[pl.DataFrame]:
    """Return the changed notes of the addresses that runs asked, a row each.

    Args:
        connection: With the lake attached.
        layout: Paths of the warehouse.
        records: Name -> record of each run that the lake lacks.
    """
    asked = {each["asked"] for record in records.values() for each in record["exchanges"]}
    notes = {url: raw.last_note(layout, url) for url in sorted(asked)}
    known = _newest(connection, {_host(url) for url in notes})
    return [
        pl.DataFrame([{"file": max(records), "host": _host(url), "asked": url, "note": note}], schema=_ROW)
        for url, note in notes.items()
        if known.get(url) != note
    ]


def pull_responses(connection: duckdb.DuckDBPyConnection, lake: Lake, layout: Layout, hosts: Collection[str]) -> None:
    """Give a warehouse the last good responses of some hosts, with their bodies."""
    for url, note in _newest(connection, hosts).items():
        if note is None:
            raw.invalidate_last_response(layout, url)
        elif note != raw.last_note(layout, url):
            pull_body(connection, lake, layout, f"{raw.body_of(note)}.gz")
            raw.write_last_note(layout, url, note)


def _newest(connection: duckdb.DuckDBPyConnection, hosts: Collection[str]) -> dict[str, str | None]:
    if not columns_of(connection, RESPONSES):
        return {}
    found = connection.execute(
        f"select asked, note from {NAME}.landing.{RESPONSES} where list_contains(?, host)"
        " qualify row_number() over (partition by asked order by file desc) = 1",
        [sorted(hosts)],
    )
    return dict(found.fetchall())


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2].lower()
