"""The asset checks of every indicator, and the failing rows of dbt's tests as metadata.

Belongs here: the checks of an indicator and their wording. Does not belong here: the contract itself
(``sources.observation``), the gates (``pipelines.quality_gates``), the checks that stop a publication (dbt's tests).
These checks are warnings: a rejected or held-back figure is not published, and an old one is marked as stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.dbt.failures import FOUND_ROWS, failing_rows, files_of
from pipelines.dbt.results import Node
from pipelines.ingested import Ingested
from pipelines.orchestration.asset_keys import observation_key
from sources.observation import utc_now
from warehouse.landing import Landing
from warehouse.layout import Layout

Finding = tuple[str | None, dict[str, Any]]
"""The problem, None if the check passed; and its metadata."""

CHECKS = {
    "contract": "The observation contract (types, areas, years, range) rejected no record of the newest response.",
    "shrink": "The quality gates held back nothing of the newest response, and no large revision is in it.",
    "answered": (
        "The first provider of the chain answered. Otherwise the check names the fallback and the reason. A failed"
        " adapter, which is a fault of this program, makes it an error."
    ),
    "age": "The newest figure is not older than the indicator allows.",
}


def specs(indicator_id: str) -> list[dg.AssetCheckSpec]:
    """Return the checks of an indicator. They do not block: a blocking failure would also stop all other indicators."""
    asset = dg.AssetKey(observation_key(indicator_id))
    return [dg.AssetCheckSpec(name, asset=asset, description=text, blocking=False) for name, text in CHECKS.items()]


def results(ingested: Ingested) -> list[dg.AssetCheckResult]:
    """Return the results of an indicator's checks. A failed one is a warning; after a fault of an adapter, an error."""
    findings = {"contract": _contract, "shrink": _shrink, "answered": _answered, "age": _age}
    return [_result(ingested, name, *find(ingested)) for name, find in findings.items()]


def key(result: dg.AssetCheckResult) -> dg.AssetCheckKey:
    """Return the key of the check of a result."""
    assert result.asset_key and result.check_name
    return dg.AssetCheckKey(result.asset_key, result.check_name)


def failure_metadata(layout: Layout, manifest: Mapping[str, Any], node: Node) -> dict[str, dg.MetadataValue[Any]]:
    """Return the failing rows of a dbt test as a table, and the files to correct; empty if the test passed.

    Args:
        layout: Paths of the warehouse. No other connection may have the build file open for writing.
        manifest: dbt's manifest.
        node: Result of the test.
    """
    if node.status not in FOUND_ROWS:
        return {}
    text = f"see {files_of(manifest, node)}; correct it, then refresh"
    remedy: dict[str, dg.MetadataValue[Any]] = {"remedy": dg.MetadataValue.text(text)}
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
        severity=dg.AssetCheckSeverity.ERROR if name == "answered" and ingested.faults else dg.AssetCheckSeverity.WARN,
        description=finding,
        metadata=metadata,
    )


def _contract(ingested: Ingested) -> Finding:
    metadata = {"rejected": ingested.rejected}
    if not ingested.rejected:
        return None, metadata
    return f"{ingested.rejected} records rejected: {'; '.join(ingested.reject_reasons)}", metadata


def _shrink(ingested: Ingested) -> Finding:
    landed = ingested.landed
    held_back = landed.reason if landed.status is Landing.HELD_BACK else None
    return held_back or "; ".join(ingested.warnings) or None, {"withdrawn": landed.withdrawn}


def _answered(ingested: Ingested) -> Finding:
    first = ingested.indicator.chain[0].provider
    metadata = {"provider_requested": first, "provider_used": ingested.provider_used, "attempts": ingested.attempts}
    if ingested.faults:
        return "; ".join(ingested.faults), metadata
    if ingested.stale_reason:
        return ingested.stale_reason, metadata
    if ingested.provider_used != first:
        return f"{ingested.provider_used} is used instead of {first}: {ingested.attempts}", metadata
    return None, metadata


def _age(ingested: Ingested) -> Finding:
    oldest = utc_now().year - ingested.indicator.max_age_years
    metadata = {"latest_year": ingested.latest_year, "oldest_year_allowed": oldest}
    if ingested.latest_year is None:
        return "there are no figures", metadata
    if ingested.latest_year < oldest:
        return f"the newest figure is for {ingested.latest_year}; the oldest year allowed is {oldest}", metadata
    return None, metadata
