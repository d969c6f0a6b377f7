"""Provider chains: ask the providers of each indicator in order until one answers.

Belongs here: which provider is asked next, how an answer becomes candidate observations, what was tried and why it
failed. Does not belong here: HTTP and formats (adapters), whether a figure may be used (``pipelines.quality_gates``).

The bundled archive is not asked: its figures are landed before the first request, so the fallback to it is that the
last vintage stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from sources.catalogue import ARCHIVE, Catalogue, Indicator, Link
from sources.errors import listed
from sources.http.client import Http
from sources.observation import OBSERVATION, REJECT, Areas, empty_observations, empty_rejects, utc_now
from sources.provider import Adapter, Answer, Fetched, Outcome, RawBody, SeriesRequest, Window, fault_of

NO_ADAPTER = "no live adapter for this provider yet"


@dataclass(frozen=True)
class Attempt:
    """A request for one link of a chain, and its outcome."""

    provider: str
    provider_code: str
    outcome: Outcome
    reason: str | None = None


@dataclass
class Resolution:
    """Result of asking an indicator's chain.

    Attributes:
        indicator: The indicator that the chain belongs to.
        attempts: The links that were asked, in order.
        link: The link that answered; None if no link did, and the last vintage stays.
        candidates: The answer's figures, columns ``OBSERVATION``.
        rejects: Records that could not be read, columns ``REJECT``.
        rejected_keys: ``iso3`` and ``year`` of those rejects whose place is known.
        why_unasked: Why no link was asked, None if the chain was.
    """

    indicator: Indicator
    attempts: list[Attempt] = field(default_factory=list)
    link: Link | None = None
    candidates: pl.DataFrame = field(default_factory=empty_observations)
    rejects: pl.DataFrame = field(default_factory=empty_rejects)
    rejected_keys: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"iso3": pl.String, "year": pl.Int32})
    )
    why_unasked: str | None = None

    @property
    def mirrored(self) -> bool:
        """Return whether a link other than the first answered."""
        return self.link is not None and self.link != self.indicator.chain[0]

    @property
    def outcome(self) -> Outcome:
        """Return ``ok`` if a link answered, else the most severe outcome of its links.

        The order is: fault, unknown id, blocked, unavailable, no data.
        """
        if self.link is not None:
            return Outcome.OK
        seen = {attempt.outcome for attempt in self.attempts}
        for outcome in (Outcome.FAULT, Outcome.UNKNOWN_ID, Outcome.BLOCKED, Outcome.UNAVAILABLE):
            if outcome in seen:
                return outcome
        return Outcome.NO_DATA if seen else Outcome.UNAVAILABLE


def requests_of(link: Link) -> list[tuple[str, SeriesRequest]]:
    """Return (provider, series) for each series that a link needs: one, or the two of a ratio."""
    options = tuple(sorted(link.options.items()))
    needed = [(link.provider, SeriesRequest(link.code, options))] if link.code else []
    if link.over_provider and link.over:
        return [*needed, (link.over_provider, SeriesRequest(link.over))]
    return [*needed, (link.provider, SeriesRequest(link.over, options))] if link.over else needed


def _merge(link: Link, visits: Mapping[str, Fetched]) -> Answer:
    """Return the link's answer: its series, or the ratio of its two series for the areas and years that both have."""
    needed = requests_of(link)
    parts = [visits[provider].answers[request] for provider, request in needed]
    for (provider, request), part in zip(needed, parts, strict=True):
        if part.outcome is not Outcome.OK:
            named = f"{provider} {request.code}: {part.reason or part.outcome}"
            return part if provider == link.provider else replace(part, reason=named)
    if len(parts) == 1:
        return parts[0]
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
        rejects=pl.concat([upper.rejects, _denominator_rejects(link, upper, lower)]),
        release=upper.release,
        source_url=upper.source_url,
        retrieved_at=upper.retrieved_at,
        licence=upper.licence,
    )


def _denominator_rejects(link: Link, upper: Answer, lower: Answer) -> pl.DataFrame:
    """Return the rejects of a ratio's denominator; of another provider only those that leave a figure without one."""
    if not link.over_provider:
        return lower.rejects
    named = pl.concat_str(pl.lit(f"{link.over_provider} {link.over}: "), "reason")
    lacking = lower.rejects.join(upper.records, on=["iso3", "year"], how="semi")
    return lacking.with_columns(reason=named)


def _observations(indicator: Indicator, link: Link, answer: Answer) -> pl.DataFrame:
    constants = {
        "indicator_id": indicator.id,
        "unit": indicator.unit,
        "provider": link.provider,
        "provider_code": link.provider_code,
        "provider_release": answer.release,
        "retrieved_at": answer.retrieved_at or utc_now(),
        "source_url": answer.source_url,
        "licence": answer.licence or link.licence or indicator.licence,
        "retrieved_via": link.provider,
        "figure_origin": None,
        "figure_note": None,
    }
    return _with_constants(answer.records, constants, OBSERVATION)


