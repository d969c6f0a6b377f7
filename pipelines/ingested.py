"""The result of one indicator's ingestion, and what other parts of the project read from it.

Belongs here: the type, what it says of the figures in use, and its row of the table ``source_health``. Does not belong
here: how it comes about (``pipelines.ingestion``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from sources.catalogue import Indicator
from sources.chain import Attempt
from sources.provider import Outcome
from warehouse.landing import Landed, LandedVintage


@dataclass(frozen=True)
class InUse:
    """The figures of one indicator that are in use: those of a run, or of the last vintage.

    Attributes:
        provider: The one that most of them came from, the first in the alphabet of several.
        licence: That of most of them, chosen likewise.
        release: The release of the latest year's figures, the one received last if they have several.
    """

    rows: int = 0
    latest_year: int | None = None
    retrieved_at: datetime | None = None
    provider: str | None = None
    licence: str | None = None
    release: str | None = None


def figures_in_use(figures: pl.DataFrame) -> dict[str, InUse]:
    """Return what there is of each indicator that has figures (columns ``OBSERVATION``)."""
    of_latest = pl.col("year") == pl.col("year").max()
    release, received = (pl.col(name).filter(of_latest) for name in ("provider_release", "retrieved_at"))
    found = figures.group_by("indicator_id").agg(
        rows=pl.len(),
        latest_year=pl.col("year").max(),
        retrieved_at=pl.col("retrieved_at").max(),
        provider=pl.col("retrieved_via").mode().sort().first(),
        licence=pl.col("licence").mode().sort().first(),
        release=release.sort_by(received, release).drop_nulls().last(),
    )
    return {name: InUse(*known) for name, *known in found.rows()}


@dataclass(frozen=True)
class Ingested:
    """Result of one indicator's ingestion.

    Attributes:
        landed: The vintage in use, and how it changed.
        rows: Number of figures in use.
        rejected: Number of rejected records; ``reject_reasons`` has the first three distinct reasons.
        retrieved_at: Time of the run if a provider answered, else of the newest figure in use.
        stale_reason: Why the figures do not come from this run, None if they do.
        asked: The links that were asked, in order.
        release: The release of the newest figures.
        warnings: What the gates say of figures that are used: parts held back, large revisions.
        held_back_bodies: sha256 of bodies whose series was held back or whose records were rejected.
        confirmation: Hash of the newest confirmation, None if no live answer was ever accepted.
    """

    indicator: Indicator
    outcome: Outcome
    provider_used: str | None
    landed: Landed
    rows: int
    rejected: int
    reject_reasons: tuple[str, ...]
    latest_year: int | None
    retrieved_at: datetime | None
    stale_reason: str | None
    asked: tuple[Attempt, ...]
    release: str | None
    licence: str
    warnings: tuple[str, ...]
    held_back_bodies: frozenset[str]
    confirmation: str | None

    @property
    def attempts(self) -> str:
        """Return the providers that were asked, in order, with their outcomes and reasons, in one line."""
        lines = [f"{a.provider} {a.provider_code}: {a.outcome}" + f" ({a.reason})" * bool(a.reason) for a in self.asked]
        return "; ".join(lines) or "none"

    @property
    def faults(self) -> list[str]:
        """Return the errors of this program in adapters, whichever provider answered at last."""
        return [f"{self.indicator.id}: {a.reason}" for a in self.asked if a.outcome is Outcome.FAULT]

    @property
    def vintage(self) -> LandedVintage | None:
        """The vintage in use, None if the indicator has no figures."""
        return self.landed.vintage

    @property
    def health(self) -> dict[str, Any]:
        """Return the indicator's row of the table ``source_health``."""
        first = self.indicator.chain[0]
        return {
            "indicator_id": self.indicator.id,
            "provider_requested": first.provider,
            "provider_used": self.provider_used,
            "outcome": self.outcome.value,
            "latest_year": self.latest_year,
            "retrieved_at": self.retrieved_at,
            "stale_reason": self.stale_reason,
            "attempts": self.attempts,
            "provider_code": first.provider_code,
            "provider_release": self.release,
            "last_change_at": self.vintage.vintage_at if self.vintage else None,
            "licence": self.licence,
            "warnings": "; ".join(self.warnings) or None,
        }

    @property
    def data_version(self) -> str:
        """Return a name that changes if and only if the figures or their confirmation change."""
        figures = self.vintage.content_hash if self.vintage else "none"
        return f"{figures}-{self.confirmation}" if self.confirmation else figures
