"""The landed tables ``indicators`` and ``source_health``, from which dbt builds the published tables.

Belongs here: their columns and files. Does not belong here: the ingestion that supplies the rows
(``pipelines.ingestion``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.workspace import Workspace
from warehouse.files import table_fault, write_table

HEALTH: dict[str, pl.DataType] = {
    "indicator_id": pl.String(),
    "provider_requested": pl.String(),
    "provider_used": pl.String(),
    "outcome": pl.String(),
    "latest_year": pl.Int32(),
    "retrieved_at": pl.Datetime("us"),
    "stale_reason": pl.String(),
    "attempts": pl.String(),
    "provider_code": pl.String(),
    "provider_release": pl.String(),
    "last_change_at": pl.Datetime("us"),
    "licence": pl.String(),
    "warnings": pl.String(),
}
"""Columns of ``source_health``, one row per indicator. ``provider_code`` is the code of the first link of the chain.
Release, last change and licence belong to the vintage in use. ``warnings`` is what the gates say of figures in use."""


def write_indicators(workspace: Workspace) -> None:
    """Write the table ``indicators``, one row per indicator of the catalogue."""
    same = ("title", "unit", "definition", "population_base", "licence", "origin", "max_age_years", "shape", "note")
    rows = [
        {
            "indicator_id": i.id,
            **{name: getattr(i, name) for name in same},
            "direction": i.direction.value,
            "valid_min": i.valid_range.min,
            "valid_max": i.valid_range.max,
            "natural_limit": 1.0 if i.shape == "parity" else i.natural_limit,
            "edition_index": i.edition_index,
            "provider_chain": " > ".join(f"{link.provider} {link.provider_code}".strip() for link in i.chain),
        }
        for i in workspace.catalogue
    ]
    numbers = ("valid_min", "valid_max", "natural_limit")
    schema = {"max_age_years": pl.Int32, "note": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    write_table(workspace.layout.indicators, pl.DataFrame(rows, schema_overrides=schema))


def write_source_health(workspace: Workspace, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the table ``source_health``. Indicators without a new row keep their previous row, unless it is damaged.

    Args:
        workspace: Catalogue and paths.
        rows: One row per refreshed indicator, with the columns of ``HEALTH``.
    """
    now = pl.DataFrame(rows, schema=HEALTH)
    path = workspace.layout.source_health
    if table_fault(path) is None:
        others = pl.read_parquet(path).filter(pl.col("indicator_id").is_in(list(workspace.catalogue.indicators)))
        others = others.join(now, on="indicator_id", how="anti")
        now = pl.concat([now, others], how="diagonal").select(HEALTH.keys())
    write_table(path, now.sort("indicator_id"))
