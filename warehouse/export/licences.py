"""Which values an export leaves out because their licence does not allow passing them on.

Belongs here: the terms of each licence (``licences.csv``), the columns of each table that have raw values.
Does not belong here: file formats (``package``), the licence of each provider (the catalogue).

Scores, statuses, verdicts and ranks are this project's own and always exported. A raw value, and every value in its
unit, is exported if its licence is open. A licence that is not listed counts as unknown, which is not open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.reading import quoted

TERMS = Path(__file__).parents[1] / "licences.csv"

MARKS = {
    "withheld": "Licence for which this row's raw values are left out",
    "restricted": "Licence of this row's raw values, which is not open: they are here because they were asked for",
}
"""Columns that an export adds to each table with raw values -> their description. A row has at most one of them."""


class UnknownName(ValueError):
    """No figure of the published file has this licence or provider."""


@dataclass(frozen=True)
class RawValues:
    """The columns of a table that contain raw values, as numbers or in a text.

    Attributes:
        of: Joined to ``withheld_<of>`` and ``restricted_<of>``: ``figures`` (iso3, indicator_id, year), ``indicators``
            (indicator_id), ``origins`` (indicator_id; also where the figure of its other origin is marked) or
            ``claims`` (claim_id).
        on: Condition of that join; ``t`` is the table, ``{m}`` the other one.
        columns: Columns to set to NULL.
        kept: Pairs of a column and a condition on the row under which its value is exported nevertheless.
    """

    of: str
    on: str
    columns: tuple[str, ...]
    kept: tuple[tuple[str, str], ...] = ()


_BY_INDICATOR = "t.indicator_id = {m}.indicator_id"
_OF_INDICATOR = "t.kind = 'indicator' and t.id = {m}.indicator_id"
_BY_CLAIM = "t.claim_id = {m}.claim_id"
_GOALPOSTS_AND_SHARES = (
    "label_code in ('floor', 'target', 'level', 'attainment', 'due', 'ahead_or_behind', 'pace_ratio', 'status',"
    " 'other_level')"
)
_NOTES = "label_code not in ('observed_change', 'projection')"
"""The notes and operands of these lines contain the points of a slope and the ends of an interval."""

RAW_VALUES: dict[str, RawValues] = {
    "observations": RawValues(
        "figures", "t.iso3 = {m}.iso3 and t.indicator_id = {m}.indicator_id and t.year = {m}.year", ("value",)
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
    "trajectories": RawValues(
        "indicators",
        _BY_INDICATOR,
        (
            "path_value",
            "observed_value",
            "projection",
            "projection_low",
            "projection_high",
            "expected_this_year",
        ),
    ),
    "member_recommendations": RawValues(
        "indicators",
        _BY_INDICATOR,
        (
            "recommendation",
            "latest_value",
            "observed_annual_change",
            "required_annual_change_from_now",
            "peer_value",
            "operands",
        ),
        kept=(("recommendation", "kind = 'report'"),),
    ),
    "target_set_scores": RawValues(
        "indicators", _BY_INDICATOR, ("latest_value", "difference", "required_annual_change_from_now")
    ),
    "second_origins": RawValues(
        "origins",
        _BY_INDICATOR,
        ("declared_value", "other_value", "common_declared_value", "common_other_value", "difference"),
    ),
    "score_explanation": RawValues(
        "origins",
        "t.subject = 'indicator' and t.subject_id = {m}.indicator_id",
        ("arithmetic", "value", "note", "operands"),
        kept=(("value", _GOALPOSTS_AND_SHARES), ("note", _NOTES), ("operands", _NOTES)),
    ),
    "claim_tests": RawValues(
        "indicators",
        _BY_INDICATOR,
        ("reason", "value", "base_value", "improvement", "value_without_afg", "deviation", "reason_operands"),
    ),
    "claim_base_years": RawValues("indicators", _BY_INDICATOR, ("value", "base_value", "improvement")),
    "claims_audit": RawValues(
        "claims", _BY_CLAIM, ("verdict_reason", "evidence_value", "deviation", "verdict_reason_operands")
    ),
    "regional_space": RawValues(
        "indicators",
        _BY_INDICATOR,
        ("value",),
        kept=(("value", "measure in ('indicator_sigma', 'indicator_beta', 'indicator_beta_error')"),),
    ),
    "recommendation_measures": RawValues(
        "indicators", _BY_INDICATOR, ("region_value",), kept=(("region_value", "measure_kind = 'indicator'"),)
    ),
    "v_indicators_latest": RawValues(
        "indicators",
        _BY_INDICATOR,
        (
            "value",
            "baseline_value",
            "expected_this_year",
            "gap_to_expected",
            "gap_to_target",
            "change_per_year",
            "needed_per_year",
            "projection",
            "projection_low",
            "projection_high",
        ),
    ),
    "v_history": RawValues("indicators", _OF_INDICATOR, ("value", "expected")),
    "v_compare": RawValues("indicators", _OF_INDICATOR, ("value", "other_value", "value_difference")),
    "claim_verdict_changes": RawValues("claims", _BY_CLAIM, ("previous_evidence_value", "evidence_value")),
}


def withhold(
    connection: duckdb.DuckDBPyConnection, licences: Collection[str] = (), providers: Collection[str] = ()
) -> None:
    """Write temporary tables of the values to leave out (``withheld_*``) and to include on request (``restricted_*``).

    ``licence_terms`` (licence, terms, reason) has one row per licence of the file.

    Args:
        connection: The published file.
        licences: Licences that are not open and whose raw values are exported nevertheless.
        providers: Providers whose raw values are exported whatever their licence.

    Raises:
        UnknownName: No figure has such a licence or provider.
    """
    _check("licence", licences, connection)
    _check("provider", providers, connection)
    connection.execute(
        f"""
        create temp table licence_terms as
        select
            licence,
            coalesce(terms, 'unknown') as terms,
            coalesce(reason, 'not in the list of licences') as reason
        from (select licence from observations union select licence from indicators)
        left join read_csv('{quoted(TERMS)}', header = true, all_varchar = true) using (licence)
        order by licence
        """
    )
    # an indicator without figures may have rejects and revisions; the catalogue has its licence
    connection.execute(
        """
        create temp table closed as
        with closed as (
            select iso3, indicator_id, year, licence, provider from observations
            union all
            select null, indicator_id, null, licence, null
            from indicators anti join observations using (indicator_id)
        )
        select
            iso3, indicator_id, year, licence,
            case
                when list_contains($1::varchar[], licence) or list_contains($2::varchar[], provider) then 'restricted'
                else 'withheld'
            end as mark
        from closed semi join (from licence_terms where terms <> 'open') using (licence)
        """,
        [list(licences), list(providers)],
    )
    _write_marked(connection)


def _write_marked(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the figures, indicators, origins and claims of each mark from the table ``closed``."""
    tests = connection.execute("select 1 from duckdb_tables() where table_name = 'claim_tests'").fetchone()
    of_claims = (
        "select claim_id, indicator_id from claim_tests" if tests else "select '' as claim_id, '' as indicator_id"
    )
    pairs = connection.execute("select 1 from duckdb_tables() where table_name = 'origin_pairs'").fetchone()
    of_others = (
        "select indicator_id, other_indicator_id from origin_pairs"
        if pairs
        else "select '' as indicator_id, '' as other_indicator_id"
    )
    for mark in MARKS:
        connection.execute(
            f"""
            create temp table {mark}_figures as
            select iso3, indicator_id, year, licence from closed where mark = '{mark}' and year is not null;
            create temp table {mark}_indicators as
            select indicator_id, string_agg(distinct licence, '; ' order by licence) as licence
            from closed where mark = '{mark}' group by indicator_id;
            create temp table {mark}_origins as
            with series as (
                select indicator_id, indicator_id as series from {mark}_indicators union all {of_others}
            )
            select series.indicator_id, string_agg(distinct marked.licence, '; ' order by marked.licence) as licence
            from series join {mark}_indicators as marked on series.series = marked.indicator_id
            group by series.indicator_id;
            create temp table {mark}_claims as
            select claim_id, string_agg(distinct licence, '; ' order by licence) as licence
            from ({of_claims}) join {mark}_indicators using (indicator_id) group by claim_id;
            """
        )


def _check(column: str, named: Collection[str], connection: duckdb.DuckDBPyConnection) -> None:
    known = [row[0] for row in connection.execute(f"select distinct {column} from observations order by 1").fetchall()]
    for name in named:
        if name not in known:
            raise UnknownName(f"no figure has the {column} {name!r}; there are {'; '.join(known)}")


def shareable(table: str) -> str:
    """Return the query for a table as it may be passed on; it needs the tables that ``withhold`` writes.

    Columns keep their order, values that are left out are NULL, and the columns ``MARKS`` come last. Rows are ordered
    by all columns.
    """
    if table not in RAW_VALUES:
        return f'from main."{table}" order by all'
    raw = RAW_VALUES[table]
    kept = dict(raw.kept)
    shown = ", ".join(
        f"case when w.licence is null or ({kept.get(c, 'false')}) then t.{c} end as {c}" for c in raw.columns
    )
    return (
        f"select t.* replace ({shown}), w.licence as withheld, if(w.licence is null, r.licence, null) as restricted"
        f" from main.{table} as t"
        f" left join withheld_{raw.of} as w on {raw.on.format(m='w')}"
        f" left join restricted_{raw.of} as r on {raw.on.format(m='r')}"
        " order by all"
    )
