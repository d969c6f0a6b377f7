"""The tools: questions that a client can ask, each answered from the published file.

Belongs here: arguments and queries. Does not belong here: the form of an answer (``envelope``), the protocol
(``server``). The docstring of a tool is its description for clients.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from pipelines.answers.compare import compare as compared
from pipelines.mcp_server.envelope import about, answer
from pipelines.mcp_server.worker import run_apart
from pipelines.published import economy_code, fetch, fetch_rows
from pipelines.seeds.codes import DOCUMENTARY_VERDICTS, FRAMEWORK, VERDICTS
from sources.errors import ConfigurationError

MOST_ROWS = 1_000
"""Rows of an answer at most."""

Economy = Annotated[str, Field(description="ISO3 code or English name of an economy, such as UZB", max_length=40)]
Name = Annotated[str, Field(max_length=200)]


def scorecard(country: Economy | None = None) -> dict[str, Any]:
    """Scores from 0 to 100 and ranks of the CAREC members, overall and per pillar; or one member's indicators.

    With a country: its overall score, pillars and every indicator with newest figure, target, level, pace and status.
    """
    if country is None:
        rows = fetch_rows(
            """
            select iso3, name, 'overall' as subject, 'Overall score' as title, overall_score as score, rank, rank_p05,
                rank_p95, coverage, score_reason as reason
            from scorecard where framework_id = $framework
            union all
            select p.iso3, s.name, p.pillar_id, t.title, p.score, p.rank, null, null, p.coverage, p.score_reason
            from pillar_scores as p
            join scorecard as s using (framework_id, iso3)
            join pillars as t using (framework_id, pillar_id)
            where p.framework_id = $framework
            order by 3, 5 desc nulls last, 1
            """,
            {"framework": FRAMEWORK},
        )
        return answer(*rows, indicators=_indicators())
    iso3 = _known_country(country)
    rows = fetch_rows(
        """
        select 'overall' as subject_type, 'overall' as subject, 'Overall score' as title, overall_score as score, rank,
            null::double as value, null::varchar as unit, null::integer as year, null::double as target,
            null::integer as target_year, null::double as pace_ratio, null::varchar as status, score_reason as reason
        from scorecard where framework_id = $framework and iso3 = $iso3
        union all
        select 'pillar', p.pillar_id, t.title, p.score, p.rank, null, null, null, null, null, null, null, p.score_reason
        from pillar_scores as p join pillars as t using (framework_id, pillar_id)
        where p.framework_id = $framework and p.iso3 = $iso3
        union all
        select 'indicator', s.indicator_id, i.title, s.level_score, null, s.latest_value, i.unit, s.latest_year,
            s.target_value, s.target_year, s.pace_ratio, s.status, s.status_reason
        from indicator_scores as s join indicators as i using (indicator_id)
        where s.framework_id = $framework and s.iso3 = $iso3
        order by 1 desc, 2
        """,
        {"framework": FRAMEWORK, "iso3": iso3},
    )
    return answer(*rows, indicators=_indicators(), members=[iso3])


def explain(country: Economy, subject: Name = "overall") -> dict[str, Any]:
    """How a score is computed, line by line, with sources: the overall score, a pillar (p1) or an indicator."""
    iso3 = _known_country(country)
    rows = fetch_rows(
        "select subject, subject_id, step, item, arithmetic, value, note, source, source_url from score_explanation"
        " where framework_id = ? and iso3 = ? and subject_id = ? order by subject, step",
        [FRAMEWORK, iso3, subject],
    )
    if not rows.values:
        pillars = [
            row[0] for row in fetch("select pillar_id from pillars where framework_id = ? order by 1", [FRAMEWORK])
        ]
        raise ConfigurationError(
            f"no computation of {subject!r}; there are overall, {', '.join(pillars)} and the indicators of the table"
            " framework_indicators"
        )
    own = {subject} if rows.values[0][0] == "indicator" else _indicators(None if subject == "overall" else subject)
    return answer(*rows, indicators=own, members=[iso3])


def compare(
    members: Annotated[list[Economy], Field(description="Two to four economies, or one with a group", max_length=8)],
    group: Name | None = None,
) -> dict[str, Any]:
    """Members side by side, overall, per pillar and indicator; with a group's means, such as asean, carec or eu27."""
    comparison = compared(members, group)
    places = None if group else comparison.names
    found = answer(comparison.columns, comparison.rows, indicators=_indicators(), members=places)
    return found | {"names": comparison.names}


