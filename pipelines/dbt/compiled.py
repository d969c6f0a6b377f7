"""The compiled models of the last build, and whether they are those of the present code.

Belongs here: the hash of the code. It imports no dbt and no data frames: commands that only read need it in
milliseconds. Does not belong here: compiling (``pipelines.dbt.runner``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from warehouse.layout import Layout

PACKAGE = Path(__file__).parents[1]
"""The folder of ``pipelines``, with the texts and the functions that models call."""

COMPILED = "compiled.sha256"
"""Marker in dbt's target: the hash of the code whose compiled models the last build left there."""


def code_hash(dbt_project: Path, package: Path = PACKAGE) -> str:
    """Return the hash of the code that decides the tables: models, texts, and the functions that models call."""
    parts = (dbt_project, {".sql", ".yml", ".md"}), (package / "texts", {".yml", ".py"}), (package / "dbt", {".py"})
    return "".join(hash_of(folder, suffixes) for folder, suffixes in parts)


def compiled_by_build(layout: Layout, dbt_project: Path) -> tuple[str, Path | None]:
    """Return the hash of the present code, and the folder of the compiled models if the last build compiled it."""
    code = code_hash(dbt_project)
    models = layout.dbt_target / "compiled" / "carec_scorecard" / "models"
    return code, models if has_mark(layout.dbt_target / COMPILED, code) and models.is_dir() else None


def has_mark(marker: Path, inputs: str) -> bool:
    """Return whether a marker file exists and has the hash of these inputs."""
    return marker.exists() and marker.read_text() == inputs


def hash_of(folder: Path, suffixes: set[str]) -> str:
    """Return the hash of the paths and contents of the files below a folder with one of the suffixes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in suffixes:
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
