"""The areas that the project knows, read from the seed ``economies`` so that the fact lives in one place."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sources.errors import ConfigurationError
from sources.observation import Areas

_COLUMNS = {"iso3": pl.String, "iso2": pl.String, "m49": pl.Int32, "is_aggregate": pl.Boolean, "is_member": pl.Boolean}


def load_areas(dbt_project: Path) -> Areas:
    """Read ``seeds/economies.csv``. Raises ConfigurationError where it is missing or lacks a column."""
    path = dbt_project / "seeds" / "economies.csv"
    try:
        table = pl.read_csv(path, schema_overrides=_COLUMNS).select(*_COLUMNS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    by_kind = {bool(kind): part["iso3"].to_list() for (kind,), part in table.group_by("is_aggregate")}
    iso2 = table.drop_nulls("iso2")
    m49 = table.drop_nulls("m49")
    return Areas(
        economies=frozenset(by_kind.get(False, [])),
        aggregates=frozenset(by_kind.get(True, [])),
        iso2_to_iso3=dict(zip(iso2["iso2"], iso2["iso3"], strict=True)),
        m49_to_iso3=dict(zip(m49["m49"], m49["iso3"], strict=True)),
        members=frozenset(table.filter("is_member")["iso3"]),
    )
