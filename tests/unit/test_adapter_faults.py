"""An error of this program in an adapter is reported as such, whichever provider answered at last."""

from __future__ import annotations

import dagster as dg
import pytest

from pipelines.ingested import Ingested
from pipelines.notifications import Message
from pipelines.orchestration import asset_checks
from sources.chain import Attempt, Resolution
from sources.provider import Outcome
from tests.unit.test_observation import indicator
from warehouse.landing import Landed, Landing

FAULT = Attempt("world_bank", "A", Outcome.FAULT, "a fault of this program, not of the provider: KeyError: 'id'")
OK = Attempt("data360", "A", Outcome.OK)


def ingested(*asked: Attempt, used: str) -> Ingested:
    return Ingested(
        indicator=indicator(id="internet_users_pct"),
        outcome=Outcome.OK,
        provider_used=used,
        landed=Landed(Landing.UNCHANGED, None),
        rows=0,
        rejected=0,
        reject_reasons=(),
        latest_year=2025,
        retrieved_at=None,
        stale_reason=None,
        asked=asked,
        release=None,
        licence="CC BY 4.0",
        warnings=(),
        held_back_bodies=frozenset(),
        confirmation=None,
    )


@pytest.mark.parametrize("asked", [(FAULT, OK), (OK,)])
def test_the_check_fails_as_an_error_after_a_fault_although_the_next_provider_answered(
    asked: tuple[Attempt, ...],
) -> None:
    one = ingested(*asked, used="data360" if FAULT in asked else indicator().chain[0].provider)
    (check,) = (each for each in asset_checks.results(one) if each.check_name == "answered")
    if FAULT in asked:
        assert one.faults == [f"internet_users_pct: {FAULT.reason}"]
        assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert "a fault of this program" in (check.description or "")
    else:
        assert (one.faults, check.passed, check.severity) == ([], True, dg.AssetCheckSeverity.WARN)


def test_the_message_names_every_fault() -> None:
    message = Message.of_faults(["internet_users_pct: KeyError"])
    assert (message.kind, message.details) == ("adapter_failed", ["internet_users_pct: KeyError"])
    assert message.headline == "1 answer could not be read because of an error of this program"


def test_a_fault_is_more_severe_than_any_silence_of_a_provider() -> None:
    silent = Attempt("qog", "B", Outcome.UNAVAILABLE, "HTTP 503")
    assert Resolution(indicator(), [silent, FAULT]).outcome is Outcome.FAULT
