"""The asset graph's last step: the checked build becomes the file that users open.

Belongs here: how a publication looks in Dagster. Does not belong here: publishing (``warehouse.publish``).

A run's success does not say that anything was published; the materialisation of this asset does.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import dagster as dg

from pipelines.notifications import Notice, notify
from pipelines.orchestration.asset_keys import PUBLICATION, Key
from pipelines.orchestration.automation import FOLLOW_BUILD
from pipelines.orchestration.observation_assets import OWNERS, POOL, hold
from pipelines.published import verdict_changes
from pipelines.revisions import revisions_since
from pipelines.workspace import Workspace
from sources.observation import utc_now
from warehouse.layout import Layout
from warehouse.publish import NotPublished, Publication, publish, published, read_receipt


def publication_asset(workspace: Workspace, tables: Iterable[Key]) -> dg.AssetsDefinition:
    """The published file, downstream of the given tables of the build."""
    layout = workspace.layout

    @dg.asset(
        key=dg.AssetKey(PUBLICATION),
        deps=[dg.AssetKey(table) for table in tables],
        group_name="publication",
        owners=OWNERS,
        kinds={"duckdb"},
        pool=POOL,
        automation_condition=FOLLOW_BUILD,
        description="The file that users open: a copy of the build whose every check passed, put in place as a whole.",
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with hold(context, layout):
            standing, receipt = published(layout), read_receipt(layout)
            try:
                # as in a refresh: what is published already stands, untouched
                unchanged = standing and receipt and receipt.passed and standing.fingerprint == receipt.fingerprint
                result = standing if standing and unchanged else publish(layout, utc_now())
            except NotPublished as error:
                raise dg.Failure(
                    f"not published, the previous publication stands: {error}", allow_retries=False
                ) from error
            changes = [] if unchanged else verdict_changes(layout.published, result.published_at)
            revised = revisions_since(layout.published, standing.newest_vintage if standing else None)
        if changes:
            notify(Notice.of_verdicts(changes), workspace.settings.webhook_url)
        if revised.total.notable:
            notify(Notice.of_revisions(revised), workspace.settings.webhook_url)
        return dg.MaterializeResult(data_version=dg.DataVersion(result.fingerprint), metadata=metadata(result, layout))

    return publication


def metadata(publication: Publication, layout: Layout) -> dict[str, Any]:
    """What a publication says of itself."""
    newest = publication.newest_vintage
    return {
        "published_at": dg.MetadataValue.timestamp(publication.published_at.replace(tzinfo=UTC)),
        "as_of": publication.as_of.isoformat(),
        "newest_vintage": dg.MetadataValue.timestamp(newest.replace(tzinfo=UTC)) if newest else None,
        "observations": publication.observations,
        "path": dg.MetadataValue.path(layout.published),
    }
