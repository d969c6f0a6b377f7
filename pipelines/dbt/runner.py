"""Run dbt: one ``dbt build`` in this process, and the receipt of the build.

Belongs here: invoking dbt, and the rules around a build that the command line and the Dagster job share. Does not
belong here: the results of a build (``pipelines.dbt.results``), SQL, Dagster.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.dbt import failures, invocation
from pipelines.dbt.built_inputs import built_inputs, record_inputs
from pipelines.dbt.compiled import COMPILED, PACKAGE, code_hash, has_mark, hash_of
from pipelines.dbt.invocation import WITHOUT_FILES, ReadProject, dbt_arguments
from pipelines.dbt.results import Build, missed_tests, read_results
from pipelines.dbt.staging import check_staging
from pipelines.seeds.check import check_all
from pipelines.texts.words import LANGUAGES, Words
from pipelines.workspace import Workspace
from sources.errors import ConfigurationError
from sources.observation import utc_now
from warehouse import landing
from warehouse.files import sha256_of, table_fault, write_atomically, write_table
from warehouse.layout import Layout
from warehouse.publish import (
    Publication,
    Receipt,
    check_free,
    create_build,
    has_built_bytes,
    restore,
    seal,
    write_receipt,
)
from warehouse.recovery import drop_failed_build

_LANDED_TABLES = ("indicators", "run", "source_health", "rejects", "confirmations")
"""Tables of dbt's source ``landing``. The first three are files of their own, written again by each refresh."""
_LANDED_FILES = _LANDED_TABLES[:3]


@dataclass(frozen=True)
class StartedBuild:
    """A build that has begun.

    Attributes:
        as_of: Day that the build scores.
        fingerprint: Fingerprint of the build's inputs (see ``fingerprint``).
        inputs: Input of the build -> hash, see ``inputs_of_tables``.
        arguments: Command line of dbt.
        left_out: ``unit_tests``, and the inputs that have not changed: what reads nothing else is left out.
        has_manifest: Whether dbt's target folder has the manifest of this code, with its compiled models.
    """

    as_of: date
    fingerprint: str
    inputs: dict[str, str]
    arguments: list[str]
    left_out: tuple[str, ...] = ()
    has_manifest: bool = False


def fingerprint(workspace: Workspace, as_of: date, explicit: bool) -> str:
    """Return a hash over all inputs of a build: landed data, dbt project, texts and as-of date.

    Args:
        workspace: Paths and catalogue.
        as_of: Day that the build scores.
        explicit: Whether the user chose the day. For today only the year counts: it decides which values are stale.
    """
    digest = hashlib.sha256(landing.state(workspace.layout, workspace.catalogue.indicators).encode())
    digest.update("".join(inputs_of_tests(workspace).values()).encode())
    digest.update((as_of.isoformat() if explicit else str(as_of.year)).encode())
    return digest.hexdigest()


def inputs_of_tests(workspace: Workspace) -> dict[str, str]:
    """Return the hashes of the inputs of dbt's unit tests and of its seeds. Neither reads landed data."""
    code = code_hash(workspace.dbt_project)
    return {"unit_tests": code, "seeds": code + hash_of(workspace.dbt_project, {".csv"})}


def inputs_of_tables(workspace: Workspace) -> dict[str, str]:
    """Return the hashes of the inputs of a build that can be the same as in the last one.

    These are the inputs of seeds, of views (a view is made of the code and the path of the landed files alone), and the
    landed files.
    """
    files = {f"source:landing.{name}": workspace.layout.landing / f"{name}.parquet" for name in _LANDED_FILES}
    landed = {name: sha256_of(path) for name, path in files.items() if path.exists()}
    inputs = inputs_of_tests(workspace)
    return inputs | {"views": inputs["unit_tests"] + str(workspace.layout.root)} | landed


def check_day(as_of: date | None) -> None:
    """Check that a chosen day has begun, here or in UTC.

    Raises:
        ConfigurationError: The day is in the future: nothing can be known of it yet.
    """
    today = max(utc_now().date(), date.today())
    if as_of and as_of > today:
        raise ConfigurationError(f"the as-of day {as_of} is after today, {today}: nothing can be known of it yet")