def claims(
    claim_id: Name | None = None,
    verdict: Name | None = None,
    country: Name | None = None,
    pillar: Name | None = None,
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50,
) -> dict[str, Any]:
    """Claims of the mid-term review with the verdict of public figures and that of documents, and their evidence.

    Filters: one claim, a verdict of figures or documents, a country (ISO3, or CAREC for the region), a pillar.
    """
    verdicts = (*VERDICTS, *DOCUMENTARY_VERDICTS)
    if verdict is not None and verdict not in verdicts:
        raise ConfigurationError(f"{verdict!r} is no verdict; known are {', '.join(verdicts)}")
    found = fetch_rows(
        "select claim_id, country_iso3, pillar, statement, value, unit, value_year, verdict, verdict_reason,"
        " evidence_indicator_id, evidence_value, evidence_unit, evidence_year, provider, vintage_at, source_url,"
        " documentary_verdict, documentary_reason"
        " from claims_audit where ($claim is null or claim_id = $claim)"
        " and ($verdict is null or $verdict in (verdict, documentary_verdict))"
        " and ($country is null or list_contains(string_split(country_iso3, ';'), $country))"
        " and ($pillar is null or pillar = $pillar) order by claim_id limit $limit",
        {
            "claim": claim_id,
            "verdict": verdict,
            "country": None if country is None else country.upper(),
            "pillar": pillar,
            "limit": limit + 1,
        },
    )
    if claim_id is not None and not found.values:
        raise ConfigurationError(f"there is no claim {claim_id!r}; the tool without arguments lists claims")
    used = {row["evidence_indicator_id"] for row in found.records[:limit]} - {None}
    return answer(found.columns, found.values[:limit], indicators=used, more=len(found.values) > limit)


def trajectories(country: Economy, indicator: Name | None = None) -> dict[str, Any]:
    """The path of an indicator, or of all, from baseline to target: path, observations, projection, distance."""
    iso3 = _known_country(country)
    if indicator is not None and indicator not in _indicators():
        raise ConfigurationError(f"{FRAMEWORK} has no indicator {indicator!r}; see the table framework_indicators")
    rows = fetch_rows(
        "select t.indicator_id, i.title, i.unit, t.year, t.path_value, t.observed_value, t.distance_to_path,"
        " t.projection, t.projection_low, t.projection_high, t.expected_this_year"
        " from trajectories as t join indicators as i using (indicator_id)"
        " where t.framework_id = $framework and t.iso3 = $iso3 and ($indicator is null or indicator_id = $indicator)"
        " order by t.indicator_id, t.year",
        {"framework": FRAMEWORK, "iso3": iso3, "indicator": indicator},
    )
    found = answer(*rows, indicators={row[0] for row in rows.values} or {indicator or ""}, members=[iso3])
    if not rows.values:
        found["note"] = "There is no path: the indicator has no baseline here, as an edition index has none."
    return found


def query(
    sql: Annotated[str, Field(description="One read-only statement in DuckDB's dialect", max_length=20_000)],
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 200,
) -> dict[str, Any]:
    """One read-only SQL statement (DuckDB) on the published tables; the resource carec://dictionary describes them.

    It reads nothing else and writes nothing. Rows, time and memory are limited; `truncated` says whether rows are
    missing. Name licence and source from the columns `licence` and `source_url` of the table observations.
    """
    return {**run_apart(sql, limit), "meanings": {}, "about": about()}


def _known_country(country: str) -> str:
    iso3 = economy_code(country)
    members = [row[0] for row in fetch("select iso3 from scorecard where framework_id = ? order by 1", [FRAMEWORK])]
    if iso3 not in members:
        raise ConfigurationError(f"{country!r} is no member; members are {', '.join(members)}")
    return iso3


def _indicators(pillar: str | None = None) -> set[str]:
    """Return the indicators of the framework, or of a pillar."""
    rows = fetch(
        "select indicator_id from framework_indicators where framework_id = $framework"
        " and ($pillar is null or pillar_id = $pillar)",
        {"framework": FRAMEWORK, "pillar": pillar},
    )
    return {row[0] for row in rows}


TOOLS = (scorecard, explain, compare, claims, trajectories, query)
