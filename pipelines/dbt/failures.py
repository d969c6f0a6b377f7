"""Why a build may not be published: each check that failed, the rows that fail it, and where to mend them.

Belongs here: reading failing rows out of the build and wording the reason. Does not belong here: running the checks
(``pipelines.dbt.runner``), deciding that they stop a publication (``warehouse.publish``).
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse.layout import Layout

if TYPE_CHECKING:
    from pipelines.dbt.runner import Node

ROWS = 20
"""Failing rows that are shown of a check."""
CHECKS = 5
"""Failed checks that are told in full."""
FAILED = {"error", "fail", "runtime error"}
FOUND_ROWS = {"fail", "warn"}


def failing_rows(layout: Layout, node: Node) -> list[dict[str, Any]]:
    """The first rows that a test found wrong, from the build file; none where the test itself could not run.

    Nobody else may have the build file open for writing.
    """
    if node.status not in FOUND_ROWS or not node.sql:
        return []
    try:
        with duckdb.connect(str(layout.build)) as connection:
            found = connection.execute(f"select * from (\n{node.sql}\n) limit {ROWS}")
            columns = [column[0] for column in found.description or []]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error:
        return []


def reason(layout: Layout, nodes: Sequence[Node]) -> str:
    """Which models and tests did not pass, with up to ``ROWS`` failing rows each, and what to do."""
    broken = [node for node in nodes if node.status in FAILED]
    manifest = json.loads((layout.dbt_target / "manifest.json").read_bytes())
    lines = [f"{len(broken)} of {len(nodes)} models and tests did not pass"]
    for node in broken[:CHECKS]:
        properties = _properties(manifest, node)
        lines.append(f"{node.unique_id.split('.')[2]}: {_short(node.message)}")
        if properties.get("description"):
            lines.append(f"  {' '.join(properties['description'].split())}")
        lines += [f"  {_row(row)}" for row in failing_rows(layout, node)]
        lines.append(f"  see {where(manifest, node)}")
    if len(broken) > CHECKS:
        lines.append(f"and {len(broken) - CHECKS} more")
    lines.append(f"mend what is named, then `carec refresh` (all of it: {layout.dbt_target / 'dbt.log'})")
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    return textwrap.shorten(" ".join(f"{name}={value}" for name, value in row.items()), 300)


def _properties(manifest: Mapping[str, Any], node: Node) -> Mapping[str, Any]:
    return manifest["nodes"].get(node.unique_id) or manifest["unit_tests"].get(node.unique_id) or {}


def where(manifest: Mapping[str, Any], node: Node) -> str:
    """The files to look in: of what a test checks and of the test itself, or of a model."""
    properties = _properties(manifest, node)
    tested = properties.get("attached_node") or next(iter(properties.get("depends_on", {}).get("nodes", [])), None)
    checked = manifest["nodes"].get(tested) if properties.get("resource_type") == "test" else None
    files = [each["original_file_path"] for each in (checked, properties) if each and each.get("original_file_path")]
    return " and ".join(f"dbt_project/{file}" for file in dict.fromkeys(files)) or "dbt's log"


def _short(message: str | None) -> str:
    """The first part of a dbt message, without the trail of macros."""
    return textwrap.shorten((message or "no message").partition("> in macro")[0], 300)
