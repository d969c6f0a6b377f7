"""The folder of an export: it is replaced as a whole, and only if an export wrote it.

Belongs here: refusing other folders, the exchange of old and new files, checksums. Does not belong here: the content of
the files (``package``, ``sdmx``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from warehouse.reading import quoted

CHECKSUMS = "SHA256SUMS"
LICENCES = "licences"
"""Folder with one text per provider, in every kind of export."""
TABLES = ("csv", "parquet", LICENCES, "carec.xlsx", "README.txt", "datapackage.json", "croissant.json")
"""Folders and files of an export of tables."""
DATAFLOWS = ("observations", "scores", "trajectories")
"""The data sets of an SDMX export, each as CSV and JSON."""
SDMX_FILES = (
    "structure.json",
    "structure.xml",
    *(f"{flow}.{ending}" for flow in DATAFLOWS for ending in ("csv", "json")),
    LICENCES,
    "README.txt",
)
"""Folders and files of an SDMX export. Either kind replaces the other."""
_OURS = (*dict.fromkeys((*TABLES, *SDMX_FILES)),)
UNFINISHED = ".carec-export-"
"""Prefix of the folder, inside that of the export, for the files that are being written."""


class NotAnExport(ValueError):
    """The folder has files that no export wrote. Nothing in it was changed."""


def check_folder(directory: Path) -> None:
    """Raise NotAnExport if the folder has files that no export wrote."""
    if directory.exists() and not directory.is_dir():
        raise NotAnExport(f"{directory} is a file; name a folder")
    if not directory.is_dir():
        return
    interrupted = any(directory.glob(f"{UNFINISHED}*"))
    sums = directory / CHECKSUMS
    listed = {CHECKSUMS}
    if sums.is_file():
        listed |= {line.partition("  ")[2] for line in sums.read_text(encoding="utf-8").splitlines()}
    for name in _files(directory):
        ours = name.parts[0].startswith(UNFINISHED) or (interrupted and name.parts[0] in _OURS)
        if not ours and name.as_posix() not in listed:
            raise NotAnExport(
                f"{directory} holds other files, such as {name}; name a new or an empty folder, or an earlier export"
            )


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files below a folder, relative to it, one folder at a time: the first of ``/`` comes at once."""
    for folder, folders, names in os.walk(directory):
        folders.sort()
        yield from (Path(folder, name).relative_to(directory) for name in sorted(names))


@contextmanager
def new_folder(directory: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    """Yield a folder whose files replace those of ``directory`` when the block ends without an error.

    The folder is inside ``directory``, so that files are renamed and not copied. The checksums are renamed last: after
    an interruption between two renames they do not match.

    Args:
        directory: The folder of the export.
        folders: Names of the empty folders in the new one.
    """
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    try:
        with TemporaryDirectory(dir=directory, prefix=UNFINISHED) as folder:
            new, old = Path(folder, "new"), Path(folder, "old")
            for path in (*(new / name for name in folders), old):
                path.mkdir(parents=True)
            yield new
            write(new / CHECKSUMS, checksums(new))
            for name in (*_OURS, CHECKSUMS):
                if (directory / name).exists():
                    (directory / name).rename(old / name)
                if (new / name).exists():
                    (new / name).rename(directory / name)
    except BaseException:
        if is_new and not any(directory.iterdir()):
            directory.rmdir()
        raise


def copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    """Write the rows of a query to a file; ``options`` are those of DuckDB's COPY."""
    times = ", timestampformat '%Y-%m-%dT%H:%M:%SZ'" if "csv" in options else ""
    connection.execute(f"copy ({query}) to '{quoted(path)}' ({options}{times})")


def write(path: Path, text: str) -> None:
    """Write a text with the line ends that it has, on every system."""
    path.write_bytes(text.encode())


def checksums(folder: Path) -> str:
    """Return one line per file, in the format of ``sha256sum --check``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
