"""The command ``explain``: the computation of a score, line by line.

Belongs here: the queries and the layout of the lines. Does not belong here: the arithmetic, which is in the table
``score_explanation``.
"""

from __future__ import annotations

import click

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import format_option
from pipelines.cli.unscored import unscored
from pipelines.published import OWN_CHOICE, covered_economy, economy_code, fetch, imprint, opened_once
from pipelines.seeds.codes import FRAMEWORK
from sources.errors import ConfigurationError, did_you_mean

OUTSIDE = "outside"
"""Kind of an indicator that the framework does not score."""


@click.command()
@click.argument("country", help="An economy: ISO3 code or name.")
@click.argument("subject", required=False, help="An indicator or a pillar; else the overall score.")
@click.option("--framework", metavar="ID", default=FRAMEWORK, help="The framework.")
@format_option
@opened_once()
def explain(country: str, subject: str | None, framework: str, fmt: Format) -> None:
    """How a score is computed, line by line, with sources."""
    iso3 = economy_code(country)
    name = covered_economy(framework, iso3)
    columns = ["subject", "subject_id", "step", "item", "arithmetic", "value", "note", "source", "source_url"]
    columns += ["note_code", "operands"]
    kind, ids = _chosen(subject, framework)
    if kind == OUTSIDE:
        lines = unscored(iso3, ids[0], framework)
    else:
        lines = fetch(
            f"select {', '.join(columns)} from score_explanation"
            " where framework_id = $framework and iso3 = $iso3 and list_contains($ids, subject_id)"
            " order by list_position($ids, subject_id), step",
            {"framework": framework, "iso3": iso3, "ids": ids},
        )
    if fmt is not Format.TABLE:
        show(columns, lines, fmt)
        return
    titles = dict(fetch("select indicator_id, title from indicators"))
    titles |= dict(fetch("select pillar_id, title from pillars where framework_id = ?", [framework]))
    out = console()
    for line in lines:
        kind, subject_id, step, *cells, _, _ = line
        if step == 1:
            title = "" if kind == "overall" else f": {titles.get(subject_id, subject_id)}"
            out.print(f"\n{name}, {subject_id}{title}", soft_wrap=True)
        out.print(_format_line(*cells), soft_wrap=True)
    out.print(f"\n{OWN_CHOICE}\n{imprint()}", soft_wrap=True)


def _chosen(subject: str | None, framework: str) -> tuple[str, list[str]]:
    """Return the kind of a subject, and the id of each score to print: the parts, then the score computed from them."""
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
    subject = subject and subject.lower()
    if subject is None or subject == "overall":
        return "overall", [*(pillar for pillar, in_overall in counts.items() if in_overall), "overall"]
    if subject in counts:
        return "pillar", [*(one for one, pillar in places if pillar == subject), subject]
    if subject in {one for one, _ in places}:
        return "indicator", [subject]
    catalogue = {row[0] for row in fetch("select indicator_id from indicators")}
    if subject in catalogue:
        return OUTSIDE, [subject]
    raise ConfigurationError(
        f"{framework} has no pillar or indicator {subject!r}; its pillars are {', '.join(counts)},"
        f" `carec indicators` lists the indicators{did_you_mean(subject, [*counts, *sorted(catalogue)])}"
    )


def _format_line(
    item: str,
    arithmetic: str | None,
    value: float | None,
    note: str | None,
    source: str | None,
    source_url: str | None,
) -> str:
    """Return one line of an explanation, with note and source indented below it."""
    origin = ", ".join(part for part in (source, source_url) if part)
    remarks = [part for part in (f"= {arithmetic}" if arithmetic else None, note, origin) if part]
    number = "" if value is None else f"{value:.6g}"
    first = f"  {item:<23}{number:>12}  {remarks[0] if remarks else ''}"
    return "\n".join([first.rstrip(), *(" " * 39 + remark for remark in remarks[1:])])
