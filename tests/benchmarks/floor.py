"""The SQL floor of a build: every compiled seed, model and data test as plain SQL in one DuckDB connection.

Belongs here: the steps in the order of their dependencies, and their time in a new file. Does not belong here:
assertions about the tables. A data test with the severity ``error`` that finds rows ends the benchmark.

``python -m tests.benchmarks.floor STEPS THREADS`` prints the seconds of the steps in the file STEPS.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

Step = tuple[str, str, str]
"""Name, SQL, and kind: ``make`` or the severity of a data test."""


def steps(target: Path, project: Path) -> list[Step]:
    """Return the steps of a build.

    Args:
        target: dbt's target folder after a build that left nothing out.
        project: The dbt project, with the seeds.
    """
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    done = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    compiled = {result["unique_id"]: result.get("compiled_code") for result in done}
    order = TopologicalSorter(
        {name: node["depends_on"].get("nodes", []) for name, node in nodes.items()}
    ).static_order()
    found = [_step(nodes[name], compiled[name], project) for name in order if name in compiled and name in nodes]
    return [step for step in found if step]


def _step(node: dict[str, Any], sql: str | None, project: Path) -> Step | None:
    name, relation, config = node["unique_id"], node["relation_name"], node["config"]
    match node["resource_type"], config["materialized"]:
        case "seed", _:
            types = ", ".join(f"'{column}': '{kind}'" for column, kind in config["column_types"].items())
            path = project / node["original_file_path"]
            read = f"read_csv('{path}', header = true, nullstr = '', types = {{{types}}})"
            return name, f"create table {relation} as from {read}", "make"
        case "model", "table" | "view" as kind:
            return name, f"create {kind} {relation} as {sql}", "make"
        case "test", _:
            return name, f"select {config['fail_calc']} from ({sql}\n)", config["severity"].lower()
        case "operation", _:
            return name, str(sql), "make"
    return None


def run(given: list[Step], threads: int, folder: Path) -> float:
    """Run the steps in the new database ``build.duckdb`` of a folder, and return their seconds."""
    from pipelines.dbt.functions import register

    started = time.perf_counter()
    with duckdb.connect(str(folder / "build.duckdb"), config={"threads": threads}) as connection:
        register(connection)
        connection.execute("set enable_external_file_cache = false; set enable_progress_bar = false")
        connection.execute("create schema staging; create schema intermediate")
        for name, sql, kind in given:
            try:
                rows = connection.execute(sql).fetchall()
            except duckdb.Error as error:
                sys.exit(f"{name} cannot run as plain SQL: {error}")
            if kind == "error" and rows[0][0]:
                sys.exit(f"{name} finds {rows[0][0]} rows")
        connection.execute("checkpoint")
    return time.perf_counter() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="carec-floor-") as folder:
        print(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), int(sys.argv[2]), Path(folder)))
