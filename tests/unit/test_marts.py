"""Every published table declares its columns and its version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
DESCRIBED: dict[str, dict[str, Any]] = {
    model["name"]: model
    for path in MARTS.glob("*.yml")
    for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
}


@pytest.mark.parametrize("mart", sorted(path.stem for path in MARTS.glob("*.sql")))
def test_a_published_table_states_its_version_and_its_columns(mart: str) -> None:
    model = DESCRIBED[mart]
    assert model["config"]["meta"]["version"] >= 1
    assert all(column["data_type"] and column["description"] for column in model["columns"])
