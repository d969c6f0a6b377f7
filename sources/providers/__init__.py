"""One module per provider, named by the provider's id. It has what the project knows of that provider.

Its functions are found by their names, so that a new module needs no registration:

``fetch``         observations for a refresh (``sources.provider.Adapter``)
``inspect``       a check of the catalogue's links (``sources.inspection.Inspects``)
``release``       the current release, found without observations (``ReportsRelease``); ``release_group`` is a key that
                  is equal for series of one release, where not all series are of one
``smoke_checks``  requests that show whether the service still is what the module was written for (``HasSmokeChecks``)

Modules without these functions are helpers. Modules know neither the catalogue nor the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from sources.catalogue import Provider
from sources.http.client import Http
from sources.inspection import Inspects
from sources.provider import Adapter, SeriesRequest
from sources.smoke_check import SmokeCheck


class ReportsRelease(Protocol):
    """A module that can name the current release of its series."""

    def release(
        self, requests: Sequence[SeriesRequest], provider: Provider, http: Http, today: date
    ) -> dict[SeriesRequest, str]:
        """Return the current release of series that share one. Raise UnusableResponse if it is unknown."""
        ...


class HasSmokeChecks(Protocol):
    """A module that lists its smoke checks."""

    def smoke_checks(self, year: int) -> list[SmokeCheck]:
        """Return the checks; ``year`` is the current one."""
        ...


class _ModulesWith(Mapping[str, Any]):
    """Provider id -> its module, for modules with one function. They are imported at first use."""

    def __init__(self, function: str, own: Mapping[str, Any] | None = None) -> None:
        self.function = function
        self.own = own or {}

    @cached_property
    def _modules(self) -> dict[str, Any]:
        modules = {info.name: import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__)}
        return {name: module for name, module in modules.items() if hasattr(module, self.function)} | {**self.own}

    def __getitem__(self, provider: str) -> Any:
        return self._modules[provider]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


ADAPTERS: Mapping[str, Adapter] = _ModulesWith("fetch")
INSPECTORS: Mapping[str, Inspects] = _ModulesWith("inspect")
RELEASE_PROBES: Mapping[str, ReportsRelease] = _ModulesWith("release")
SMOKE_CHECKS: Mapping[str, HasSmokeChecks] = _ModulesWith("smoke_checks")


def adapters_with(own: Mapping[str, Adapter]) -> Mapping[str, Adapter]:
    """Return the adapters of all providers; one of ``own`` replaces the module of the same name."""
    return _ModulesWith("fetch", own)
