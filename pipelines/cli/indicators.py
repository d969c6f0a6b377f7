"""The command ``indicators``: the catalogue as a table.

Belongs here: the columns of the table. Does not belong here: the entries (``sources/catalog``).
"""

from __future__ import annotations

import polars as pl

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import FormatOption, command_app
from pipelines.seeds.codes import FRAMEWORK
from pipelines.workspace import open_workspace

app = command_app()


@app.command()
def indicators(fmt: FormatOption = Format.TABLE) -> None:
    """The catalogue: indicators with unit, pillar and providers."""
    workspace = open_workspace()
    framework = pl.read_csv(workspace.dbt_project / "seeds" / "framework_indicators.csv")
    places = {
        row["indicator_id"]: (row["pillar_id"], row["subtheme_id"], row["role"])
        for row in framework.filter(pl.col("framework_id") == FRAMEWORK).to_dicts()
    }
    rows = []
    for one in workspace.catalogue:
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
    show([*columns, "providers"], rows, fmt)
