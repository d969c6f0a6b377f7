"""The rows of the SDMX data sets, one column per component.

Belongs here: how published columns become components. Does not belong here: what may be passed on (``licences``), files
(``data``).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.export.licences import RAW_VALUES
from warehouse.reading import quoted

FLAGS = Path(__file__).with_name("obs_status.csv")
"""The standard code of each provider's flags."""

OWN = "carec_scorecard"
"""Code of this project as a provider, for values that it computes."""
OWN_LICENCE = "result of the CAREC Digital Scorecard"

_INSTANT = "'%Y-%m-%dT%H:%M:%SZ'"

_RANKS = ("rank", "rank_p05", "rank_median", "rank_p95")
_PACES = ("attainment", "due", "ahead_behind", "pace_ratio")
_PROBABILITIES = ("probability_of_target", "probability_of_pace_target")
_IMPUTED = ("imputed_score", "imputed_low", "imputed_high")
_PATHS = ("path_value", "distance_to_path", "projection", "projection_low", "projection_high")


def load_flags(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Write the temporary table ``flags`` and return the flags of the observations that it lacks, with their provider.

    An observation with such a flag has the status A, and its flag is exported unchanged.
    """
    connection.execute(
        f"create temp table flags as from read_csv('{quoted(FLAGS)}', header = true, all_varchar = true)"
    )
    missing = connection.execute(
        "select distinct provider || ' ' || obs_status from observations as o"
        " anti join flags as f on o.provider = f.provider and o.obs_status = f.flag"
        " where o.obs_status is not null order by 1"
    ).fetchall()
    return [row[0] for row in missing]


def query_of(dataflow: str) -> str:
    """Return the query of a data set, ordered by its dimensions; it needs ``withhold`` and ``load_flags``."""
    return {"OBSERVATIONS": _observations, "SCORES": _scores, "TRAJECTORIES": _trajectories}[dataflow]()


def _observations() -> str:
    # a break is at the first figure of the new kind, if there is a figure before it
    return f"""
    with breaks as (
        select o.iso3, o.indicator_id, min(o.year) filter (o.year >= b.from_year) as year, min(b.note) as note
        from observations as o join series_breaks as b
            on o.indicator_id = b.indicator_id and (b.iso3 is null or o.iso3 = b.iso3)
        group by o.iso3, o.indicator_id, b.from_year
        having count(*) filter (o.year < b.from_year) > 0
    )
    select
        'A' as FREQ,
        o.iso3 as REF_AREA,
        o.indicator_id as INDICATOR,
        o.year::varchar as TIME_PERIOD,
        if(w.licence is null, o.value, null) as OBS_VALUE,
        o.unit as UNIT_MEASURE,
        case
            when b.year is not null then 'B'
            when w.licence is not null then 'Q'
            when o.figure_origin = 'flagged' then 'U'
            else coalesce(f.obs_status, 'A')
        end as OBS_STATUS,
        if(w.licence is null and r.licence is null, 'F', 'N') as CONF_STATUS,
        if(w.licence is null, null, 'licence') as MISSING_REASON,
        o.obs_status as PROVIDER_FLAG,
        nullif(concat_ws('; ', b.note, o.figure_note), '') as COMMENT_OBS,
        o.provider as PROVIDER,
        o.licence as LICENCE,
        strftime(o.vintage_at, {_INSTANT}) as VINTAGE,
        o.source_url as SOURCE_URL,
        o.provider_code as PROVIDER_CODE,
        o.provider_release as PROVIDER_RELEASE
    from observations as o
    left join withheld_figures as w using (iso3, indicator_id, year)
    left join restricted_figures as r using (iso3, indicator_id, year)
    left join breaks as b on o.iso3 = b.iso3 and o.indicator_id = b.indicator_id and o.year = b.year
    left join flags as f on o.provider = f.provider and o.obs_status = f.flag
    order by REF_AREA, INDICATOR, TIME_PERIOD
    """


def _scores() -> str:
    """Return the query of scores: those of today, and of earlier years where the history has them.

    A missing score has a row with its reason; another missing measure has none.
    """
    today = "(select year(as_of) from publication)"
    parts = [
        _measure("scorecard_history", "overall", "'overall'", "overall_score", "score", "as_of_year"),
        _measure("pillar_history", "pillar", "pillar_id", "score", "score", "as_of_year"),
        _measure(
            "subtheme_scores", "subtheme", "subtheme_id", "score", "score", today, "if(score is null, 'no_data', null)"
        ),
        _measure("indicator_scores", "indicator", "indicator_id", "level_score", "score", today, "status_reason"),
        *(_measure("scorecard", "overall", "'overall'", column, column, today) for column in _RANKS),
        _measure(
            "scorecard_history", "overall", "'overall'", "rank", "rank", "as_of_year", where=f"as_of_year < {today}"
        ),
        _measure("pillar_scores", "pillar", "pillar_id", "rank", "rank", today),
        _measure("scorecard_history", "overall", "'overall'", "coverage", "coverage", "as_of_year"),
        _measure("pillar_history", "pillar", "pillar_id", "coverage", "coverage", "as_of_year"),
        *(
            _measure("indicator_scores", "indicator", "indicator_id", column, column, today)
            for column in (*_PACES, *_PROBABILITIES, "points_lost")
        ),
        *(_measure("imputed_scores", "overall", "'overall'", column, column, today) for column in _IMPUTED),
    ]
    return f"""
    with figures as ({" union all by name ".join(parts)})
    select
        'A' as FREQ,
        iso3 as REF_AREA,
        framework_id as FRAMEWORK,
        subject_type as SUBJECT_TYPE,
        subject as SUBJECT,
        measure as MEASURE,
        year::varchar as TIME_PERIOD,
        value as OBS_VALUE,
        case
            when measure in ('score', 'points_lost') or starts_with(measure, 'imputed') then 'points'
            when starts_with(measure, 'rank') then 'rank'
            else 'share'
        end as UNIT_MEASURE,
        case
            when value is null then 'O'
            when starts_with(measure, 'imputed') then 'I'
            when starts_with(measure, 'probability') then 'F'
            else 'A'
        end as OBS_STATUS,
        'F' as CONF_STATUS,
        if(value is null, reason, null) as MISSING_REASON,
        progress as PROGRESS_STATUS,
        tied as TIED_WITH,
        '{OWN}' as PROVIDER,
        '{OWN_LICENCE}' as LICENCE,
        strftime((select coalesce(newest_vintage, published_at) from publication), {_INSTANT}) as VINTAGE,
        null::varchar as SOURCE_URL
    from figures
    where value is not null or measure = 'score'
    order by REF_AREA, FRAMEWORK, SUBJECT_TYPE, SUBJECT, MEASURE, TIME_PERIOD
    """


def _measure(
    table: str, kind: str, subject: str, column: str, measure: str, year: str, reason: str = "", where: str = "true"
) -> str:
    """Return the query of one column of a table of results, as rows of subject, measure, year and value."""
    reason = reason or ("score_reason" if column in ("score", "overall_score") else "null")
    progress = "status" if table == "indicator_scores" and measure == "score" else "null"
    tied = "tied_with" if table == "scorecard" and measure == "rank" else "null"
    return (
        f"select framework_id, iso3, '{kind}' as subject_type, {subject} as subject, '{measure}' as measure,"
        f" {year} as year, {column}::double as value, ({reason})::varchar as reason, ({progress})::varchar as progress,"
        f" ({tied})::varchar as tied"
        f" from {table} where {where}"
    )


def _trajectories() -> str:
    hidden = ", ".join(f"'{column}'" for column in _PATHS if column in RAW_VALUES["trajectories"].columns)
    return f"""
    with figures as (
        unpivot (select framework_id, iso3, indicator_id, year, {", ".join(_PATHS)} from trajectories)
        on {", ".join(_PATHS)} into name measure value value
    ),
    sources as (
        select
            iso3,
            indicator_id,
            max_by(unit, year) as unit,
            max_by(provider, year) as provider,
            max_by(licence, year) as licence,
            max_by(source_url, year) as source_url,
            max(vintage_at) as vintage_at
        from observations group by iso3, indicator_id
    )
    select
        'A' as FREQ,
        t.iso3 as REF_AREA,
        t.framework_id as FRAMEWORK,
        'indicator' as SUBJECT_TYPE,
        t.indicator_id as SUBJECT,
        t.measure as MEASURE,
        t.year::varchar as TIME_PERIOD,
        if(w.licence is null or t.measure not in ({hidden}), t.value, null) as OBS_VALUE,
        if(t.measure = 'distance_to_path', 'points', s.unit) as UNIT_MEASURE,
        case
            when w.licence is not null and t.measure in ({hidden}) then 'Q'
            when starts_with(t.measure, 'projection') then 'F'
            else 'A'
        end as OBS_STATUS,
        if((w.licence is null and r.licence is null) or t.measure not in ({hidden}), 'F', 'N') as CONF_STATUS,
        if(w.licence is not null and t.measure in ({hidden}), 'licence', null) as MISSING_REASON,
        null::varchar as PROGRESS_STATUS,
        null::varchar as TIED_WITH,
        s.provider as PROVIDER,
        s.licence as LICENCE,
        strftime(s.vintage_at, {_INSTANT}) as VINTAGE,
        s.source_url as SOURCE_URL
    from figures as t
    left join sources as s using (iso3, indicator_id)
    left join withheld_indicators as w using (indicator_id)
    left join restricted_indicators as r using (indicator_id)
    order by REF_AREA, FRAMEWORK, SUBJECT_TYPE, SUBJECT, MEASURE, TIME_PERIOD
    """
