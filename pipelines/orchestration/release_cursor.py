"""Which releases of a provider have landed, which are asked for, and which are to be asked for.

Belongs here: the state of a release sensor between its ticks. Does not belong here: reading a provider's release
(``sources.releases``), the sensor (``automation``).

A release counts as seen when its figures have landed. Until then it is asked for again after every run that ended
without them, also if the release changes back to an earlier one meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import observation_key
from sources.provider import Outcome

RUN_KEY = "dagster/run_key"
"""Tag with which Dagster marks the run of a sensor's request."""


@dataclass(frozen=True)
class Asked:
    """A release that a run was requested for.

    Attributes:
        release: The release.
        run_key: Key of the request.
        after: Number of the last materialisation of the indicator before the request.
    """

    release: str
    run_key: str
    after: int


@dataclass
class ReleaseCursor:
    """The state of a release sensor.

    Attributes:
        seen: Indicator -> the release whose figures have landed.
        asked: Indicator -> the release that was asked for, until it has landed or its run has ended.
        requests: Number of requested runs, so that each has a key of its own.
    """

    seen: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    requests: int = 0

    @classmethod
    def read(cls, text: str | None) -> ReleaseCursor:
        """Return the state from the text that Dagster keeps. Earlier versions kept only indicator -> release."""
        kept: dict[str, Any] = json.loads(text or "{}")
        if not isinstance(kept.get("seen"), dict):
            return cls(seen=kept)
        asked = {indicator: Asked(**one) for indicator, one in kept["asked"].items()}
        return cls(kept["seen"], asked, kept["requests"])

    def text(self) -> str:
        """Return the state as text."""
        return json.dumps(asdict(self), sort_keys=True)

    def settle(self, instance: dg.DagsterInstance, providers: Mapping[str, Collection[str]]) -> None:
        """Count the releases whose figures have landed as seen, and drop the requests whose run ended without them.

        Args:
            instance: Has the runs and the materialisations.
            providers: Indicator -> the providers whose figures count.
        """
        for indicator_id, asked in list(self.asked.items()):
            if _has_landed(instance, indicator_id, asked.after, providers.get(indicator_id, ())):
                self.seen[indicator_id] = asked.release
            elif _is_running(instance, asked.run_key):
                continue
            del self.asked[indicator_id]

    def changed(self, now: Mapping[str, str]) -> list[str]:
        """Return the indicators to ask for. The release of an indicator without one counts as seen.

        Args:
            now: Indicator -> its present release.
        """
        self.seen = {**now, **self.seen}
        return [each for each in now if each not in self.asked and now[each] != self.seen[each]]

    def ask(self, instance: dg.DagsterInstance, provider: str, changed: Mapping[str, str]) -> str:
        """Store that the releases are asked for, and return the key of the request.

        Args:
            instance: Has the materialisations.
            provider: Id of the provider.
            changed: Indicator -> release to ask for.
        """
        self.requests += 1
        key = f"{provider} {self.requests}"
        for indicator_id, release in changed.items():
            self.asked[indicator_id] = Asked(release, key, _last_materialization(instance, indicator_id))
        return key


def _last_materialization(instance: dg.DagsterInstance, indicator_id: str) -> int:
    records = instance.fetch_materializations(dg.AssetKey(observation_key(indicator_id)), limit=1).records
    return records[0].storage_id if records else 0


def _has_landed(instance: dg.DagsterInstance, indicator_id: str, after: int, providers: Collection[str]) -> bool:
    wanted = dg.AssetRecordsFilter(dg.AssetKey(observation_key(indicator_id)), after_storage_id=after)
    for record in instance.fetch_materializations(wanted, limit=100).records:
        found = record.asset_materialization
        metadata = {name: value.value for name, value in found.metadata.items()} if found else {}
        if metadata.get("outcome") == Outcome.OK.value and metadata.get("provider_used") in providers:
            return True
    return False


def _is_running(instance: dg.DagsterInstance, run_key: str) -> bool:
    runs = instance.get_runs(dg.RunsFilter(tags={RUN_KEY: run_key}))
    return any(not run.is_finished for run in runs)
