"""The catalogue: the indicators, and the providers of their figures.

Belongs here: reading and checking ``catalog/indicators.yml`` and ``catalog/providers.yml``. Does not belong here:
fetching, benchmarks and pillars (``dbt_project/seeds``), anything computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

from sources.errors import ConfigurationError, did_you_mean
from sources.yaml_files import first_fault, read_yaml

CATALOG_DIR = Path(__file__).parent / "catalog"
ARCHIVE = "archive"  # the last link of every chain: the bundled last-known-good figures
LOCAL_FILE = "local_file"  # the provider of the files that an operator puts into a folder


class Direction(StrEnum):
    HIGHER = "higher_is_better"
    LOWER = "lower_is_better"


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


T = TypeVar("T", bound=Entry)


class Link(Entry):
    """One provider in the chain of an indicator.

    Attributes:
        provider: Id of the provider.
        code: The provider's code of the series, verbatim.
        over: A second code, the denominator: the figure is then ``scale`` times ``code`` / ``over`` of one year.
        over_provider: The provider of ``over``, if it is another one than ``provider``. It gets no ``options``.
        scale: The factor of such a ratio.
        options: Query parameters of the provider.
        licence: The licence of this provider's figures, if it differs from the indicator's.
        furthest: Adjacent links with this flag are requested together, and the one with the latest year is used. A
            mirror that is added to such a link is one of them.
        adds: Figures of this link are added to the last vintage, and withdraw none: for a table of some economies.
    """

    provider: str
    code: str | None = None
    over: str | None = None
    over_provider: str | None = None
    scale: float = 1.0
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    licence: str | None = Field(default=None, min_length=2)
    furthest: bool = False
    adds: bool = False

    @property
    def provider_code(self) -> str:
        """Return the code as it is published: verbatim, with both codes of a ratio and the denominator's provider."""
        over = " ".join(part for part in (self.over_provider, self.over) if part)
        return f"{self.code} / {over}" if over else self.code or ""

    @model_validator(mode="after")
    def _code_unless_archive(self) -> Link:
        if (self.code is None) != (self.provider == ARCHIVE):
            raise ValueError("every link needs a code, except the archive, which has none")
        return self

    @model_validator(mode="after")
    def _denominator_with_its_provider(self) -> Link:
        if self.over_provider and not self.over:
            raise ValueError("over_provider is the provider of over, which is missing")
        return self


class RejectRule(Entry):
    """Published figures that do not measure the indicator, such as a 0 that means "not asked".

    A record is rejected if all conditions hold. ``value`` holds for that value, ``below`` for every smaller one.
    """

    reason: str = Field(min_length=10)
    years: tuple[int, ...] = ()
    value: float | None = None
    below: float | None = None
    only_iso3: tuple[str, ...] = ()
    except_iso3: tuple[str, ...] = ()


class ValidRange(Entry):
    min: float
    max: float

    @model_validator(mode="after")
    def _ordered(self) -> ValidRange:
        if not self.min < self.max:
            raise ValueError("min must be below max")
        return self


