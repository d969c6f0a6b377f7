"""The tables of an export: their columns, descriptions and queries.

Belongs here: what is exported of each table, and how a value becomes text. Does not belong here: files (``package``),
the values to omit (``licences``).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.export.licences import MARKS, RAW_VALUES, shareable

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
"""DuckDB type -> type of the Frictionless Data Package standard."""


@dataclass(frozen=True)
class ExportColumn:
    """A column of an exported table. ``type`` is DuckDB's."""

    name: str
    type: str
    description: str

    @property
    def field_type(self) -> str:
        """Type in the data package. Types that the standard lacks, such as lists, are strings."""
        return _FIELD_TYPES.get(self.type.partition("(")[0], "string")

    @property
    def printable(self) -> str:
        """SQL expression for CSV and workbook: no text that a spreadsheet would take for a formula."""
        name = f'"{self.name}"'
        if self.field_type != "string":
            return name
        text = name if self.type == "VARCHAR" else f"{name}::varchar"
        return f"case when regexp_matches({text}, '^[=+@\\t\\r\\n-]') then '''' else '' end || {text} as {name}"


@dataclass(frozen=True)
class ExportTable:
    """A table of an export. ``query`` returns its rows in order."""

    name: str
    description: str
    columns: tuple[ExportColumn, ...]
    query: str

    @property
    def printable(self) -> str:
        """SQL query of the rows as CSV and the workbook show them."""
        return f"select {', '.join(column.printable for column in self.columns)} from ({self.query})"


def load_tables(connection: duckdb.DuckDBPyConnection) -> list[ExportTable]:
    """Return every table and view of the published file, without the values that must not be passed on."""
    found = connection.execute(
        """
        with published as (
            select schema_name, table_name as name, coalesce(comment, '') as description
            from duckdb_tables() where not internal and not temporary
            union all
            select schema_name, view_name, coalesce(comment, '')
            from duckdb_views() where not internal and not temporary
        )
        select p.name, p.description,
            list({name: c.column_name, type: c.data_type, description: coalesce(c.comment, '')} order by c.column_index)
        from published as p join duckdb_columns() as c on p.schema_name = c.schema_name and p.name = c.table_name
        where p.schema_name = 'main' and not c.internal and c.database_name = current_database()
        group by all order by 1
        """
    ).fetchall()
    tables = []
    for name, description, fields in found:
        columns = tuple(ExportColumn(**field) for field in fields)
        if name in RAW_VALUES:
            columns += tuple(ExportColumn(mark, "VARCHAR", meaning) for mark, meaning in MARKS.items())
        tables.append(ExportTable(name, description, columns, shareable(name)))
    return tables
