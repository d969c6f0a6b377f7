"""The asset graph's first layer: one asset an indicator, all of them refreshed in one step.

Belongs here: how an indicator, and what came of asking for it, look in Dagster. Does not belong here: asking, checking
and landing (``pipelines.ingestion``), which need no Dagster.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import dagster as dg
import polars as pl

from pipelines.ingestion import Ingested, ingest
from pipelines.orchestration import asset_checks as checks
from pipelines.orchestration.asset_keys import observation_key
from pipelines.workspace import Workspace
from sources.catalogue import Catalogue, Indicator
from sources.observation import empty_observations
from warehouse.layout import Layout
from warehouse.recovery import holding

OWNERS = ["team:carec-digital-scorecard"]
POOL = "warehouse"
"""Every step that holds the warehouse's lock; one at a time (``dagster.yaml``)."""
LOCK_WAIT_S = 600.0
"""How long a step waits for a refresh that was started elsewhere."""


def observation_assets(workspace: Workspace, groups: Mapping[str, str]) -> dg.AssetsDefinition:
    """One asset an indicator. ``groups`` is indicator -> group.

    Every selected asset is always materialised: fresh, unchanged or carried forward. One that was left out would make
    Dagster skip everything downstream and still call the run a success.
    """
    catalogue = workspace.catalogue

    @dg.multi_asset(
        name="observations",
        specs=[_spec(indicator, catalogue, groups[indicator.id]) for indicator in catalogue],
        check_specs=[spec for indicator in catalogue for spec in checks.specs(indicator.id)],
        can_subset=True,
        pool=POOL,
    )
    def observations(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        ids = sorted(key.path[-1] for key in context.selected_asset_keys)
        wanted = context.selected_asset_check_keys
        with hold(context, workspace.layout):
            ingestion = ingest(workspace, catalogue.select(ids), offline=workspace.settings.offline)
        for host, reason in ingestion.unreachable.items():
            context.log.warning(f"no network to {host}: {reason}; the last good figures stand in")
        for ingested in ingestion.results:
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(observation_key(ingested.indicator.id)),
                data_version=dg.DataVersion(ingested.data_version),
                metadata=metadata(ingested, workspace),
                check_results=[r for r in checks.results(ingested) if checks.key(r) in wanted],
            )

    return observations


def hold(context: dg.AssetExecutionContext, layout: Layout) -> AbstractContextManager[None]:
    """The warehouse for one step. A refresh that was started elsewhere is waited for, and the log says so."""

    def waiting() -> None:
        context.log.warning(f"another refresh holds {layout.root}: waiting up to {LOCK_WAIT_S:.0f} s for it")

    return holding(layout, LOCK_WAIT_S, waiting)


def _tag(text: str) -> str:
    """A licence or name as a tag's value: letters, digits, ``-``, ``_``, ``.``, at most 63."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:63].strip("-")


def _spec(indicator: Indicator, catalogue: Catalogue, group: str) -> dg.AssetSpec:
    first = catalogue.providers[indicator.chain[0].provider]
    return dg.AssetSpec(
        key=dg.AssetKey(observation_key(indicator.id)),
        description=f"**{indicator.title}** ({indicator.unit})\n\n{indicator.definition}"
        + (f"\n\n{indicator.note}" if indicator.note else ""),
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
    """The newest figure of each member, as a table in Markdown."""
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
    """What a materialisation of an indicator says of itself."""
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
