"""Confirmations: which figures a provider's newest answer repeats, and from which bytes.

Belongs here: writing and finding the files. Does not belong here: which answer may be trusted
(``pipelines.ingestion``), the figures themselves (``landing``), which confirmation a published figure shows (the model
``int_confirmations``).

A confirmation file holds every figure of one accepted answer that equals the figure in use. It is written only when
figures, bytes or release differ from those of the newest file, so that an answer that did not change writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.files import write_table
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
"""Column -> type, one row per country and year. ``confirmed_at`` is when the confirming body was received (UTC)."""

NO_INDICATOR = "none"
"""The folder of the file without rows: SQL reads all folders at once and needs one."""


def prepare(layout: Layout) -> None:
    """Writes the file without rows where it does not exist."""
    path = layout.confirmations(NO_INDICATOR) / "none.parquet"
    if not path.exists():
        write_table(path, pl.DataFrame(schema=CONFIRMATION))


def record(layout: Layout, indicator_id: str, answered: pl.DataFrame, in_use: pl.DataFrame, at: datetime) -> None:
    """Writes which figures in use an answer confirms, unless the newest file says the same already.

    Args:
        layout: The warehouse's paths.
        indicator_id: The indicator that the figures are of.
        answered: Figures of an accepted answer, columns ``OBSERVATION``.
        in_use: Figures of the newest vintage, columns ``iso3``, ``year`` and ``value`` at least.
        at: When the run began (UTC); it names the file.
    """
    confirmed = (
        answered.join(in_use.select("iso3", "year", "value"), on=["iso3", "year", "value"], how="semi")
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
        .sort("iso3", "year")
    )
    digest = hashlib.sha256(confirmed.drop("confirmed_at").write_csv().encode()).hexdigest()[:16]
    if confirmed.height and digest != newest(layout, indicator_id):
        write_table(layout.confirmations(indicator_id) / f"{at:%Y%m%dT%H%M%S%f}_{digest}.parquet", confirmed)


def newest(layout: Layout, indicator_id: str) -> str | None:
    """Returns the hash of what the newest confirmation says, None where the figures were never confirmed."""
    files = _files(layout, indicator_id)
    return files[-1].stem.partition("_")[2] if files else None


def names(layout: Layout, indicator_ids: Iterable[str]) -> list[str]:
    """Returns the files of these indicators, oldest first within each, as ``indicator/file``."""
    return [f"{name}/{path.name}" for name in indicator_ids for path in _files(layout, name)]


def _files(layout: Layout, indicator_id: str) -> list[Path]:
    return sorted(layout.confirmations(indicator_id).glob("[0-9]*.parquet"))
