"""The results of a dbt command, one record per model, seed and test.

Belongs here: the records and reading them from ``run_results.json``. Does not belong here: running dbt
(``pipelines.dbt.runner``) and the text about failed tests (``pipelines.dbt.failures``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.layout import Layout


@dataclass(frozen=True)
class Node:
    """The result of one dbt node.

    Attributes:
        unique_id: dbt's name of the node, for example ``model.carec_scorecard.scorecard``.
        status: ``success``, ``error`` or ``skipped``; for a test also ``pass``, ``warn`` or ``fail``.
        message: dbt's message, None where there is no message.
        failures: Number of rows that a test found, None for other nodes.
        started_at: Start of the execution in seconds since 1970, None where dbt did not execute the node.
        seconds: Duration of the execution.
        sql: Compiled SQL, None for a seed.
    """

    unique_id: str
    status: str
    message: str | None
    failures: int | None
    started_at: float | None
    seconds: float
    sql: str | None = None


@dataclass(frozen=True)
class Build:
    """The result of ``dbt build``. ``reason`` is the cause of a failure, None where the build passed."""

    passed: bool
    nodes: list[Node]
    reason: str | None = None


def read_results(layout: Layout) -> list[Node]:
    """Return the nodes of the last dbt command, as dbt wrote them to ``run_results.json``.

    Successful hooks of the project are left out, since they are neither tables nor tests.

    Raises:
        OSError: The file does not exist.
        ValueError: The file is incomplete.
    """
    written = json.loads((layout.dbt_target / "run_results.json").read_bytes())
    return [
        Node(
            unique_id=result["unique_id"],
            status=result["status"],
            message=result["message"],
            failures=result["failures"],
            started_at=_execution_start(result["timing"]),
            seconds=result["execution_time"],
            sql=result["compiled_code"],
        )
        for result in written["results"]
        if not (result["unique_id"].startswith("operation.") and result["status"] == "success")
    ]


def missed_tests(layout: Layout, left_out: Collection[str]) -> str | None:
    """Return a sentence with the numbers if the last build ran fewer tests than the project has; None if it ran all.

    Args:
        layout: Paths of the warehouse, with dbt's manifest and results of the same build.
        left_out: ``unit_tests``, and the unchanged inputs; what reads nothing else was left out for a reason.

    Raises:
        OSError: A file does not exist.
        ValueError: A file is incomplete.
    """
    manifest = json.loads((layout.dbt_target / "manifest.json").read_bytes())
    expected = {unique_id for unique_id, node in manifest["nodes"].items() if node["resource_type"] == "test"}
    if "seeds" in left_out:
        changed = (
            unique_id
            for unique_id, source in manifest["sources"].items()
            if f"source:{source['source_name']}.{source['name']}" not in left_out
        )
        expected &= _readers(manifest["child_map"], changed)
    if "unit_tests" not in left_out:
        expected |= manifest["unit_tests"].keys()
    ran = {node.unique_id for node in read_results(layout) if node.status not in ("skipped", "error")}
    missed = sorted(expected - ran)
    if not missed:
        return None
    first = missed[0].split(".")[2]
    return f"{len(expected) - len(missed)} of {len(expected)} tests ran, so the build proves nothing; not {first}"


def _readers(children: Mapping[str, Collection[str]], sources: Iterable[str]) -> set[str]:
    """Return the ids of all nodes that read one of the sources, directly or through other nodes."""
    found: set[str] = set()
    waiting = list(sources)
    while waiting:
        new = set(children[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def _execution_start(timing: list[dict[str, Any]]) -> float | None:
    """Return the start of the last phase (compile, then execute). dbt writes UTC with a ``Z``."""
    return datetime.fromisoformat(timing[-1]["started_at"]).timestamp() if timing else None
