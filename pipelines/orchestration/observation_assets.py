"""The first layer of the asset graph: one asset per indicator, all of them refreshed in one step.

Belongs here: indicators and their ingestion results as Dagster assets and metadata. Does not belong here: fetching,
checking and landing (``pipelines.ingestion``), which do not use Dagster.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import dagster as dg
import polars as pl

from pipelines.ingested import Ingested
from pipelines.ingestion import budget_lines
from pipelines.notifications import Message, post
from pipelines.orchestration import asset_checks
from pipelines.orchestration.asset_keys import observation_key
from pipelines.polling import gather
from pipelines.workspace import Workspace
from sources.catalogue import Catalogue, Indicator
from sources.observation import empty_observations
from warehouse.layout import Layout
from warehouse.recovery import holding

OWNERS = ["team:carec-digital-scorecard"]
POOL = "warehouse"
"""The pool of every step that locks the warehouse. One step runs at a time (``dagster.yaml``)."""
LOCK_WAIT_S = 600.0
"""Longest wait of a step for a refresh that was started outside Dagster, in seconds."""


def observation_assets(workspace: Workspace, groups: Mapping[str, str]) -> dg.AssetsDefinition:
    """Return one asset per indicator.

    The step materialises every selected asset, with fresh, unchanged or carried-forward figures. Dagster would skip
    everything downstream of a missing one, and the run would still be a success.

    Args:
        workspace: Catalogue, settings and paths.
        groups: Indicator -> group of its asset.
    """
    catalogue = workspace.catalogue

    @dg.multi_asset(
        name="observations",
        specs=[_spec(indicator, catalogue, groups[indicator.id]) for indicator in catalogue],
        check_specs=[spec for indicator in catalogue for spec in asset_checks.specs(indicator.id)],
        can_subset=True,
        pool=POOL,
    )
    def observations(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        ids = sorted(key.path[-1] for key in context.selected_asset_keys)
        wanted = context.selected_asset_check_keys
        with lock_warehouse(context, workspace.layout):
            ingestion = gather(workspace, catalogue.select(ids), offline=workspace.settings.offline)
        if faults := [fault for ingested in ingestion.results for fault in ingested.faults]:
            context.log.error(Message.of_faults(faults).text)
            post(Message.of_faults(faults), workspace.settings.webhook_url)
        for host, reason in ingestion.unreachable.items():
            context.log.warning(f"no network to {host}: {reason}; the last good figures are used")
        for line in budget_lines(ingestion, workspace.settings):
            context.log.info(line)
        for ingested in ingestion.results:
            for warning in ingested.warnings:
                context.log.warning(f"{ingested.indicator.id}: {warning}")
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(observation_key(ingested.indicator.id)),
                data_version=dg.DataVersion(ingested.data_version),
                metadata=metadata(ingested, workspace),
                check_results=[r for r in asset_checks.results(ingested) if asset_checks.key(r) in wanted],
            )

    return observations


def with_freshness(spec: dg.AssetSpec, catalogue: Catalogue) -> dg.AssetSpec:
    """Return the spec of an indicator with a freshness policy by the cadence of the first provider of its chain.

    Dagster warns if the last materialisation is older than the cadence, and reports a failure after a quarter more.
    """
    first = catalogue.indicators[spec.key.path[-1]].chain[0].provider
    cadence = timedelta(days=catalogue.providers[first].cadence_days)
    policy = dg.FreshnessPolicy.time_window(fail_window=1.25 * cadence, warn_window=cadence)
    return spec.replace_attributes(freshness_policy=policy)


def lock_warehouse(context: dg.AssetExecutionContext, layout: Layout) -> AbstractContextManager[None]:
    """Lock the warehouse for one step. Waits for a refresh that was started outside Dagster, and logs that it waits."""

    def waiting() -> None:
        context.log.warning(f"another refresh holds {layout.root}: waiting up to {LOCK_WAIT_S:.0f} s for it")

    return holding(layout, LOCK_WAIT_S, waiting)


def _tag(text: str) -> str:
    """Return a licence as the value of a tag: up to 63 letters, digits, ``-``, ``_`` and ``.``."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:63].strip("-")


def _spec(indicator: Indicator, catalogue: Catalogue, group: str) -> dg.AssetSpec:
    first = catalogue.providers[indicator.chain[0].provider]
    return dg.AssetSpec(
        key=dg.AssetKey(observation_key(indicator.id)),
        description=f"**{indicator.title}** ({indicator.unit})\n\n{indicator.definition}"
        + (f"\n\n{indicator.note}" if indicator.note else "")
        + f"\n\nFresh if refreshed within {first.cadence_days} days, the cadence of {first.title}. If not: materialise"
        f" it here or `carec refresh --only {indicator.id}`; the check `answered` and `carec sources` name the reason.",
        group_name=group,
        owners=OWNERS,
        kinds={"python", first.id},
        tags={"provider": first.id, "licence": _tag(indicator.licence)},
        metadata={
            "unit": indicator.unit,
            "direction": indicator.direction.value,
            "licence": indicator.licence,
            "providers": " > ".join(f"{link.provider} {link.provider_code}".strip() for link in indicator.chain),
            **_link(catalogue, first.id),
        },
    )


def _link(catalogue: Catalogue, provider_id: str | None) -> dict[str, dg.MetadataValue[Any]]:
    provider = catalogue.providers.get(provider_id or "")
    address = provider and provider.documentation_url
    return {"url": dg.MetadataValue.url(str(address))} if address else {}


def _preview(figures: pl.DataFrame, members: frozenset[str]) -> str:
    """Return the newest figure of each member as a Markdown table."""
    newest = (
        figures.filter(pl.col("iso3").is_in(sorted(members)))
        .select("iso3", "year", "value", "obs_status", "provider_code")
        .sort("year")
        .unique("iso3", keep="last")
        .sort("iso3")
    )
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN", tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_rows=-1
    ):
        return str(newest)


def metadata(ingested: Ingested, workspace: Workspace) -> dict[str, Any]:
    """Return the metadata of an indicator's materialisation: provider, outcome, changes, vintage and a preview."""
    landed, vintage = ingested.landed, ingested.vintage
    figures = vintage.read() if vintage else empty_observations()
    return {
        "dagster/row_count": ingested.rows,
        "outcome": ingested.outcome.value,
        "provider_requested": ingested.indicator.chain[0].provider,
        "provider_used": ingested.provider_used,
        "attempts": ingested.attempts,
        "stale_reason": ingested.stale_reason,
        "latest_year": ingested.latest_year,
        "landed": landed.status.value,
        "revised": landed.revised,
        "added": landed.added,
        "withdrawn": landed.withdrawn,
        "rejected": ingested.rejected,
        "vintage": vintage and vintage.vintage_at.isoformat(),
        "release": ingested.release,
        "content_hash": vintage and vintage.content_hash,
        "sha256": ", ".join(figures["raw_sha256"].drop_nulls().unique().sort()),
        "preview": dg.MetadataValue.md(_preview(figures, workspace.areas.members)),
        **_link(workspace.catalogue, ingested.provider_used),
    }