def _rejects(indicator: Indicator, link: Link, answer: Answer) -> pl.DataFrame:
    retrieved_at = answer.retrieved_at or utc_now()
    constants = {"provider": link.provider, "indicator_id": indicator.id, "retrieved_at": retrieved_at}
    return _with_constants(answer.rejects, constants, REJECT)


def _with_constants(rows: pl.DataFrame, constants: Mapping[str, Any], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Return the columns of a schema, those of ``constants`` with the same value in every row."""
    found = {name: pl.lit(constants[name]) if name in constants else pl.col(name) for name in schema}
    return rows.select(**{name: column.cast(schema[name]) for name, column in found.items()})


def resolve(
    indicators: Sequence[Indicator],
    catalogue: Catalogue,
    adapters: Mapping[str, Adapter],
    areas: Areas,
    window: Window,
    http: Http,
    progress: Callable[[str], None] = lambda awaited: None,
) -> tuple[list[Resolution], list[RawBody]]:
    """Ask the providers of every indicator in the order of its chain.

    In each step, one visit to a provider asks for all indicators that need it, and providers are visited in parallel.

    Args:
        indicators: Indicators to ask for.
        catalogue: Gives address and limits of each provider.
        adapters: Provider id -> adapter.
        areas: The areas that the project knows.
        window: The years to ask for.
        http: The session that sends the requests.
        progress: Called with the providers that are awaited, before the first visit and after each.

    Returns:
        One resolution per indicator, and every body that was received.
    """
    resolutions = [Resolution(indicator) for indicator in indicators]
    bodies: list[RawBody] = []
    for depth in range(max((len(indicator.steps) for indicator in indicators), default=0)):
        steps = [
            (resolution, resolution.indicator.steps[depth])
            for resolution in resolutions
            if resolution.link is None and depth < len(resolution.indicator.steps)
        ]
        turns: dict[str, list[SeriesRequest]] = {}
        for link in (link for _, step in steps for link in step if link.provider != ARCHIVE):
            for provider, request in requests_of(link):
                turns.setdefault(provider, []).append(request)
        if not turns:
            continue
        waiting = _Waiting(turns, progress)

        def visit(provider: str, turn: Iterable[SeriesRequest], waiting: _Waiting = waiting) -> Fetched:
            requests = list(dict.fromkeys(turn))
            if provider not in adapters:
                return Fetched(dict.fromkeys(requests, Answer(Outcome.UNAVAILABLE, NO_ADAPTER)), [])
            try:
                adapter, at = adapters[provider], catalogue.providers[provider]
                return _complete(adapter.fetch(requests, at, areas, window, http), requests)
            except Exception as error:  # a fault in one adapter must not stop the other providers
                return Fetched(dict.fromkeys(requests, fault_of(provider, error)), [])
            finally:
                waiting.end(provider)

        with ThreadPoolExecutor(max_workers=len(turns), thread_name_prefix="provider") as pool:
            visits = dict(zip(turns, pool.map(visit, turns.keys(), turns.values()), strict=True))
        for provider in turns:
            bodies.extend(visits[provider].bodies)
        for resolution, step in steps:
            _take(resolution, [(link, _merge(link, visits)) for link in step if link.code])
    return resolutions, bodies


def _complete(fetched: Fetched, requests: Iterable[SeriesRequest]) -> Fetched:
    """Return what an adapter fetched. Raise RuntimeError if it answers a request not at all."""
    if unanswered := [request.code for request in requests if request not in fetched.answers]:
        raise RuntimeError(f"no answer for {', '.join(unanswered)}")
    return fetched


class _Waiting:
    """The providers of one step that have not answered yet. Reports them at the start and after each answer."""

    def __init__(self, providers: Iterable[str], progress: Callable[[str], None]):
        self._awaited = list(providers)
        self._total = len(self._awaited)
        self._progress = progress
        self._report()

    def end(self, provider: str) -> None:
        self._awaited.remove(provider)
        self._report()

    def _report(self) -> None:
        left = self._awaited.copy()
        answered = f"{self._total - len(left)} of {self._total} providers answered"
        self._progress(answered + (f", waiting for {listed(left)}" if left else ""))


def _take(resolution: Resolution, answers: Sequence[tuple[Link, Answer]]) -> None:
    """Add the attempts of one step; use the answer with the latest year, the first one if several have it."""
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
        if answer.rejects.height and (at == taken or at not in reached):
            resolution.rejects = pl.concat([resolution.rejects, _rejects(indicator, link, answer)])
        if at == taken:
            resolution.link = link
            resolution.candidates = _observations(indicator, link, answer)
            if answer.rejects.height:
                resolution.rejected_keys = answer.rejects.select("iso3", "year").drop_nulls()


def newest(series: pl.DataFrame) -> int | None:
    """Return the newest year of a series, None if it has no figures."""
    return int(series["year"].max()) if series.height else None  # type: ignore[arg-type]