def compile_models(workspace: Workspace) -> None:
    """Compile the models, without running them.

    Raises:
        ConfigurationError: dbt cannot compile the project.
    """
    check_staging(workspace.catalogue, workspace.dbt_project)
    passed, error = invocation.invoke(workspace, dbt_arguments(workspace, "compile"), lambda node: None)
    if not passed:
        raise ConfigurationError(f"{workspace.dbt_project}: {error or 'dbt compile failed'}")


def write_as_of(layout: Layout, as_of: date) -> None:
    """Write the as-of date of a build to the file that dbt reads."""
    write_table(layout.run, pl.DataFrame({"as_of": [as_of]}, schema={"as_of": pl.Date}))


def check_seeds(workspace: Workspace) -> str:
    """Check the seeds, the texts and the generated staging, unless the same files have passed before a build.

    Returns:
        The hash of what the checks read: the dbt project, the texts, the catalogue, and the checks themselves.

    Raises:
        ConfigurationError: Names the first fault.
    """
    checks, catalogue = hash_of(PACKAGE / "seeds", {".py"}), workspace.catalogue.model_dump_json()
    inputs = inputs_of_tests(workspace)["seeds"] + checks + hashlib.sha256(catalogue.encode()).hexdigest()
    if not has_mark(_checked_seeds(workspace.layout), inputs):
        check_all(workspace.dbt_project, workspace.catalogue)
        for language in LANGUAGES:  # models use them too, and dbt would not name file and line
            Words(language)
        check_staging(workspace.catalogue, workspace.dbt_project)
    return inputs


def _checked_seeds(layout: Layout) -> Path:
    """Return the path of the marker: the hash of the seeds that last passed their check."""
    return layout.dbt_target / "seeds.sha256"


def start_build(workspace: Workspace, as_of: date, fingerprint: str, whole: bool = False) -> StartedBuild:
    """Write the inputs of dbt and remove receipt and results of the last build.

    Until ``finish_build`` writes the new receipt, nothing can be published. The build skips dbt's unit tests if this
    code of the dbt project has passed them before. It skips seeds, views, models and tests none of whose inputs has
    changed since a passed build made the tables of the build file. A build that failed leaves no such tables.

    Args:
        workspace: Paths, catalogue and settings.
        as_of: Day that the build scores.
        fingerprint: Fingerprint of the build's inputs.
        whole: Build and test everything but the unit tests in any case.

    Raises:
        ConfigurationError: A seed that people edit has a fault.
        NotPublished: Another process has the build file open.
    """
    checked = check_seeds(workspace)
    layout = workspace.layout
    check_free(layout)
    write_atomically(_checked_seeds(layout), checked.encode())
    write_as_of(layout, as_of)
    is_as_built = has_built_bytes(layout)
    layout.receipt.unlink(missing_ok=True)
    (layout.dbt_target / "run_results.json").unlink(missing_ok=True)
    inputs, arguments = inputs_of_tables(workspace), dbt_arguments(workspace, "build")
    compiled = layout.dbt_target / COMPILED
    is_compiled = has_mark(compiled, inputs["unit_tests"])
    if not (is_compiled and is_as_built):
        # dbt does not drop the table of a removed model or seed, nor one that another program wrote, and every table
        # of the file is published
        layout.build.unlink(missing_ok=True)
    create_build(layout)
    compiled.unlink(missing_ok=True)
    left_out = []
    if has_mark(_passed_unit_tests(layout), inputs["unit_tests"]):
        left_out.append("unit_tests")
        arguments += ["--exclude-resource-type", "unit_test"]
    known = {} if whole else built_inputs(layout)
    if known.get("seeds") == inputs["seeds"]:
        left_out += [name for name, content in inputs.items() if name != "unit_tests" and known.get(name) == content]
        sources = ["source:observations", *(f"source:landing.{name}" for name in _LANDED_TABLES)]
        arguments += ["--select", *(f"{source}+" for source in sources if source not in left_out)]
        if "views" in left_out:  # but not their tests, which dbt would exclude with them
            arguments += ["--exclude", "config.materialized:view", "--indirect-selection", "empty"]
    has_manifest = is_compiled and _manifest_path(workspace).is_file()
    return StartedBuild(as_of, fingerprint, inputs, arguments, tuple(left_out), has_manifest)


