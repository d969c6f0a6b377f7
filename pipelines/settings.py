"""Settings from the environment or ``.env``: the folder of the warehouse, the use of the network.

Belongs here: every ``CAREC_*`` name. Does not belong here: what is fetched (the catalogue) or computed (dbt).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sources.errors import ConfigurationError
from sources.http.user_agent import agent

if TYPE_CHECKING:
    from sources.catalogue import Catalogue  # commands that only read need no catalogue

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout: ``dbt_project``, ``sources`` and the default warehouse are in it."""
DBT_PROJECT = PROJECT / "dbt_project"

_URL = "_URL"
QUOTES = "'\""
ENV_FILE = ".env"
ENV_ENCODING = "utf-8-sig"
"""Editors for Windows write a mark at the beginning of UTF-8 files."""
PROVIDERS_SHARE, HOST_SHARE = 0.8, 0.4
"""Shares of the budget in which all providers are asked, and each host. The slowest provider needs up to 240 s."""
NOT_IN_PATHS = "%#?*[]{}'\"=\\"
"""Characters that have a meaning in globs, addresses, templates or folder names of data for DuckDB, dbt or SQLite."""
BROWSER = re.compile(
    r"\b(mozilla|applewebkit|chrome|chromium|safari|firefox|gecko|opera|opr|edge?|msie|trident)\b", re.I
)
"""Names that only browsers use in their user agent."""


