"""What is checked of every indicator after it was asked for, beside the tests of the dbt project.

Belongs here: the checks of an indicator and their wording, and how failing rows look. Does not belong here: the
contract itself (``sources.observation``), the shrink guard (``warehouse.landing``), what stops a publication (dbt's
tests). None of these stops anything: a figure that was refused, held back or is old is not served or is shown as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.dbt.failures import FOUND_ROWS, failing_rows, where
from pipelines.dbt.runner import Node
from pipelines.ingestion import Ingested
from pipelines.orchestration.asset_keys import observation_key
from sources.observation import utc_now
from warehouse.landing import Landing
from warehouse.layout import Layout

Finding = tuple[str | None, dict[str, Any]]
"""What is wrong, None where nothing is; and the figures behind it."""

CHECKS = {
    "contract": "No record of the newest answer was refused by the observation contract: types, areas, years, range.",
    "shrink": "The newest answer was not held back because too many country-years are gone from it.",
    "answered": "The first provider of the chain answered; else it is told who stands in for it, and why.",
    "age": "The newest figure is not older than the indicator allows.",
}


def specs(indicator_id: str) -> list[dg.AssetCheckSpec]:
    """The checks of an indicator. They do not block: one blocking failure would stop every other indicator too."""
    asset = dg.AssetKey(observation_key(indicator_id))
    return [dg.AssetCheckSpec(name, asset=asset, description=text, blocking=False) for name, text in CHECKS.items()]


def results(ingested: Ingested) -> list[dg.AssetCheckResult]:
    """What the checks of an indicator find. A finding is a warning."""
    findings = {"contract": _contract, "shrink": _shrink, "answered": _answered, "age": _age}
    return [_result(ingested, name, *find(ingested)) for name, find in findings.items()]


def key(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """The key of the check that found this."""
    assert result.asset_key and result.check_name
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def failure_metadata(layout: Layout, manifest: Mapping[str, Any], node: Node) -> dict[str, dg.MetadataValue[Any]]:
    """What the page of a dbt test shows beside its result where it failed: its rows, and where to mend them."""
    if node.status not in FOUND_ROWS:
        return {}
    see = f"see {where(manifest, node)}; mend it, then refresh"
    remedy: dict[str, dg.MetadataValue[Any]] = {"remedy": dg.MetadataValue.text(see)}
    rows = failing_rows(layout, node)
    if not rows:
        return remedy
    plain = (str, int, float, bool, type(None))
    records = [
        dg.TableRecord({name: value if isinstance(value, plain) else str(value) for name, value in row.items()})
        for row in rows
    ]
    schema = dg.TableSchema([dg.TableColumn(name) for name in rows[0]])
    return {"failing_rows": dg.MetadataValue.table(records, schema), **remedy}


def _result(ingested: Ingested, name: str, finding: str | None, metadata: dict[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(observation_key(ingested.indicator.id)),
        check_name=name,
        passed=finding is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding,
        metadata=metadata,
    )


def _contract(ingested: Ingested) -> Finding:
    metadata = {"rejected": ingested.rejected}
    if not ingested.rejected:
        return None, metadata
    return f"{ingested.rejected} records refused: {'; '.join(ingested.reject_reasons)}", metadata


def _shrink(ingested: Ingested) -> Finding:
    landed = ingested.landed
    held_back = landed.reason if landed.status is Landing.HELD_BACK else None
    return held_back, {"withdrawn": landed.withdrawn}


def _answered(ingested: Ingested) -> Finding:
    first = ingested.indicator.chain[0].provider
    metadata = {"provider_requested": first, "provider_used": ingested.provider_used, "attempts": ingested.attempts}
    if ingested.stale_reason:
        return ingested.stale_reason, metadata
    if ingested.provider_used != first:
        return f"{ingested.provider_used} stands in for {first}: {ingested.attempts}", metadata
    return None, metadata


def _age(ingested: Ingested) -> Finding:
    oldest = utc_now().year - ingested.indicator.max_age_years
    metadata = {"latest_year": ingested.latest_year, "oldest_year_allowed": oldest}
    if ingested.latest_year is None:
        return "there is no figure at all", metadata
    if ingested.latest_year < oldest:
        return f"the newest figure is of {ingested.latest_year}, figures before {oldest} are too old", metadata
    return None, metadata
