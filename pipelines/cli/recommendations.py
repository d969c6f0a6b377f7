"""The command ``recommendations``: the review's recommendations and what public figures show of them.

Belongs here: the queries and columns that it prints. Does not belong here: the state of the region and what is missing
(``dbt_project``), the section of the report (``pipelines.report.recommendations``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pipelines.cli.tables import Format, console, show
from pipelines.cli.terminal import FormatOption, command_app
from pipelines.formatting import GAP, figure
from pipelines.published import fetch, imprint, opened_once
from sources.errors import ConfigurationError

app = command_app()

_MEASURE_ORDER = "list_position(['indicator', 'panel', 'claim'], measure_kind), role, measure_id"

_GOVERNANCE_ORDER = (
    "list_position(['common_targets', 'owner', 'yearly_report', 'binding_rules', 'measured_integration'], aspect),"
    " list_position(['carec', 'asean', 'eu27'], group_id)"
)


@app.command()
@opened_once()
def recommendations(
    recommendation_id: Annotated[
        str | None, typer.Argument(help="One recommendation with its measures: r1 to r7, g1 to g3.")
    ] = None,
    governance: Annotated[
        bool, typer.Option("--governance", help="How CAREC, ASEAN and the European Union govern their strategies.")
    ] = False,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """The ten recommendations of the mid-term review in figures: the region's state, and what is missing."""
    if governance and recommendation_id:
        raise typer.BadParameter("RECOMMENDATION_ID prints one recommendation: it does not take --governance")
    if governance:
        _governance(fmt)
    elif recommendation_id:
        _one(recommendation_id.lower(), fmt)
    else:
        _all(fmt)


def _rows(table: str, where: str, order: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    columns = [row[0] for row in fetch(f"describe {table}")]
    found = fetch(f"from {table} where {where} order by {order}", list(parameters))
    return [dict(zip(columns, row, strict=True)) for row in found]


def _plain(table: str, rows: Sequence[dict[str, Any]], fmt: Format) -> None:
    columns = [row[0] for row in fetch(f"describe {table}")]
    show(columns, [list(row.values()) for row in rows], fmt)


def _all(fmt: Format) -> None:
    rows = _rows("recommendations", "true", "kind desc, recommendation_id")
    if fmt is not Format.TABLE:
        _plain("recommendations", rows, fmt)
        return
    heads = ["", "recommendation", "level", "on path", "furthest behind", "claims decided", "figures missing"]
    lines = [
        [
            row["recommendation_id"],
            row["title"],
            figure(row["region_level"]),
            f"{row['figures_on_path']} of {row['figures_with_status']}",
            row["behind"] or GAP,
            f"{row['claims_decided']} of {row['claims']}",
            f"{row['figures_missing']} of {row['figures_expected']}",
        ]
        for row in rows
    ]
    right = ["level", "on path", "claims decided", "figures missing"]
    show(heads, lines, fmt, title="The recommendations of the mid-term review", right=right)
    out = console()
    out.print("\nThe level is the mean over the indicators that follow a recommendation; it is no score of it.")
    out.print("One recommendation with its measures: carec recommendations ID")
    out.print(imprint(), markup=False)


def _one(recommendation_id: str, fmt: Format) -> None:
    """Print one recommendation and its measures.

    Raises:
        ConfigurationError: There is no such recommendation.
    """
    found = _rows("recommendations", "recommendation_id = ?", "all", [recommendation_id])
    if not found:
        known = [row[0] for row in fetch("select recommendation_id from recommendations order by kind desc, 1")]
        raise ConfigurationError(f"there is no recommendation {recommendation_id!r}; known are {', '.join(known)}")
    measures = _rows("recommendation_measures", "recommendation_id = ?", _MEASURE_ORDER, [recommendation_id])
    if fmt is not Format.TABLE:
        _plain("recommendation_measures", measures, fmt)
        return
    one = found[0]
    out = console()
    out.print(f"{one['recommendation_id']}: {one['title']} (line {one['document_line']} of the review)", markup=False)
    out.print(f"  {one['recommendation']}", markup=False)
    out.print(f"  not measured: {one['not_measured']}", markup=False)
    out.print()
    heads = ["kind", "measure", "role", "value", "unit", "year", "members", "furthest behind", "verdict or reason"]
    lines = [
        [
            row["measure_kind"],
            row["measure_id"],
            row["role"],
            figure(row["region_value"]),
            row["unit"] or GAP,
            GAP if row["year"] is None else row["year"],
            GAP if row["members_with_value"] is None else f"{row['members_with_value']} of {row['members_total']}",
            row["behind"] or GAP,
            f"{row['verdict']}; documents: {row['documentary_verdict']}" if row["verdict"] else row["reason"] or GAP,
        ]
        for row in measures
    ]
    show(heads, lines, fmt, right=["value", "year", "members"])
    out.print(imprint(), markup=False)


def _governance(fmt: Format) -> None:
    rows = _rows("governance_comparison", "true", _GOVERNANCE_ORDER)
    if fmt is not Format.TABLE:
        _plain("governance_comparison", rows, fmt)
        return
    heads = ["aspect", "group", "answer", "finding", "source"]
    lines = [
        [
            row["aspect"],
            row["group_id"],
            row["answer"] or f"{GAP} {row['reason']}",
            row["finding"] or GAP,
            row["source_url"] or GAP,
        ]
        for row in rows
    ]
    show(heads, lines, fmt, title="How three regions govern their digital strategies")
    console().print(imprint(), markup=False)
