"""Provider chains: the order of requests, the response that is used, and the reasons of failed links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Barrier
from typing import Any

import polars as pl
import pytest

from sources.catalogue import Catalogue, Indicator, Link, Provider
from sources.chain import requests_of, resolve
from sources.http.client import Http
from sources.observation import Areas
from sources.provider import RECORD, SERIES_REJECT, Answer, Fetched, Outcome, SeriesRequest, Window
from tests.unit.test_observation import AREAS, indicator

SHA = "b" * 64


class Prepared:
    """An adapter with prepared answers. It records the requested codes."""

    def __init__(self, answers: dict[str, Answer]):
        self.answers = answers
        self.requested: list[list[str]] = []

    def fetch(
        self, requests: Sequence[SeriesRequest], provider: Provider, areas: Areas, window: Window, http: Http
    ) -> Fetched:
        self.requested.append([request.code for request in requests])
        return Fetched({request: self.answers[request.code] for request in requests}, [])


def answer(**values: float) -> Answer:
    rows = [{"iso3": iso3, "year": 2024, "value": value, "obs_status": None} for iso3, value in values.items()]
    frame = pl.DataFrame([row | {"raw_sha256": SHA} for row in rows], schema=RECORD)
    return Answer(Outcome.OK, records=frame, release="R1", source_url="https://p.test/x")


def chain(*links: Link, name: str = "internet_users_pct") -> Indicator:
    return indicator(id=name, chain=[*(link.model_dump() for link in links), {"provider": "archive"}])


def catalogue(*indicators: Indicator) -> Catalogue:
    names = {name for one in indicators for link in one.chain for name in (link.provider, link.over_provider) if name}
    entry = {"title": "t", "licence": "l", "citation": "c", "cadence": "yearly"}
    return Catalogue(
        indicators={one.id: one for one in indicators},
        providers={name: Provider.model_validate(entry | {"id": name}) for name in names},
    )


def run(indicators: list[Indicator], **adapters: Prepared):
    return resolve(indicators, catalogue(*indicators), adapters, AREAS, Window(2010, 2026), Http())[0]


def test_the_mirror_is_requested_only_if_the_primary_fails() -> None:
    one = chain(Link(provider="first", code="A"), Link(provider="second", code="B"))
    first, second = Prepared({"A": answer(KAZ=93.0)}), Prepared({"B": answer(KAZ=92.0)})
    (resolution,) = run([one], first=first, second=second)
    assert resolution.outcome is Outcome.OK
    assert resolution.candidates["value"].to_list() == [93.0]
    assert second.requested == []


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.BLOCKED, Outcome.NO_DATA, Outcome.UNKNOWN_ID])
def test_if_the_primary_fails_the_mirror_is_used_and_both_attempts_are_listed(outcome: Outcome) -> None:
    one = chain(Link(provider="first", code="A"), Link(provider="second", code="B"))
    first = Prepared({"A": Answer(outcome, "why not")})
    (resolution,) = run([one], first=first, second=Prepared({"B": answer(KAZ=92.0)}))
    assert [(a.provider, a.outcome) for a in resolution.attempts] == [("first", outcome), ("second", Outcome.OK)]
    assert resolution.attempts[0].reason == "why not"
    assert resolution.candidates["retrieved_via"].to_list() == ["second"]
    assert resolution.candidates["provider_code"].to_list() == ["B"]


def test_a_wrong_id_is_the_outcome_even_if_a_mirror_was_unavailable() -> None:
    one = chain(Link(provider="first", code="A"), Link(provider="second", code="B"))
    wrong, failed = Prepared({"A": Answer(Outcome.UNKNOWN_ID)}), Prepared({"B": Answer(Outcome.UNAVAILABLE)})
    (resolution,) = run([one], first=wrong, second=failed)
    assert resolution.outcome is Outcome.UNKNOWN_ID
    assert resolution.candidates.height == 0


def reaching(year: int, **values: float) -> Answer:
    found = answer(**values)
    return replace(found, records=found.records.with_columns(year=pl.lit(year, dtype=pl.Int32)))


def furthest(*links: Link) -> Indicator:
    return chain(*(link.model_copy(update={"furthest": True}) for link in links), Link(provider="last", code="L"))


FIRST, SECOND = Link(provider="first", code="A"), Link(provider="second", code="B")


@pytest.mark.parametrize(
    ("years", "taken"), [((2020, 2024), "second"), ((2024, 2020), "first"), ((2024, 2024), "first")]
)
def test_of_links_requested_together_the_one_with_the_latest_year_is_used_and_both_years_are_listed(
    years: tuple[int, int], taken: str
) -> None:
    first, second = (
        Prepared({code: reaching(year, KAZ=value)}) for code, year, value in zip("AB", years, (1.0, 2.0), strict=True)
    )
    last = Prepared({})
    (resolution,) = run([furthest(FIRST, SECOND)], first=first, second=second, last=last)
    assert resolution.outcome is Outcome.OK
    assert resolution.candidates["retrieved_via"].to_list() == [taken]
    assert resolution.candidates["year"].to_list() == [max(years)]
    assert [(a.provider, a.outcome, a.reason) for a in resolution.attempts] == [
        (provider, Outcome.OK, f"reaches {year}, {'taken' if provider == taken else 'not taken'}")
        for provider, year in zip(("first", "second"), years, strict=True)
    ]
    assert (resolution.mirrored, last.requested) == (taken == "second", [])


def test_of_links_requested_together_one_succeeds_and_the_reason_of_the_other_is_listed() -> None:
    first, second = Prepared({"A": Answer(Outcome.UNKNOWN_ID, "no such code")}), Prepared({"B": answer(KAZ=2.0)})
    (resolution,) = run([furthest(FIRST, SECOND)], first=first, second=second, last=Prepared({}))
    assert [(a.outcome, a.reason) for a in resolution.attempts] == [
        (Outcome.UNKNOWN_ID, "no such code"),
        (Outcome.OK, None),
    ]
    assert resolution.candidates["retrieved_via"].to_list() == ["second"]


def test_if_all_links_requested_together_fail_the_next_one_is_requested() -> None:
    failed = Prepared({"A": Answer(Outcome.UNAVAILABLE), "B": Answer(Outcome.NO_DATA)})
    one = furthest(FIRST, SECOND.model_copy(update={"provider": "first"}))
    (resolution,) = run([one], first=failed, last=Prepared({"L": answer(KAZ=3.0)}))
    assert failed.requested == [["A", "B"]]
    assert resolution.candidates["retrieved_via"].to_list() == ["last"]


def test_rejects_of_an_unused_response_are_not_counted() -> None:
    reject = {"iso3": "KAZ", "year": 2019, "reason": "unknown", "raw_record": "{}", "raw_sha256": SHA}
    rejects = pl.DataFrame([reject], schema=SERIES_REJECT)
    older, newer = (replace(reaching(year, KAZ=1.0), rejects=rejects) for year in (2020, 2024))
    (resolution,) = run([furthest(FIRST, SECOND)], first=Prepared({"A": older}), second=Prepared({"B": newer}))
    assert resolution.rejects["provider"].to_list() == ["second"]
    assert resolution.rejected_keys.height == 1


def test_blocked_is_a_more_severe_outcome_than_unavailable() -> None:
    one = chain(Link(provider="first", code="A"), Link(provider="second", code="B"))
    failed, blocked = Prepared({"A": Answer(Outcome.UNAVAILABLE)}), Prepared({"B": Answer(Outcome.BLOCKED)})
    (resolution,) = run([one], first=failed, second=blocked)
    assert resolution.outcome is Outcome.BLOCKED


def test_a_provider_is_called_once_for_all_indicators_and_each_code_is_requested_once() -> None:
    adapter = Prepared({"A": answer(KAZ=1.0), "B": answer(KAZ=2.0)})
    indicators = [
        chain(Link(provider="first", code="A"), name="one_pct"),
        chain(Link(provider="first", code="B"), name="two_pct"),
        chain(Link(provider="first", code="A"), name="three_pct"),
    ]
    run(indicators, first=adapter)
    assert adapter.requested == [["A", "B"]]


def test_the_licence_is_that_of_the_used_link() -> None:
    one = chain(Link(provider="first", code="A", licence="CC BY-SA 4.0"), Link(provider="second", code="B"))
    by_first = run([one], first=Prepared({"A": answer(KAZ=1.0)}), second=Prepared({}))
    by_second = run([one], first=Prepared({"A": Answer(Outcome.NO_DATA)}), second=Prepared({"B": answer(KAZ=1.0)}))
    file = Prepared({"A": replace(answer(KAZ=1.0), licence="terms of the file")})
    by_file = run([one], first=file, second=Prepared({}))
    licences = [found[0].candidates["licence"].to_list() for found in (by_first, by_second, by_file)]
    assert licences == [["CC BY-SA 4.0"], [one.licence], ["terms of the file"]]


def test_providers_are_requested_in_parallel() -> None:
    together = Barrier(2)

    class Waiting(Prepared):
        def fetch(self, *requested: Any) -> Fetched:
            together.wait(5)  # raises if the request to the other provider starts only afterwards
            return super().fetch(*requested)

    one = chain(Link(provider="first", code="A"))
    two = chain(Link(provider="second", code="B"), name="another_indicator")
    adapters = {"first": Waiting({"A": answer(KAZ=1.0)}), "second": Waiting({"B": answer(KAZ=2.0)})}
    assert [resolution.outcome for resolution in run([one, two], **adapters)] == [Outcome.OK, Outcome.OK]


def test_a_ratio_uses_only_areas_and_years_that_both_series_have() -> None:
    one = chain(Link(provider="first", code="F", over="M", scale=100))
    adapter = Prepared({"F": answer(KAZ=45.0, UZB=10.0), "M": answer(KAZ=50.0, AFG=9.0)})
    (resolution,) = run([one], first=adapter)
    assert resolution.candidates.select("iso3", "value", "provider_code").rows() == [("KAZ", 90.0, "F / M")]


def test_a_ratio_over_zero_is_missing() -> None:
    one = chain(Link(provider="first", code="F", over="M"))
    (resolution,) = run([one], first=Prepared({"F": answer(KAZ=45.0), "M": answer(KAZ=0.0)}))
    assert resolution.outcome is Outcome.NO_DATA


PER_HEAD = Link(provider="first", code="F", over="P", over_provider="second", scale=1000, options={"cut": "total"})


def test_a_denominator_of_another_provider_is_requested_there_without_the_options_of_the_link() -> None:
    first, second = Prepared({"F": answer(KAZ=4.0, UZB=1.0)}), Prepared({"P": answer(KAZ=20.0, AFG=9.0)})
    assert requests_of(PER_HEAD) == [
        ("first", SeriesRequest("F", (("cut", "total"),))),
        ("second", SeriesRequest("P")),
    ]
    indicators = [chain(PER_HEAD), chain(Link(provider="second", code="P"), name="population")]
    per_head, people = run(indicators, first=first, second=second)
    assert second.requested == [["P"]], "both indicators share one request"
    assert per_head.candidates.select("iso3", "value", "provider", "provider_code", "provider_release").rows() == [
        ("KAZ", 200.0, "first", "F / second P", "R1")
    ]
    assert people.candidates.height == 2


def test_without_a_denominator_the_ratio_fails_with_the_denominators_name() -> None:
    failed = Prepared({"P": Answer(Outcome.BLOCKED, "HTTP 403")})
    one = chain(PER_HEAD, Link(provider="second", code="B"))
    failed.answers["B"] = answer(KAZ=7.0)
    (resolution,) = run([one], first=Prepared({"F": answer(KAZ=4.0)}), second=failed)
    assert [(a.provider, a.outcome, a.reason) for a in resolution.attempts] == [
        ("first", Outcome.BLOCKED, "second P: HTTP 403"),
        ("second", Outcome.OK, None),
    ]


def test_of_the_denominators_rejects_only_those_of_a_figure_are_listed() -> None:
    row = {"year": 2024, "reason": "unknown", "raw_record": "{}", "raw_sha256": SHA}
    rejects = pl.DataFrame([{"iso3": iso3} | row for iso3 in ("KAZ", "FRA", None)], schema=SERIES_REJECT)
    people = replace(answer(UZB=2.0), rejects=rejects)
    (resolution,) = run(
        [chain(PER_HEAD)], first=Prepared({"F": answer(KAZ=4.0, UZB=1.0)}), second=Prepared({"P": people})
    )
    assert resolution.rejects["reason"].to_list() == ["second P: unknown"]
    assert resolution.rejected_keys.rows() == [("KAZ", 2024)], "its last figure is kept"


def test_an_exception_in_one_adapter_is_logged_and_does_not_stop_the_other_providers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Prepared):
        def fetch(self, *args: object) -> Fetched:
            raise KeyError("value")

    indicators = [
        chain(Link(provider="first", code="A"), name="one_pct"),
        chain(Link(provider="second", code="B"), name="two_pct"),
    ]
    broken, sound = run(indicators, first=Broken({}), second=Prepared({"B": answer(KAZ=2.0)}))
    assert broken.outcome is Outcome.FAULT and "KeyError" in (broken.attempts[0].reason or "")
    assert "a fault of this program, not of the provider" in (broken.attempts[0].reason or "")
    assert "Traceback" in caplog.text and 'raise KeyError("value")' in caplog.text
    assert sound.outcome is Outcome.OK


def test_a_provider_without_an_adapter_fails_with_that_reason() -> None:
    (resolution,) = run([chain(Link(provider="no_such_provider", code="A"))])
    assert resolution.attempts[0].reason == "no live adapter for this provider yet"
