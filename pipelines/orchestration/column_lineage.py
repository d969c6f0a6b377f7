"""From which columns each column of a dbt model is made, kept until the code changes.

Belongs here: completing the lineage that dagster-dbt reads, and keeping it. Does not belong here: reading it from SQL,
which dagster-dbt does with sqlglot in two minutes of CPU.
"""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt.core.dbt_event_iterator import DbtEventIterator  # not exported; tests of the whole job use it

from pipelines.dbt.compiled import PACKAGE, hash_of
from pipelines.orchestration.asset_keys import Manifest, is_table, node_key
from warehouse.files import write_atomically
from warehouse.layout import Layout

COLUMNS = "dagster/column_schema"
LINEAGE = "dagster/column_lineage"

Lineage = dict[str, dg.TableColumnLineage]
"""Unique id of a model -> what its columns are made from."""


def with_columns(
    found: DbtEventIterator[Any], manifest: Manifest, layout: Layout, code: str, lineage: bool
) -> Iterator[Any]:
    """Yield dbt's events with the columns of each table.

    Args:
        found: The events of one build.
        manifest: dbt's manifest.
        layout: Where the lineage is kept: in dbt's folder.
        code: Hash of the code of the build. No figure changes the lineage.
        lineage: Whether the events of models also have what each column is made from.
    """
    kept = layout.dbt_target / "column_lineage.json"
    inputs = [code, hash_of(PACKAGE / "orchestration", {".py"}), version("dagster-dbt"), version("sqlglot")]
    known = _read(kept, inputs) if lineage else {}
    traced: Lineage = {}
    built: set[str] = set()
    for event in found.fetch_column_metadata(with_column_lineage=known is None):
        unique_id = str(event.metadata["unique_id"].value)
        if COLUMNS in event.metadata:
            built.add(unique_id)
        if LINEAGE in event.metadata:
            read: Any = event.metadata[LINEAGE].value
            traced[unique_id] = with_every_indicator(manifest, unique_id, read)
        columns = (known or traced).get(unique_id)
        more = {LINEAGE: dg.MetadataValue.column_lineage(columns)} if columns else {}
        yield event.with_metadata({**event.metadata, **more})
    # sqlglot cannot read the SQL of every model: these have no lineage, now or later
    if known is None and built >= {name for name, node in manifest["nodes"].items() if is_table(node)}:
        write_atomically(kept, json.dumps([inputs, dg.serialize_value(traced)]).encode())


def with_every_indicator(manifest: Manifest, unique_id: str, found: dg.TableColumnLineage) -> dg.TableColumnLineage:
    """Return the lineage; of a staging model with each column traced to the same column of all its indicators.

    dagster-dbt identifies parents by the name of their table. Parquet files have no such name, so dagster-dbt finds
    one indicator only.
    """
    node = manifest["nodes"][unique_id]
    if node["fqn"][1] != "staging":
        return found
    keys = [dg.AssetKey(node_key(manifest["sources"][name])) for name in node["depends_on"]["nodes"]]
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(key, name) for key in keys] for name in found.deps_by_column}
    )


def _read(kept: Path, inputs: list[str]) -> Lineage | None:
    """Return the lineage of all models, or None where it is not that of these inputs."""
    try:
        of, content = json.loads(kept.read_bytes())
        return dg.deserialize_value(content, dict) if of == inputs else None
    except (OSError, ValueError):
        return None
