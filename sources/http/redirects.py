"""Which redirects are followed. Pure rules on addresses; ``http`` applies them."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
KINDS = frozenset({"ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "int", "mil", "ne", "net", "or", "org"})
"""What stands before a country's own ending in names that anybody may register below it (``co.uk``, ``gov.kz``)."""


def redirect_fault(origin: str, target: str) -> str | None:
    """Why a redirect is not followed; None where it stays with the host or its domain, and does not leave https."""
    old, new = urlsplit(origin), urlsplit(target)
    try:
        moved = _port(new) != _port(old) and _port(new) != PORTS.get(new.scheme)
    except ValueError:  # no number, or none that a port has
        return f"redirect to {target} is not followed"
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
        return f"redirect from {old.scheme} to {new.scheme} is not followed"
    domain = _domain(old.hostname or "")
    if old.hostname != new.hostname and (not domain or domain != _domain(new.hostname or "")):
        return f"redirect from {old.hostname} to another host ({new.hostname}) is not followed"
    return f"redirect from {old.hostname} to port {new.port} of {new.hostname} is not followed" if moved else None


def leads_inside(origin_ip: str, target_ip: str) -> bool:
    """Whether a redirect goes from a public address to a private one. Empty ones (behind a proxy) are not judged."""
    return bool(origin_ip and target_ip) and _is_public(origin_ip) and not _is_public(target_ip)


def _port(address: SplitResult) -> int | None:
    return address.port or PORTS.get(address.scheme)


def _domain(host: str) -> str:
    """The part of a name that somebody registered: its last two labels, three where a country sorts its names by kind.

    Empty for an IP address and for a name without a dot (``localhost``).
    """
    labels = host.rstrip(".").split(".")
    numeric = ":" in host or labels[-1].isdigit()
    if numeric or len(labels) < 2:
        return ""
    sorted_by_kind = len(labels[-1]) == 2 and labels[-2] in KINDS
    return ".".join(labels[-3:] if sorted_by_kind else labels[-2:])


def _is_public(ip: str) -> bool:
    return ipaddress.ip_address(ip.partition("%")[0]).is_global
