"""``carec explain ISO3 ID`` of an indicator that enters no score: its figure, its source, and what it is for.

Belongs here: the lines of such an explanation. Does not belong here: the explanation of a score (``explain``).
"""

from __future__ import annotations

from typing import Any

from pipelines.published import fetch
from pipelines.texts.words import ENGLISH, Words

SHOWN = 3
"""Most names in a list of claims."""

_USES = """
    select 'scored by the framework ' || framework_id from framework_indicators where indicator_id = $id
    union all
    select distinct 'second origin of ' || indicator_id || ': enters only its rank scenarios' from second_origins
    where other_indicator_id = $id
    union all
    select distinct 'compared with the target set ' || target_set || ': enters no score' from alternative_targets
    where indicator_id = $id
    union all
    select 'tests ' || count(distinct claim_id) || ' of the review''s claims: '
        || array_to_string(list(distinct claim_id order by claim_id)[:$shown], ', ')
        || if(count(distinct claim_id) > $shown, ' and more (carec claims)', '')
    from claim_tests where indicator_id = $id having count(*) > 0
"""


def unscored(iso3: str, indicator_id: str, framework: str) -> list[tuple[Any, ...]]:
    """Return the lines of an indicator outside the framework, with the columns of an explanation.

    Args:
        iso3: Code of an economy.
        indicator_id: Id of an indicator of the catalogue.
        framework: The framework in which it is not scored.
    """
    ((unit, definition, note),) = fetch(
        "select unit, definition, note from indicators where indicator_id = ?", [indicator_id]
    )
    figures = fetch(
        "select year, value, concat_ws(', ', provider, provider_code, provider_release), source_url from observations"
        " where iso3 = ? and indicator_id = ? order by year desc limit 1",
        [iso3, indicator_id],
    )
    unit = Words(ENGLISH).word("units", unit)
    if figures:
        year, value, source, url = figures[0]
        parts: list[tuple[Any, ...]] = [("observation", None, value, f"{year}, {unit}", source, url)]
    else:
        reason = fetch("select stale_reason from source_health where indicator_id = ?", [indicator_id])
        parts = [("observation", None, None, "no figure of this economy in any source", None, None)]
        parts += [("last refresh", None, None, text, None, None) for text in filter(None, reason[0] if reason else ())]
    parts.append(("definition", None, None, " ".join(definition.split()), None, None))
    if note:
        parts.append(("note", None, None, " ".join(note.split()), None, None))
    parts.append(("not scored", None, None, f"no indicator of the framework {framework}: it has no weight", None, None))
    uses = [use for (use,) in fetch(_USES, {"id": indicator_id, "shown": SHOWN})]
    parts += [("used for", None, None, use, None, None) for use in uses or ["context only"]]
    return [("indicator", indicator_id, step, *part, None, None) for step, part in enumerate(parts, start=1)]
