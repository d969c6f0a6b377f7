"""Connections to a lake: its address, DuckDB's extensions, credentials, and errors without secrets.

Belongs here: attaching a lake and connecting to its catalogue. Does not belong here: what is written to it
(``publishing``), who may read it (``rights``).

The extensions are wheels of the extra ``lake``, loaded from their files: nothing is downloaded.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from warehouse.lake.errors import LakeError
from warehouse.reading import quoted

NAME = "lake"
"""Name under which a lake is attached."""

EXTENSIONS = ("ducklake", "postgres_scanner", "httpfs")
_INSTALL = "install the extra: `make lake`, or pip install 'carec-digital-scorecard[lake]'"
_MASK = "***"
_TIMES = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "4"}
_TIMES |= {"tcp_user_timeout": "30000"}
"""Parameters of libpq: a connection to a machine that is gone fails after some 30 s. The address may have others."""


@dataclass(frozen=True)
class Lake:
    """The address of a lake.

    Attributes:
        host: Host of PostgreSQL.
        port: Its port.
        database: The database with the catalogue.
        user: The role; None for libpq's default (PGUSER, or the user of the system).
        password: Its password; None if libpq finds one (PGPASSWORD, PGPASSFILE).
        options: Further parameters of libpq, such as sslmode.
        data: Folder or ``s3://bucket/path`` of the Parquet files.
    """

    host: str
    port: int
    database: str
    user: str | None
    password: str | None
    options: tuple[tuple[str, str], ...]
    data: str

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of libpq by name, with the password."""
        named = {"host": self.host, "port": str(self.port), "dbname": self.database}
        named |= {name: value for name, value in (("user", self.user), ("password", self.password)) if value}
        return {**named, **dict(self.options)}

    @property
    def shown(self) -> str:
        """The address without the password."""
        return f"postgresql://{self.user + '@' if self.user else ''}{self.host}:{self.port}/{self.database}"


