"""What is checked of every indicator after it was asked for, beside the tests of the dbt project.

Belongs here: the checks ``contract`` and ``fresh`` and their wording. Does not belong here: the contract itself
(``sources.observation``), what stops a publication (dbt's tests). Neither check stops anything: a figure that was
refused or is old is shown as such, and the scorecard says what it rests on.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipelines.ingestion import Ingested
from pipelines.lineage import observation_key
from sources.observation import utc_now

CHECKS = {
    "contract": "No record of the newest answer was refused by the observation contract.",
    "fresh": "The provider was asked and answered, and its newest figure is not older than the indicator allows.",
}


def specs(indicator_id: str) -> list[dg.AssetCheckSpec]:
    """The checks of an indicator. They do not block: one blocking failure would stop every other indicator too."""
    asset = dg.AssetKey(observation_key(indicator_id))
    return [dg.AssetCheckSpec(name, asset=asset, description=text, blocking=False) for name, text in CHECKS.items()]


def results(ingested: Ingested) -> list[dg.AssetCheckResult]:
    """What the checks of an indicator find. A finding is a warning."""
    return [_result(ingested, "contract", *_contract(ingested)), _result(ingested, "fresh", *_fresh(ingested))]


def key(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """The key of the check that found this."""
    assert result.asset_key and result.check_name
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def _result(ingested: Ingested, name: str, finding: str | None, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(observation_key(ingested.indicator.id)),
        check_name=name,
        passed=finding is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding,
        metadata=metadata,
    )


def _contract(ingested: Ingested) -> tuple[str | None, dict[str, Any]]:
    metadata = {"rejected": ingested.rejected}
    if not ingested.rejected:
        return None, metadata
    return f"{ingested.rejected} records refused: {'; '.join(ingested.reject_reasons)}", metadata


def _fresh(ingested: Ingested) -> tuple[str | None, dict[str, Any]]:
    oldest = utc_now().year - ingested.indicator.max_age_years
    metadata = {"latest_year": ingested.latest_year, "oldest_year_allowed": oldest}
    if ingested.stale_reason:
        return ingested.stale_reason, metadata
    if ingested.latest_year is None or ingested.latest_year < oldest:
        return f"the newest figure is of {ingested.latest_year}, figures before {oldest} are too old", metadata
    return None, metadata
