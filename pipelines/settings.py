"""Settings from the environment or ``.env``: the folder of the warehouse, the use of the network.

Belongs here: every ``CAREC_*`` name. Does not belong here: what is fetched (the catalogue) or computed (dbt). Every
command reads the settings, so this module imports no library that validates; the values are few and plain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sources.errors import ConfigurationError
from sources.http.user_agent import agent

if TYPE_CHECKING:
    from sources.catalogue import Catalogue  # commands that only read need no catalogue

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout: ``dbt_project``, ``sources`` and the default warehouse are in it."""
DBT_PROJECT = PROJECT / "dbt_project"

_PREFIX, _URL = "CAREC_", "_URL"
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
_SWITCHES = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True)
_SWITCHES |= dict.fromkeys(("0", "false", "f", "no", "n", "off"), False)
READ = "read"
"""Metadata of a field: the function that reads its text. It raises ValueError with what is expected."""
_MEMORY = re.compile(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B")


@dataclass(frozen=True)
class Secret:
    """A text that no log or message shows."""

    value: str = field(repr=False)


def _switch(given: str) -> bool:
    found = _SWITCHES.get(given.strip().lower())
    if found is None:
        raise ValueError("true or false is expected")
    return found


def _number(most: float = inf, *, whole: bool = False) -> Callable[[str], float]:
    """Return a function that reads a number above 0."""
    limit = "" if most == inf else f" and at most {most:g}"

    def read(given: str) -> float:
        try:
            value = float(given)
        except ValueError:
            value = nan
        if not 0 < value <= most or (whole and not value.is_integer()):
            raise ValueError(f"a {'whole ' if whole else ''}number above 0{limit} is expected")
        return int(value) if whole else value

    return read


def _honest_header(given: str) -> str | None:
    """Return None for a blank value. Reject browser names: a provider must be able to recognise a program."""
    text = given.strip(" ")
    if not all(" " <= character <= "~" for character in text):
        raise ValueError("one line of printable ASCII characters is expected")
    if BROWSER.search(text):
        raise ValueError(f"this names a browser; name the program that asks, such as {agent('ops@example.org')}")
    return text or None


def _folder(given: str) -> Path:
    path = Path(given)
    try:
        folder = path.expanduser().resolve()
    except RuntimeError as error:
        raise ValueError(f"there is no user {path.parts[0]}") from error
    with suppress(OSError):  # the step that opens the folder names what is wrong with it
        if folder.is_file():
            raise ValueError(f"{folder} is a file; name a folder")
    return folder


def _usable_folder(given: str) -> Path:
    path = _folder(given)
    if fault := path_fault(path):
        raise ValueError(f"{fault}; choose a folder without it")
    return path


def _memory(given: str) -> str:
    if not _MEMORY.fullmatch(given):
        raise ValueError("an amount with a unit such as 6GB is expected")
    return given


def _time_zone(given: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError for a folder of zones, such as Asia
        raise ValueError("a time zone such as UTC or Asia/Almaty is expected") from error
    return given


def _web_address(given: str) -> str:
    text = given.strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in text):
        raise ValueError("an address such as https://host/path is expected")
    return text


@dataclass(frozen=True)
class Settings:
    """``CAREC_<NAME>`` in the environment, else in ``.env`` of the working directory, else the default."""

    warehouse: Path = field(default=PROJECT / "warehouse" / "data", metadata={READ: _usable_folder})
    """The folder of all fetched, built and published data."""
    local_files: Path | None = field(default=None, metadata={READ: _folder})
    """The folder of the operator's files; ``local`` in the warehouse by default."""
    offline: bool = field(default=False, metadata={READ: _switch})
    """Send no requests; use the landed figures and the bundled archive."""
    http_timeout_s: float = field(default=600.0, metadata={READ: _number(600)})
    """Upper limit of the read timeout of every provider, in seconds; ``providers.yml`` may set a shorter one."""
    http_tries: int = field(default=4, metadata={READ: _number(10, whole=True)})
    """Most tries of a request whose error is temporary."""
    contact: str | None = field(default=None, metadata={READ: _honest_header})
    """Mail or web address of the operator, sent to providers with every request."""
    user_agent: str | None = field(default=None, metadata={READ: _honest_header})
    """User agent of every request, instead of project, version and contact."""
    refresh_budget_s: float = field(default=600.0, metadata={READ: _number()})
    """Seconds of a refresh, with the shares ``PROVIDERS_SHARE`` and ``HOST_SHARE``."""
    keep_publications: int = field(default=10, metadata={READ: _number(whole=True)})
    """Number of publications to keep, besides the first one of each month."""
    dbt_threads: int = field(default=2, metadata={READ: _number(16, whole=True)})
    memory_limit: str | None = field(default=None, metadata={READ: _memory})
    """Most memory of DuckDB in a build, such as ``6GB``; the rest goes to a folder next to ``build.duckdb``."""
    automation: bool = field(default=False, metadata={READ: _switch})
    """Switch schedules and sensors on when Dagster starts; otherwise each is off until an operator switches it on."""
    timezone: str = field(default="UTC", metadata={READ: _time_zone})
    """Time zone of the schedules, by its name in the IANA database (``Asia/Almaty``)."""
    webhook_url: str | None = field(default=None, metadata={READ: _web_address})
    """URL that receives messages about failed runs and changed verdicts as JSON. The log always has them."""

    lake: Secret | None = field(default=None, metadata={READ: Secret})
    """Catalogue of the lake, ``postgresql://user@host:port/database``; without it there is only the folder."""
    lake_data: str | None = field(default=None, metadata={READ: str})
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


def path_fault(path: Path) -> str | None:
    """Return why DuckDB, dbt or SQLite would read another path; None for a path that works."""
    text = str(path).replace(os.sep, "/").replace(os.altsep or os.sep, "/")
    found = next((character for character in text if character in NOT_IN_PATHS or not character.isprintable()), None)
    return f"the path {text!r} has the character {found!r}, which the database cannot have in a path" if found else None


def load_settings(**overrides: object) -> Settings:
    """Return the settings.

    Args:
        overrides: Values by field name, instead of those of the environment; None for the default.

    Raises:
        ConfigurationError: A variable has an invalid value; the message names it and the expected form.
    """
    if fault := path_fault(PROJECT):
        raise ConfigurationError(f"{fault}; move the checkout to a folder without it")
    named = _named()
    for name, value in named.items():
        if value[0] in QUOTES:
            if name == "CAREC_LAKE":  # it may have a password
                raise ConfigurationError("CAREC_LAKE: the quotes are a part of the value; write it without them")
            plain = value.strip(QUOTES)
            raise ConfigurationError(f"{name}={value}: the quotes are a part of the value; write {name}={plain}")
    given: dict[str, Any] = {one.name: named.get(_PREFIX + one.name.upper()) for one in fields(Settings)} | overrides
    values = {name: _value(name, text) for name, text in given.items() if text is not None}
    return Settings(**values)


def _value(name: str, given: object) -> Any:
    try:
        return Settings.__dataclass_fields__[name].metadata[READ](str(given))
    except ValueError as error:
        raise ConfigurationError(f"{_PREFIX}{name.upper()}={given!r}: {error}") from error


def _named() -> dict[str, str]:
    """Return every ``CAREC_*`` variable that is set. The environment has priority over ``.env``."""
    return {
        name.upper(): value
        for source in (_env_file(), os.environ)
        for name, value in source.items()
        if name.upper().startswith(_PREFIX) and value
    }


def _env_file() -> Mapping[str, str | None]:
    """Return the variables of ``.env``.

    Raises:
        ConfigurationError: It is not UTF-8 text. UTF-16 without a mark is valid UTF-8 with NULs.
    """
    path = Path(ENV_FILE)
    if not path.is_file():
        return {}
    try:
        readable = "\0" not in path.read_text(encoding=ENV_ENCODING)
    except UnicodeDecodeError:
        readable = False
    if not readable:
        raise ConfigurationError(f"{path.absolute()}: not UTF-8 text; save it in the encoding UTF-8")
    from dotenv import dotenv_values

    return dotenv_values(path, encoding=ENV_ENCODING)


def unknown_settings(catalogue: Catalogue) -> list[str]:
    """Return the ``CAREC_*`` variables that the project does not read, usually misspelt names."""
    known = {_PREFIX + one.name.upper() for one in fields(Settings)}
    known |= {f"{_PREFIX}{provider.upper()}{_URL}" for provider in catalogue.providers}
    return sorted(_named().keys() - known)


def with_base_urls(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue, with the URLs of each provider replaced by ``CAREC_<PROVIDER>_URL`` if that is set.

    Raises:
        ConfigurationError: A variable is not a URL.
    """
    from pydantic import HttpUrl, ValidationError  # the types of the catalogue

    providers = dict(catalogue.providers)
    for name, value in _named().items():
        provider = name.removeprefix(_PREFIX).removesuffix(_URL).lower()
        if name.endswith(_URL) and provider in providers:
            try:
                providers[provider] = providers[provider].at(HttpUrl(value))
            except ValidationError as error:
                raise ConfigurationError(
                    f"{name}={value!r}: an address such as https://host/path is expected"
                ) from error
    return catalogue.model_copy(update={"providers": providers})
