"""Run ``carec refresh`` in a process of a test, without what most tests do not look at.

``python -P carec_program.py unrecorded refresh ...`` is not recorded for Dagster's pages, which takes a fifth of the
time; ``recorded`` is. ``untested`` is not, and runs no data tests: the tables are the same. ``dbt`` is dbt itself, for
a job of Dagster. In all of them, a copy of a warehouse uses what dbt has parsed in the original: at another path of the
warehouse, dbt would read its whole project again. A refresh that is not recorded fails if it loads pandas.
Belongs here: only what makes a refresh cheaper and not different.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pipelines.cli import collect_garbage_seldom
from sources.hidden_packages import HIDDEN
from warehouse.layout import Layout


def with_path(parsed: Any, before: str, path: str) -> Any:
    """Return what dbt has parsed, with another path of the warehouse."""
    if isinstance(parsed, dict):
        return {with_path(key, before, path): with_path(value, before, path) for key, value in parsed.items()}
    if isinstance(parsed, list):
        return [with_path(value, before, path) for value in parsed]
    return parsed.replace(before, path) if isinstance(parsed, str) else parsed


def move_cache(warehouse: Path) -> None:
    """Move dbt's parse cache to the path of the warehouse, and let dbt accept a cache of another path."""
    import msgpack
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    keys = DuckDBCredentials._connection_keys
    DuckDBCredentials._connection_keys = lambda self: [key for key in keys(self) if key != "path"]
    cache, path = Layout(warehouse).dbt_target / "partial_parse.msgpack", str(warehouse)
    if cache.exists():
        parsed = msgpack.unpackb(cache.read_bytes())
        before = parsed["env_vars"].get("CAREC_WAREHOUSE", path)
        if before != path:
            cache.write_bytes(msgpack.packb(with_path(parsed, before, path)))


def at_any_path(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``pipelines.dbt.invocation.run``, which first moves dbt's parse cache to the path of the warehouse."""

    def run_at(workspace: Any, *arguments: Any, **options: Any) -> Any:
        move_cache(workspace.layout.root)
        return run(workspace, *arguments, **options)

    return run_at


if __name__ == "__main__":
    collect_garbage_seldom()
    sys.argv[0] = "carec"
    way = sys.argv.pop(1)
    if way == "dbt":
        move_cache(Path(os.environ["CAREC_WAREHOUSE"]))
        import_module("dbt.cli.main").cli()
    if way != "recorded":
        import_module("pipelines.cli.refresh").record = lambda *_: None  # type: ignore[attr-defined]
    runner: Any = import_module("pipelines.dbt.runner")
    if way == "untested":
        with_tests = runner.dbt_arguments
        runner.dbt_arguments = lambda *given: [*with_tests(*given), "--exclude-resource-type", "test", "unit_test"]
        runner.audit = lambda *_: None
    invocation: Any = import_module("pipelines.dbt.invocation")
    invocation.run = at_any_path(invocation.run)
    try:
        import_module("pipelines.cli").main()
    finally:
        if way != "recorded" and (loaded := HIDDEN & sys.modules.keys()):
            sys.exit(f"the refresh has loaded {', '.join(loaded)}, without need (sources/hidden_packages.py)")
