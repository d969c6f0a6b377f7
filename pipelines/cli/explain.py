"""What the commands print that show how a score comes about, and what it is measured against.

Belongs here: `carec explain`, `carec scorecard --target-set`, `carec benchmarks recompute`. Does not belong here: the
arithmetic, which is in the tables ``score_explanation`` and ``target_set_scores`` and in
``pipelines.seeds.goalposts``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import FormatOption, command_app
from pipelines.published import OWN_CHOICE, fetch, imprint
from sources.errors import ConfigurationError

app = command_app()

MAIN_SET = "main"
"""The targets of the seed benchmarks: the only ones that scores are made of."""


@app.command()
def explain(
    country: Annotated[str, typer.Argument(help="An ISO3 code.")],
    subject: Annotated[str | None, typer.Argument(help="An indicator or a pillar; else the overall score.")] = None,
    framework: Annotated[str, typer.Option("--framework", metavar="ID", help="The framework.")] = "carec_2030",
    fmt: FormatOption = Format.TABLE,
) -> None:
    """How a score comes about, line by line, with sources."""
    print_explanation(country.upper(), subject, framework, fmt)


def print_explanation(iso3: str, subject: str | None, framework: str, fmt: Format) -> None:
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
