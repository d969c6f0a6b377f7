"""``carec scorecard --target-set``: the members against another set of targets.

Belongs here: the query and columns of the page. Does not belong here: the arithmetic (the table ``target_set_scores``).
"""

from __future__ import annotations

from operator import itemgetter

from pipelines.cli.tables import Format, console, readable, show
from pipelines.published import fetch, fetch_rows, imprint
from sources.errors import ConfigurationError

MAIN_SET = "main"
"""The targets of the seed ``benchmarks``: only these enter scores."""


def target_set(name: str, iso3: str | None, fmt: Format) -> None:
    """Print all members, or one, against the targets of a set. These targets enter no score.

    Args:
        name: Id of the target set.
        iso3: ISO3 code of one member; all members if None.
        fmt: How the rows are printed.

    Raises:
        ConfigurationError: The target set is unknown.
    """
    sets = {row[0]: row[1:] for row in fetch("select target_set, title, note from target_sets")}
    if name not in sets:
        raise ConfigurationError(f"there is no target set {name!r}; known are {', '.join([MAIN_SET, *sorted(sets)])}")
    rows = fetch_rows(
        """
        select s.iso3, s.indicator_id, i.unit, s.latest_value, s.latest_year, s.measured_year, s.target_value,
               s.target_year, s.difference, s.level_score, s.required_annual_change_from_now, s.verdict,
               s.source_title, s.source_url, s.confidence, s.note
        from target_set_scores as s join indicators as i using (indicator_id)
        where s.target_set = $set and ($iso3::varchar is null or s.iso3 = $iso3)
        order by s.indicator_id, s.iso3
        """,
        {"set": name, "iso3": iso3},
    )
    if fmt is not Format.TABLE:
        show(*rows, fmt)
        return
    title, note = sets[name]
    heads = ["", "indicator", "value", "year", "target", "by", "verdict"]
    shown = ("iso3", "indicator_id", "latest_value", "latest_year", "target_value", "target_year", "verdict")
    lines = [[row[column] for column in shown] for row in rows.records]
    show(heads, lines, fmt, title=title, cell=readable, right=["value", "year", "target", "by"])
    out = console()
    out.print(f"\n{note}. These targets enter no score.", soft_wrap=True)
    parts = itemgetter("indicator_id", "source_title", "source_url", "confidence")
    for indicator_id, source, url, confidence in sorted(set(map(parts, rows.records))):
        out.print(f"{indicator_id}: {source}, {url} ({confidence})", soft_wrap=True)
    out.print(imprint(), soft_wrap=True)
