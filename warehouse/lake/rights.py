"""Who may read a lake: a PostgreSQL role, the rights that its object store has to give, and how a reader connects.

Belongs here: rights and the lines for readers. Does not belong here: the connection of this program.
"""

from __future__ import annotations

import json

from warehouse.lake.connection import Lake, catalogue


def grant_reading(lake: Lake, role: str, password: str | None) -> bool:
    """Give a role the right to read the catalogue and nothing else; create the role if there is none.

    Args:
        lake: The address; its role must be allowed to create roles.
        role: Name of the role.
        password: Its password; None leaves the password of an existing role, or makes a role without one.

    Returns:
        Whether the role was created.

    Raises:
        LakeError: PostgreSQL refuses.
    """
    from psycopg2 import sql  # type: ignore[import-untyped]
    from psycopg2.extensions import encrypt_password  # type: ignore[import-untyped]

    name, database = sql.Identifier(role), sql.Identifier(lake.database)
    with catalogue(lake) as connection, connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [role])
        is_new = cursor.fetchone() is None
        if is_new:
            cursor.execute(sql.SQL("create role {} login").format(name))
        if password:
            # the server may log its statements
            secret = encrypt_password(password, role, connection, "scram-sha-256")
            cursor.execute(sql.SQL("alter role {} password %s").format(name), [secret])
        for statement in (
            "revoke create on schema public from {role}",
            "grant connect on database {database} to {role}",
            "grant usage on schema public to {role}",
            "grant select on all tables in schema public to {role}",
            "alter default privileges in schema public grant select on tables to {role}",
        ):
            cursor.execute(sql.SQL(statement).format(role=name, database=database))
        return is_new


def store_policy(lake: Lake) -> str | None:
    """Return the policy that lets a reader read the lake's objects and nothing else; None for a folder."""
    if not lake.data.startswith("s3://"):
        return None
    bucket, _, prefix = lake.data.removeprefix("s3://").partition("/")
    objects = f"arn:aws:s3:::{bucket}/{prefix + '/' if prefix else ''}*"
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=1)


def reader_lines(lake: Lake, role: str) -> dict[str, str]:
    """Return program -> the lines that attach the lake for reading. They have no password.

    libpq finds it in ``PGPASSWORD`` or ``~/.pgpass``.
    """
    options = "".join(f" {name}={value}" for name, value in lake.options)
    place = f"dbname={lake.database} host={lake.host} port={lake.port} user={role}{options}"
    attach = f"attach 'ducklake:postgres:{place}' as lake (read_only); use lake;"
    install = "install ducklake; install postgres;"
    if lake.data.startswith("s3://"):
        install += " install httpfs; create secret (type s3, key_id '...', secret '...', endpoint '...');"
    return {
        "DuckDB CLI": f"{install}\n{attach}",
        "Python": f'import duckdb; lake = duckdb.connect(); lake.execute("{install}")\nlake.execute("{attach}")',
        "R": f'lake <- DBI::dbConnect(duckdb::duckdb()); DBI::dbExecute(lake, "{install}")\n'
        f'DBI::dbExecute(lake, "{attach}")',
    }
