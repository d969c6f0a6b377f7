"""Whether a provider has published something new, found out without fetching a figure.

Belongs here: what of each provider changes when, and only when, its figures may have changed. Does not belong here: how
often it is asked and what follows (``pipelines.orchestration.automation``), what a release holds (``providers``).

A file is asked for its first byte: as cheap as HEAD, which some hosts refuse, and the answer has the same headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sources.catalogue import Provider
from sources.http.client import Http, Reply
from sources.parsing.editions import ABSENT_STATUS
from sources.parsing.observations import Refusal, ask, document, usable
from sources.provider import SeriesRequest
from sources.providers import gtmi
from sources.providers.data360_rows import spellings
from sources.providers.un_sdg import releases_of
from sources.providers.unesco_uis import release_of
from sources.providers.wipo_gii import SITE

EDITIONS = 3
"""Yearly files that are asked for, from the current year down."""
NO_SUCH_FILE = ABSENT_STATUS | {400}


class Releases(NamedTuple):
    """``of`` is series -> the release that it is of now; ``silent`` says why a series is not among them."""

    of: dict[SeriesRequest, str]
    silent: list[str]


Probe = Callable[[Sequence[SeriesRequest], Provider, Http, date], dict[SeriesRequest, str]]
"""Raises Refusal where the provider's answer does not tell."""


def releases(requests: Iterable[SeriesRequest], provider: Provider, http: Http, today: date) -> Releases:
    """The present release of each series, in as few requests as the provider allows. Raises nothing for its faults.

    The provider must be one of ``PROBES``.
    """
    probe, groups = PROBES[provider.id]
    of: dict[SeriesRequest, str] = {}
    silent: list[str] = []
    together: dict[str, list[SeriesRequest]] = {}
    for request in dict.fromkeys(requests):
        together.setdefault(groups(request), []).append(request)
    for group in together.values():
        try:
            of |= probe(group, provider, http, today)
        except Refusal as refusal:
            silent.append(refusal.reason)
    return Releases(of, silent)


def _world_bank(
    requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date
) -> dict[SeriesRequest, str]:
    """``lastupdated`` of the database that the series are in."""
    content = document(usable(ask(http, provider, f"sources/{_database(requests[0])}", {"format": "json"})))
    try:
        updated = str(content[1][0]["lastupdated"])
    except (TypeError, KeyError, IndexError) as error:
        raise Refusal("the World Bank's answer does not say when the database was last updated") from error
    return dict.fromkeys(requests, updated)


def _database(request: SeriesRequest) -> str:
    return str(request.option("source", 2))


def _unesco(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    return dict.fromkeys(requests, release_of(usable(ask(http, provider, "versions/default"))))


def _un_sdg(requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date) -> dict[SeriesRequest, str]:
    """Every series is listed with the release that it is of."""
    known = releases_of(usable(ask(http, provider, "Series/List", {"allreleases": "false"})))
    return {request: known[request.code] for request in requests if request.code in known}


def _file(paths: Callable[[SeriesRequest, int], Sequence[str]]) -> Probe:
    """A probe of the first file that there is, ``paths`` newest first: its name, and when and how it last changed."""

    def probe(
        requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date
    ) -> dict[SeriesRequest, str]:
        tried = paths(requests[0], today.year)
        for path in tried:
            reply = _first_byte(http, provider, path)
            if not _absent(reply):
                usable(reply)
                return dict.fromkeys(requests, f"{path} {_state(reply.headers)}")
        raise Refusal(f"{provider.id}: there is none of {', '.join(tried)}")

    return probe


def _first_byte(http: Http, provider: Provider, path: str) -> Reply:
    return http.get(
        f"{str(provider.base_url).rstrip('/')}/{path}",
        **provider.limits,
        headers={"Range": "bytes=0-0", "Accept-Encoding": "identity"},
    )


def _absent(reply: Reply) -> bool:
    """Whether there is no such file; some sites have a page for that, with HTTP 200."""
    return reply.status in NO_SUCH_FILE or "html" in reply.headers.get("Content-Type", "")


def _state(headers: Mapping[str, str]) -> str:
    """What a server says of a file's state; without a date or a tag its length is all that tells."""
    size = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    said = headers.get("Last-Modified") or headers.get("ETag") or f"{size} bytes"
    if size in ("", "*") and said == f"{size} bytes":
        raise Refusal("the server says nothing of when the file changed")
    return said


def _yearly(path: str) -> Callable[[SeriesRequest, int], list[str]]:
    def paths(_: SeriesRequest, year: int) -> list[str]:
        return [path.format(year) for year in range(year, year - EDITIONS, -1)]

    return paths


def _data360_files(request: SeriesRequest, _: int) -> list[str]:
    return [f"{request.option('database')}/{name}.csv" for name in spellings(request)]


def _together(_: SeriesRequest) -> str:
    return ""


def _apart(request: SeriesRequest) -> str:
    return repr(request)


PROBES: dict[str, tuple[Probe, Callable[[SeriesRequest], str]]] = {
    "world_bank": (_world_bank, _database),
    "unesco_uis": (_unesco, _together),
    "un_sdg": (_un_sdg, _together),
    "wipo_gii": (_file(_yearly(f"{SITE}/economy_id_{{}}.csv")), _together),
    "itu_prices": (_file(_yearly("ITU_ICTPriceBaskets_2008-{}.xlsx")), _together),
    "un_egov": (_file(_yearly("EGOV_DATA_{}.csv")), _together),
    "gtmi": (_file(lambda _, __: list(gtmi.RELEASES.values())), _together),
    "data360_files": (_file(_data360_files), _apart),
}
"""Provider -> its probe, and which of its series are of one release (equal names)."""
