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
from sources.http.client import Http
from sources.mirrors import newest
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
        """``ok`` where a link answered; else the gravest outcome of its links.

        A wrong id comes first, then a provider that turns programs away, one that is unavailable, and "no data".
        """
        if self.link is not None:
            return Outcome.OK
        met = {attempt.outcome for attempt in self.attempts}
        for outcome in (Outcome.UNKNOWN_ID, Outcome.BLOCKED, Outcome.UNAVAILABLE):
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
        pl.lit(None).alias("figure_origin"),
        pl.lit(None).alias("figure_note"),
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
    for depth in range(max((len(indicator.steps) for indicator in indicators), default=0)):
        steps = [
            (resolution, resolution.indicator.steps[depth])
            for resolution in resolutions
            if resolution.link is None and depth < len(resolution.indicator.steps)
        ]
        turns: dict[str, list[Link]] = {}
        for link in (link for _, step in steps for link in step if link.provider != ARCHIVE):
            turns.setdefault(link.provider, []).append(link)
        if not turns:
            continue

        def visit(provider: str, turn: Iterable[Link]) -> Fetched:
            requests = list(dict.fromkeys(request for link in turn for request in requests_of(link)))
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
        for provider in turns:
            bodies.extend(visits[provider].bodies)
        for resolution, step in steps:
            _take(resolution, [(link, _merge(link, visits[link.provider].answers)) for link in step if link.code])
    return resolutions, bodies


def _take(resolution: Resolution, answers: Sequence[tuple[Link, Answer]]) -> None:
    """Note the attempts of one step; keep the answer that reaches the latest year, the first of several that do."""
    indicator = resolution.indicator
    reached = {
        at: newest(answer.records) or 0 for at, (_, answer) in enumerate(answers) if answer.outcome is Outcome.OK
    }
    taken = max(reached, key=lambda at: reached[at], default=None)
    for at, (link, answer) in enumerate(answers):
        reason = answer.reason
        if at in reached and len(reached) > 1:
            reason = f"reaches {reached[at]}, {'taken' if at == taken else 'not taken'}"
        resolution.attempts.append(Attempt(link.provider, link.provider_code, answer.outcome, reason))
        if at == taken or at not in reached:
            resolution.rejects = pl.concat([resolution.rejects, _rejects(indicator, link, answer)])
        if at == taken:
            resolution.link = link
            resolution.candidates = _observations(indicator, link, answer)
            resolution.rejected_keys = answer.rejects.select("iso3", "year").drop_nulls()
