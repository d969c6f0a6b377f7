"""The command ``indicators``: the catalogue as a table.

Belongs here: the columns of the table. Does not belong here: the entries (``sources/catalog``).
"""

from __future__ import annotations

import csv

import click

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option
from pipelines.seeds.codes import FRAMEWORK
from pipelines.settings import DBT_PROJECT
from sources.catalogue import load_catalogue


@click.command()
@click.argument("indicator_id", metavar="[ID]", required=False, help="One indicator in full.")
@format_option
def indicators(indicator_id: str | None, fmt: Format) -> None:
    """The catalogue: indicators with unit, pillar and providers; or one in full."""
    chosen = load_catalogue().select([indicator_id.lower()] if indicator_id else None)
    with (DBT_PROJECT / "seeds" / "framework_indicators.csv").open(encoding="utf-8", newline="") as file:
        places = {
            row["indicator_id"]: (row["pillar_id"], row["subtheme_id"], row["role"])
            for row in csv.DictReader(file)
            if row["framework_id"] == FRAMEWORK
        }
    rows = []
    for one in chosen:
        pillar, subtheme, role = places.get(one.id, (None, None, None))
        chain = " > ".join(link.provider for link in one.chain)
        rows.append(
            [
                one.id,
                one.title,
                one.unit,
                one.direction.value,
                pillar,
                subtheme,
                role,
                one.max_age_years,
                one.licence,
                chain,
            ]
        )
    columns = ["indicator_id", "title", "unit", "direction", "pillar", "subtheme", "role", "max_age_years", "licence"]
    columns.append("providers")
    if indicator_id:
        (one,), (row,) = chosen, rows
        columns += ["origin", "population_base", "definition", "note"]
        rows = [[*row, one.origin, one.population_base, _flat(one.definition), _flat(one.note)]]
        if fmt is Format.TABLE:
            show(["", one.id], [pair for pair in zip(columns, rows[0], strict=True) if pair[1] is not None], fmt)
            return
    show(columns, rows, fmt)


def _flat(text: str | None) -> str | None:
    return text and " ".join(text.split())
