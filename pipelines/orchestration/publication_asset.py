"""The last step of the asset graph: the checked build becomes the published file.

Belongs here: the publication as a Dagster asset. Does not belong here: publishing (``warehouse.publish``).

A successful run does not prove a publication; a materialisation of this asset does.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import dagster as dg

from pipelines.lake import follow_lake, publish_to_lake
from pipelines.notifications import Message, notify
from pipelines.orchestration.asset_keys import PUBLICATION, Key
from pipelines.orchestration.automation import FOLLOW_BUILD
from pipelines.orchestration.observation_assets import OWNERS, POOL, lock_warehouse
from pipelines.published import verdict_changes
from pipelines.revisions import revisions_since
from pipelines.workspace import Workspace
from sources.hidden_packages import without_hidden_packages
from sources.observation import utc_now
from warehouse.errors import NotPublished
from warehouse.lake.errors import LakeError
from warehouse.layout import Layout
from warehouse.publish import Publication, current, publish, read_receipt, restore


def publication_asset(workspace: Workspace, tables: Iterable[Key]) -> dg.AssetsDefinition:
    """Return the published file as an asset, downstream of the given tables of the build."""
    layout = workspace.layout

    @dg.asset(
        key=dg.AssetKey(PUBLICATION),
        deps=[dg.AssetKey(table) for table in tables],
        group_name="publication",
        owners=OWNERS,
        kinds={"duckdb"},
        pool=POOL,
        automation_condition=FOLLOW_BUILD,
        description="The file that users open: a copy of a build that passed every check, replaced as a whole.\n\n"
        "Fresh if its `as_of` is the day that you want and no indicator has a newer materialisation. If not: run the"
        " job `refresh`, which gives the same file as `carec refresh` and the schedule, or keeps it if it is current.",
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        with lock_warehouse(context, layout):
            follow_lake(workspace.settings, layout)
            previous, receipt = current(layout), read_receipt(layout)
            try:
                # as in a refresh: a publication of the same build stays untouched
                unchanged = previous and receipt and receipt.passed and previous.fingerprint == receipt.fingerprint
                if previous and unchanged:
                    result = previous
                    restore(layout)
                else:
                    with without_hidden_packages():
                        result = publish(layout, utc_now(), workspace.settings.keep_publications)
            except NotPublished as error:
                raise dg.Failure(
                    f"not published, the previous publication is unchanged: {error}", allow_retries=False
                ) from error
            try:
                publish_to_lake(workspace.settings, layout, context.log.info)
            except LakeError as error:
                raise dg.Failure(str(error), allow_retries=False) from None
            changes = [] if unchanged else verdict_changes(layout.published, result.published_at)
            revised = revisions_since(layout.published, previous.newest_vintage if previous else None)
        context.instance.add_run_tags(context.run_id, run_tags(result))
        context.log.info(f"the publication is {named(result)}" + (", which remains" if unchanged else ""))
        if changes:
            notify(Message.of_verdicts(changes), workspace.settings.webhook_url)
        if revised.total.notable:
            notify(Message.of_revisions(revised), workspace.settings.webhook_url)
        return dg.MaterializeResult(data_version=dg.DataVersion(result.fingerprint), metadata=metadata(result, layout))

    return publication


def named(publication: Publication) -> str:
    """Return the name of a publication, the same in the pages and on the command line."""
    return f"of {publication.published_at:%Y-%m-%d %H:%M:%S} UTC, as of {publication.as_of}"


def run_tags(publication: Publication) -> dict[str, str]:
    """Return the tags with which a run names its publication."""
    return {
        "carec/publication": f"{publication.published_at:%Y-%m-%dT%H:%M:%SZ}",
        "carec/as_of": publication.as_of.isoformat(),
    }


def metadata(publication: Publication, layout: Layout) -> dict[str, Any]:
    """Return the metadata of a publication's materialisation."""
    newest = publication.newest_vintage
    return {
        "publication": named(publication),
        "fingerprint": publication.fingerprint,
        "published_at": dg.MetadataValue.timestamp(publication.published_at.replace(tzinfo=UTC)),
        "as_of": publication.as_of.isoformat(),
        "newest_vintage": dg.MetadataValue.timestamp(newest.replace(tzinfo=UTC)) if newest else None,
        "observations": publication.observations,
        "path": dg.MetadataValue.path(layout.published),
    }
