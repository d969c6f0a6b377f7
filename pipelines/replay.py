"""``carec replay``: build the landing again from archive, journal and raw store, without network access.

Belongs here: replaying the recorded runs in order, and comparing the result with the landing. Does not belong here:
the content of a run and its landing (``run_journal``, ``ingestion``): replay calls the same functions.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines import run_journal
from pipelines.archive_landing import land_archive
from pipelines.ingestion import ask, land
from pipelines.workspace import Workspace
from sources.catalogue import LOCAL_FILE
from sources.errors import ConfigurationError
from sources.http.conditional import RecordedHttp, placed_bodies
from sources.providers.local_file import LocalFiles
from warehouse import landing
from warehouse.errors import NotPublished
from warehouse.files import exclusive
from warehouse.layout import Layout

REWRITTEN = (
    "run.parquet",
    "source_health.parquet",
    "indicators.parquet",
    "archive.sha256",
    "observation_columns.parquet",
)
"""Files that every refresh writes again. They are no part of the record."""


@dataclass(frozen=True)
class Replayed:
    """The result of a replay.

    Attributes:
        runs: Number of replayed runs.
        files: Number of files that they landed.
        differences: Files that only the landing or only the replay has, or that differ in content.
        notes: Indicators and requests that the recorded runs and this checkout do not share.
    """

    runs: int
    files: int
    differences: list[str]
    notes: list[str]


def replay(
    workspace: Workspace,
    into: Path | None = None,
    *,
    write: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Replayed:
    """Build the landing again and compare it with the landed one, byte for byte.

    Args:
        workspace: Catalogue, archive and paths.
        into: New or empty folder for the copy. Without it, the copy is deleted.
        write: Replace the landing by the copy. The former landing is ``landing.before_replay`` until the next replay.
            Cannot be combined with ``into``.
        progress: Called with a description of each run.

    Raises:
        ConfigurationError: ``into`` is not empty.
        NotPublished: No run was recorded, or a recorded body is missing or damaged.
        files.Busy: A refresh has locked the warehouse.
    """
    if into is not None and into.exists() and any(into.iterdir()):
        raise ConfigurationError(f"{into} is not empty: choose a new or empty folder")
    layout = workspace.layout
    layout.root.mkdir(parents=True, exist_ok=True)
    with exclusive(layout.lock), TemporaryDirectory(prefix=".replay-", dir=layout.root) as scratch:
        target = replace(workspace, layout=Layout(into or Path(scratch) / "warehouse"))
        runs, notes = _replay(target, layout, Path(scratch) / "files", progress)
        given, landed = _files(target.layout.landing), _files(layout.landing)
        if not runs and not landed:
            raise NotPublished("no run was recorded yet: run `carec refresh` first")
        differences = [
            *(f"not given by the replay: {name}" for name in sorted(landed - given)),
            *(f"given by the replay, not landed: {name}" for name in sorted(given - landed) if not _is_new_kind(name)),
            *(
                f"other content: {name}"
                for name in sorted(given & landed)
                if not _alike(target.layout.landing / name, layout.landing / name)
            ),
        ]
        if write and into is None:
            _swap(target.layout.landing, layout.landing)
        return Replayed(runs, len(given), differences, notes)


def _replay(
    target: Workspace, recorded: Layout, folder: Path, progress: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Land every recorded run in ``target``. ``folder`` is for the operator's files of each run."""
    land_archive(target)
    runs, notes = 0, []
    try:
        for record in run_journal.records(recorded):
            run, known = record.run, target.catalogue.indicators
            at = f"run of {run.started_at:%Y-%m-%d %H:%M:%S}"
            progress(f"replaying the {at}")
            if gone := [name for name in run.indicator_ids if name not in known]:
                notes.append(f"{at}: no longer in the catalogue: {', '.join(gone)}")
            run = replace(run, indicator_ids=tuple(name for name in run.indicator_ids if name in known))
            http = RecordedHttp(record.exchanges, run.refused_codes)
            if run.indicator_ids:
                resolutions, _ = ask(_with_files(target, record.files, folder), run, http)
                land(target, run, resolutions, placed=placed_bodies(record.exchanges))
            notes += [f"{at}: requested, and not in its record: {address}" for address in http.missing]
            runs += 1
    except (OSError, ValueError) as error:
        raise NotPublished(f"the record cannot be replayed: {error}") from error
    return runs, notes


def _with_files(workspace: Workspace, files: dict[str, bytes], folder: Path) -> Workspace:
    """Return the workspace with the operator's files of a run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / Path(name.rpartition(":")[2]).name).write_bytes(content)
    return replace(workspace, adapters={**workspace.adapters, LOCAL_FILE: LocalFiles(folder)})


def _is_new_kind(name: str) -> bool:
    """Return whether runs of an earlier version did not write files of this kind."""
    return name.startswith("confirmations/")


def _alike(given: Path, landed: Path) -> bool:
    """Return whether two files have the same bytes, or are vintages, confirmations or rejects with the same rows."""
    if filecmp.cmp(given, landed, shallow=False):
        return True
    comparable = given.parts[-3] in ("observations", "confirmations") or given.parent.name == "rejects"
    return comparable and landing.same_figures(given, landed)


def _files(folder: Path) -> set[str]:
    """Return vintages with figures, rejects and confirmations, as paths below the landing's ``folder``."""
    left_out = (
        ".",
        f"{landing.NEVER:%Y%m%dT}",
    )  # a warehouse that was filled from a lake has no vintage without figures
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in REWRITTEN and not path.name.startswith(left_out)
    }


def _swap(given: Path, landed: Path) -> None:
    """Replace ``landed`` by ``given``, with the files that only a refresh writes."""
    for name in ("run.parquet", "source_health.parquet"):
        if (landed / name).exists():
            shutil.copy2(landed / name, given / name)
    old = landed.with_name("landing.before_replay")
    shutil.rmtree(old, ignore_errors=True)
    if landed.exists():
        landed.rename(old)
    given.rename(landed)
