"""What a command that only reads the published file may not import: it answers before these would be loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOT_NEEDED = {
    *("dagster", "dbt", "jinja2", "numpy", "pandas", "pandera", "polars", "requests"),
    *("asyncio", "concurrent.futures", "dotenv", "filelock", "logging", "pydantic_settings", "typer"),
}
CATALOGUE = "pydantic"
"""Validates the catalogue, which only ``indicators`` reads; it reads no publication."""

CODE = """
import json, sys
from pipelines.cli import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
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
    ],
    ids=" ".join,
)
def test_a_reading_command_imports_only_what_reading_needs(published_warehouse: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "CAREC_WAREHOUSE": str(published_warehouse)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout
    imported = set(json.loads(done.stderr.splitlines()[-1]))
    assert not (NOT_NEEDED | {"duckdb" if command == ("indicators",) else CATALOGUE}) & imported
