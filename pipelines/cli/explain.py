"""What the commands print that show how a score comes about, and what it is measured against.

Belongs here: `carec explain`, `carec scorecard --target-set`, `carec benchmarks recompute`. Does not belong here: the
arithmetic, which is in the tables ``score_explanation`` and ``target_set_scores`` and in
``pipelines.seeds.goalposts``.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipelines.cli.sources_and_query import OWN_CHOICE, fetch, imprint
from pipelines.cli.tables import Format, console, show
from pipelines.formatting import figure, number
from pipelines.seeds.goalposts import apply, recompute
from pipelines.settings import load_settings
from pipelines.workspace import DBT_PROJECT
from sources.catalogue import load_catalogue
from sources.errors import ConfigurationError
from warehouse import landing
from warehouse.layout import Layout

MAIN_SET = "main"
"""The targets of the seed benchmarks: the only ones that scores are made of."""


def explain(iso3: str, subject: str | None, framework: str, fmt: Format) -> None:
    """One score line by line: an indicator's, a pillar's with its indicators', or the overall one with its pillars'."""
    known = {row[0]: row[1] for row in fetch("select framework_id, count(*) from framework_indicators group by all")}
    if framework not in known:
        raise ConfigurationError(f"there is no framework {framework!r}; known are {', '.join(sorted(known))}")
    name = fetch("select name from scorecard where framework_id = ? and iso3 = ?", [framework, iso3])
    if not name:
        raise ConfigurationError(f"{framework} has no score of {iso3!r}: it is no ISO3 code of an economy it covers")
    chosen = _chosen(subject, framework)
    columns = ["subject", "subject_id", "step", "item", "arithmetic", "value", "note", "source", "source_url"]
    lines = [
        line
        for kind, subject_id in chosen
        for line in fetch(
            f"select {', '.join(columns)} from score_explanation"
            " where framework_id = ? and iso3 = ? and subject = ? and subject_id = ? order by step",
            [framework, iso3, kind, subject_id],
        )
    ]
    if fmt is not Format.TABLE:
        show(columns, lines, fmt)
        return
    titles = dict(fetch("select indicator_id, title from indicators"))
    titles |= dict(fetch("select pillar_id, title from pillars where framework_id = ?", [framework]))
    out = console()
    for line in lines:
        kind, subject_id, step, *told = line
        if step == 1:
            title = "" if kind == "overall" else f": {titles.get(subject_id, subject_id)}"
            out.print(f"\n{name[0][0]}, {subject_id}{title}", markup=False, soft_wrap=True)
        out.print(_told(*told), markup=False, soft_wrap=True)
    out.print(f"\n{OWN_CHOICE}\n{imprint()}", markup=False, soft_wrap=True)


def _chosen(subject: str | None, framework: str) -> list[tuple[str, str]]:
    """What is explained, in the order in which one follows from the other: (subject, subject_id)."""
    places = fetch(
        "select indicator_id, pillar_id from framework_indicators where framework_id = ? order by all", [framework]
    )
    counts = dict(
        fetch(
            "select distinct e.subject_id, coalesce(p.in_overall, true) from score_explanation as e"
            " left join pillars as p on e.framework_id = p.framework_id and e.subject_id = p.pillar_id"
            " where e.framework_id = ? and e.subject = 'pillar' order by 1",
            [framework],
        )
    )
    if subject is None or subject == "overall":
        return [*(("pillar", pillar) for pillar, in_overall in counts.items() if in_overall), ("overall", "overall")]
    if subject in counts:
        return [*(("indicator", one) for one, pillar in places if pillar == subject), ("pillar", subject)]
    if subject in {one for one, _ in places}:
        return [("indicator", subject)]
    raise ConfigurationError(
        f"{framework} has no pillar or indicator {subject!r}; its pillars are {', '.join(counts)},"
        " its indicators stand in `carec indicators`"
    )


def _told(
    item: str,
    arithmetic: str | None,
    value: float | None,
    note: str | None,
    source: str | None,
    source_url: str | None,
) -> str:
    """One line of an explanation, what belongs to it indented below."""
    origin = ", ".join(part for part in (source, source_url) if part)
    remarks = [part for part in (f"= {arithmetic}" if arithmetic else None, note, origin) if part]
    told = "" if value is None else f"{value:.6g}"
    first = f"  {item:<23}{told:>12}  {remarks[0] if remarks else ''}"
    return "\n".join([first.rstrip(), *(" " * 39 + remark for remark in remarks[1:])])


def target_set(name: str, iso3: str | None, fmt: Format) -> None:
    """Members, or one of them, against the targets of a named set. Never part of a score."""
    sets = {row[0]: row[1:] for row in fetch("select target_set, title, note from target_sets")}
    if name not in sets:
        raise ConfigurationError(f"there is no target set {name!r}; known are {', '.join([MAIN_SET, *sorted(sets)])}")
    columns = [
        "iso3",
        "indicator_id",
        "unit",
        "latest_value",
        "latest_year",
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
    told = [[r[0], r[1], figure(r[3]), r[4], figure(r[5]), r[6], r[10]] for r in rows]
    show(heads, told, fmt, title=title, right=["value", "year", "target", "by"])
    out = console()
    out.print(f"\n{note}. These targets enter no score.", markup=False, soft_wrap=True)
    sources = {(r[1], r[11], r[12], r[13]) for r in rows}
    for indicator_id, source, url, confidence in sorted(sources):
        out.print(f"{indicator_id}: {source}, {url} ({confidence})", markup=False, soft_wrap=True)
    out.print(imprint(), markup=False, soft_wrap=True)


def recompute_benchmarks(write: bool, fmt: Format, as_of: date | None = None) -> None:
    """Print every computed goalpost that differs from the seed, and change the seed if ``write``.

    Args:
        write: write the differing cells into ``benchmarks.csv``.
        fmt: how the differing cells are printed.
        as_of: compute from the vintages known at the end of that day; from the published figures where None.
    """
    seed = DBT_PROJECT / "seeds" / "benchmarks.csv"
    cells = recompute(seed, fetch, _vintages_of(as_of) if as_of else ())
    changed = [cell for cell in cells if cell.differs]
    columns = ["framework_id", "indicator_id", "column", "seed", "recomputed"]
    rows: list[list[Any]] = [
        [cell.framework_id, cell.indicator_id, cell.column, cell.seed, cell.recomputed] for cell in changed
    ]
    if fmt is not Format.TABLE:
        show(columns, rows, fmt)
    elif rows:
        known = f"the figures known on {as_of}" if as_of else "today's figures"
        show(columns, rows, fmt, title=f"Goalposts that {known} would move")
    if write:
        apply(seed, changed)
    out = console(stderr=True)
    numbers = sum(cell.is_number for cell in changed)
    out.print(
        f"{len(cells)} computed cells: {number(numbers, 0)} goalposts and {len(changed) - numbers} descriptions of them"
        f" differ; {'written to' if write and changed else 'nothing written to'} {seed.name}",
        markup=False,
        soft_wrap=True,
    )
    if changed and not write:
        out.print("Goalposts are frozen: moving one moves scores, and scores before and after do not compare.")


def _vintages_of(day: date) -> list[Path]:
    """Return the file of each indicator's newest vintage that was known at the end of ``day``.

    Raises:
        ConfigurationError: No vintage in this warehouse is that old.
    """
    layout = Layout(load_settings().warehouse)
    end = datetime.combine(day + timedelta(days=1), time())
    landed = [landing.vintages(layout, indicator.id) for indicator in load_catalogue()]
    known = [[one for one in vintages if landing.NEVER < one.vintage_at < end] for vintages in landed]
    if not any(known):
        raise ConfigurationError(f"no vintage in {layout.landing} was known on {day}: choose a later day for --as-of")
    return [vintages[-1].path for vintages in known if vintages]
