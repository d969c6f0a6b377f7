"""Confirmations: the observations that a provider's newest response repeats, and the body that repeats them.

Belongs here: writing and finding the files. Does not belong here: which response is accepted (``pipelines.ingestion``),
the observations themselves (``landing``), the confirmation of a published observation (the model
``int_confirmations``).

A confirmation file has every observation of one accepted response that equals the one in use. A response that repeats
observations, body and release of the newest file writes no new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.files import WriteTable, table_fault, write_table
from warehouse.layout import Layout

CONFIRMATION: dict[str, pl.DataType] = {
    "iso3": pl.String(),
    "indicator_id": pl.String(),
    "year": pl.Int32(),
    "value": pl.Float64(),
    "confirmed_at": pl.Datetime("us"),
    "confirmed_by": pl.String(),
    "confirmed_release": pl.String(),
    "confirmed_raw_sha256": pl.String(),
}
"""Column -> type, one row per country and year. ``confirmed_at`` is when the body was received (UTC)."""

NO_INDICATOR = "none"
"""Folder of a file without rows: SQL reads all folders at once and fails without any."""


def prepare(layout: Layout) -> None:
    """Write the file without rows if it does not exist, or is damaged."""
    path = layout.confirmations(NO_INDICATOR) / "none.parquet"
    if table_fault(path):
        write_table(path, pl.DataFrame(schema=CONFIRMATION))


def record(
    layout: Layout,
    answered: pl.DataFrame,
    in_use: pl.DataFrame,
    at: datetime,
    write: Callable[[str], WriteTable] = lambda indicator_id: write_table,
) -> dict[str, str]:
    """Write which observations responses confirm, unless an indicator's newest file has the same content.

    Args:
        layout: The warehouse's paths.
        answered: Observations of accepted responses, columns ``OBSERVATION``, of any number of indicators.
        in_use: Observations of the newest vintages, with their indicator, country, year and value at least.
        at: Start of the run (UTC), for the file names.
        write: Returns what writes the files of an indicator.

    Returns:
        The content hash of the newest confirmation of each indicator that the responses confirm.
    """
    place = ["indicator_id", "iso3", "year"]
    confirmed = (
        answered.join(in_use.select(*place, "value"), on=[*place, "value"], how="semi")
        .select(
            "iso3",
            "indicator_id",
            "year",
            "value",
            pl.col("retrieved_at").alias("confirmed_at"),
            pl.col("retrieved_via").alias("confirmed_by"),
            pl.col("provider_release").alias("confirmed_release"),
            pl.col("raw_sha256").alias("confirmed_raw_sha256"),
        )
        .cast(CONFIRMATION)  # type: ignore[arg-type]
        .sort(place)
    )
    found = {}
    for figures in confirmed.partition_by("indicator_id", maintain_order=True):
        name = figures["indicator_id"][0]
        found[name] = hashlib.sha256(figures.drop("confirmed_at").write_csv().encode()).hexdigest()[:16]
        if found[name] != newest(layout, name):
            write(name)(layout.confirmations(name) / f"{at:%Y%m%dT%H%M%S%f}_{found[name]}.parquet", figures)
    return found


def newest(layout: Layout, indicator_id: str) -> str | None:
    """Return the content hash of the newest confirmation; None without one."""
    files = _files(layout, indicator_id)
    return files[-1].stem.partition("_")[2] if files else None


def newest_release(layout: Layout, indicator_id: str) -> str | None:
    """Return the release of the newest confirmation; None without one, or if it has none."""
    files = _files(layout, indicator_id)
    if not files:
        return None
    releases = pl.read_parquet(files[-1], columns=["year", "confirmed_release"]).sort("year", "confirmed_release")
    return releases["confirmed_release"].drop_nulls().last()  # type: ignore[return-value]


def names(layout: Layout, indicator_ids: Iterable[str]) -> list[str]:
    """Return the files of these indicators as ``indicator/file``, oldest first within each indicator."""
    return [f"{name}/{path.name}" for name in indicator_ids for path in _files(layout, name)]


def _files(layout: Layout, indicator_id: str) -> list[Path]:
    return sorted(layout.confirmations(indicator_id).glob("[0-9]*.parquet"))
