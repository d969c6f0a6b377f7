"""Export the published file: CSV and Parquet files, a workbook, descriptions for programs, licences, checksums.

Belongs here: the files of an export and how each is written. Does not belong here: which values may be passed on
(``licences``), the tables (``tables``), the meaning of a column (its comment in the published file).

Exports of the same publication with the same options have the same bytes: rows and columns have a fixed order, and no
file contains the time of writing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.export.croissant import croissant
from warehouse.export.folder import LICENCES, check_folder, copy, new_folder, write
from warehouse.export.licences import MARKS, withhold
from warehouse.export.rights import Attribution, count_marked, load_about, load_rights, write_licences
from warehouse.export.tables import ExportTable, load_tables
from warehouse.export.workbook import write_workbook
from warehouse.reading import open_published

NAME = "carec-digital-scorecard"
INERT = "a text that begins with = + - @, a tab or a line break has an apostrophe before it"


@dataclass(frozen=True)
class Exported:
    """Result of an export.

    Attributes:
        directory: Where it was written.
        tables: Number of tables.
        figures: Number of observations with a value.
        withheld: Licence -> number of observations whose value is left out.
        restricted: Licence that is not open -> number of observations included on request.
    """

    directory: Path
    tables: int
    figures: int
    withheld: dict[str, int]
    restricted: dict[str, int]


def export(
    published: Path,
    directory: Path,
    attributions: Iterable[Attribution],
    *,
    licences: Collection[str] = (),
    providers: Collection[str] = (),
) -> Exported:
    """Write every table of the published file to a folder.

    Args:
        published: The published file.
        directory: A new or empty folder, or an earlier export, which is replaced when all files are written.
        attributions: One per provider.
        licences: Licences that are not open and whose raw values are exported nevertheless.
        providers: Providers whose raw values are exported whatever their licence.

    Raises:
        folder.NotAnExport: The folder has other files.
        licences.UnknownName: No figure has such a licence or provider.
        errors.NotPublished: Nothing is published.
        errors.Unreadable: The file is not a publication.
    """
    check_folder(directory)
    with open_published(published) as connection:
        withhold(connection, licences, providers)
        with new_folder(directory, ("csv", "parquet", LICENCES)) as new:
            tables = _write_all(connection, new, attributions)
        ((figures,),) = connection.execute("select count(value) from observations").fetchall()
        counts = count_marked(connection)
    return Exported(directory, tables, figures - sum(counts["withheld"].values()), **counts)


def _write_all(connection: duckdb.DuckDBPyConnection, new: Path, attributions: Iterable[Attribution]) -> int:
    """Write every file of an export and return the number of tables."""
    tables = load_tables(connection)
    for table in tables:
        copy(connection, table.query, new / "parquet" / f"{table.name}.parquet", "format parquet, compression zstd")
        copy(connection, table.printable, new / "csv" / f"{table.name}.csv", "format csv, header")
    about = load_about(connection)
    rights = load_rights(connection, attributions)
    introduction = _readme(about, rights)
    write_licences(new / LICENCES, rights)
    write_workbook(connection, new / "carec.xlsx", tables, introduction, rights, about["published_at"])
    write(new / "README.txt", "\n\n".join(introduction) + "\n")
    package = _datapackage(new, tables, about, rights)
    write(new / "datapackage.json", json.dumps(package, indent=1) + "\n")
    write(new / "croissant.json", json.dumps(croissant(package, about), indent=1) + "\n")
    return len(tables)


def _readme(about: dict[str, Any], rights: list[dict[str, Any]]) -> list[str]:
    """Return the paragraphs of the README and of the first sheet of the workbook."""
    withheld, restricted = (sum(one[mark] for one in rights) for mark in MARKS)
    asked_for = [
        f"{restricted:,} raw values whose licence is not open are here because they were asked for: the column"
        " restricted names the licence. Mind its terms before passing them on."
    ]
    return [
        "CAREC Digital Scorecard",
        "How far each CAREC member has come towards the CAREC Digital Strategy 2030, from public data.",
        f"As of {about['as_of']}, published {about['published_at']:%Y-%m-%d %H:%M} UTC.",
        "The benchmarks are the project's own choice, not the strategy's: see the table benchmarks.",
        "A missing value is empty, never 0; another column gives the reason. Times are UTC.",
        f"{withheld:,} raw values are left out, because their licence is not open or not known: the column withheld"
        " names it. Scores, statuses and verdicts are all here. `carec export DIR --include-licence LICENCE` or"
        " `--include PROVIDER` adds values for those who may use them.",
        *(asked_for if restricted else []),
        "The folder licences names the providers of the figures and their licences.",
        f"In CSV and workbook {INERT}; Parquet has the original text.",
    ]


def _datapackage(
    folder: Path, tables: Iterable[ExportTable], about: dict[str, Any], rights: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """Return the description of the CSV files by the Frictionless Data Package standard, version 1."""
    given = {one["licence"]: one for one in rights if one["withheld"] < one["figures"]}
    return {
        "profile": "tabular-data-package",
        "name": NAME,
        "title": "CAREC Digital Scorecard",
        "description": f"Scores of CAREC members against the CAREC Digital Strategy 2030. In text, {INERT}.",
        "created": f"{about['published_at']:%Y-%m-%dT%H:%M:%SZ}",
        "licenses": [
            {"title": licence, **({"path": one["licence_url"]} if one["licence_url"] else {"name": "other"})}
            for licence, one in sorted(given.items())
        ],
        "sources": [
            {"title": one["title"], **({"path": one["documentation_url"]} if one["documentation_url"] else {})}
            for one in {one["provider"]: one for one in rights}.values()
        ],
        "resources": [_resource(folder / "csv" / f"{table.name}.csv", table) for table in tables],
    }


def _resource(path: Path, table: ExportTable) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "path": f"csv/{path.name}",
        "description": table.description,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [{"name": c.name, "type": c.field_type, "description": c.description} for c in table.columns],
            "missingValues": [""],
        },
    }
