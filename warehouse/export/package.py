"""The published file as files that others open: CSV and Parquet, a workbook, a data package, checksums, licences.

Belongs here: which files an export has and how each is written. Does not belong here: which values may be passed on
(``licences``), what a column means (its comment in the published file).

An export of the same publication with the same choices has the same bytes: rows and columns have one order and nothing
carries the time of writing.
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

from warehouse.export.licences import MARKS, RAW_VALUES, shareable, withhold
from warehouse.export.workbook import write_workbook
from warehouse.reading import open_published

NAME = "carec-digital-scorecard"
CHECKSUMS = "SHA256SUMS"
FOLDERS = ("csv", "parquet", "licences")
FILES = ("carec.xlsx", "README.txt", "datapackage.json")
UNFINISHED = ".carec-export-"
"""How the folder begins, inside the export's, in which an export is written before it takes the earlier one's place."""

INERT = "a text that would begin with = + - @, a tab or a line break has an apostrophe before it"

_FIELD_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "DECIMAL": "number",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


class NotAnExport(ValueError):
    """The folder holds files that no export wrote; nothing in it was touched."""


@dataclass(frozen=True)
class Notice:
    """Who publishes figures, and under which licence: what a licence file says of a provider."""

    provider: str
    title: str
    licence: str
    licence_url: str | None
    citation: str
    documentation_url: str | None


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str

    @property
    def field_type(self) -> str:
        """The type of the data package. What has none of its own, such as a list, is a text."""
        return _FIELD_TYPES.get(self.type.partition("(")[0], "string")


@dataclass(frozen=True)
class Table:
    """A table as it is exported. ``query`` gives its rows in their order."""

    name: str
    description: str
    columns: tuple[Column, ...]
    query: str

    @property
    def printable(self) -> str:
        """The rows for CSV and workbook: times in UTC as text, and no text that a spreadsheet takes for a formula."""
        return f"select {', '.join(_printable(c) for c in self.columns)} from ({self.query})"


@dataclass(frozen=True)
class Exported:
    """What an export wrote. ``withheld`` and ``restricted`` map a licence to its figures: left out, and asked for."""

    directory: Path
    tables: int
    figures: int
    withheld: dict[str, int]
    restricted: dict[str, int]


def export(
    published: Path,
    directory: Path,
    notices: Iterable[Notice],
    *,
    licences: Collection[str] = (),
    providers: Collection[str] = (),
) -> Exported:
    """Write every table of the published file to ``directory``, which is new, empty, or an earlier export.

    Raw values whose licence is not open are left out, save those of the named ``licences`` and ``providers``.
    Raises NotAnExport for a folder with other files in it, licences.UnknownName, reading.NotPublished and Unreadable.
    What stood in the folder stands there until everything is written.
    """
    _check_folder(directory)
    with open_published(published) as connection:
        withhold(connection, licences, providers)
        with _new_folder(directory) as new:
            tables = _write_all(connection, new, notices)
        ((figures,),) = connection.execute("select count(value) from observations").fetchall()
        counts = {
            mark: dict(
                connection.execute(f"select licence, count(*) from {mark}_figures group by 1 order by 1").fetchall()
            )
            for mark in MARKS
        }
    return Exported(directory, tables, figures - sum(counts["withheld"].values()), **counts)


def _check_folder(directory: Path) -> None:
    """Only what an export wrote is ever replaced: every other file is somebody's."""
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
    """An empty folder whose content takes the place of ``directory``'s once the block ends without error.

    It lies in ``directory``, so that nothing is copied at the end: names change, which takes no time that an
    interruption is likely to meet. Where one does, the checksums, which change last, do not fit.
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


def _write_all(connection: duckdb.DuckDBPyConnection, new: Path, notices: Iterable[Notice]) -> int:
    """Every file of an export; how many tables it has."""
    tables = _tables(connection)
    for table in tables:
        _copy(connection, table.query, new / "parquet" / f"{table.name}.parquet", "format parquet, compression zstd")
        _copy(connection, table.printable, new / "csv" / f"{table.name}.csv", "format csv, header")
    about = _about(connection)
    rights = _rights(connection, notices)
    introduction = _readme(about, rights)
    for provider, own in groupby(rights, key=itemgetter("provider")):
        _write(new / "licences" / f"{provider}.txt", _licence_text(list(own)))
    write_workbook(connection, new / "carec.xlsx", tables, introduction, rights, about["published_at"])
    _write(new / "README.txt", "\n\n".join(introduction) + "\n")
    _write(new / "datapackage.json", json.dumps(_datapackage(new, tables, about, rights), indent=1) + "\n")
    _write(new / CHECKSUMS, _checksums(new))
    return len(tables)


def _tables(connection: duckdb.DuckDBPyConnection) -> list[Table]:
    found = connection.execute(
        """
        select t.table_name, coalesce(t.comment, ''),
            list({name: c.column_name, type: c.data_type, description: coalesce(c.comment, '')} order by c.column_index)
        from duckdb_tables() as t join duckdb_columns() as c using (database_oid, schema_oid, table_oid)
        where t.schema_name = 'main' and not t.internal and not t.temporary
        group by all order by 1
        """
    ).fetchall()
    tables = []
    for name, description, fields in found:
        columns = tuple(Column(**field) for field in fields)
        query = shareable(name)
        if name in RAW_VALUES:
            columns += tuple(Column(mark, "VARCHAR", meaning) for mark, meaning in MARKS.items())
        tables.append(Table(name, description, columns, query))
    return tables


def _printable(column: Column) -> str:
    name = f'"{column.name}"'
    if column.field_type != "string":
        return name
    text = name if column.type == "VARCHAR" else f"{name}::varchar"
    return f"case when regexp_matches({text}, '^[=+@\\t\\r\\n-]') then '''' else '' end || {text} as {name}"


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    times = ", timestampformat '%Y-%m-%dT%H:%M:%SZ'" if "csv" in options else ""
    target = str(path).replace("'", "''")
    connection.execute(f"copy ({query}) to '{target}' ({options}{times})")


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


def _about(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    result = connection.execute("from publication")
    row = result.fetchone()
    assert row is not None and result.description is not None
    return dict(zip((column[0] for column in result.description), row, strict=True))


def _rights(connection: duckdb.DuckDBPyConnection, notices: Iterable[Notice]) -> list[dict[str, Any]]:
    """One row a provider and licence of the file's figures, with what the provider asks for."""
    known = {notice.provider: notice for notice in notices}
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
        notice = known.get(one["provider"])
        one["title"] = notice.title if notice else one["provider"]
        one["citation"] = notice.citation if notice else ""
        one["licence_url"] = notice.licence_url if notice and notice.licence == one["licence"] else None
        one["documentation_url"] = notice.documentation_url if notice else None
        rights.append(one)
    return rights


