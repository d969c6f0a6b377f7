"""The command ``dictionary``: the tables, views and columns of the published file with their descriptions.

Belongs here: printing the dictionary and writing ``docs/dictionary.md``. Does not belong here: the descriptions; they
are in dbt's YAML files and, as comments, in the published file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import FormatOption, command_app, home_path, write_document
from pipelines.dbt.runner import manifest
from pipelines.published import fetch
from pipelines.workspace import open_workspace
from sources.errors import ConfigurationError, did_you_mean

app = command_app()

_COLUMNS = """
    with described as (
        select table_oid, schema_name, table_name as name, comment from duckdb_tables() where not internal
        union all
        select view_oid, schema_name, view_name, comment from duckdb_views() where not internal
    )
    select d.name, c.column_name, lower(c.data_type), coalesce(c.comment, ''), coalesce(d.comment, '')
    from described as d join duckdb_columns() as c using (table_oid, schema_name)
    where schema_name = 'main' and not c.internal and c.table_name = d.name
    order by not starts_with(d.name, 'v_'), d.name, c.column_index
"""


@app.command()
def dictionary(
    table: Annotated[str | None, typer.Argument(help="A table or view of the published file.")] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write-docs", parser=home_path, metavar="FILE", help="Write it as a document (docs/dictionary.md)."
        ),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """What the tables and columns of the published file mean."""
    if write is not None:
        write_document(write, document(manifest(open_workspace())))
    else:
        page(table, fmt)


def page(table: str | None, fmt: Format) -> None:
    """Print the tables, or the columns of one table."""
    columns = fetch(_COLUMNS)
    if table is None:
        tables = {name: comment for name, _, _, _, comment in columns}
        show(["table", "description"], list(tables.items()), fmt)
        return
    own = [[column, kind, comment] for name, column, kind, comment, _ in columns if name == table.lower()]
    if not own:
        near = did_you_mean(table, {name for name, *_ in columns})
        raise ConfigurationError(f"there is no table {table!r}; `carec dictionary` lists all tables{near}")
    show(["column", "type", "description"], own, fmt)


def document(manifest: Path) -> str:
    """Return ``docs/dictionary.md``: every table with its key and columns.

    Args:
        manifest: dbt's ``manifest.json``; the keys are those that dbt tests.
    """
    keys = _keys(json.loads(manifest.read_text(encoding="utf-8")))
    parts = [
        "# Data dictionary",
        "Every view (`v_...`, where most questions start) and every table of the published file `carec.duckdb`. The"
        " same texts are in the file itself as comments (`carec dictionary TABLE`, or `duckdb_columns()`) and in every"
        " export. Times are UTC. `make docs` writes this page.",
    ]
    for name, rows in groupby(fetch(_COLUMNS), key=lambda row: row[0]):
        columns = list(rows)
        parts += [f"## {name}", columns[0][4]]
        if name in keys:
            parts.append(f"Key: {', '.join(f'`{column}`' for column in keys[name])}")
        lines = ["| column | type | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{column}` | {kind} | {_cell(comment)} |" for _, column, kind, comment, _ in columns]
        parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _keys(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return table -> the columns that dbt tests as its key."""
    nodes = manifest["nodes"]
    return {
        nodes[node["attached_node"]]["name"]: node["test_metadata"]["kwargs"]["columns"]
        for node in nodes.values()
        if (node.get("test_metadata") or {}).get("name") == "unique_key"
    }
