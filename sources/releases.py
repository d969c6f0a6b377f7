"""The current release of each series, found without fetching an observation.

How one provider names its release belongs in its adapter (``release``), how often it is requested in
``pipelines.orchestration.automation``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

from sources.catalogue import Provider
from sources.http.client import Http
from sources.parsing.responses import UnusableResponse, group_requests
from sources.provider import SeriesRequest
from sources.providers import RELEASE_PROBES


class Releases(NamedTuple):
    """``of`` is series -> its current release; ``silent`` are the reasons why other series have none."""

    of: dict[SeriesRequest, str]
    silent: list[str]


def releases(requests: Iterable[SeriesRequest], provider: Provider, http: Http, today: date) -> Releases:
    """Return the current release of each series, with as few HTTP requests as the provider allows.

    Args:
        requests: Series of one provider.
        provider: The provider; its adapter must have ``release``.
        http: The session.
        today: The current day: yearly files are looked for from its year down.

    Returns:
        The releases, and the reasons for series without one. Faults of the provider are never raised.
    """
    adapter = RELEASE_PROBES[provider.id]
    group_of: Callable[[SeriesRequest], str] = getattr(adapter, "release_group", lambda _: "")
    of: dict[SeriesRequest, str] = {}
    silent: list[str] = []
    for group in group_requests(dict.fromkeys(requests), group_of).values():
        try:
            of |= adapter.release(group, provider, http, today)
        except UnusableResponse as error:
            silent.append(error.reason)
    return Releases(of, silent)