class Settings(BaseSettings):
    """``CAREC_<NAME>`` in the environment, else in ``.env`` of the working directory, else the default."""

    model_config = SettingsConfigDict(
        env_prefix="CAREC_",
        env_file=ENV_FILE,
        env_file_encoding=ENV_ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    warehouse: Path = PROJECT / "warehouse" / "data"
    """The folder of all fetched, built and published data."""
    local_files: Path | None = None
    """The folder of the operator's files; ``local`` in the warehouse by default."""
    offline: bool = False
    """Send no requests; use the landed figures and the bundled archive."""
    http_timeout_s: float = Field(default=600.0, gt=0, le=600)
    """Upper limit of the read timeout of every provider, in seconds; ``providers.yml`` may set a shorter one."""
    http_tries: int = Field(default=4, ge=1, le=10)
    """Most tries of a request whose error is temporary."""
    contact: str | None = None
    """Mail or web address of the operator, sent to providers with every request."""
    user_agent: str | None = None
    """User agent of every request, instead of project, version and contact."""
    refresh_budget_s: float = Field(default=600.0, gt=0)
    """Seconds of a refresh, with the shares ``PROVIDERS_SHARE`` and ``HOST_SHARE``."""
    keep_publications: int = Field(default=10, ge=1)
    """Number of publications to keep, besides the first one of each month."""
    dbt_threads: int = Field(default=2, ge=1, le=16)
    memory_limit: str | None = Field(default=None, pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$")
    """Most memory of DuckDB in a build, such as ``6GB``; the rest goes to a folder next to ``build.duckdb``."""
    automation: bool = False
    """Switch schedules and sensors on when Dagster starts; otherwise each is off until an operator switches it on."""
    timezone: str = "UTC"
    """Time zone of the schedules, by its name in the IANA database (``Asia/Almaty``)."""
    webhook_url: HttpUrl | None = None
    """URL that receives messages about failed runs and changed verdicts as JSON. The log always has them."""

    lake: SecretStr | None = None
    """Catalogue of the lake, ``postgresql://user@host:port/database``; without it there is only the folder."""
    lake_data: str | None = None
    """Folder or ``s3://bucket/path`` of the lake's Parquet files."""

    @property
    def providers_time_s(self) -> float:
        """The seconds of a refresh in which providers are asked; the rest is for build and publication."""
        return PROVIDERS_SHARE * self.refresh_budget_s

    @property
    def host_time_s(self) -> float:
        """The seconds that one host has: a slow one delays a refresh by no more."""
        return HOST_SHARE * self.refresh_budget_s

    @property
    def agent(self) -> str:
        """The user agent of every request."""
        return self.user_agent or agent(self.contact)

    @field_validator("contact", "user_agent")
    @classmethod
    def _honest_header(cls, value: str | None) -> str | None:
        """Return None for a blank value. Reject browser names: a provider must be able to recognise a program."""
        text = (value or "").strip(" ")
        if not all(" " <= character <= "~" for character in text):
            raise ValueError("one line of printable ASCII characters is expected")
        if BROWSER.search(text):
            raise ValueError(f"this names a browser; name the program that asks, such as {agent('ops@example.org')}")
        return text or None

    @field_validator("warehouse", "local_files")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value and value.expanduser().resolve()
        except RuntimeError as error:
            raise ValueError(f"there is no user {value.parts[0]}" if value else str(error)) from error

    @field_validator("warehouse")
    @classmethod
    def _usable(cls, value: Path) -> Path:
        if fault := path_fault(value):
            raise ValueError(f"{fault}; choose a folder without it")
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError for a folder of zones, such as Asia
            raise ValueError("a time zone such as UTC or Asia/Almaty is expected") from error
        return value


def path_fault(path: Path) -> str | None:
    """Return why DuckDB, dbt or SQLite would read another path; None for a path that works."""
    text = str(path).replace(os.sep, "/").replace(os.altsep or os.sep, "/")
    found = next((character for character in text if character in NOT_IN_PATHS or not character.isprintable()), None)
    return f"the path {text!r} has the character {found!r}, which the database cannot have in a path" if found else None


def load_settings(**overrides: object) -> Settings:
    """Return the settings.

    Args:
        overrides: Values by field name, instead of those of the environment.

    Raises:
        ConfigurationError: A variable has an invalid value; the message names it and the expected form.
    """
    if fault := path_fault(PROJECT):
        raise ConfigurationError(f"{fault}; move the checkout to a folder without it")
    for name, value in _named().items():
        if value[0] in QUOTES:
            if name == "CAREC_LAKE":  # it may have a password
                raise ConfigurationError("CAREC_LAKE: the quotes are a part of the value; write it without them")
            plain = value.strip(QUOTES)
            raise ConfigurationError(f"{name}={value}: the quotes are a part of the value; write {name}={plain}")
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "CAREC_" + str(first["loc"][0]).upper()
        raise ConfigurationError(f"{name}={first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from error


def _named() -> dict[str, str]:
    """Return every ``CAREC_*`` variable that is set. The environment has priority over ``.env``."""
    _check_env_file()
    values = {**dotenv_values(ENV_FILE, encoding=ENV_ENCODING), **os.environ}
    return {name: value for name, value in values.items() if name.startswith("CAREC_") and value}


def _check_env_file() -> None:
    """Raise ConfigurationError if ``.env`` is not UTF-8 text. UTF-16 without a mark is valid UTF-8 with NULs."""
    path = Path(ENV_FILE)
    if not path.is_file():
        return
    try:
        readable = "\0" not in path.read_text(encoding=ENV_ENCODING)
    except UnicodeDecodeError:
        readable = False
    if not readable:
        raise ConfigurationError(f"{path.absolute()}: not UTF-8 text; save it in the encoding UTF-8")


def unknown_settings(catalogue: Catalogue) -> list[str]:
    """Return the ``CAREC_*`` variables that the project does not read, usually misspelt names."""
    known = {f"CAREC_{field.upper()}" for field in Settings.model_fields}
    known |= {f"CAREC_{provider.upper()}{_URL}" for provider in catalogue.providers}
    return sorted(_named().keys() - known)


def with_base_urls(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue, with the URLs of each provider replaced by ``CAREC_<PROVIDER>_URL`` if that is set.

    Raises:
        ConfigurationError: A variable is not a URL.
    """
    providers = dict(catalogue.providers)
    for name, value in _named().items():
        provider = name.removeprefix("CAREC_").removesuffix(_URL).lower()
        if name.endswith(_URL) and provider in providers:
            try:
                providers[provider] = providers[provider].at(HttpUrl(value))
            except ValidationError as error:
                raise ConfigurationError(
                    f"{name}={value!r}: an address such as https://host/path is expected"
                ) from error
    return catalogue.model_copy(update={"providers": providers})
