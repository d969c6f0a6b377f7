"""The command ``dictionary``: the tables, views and columns of the published file with their descriptions.

Belongs here: printing the dictionary and writing ``docs/dictionary.md``. Does not belong here: the descriptions; they
are in dbt's YAML files and, as comments, in the published file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from pipelines.answers.dictionary import described
from pipelines.cli.tables import Format, show
from pipelines.cli.terminal import format_option, home_path, write_document
from sources.errors import ConfigurationError, did_you_mean


@click.command()
@click.argument("table", required=False, help="A table or view of the published file.")
@click.option(
    "--write-docs", "write", type=home_path, metavar="FILE", help="Write it as a document (docs/dictionary.md)."
)
@format_option
def dictionary(table: str | None, write: Path | None, fmt: Format) -> None:
    """What the tables and columns of the published file mean."""
    if write is not None:
        from pipelines.dbt.runner import manifest  # only the document needs dbt's project
        from pipelines.workspace import open_workspace

        write_document(write, document(manifest(open_workspace())))
    else:
        page(table, fmt)


def page(table: str | None, fmt: Format) -> None:
    """Print the tables, or the columns of one table."""
    columns = described()
    if table is None:
        tables = {one.table: one.meaning_of_table for one in columns}
        show(["table", "description"], list(tables.items()), fmt)
        return
    own = [[one.column, one.kind, one.meaning] for one in columns if one.table == table.lower()]
    if not own:
        near = did_you_mean(table, {one.table for one in columns})
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
    for name, rows in groupby(described(), key=lambda one: one.table):
        columns = list(rows)
        parts += [f"## {name}", columns[0].meaning_of_table]
        if name in keys:
            parts.append(f"Key: {', '.join(f'`{column}`' for column in keys[name])}")
        lines = ["| column | type | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{one.column}` | {one.kind} | {_cell(one.meaning)} |" for one in columns]
        parts.append("\n".join(lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _keys(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return table -> the columns that dbt tests as its key."""
    nodes = manifest["nodes"]
    return {
        nodes[node["attached_node"]]["name"]: rule["unique_key"]["columns"]
        for node in nodes.values()
        if (node.get("test_metadata") or {}).get("name") == "rules"
        for rule in node["test_metadata"]["kwargs"]["rules"]
        if "unique_key" in rule
    }