class Indicator(Entry):
    """One entry of ``indicators.yml``.

    An older value than ``max_age_years``, counted from the as-of year, is stale. ``origin`` is the organisation that
    measured or computed the figures. Two providers that copy one origin do not confirm each other's figures. No
    projection passes ``natural_limit``. A share that saturates has the upper end of its valid range as its limit; a
    ratio of shape ``parity`` is judged by its distance from 1, which is its limit. Without a limit, the valid range
    catches typing errors only.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{2,63}$")
    title: str = Field(min_length=3)
    definition: str = Field(min_length=20)
    unit: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    direction: Direction
    population_base: str = Field(min_length=3)
    valid_range: ValidRange
    max_age_years: int = Field(ge=1, le=20)
    shape: Literal["linear", "saturating", "parity"]
    natural_limit: float | None = None
    edition_index: bool = False
    licence: str = Field(min_length=2)
    origin: str = Field(min_length=2)
    chain: tuple[Link, ...] = Field(min_length=1)
    reject_rules: tuple[RejectRule, ...] = ()
    note: str | None = None

    @property
    def steps(self) -> tuple[tuple[Link, ...], ...]:
        """Return the links in the order of requests: one after another, adjacent ones with ``furthest`` together."""
        steps: list[tuple[Link, ...]] = []
        for link in self.chain:
            together = link.furthest and steps and steps[-1][0].furthest
            steps[-1:] = [(*steps[-1], link)] if together else [*steps[-1:], (link,)]
        return tuple(steps)

    @model_validator(mode="after")
    def _archive_last(self) -> Indicator:
        names = [link.provider for link in self.chain]
        if ARCHIVE in names[:-1]:
            raise ValueError("the archive is the last link of a chain")
        return self

    @model_validator(mode="after")
    def _limit_of_the_shape(self) -> Indicator:
        if self.natural_limit is None:
            return self
        if self.shape != "linear":
            raise ValueError("natural_limit is for the shape linear: a share has the upper end of its range, parity 1")
        if not self.valid_range.min < self.natural_limit <= self.valid_range.max:
            raise ValueError("natural_limit must be in the valid range")
        return self


class Limits(TypedDict):
    """The arguments of ``Http.get`` that are the same for all requests to a provider."""

    provider: str
    connect_timeout_s: float
    read_timeout_s: float
    max_body_mib: int


class LinkOptions(Entry):
    """The names of the options that the links of a provider must and may have."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


