"""The discovery of provider modules by their functions."""

from __future__ import annotations

import subprocess
import sys

from sources.catalogue import load_catalogue
from sources.providers import ADAPTERS, INSPECTORS, RELEASE_PROBES, SMOKE_CHECKS


def test_every_module_with_a_function_is_named_by_a_provider_of_the_catalogue() -> None:
    known = set(load_catalogue().providers)
    for modules in (ADAPTERS, INSPECTORS, RELEASE_PROBES, SMOKE_CHECKS):
        assert set(modules) <= known


def test_every_provider_with_an_address_except_the_datahub_has_an_adapter() -> None:
    catalogue = load_catalogue()
    addressed = {provider.id for provider in catalogue.providers.values() if provider.base_url}
    assert set(ADAPTERS) == set(INSPECTORS) == addressed - {"itu_datahub"}
    assert "itu_datahub" not in {link.provider for indicator in catalogue for link in indicator.chain}


def test_adapters_are_imported_at_first_use_only() -> None:
    code = "import sys, sources.providers as p; a = 'sources.providers.qog' in sys.modules; p.ADAPTERS['qog']"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(a, 'sources.providers.qog' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]
