"""ITU DataHub: is it open to programs again? It serves no figures here; ITU's series come by way of other providers.

Belongs here: how its refusals are told apart. Does not belong here: its data, or any way around a refusal.

Since August 2026 the interface answers 403, and the portal before it a challenge to browsers (202 without a body).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sources.catalogue import Provider
from sources.http.client import FailureKind, Http, Reply
from sources.parsing.observations import Refusal, ask, document, json_table, raw_body, usable
from sources.provider import RawBody

COUNTRIES = ("v2/country/all", "v3/country/all")
NO_SUCH_ROUTE = b"Missing Authentication Token"
"""What the gateway says with 403 where an address leads nowhere, blocked or not."""


class Access(StrEnum):
    OPEN = "open"
    BLOCKED = "blocked"
    """The DataHub says no to programs. It is not asked again, and nothing is tried instead."""
    MOVED = "moved"
    """The address leads nowhere: the interface has another by now."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Probe:
    """What the DataHub said when it was asked for its countries, and the bodies in which it did."""

    access: Access
    reason: str
    bodies: list[RawBody] = field(default_factory=list, repr=False)


def parse_countries(body: bytes) -> list[str]:
    """The ISO3 codes of the DataHub's countries. Raises Refusal."""
    codes = json_table(document(body), ("CountryID", "IsoCode"))["IsoCode"].drop_nulls().to_list()
    if not codes:
        raise Refusal("no country is in the list")
    return codes


def probe(provider: Provider, http: Http) -> Probe:
    """Ask for the list of countries, under the next version's address only where the first leads nowhere."""
    bodies: list[RawBody] = []
    found = Probe(Access.UNAVAILABLE, "not asked")
    for path in COUNTRIES:
        reply = ask(http, provider, path)
        found = _understand(reply)
        if reply.content:
            refusal = None if found.access is Access.OPEN else Refusal(found.reason)
            bodies.append(raw_body(reply, provider, refusal))
        if found.access is not Access.MOVED:
            break
    return Probe(found.access, found.reason, bodies)


def _understand(reply: Reply) -> Probe:
    if reply.status == 404 or (reply.status == 403 and NO_SUCH_ROUTE in reply.content):
        return Probe(Access.MOVED, f"HTTP {reply.status}: there is no such address")
    if reply.status == 403 or (reply.failure is not None and reply.failure.kind is FailureKind.CHALLENGE):
        return Probe(Access.BLOCKED, f"HTTP {reply.status}: closed to programs")
    try:
        return Probe(Access.OPEN, f"countries listed: {len(parse_countries(usable(reply)))}")
    except Refusal as refusal:
        return Probe(Access.UNAVAILABLE, refusal.reason)
