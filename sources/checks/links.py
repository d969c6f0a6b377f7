"""The walk over every link of every chain: does its code exist, do its options leave rows, is there a newer edition.

Belongs here: which links there are, how the inspection of its series becomes the finding of a link, what is broken.
Does not belong here: how a provider is asked (the ``inspect`` of its adapter), what is held (the warehouse), printing.
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
"""Verdicts that ask for no change, neither of the catalogue nor at the provider."""


@dataclass(frozen=True)
class Held:
    """What is held of an indicator.

    Attributes:
        newest: Year of the newest figure of the members that are asked for; None where nothing is held.
        releases: Provider -> newest edition among the releases of the figures held.
        archived: Newest year in the bundled archive; None where it has no such series.
    """

    newest: int | None = None
    releases: Mapping[str, int] = field(default_factory=dict)
    archived: int | None = None


@dataclass(frozen=True)
class LinkFinding:
    """The finding of one link; ``position`` counts from 1 in the indicator's chain, mirrors included."""

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
        """The verdict as printed."""
        return f"{self.verdict}: {self.newest_edition}" if self.verdict is Verdict.NEWER else self.verdict.value

    @property
    def broken(self) -> bool:
        """Whether a link of the framework does not do what the catalogue says."""
        return self.framework and self.verdict not in SOUND


@dataclass(frozen=True)
class _Place:
    """One link with its place in the catalogue."""

    indicator_id: str
    position: int
    link: Link


def walk(
    catalogue: Catalogue,
    inspectors: Mapping[str, Inspects],
    held: Mapping[str, Held],
    framework: Collection[str],
    areas: Areas,
    window: Window,
    http: Http,
    providers: Sequence[str] = (),
    indicators: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[LinkFinding]:
    """Inspect every link, providers side by side, each series once.

    Args:
        catalogue: The indicators, their chains and providers.
        inspectors: Provider -> who inspects its links.
        held: Indicator -> what is held of it.
        framework: Indicators whose links must not be broken.
        areas: The areas that the project knows.
        window: The years that a refresh would ask for.
        http: The session.
        providers: Walk only links of these; of all where empty.
        indicators: Walk only links of these; of all where empty.
        progress: Called with the id of a provider that is done.

    Returns:
        One finding per link, in the order of the catalogue.

    Raises:
        ConfigurationError: For a provider or an indicator that has no link.
    """
    places = _places(catalogue, providers, indicators)
    asked: dict[str, list[SeriesRequest]] = {}
    for place in places:
        if place.link.provider in inspectors:
            asked.setdefault(place.link.provider, []).extend(requests_of(place.link))

    def visit(provider: str) -> dict[SeriesRequest, Inspection]:
        requests = list(dict.fromkeys(asked[provider]))
        try:
            return inspectors[provider].inspect(requests, catalogue.providers[provider], areas, window, http)
        except Exception as error:  # a fault of ours in one adapter must not take the other providers down
            fault = f"the check of {provider} failed: {type(error).__name__}: {error}"
            return dict.fromkeys(requests, Inspection(Verdict.UNREADABLE, fault))
        finally:
            progress(provider)

    with ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="links") as pool:
        found = dict(zip(asked, pool.map(visit, asked), strict=True))
    return [
        _finding(place, _inspected(place, found, held.get(place.indicator_id, Held())), held, framework)
        for place in places
    ]


def _places(catalogue: Catalogue, providers: Sequence[str], indicators: Sequence[str]) -> list[_Place]:
    chosen = catalogue.select(list(indicators))
    places = [
        _Place(indicator.id, position, link)
        for indicator in chosen
        for position, link in enumerate(indicator.chain, start=1)
        if not providers or link.provider in providers
    ]
    if idle := sorted(set(providers) - {place.link.provider for place in places}):
        known = ", ".join(dict.fromkeys(link.provider for indicator in chosen for link in indicator.chain))
        raise ConfigurationError(f"no link to check at {', '.join(idle)}; these indicators are asked of {known}")
    return places


def _inspected(place: _Place, found: Mapping[str, Mapping[SeriesRequest, Inspection]], held: Held) -> Inspection:
    """The inspection of a link: of a ratio the worse of its two series, dated by the older one."""
    provider = place.link.provider
    if provider == ARCHIVE:
        if held.archived is None:
            return Inspection(Verdict.NO_FILE, "the bundled archive has no such series")
        return Inspection(Verdict.OK, newest=held.archived)
    if provider not in found:
        return Inspection(Verdict.NO_CHECK, "this provider has no check")
    parts = [found[provider][request] for request in requests_of(place.link)]
    worse = next((part for part in parts if part.verdict is not Verdict.OK), None)
    return worse or min(parts, key=lambda part: part.newest or 0)


def _finding(
    place: _Place, inspection: Inspection, held: Mapping[str, Held], framework: Collection[str]
) -> LinkFinding:
    """The finding of a link, with what is held beside what the provider has."""
    link, have = place.link, held.get(place.indicator_id, Held())
    newest, known = inspection.newest, have.newest
    if newest is None and inspection.edition is not None and link.provider in have.releases:
        newest, known = inspection.edition, have.releases[link.provider]
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
