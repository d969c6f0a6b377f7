"""What a published file has besides tables: macros, views and comments, as statements that create them again.

Belongs here: reading them from a file and executing them in the lake or in a file. Does not belong here: rows.
"""

from __future__ import annotations

import duckdb

from warehouse.lake.connection import NAME

_STATEMENTS = """
    with tables as (
        select 2 as part, 'table' as kind, table_name as name, comment
        from duckdb_tables() where database_name = $file and schema_name = 'main'
        union all
        select 4, 'view', view_name, comment
        from duckdb_views() where database_name = $file and schema_name = 'main' and not internal
    )
    select 1 as part, function_name as name, 0 as place,
        format('create or replace macro main."{}"({}) as {}', function_name, array_to_string(parameters, ', '),
            macro_definition) as statement
    from duckdb_functions() where database_name = $file and function_type = 'macro' and not internal
    union all
    select part, name, 0, format('comment on {} main."{}" is ''{}''', kind, name, replace(comment, '''', ''''''))
    from tables where comment is not null
    union all
    select part, name, column_index,
        format('comment on column main."{}"."{}" is ''{}''', name, column_name, replace(c.comment, '''', ''''''))
    from duckdb_columns() as c join tables on table_name = name
    where database_name = $file and schema_name = 'main' and c.comment is not null
    union all
    select 3, view_name, 0, replace(sql, 'CREATE VIEW', 'CREATE OR REPLACE VIEW')
    from duckdb_views() where database_name = $file and schema_name = 'main' and not internal
    order by all
"""
"""Macros first, as views use them. Part 4 has the comments of views: DuckLake accepts none on their columns."""

_KEPT = f"{NAME}.carec.definitions"


def write_definitions(connection: duckdb.DuckDBPyConnection, file: str, *, tables_made: bool) -> None:
    """Give the lake the macros, views and comments of an attached file, and keep their statements.

    Args:
        connection: With the lake and the file attached, in a transaction.
        file: Name under which the file is attached.
        tables_made: Whether the transaction made a table, which then lacks its comments.
    """
    found = connection.execute(_STATEMENTS, {"file": file}).fetchall()
    connection.execute(f"create schema if not exists {NAME}.carec")
    connection.execute(
        f"create table if not exists {_KEPT} (part integer, name varchar, place integer, statement varchar)"
    )
    kept = connection.execute(f"from {_KEPT} order by all").fetchall()
    if found == kept and not tables_made:
        return
    for name in {name for part, name, *_ in kept if part == 3} - {name for part, name, *_ in found if part == 3}:
        connection.execute(f'drop view {NAME}.main."{name}"')
    connection.execute(f"use {NAME}.main")
    for part, _, _, statement in found:
        if part < 4:
            connection.execute(statement)
    connection.execute("use memory")
    if found != kept:
        connection.execute(f"delete from {_KEPT}")
        connection.execute(f"insert into {_KEPT} {_STATEMENTS}", {"file": file})


def copy_definitions(connection: duckdb.DuckDBPyConnection, file: str, snapshot: int) -> None:
    """Execute the statements that the lake keeps in an attached file.

    Args:
        connection: With the lake and the file attached.
        file: Name under which the file is attached.
        snapshot: The snapshot whose statements are meant.
    """
    statements = connection.execute(
        f"select statement from {_KEPT} at (version => {snapshot}) order by part, name, place"
    ).fetchall()
    connection.execute(f"use {file}.main")
    for (statement,) in statements:
        connection.execute(statement)
    connection.execute("use memory")
