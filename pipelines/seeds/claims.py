"""Rules of the claim register that compare tables.

Belongs here: rules that a declaration in ``dbt_project/seeds/_claims.yml`` cannot express. Does not belong here:
columns and their values (``_claims.yml``), verdicts (``dbt_project/models``).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.seeds.table_schema import Tables
from sources.catalogue import Indicator

_OF_A_SHARE = ("product", "ceiling")
"""Kinds of test that multiply the first series by the second one."""


def check_claims(tables: Tables, indicators: Mapping[str, Indicator]) -> None:
    """Check that each series that another one is multiplied by is a share.

    Args:
        tables: The checked seeds by name.
        indicators: The indicators of the catalogue by id.

    Raises:
        ConfigurationError: The first row with a series that is not a share.
    """
    shares = set(tables["claim_units"].rows.filter(dimension="share")["unit"])
    evidence = tables["claim_evidence"]
    multiplied = evidence.rows.filter(pl.col("kind").is_in(_OF_A_SHARE), pl.col("with_indicator_id").is_not_null())
    for row in multiplied.iter_rows(named=True):
        second = row["with_indicator_id"]
        if (unit := indicators[second].unit) not in shares:
            raise evidence.fault(row, "with_indicator_id", f"{row['kind']} needs a share, but {second!r} is in {unit}")
