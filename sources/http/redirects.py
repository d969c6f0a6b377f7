"""Which redirects are followed. Belongs here: rules on addresses. Does not belong here: requests (``sending``)."""

from __future__ import annotations

import ipaddress
from functools import cache
from urllib.parse import SplitResult, urlsplit

from publicsuffixlist import PublicSuffixList

PORTS = {"http": 80, "https": 443}


def redirect_fault(origin: str, target: str) -> str | None:
    """Return why a redirect is not followed.

    Returns:
        None if the target has the same host or registered domain, keeps https, and has a usual port.
    """
    old, new = urlsplit(origin), urlsplit(target)
    try:
        moved = _port(new) != _port(old) and _port(new) != PORTS.get(new.scheme)
    except ValueError:  # not a number, or out of range
        return f"redirect to {target} is not followed"
    if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
        return f"redirect from {old.scheme} to {new.scheme} is not followed"
    domain = _registered_domain(old.hostname or "")
    if old.hostname != new.hostname and (not domain or domain != _registered_domain(new.hostname or "")):
        return f"redirect from {old.hostname} to another host ({new.hostname}) is not followed"
    return f"redirect from {old.hostname} to port {new.port} of {new.hostname} is not followed" if moved else None


def leads_inside(origin_ip: str, target_ip: str) -> bool:
    """Return True if a redirect goes from a public to a private IP address; False if an address is empty (proxy)."""
    return bool(origin_ip and target_ip) and _is_public(origin_ip) and not _is_public(target_ip)


def _port(address: SplitResult) -> int | None:
    return address.port or PORTS.get(address.scheme)


def _registered_domain(host: str) -> str | None:
    """Return ``bank.co.uk`` for ``www.bank.co.uk``; None for an IP address, a public suffix, and ``localhost``."""
    is_ip = ":" in host or host.rpartition(".")[2].isdigit()
    return None if is_ip else _suffixes().privatesuffix(host.rstrip("."))


@cache
def _suffixes() -> PublicSuffixList:
    """Return the list that the package bundles; reading it takes some 50 ms."""
    return PublicSuffixList()


def _is_public(ip: str) -> bool:
    return ipaddress.ip_address(ip.partition("%")[0]).is_global
