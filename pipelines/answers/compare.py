"""Members side by side: overall score, pillars and indicators, with a group's means if asked.

Belongs here: the query and its columns. Does not belong here: the printed table (``pipelines.cli.compare``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.published import covered_economy, economy_code, fetch, fetch_rows
from pipelines.seeds.codes import FRAMEWORK
from sources.errors import ConfigurationError, did_you_mean

MOST = 4
"""Most members that are compared."""

SUBJECT = ("subject_type", "subject_id", "pillar_id", "title", "unit")
"""Columns that say what a row compares."""
OF_MEMBER = ("score", "rank", "value", "year", "status", "reason")
"""Columns of each member, with its code before them: ``UZB_score``."""
OF_GROUP = ("score", "value", "members")
"""Columns of the group, with its id before them: ``asean_score``."""


@dataclass(frozen=True)
class SideBySide:
    """Members side by side.

    Attributes:
        names: Code of a member, or id of the group, -> its name, in the order of the columns.
        group: Id of the group; None without one.
        columns: ``SUBJECT``, then ``OF_MEMBER`` of each member, then ``OF_GROUP``.
        rows: The overall score, the pillars, and the indicators of each pillar.
    """

    names: dict[str, str]
    group: str | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def compare(members: Sequence[str], group: str | None = None, framework: str = FRAMEWORK) -> SideBySide:
    """Return two to four members, or one to four and a group, side by side.

    The score of a group is the published mean of its members (every member counts once); its value of an indicator is
    the mean of its members' newest figures that are not too old, and ``members`` counts them.

    Args:
        members: ISO3 codes, in the order of the columns.
        group: Id of a group; None for members only.
        framework: Id of the framework.

    Raises:
        ConfigurationError: A code or the group is unknown, or the number of members is not allowed.
        NotPublished: Nothing is published yet.
    """
    codes = [economy_code(member) for member in members]
    names = _checked(codes, group, framework)
    member_columns = [
        f"max(l.{column}) filter (where l.iso3 = '{code}') as \"{code}_{column}\""
        for code in codes
        for column in OF_MEMBER
    ]
    group_columns = [f'any_value(g.{column}) as "{group}_{column}"' for column in OF_GROUP] if group else []
    found = fetch_rows(
        f"""
        with {_SUBJECTS}, {_LONG}, {_OF_GROUP}
        select {", ".join(f"s.{column}" for column in SUBJECT)}, {", ".join([*member_columns, *group_columns])}
        from subjects as s
        left join long as l on s.subject_type = l.subject_type and s.subject_id = l.subject_id
        left join of_group as g on s.subject_type = g.subject_type and s.subject_id = g.subject_id
        group by {", ".join(f"s.{column}" for column in SUBJECT)}, s.place
        order by s.place, s.pillar_id, s.subject_id
        """,
        {"framework": framework, "group": group},
    )
    return SideBySide(names, group, tuple(found.columns), tuple(found.values))


def _checked(codes: Sequence[str], group: str | None, framework: str) -> dict[str, str]:
    """Return the names of members and group, or raise ConfigurationError."""
    names = {code: covered_economy(framework, code) for code in codes}
    if len(set(codes)) < len(codes):
        raise ConfigurationError("a member is named twice")
    if not (1 if group else 2) <= len(codes) <= MOST:
        raise ConfigurationError(f"name 2 to {MOST} members, or 1 to {MOST} and a group, not {len(codes)}")
    if group:
        groups = dict(fetch("select group_id, title from groups order by 1"))
        if group not in groups:
            raise ConfigurationError(
                f"there is no group {group!r}; the groups are {', '.join(groups)}{did_you_mean(group, groups)}"
            )
        names[group] = str(groups[group])
    return names


_SUBJECTS = """
    subjects as (
        select 'overall' as subject_type, 'overall' as subject_id, null as pillar_id, 'Overall score' as title,
            null as unit, 0 as place
        union all
        select 'pillar', p.pillar_id, p.pillar_id, any_value(t.title), null, 1
        from pillar_scores as p
        left join pillars as t on p.framework_id = t.framework_id and p.pillar_id = t.pillar_id
        where p.framework_id = $framework group by p.pillar_id
        union all
        select 'indicator', f.indicator_id, f.pillar_id, i.title, i.unit, 2
        from framework_indicators as f join indicators as i using (indicator_id)
        where f.framework_id = $framework
    )
"""

_LONG = """
    long as (
        select 'overall' as subject_type, 'overall' as subject_id, iso3, overall_score as score, rank,
            null::double as value, null::integer as year, null::varchar as status, score_reason as reason
        from scorecard where framework_id = $framework
        union all
        select 'pillar', pillar_id, iso3, score, rank, null, null, null, score_reason
        from pillar_scores where framework_id = $framework
        union all
        select 'indicator', indicator_id, iso3, level_score, null, latest_value, latest_year, status,
            case when level_score is null or status = 'insufficient_data' then status_reason end
        from indicator_scores where framework_id = $framework
    )
"""

_OF_GROUP = """
    newest as (
        select o.indicator_id, o.iso3, max_by(o.value, o.year) as value
        from observations as o
        join economy_groups as m on o.iso3 = m.iso3 and m.group_id = $group
        join indicators as i on o.indicator_id = i.indicator_id
        cross join publication as p
        where o.year >= year(p.as_of) - i.max_age_years and o.year <= year(p.as_of)
        group by o.indicator_id, o.iso3
    ),
    of_group as (
        select if(pillar_id = 'overall', 'overall', 'pillar') as subject_type, pillar_id as subject_id, score,
            null::double as value, members_scored as members
        from region_scores where framework_id = $framework and group_id = $group and variant = 'simple'
        union all
        -- summed in a fixed order, so that the same figures give the same bits
        select 'indicator', indicator_id, null, list_sum(list(value order by iso3)) / count(*), count(*)::integer
        from newest group by indicator_id
    )
"""
