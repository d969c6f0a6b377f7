"""The compiled models of the audit, run on claims and figures of a test, in memory.

Belongs here: inserting claims, evidence and figures, and running the compiled SQL in order. Does not belong here:
expected results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from pipelines.dbt.sentences import register
from tests.engine import Rows, insert

MODELS = (
    "intermediate/int_claim_parameters",
    "intermediate/int_claim_observations",
    "intermediate/int_claim_evidence",
    "intermediate/int_claim_series",
    "intermediate/int_claim_figures",
    "intermediate/int_claim_questions",
    "intermediate/int_claim_judged",
    "intermediate/int_claim_tests",
    "intermediate/int_claim_reasons",
    "marts/claim_tests",
    "intermediate/int_claim_readings",
    "marts/claim_base_years",
    "marts/claims_audit",
)
"""In the order of their dependencies."""

METHOD = ("claim_kinds", "claim_units", "claim_parameters", "region_variants", "economies", "economy_groups")
"""Used as published."""
GIVEN = ("claims", "claim_evidence", "claim_terms", "claim_duplicates", "claim_leads", "observations")
"""Empty unless a test gives rows."""

CLAIM = {
    "claim_id": "c",
    "section": "S",
    "pillar": "1",
    "country_iso3": "KAZ",
    "statement": "A statement",
    "measure": "m",
    "checkable_with": "direct: a series",
}
EVIDENCE = {"claim_id": "c", "definition_match": "same", "definition_note": "what it measures"}
TERM = {"claim_id": "c", "term": "use", "may_mean": "people or households"}
DOCUMENTARY = """
    create table intermediate.int_documentary_verdicts (
        claim_id varchar, documentary_verdict varchar, documentary_reason_code varchar,
        documentary_reason_operands varchar, documentary_reason varchar
    )
"""
"""No documents: the documentary verdict has its own tests."""
FIGURE = {
    "provider": "p",
    "vintage_at": "2026-01-01",
    "source_url": "https://example.org/series",
}


class ClaimsEngine:
    """The models and the columns of their inputs, read once. Each call of ``audit`` makes a new database."""

    def __init__(self, warehouse: Path):
        compiled = warehouse / "dbt" / "compiled" / "carec_scorecard" / "models"
        self._models = {model: (compiled / f"{model}.sql").read_text(encoding="utf-8") for model in MODELS}
        self._published = str(warehouse / "carec.duckdb").replace("'", "''")

    def audit(
        self,
        claims: Rows,
        evidence: Rows,
        figures: Mapping[str, Mapping[str, Mapping[int, float]]],
        unknown: Mapping[str, str] | None = None,
        more: str = "",
        terms: Rows = (),
    ) -> Audit:
        """Run the audit. Claims, evidence and terms override cells of ``CLAIM``, ``EVIDENCE`` and ``TERM``.

        The keys of ``figures`` are series, member and year. ``unknown`` maps a series to the first day on which it was
        known. ``more`` is SQL that runs on the inserted tables.
        """
        connection = duckdb.connect(":memory:", config={"threads": 1})
        register(connection)
        connection.execute("attach ':memory:' as build; use build; create schema intermediate")
        connection.execute(f"attach '{self._published}' as published (read_only)")
        for table in (*METHOD, *GIVEN, "indicators"):
            kept = "where false" if table in GIVEN else ""
            connection.execute(f"create table {table} as from published.{table} {kept}")
        insert(connection, "claims", [{**CLAIM, **row} for row in claims])
        insert(connection, "claim_evidence", [{**EVIDENCE, **row} for row in evidence])
        insert(connection, "claim_terms", [{**TERM, **row} for row in terms])
        insert(
            connection,
            "observations",
            [
                {"indicator_id": series, "iso3": iso3, "year": year, "value": float(value), **FIGURE}
                for series, members in figures.items()
                for iso3, years in members.items()
                for year, value in years.items()
            ],
        )
        connection.execute("create table intermediate.int_claim_unknown (indicator_id varchar, first_known_on date)")
        insert(
            connection,
            "intermediate.int_claim_unknown",
            [{"indicator_id": series, "first_known_on": day} for series, day in (unknown or {}).items()],
        )
        connection.execute(DOCUMENTARY)
        connection.execute(more)
        for model, sql in self._models.items():
            folder, name = model.split("/")
            schema = "intermediate" if folder == "intermediate" else "main"
            connection.execute(f"create table build.{schema}.{name} as {sql}")
        return Audit(connection)


class Audit:
    """The result of an audit."""

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        result = self._connection.execute(sql, list(parameters))
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def verdict(self, claim_id: str = "c") -> dict[str, Any]:
        """Return the row of ``claims_audit``."""
        (row,) = self.query("from claims_audit where claim_id = ?", [claim_id])
        return row

    def tests(self, claim_id: str = "c") -> list[dict[str, Any]]:
        """Return the rows of ``claim_tests``."""
        return self.query(
            "from claim_tests where claim_id = ? order by role desc, indicator_id, variant, iso3", [claim_id]
        )
