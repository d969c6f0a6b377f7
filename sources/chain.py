"""Resolution: each indicator's chain of providers, asked in order until one answers.

Belongs here: who is asked next, how an answer becomes candidate observations, what was tried and why it failed.
Does not belong here: HTTP and formats (adapters), landing, the bundled archive (the landing holds its figures from the
first refresh on, so that "fall back to the archive" means "the last good vintage stays").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from sources.catalogue import ARCHIVE, Catalogue, Indicator, Link
from sources.http import Http
from sources.observation import OBSERVATION, REJECT, Areas, empty_observations, empty_rejects, utc_now
from sources.provider import Adapter, Answer, Fetched, Outcome, RawBody, SeriesRequest, Window

NO_ADAPTER = "no live adapter for this provider yet"


@dataclass(frozen=True)
class Attempt:
    """One link that was asked, and what came of it."""

    provider: str
    provider_code: str
    outcome: Outcome
    reason: str | None = None


@dataclass
class Resolution:
    """What came of an indicator's chain. ``link`` answered; where it is None, the last good vintage stays."""

    indicator: Indicator
    attempts: list[Attempt] = field(default_factory=list)
    link: Link | None = None
    candidates: pl.DataFrame = field(default_factory=empty_observations)
    rejects: pl.DataFrame = field(default_factory=empty_rejects)
    rejected_keys: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32})
    )

    @property
    def mirrored(self) -> bool:
        """Whether another link than the first answered."""
        return self.link is not None and self.link != self.indicator.chain[0]

    @property
    def outcome(self) -> Outcome:
        """``ok`` where a link answered; else the gravest of what was met: a wrong id, then silence, then "no data"."""
        if self.link is not None:
            return Outcome.OK
        met = {attempt.outcome for attempt in self.attempts}
        for outcome in (Outcome.UNKNOWN_ID, Outcome.UNAVAILABLE):
            if outcome in met:
                return outcome
        return Outcome.NO_DATA if met else Outcome.UNAVAILABLE


def requests_of(link: Link) -> list[SeriesRequest]:
    """The series that a link is made from: one, or the two of a ratio."""
    options = tuple(sorted(link.options.items()))
    return [SeriesRequest(code, options) for code in (link.code, link.over) if code]


def _merge(link: Link, answers: Mapping[SeriesRequest, Answer]) -> Answer:
    """The link's answer: the series itself, or the ratio of its two series over the years and areas that both have."""
    parts = [answers[request] for request in requests_of(link)]
    failed = next((part for part in parts if part.outcome is not Outcome.OK), None)
    if failed or len(parts) == 1:
        return failed or parts[0]
    upper, lower = parts
    records = (
        upper.records.join(lower.records.select("iso3", "year", over="value"), on=["iso3", "year"])
        .filter(pl.col("over") != 0)
        .with_columns(value=link.scale * pl.col("value") / pl.col("over"))
        .drop("over")
    )
    return Answer(
        outcome=Outcome.OK if records.height else Outcome.NO_DATA,
        reason=None if records.height else f"{link.code} and {link.over} have no country and year in common",
        records=records,
        rejects=pl.concat([upper.rejects, lower.rejects]),
        release=upper.release,
        source_url=upper.source_url,
        retrieved_at=upper.retrieved_at,
        licence=upper.licence,
    )


def _observations(indicator: Indicator, link: Link, answer: Answer) -> pl.DataFrame:
    return answer.records.select(
        "iso3",
        pl.lit(indicator.id).alias("indicator_id"),
        "year",
        "value",
        pl.lit(indicator.unit).alias("unit"),
        "obs_status",
        pl.lit(link.provider).alias("provider"),
        pl.lit(link.provider_code).alias("provider_code"),
        pl.lit(answer.release).alias("provider_release"),
        pl.lit(answer.retrieved_at or utc_now()).alias("retrieved_at"),
        pl.lit(answer.source_url).alias("source_url"),
        "raw_sha256",
        pl.lit(answer.licence or link.licence or indicator.licence).alias("licence"),
        pl.lit(link.provider).alias("retrieved_via"),
    ).cast(OBSERVATION)  # type: ignore[arg-type]


def _rejects(indicator: Indicator, link: Link, answer: Answer) -> pl.DataFrame:
    return answer.rejects.select(
        pl.lit(link.provider).alias("provider"),
        pl.lit(indicator.id).alias("indicator_id"),
        "reason",
        "raw_record",
        "raw_sha256",
        pl.lit(answer.retrieved_at or utc_now()).alias("retrieved_at"),
    ).cast(REJECT)  # type: ignore[arg-type]


def resolve(
    indicators: Sequence[Indicator],
    catalogue: Catalogue,
    adapters: Mapping[str, Adapter],
    areas: Areas,
    window: Window,
    http: Http,
    progress: Callable[[str], None] = lambda provider: None,
) -> tuple[list[Resolution], list[RawBody]]:
    """Ask every indicator's providers in turn. Returns one resolution an indicator and every body that was received.

    All indicators whose turn it is at one provider are asked together; providers are asked side by side.
    """
    resolutions = [Resolution(indicator) for indicator in indicators]
    bodies: list[RawBody] = []
    for depth in range(max((len(indicator.chain) for indicator in indicators), default=0)):
        turns: dict[str, list[tuple[Resolution, Link]]] = {}
        for resolution in resolutions:
            chain = resolution.indicator.chain
            if resolution.link is None and depth < len(chain) and chain[depth].provider != ARCHIVE:
                turns.setdefault(chain[depth].provider, []).append((resolution, chain[depth]))
        if not turns:
            continue

        def visit(provider: str, turn: Iterable[tuple[Resolution, Link]]) -> Fetched:
            requests = list(dict.fromkeys(request for _, link in turn for request in requests_of(link)))
            if provider not in adapters:
                silent = Answer(Outcome.UNAVAILABLE, NO_ADAPTER)
                return Fetched(dict.fromkeys(requests, silent), [])
            try:
                return adapters[provider].fetch(requests, catalogue.providers[provider], areas, window, http)
            except Exception as error:  # a fault of ours in one adapter must not take the other providers down
                fault = Answer(Outcome.UNAVAILABLE, f"the {provider} adapter failed: {type(error).__name__}: {error}")
                return Fetched(dict.fromkeys(requests, fault), [])
            finally:
                progress(provider)

        with ThreadPoolExecutor(max_workers=len(turns), thread_name_prefix="provider") as pool:
            visits = dict(zip(turns, pool.map(visit, turns.keys(), turns.values()), strict=True))
        for provider, turn in turns.items():
            bodies.extend(visits[provider].bodies)
            for resolution, link in turn:
                _take(resolution, link, _merge(link, visits[provider].answers))
    return resolutions, bodies


def _take(resolution: Resolution, link: Link, answer: Answer) -> None:
    """Note the attempt; keep the answer where there is one."""
    resolution.attempts.append(Attempt(link.provider, link.provider_code, answer.outcome, answer.reason))
    resolution.rejects = pl.concat([resolution.rejects, _rejects(resolution.indicator, link, answer)])
    if answer.outcome is Outcome.OK:
        resolution.link = link
        resolution.candidates = _observations(resolution.indicator, link, answer)
        resolution.rejected_keys = answer.rejects.select("iso3", "year").drop_nulls()
