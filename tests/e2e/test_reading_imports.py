"""What a command may not import or do that it does not need: it answers before that would be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import AS_OF

NOT_NEEDED = {
    *("dagster", "dbt", "jinja2", "numpy", "pandas", "pandera", "polars", "requests"),
    *("asyncio", "concurrent.futures", "dotenv", "filelock", "logging", "pydantic_settings", "typer"),
}
CATALOGUE = "pydantic"
"""Validates the catalogue, which only ``indicators`` reads; it reads no publication."""

CODE = """
import atexit, gc, json, sys
searches = []
gc.callbacks.append(lambda phase, counts: searches.append(phase))
atexit.register(lambda: print(json.dumps([sorted(sys.modules), len(searches), gc.get_freeze_count()]), file=sys.stderr))
from pipelines.cli import main
main()
"""


@pytest.mark.parametrize(
    "command",
    [
        ("scorecard",),
        ("scorecard", "UZB"),
        ("explain", "UZB"),
        ("explain", "UZB", "internet_users_pct"),
        ("claims",),
        ("indicators",),
        ("compare", "UZB", "KAZ"),
        ("recommendations",),
        ("query", "from scorecard"),
        ("dictionary", "scorecard"),
        ("diff",),
    ],
    ids=" ".join,
)
def test_a_reading_command_imports_what_reading_needs_and_does_not_search_for_garbage(
    published_warehouse: Path, command: tuple[str, ...]
) -> None:
    environment = {**os.environ, "CAREC_WAREHOUSE": str(published_warehouse)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout
    imported, searches, left_out_at_the_end = json.loads(done.stderr.splitlines()[-1])
    assert not (NOT_NEEDED | {"duckdb" if command == ("indicators",) else CATALOGUE}) & set(imported)
    assert searches <= 4, "a start and an end each"
    assert left_out_at_the_end


def test_a_refresh_without_the_network_and_with_nothing_new_imports_no_http_library_and_no_dbt(warehouse: Path) -> None:
    environment = {**os.environ, "CAREC_WAREHOUSE": str(warehouse)}
    command = ("refresh", "--offline", "--as-of", AS_OF)
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert "nothing changed" in done.stderr
    imported, *_ = json.loads(done.stderr.splitlines()[-1])
    assert not {"dagster", "dbt", "jinja2", "pandas", "pandera", "requests", "urllib3"} & set(imported)
