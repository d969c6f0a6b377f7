"""Check every link of every chain: does its code exist, do its options select rows, is there a newer edition.

How a provider is checked belongs in its adapter (``inspect``), reading the stored data in
``pipelines.source_checks``, printing in ``pipelines.cli.sources``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from sources.catalogue import ARCHIVE, Catalogue, Link
from sources.chain import requests_of
from sources.errors import ConfigurationError
from sources.http.client import Http
from sources.inspection import Inspection, Inspects, Verdict
from sources.observation import Areas
from sources.provider import SeriesRequest, Window

SOUND = frozenset({Verdict.OK, Verdict.NEWER, Verdict.NO_CHECK, Verdict.NO_FILE})
"""Verdicts that need no change of the catalogue or at the provider."""


@dataclass(frozen=True)
class StoredData:
    """The stored data of an indicator.

    Attributes:
        newest: Year of the newest observation of the inspected members, None if there is none.
        releases: Provider -> newest edition among the releases of the observations.
        archived: Newest year in the bundled archive, None if it has no such series.
    """

    newest: int | None = None
    releases: Mapping[str, int] = field(default_factory=dict)
    archived: int | None = None


@dataclass(frozen=True)
class LinkFinding:
    """The result for one link; ``position`` counts from 1 in the indicator's chain, mirrors included."""

    indicator_id: str
    position: int
    provider: str
    code: str
    framework: bool
    verdict: Verdict
    detail: str
    newest_edition: int | None
    held_edition: int | None
    url: str

    @property
    def status(self) -> str:
        """The printed verdict."""
        return f"{self.verdict}: {self.newest_edition}" if self.verdict is Verdict.NEWER else self.verdict.value

    @property
    def broken(self) -> bool:
        """Whether a link of the framework needs a change."""
        return self.framework and self.verdict not in SOUND


@dataclass(frozen=True)
class _Place:
    """A link with its place in the catalogue."""

    indicator_id: str
    position: int
    link: Link


def check_every_link(
    catalogue: Catalogue,
    inspectors: Mapping[str, Inspects],
    stored: Mapping[str, StoredData],
    framework: Collection[str],
    areas: Areas,
    window: Window,
    http: Http,
    providers: Sequence[str] = (),
    indicators: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[LinkFinding]:
    """Inspect every link; providers in parallel, each series once.

    Args:
        catalogue: The indicators, their chains and providers.
        inspectors: Provider -> its adapter.
        stored: Indicator -> its stored data.
        framework: Indicators of the framework: their links must not be broken.
        areas: The areas that the project knows.
        window: The years that a refresh would request.
        http: The session.
        providers: Inspect only links of these providers, of all if empty.
        indicators: Inspect only links of these indicators, of all if empty.
        progress: Called with the id of each provider when it is done.

    Returns:
        One result per link, in the order of the catalogue.

    Raises:
        ConfigurationError: If a named provider or indicator has no link.
    """
    places = _places(catalogue, providers, indicators)
    requests_by_provider: dict[str, list[SeriesRequest]] = {}
    for place in places:
        for name, request in requests_of(place.link):
            if name in inspectors:
                requests_by_provider.setdefault(name, []).append(request)

    def inspect(provider: str) -> dict[SeriesRequest, Inspection]:
        requests = list(dict.fromkeys(requests_by_provider[provider]))
        try:
            return inspectors[provider].inspect(requests, catalogue.providers[provider], areas, window, http)
        except Exception as error:  # an error in one adapter must not stop the checks of other providers
            fault = f"the check of {provider} failed: {type(error).__name__}: {error}"
            return dict.fromkeys(requests, Inspection(Verdict.UNREADABLE, fault))
        finally:
            progress(provider)

    with ThreadPoolExecutor(max(1, len(requests_by_provider)), thread_name_prefix="links") as pool:
        found = dict(zip(requests_by_provider, pool.map(inspect, requests_by_provider), strict=True))
    return [_finding(place, found, stored.get(place.indicator_id, StoredData()), framework) for place in places]


def _places(catalogue: Catalogue, providers: Sequence[str], indicators: Sequence[str]) -> list[_Place]:
    chosen = catalogue.select(list(indicators))
    places = [
        _Place(indicator.id, position, link)
        for indicator in chosen
        for position, link in enumerate(indicator.chain, start=1)
        if not providers or link.provider in providers
    ]
    if unknown := sorted(set(providers) - {place.link.provider for place in places}):
        known = ", ".join(dict.fromkeys(link.provider for indicator in chosen for link in indicator.chain))
        raise ConfigurationError(f"no link to check at {', '.join(unknown)}; these indicators are asked of {known}")
    return places


def _inspection(
    place: _Place, found: Mapping[str, Mapping[SeriesRequest, Inspection]], stored: StoredData
) -> Inspection:
    """Return the result for a link; for a ratio the worse of its two series, or the older one."""
    if place.link.provider == ARCHIVE:
        if stored.archived is None:
            return Inspection(Verdict.NO_FILE, "the bundled archive has no such series")
        return Inspection(Verdict.OK, newest=stored.archived)
    needed = requests_of(place.link)
    if any(provider not in found for provider, _ in needed):
        return Inspection(Verdict.NO_CHECK, "this provider has no check")
    parts = [found[provider][request] for provider, request in needed]
    worse = next((part for part in parts if part.verdict is not Verdict.OK), None)
    return worse or min(parts, key=lambda part: part.newest or 0)


def _finding(
    place: _Place,
    found: Mapping[str, Mapping[SeriesRequest, Inspection]],
    stored: StoredData,
    framework: Collection[str],
) -> LinkFinding:
    """Return the result for a link, compared with the stored data."""
    link, inspection = place.link, _inspection(place, found, stored)
    newest, known = inspection.newest, stored.newest
    if newest is None and inspection.edition is not None and link.provider in stored.releases:
        newest, known = inspection.edition, stored.releases[link.provider]
    if link.provider != ARCHIVE and inspection.verdict is Verdict.OK and newest and known:
        if newest > known:
            inspection = replace(inspection, verdict=Verdict.NEWER).noting(f"held is {known}: run `carec refresh`")
        elif newest < known:
            inspection = inspection.noting(f"ends in {newest}, held is {known}")
    return LinkFinding(
        indicator_id=place.indicator_id,
        position=place.position,
        provider=link.provider,
        code=link.provider_code,
        framework=place.indicator_id in framework,
        verdict=inspection.verdict,
        detail=inspection.detail,
        newest_edition=newest,
        held_edition=known,
        url=inspection.url,
    )
