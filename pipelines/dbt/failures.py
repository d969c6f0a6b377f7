"""The message about a failed build: each failed check, the rows that it found, and the files to correct.

Belongs here: reading failing rows from the build and the wording. Does not belong here: running the checks
(``pipelines.dbt.runner``), and the rule that a failed check stops a publication (``warehouse.publish``).
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from pipelines.dbt.results import Node
from warehouse.layout import Layout
from warehouse.reading import records_of

ROWS = 20
"""Number of failing rows shown per check."""
WARNED_ROWS = 3
"""Number of rows shown per warning; the pages of ``carec ui`` have the others."""
CHECKS = 5
"""Number of failed checks shown with their rows."""
FAILED = {"error", "fail", "runtime error"}
FOUND_ROWS = {"fail", "warn"}


def failing_rows(layout: Layout, node: Node) -> list[dict[str, Any]]:
    """Return the first rows that a test found, read from the build file.

    No other connection may have the build file open for writing.

    Args:
        layout: Paths of the warehouse.
        node: Result of a dbt test.

    Returns:
        Up to ``ROWS`` rows, each as column -> value; empty where the test passed or could not run.
    """
    if node.status not in FOUND_ROWS or not node.sql:
        return []
    try:
        with duckdb.connect(str(layout.build)) as connection:
            return records_of(connection.execute(f"select * from (\n{node.sql}\n) limit {ROWS}"))
    except duckdb.Error:
        return []


def reason(layout: Layout, nodes: Sequence[Node]) -> str:
    """Return the failed models and tests, each with up to ``ROWS`` failing rows and the files to correct.

    Args:
        layout: Paths of the warehouse, with dbt's manifest and the build file.
        nodes: All results of the build.
    """
    broken = [node for node in nodes if node.status in FAILED]
    manifest = json.loads((layout.dbt_target / "manifest.json").read_bytes())
    lines = [f"{len(broken)} of {len(nodes)} models and tests did not pass"]
    for node in broken[:CHECKS]:
        properties = _properties(manifest, node)
        lines.append(f"{node.unique_id.split('.')[2]}: {_short(node.message)}")
        if properties.get("description"):
            lines.append(f"  {' '.join(properties['description'].split())}")
        lines += [f"  {_row(row)}" for row in failing_rows(layout, node)]
        lines.append(f"  see {files_of(manifest, node)}")
    if len(broken) > CHECKS:
        lines.append(f"and {len(broken) - CHECKS} more")
    lines.append(f"correct these files, then run `carec refresh` (full log: {layout.dbt_target / 'dbt.log'})")
    return "\n".join(lines)


def warnings(layout: Layout, nodes: Sequence[Node]) -> list[str]:
    """Return one line per check that gave a warning, with the first of its rows."""
    lines = []
    for node in nodes:
        if node.status == "warn":
            rows = "; ".join(_row(row) for row in failing_rows(layout, node)[:WARNED_ROWS])
            lines.append(f"{node.unique_id.split('.')[2]}: {node.message}: {rows}")
    return lines


def files_of(manifest: Mapping[str, Any], node: Node) -> str:
    """Return the paths of the files to correct: of the model, or of the test and the table that it checks."""
    properties = _properties(manifest, node)
    tested = properties.get("attached_node") or next(iter(properties.get("depends_on", {}).get("nodes", [])), None)
    checked = manifest["nodes"].get(tested) if properties.get("resource_type") == "test" else None
    files = [each["original_file_path"] for each in (checked, properties) if each and each.get("original_file_path")]
    return " and ".join(f"dbt_project/{file}" for file in dict.fromkeys(files)) or "dbt's log"


def _row(row: dict[str, Any]) -> str:
    """Return the text of a failing row without its empty columns: the rules of a table have different columns."""
    return textwrap.shorten(" ".join(f"{name}={value}" for name, value in row.items() if value is not None), 300)


def _properties(manifest: Mapping[str, Any], node: Node) -> Mapping[str, Any]:
    return manifest["nodes"].get(node.unique_id) or manifest["unit_tests"].get(node.unique_id) or {}


def _short(message: str | None) -> str:
    """Return the first part of a dbt message, without the trace of macros."""
    return textwrap.shorten((message or "no message").partition("> in macro")[0], 300)