def skip_build(layout: Layout, present: Publication) -> bool:
    """Keep a publication whose inputs are the present ones, instead of a build.

    A failed build is deleted: its inputs were others, and have been corrected.

    Returns:
        Whether another program had changed the published file, so that the same publication was put back.
    """
    if table_fault(layout.run):
        write_as_of(layout, present.as_of)
    drop_failed_build(layout)
    return restore(layout)


def finish_build(workspace: Workspace, started: StartedBuild, reason: str | None) -> None:
    """Write the receipt of a build. ``reason`` is the cause of a failure, None where everything passed."""
    if reason is None:
        write_atomically(workspace.layout.dbt_target / COMPILED, started.inputs["unit_tests"].encode())
        write_atomically(_passed_unit_tests(workspace.layout), started.inputs["unit_tests"].encode())
        record_inputs(workspace.layout, started.inputs)
    now = utc_now().isoformat()
    content = seal(workspace.layout) if reason is None else None
    receipt = Receipt(started.fingerprint, started.as_of.isoformat(), reason is None, now, reason, content)
    write_receipt(workspace.layout, receipt)


def _passed_unit_tests(layout: Layout) -> Path:
    """Return the path of the marker: the hash of the code that last passed dbt's unit tests."""
    return layout.dbt_target / "unit_tests.sha256"


def build(
    workspace: Workspace,
    as_of: date,
    fingerprint: str,
    progress: Callable[[str], None] = lambda node: None,
    project: ReadProject | None = None,
) -> Build:
    """Run ``dbt build`` over the landed data and write its receipt.

    Args:
        workspace: Paths, catalogue and settings.
        as_of: Day that the build scores.
        fingerprint: Fingerprint of the build's inputs.
        progress: Called with a description of each node when it starts.
        project: The project as dbt has read it before. A project whose code has changed since is read again.
    """
    started = start_build(workspace, as_of, fingerprint)
    manifest = project.manifest if project and project.code == started.inputs["unit_tests"] else None
    # dbt writes the manifest before and after a build, which takes a second
    unwritten = [WITHOUT_FILES] if started.has_manifest else []
    passed, error = invocation.invoke(workspace, [*started.arguments, *unwritten], progress, manifest)
    nodes = [] if error else read_results(workspace.layout)
    reason = audit(workspace, started) if passed else error or failures.reason(workspace.layout, nodes)
    finish_build(workspace, started, reason)
    return Build(reason is None, nodes, reason)


def audit(workspace: Workspace, started: StartedBuild) -> str | None:
    """Return why a build that dbt calls passed proves nothing: it ran fewer tests than the project has."""
    return missed_tests(workspace.layout, started.left_out)


def manifest(workspace: Workspace) -> Path:
    """Return the path of dbt's manifest. dbt writes it first if it is missing, incomplete or out of date.

    Raises:
        ConfigurationError: dbt cannot read the project.
    """
    read_manifest(workspace)
    return _manifest_path(workspace)


def read_manifest(workspace: Workspace) -> dict[str, Any]:
    """Return the content of dbt's manifest; see ``manifest``."""
    project, path = workspace.dbt_project, _manifest_path(workspace)
    check_staging(workspace.catalogue, project)
    # the modification time of a folder shows that files were removed
    parts = [p for p in project.rglob("*") if p.is_dir() or p.suffix in {".sql", ".yml", ".md"}]
    content = _content(path)
    if content is None or path.stat().st_mtime < max(part.stat().st_mtime for part in parts):
        passed, error = invocation.invoke(workspace, dbt_arguments(workspace, "parse"), lambda node: None)
        content = _content(path) if passed else None
        if content is None:
            raise ConfigurationError(f"{project}: {error or 'dbt parse failed'}")
    return content


def _manifest_path(workspace: Workspace) -> Path:
    return workspace.layout.dbt_target / "manifest.json"


def _content(path: Path) -> dict[str, Any] | None:
    """Return the content of a manifest, None if it is incomplete: dbt writes it in place, and may be killed then."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
