"""The keys of assets, the same in Dagster's definitions and in a recorded run.

Belongs here: asset keys, and which nodes of dbt are tables. Does not belong here: dagster-dbt, because its import would
make recording slow; groups, owners and descriptions, which only the definitions have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Key = tuple[str, ...]
Manifest = Mapping[str, Any]
"""What dbt writes to ``manifest.json``: its nodes and sources by unique id."""

PUBLICATION: Key = ("publication",)
POLL: Key = ("poll",)


def observation_key(indicator_id: str) -> Key:
    """Return the key of an indicator's observations."""
    return ("observations", indicator_id)


def is_table(node: Mapping[str, Any]) -> bool:
    """Return whether a node of dbt is a table or view: a seed, or a model that is not a part of its readers."""
    return node["resource_type"] in {"seed", "model"} and node["config"]["materialized"] != "ephemeral"


def node_key(node: Mapping[str, Any]) -> Key:
    """Return the key of a model, seed or source of dbt's manifest.

    It is the key that the node's ``meta`` names. Without one it is the custom schema, if there is one, and the name.
    """
    own = node["config"].get("meta", {}).get("dagster", {}).get("asset_key")
    if own:
        return tuple(own)
    if node["resource_type"] == "source":
        return (node["source_name"], node["name"])
    schema = node["config"].get("schema")
    return (schema, node["name"]) if schema else (node["name"],)


def key_tested_by(manifest: Manifest, test: Mapping[str, Any]) -> Key | None:
    """Return the key of the table that a dbt test checks; None if it reads several tables and names none of them.

    dagster-dbt applies the same rule; ``tests/integration/test_record.py`` compares both.
    """
    ref = test["config"].get("meta", {}).get("dagster", {}).get("ref", {}).get("name")
    parents = test["depends_on"]["nodes"]
    candidates = [n for n in parents if n.split(".")[-1] == ref] if ref else [*set(parents)]
    tested = candidates[0] if len(candidates) == 1 else test.get("attached_node")
    node = manifest["nodes"].get(tested) or manifest["sources"].get(tested)
    return node_key(node) if node else None
