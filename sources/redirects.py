"""Which redirects are followed. Pure rules on addresses; ``http`` applies them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def redirect_fault(origin: str, target: str) -> str | None:
    """Why a redirect is not followed; None where it stays with the host or its domain, and does not leave https."""
    old, new = urlsplit(origin), urlsplit(target)
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
        return f"redirect from {old.scheme} to {new.scheme} is not followed"
    domain = _domain(old.hostname or "")
    if old.hostname == new.hostname or (domain and domain == _domain(new.hostname or "")):
        return None
    return f"redirect from {old.hostname} to another host ({new.hostname}) is not followed"


def leads_inside(origin_ip: str, target_ip: str) -> bool:
    """Whether a redirect goes from a public address to a private one. Empty ones (behind a proxy) are not judged."""
    return bool(origin_ip and target_ip) and _is_public(origin_ip) and not _is_public(target_ip)


def _domain(host: str) -> str:
    """The last two labels of a name. Empty for an IP address and for a name without a dot (``localhost``)."""
    labels = host.split(".")
    numeric = ":" in host or labels[-1].isdigit()
    return "" if numeric or len(labels) < 2 else ".".join(labels[-2:])


def _is_public(ip: str) -> bool:
    return ipaddress.ip_address(ip.partition("%")[0]).is_global