def _licence_text(own: list[dict[str, Any]]) -> str:
    """The licence file of one provider: who it is, and for each of its licences what it covers."""
    first = own[0]
    lines = [first["title"], first["documentation_url"] or "", "", f"Cite as: {first['citation']}"]
    for one in own:
        told = "Their values are in this export."
        if one["withheld"]:
            told = f"{one['withheld']:,} of their values are left out of this export."
        elif one["restricted"]:
            told = "Their values are in this export because they were asked for: mind the terms."
        lines += [
            "",
            f"Licence: {one['licence']}",
            *([one["licence_url"]] if one["licence_url"] else []),
            f"Terms: {one['terms'].replace('_', ' ')}: {one['reason']}.",
            f"Figures: {one['figures']:,}. {told}",
            f"Indicators: {one['indicators']}",
        ]
    return "\n".join(lines) + "\n"


def _readme(about: dict[str, Any], rights: list[dict[str, Any]]) -> list[str]:
    """What an export is, in lines: the README and the first sheet of the workbook say the same."""
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
        "Missing is empty, never 0; the reason stands beside it. Times are UTC.",
        f"{withheld:,} raw values are left out, because their licence is not open or not known: the column withheld"
        " names it. Scores, statuses and verdicts are all here. `carec export DIR --include-licence LICENCE` or"
        " `--include PROVIDER` adds values for whoever may use them.",
        *(asked_for if restricted else []),
        "Who publishes the figures, under which licence, stands in the folder licences.",
        f"In CSV and workbook {INERT}; Parquet has every text as it is.",
    ]


def _datapackage(
    folder: Path, tables: Iterable[Table], about: dict[str, Any], rights: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The description of the CSV files after the Frictionless Data Package standard, version 1."""
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


def _resource(path: Path, table: Table) -> dict[str, Any]:
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
    """One line a file, as ``sha256sum --check`` reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