def lake_at(url: str, data: str | None) -> Lake:
    """Return the lake at an address.

    Args:
        url: ``postgresql://user@host:port/database?sslmode=...``.
        data: Folder or ``s3://bucket/path`` of the Parquet files.

    Raises:
        ValueError: The address is not of that form; the message does not repeat it, as it may have a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        parts, port = urlsplit(""), 0
    database = unquote(parts.path.strip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname or not database or "/" in database:
        raise ValueError("an address such as postgresql://user@host:5432/database is expected")
    if not data:
        raise ValueError("CAREC_LAKE_DATA is missing: the folder or s3://bucket/path of the lake's Parquet files")
    if "://" in data and not data.startswith("s3://"):
        raise ValueError("CAREC_LAKE_DATA is neither a folder nor s3://bucket/path")
    return Lake(
        host=parts.hostname,
        port=port,
        database=database,
        user=parts.username and unquote(parts.username),
        password=parts.password and unquote(parts.password),
        options=tuple(parse_qsl(parts.query)),
        data=data if data.startswith("s3://") else str(Path(data).expanduser().absolute()),
    )


def extension_file(name: str) -> Path:
    """Return the file of one of DuckDB's extensions.

    Raises:
        LakeError: The wheel is not installed, or it is built for another DuckDB.
    """
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise LakeError(f"DuckDB's extension {name} is not installed; {_INSTALL}")
    folder = Path(spec.submodule_search_locations[0], "extensions")
    path = folder / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        built = ", ".join(sorted(one.name for one in folder.glob("v*")))
        raise LakeError(f"DuckDB's extension {name} is for {built}, DuckDB is v{duckdb.__version__}; {_INSTALL}")
    return path


def s3_credentials() -> dict[str, str]:
    """Return the S3 credentials by the names of DuckDB's secret: from AWS's variables, else from its credentials file.

    A variable has priority, as in AWS's own tools: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``,
    ``AWS_SESSION_TOKEN``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``; ``AWS_SHARED_CREDENTIALS_FILE`` and ``AWS_PROFILE``
    choose the file and its section.
    """
    names = {
        "key_id": "aws_access_key_id",
        "secret": "aws_secret_access_key",
        "session_token": "aws_session_token",
        "region": "aws_region",
        "endpoint": "aws_endpoint_url",
    }
    file = configparser.ConfigParser()
    file.read(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", Path.home() / ".aws" / "credentials"))
    profile = os.environ.get("AWS_PROFILE", "default")
    section = dict(file[profile]) if file.has_section(profile) else {}
    section.setdefault("aws_region", section.get("region", ""))
    section.setdefault("aws_endpoint_url", section.get("endpoint_url", ""))
    found = {ours: os.environ.get(name.upper()) or section.get(name, "") for ours, name in names.items()}
    return {ours: value for ours, value in found.items() if value}


@contextmanager
def attached(lake: Lake, *, read_only: bool = False, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with the lake attached as ``lake``.

    Args:
        lake: The address.
        read_only: Attach it for reading.
        create: Make the catalogue if there is none. Several first attaches at once would fail.

    Raises:
        LakeError: PostgreSQL, the catalogue or the data cannot be reached, within the block too.
    """
    with explained(lake), duckdb.connect() as connection:
        for name in EXTENSIONS if lake.data.startswith("s3://") else EXTENSIONS[:2]:
            connection.execute(f"load '{quoted(extension_file(name))}'")
        connection.execute("set enable_progress_bar = false")
        connection.execute(_catalogue_secret(lake))
        if lake.data.startswith("s3://"):
            connection.execute(_store_secret())
        options = f"create_if_not_exists {str(create).lower()}{', read_only' if read_only else ''}"
        connection.execute(f"attach 'ducklake:carec_lake' as {NAME} ({options})")
        # waits between tries of a commit that another one got ahead of
        connection.execute("set ducklake_max_retry_count = 100; set ducklake_retry_wait_ms = 50")
        try:
            yield connection
        except BaseException:
            # closed with a transaction whose PostgreSQL is lost, DuckDB would end this process
            with suppress(duckdb.Error):
                connection.execute("rollback")
            raise


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the columns of a table in the schema ``landing`` of an attached lake; none if there is no such table."""
    found = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = 'landing'"
        " and table_name = ?",
        [NAME, table],
    )
    return [name for (name,) in found.fetchall()]


def make(lake: Lake) -> None:
    """Make the catalogue of a lake and the folder of its data, if there are none.

    Rows are never kept in PostgreSQL: whole vintages there cost ten times what they cost in Parquet files.

    Raises:
        LakeError: PostgreSQL or the folder cannot be reached.
    """
    if not lake.data.startswith("s3://"):
        Path(lake.data).mkdir(parents=True, exist_ok=True)
    with attached(lake, create=True) as connection:
        connection.execute(f"call {NAME}.set_option('data_inlining_row_limit', 0)")


def _catalogue_secret(lake: Lake) -> str:
    known = {"host": "host", "port": "port", "dbname": "database", "user": "user", "password": "password"}
    values = ", ".join(f"{known[name]} '{quoted(value)}'" for name, value in lake.parameters.items() if name in known)
    options = " ".join(f"{name}={value}" for name, value in lake.options)  # the secret has no place for sslmode
    return (
        f"create secret carec_catalogue (type postgres, {values});"
        f" create secret carec_lake (type ducklake, metadata_path '{quoted(options)}', data_path '{quoted(lake.data)}',"
        " metadata_parameters map {'TYPE': 'postgres', 'SECRET': 'carec_catalogue'})"
    )


def _store_secret() -> str:
    found = s3_credentials()
    if "endpoint" in found:
        address = urlsplit(found.pop("endpoint"))
        found |= {"endpoint": address.netloc, "url_style": "path", "use_ssl": str(address.scheme == "https").lower()}
    values = "".join(f", {name} '{quoted(value)}'" for name, value in found.items())
    return f"create secret carec_store (type s3{values})"


@contextmanager
def catalogue(lake: Lake) -> Iterator[Any]:
    """Yield a connection of psycopg2 to the database of the catalogue, in autocommit mode.

    Raises:
        LakeError: PostgreSQL cannot be reached or refuses, within the block too.
    """
    try:
        import psycopg2  # type: ignore[import-untyped]
    except ImportError as error:
        raise LakeError(f"psycopg2 is not installed; {_INSTALL}") from error
    try:
        connection = psycopg2.connect(**{**_TIMES, **lake.parameters}, application_name="carec")
    except psycopg2.Error as error:
        raise LakeError(_sentence(lake, error)) from None
    connection.autocommit = True
    try:
        yield connection
    except psycopg2.Error as error:
        raise LakeError(_sentence(lake, error)) from None
    finally:
        connection.close()


@contextmanager
def explained(lake: Lake) -> Iterator[None]:
    """Turn DuckDB's errors within the block into LakeError, without secrets."""
    try:
        yield
    except duckdb.Error as error:
        raise LakeError(_sentence(lake, error)) from None


def _sentence(lake: Lake, error: Exception) -> str:
    """Return a message with the cause, the place and the remedy; DuckDB repeats connection strings with passwords."""
    text = " ".join(str(error).split())
    secrets = [lake.password, os.environ.get("PGPASSWORD"), *(s3_credentials().get(n) for n in ("secret", "key_id"))]
    for secret in secrets:
        text = text.replace(secret, _MASK) if secret else text
    return f"the lake {lake.shown} with data in {lake.data}: {text}; `carec lake status` checks each part"
