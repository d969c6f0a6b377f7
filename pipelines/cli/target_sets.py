"""``carec scorecard --target-set``: the members against another set of targets.

Belongs here: the query and columns of the page. Does not belong here: the arithmetic (the table ``target_set_scores``).
"""

from __future__ import annotations

from pipelines.cli.tables import Format, console, show
from pipelines.formatting import figure
from pipelines.published import fetch, imprint
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
    columns = [
        "iso3",
        "indicator_id",
        "unit",
        "latest_value",
        "latest_year",
        "measured_year",
        "target_value",
        "target_year",
        "difference",
        "level_score",
        "required_annual_change_from_now",
        "verdict",
        "source_title",
        "source_url",
        "confidence",
        "note",
    ]
    rows = fetch(
        f"select {', '.join(f'i.{c}' if c == 'unit' else f's.{c}' for c in columns)} from target_set_scores as s"
        " join indicators as i using (indicator_id) where s.target_set = ? and (?::varchar is null or s.iso3 = ?)"
        " order by s.indicator_id, s.iso3",
        [name, iso3, iso3],
    )
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
        return
    title, note = sets[name]
    heads = ["", "indicator", "value", "year", "target", "by", "verdict"]
    lines = [[r[0], r[1], figure(r[3]), r[4], figure(r[6]), r[7], r[11]] for r in rows]
    show(heads, lines, fmt, title=title, right=["value", "year", "target", "by"])
    out = console()
    out.print(f"\n{note}. These targets enter no score.", markup=False, soft_wrap=True)
    sources = {(r[1], r[12], r[13], r[14]) for r in rows}
    for indicator_id, source, url, confidence in sorted(sources):
        out.print(f"{indicator_id}: {source}, {url} ({confidence})", markup=False, soft_wrap=True)
    out.print(imprint(), markup=False, soft_wrap=True)