class Provider(Entry):
    """One entry of ``providers.yml``. ``CAREC_<ID>_URL`` overrides ``base_url`` and ``alternative_url``.

    Attributes:
        alternative_url: A second address, which has some of the provider's files too.
        mirror: A provider with the same series under the same codes. It follows this one in every chain.
        cadence_days: Longest usual time between two releases.
        probe_hours: Hours between checks for a new release. None if the provider gives no sign of one.
        parallel: Largest number of requests at the same time.
        max_body_mib: A larger body, as sent, is not read. Decompressed, it may be four times as large.
        options: The options that its adapter reads; a link with others would be requested without them.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    base_url: HttpUrl | None = None
    alternative_url: HttpUrl | None = None
    mirror: str | None = None
    documentation_url: HttpUrl | None = None
    licence: str
    licence_url: HttpUrl | None = None
    citation: str
    cadence: str
    cadence_days: int = Field(default=365, ge=1)
    probe_hours: int | None = Field(default=None, ge=1)
    parallel: int = Field(default=4, ge=1, le=4)
    connect_timeout_s: float = Field(default=3.0, gt=0, le=10)
    read_timeout_s: float = Field(default=60.0, gt=0, le=600)
    max_body_mib: int = Field(default=64, ge=1, le=2048)
    options: LinkOptions = LinkOptions()

    @property
    def limits(self) -> Limits:
        """Return the limits of every request to this provider."""
        return Limits(
            provider=self.id,
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=self.read_timeout_s,
            max_body_mib=self.max_body_mib,
        )

    def at(self, url: HttpUrl) -> Provider:
        """Return the provider with its addresses replaced by ``url``."""
        alternative = url if self.alternative_url else None
        return self.model_copy(update={"base_url": url, "alternative_url": alternative})


class Catalogue(BaseModel):
    """All indicators and providers, in the order of the files. References between them are checked."""

    model_config = ConfigDict(frozen=True)

    indicators: dict[str, Indicator]
    providers: dict[str, Provider]

    def __iter__(self) -> Iterator[Indicator]:  # type: ignore[override]
        return iter(self.indicators.values())

    def select(self, ids: list[str] | None) -> list[Indicator]:
        """Return the indicators with these ids, or all. Raise ConfigurationError for an unknown id."""
        if not ids:
            return list(self)
        unknown = [i for i in ids if i not in self.indicators]
        if unknown:
            raise ConfigurationError(
                f"unknown indicator {', '.join(unknown)}: `carec indicators` lists the {len(self.indicators)} there are"
                + did_you_mean(unknown[0], self.indicators)
            )
        return [self.indicators[i] for i in ids]


def read_entries(path: Path, model: type[T]) -> dict[str, tuple[int, T]]:
    """Read a YAML list of entries.

    Args:
        path: A YAML file with a list of mappings, each with an ``id``.
        model: The model of an entry.

    Returns:
        Id -> line of the file and entry, in the order of the file.

    Raises:
        ConfigurationError: The first fault, with file, line, entry and field.
    """
    document = read_yaml(path)
    if not isinstance(document.value, list):
        raise ConfigurationError(f"{path}:{document.line_of()}: must be a list of entries that begin with `- id:`")
    entries: dict[str, tuple[int, T]] = {}
    for number, raw in enumerate(document.value):
        line = document.line_of(number)
        if not isinstance(raw, dict):
            raise ConfigurationError(f"{path}:{line}: must be an entry with fields, not {raw!r}")
        name = str(raw.get("id", "without id"))
        try:
            entry = model.model_validate(raw)
        except ValidationError as error:
            place, fault = first_fault(error)
            field = ".".join(str(part) for part in place) or "the entry"
            raise ConfigurationError(f"{path}:{line}: {name}: {field}: {fault}") from None
        if name in entries:
            raise ConfigurationError(f"{path}:{line}: {name}: line {entries[name][0]} has the same id")
        entries[name] = (line, entry)
    return entries


def load_catalogue(directory: Path = CATALOG_DIR) -> Catalogue:
    """Read both files and check their references.

    Raises:
        ConfigurationError: The first fault, with file, line, entry and field.
    """
    providers_path, indicators_path = directory / "providers.yml", directory / "indicators.yml"
    listed = read_entries(providers_path, Provider)
    providers = {name: entry for name, (_, entry) in listed.items()}
    for name, (line, provider) in listed.items():
        if provider.mirror and provider.mirror not in providers:
            fault = f"mirror: there is no provider {provider.mirror!r}"
            raise ConfigurationError(f"{providers_path}:{line}: {name}: {fault}")
    indicators: dict[str, Indicator] = {}
    for name, (line, indicator) in read_entries(indicators_path, Indicator).items():
        for position, link in enumerate(indicator.chain):
            if wrong := _link_fault(link, providers):
                raise ConfigurationError(f"{indicators_path}:{line}: {name}: chain.{position}.{wrong}")
        indicators[name] = indicator.model_copy(update={"chain": tuple(_with_mirrors(indicator.chain, providers))})
    return Catalogue(indicators=indicators, providers=providers)


def _link_fault(link: Link, providers: dict[str, Provider]) -> str | None:
    """Return the field of a link that names an unknown provider or option, and what is wrong; None if nothing is."""
    for field, provider in (("provider", link.provider), ("over_provider", link.over_provider)):
        if provider and provider not in providers:
            known = ", ".join(sorted(providers))
            return f"{field}: there is no provider {provider!r} in providers.yml; known are {known}"
    options = providers[link.provider].options
    for name in link.options:
        if name not in options.names:
            near = f" (known are {', '.join(options.names)}){did_you_mean(name, options.names)}"
            return f"options: {link.provider} has no option {name!r}{near if options.names else ': remove it'}"
    missing = [name for name in options.required if name not in link.options]
    return f"options: {link.provider} needs the option {missing[0]!r}: add it" if missing else None


def _with_mirrors(chain: tuple[Link, ...], providers: dict[str, Provider]) -> Iterator[Link]:
    """Yield every link, followed by the same one at the provider's mirror unless the chain has it already."""
    named = {(link.provider, link.provider_code) for link in chain}
    for link in chain:
        yield link
        mirror = providers[link.provider].mirror
        if mirror and (mirror, link.provider_code) not in named:
            yield link.model_copy(update={"provider": mirror})
