"""The command ``recommendations``: the review's recommendations and what public figures show of them.

Belongs here: the queries and columns that it prints. Does not belong here: the state of the region and what is missing
(``dbt_project``), the section of the report (``pipelines.report.recommendations``).
"""

from __future__ import annotations

import click

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import format_option
from pipelines.formatting import GAP, figure
from pipelines.published import fetch, fetch_rows, imprint, opened_once
from sources.errors import ConfigurationError

_MEASURE_ORDER = "list_position(['indicator', 'panel', 'claim'], measure_kind), role, measure_id"

_GOVERNANCE_ORDER = (
    "list_position(['common_targets', 'owner', 'yearly_report', 'binding_rules', 'measured_integration'], aspect),"
    " list_position(['carec', 'asean', 'eu27'], group_id)"
)


@click.command()
@click.argument("recommendation_id", required=False, help="One recommendation with its measures: r1 to r7, g1 to g3.")
@click.option("--governance", is_flag=True, help="How CAREC, ASEAN and the European Union govern their strategies.")
@format_option
@opened_once()
def recommendations(recommendation_id: str | None, governance: bool, fmt: Format) -> None:
    """The ten recommendations of the mid-term review in figures: the region's state, and what is missing."""
    if governance and recommendation_id:
        raise click.BadParameter("RECOMMENDATION_ID prints one recommendation: it does not take --governance")
    if governance:
        _governance(fmt)
    elif recommendation_id:
        _one(recommendation_id.lower(), fmt)
    else:
        _all(fmt)


def _all(fmt: Format) -> None:
    rows = fetch_rows("from recommendations order by kind desc, recommendation_id")
    if fmt is not Format.TABLE:
        show(*rows, fmt)
        return
    heads = ["", "recommendation", "level", "on path", "furthest behind", "claims decided", "figures missing"]
    lines = [
        [
            row["recommendation_id"],
            row["title"],
            figure(row["region_level"]),
            f"{row['figures_on_path']} of {row['figures_with_status']}",
            row["behind"],
            f"{row['claims_decided']} of {row['claims']}",
            f"{row['figures_missing']} of {row['figures_expected']}",
        ]
        for row in rows.records
    ]
    right = ["level", "on path", "claims decided", "figures missing"]
    show(heads, lines, fmt, title="The recommendations of the mid-term review", right=right)
    out = console()
    out.print("\nThe level is the mean over the indicators that follow a recommendation; it is no score of it.")
    out.print("One recommendation with its measures: carec recommendations ID")
    out.print(imprint())


def _one(recommendation_id: str, fmt: Format) -> None:
    """Print one recommendation and its measures.

    Raises:
        ConfigurationError: There is no such recommendation.
    """
    found = fetch_rows("from recommendations where recommendation_id = ?", [recommendation_id]).records
    if not found:
        known = [row[0] for row in fetch("select recommendation_id from recommendations order by kind desc, 1")]
        raise ConfigurationError(f"there is no recommendation {recommendation_id!r}; known are {', '.join(known)}")
    measures = fetch_rows(
        f"from recommendation_measures where recommendation_id = ? order by {_MEASURE_ORDER}", [recommendation_id]
    )
    if fmt is not Format.TABLE:
        show(*measures, fmt)
        return
    one = found[0]
    out = console()
    out.print(f"{one['recommendation_id']}: {one['title']} (line {one['document_line']} of the review)")
    out.print(f"  {one['recommendation']}")
    out.print(f"  not measured: {one['not_measured']}")
    out.print()
    heads = ["kind", "measure", "role", "value", "unit", "year", "members", "furthest behind", "verdict or reason"]
    lines = [
        [
            row["measure_kind"],
            row["measure_id"],
            row["role"],
            figure(row["region_value"]),
            row["unit"],
            row["year"],
            GAP if row["members_with_value"] is None else f"{row['members_with_value']} of {row['members_total']}",
            row["behind"],
            f"{row['verdict']}; documents: {row['documentary_verdict']}" if row["verdict"] else row["reason"],
        ]
        for row in measures.records
    ]
    show(heads, lines, fmt, right=["value", "year", "members"])
    out.print(imprint())


def _governance(fmt: Format) -> None:
    rows = fetch_rows(f"from governance_comparison order by {_GOVERNANCE_ORDER}")
    if fmt is not Format.TABLE:
        show(*rows, fmt)
        return
    heads = ["aspect", "group", "answer", "finding", "source"]
    lines = [
        [row["aspect"], row["group_id"], row["answer"] or f"{GAP} {row['reason']}", row["finding"], row["source_url"]]
        for row in rows.records
    ]
    show(heads, lines, fmt, title="How three regions govern their digital strategies")
    console().print(imprint())
