"""Run the smoke checks of all adapters against the live services.

What is requested, and what a response must be, belongs in each adapter (``smoke_checks``). Whether the links of the
catalogue have data belongs in ``links``, new releases in ``sources.releases``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from sources.catalogue import Catalogue, Provider
from sources.errors import ConfigurationError
from sources.http.client import Http, Reply
from sources.inspection import SILENT
from sources.observation import utc_now
from sources.parsing.editions import ABSENT_STATUS
from sources.parsing.responses import UnusableResponse, get
from sources.providers import SMOKE_CHECKS
from sources.smoke_check import ContractViolation, SmokeCheck


class ContractStatus(StrEnum):
    """The result of a smoke check, as printed."""

    OK = "ok"
    DIFFERS = "differs"
    """The response is not what the adapter expects."""
    BLOCKED = "blocked"
    """The service refuses programs."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class SmokeCheckResult:
    """The result of one smoke check; ``message`` summarises the response or says what is wrong."""

    provider: str
    about: str
    url: str
    status: ContractStatus
    message: str


def smoke_checks(catalogue: Catalogue, year: int) -> list[tuple[Provider, SmokeCheck]]:
    """Return the checks of all providers in the order of the catalogue.

    Args:
        catalogue: The providers.
        year: The current year; the yearly files of the year before must exist.
    """
    checked = [provider for provider in catalogue.providers.values() if provider.id in SMOKE_CHECKS]
    return [(provider, check) for provider in checked for check in SMOKE_CHECKS[provider.id].smoke_checks(year)]


def run_smoke_checks(
    catalogue: Catalogue,
    http: Http,
    providers: Sequence[str] = (),
    progress: Callable[[str], None] = lambda provider: None,
) -> list[SmokeCheckResult]:
    """Run the checks of these providers in parallel; of all providers if none is named.

    Args:
        catalogue: The providers, with their addresses.
        http: The session.
        providers: Ids of providers.
        progress: Called with a message before each request.

    Raises:
        ConfigurationError: If a named provider has no check.
    """
    every = smoke_checks(catalogue, utc_now().year)
    if unknown := sorted(set(providers) - {provider.id for provider, _ in every}):
        known = ", ".join(dict.fromkeys(provider.id for provider, _ in every))
        raise ConfigurationError(f"there is no live check of {', '.join(unknown)}; there are {known}")
    chosen = [one for one in every if not providers or one[0].id in providers]

    def run(one: tuple[Provider, SmokeCheck]) -> SmokeCheckResult:
        progress(f"asking {one[0].id}")
        return _run(*one, http)

    with ThreadPoolExecutor(len(chosen), thread_name_prefix="check") as pool:
        return list(pool.map(run, chosen))


def _run(provider: Provider, check: SmokeCheck, http: Http) -> SmokeCheckResult:
    reply = get(http, provider, check.path, check.params, check.accept, headers=check.headers)
    status, message = _result(check, reply)
    return SmokeCheckResult(provider.id, check.about, reply.url, status, message)


def _result(check: SmokeCheck, reply: Reply) -> tuple[ContractStatus, str]:
    failure = reply.failure
    if failure and check.may_be_absent and reply.status in ABSENT_STATUS:
        return ContractStatus.OK, f"not there (HTTP {reply.status})"
    if failure and (failure.kind in SILENT or reply.status >= 500):
        return ContractStatus.UNREACHABLE, failure.message
    if failure and reply.blocked:
        return ContractStatus.BLOCKED, failure.message
    if failure and not check.reads_failures:
        return ContractStatus.DIFFERS, failure.message
    try:
        return ContractStatus.OK, check.check(reply)
    except (ContractViolation, UnusableResponse) as error:
        return ContractStatus.DIFFERS, str(error)
