"""Rules of the claim register that compare tables.

Belongs here: rules that a declaration in ``dbt_project/seeds/_claims.yml`` cannot express. Does not belong here:
columns and their values (``_claims.yml``), verdicts (``dbt_project/models``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipelines.seeds.table_schema import Tables
from sources.catalogue import Indicator

_MACRO = re.compile(r"macro (claim_figures_\w+)\(")

_OF_A_SHARE = ("product", "ceiling")
"""Kinds of test that multiply the first series by the second one."""


def check_claims(tables: Tables, dbt_project: Path, indicators: Mapping[str, Indicator]) -> None:
    """Raise ConfigurationError for a kind of test without SQL, or a second series that is not a share.

    Without its SQL, a kind of test would find no figures, and no error would show it. A series that multiplies another
    one must be a share.
    """
    kinds = tables["claim_kinds"]
    known = {path.stem.removeprefix("int_") for path in (dbt_project / "models").rglob("int_claim_figures_*.sql")}
    for path in (dbt_project / "macros").glob("*.sql"):
        known |= set(_MACRO.findall(path.read_text(encoding="utf-8")))
    for row in kinds.rows.iter_rows(named=True):
        if f"claim_figures_{row['kind']}" not in known:
            raise kinds.fault(row, "kind", f"there is no claim_figures_{row['kind']} in dbt_project")
    shares = set(tables["claim_units"].rows.filter(dimension="share")["unit"])
    evidence = tables["claim_evidence"]
    multiplied = evidence.rows.filter(pl.col("kind").is_in(_OF_A_SHARE), pl.col("with_indicator_id").is_not_null())
    for row in multiplied.iter_rows(named=True):
        second = row["with_indicator_id"]
        if (unit := indicators[second].unit) not in shares:
            raise evidence.fault(row, "with_indicator_id", f"{row['kind']} needs a share, but {second!r} is in {unit}")
