"""Which licences let figures be passed on, and which figures of a published file an export therefore leaves out.

Belongs here: the terms of each licence (``licences.csv``), the columns of each table that repeat a raw value.
Does not belong here: file formats (``export``), who publishes what (the catalogue).

Scores, statuses, verdicts and ranks are this project's own and are always passed on. A raw value, and anything in the
unit of one, is passed on where its licence is open; a licence that is not listed counts as unknown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

TERMS = Path(__file__).with_name("licences.csv")

NOTE = "withheld"
"""The column that an export adds to every table with raw values: the licence for which a row's values are left out."""


class UnknownName(ValueError):
    """A licence or provider was named of which the published file holds no figure."""


@dataclass(frozen=True)
class RawValues:
    """The columns of a table that are, or spell out, raw values.

    ``on`` joins the table (``t``) to what is withheld: ``figures`` (iso3, indicator_id, year), ``indicators``
    (indicator_id) or ``claims`` (claim_id). ``kept`` is a condition under which a column may stay, by column.
    """

    of: str
    on: str
    columns: tuple[str, ...]
    kept: tuple[tuple[str, str], ...] = ()


_BY_INDICATOR = "t.indicator_id = w.indicator_id"
_BY_CLAIM = "t.claim_id = w.claim_id"
_GOALPOSTS_AND_SHARES = (
    "item in ('floor (level 0)', 'target (level 100)', 'level', 'attainment', 'due', 'pace ratio', 'status')"
)

RAW_VALUES: dict[str, RawValues] = {
    "observations": RawValues(
        "figures", "t.iso3 = w.iso3 and t.indicator_id = w.indicator_id and t.year = w.year", ("value",)
    ),
    "revisions": RawValues("indicators", _BY_INDICATOR, ("previous_value", "value")),
    "rejects": RawValues("indicators", _BY_INDICATOR, ("raw_record",)),
    "indicator_scores": RawValues(
        "indicators",
        _BY_INDICATOR,
        (
            "baseline_value",
            "latest_value",
            "observed_annual_change",
            "required_annual_change",
            "required_annual_change_from_now",
            "projection",
            "projection_low",
            "projection_high",
        ),
    ),
    "target_set_scores": RawValues(
        "indicators", _BY_INDICATOR, ("latest_value", "difference", "required_annual_change_from_now")
    ),
    "score_explanation": RawValues(
        "indicators",
        "t.subject = 'indicator' and t.subject_id = w.indicator_id",
        ("arithmetic", "value"),
        kept=(("value", _GOALPOSTS_AND_SHARES),),
    ),
    "claim_tests": RawValues(
        "indicators",
        _BY_INDICATOR,
        ("reason", "value", "base_value", "improvement", "value_without_afg", "deviation"),
    ),
    "claims_audit": RawValues("claims", _BY_CLAIM, ("verdict_reason", "evidence_value", "deviation")),
    "claim_verdict_changes": RawValues("claims", _BY_CLAIM, ("previous_evidence_value", "evidence_value")),
}


def withhold(
    connection: duckdb.DuckDBPyConnection, licences: Collection[str] = (), providers: Collection[str] = ()
) -> None:
    """Lay down, as temporary tables ``withheld_*``, what may not be passed on; the named licences and providers may.

    ``withheld_licences``: licence, terms, reason, is_withheld, one row a licence of the file's figures.
    Raises UnknownName for a name of which the file holds no figure.
    """
    _check("licence", licences, connection)
    _check("provider", providers, connection)
    connection.execute(
        f"""
        create temp table withheld_licences as
        select
            licence,
            coalesce(terms, 'unknown') as terms,
            coalesce(reason, 'not in the list of licences') as reason,
            coalesce(terms, 'unknown') <> 'open' and not list_contains(?::varchar[], licence) as is_withheld
        from (select licence from observations union select licence from indicators)
        left join read_csv('{_quoted(TERMS)}', header = true, all_varchar = true) using (licence)
        order by licence
        """,
        [list(licences)],
    )
    connection.execute(
        """
        create temp table withheld_figures as
        select iso3, indicator_id, year, licence
        from observations
        semi join withheld_licences as w on observations.licence = w.licence and w.is_withheld
        where not list_contains(?::varchar[], provider)
        """,
        [list(providers)],
    )
    # an indicator without figures has rejects and revisions at most: its licence in the catalogue decides
    connection.execute(
        """
        create temp table withheld_indicators as
        select indicator_id, string_agg(distinct licence, '; ' order by licence) as licence
        from (
            select indicator_id, licence from withheld_figures
            union all
            select indicator_id, i.licence
            from indicators as i
            semi join withheld_licences as w on i.licence = w.licence and w.is_withheld
            anti join observations as o on i.indicator_id = o.indicator_id
        )
        group by indicator_id
        """
    )
    tests = connection.execute("select 1 from duckdb_tables() where table_name = 'claim_tests'").fetchone()
    connection.execute(
        "create temp table withheld_claims as "
        + (
            "select claim_id, string_agg(distinct licence, '; ' order by licence) as licence"
            " from claim_tests join withheld_indicators using (indicator_id) group by claim_id"
            if tests
            else "select null::varchar as claim_id, null::varchar as licence limit 0"
        )
    )


def _check(column: str, named: Collection[str], connection: duckdb.DuckDBPyConnection) -> None:
    known = [row[0] for row in connection.execute(f"select distinct {column} from observations order by 1").fetchall()]
    for name in named:
        if name not in known:
            raise UnknownName(f"no figure has the {column} {name!r}; there are {'; '.join(known)}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def shareable(table: str) -> str:
    """The query that gives a table as it may be passed on. ``withhold`` has run on the connection.

    Columns stay in their order, values that are left out are NULL, ``withheld`` comes last. Rows are ordered by all.
    """
    if table not in RAW_VALUES:
        return f'from main."{table}" order by all'
    raw = RAW_VALUES[table]
    kept = dict(raw.kept)
    shown = ", ".join(
        f"case when w.licence is null or ({kept.get(c, 'false')}) then t.{c} end as {c}" for c in raw.columns
    )
    return (
        f"select t.* replace ({shown}), w.licence as {NOTE}"
        f" from main.{table} as t left join withheld_{raw.of} as w on {raw.on} order by all"
    )
