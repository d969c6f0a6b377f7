"""The data of the report and the briefs: each part comes from one query on the published file.

Belongs here: queries. Does not belong here: computing a score (``dbt_project``), words and number formats
(``pipelines.texts.words``). Rows are dictionaries with the columns of the published tables. If the publication lacks a
table, its part is empty, and the pages show a note instead.
"""

# ruff: noqa: RUF009  part() is dataclasses.field() with the query of a part

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import duckdb

from pipelines.seeds.codes import DECIDED, DEPENDING, DOCUMENT_ROLES, FRAMEWORK, PROGRESS, SIGNS, VERDICTS
from warehouse.layout import Layout
from warehouse.publications import compare
from warehouse.reading import open_published, records_of

Row = dict[str, Any]

_SIGN = "case when status_reason = 'not_comparable_edition' then 'level_only' else status end"

_CELLS = f"""
    select s.*, {_SIGN} as sign, list_position({list(SIGNS)}, {_SIGN}) as sign_order, e.name, i.title, i.unit,
           b.transform, f.role
    from indicator_scores as s
    join scorecard as m using (framework_id, iso3)
    join economies as e using (iso3)
    join indicators as i using (indicator_id)
    join framework_indicators as f using (framework_id, indicator_id)
    left join benchmarks as b using (framework_id, indicator_id)
    where framework_id = $framework
"""


def part(sql: str) -> Any:
    """Return the field of a part with its query; ``$framework`` is the main framework."""
    return field(metadata={"sql": sql})


