"""Export the published file: CSV and Parquet files, a workbook, a data package, licences, checksums.

Belongs here: the files of an export and how each is written. Does not belong here: which values may be passed on
(``licences``), the tables (``tables``), the meaning of a column (its comment in the published file).

Exports of the same publication with the same options have the same bytes: rows and columns have a fixed order, and no
file contains the time of writing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from warehouse.export.licences import MARKS, withhold
from warehouse.export.tables import ExportTable, load_tables
from warehouse.export.workbook import write_workbook
from warehouse.reading import open_published, quoted

NAME = "carec-digital-scorecard"
CHECKSUMS = "SHA256SUMS"
FOLDERS = ("csv", "parquet", "licences")
FILES = ("carec.xlsx", "README.txt", "datapackage.json")
UNFINISHED = ".carec-export-"
"""Prefix of the folder, inside that of the export, for the files that are being written."""

INERT = "a text that begins with = + - @, a tab or a line break has an apostrophe before it"


class NotAnExport(ValueError):
    """The folder has files that no export wrote. Nothing in it was changed."""


@dataclass(frozen=True)
class Attribution:
    """How to name a provider and its licence."""

    provider: str
    title: str
    licence: str
    licence_url: str | None
    citation: str
    documentation_url: str | None


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
        NotAnExport: The folder has other files.
        licences.UnknownName: No figure has such a licence or provider.
        reading.NotPublished: Nothing is published.
        reading.Unreadable: The file is not a publication.
    """
    _check_folder(directory)
    with open_published(published) as connection:
        withhold(connection, licences, providers)
        with _new_folder(directory) as new:
            tables = _write_all(connection, new, attributions)
        ((figures,),) = connection.execute("select count(value) from observations").fetchall()
        counts = {
            mark: dict(
                connection.execute(f"select licence, count(*) from {mark}_figures group by 1 order by 1").fetchall()
            )
            for mark in MARKS
        }
    return Exported(directory, tables, figures - sum(counts["withheld"].values()), **counts)


def _check_folder(directory: Path) -> None:
    """Raise NotAnExport if the folder has files that no export wrote."""
    if directory.exists() and not directory.is_dir():
        raise NotAnExport(f"{directory} is a file; name a folder")
    if not directory.is_dir():
        return
    interrupted = any(directory.glob(f"{UNFINISHED}*"))
    checksums = directory / CHECKSUMS
    listed = {CHECKSUMS}
    if checksums.is_file():
        listed |= {line.partition("  ")[2] for line in checksums.read_text(encoding="utf-8").splitlines()}
    for path in sorted(path for path in directory.rglob("*") if not path.is_dir()):
        name = path.relative_to(directory)
        ours = name.parts[0].startswith(UNFINISHED) or (interrupted and name.parts[0] in (*FOLDERS, *FILES))
        if not ours and name.as_posix() not in listed:
            raise NotAnExport(
                f"{directory} holds other files, such as {name}; name a new or an empty folder, or an earlier export"
            )


@contextmanager
def _new_folder(directory: Path) -> Iterator[Path]:
    """Yield an empty folder whose files replace those of ``directory`` when the block ends without an error.

    The folder is inside ``directory``, so that files are renamed and not copied. The checksums are renamed last: after
    an interruption between two renames they do not match.
    """
    is_new = not directory.exists()
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left)
    try:
        with TemporaryDirectory(dir=directory, prefix=UNFINISHED) as folder:
            new, old = Path(folder, "new"), Path(folder, "old")
            for path in (*(new / name for name in FOLDERS), old):
                path.mkdir(parents=True)
            yield new
            for name in (*FOLDERS, *FILES, CHECKSUMS):
                if (directory / name).exists():
                    (directory / name).rename(old / name)
                (new / name).rename(directory / name)
    except BaseException:
        if is_new and not any(directory.iterdir()):
            directory.rmdir()
        raise


def _write_all(connection: duckdb.DuckDBPyConnection, new: Path, attributions: Iterable[Attribution]) -> int:
    """Write every file of an export and return the number of tables."""
    tables = load_tables(connection)
    for table in tables:
        _copy(connection, table.query, new / "parquet" / f"{table.name}.parquet", "format parquet, compression zstd")
        _copy(connection, table.printable, new / "csv" / f"{table.name}.csv", "format csv, header")
    about = _about(connection)
    rights = _rights(connection, attributions)
    introduction = _readme(about, rights)
    for provider, own in groupby(rights, key=itemgetter("provider")):
        _write(new / "licences" / f"{provider}.txt", _licence_text(list(own)))
    write_workbook(connection, new / "carec.xlsx", tables, introduction, rights, about["published_at"])
    _write(new / "README.txt", "\n\n".join(introduction) + "\n")
    _write(new / "datapackage.json", json.dumps(_datapackage(new, tables, about, rights), indent=1) + "\n")
    _write(new / CHECKSUMS, _checksums(new))
    return len(tables)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    times = ", timestampformat '%Y-%m-%dT%H:%M:%SZ'" if "csv" in options else ""
    connection.execute(f"copy ({query}) to '{quoted(path)}' ({options}{times})")


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _about(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    result = connection.execute("from publication")
    row = result.fetchone()
    assert row is not None and result.description is not None
    return dict(zip((column[0] for column in result.description), row, strict=True))


def _rights(connection: duckdb.DuckDBPyConnection, attributions: Iterable[Attribution]) -> list[dict[str, Any]]:
    """Return one row per provider and licence of the observations, with the provider's attribution."""
    known = {attribution.provider: attribution for attribution in attributions}
    rows = connection.execute(
        """
        select o.provider, o.licence, t.terms, t.reason, count(*) as figures, count(w.year) as withheld,
            count(r.year) as restricted, string_agg(distinct o.indicator_id, ', ' order by o.indicator_id) as indicators
        from observations as o
        join licence_terms as t using (licence)
        left join withheld_figures as w using (iso3, indicator_id, year)
        left join restricted_figures as r using (iso3, indicator_id, year)
        group by all order by 1, 2
        """
    ).fetchall()
    columns = ("provider", "licence", "terms", "reason", "figures", "withheld", "restricted", "indicators")
    rights = []
    for row in rows:
        one = dict(zip(columns, row, strict=True))
        by = known.get(one["provider"])
        one["title"] = by.title if by else one["provider"]
        one["citation"] = by.citation if by else ""
        one["licence_url"] = by.licence_url if by and by.licence == one["licence"] else None
        one["documentation_url"] = by.documentation_url if by else None
        rights.append(one)
    return rights


def _licence_text(own: list[dict[str, Any]]) -> str:
    """Return the licence file of one provider: its attribution, and the figures under each of its licences."""
    first = own[0]
    lines = [first["title"], first["documentation_url"] or "", "", f"Cite as: {first['citation']}"]
    for one in own:
        values = "Their values are in this export."
        if one["withheld"]:
            values = f"{one['withheld']:,} of their values are left out of this export."
        elif one["restricted"]:
            values = "Their values are in this export because they were asked for: mind the terms."
        lines += [
            "",
            f"Licence: {one['licence']}",
            *([one["licence_url"]] if one["licence_url"] else []),
            f"Terms: {one['terms'].replace('_', ' ')}: {one['reason']}.",
            f"Figures: {one['figures']:,}. {values}",
            f"Indicators: {one['indicators']}",
        ]
    return "\n".join(lines) + "\n"


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


def _checksums(folder: Path) -> str:
    """Return one line per file, in the format of ``sha256sum --check``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
