"""Settings from the environment or ``.env``: the folder of the warehouse, the use of the network.

Belongs here: every ``CAREC_*`` name. Does not belong here: what is fetched (the catalogue) or computed (dbt).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, HttpUrl, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sources.catalogue import Catalogue
from sources.errors import ConfigurationError
from sources.http.client import agent

PROJECT = Path(__file__).resolve().parents[1]
"""The checkout, with ``dbt_project``, ``sources`` and the default warehouse."""

_URL = "_URL"
BROWSER = re.compile(
    r"\b(mozilla|applewebkit|chrome|chromium|safari|firefox|gecko|opera|opr|edge?|msie|trident)\b", re.I
)
"""Names that only browsers have."""


class Settings(BaseSettings):
    """``CAREC_<NAME>`` in the environment, else in ``.env`` of the working directory, else the default."""

    model_config = SettingsConfigDict(env_prefix="CAREC_", env_file=".env", extra="ignore", frozen=True)

    warehouse: Path = PROJECT / "warehouse" / "data"
    """The folder of all fetched, built and published data."""
    local_files: Path | None = None
    """The folder of the operator's files; ``local`` in the warehouse by default."""
    offline: bool = False
    """Send no requests; use the landed figures and the bundled archive."""
    http_timeout_s: float = Field(default=600.0, gt=0, le=600)
    """Upper limit for the read timeout of ``providers.yml``, in seconds."""
    http_tries: int = Field(default=4, ge=1, le=10)
    """Attempts per request, if the failures are transient."""
    contact: str | None = None
    """Mail or web address of the operator, sent with every request."""
    user_agent: str | None = None
    """User-Agent of every request, instead of project, version and contact."""
    dbt_threads: int = Field(default=2, ge=1, le=16)
    automation: bool = False
    """Switch on schedules and sensors when Dagster starts; by default they are off until switched on in the pages."""
    timezone: str = "UTC"
    """Time zone of the schedules, a name of the IANA database (Asia/Almaty)."""
    webhook_url: HttpUrl | None = None
    """Address to post failed runs and changed verdicts to, as JSON. They are always logged."""

    @property
    def agent(self) -> str:
        """User-Agent of every request."""
        return self.user_agent or agent(self.contact)

    @field_validator("contact", "user_agent")
    @classmethod
    def _honest_header(cls, value: str | None) -> str | None:
        """Return the text, None if it is blank. Providers that refuse programs must be able to recognise this one."""
        text = (value or "").strip(" ")
        if not all(" " <= character <= "~" for character in text):
            raise ValueError("one line of printable ASCII characters is expected")
        if BROWSER.search(text):
            raise ValueError(f"this names a browser; name the program that asks, such as {agent('ops@example.org')}")
        return text or None

    @field_validator("warehouse")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("a time zone such as UTC or Asia/Almaty is expected") from error
        return value


def load_settings(**overrides: object) -> Settings:
    """Read the settings. Raise ConfigurationError with the name of a wrong variable and its expected value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "CAREC_" + str(first["loc"][0]).upper()
        raise ConfigurationError(f"{name}={first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from error


def _named() -> dict[str, str]:
    """Return every CAREC_* variable that is set. The environment has precedence over ``.env``."""
    values = {**dotenv_values(".env"), **os.environ}
    return {name: value for name, value in values.items() if name.startswith("CAREC_") and value}


def unknown_settings(catalogue: Catalogue) -> list[str]:
    """Return the CAREC_* variables that are not read, which are most often misspelt."""
    known = {f"CAREC_{field.upper()}" for field in Settings.model_fields}
    known |= {f"CAREC_{provider.upper()}{_URL}" for provider in catalogue.providers}
    return sorted(_named().keys() - known)


def with_base_urls(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with the addresses of providers replaced by ``CAREC_<PROVIDER>_URL`` if that is set."""
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
