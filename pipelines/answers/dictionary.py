"""What the tables, views and columns of the published file mean.

Belongs here: the query. Does not belong here: the descriptions; they are in dbt's YAML files and, as comments, in the
published file.
"""

from __future__ import annotations

from typing import NamedTuple

from pipelines.published import fetch

_COLUMNS = """
    with described as (
        select table_oid, schema_name, table_name as name, comment from duckdb_tables() where not internal
        union all
        select view_oid, schema_name, view_name, comment from duckdb_views() where not internal
    )
    select d.name, coalesce(d.comment, ''), c.column_name, lower(c.data_type), coalesce(c.comment, '')
    from described as d join duckdb_columns() as c using (table_oid, schema_name)
    where schema_name = 'main' and not c.internal and c.table_name = d.name
    order by not starts_with(d.name, 'v_'), d.name, c.column_index
"""


class Described(NamedTuple):
    """A column with the description of its table or view."""

    table: str
    meaning_of_table: str
    column: str
    kind: str
    meaning: str


def described() -> list[Described]:
    """Return every column of the published file: views first, then tables, by name.

    Raises:
        NotPublished: Nothing is published yet.
    """
    return [Described(*row) for row in fetch(_COLUMNS)]
