"""Every published table and view declares its columns and its version."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
PUBLISHED = [path for folder in ("marts", "views") for path in (MODELS / folder).iterdir()]
DESCRIBED: dict[str, dict[str, Any]] = {
    model["name"]: model
    for path in PUBLISHED
    if path.suffix == ".yml"
    for model in yaml.load(path.read_bytes(), yaml.CSafeLoader).get("models", [])
}


@pytest.mark.parametrize("mart", sorted(path.stem for path in PUBLISHED if path.suffix == ".sql"))
def test_a_published_table_states_its_version_and_its_columns(mart: str) -> None:
    model = DESCRIBED[mart]
    assert model["config"]["meta"]["version"] >= 1
    assert all(column["data_type"] and column["description"] for column in model["columns"])


def test_a_view_reads_published_tables_only_and_names_no_database() -> None:
    for path in (MODELS / "views").glob("*.sql"):
        sql = path.read_text(encoding="utf-8")
        assert "ref(" not in sql and "source(" not in sql, f"{path.name}: name tables with published()"
        assert not re.search(r"published\('(int|stg)_", sql), path.name