@dataclass(frozen=True)
class Report:
    """Everything that the pages show. Each part is a list of rows in the order of the page."""

    publication: Row
    previous: Row | None
    """Columns ``published_at`` and ``as_of`` of the publication before; None if this is the first one that is kept."""
    changes: list[Row]
    """Changes since ``previous``, with the columns of ``carec diff``."""
    pillars: list[Row] = part("from pillars where framework_id = $framework order by not in_overall, pillar_id")
    subthemes: list[Row] = part("from subthemes where framework_id = $framework order by pillar_id, subtheme_id")
    members: list[Row] = part("""
        from scorecard where framework_id = $framework order by overall_score desc nulls last, coverage desc, name
    """)
    pillar_scores: list[Row] = part("""
        select s.*, e.name from pillar_scores as s join scorecard using (framework_id, iso3)
        join economies as e using (iso3)
        where framework_id = $framework order by pillar_id, s.score desc nulls last, e.name
    """)
    indicators: list[Row] = part("""
        select f.pillar_id, f.subtheme_id, f.weight, f.role, i.*, b.* exclude (framework_id, indicator_id),
               regexp_matches(i.licence, 'NC|SA|unknown') as is_restricted
        from framework_indicators as f join indicators as i using (indicator_id)
        left join benchmarks as b using (framework_id, indicator_id)
        where framework_id = $framework order by pillar_id, subtheme_id, i.title
    """)
    cells: list[Row] = part(
        f"from ({_CELLS}) order by pillar_id, subtheme_id, title, latest_value is null, level_score desc, name"
    )
    regions: list[Row] = part("""
        select r.*, g.title as group_title, v.title as variant_title
        from region_scores as r join groups as g using (group_id) join region_variants as v using (variant)
        where framework_id = $framework and (group_id = 'carec' or v.excluded_iso3 is null)
        order by list_position(['carec', 'asean', 'eu27', 'upper_middle_income', 'world'], group_id),
                 v.excluded_iso3 is not null, v.is_weighted
    """)
    second_origins: list[Row] = part("""
        select s.*, e.name, i.title, i.unit, p.note
        from second_origins as s join economies as e using (iso3) join indicators as i using (indicator_id)
        join origin_pairs as p using (indicator_id)
        where framework_id = $framework order by indicator_id, abs(s.difference) desc nulls last, e.name
    """)
    bands: list[Row] = part("""
        select r.*, p.value as min_order_share
        from rank_probabilities as r join scoring_parameters as p on p.parameter = 'min_order_share'
        where framework_id = $framework order by iso3_a, iso3_b
    """)
    sensitivity: list[Row] = part(
        "from rank_sensitivity where framework_id = $framework order by total_order_share desc, assumption"
    )
    audit: list[Row] = part("from statistical_audit where framework_id = $framework order by all")
    hit_rates: list[Row] = part("from status_hit_rate where framework_id = $framework order by all")
    backtest: list[Row] = part(
        "from projection_backtest where framework_id = $framework order by indicator_id, horizon"
    )
    verdicts: list[Row] = part("""
        select pillar, verdict, count(*) as claims
        from claims_audit where duplicate_of is null group by all order by all
    """)
    claims: list[Row] = part(f"""
        select c.*, i.title as evidence_title,
               c.verdict in ({", ".join(f"'{verdict}'" for verdict in DECIDED + DEPENDING)}) as is_decided
        from claims_audit as c left join indicators as i on i.indicator_id = c.evidence_indicator_id
        order by list_position({list(VERDICTS)}, c.verdict), regexp_extract(document_line, '^[0-9]+')::integer, claim_id
    """)
    milestones: list[Row] = part("""
        select m.*, t.title as subtheme_title
        from milestones as m join subthemes as t on t.subtheme_id = m.subtheme_id and t.framework_id = $framework
        where t.register_only order by m.subtheme_id, m.country_iso3, m.claim_id
    """)
    documents: list[Row] = part(f"""
        from claim_documents
        order by claim_id, list_position({list(DOCUMENT_ROLES)}, role), known_from, source_url
    """)
    titles: list[Row] = part("select indicator_id, title from indicators order by indicator_id")
    claim_tests: list[Row] = part("""
        from claim_tests as t
        order by t.claim_id, t.role desc, t.indicator_id, t.variant, t.iso3
    """)
    base_years: list[Row] = part("from claim_base_years order by claim_id, indicator_id, iso3, base_year")
    inconsistencies: list[Row] = part("from claim_inconsistencies order by inconsistency_id")
    freshness: list[Row] = part("""
        with held as (
            select o.indicator_id, mode(o.provider) as provider,
                   arg_max(o.provider_release, (o.year, o.retrieved_at, o.provider_release)) as provider_release,
                   max(o.licence) as licence,
                   mode(o.source_url) as source_url, string_agg(distinct o.provider_code, ', ') as provider_code,
                   count(distinct o.iso3) filter (e.is_member) as members
            from observations as o join economies as e using (iso3) group by o.indicator_id
        )
        select h.*, i.title, i.unit, i.max_age_years, held.* exclude (indicator_id),
               f.pillar_id is not null as is_scored,
               regexp_matches(coalesce(held.licence, i.licence), 'NC|SA|unknown') as is_restricted
        from source_health as h join indicators as i using (indicator_id)
        left join held using (indicator_id)
        left join framework_indicators as f on f.indicator_id = h.indicator_id and f.framework_id = $framework
        order by f.pillar_id is null, f.pillar_id, i.title
    """)
    progress: list[Row] = part(f"""
        from progress_summary where framework_id = $framework
        order by iso3 <> 'CAREC', iso3, list_position({list(PROGRESS)}, progress)
    """)
    """Counts of the region come first, under the code ``CAREC``."""
    next_steps: list[Row] = part("""
        from member_recommendations where framework_id = $framework
        order by iso3, list_position(['pace', 'peer', 'report'], kind), place
    """)
    trajectories: list[Row] = part(
        "from trajectories where framework_id = $framework order by indicator_id, iso3, year"
    )
    member_observations: list[Row] = part("""
        select o.iso3, o.indicator_id, o.year, o.value
        from observations as o
        join framework_indicators as f on f.indicator_id = o.indicator_id and f.framework_id = $framework
        join scorecard as s on s.iso3 = o.iso3 and s.framework_id = $framework
        where o.year >= 2005 order by o.indicator_id, o.iso3, o.year
    """)
    """Every observation of the members since 2005, for the charts of the paths."""
    world: list[Row] = part("""
        select o.indicator_id, o.iso3, arg_max(o.value, o.year) as value
        from observations as o
        join framework_indicators as f on f.indicator_id = o.indicator_id and f.framework_id = $framework
        join indicators as i on i.indicator_id = o.indicator_id
        join economies as e on e.iso3 = o.iso3 and not e.is_aggregate
        where o.year >= year((select as_of from publication)) - i.max_age_years
        group by all order by o.indicator_id, o.iso3
    """)
    """Latest value of every economy that is not too old."""
    group_figures: list[Row] = part("""
        select distinct id as indicator_id, other_id as group_id, other as group_title, other_value as value,
               other_members as members
        from v_compare
        where kind = 'indicator' and other_is_group and other_id in ('asean', 'eu27') and other_value is not null
        order by indicator_id, group_id
    """)
    """Mean of the newest figures of ASEAN and the EU, for every indicator."""
    gaps: list[Row] = part("from gaps where framework_id = $framework")
    history: list[Row] = part("""
        select h.iso3, h.pillar_id, h.year as as_of_year, h.chained_score as score, h.chained_index, h.chain_start,
               h.indicators_jumped
        from matched_change as h join scorecard using (framework_id, iso3)
        where framework_id = $framework and h.chained_score is not null
        qualify h.chain_start = max(h.chain_start) over (partition by h.iso3, h.pillar_id)
            and count(*) over (partition by h.iso3, h.pillar_id, h.chain_start) > 1
        order by h.year, h.pillar_id
    """)
    """The years of the newest chain of matched changes, for every member and pillar with at least two of them."""
    jumps: list[Row] = part("""
        select j.*, e.name, i.title, i.unit
        from series_jumps as j join economies as e using (iso3) join indicators as i using (indicator_id)
        where framework_id = $framework
        order by list_position(['undecided', 'real_change', 'declared_break'], decision), to_year desc, e.name, i.title
    """)
    rejects: list[Row] = part("""
        select provider, count(*) as records from rejects group by all order by records desc, provider
    """)
    editions: list[Row] = part("""
        with editions as (
            select distinct source_title, edition_year, released_on from edition_releases
        ),
        spaced as (
            select *, released_on - lag(released_on) over (partition by source_title order by released_on) as days
            from editions
        )
        select source_title, max(edition_year) as edition_year, max(released_on) as released_on,
               (max(released_on) + cast(round(median(days)) as integer))::date as expected_on,
               (select list(distinct provider)
                from observations where indicator_id in (
                    select indicator_id from edition_releases as r where r.source_title = spaced.source_title
                )) as providers
        from spaced group by source_title order by source_title
    """)
    space: list[Row] = part("from regional_space order by row_id")
    imputed: list[Row] = part("""
        from imputed_scores where framework_id = $framework
        and iso3 in (select iso3 from economy_groups where group_id = 'carec') order by iso3
    """)
    instruments: list[Row] = part("from treaty_instruments order by list_date is null, list_date desc, instrument_id")
    recommendations: list[Row] = part("from recommendations order by kind desc, recommendation_id")
    recommendation_measures: list[Row] = part("""
        from recommendation_measures
        order by recommendation_id, list_position(['indicator', 'panel', 'claim'], measure_kind), role, measure_id
    """)
    governance: list[Row] = part("""
        from governance_comparison
        order by
            list_position(
                ['common_targets', 'owner', 'yearly_report', 'binding_rules', 'measured_integration'], aspect
            ),
            list_position(['carec', 'asean', 'eu27'], group_id)
    """)
    coming: list[Row] = part("""
        select s.iso3, o.provider, count(*) as indicators, max(s.measured_year) as measured_year,
               count(*) filter (s.status_reason = 'stale') as stale,
               min(s.measured_year + i.max_age_years) filter (s.status_reason <> 'stale') as needed_by
        from indicator_scores as s
        join scorecard using (framework_id, iso3)
        join indicators as i using (indicator_id)
        join observations as o on o.iso3 = s.iso3 and o.indicator_id = s.indicator_id and o.year = s.latest_year
        where framework_id = $framework group by all order by s.iso3, needed_by, o.provider
    """)

    @property
    def title_of(self) -> dict[str, str]:
        """Title by id of every indicator of the catalogue."""
        return {row["indicator_id"]: row["title"] for row in self.titles}


def pick(rows: Sequence[Row], **wanted: object) -> list[Row]:
    """Return the rows that have all of these values, in the given order: ``pick(report.cells, iso3="KAZ")``."""
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def grouped(rows: Iterable[Row], column: str) -> dict[Any, list[Row]]:
    """Return value of a column -> its rows, both in the given order."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def read(layout: Layout) -> Report:
    """Read everything that the pages show from the published file.

    Raises:
        NotPublished: The warehouse has no publication.
        Unreadable: The published file cannot be read.
    """
    with open_published(layout.published) as connection:
        connection.execute("set threads = 1")  # aggregates then resolve ties in the same way every time
        parts = {one.name: _rows(connection, one.metadata["sql"]) for one in fields(Report) if one.metadata}
        (publication,) = _rows(connection, "from publication")
    comparison = compare(layout)
    previous: Row | None = None
    if comparison:
        previous = {"published_at": comparison.previous_published_at, "as_of": comparison.previous_as_of}
    changes = comparison.records if comparison else []
    return Report(publication=publication, previous=previous, changes=changes, **parts)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    try:
        return records_of(connection.execute(sql, {"framework": FRAMEWORK} if "$framework" in sql else None))
    except duckdb.CatalogException:  # this publication does not have the table
        return []
